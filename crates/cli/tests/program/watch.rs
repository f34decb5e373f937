//! `unisphere watch`: checkpoints of a folder as they come.

use std::{
    fs,
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Folder, noise, object, program, refused, said, slashed, stderr, stdout};

const N: usize = 50;
const D: usize = 4;

/// A folder `run` for checkpoints.
fn folder() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("run")).unwrap();
    folder
}

fn checkpoint(folder: &Folder, name: &str, seed: u64) {
    folder.npy(&format!("run/{name}"), &noise(N * D, seed), N, D);
}

const LINE: [&str; 8] = ["watch", "run", "--device", "cpu", "--cache", "cache", "--interval", "0.05"];

fn once(folder: &Folder, arguments: &[&str]) -> Output {
    let line = [&LINE[..], &["--once"], arguments].concat();
    program().args(line).current_dir(folder.path()).output().unwrap()
}

/// The cells of some columns of a CSV file, line by line.
fn cells(folder: &Folder, file: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(folder.path().join(file)).unwrap();
    let header = reader.headers().unwrap().clone();
    let place = |column: &&str| header.iter().position(|of| of == *column).unwrap();
    let places: Vec<_> = columns.iter().map(place).collect();
    let line = |line: csv::StringRecord| places.iter().map(|&place| line[place].to_owned()).collect();
    reader.records().map(|record| line(record.unwrap())).collect()
}

fn names(folder: &Folder) -> Vec<String> {
    cells(folder, "run/watch.csv", &["name"]).concat()
}

#[test]
fn each_checkpoint_has_a_line_and_all_are_on_the_page() {
    let folder = folder();
    for (name, seed) in [("step_10.npy", 1), ("step_9.npy", 2), ("last.npy", 3)] {
        checkpoint(&folder, name, seed);
    }
    fs::write(folder.path().join("run/log.txt"), "epoch 1").unwrap();
    let output = once(&folder, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let reports: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files = ["run/last.npy", "run/step_9.npy", "run/step_10.npy"];
    let compared = object(&folder.compare(&[&files[..], &["--json", "--no-cache"]].concat()));
    let page = fs::read_to_string(folder.path().join("run/watch.html")).unwrap();
    let lines = cells(&folder, "run/watch.csv", &["name", "step", "uniformity.value", "uniformity.low"]);
    assert_eq!((reports.len(), lines.len()), (3, 3));
    for ((report, line), (model, (name, step))) in
        reports.iter().zip(&lines).zip(compared["models"].as_array().unwrap().iter().zip([
            ("last.npy", ""),
            ("step_9.npy", "9.0"),
            ("step_10.npy", "10.0"),
        ]))
    {
        let uniformity = &model["uniformity"];
        assert_eq!(report["uniformity"], *uniformity);
        assert_eq!(report["name"], name);
        assert_eq!(
            *line,
            [name.into(), step.into(), uniformity["value"].to_string(), uniformity["low"].to_string()]
        );
        assert!(page.contains(&format!("value=\"{}\"", uniformity["value"])), "{name}");
    }
    assert!(page.contains("3 models compared"));

    // What is there already has no second line, and what is new has one.
    checkpoint(&folder, "step_11.npy", 4);
    let output = once(&folder, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(said(&output).contains("3 checkpoints are in run/watch.csv"), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("step_11.npy  uniformity -") && stdout(&output).lines().count() == 1);
    assert_eq!(names(&folder), ["last.npy", "step_9.npy", "step_10.npy", "step_11.npy"]);
    assert_eq!(cells(&folder, "run/watch.csv", &["cached"]).concat(), ["false"; 4]);
    assert!(fs::read_to_string(folder.path().join("run/watch.html")).unwrap().contains("4 models compared"));
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_are_measured() {
    let folder = folder();
    checkpoint(&folder, "step_1.npy", 1);
    checkpoint(&folder, "step_3.npy", 3);
    let whole = fs::read(folder.path().join("run/step_3.npy")).unwrap();
    fs::write(folder.path().join("run/step_2.npy"), &whole[..200]).unwrap();
    let bad = if cfg!(windows) { "run/bad.npy" } else { "run/\u{1b}[2Jbad.npy" };
    fs::write(folder.path().join(bad), "no points").unwrap();
    let output = once(&folder, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("step_2.npy is not measured") && said.contains("2 of 4 checkpoints"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_eq!(names(&folder), ["step_1.npy", "step_3.npy"]);
    // Once it is whole, and under another name.
    fs::write(folder.path().join("run/step_2.npy"), &whole).unwrap();
    fs::remove_file(folder.path().join(bad)).unwrap();
    assert_eq!(once(&folder, &[]).status.code(), Some(0));
    assert_eq!(names(&folder), ["step_1.npy", "step_3.npy", "step_2.npy"]);
}

#[test]
fn a_checkpoint_that_is_written_over_is_measured_again() {
    let folder = folder();
    checkpoint(&folder, "last.npy", 1);
    once(&folder, &[]);
    thread::sleep(Duration::from_millis(20));
    checkpoint(&folder, "last.npy", 2);
    once(&folder, &[]);
    let values = cells(&folder, "run/watch.csv", &["uniformity.value"]).concat();
    assert!(values.len() == 2 && values[0] != values[1], "{values:?}");
    once(&folder, &[]);
    assert_eq!(names(&folder).len(), 2);
    // What it was before: its last line is of what it is now.
    thread::sleep(Duration::from_millis(20));
    checkpoint(&folder, "last.npy", 1);
    once(&folder, &[]);
    let now = cells(&folder, "run/watch.csv", &["uniformity.value"]).concat();
    assert_eq!(now[..], [values[0].clone(), values[1].clone(), values[0].clone()]);
}

/// Whatever its time says, and whatever else numbers follow from.
#[test]
fn a_line_is_of_contents_and_options() {
    let folder = folder();
    checkpoint(&folder, "best.npy", 1);
    checkpoint(&folder, "../other.npy", 2);
    once(&folder, &[]);
    // As a link that is moved back, or a copy that keeps its time.
    let other = folder.path().join("other.npy");
    let old = fs::File::options().write(true).open(&other).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
    fs::rename(&other, folder.path().join("run/best.npy")).unwrap();
    once(&folder, &[]);
    once(&folder, &["--no-cache"]);
    once(&folder, &["--t", "5"]);
    once(&folder, &["--t", "5"]);
    // And back again: each has its line.
    once(&folder, &[]);
    let ts = cells(&folder, "run/watch.csv", &["t"]).concat();
    assert_eq!(ts, ["2.0", "2.0", "5.0"]);
    let values = cells(&folder, "run/watch.csv", &["uniformity.value"]).concat();
    assert!(values[0] != values[1] && values[1] != values[2]);
    // However the folder is named.
    let line = [
        "watch",
        "./run/../run/",
        "--once",
        "--interval",
        "0.05",
        "--device",
        "cpu",
        "--cache",
        "cache",
        "--t",
        "5",
    ];
    let output = program().args(line).current_dir(folder.path()).output().unwrap();
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), ""), "{}", stderr(&output));
}

#[test]
fn two_sets_of_one_file_are_pairs_as_in_compare() {
    let folder = folder();
    let pairs: String = (0..30).map(|i| format!("{{\"a\": [{i}, 1, 2], \"b\": [{i}, 2, 1]}}\n")).collect();
    fs::write(folder.path().join("run/1.jsonl"), pairs).unwrap();
    let output = once(&folder, &["--columns", "a,b"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let compared = object(&folder.compare(&["run/1.jsonl", "--columns", "a,b", "--json", "--no-cache"]));
    let value = compared["models"][0]["alignment"]["value"].to_string();
    assert_eq!(cells(&folder, "run/watch.csv", &["alignment.value"]).concat(), [value]);
}

/// In whatever order they are found.
#[test]
fn single_sets_among_pairs_are_told() {
    let folder = folder();
    checkpoint(&folder, "a.npy", 1);
    assert_eq!(once(&folder, &[]).status.code(), Some(0));
    fs::create_dir(folder.path().join("run/z")).unwrap();
    checkpoint(&folder, "z/x.npy", 2);
    checkpoint(&folder, "z/y.npy", 3);
    let output = once(&folder, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("a.npy is one set, and others are pairs: it is left out"),
        "{}",
        stderr(&output)
    );
    let none = once(&folder, &["--pattern", "*.none"]);
    assert!(none.status.success() && stderr(&none).contains("no checkpoint is there"), "{}", stderr(&none));
    assert_eq!(names(&folder), ["a.npy", "z"]);
    assert!(fs::read_to_string(folder.path().join("run/watch.html")).unwrap().contains("1 model compared"));
}

#[test]
fn folders_with_x_and_y_are_pairs_and_wait_for_their_y() {
    let folder = folder();
    for step in ["a/1", "a/2"] {
        fs::create_dir_all(folder.path().join("run").join(step)).unwrap();
    }
    let pattern = ["--pattern", "a/*/x.npy"];
    checkpoint(&folder, "a/1/x.npy", 1);
    checkpoint(&folder, "a/1/y.npy", 2);
    checkpoint(&folder, "a/2/x.npy", 3);
    let output = once(&folder, &pattern);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(said(&output).contains("a/2 is one set") && names(&folder) == ["a/1"], "{}", stderr(&output));
    checkpoint(&folder, "a/2/y.npy", 4);
    assert_eq!(once(&folder, &pattern).status.code(), Some(0));
    let lines = cells(&folder, "run/watch.csv", &["name", "alignment.value", "files.y"]);
    let compared = object(&folder.compare(&["run/a/1", "run/a/2", "--json", "--no-cache"]));
    for ((line, model), name) in lines.iter().zip(compared["models"].as_array().unwrap()).zip(["a/1", "a/2"])
    {
        let line: Vec<_> = line.iter().map(|cell| slashed(cell)).collect();
        assert_eq!(line, [name.into(), model["alignment"]["value"].to_string(), format!("run/{name}/y.npy")]);
    }
}

/// It sees what comes while it waits, ends of Ctrl-C, and goes on.
#[cfg(unix)]
#[test]
fn it_waits_for_checkpoints_until_ctrl_c() {
    use std::process::Command;

    use crate::support::heeding;

    let folder = folder();
    // The last 30 of many are drawn, and the newest among them.
    for step in 1..=32 {
        checkpoint(&folder, &format!("{step}.npy"), step);
    }
    let mut command = heeding(env!("CARGO_BIN_EXE_unisphere"));
    command.args(LINE).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let until = |lines: usize| {
        let began = Instant::now();
        let csv = folder.path().join("run/watch.csv");
        while fs::read_to_string(&csv).map_or(0, |text| text.lines().count()) < lines + 1 {
            assert!(began.elapsed() < Duration::from_secs(60), "line {lines} does not come");
            thread::sleep(Duration::from_millis(10));
        }
    };
    until(32);
    checkpoint(&folder, "33.npy", 33);
    until(33);
    let page = || fs::read_to_string(folder.path().join("run/watch.html")).unwrap_or_default();
    let began = Instant::now();
    while !page().contains("33 models compared") {
        assert!(began.elapsed() < Duration::from_secs(60), "the page does not come");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(page().contains("models the last 30 are shown"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(stderr(&output).ends_with("interrupted\n"), "{}", stderr(&output));
    assert!(!output.status.success() && stdout(&output).lines().count() == 33);
    checkpoint(&folder, "34.npy", 34);
    assert_eq!(once(&folder, &[]).status.code(), Some(0));
    assert_eq!(names(&folder).len(), 34);
}

/// What is away comes back, with all that a watch has found.
#[cfg(unix)]
#[test]
fn a_folder_that_is_away_is_told_once_and_comes_back() {
    let folder = folder();
    checkpoint(&folder, "1.npy", 1);
    let path = |name: &str| folder.path().join(name);
    let mut command = program();
    command.args(LINE).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let until = |is_so: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(10));
        }
    };
    let lines = || fs::read_to_string(path("run/watch.csv")).map_or(0, |text| text.lines().count());
    until(&|| lines() == 2 && path("run/watch.html").exists());
    fs::rename(path("run"), path("away")).unwrap();
    thread::sleep(Duration::from_millis(400));
    fs::rename(path("away"), path("run")).unwrap();
    checkpoint(&folder, "2.npy", 2);
    until(&|| lines() == 3);
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(stderr(&output).matches("cannot be read").count(), 1, "{}", stderr(&output));
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("run/other.csv"), "a,b\n1,2\n").unwrap();
    let refuse = |line: &[&str], code, parts: &[&str]| {
        let line = [&["watch"], line].concat();
        refused(&program().args(line).current_dir(folder.path()).output().unwrap(), code, parts);
    };
    refuse(&["none"], 3, &["none", "folder cannot be read"]);
    refuse(
        &["run/other.csv"],
        3,
        &["run/other.csv is a file, and watch takes a folder", "unisphere watch run"],
    );
    refuse(&["run/*.npy"], 3, &["run/*.npy is a pattern", "unisphere watch run --pattern '*.npy'"]);
    refuse(&["run/a.npy", "run/b.npy"], 2, &["2 paths are named", "unisphere watch run --pattern '*.npy'"]);
    refuse(&["run", "--raw", "--zero-rows", "skip"], 2, &["--zero-rows skip or --raw"]);
    refuse(&["run", "--pattern", "a[.npy"], 2, &["--pattern a[.npy", "quote it"]);
    refuse(&["run", "--pattern", "/a/*.npy"], 2, &["--pattern /a/*.npy", "in the folder"]);
    checkpoint(&folder, "1.npy", 1);
    let before = fs::read(folder.path().join("run/1.npy")).unwrap();
    refuse(&["run", "--html", "run/1.npy", "--once"], 2, &["--html run/1.npy is one of the inputs"]);
    refuse(&["run", "--csv", "run/1.npy", "--once"], 2, &["--csv run/1.npy is one of the inputs"]);
    assert_eq!(fs::read(folder.path().join("run/1.npy")).unwrap(), before);
    refuse(&["run", "--interval", "1e20"], 2, &["--interval", "86400"]);
    refuse(&["run", "--csv", "run/other.csv"], 3, &["--csv run/other.csv", "its columns are a,b"]);
    refuse(&["run", "--csv", "run/p", "--html", "run/p"], 2, &["--csv and --html both name run/p"]);
    refuse(&["run", "--html", "none/p.html"], 2, &["--html", "directory does not exist"]);
    refuse(&["run", "--interval", "0"], 2, &["--interval"]);
}

/// The page holds all checkpoints against one that is named, wherever it stands among them.
#[test]
fn a_baseline_that_is_named() {
    let folder = folder();
    for (name, seed) in [("step_1.npy", 1), ("step_2.npy", 2), ("step_3.npy", 3)] {
        checkpoint(&folder, name, seed);
    }
    let against = |name: &str| {
        let page = fs::read_to_string(folder.path().join("run/watch.html")).unwrap();
        page.contains(&format!("<dt>against</dt><dd>{name}</dd>"))
    };
    once(&folder, &[]);
    assert!(against("step_1.npy"));
    let output = once(&folder, &["--baseline", "step_2.npy"]);
    assert!(output.status.success() && against("step_2.npy"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("--baseline"), "{}", stderr(&output));
    // By its path too, as compare takes it; and compare takes the end of a path.
    for name in ["run/step_3.npy", "./run/step_3.npy", "step_3.npy"] {
        let output = once(&folder, &["--baseline", name]);
        assert!(output.status.success() && against("step_3.npy"), "{}", stderr(&output));
        let compared = folder.compare(&["run/step_1.npy", "run/step_3.npy", "--baseline", name, "--json"]);
        assert_eq!(object(&compared)["baseline"], "run/step_3.npy");
    }
    // As other bad input, before anything is measured or written.
    let before = fs::read(folder.path().join("run/watch.csv")).unwrap();
    let told = [
        "--baseline step_9.npy: no model has this name",
        "the models are step_1.npy, step_2.npy, step_3.npy",
    ];
    refused(&once(&folder, &["--baseline", "step_9.npy", "--t", "7"]), 2, &told);
    assert_eq!(fs::read(folder.path().join("run/watch.csv")).unwrap(), before);
    // One that is there and cannot be measured.
    fs::write(folder.path().join("run/step_4.npy"), "no points").unwrap();
    let output = once(&folder, &["--baseline", "step_4.npy"]);
    assert!(output.status.code() == Some(3) && against("step_1.npy"), "{}", stderr(&output));
    let told = "--baseline step_4.npy: no checkpoint that was measured has this name, and the page is against step_1.npy";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}

/// Rows that are zeros in one checkpoint are left out of all, so that row i of each is of the same thing, as compare has it.
#[test]
fn rows_of_zeros_are_skipped_of_all_checkpoints() {
    let folder = folder();
    let values = |seed, zero: usize| {
        let mut values = noise(N * D, seed);
        values[zero * D..(zero + 1) * D].fill(0.0);
        values
    };
    folder.npy("run/step_1.npy", &values(1, 3), N, D);
    folder.npy("run/step_2.npy", &noise(N * D, 2), N, D);
    let output = once(&folder, &[]);
    assert_eq!(output.status.code(), Some(3));
    let cure = "row 3 is all zeros";
    assert!(
        stderr(&output).contains(cure) && stderr(&output).contains("--zero-rows skip"),
        "{}",
        stderr(&output)
    );
    // The cure, and then a checkpoint with another such row.
    let skip = ["--zero-rows", "skip"];
    assert_eq!(once(&folder, &skip).status.code(), Some(0));
    folder.npy("run/step_3.npy", &values(3, 7), N, D);
    assert_eq!(once(&folder, &skip).status.code(), Some(0));
    let files = ["run/step_1.npy", "run/step_2.npy", "run/step_3.npy"];
    let compared = object(&folder.compare(&[&files[..], &skip, &["--json", "--no-cache"]].concat()));
    let lines = cells(&folder, "run/watch.csv", &["name", "rows", "uniformity.value"]);
    for model in compared["models"].as_array().unwrap() {
        assert_eq!(model["skipped"], serde_json::json!([3, 7]));
        let name = model["name"].as_str().unwrap().strip_prefix("run/").unwrap();
        let last = lines.iter().rfind(|line| line[0] == name).unwrap();
        assert_eq!(last[1..], ["48".to_owned(), model["uniformity"]["value"].to_string()], "{lines:?}");
    }
    let page = fs::read_to_string(folder.path().join("run/watch.html")).unwrap();
    assert!(page.contains("2 rows are all zeros in one model or more, and are left out of all."));
    // Without such rows, and found by one look alone.
    let before = lines.len();
    once(&folder, &skip);
    assert_eq!(names(&folder).len(), before);
}

/// One of zeros takes no rows from the others, and is measured once it is mended; what is gone takes none after a restart.
#[test]
fn a_checkpoint_of_zeros_spoils_no_others() {
    let folder = folder();
    let with_zeros = |name: &str, seed, zero: &[usize]| {
        let mut values = noise(N * D, seed);
        zero.iter().for_each(|row| values[row * D..(row + 1) * D].fill(0.0));
        folder.npy(&format!("run/{name}"), &values, N, D);
    };
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| fs::read_to_string(path(name)).unwrap_or_default();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what} does not come: {}", read("said.txt"));
            thread::sleep(Duration::from_millis(10));
        }
    };
    // Beside the header.
    let lines = || read("run/watch.csv").lines().count().saturating_sub(1);
    let until_there = |count: usize, models: &str| {
        until(&format!("line {count}, {models}"), &|| {
            lines() == count && read("run/watch.html").contains(&format!("{models} compared"))
        });
    };
    let until_said = |text: &str| until(text, &|| read("said.txt").contains(text));

    with_zeros("step_1.npy", 1, &[3]);
    let mut command = program();
    command.args(LINE).args(["--zero-rows", "skip"]).current_dir(folder.path()).stdout(Stdio::null());
    let mut child = command.stderr(fs::File::create(path("said.txt")).unwrap()).spawn().unwrap();
    until_there(1, "1 model");
    let all: Vec<_> = (0..N).collect();
    with_zeros("step_2.npy", 2, &all);
    until_said("step_2.npy is not measured: all of its 50 rows are zeros");
    // Alone it has two others, one of which is zero in the first.
    with_zeros("step_3.npy", 3, &[&all[..3], &all[5..]].concat());
    until_said("step_3.npy is not measured: 48 of its 50 rows are zeros, and 1 of others");
    with_zeros("step_4.npy", 4, &[]);
    until_there(2, "2 models");
    with_zeros("step_2.npy", 2, &[]);
    until_there(3, "3 models");
    with_zeros("step_3.npy", 3, &[]);
    until_there(4, "4 models");
    // All are measured again; what is gone then leaves the page, and takes its rows with it.
    with_zeros("step_5.npy", 5, &[7]);
    until_there(9, "5 models");
    fs::remove_file(path("run/step_5.npy")).unwrap();
    with_zeros("step_6.npy", 6, &[9]);
    until_said("step_5.npy left the page: its file is gone");
    until_there(14, "5 models");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(read("said.txt").matches("is not measured").count(), 2, "{}", read("said.txt"));

    // A restart gives the same.
    let skip = ["--zero-rows", "skip"];
    let output = once(&folder, &skip);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), ""), "{}", stderr(&output));
    // As before the last two: of each, the last line is of the rows on the page.
    fs::remove_file(path("run/step_6.npy")).unwrap();
    assert_eq!(once(&folder, &skip).status.code(), Some(0));
    let found = cells(&folder, "run/watch.csv", &["name", "rows"]);
    for name in ["step_1.npy", "step_2.npy", "step_3.npy", "step_4.npy"] {
        let rows: Vec<_> = found.iter().filter(|line| line[0] == name).map(|line| line[1].as_str()).collect();
        assert_eq!(rows, ["49", "48", "48", "49"], "{name}");
    }
}
