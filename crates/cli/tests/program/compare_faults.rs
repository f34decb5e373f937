//! What can go wrong with models and with the cache.

use std::fs;

use serde_json::Value;

use crate::{
    compare::follows_schema,
    support::{Folder, noise, object, refused, slashed, stderr, stdout},
};

const N: usize = 30;

/// Sets m0.npy to m11.npy of 30 rows, and others.
fn folder() -> Folder {
    let folder = Folder::new();
    for model in 0..12 {
        folder.npy(&format!("m{model}.npy"), &noise(N * 3, model + 1), N, 3);
    }
    folder.npy("wide.npy", &noise(N * 5, 20), N, 5);
    folder.npy("short.npy", &noise(20 * 3, 21), 20, 3);
    folder.npy("one_row.npy", &noise(3, 22), 1, 3);
    folder
}

fn names() -> Vec<String> {
    (0..12).map(|model| format!("m{model}.npy")).collect()
}

fn report(folder: &Folder, arguments: &[&str]) -> Value {
    let report = object(&folder.compare(&[arguments, &["--json"]].concat()));
    follows_schema(&report);
    report
}

/// The other eleven are reported, in every form, and the exit code is that of an input.
#[test]
fn one_of_twelve_is_damaged() {
    let (folder, names) = (folder(), names());
    let models: Vec<_> = names.iter().map(String::as_str).collect();
    let path = folder.path().join("m7.npy");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    let output = folder.compare(&[&models[..], &["--json", "--csv", "models.csv"]].concat());
    assert_eq!(output.status.code(), Some(3));
    let told = stderr(&output);
    assert!(
        told.starts_with("error: 1 of 12 models could not be measured\nm7.npy") && told.lines().count() == 2,
        "{told}"
    );
    let found: Value = serde_json::from_str(stdout(&output)).unwrap();
    follows_schema(&found);
    assert_eq!(found["models"].as_array().unwrap().len(), 11);
    assert_eq!(found["failed"][0]["name"], "m7.npy");
    assert_eq!(fs::read_to_string(folder.path().join("models.csv")).unwrap().lines().count(), 12);
    let text = folder.compare(&models);
    assert!(
        stdout(&text).contains("Not measured: m7.npy: is ") && text.status.code() == Some(3),
        "{}",
        stdout(&text)
    );
    // Without its baseline, a report has no differences, and says why.
    let output = folder.compare(&["m7.npy", "m8.npy", "m9.npy", "--json"]);
    let found: Value = serde_json::from_str(stdout(&output)).unwrap();
    follows_schema(&found);
    assert_eq!(found["models"][0]["difference"], Value::Null);
    assert_eq!(found["absent"]["/models/0/difference"], "the baseline could not be measured");
    refused(
        &folder.compare(&["m7.npy", "one_row.npy"]),
        3,
        &["2 of 2 models could not be measured", "m7.npy"],
    );
}

#[test]
fn other_rows_and_other_widths() {
    let folder = folder();
    let found = report(&folder, &["m0.npy", "short.npy", "wide.npy"]);
    assert_eq!(found["models"][1]["difference"]["uniformity"], Value::Null);
    let reason = found["absent"]["/models/1/difference/uniformity"].as_str().unwrap();
    assert!(reason.contains("different numbers of rows"), "{reason}");
    assert!(found["models"][2]["difference"]["uniformity"]["value"].is_f64());
    let text = folder.compare(&["m0.npy", "short.npy", "wide.npy"]);
    assert!(
        stdout(&text).contains("no difference of short.npy: they have different numbers of rows"),
        "{}",
        stdout(&text)
    );
    assert!(stdout(&text).contains("different widths d"), "{}", stdout(&text));
    let same = folder.compare(&["m0.npy", "m1.npy"]);
    assert!(!stdout(&same).contains("different widths d"));
}

/// A model of hardly a row that is not zero takes none from the others.
#[test]
fn a_model_of_zeros_is_told_alone() {
    let folder = folder();
    folder.npy("zeros.npy", &[0.0; N * 3], N, 3);
    let mut one = vec![0.0; N * 3];
    one[15..18].fill(1.0);
    folder.npy("one.npy", &one, N, 3);
    let output =
        folder.compare(&["m0.npy", "zeros.npy", "one.npy", "m1.npy", "--zero-rows", "skip", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let found: Value = serde_json::from_str(stdout(&output)).unwrap();
    follows_schema(&found);
    let rows: Vec<_> = found["models"].as_array().unwrap().iter().map(|of| of["rows"].clone()).collect();
    assert_eq!(rows, [N, N]);
    for (place, told) in ["zeros.npy has 0 rows", "one.npy has 1 row"].iter().enumerate() {
        assert!(found["failed"][place]["reason"].as_str().unwrap().contains(told), "{found}");
    }
}

#[test]
fn names_and_options_that_cannot_be() {
    let folder = folder();
    let refuse = |arguments: &[&str], code, parts: &[&str]| refused(&folder.compare(arguments), code, parts);
    refuse(&["m0.npy", "m1.npy", "m0.npy"], 2, &["two models are called m0.npy", "--runs"]);
    refuse(&["m0.npy", "m1.npy", "--baseline", "m2.npy"], 2, &["--baseline m2.npy", "m0.npy, m1.npy"]);
    refuse(&["m0.npy", "--baseline", ""], 2, &["no model has this name"]);
    refuse(&["m0.npy", "m1.npy:m2.npy"], 2, &["m1.npy:m2.npy is a pair", "m0.npy is one set"]);
    refuse(&["m0.npy", "--alpha", "1"], 2, &["--alpha", "x.npy:y.npy"]);
    refuse(&["m0.npy", "--sort", "score"], 2, &["--sort score", "--runs"]);
    refuse(&["m0.npy", "--sort", "alignment"], 2, &["--sort alignment"]);
    refuse(&["m0.npy", "none.npy"], 3, &["none.npy"]);
    fs::write(folder.path().join("gone.csv"), "name,x\nfirst,m0.npy\nsecond,gone.npy\n").unwrap();
    refuse(&["--runs", "gone.csv"], 3, &["second: ", "gone.npy", "check the path"]);
    refuse(&["m0.npy:none.npy"], 3, &["none.npy"]);
    refuse(&["m0.npy", "--json", "--markdown"], 2, &["--markdown"]);
    refuse(&[], 2, &["MODEL"]);
    refuse(&["m0.npy", "--csv", "m0.npy"], 2, &["--csv m0.npy", "inputs"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    refuse(&["empty"], 3, &["empty is a folder without files", "x.npy and y.npy"]);
    let several = folder.path().join("several");
    fs::create_dir(&several).unwrap();
    for name in ["a.npy", "b.npy"] {
        fs::copy(folder.path().join("m0.npy"), several.join(name)).unwrap();
    }
    refuse(&["several"], 3, &["several has 2 files and none called x", "name each: several/*"]);
    report(&folder, &["several/a.npy", "several/b.npy"]);
    fs::copy(folder.path().join("m0.npy"), several.join("y.npy")).unwrap();
    refuse(&["several"], 3, &["a file y and no file x"]);
}

#[test]
fn tables_that_cannot_be_read() {
    let folder = folder();
    let refuse = |table: &[u8], parts: &[&str]| {
        fs::write(folder.path().join("runs.csv"), table).unwrap();
        refused(&folder.compare(&["--runs", "runs.csv"]), 3, &[&["runs.csv"], parts].concat());
    };
    refuse(b"name,path\na,m0.npy\n", &["no column x", "name, path"]);
    refuse(b"x\nm0.npy\n", &["no column name"]);
    refuse(b"name,x,score\na,m0.npy,1\nb,m1.npy,high\n", &["line 3", "the score 'high'"]);
    refuse(b"name,x,score\na,m0.npy,nan\n", &["line 2", "the score 'nan'", "leave the cell empty"]);
    refuse(b"name,x,step\na,m0.npy,inf\n", &["line 2", "the step 'inf'"]);
    refuse(b"name,x\na,m0.npy\na,m1.npy\n", &["line 3", "the name a is taken"]);
    refuse(b"name,x\na,\n", &["line 2", "the cell of x is empty"]);
    refuse(b"name,x\na,m0.npy,7\n", &["line 2", "3 cells"]);
    refuse(b"name,x\n", &["no rows"]);
    refuse(b"name,x\na,m0\xff.npy\n", &["UTF-8"]);
    refused(&folder.compare(&["--runs", "none.csv"]), 3, &["none.csv"]);
    refused(&folder.compare(&["m0.npy", "--runs", "runs.csv"]), 2, &["--runs"]);
    // A model that has no score, and a table without scores, have no part in a correlation.
    fs::write(folder.path().join("runs.csv"), "name,x,score\na,m0.npy,\nb,m1.npy,\n").unwrap();
    assert_eq!(report(&folder, &["--runs", "runs.csv"])["correlations"], serde_json::json!([]));
}

fn without_times(mut report: Value) -> Value {
    for model in report["models"].as_array_mut().unwrap() {
        for key in ["seconds", "cached"] {
            model.as_object_mut().unwrap().remove(key);
        }
    }
    report
}

fn cached(report: &Value) -> Vec<bool> {
    report["models"].as_array().unwrap().iter().map(|of| of["cached"].as_bool().unwrap()).collect()
}

#[test]
fn what_is_in_the_cache_has_the_same_bits() {
    let folder = folder();
    let first = report(&folder, &["m0.npy"]);
    assert_eq!(cached(&first), [false]);
    let second = report(&folder, &["m0.npy"]);
    assert_eq!((cached(&second), without_times(second)), (vec![true], without_times(first)));
    // A copy under another name, and another alpha, are in it too.
    fs::copy(folder.path().join("m0.npy"), folder.path().join("copy.npy")).unwrap();
    assert_eq!(cached(&report(&folder, &["copy.npy", "m1.npy"])), [true, false]);
    report(&folder, &["m1.npy:m2.npy"]);
    assert_eq!(cached(&report(&folder, &["m1.npy:m2.npy", "m2.npy:m1.npy", "--alpha", "1"])), [true, false]);
    // Another t, raw rows and a file of other contents are not.
    for arguments in [&["m0.npy", "--t", "3"][..], &["m0.npy", "--raw"]] {
        assert_eq!(cached(&report(&folder, arguments)), [false], "{arguments:?}");
        assert_eq!(cached(&report(&folder, arguments)), [true], "{arguments:?}");
    }
    folder.npy("m0.npy", &noise(N * 3, 99), N, 3);
    assert_eq!(cached(&report(&folder, &["m0.npy"])), [false]);
    assert_eq!(cached(&report(&folder, &["m0.npy", "--no-cache"])), [false]);
}

#[test]
fn a_damaged_entry_is_measured_anew() {
    let folder = folder();
    let first = report(&folder, &["m0.npy"]);
    let entry = fs::read_dir(folder.path().join("cache")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&entry).unwrap();
    for damage in [0, 40, 100, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[damage] ^= 1;
        fs::write(&entry, damaged).unwrap();
        let output = folder.compare(&["m0.npy", "--json"]);
        assert!(output.status.success());
        assert!(
            stderr(&output).starts_with("warning: ") && stderr(&output).contains("is damaged"),
            "{}",
            stderr(&output)
        );
        let found: Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!((cached(&found), without_times(found)), (vec![false], without_times(first.clone())));
        assert_eq!(fs::read(&entry).unwrap(), bytes);
    }
    assert_eq!(cached(&report(&folder, &["m0.npy"])), [true]);
    // A folder that cannot be one is refused before the work.
    refused(&folder.compare(&["m0.npy", "--cache", "m1.npy"]), 3, &["--cache m1.npy"]);
}

/// What was measured before Ctrl-C is in the cache afterwards.
#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_was_measured() {
    use std::{
        os::unix::process::ExitStatusExt as _,
        process::{Command, Stdio},
        thread,
        time::Duration,
    };

    use crate::support::heeding;

    let folder = folder();
    folder.npy("large.npy", &noise(1_000_000 * 4, 1), 1_000_000, 4);
    let mut program = heeding(env!("CARGO_BIN_EXE_unisphere"));
    program.args(["compare", "m0.npy", "m1.npy", "large.npy", "--device", "cpu", "--cache", "cache"]);
    program.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    let entries = || fs::read_dir(folder.path().join("cache")).map_or(0, Iterator::count);
    while entries() < 2 {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(300));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.signal(), stderr(&output), stdout(&output)), (Some(2), "interrupted\n", ""));
    assert_eq!(entries(), 2);
    assert_eq!(cached(&report(&folder, &["m0.npy", "m1.npy"])), [true, true]);
}

/// What the shell makes of folder/* has the files of a watch too.
#[test]
fn results_of_a_watch_are_no_models() {
    let folder = folder();
    let watched = [
        "watch",
        ".",
        "--device",
        "cpu",
        "--cache",
        "cache",
        "--interval",
        "0.05",
        "--once",
        "--pattern",
        "m0.npy",
    ];
    let output = crate::support::program().args(watched).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for (path, kind) in [("watch.csv", "a report of unisphere"), ("watch.html", "a page")] {
        let told = format!("{path} is {kind}, not points");
        refused(&folder.compare(&[path]), 3, &[&told, "such as *.npy"]);
        refused(&folder.compare(&["m0.npy:m1.npy", &format!("m0.npy:{path}")]), 3, &[&told]);
        // Beside models, it is none of them, and that is said.
        let output = folder.compare(&["m0.npy", path, "m1.npy", "--json"]);
        let left_out = format!("warning: {path} is left out: {kind}, not points\n");
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), &*left_out));
        let found: Value = serde_json::from_str(stdout(&output)).unwrap();
        let names =
            found["models"].as_array().unwrap().iter().map(|of| of["name"].clone()).collect::<Vec<_>>();
        assert_eq!(
            (names, &found["failed"]),
            (vec!["m0.npy".into(), "m1.npy".into()], &serde_json::json!([]))
        );
    }
    // Reports of eval and of compare are none either, in CSV and in JSON, for every command.
    folder.eval(&["m0.npy", "--csv", "runs.csv"]);
    folder.eval(&["m0.npy", "m1.npy", "--unpaired", "--permutations", "9", "--csv", "unpaired.csv"]);
    folder.eval(&["m0.npy", "--views", "m1.npy", "--csv", "views.csv"]);
    folder.compare(&["m0.npy", "m1.npy", "--csv", "models.csv"]);
    fs::write(folder.path().join("runs.jsonl"), folder.eval(&["m0.npy", "--json"]).stdout).unwrap();
    fs::write(folder.path().join("models.json"), folder.compare(&["m0.npy", "--json"]).stdout).unwrap();
    for path in
        ["watch.csv", "runs.csv", "unpaired.csv", "views.csv", "models.csv", "runs.jsonl", "models.json"]
    {
        let told = [path, "a report of unisphere, not points"];
        refused(&folder.eval(&[path]), 3, &told);
        refused(&folder.compare(&[path]), 3, &told);
        let output = folder.compare(&["m0.npy", path]);
        assert!(output.status.success() && stderr(&output).contains("is left out"), "{}", stderr(&output));
    }
    // A folder with one file of points, and what a watch has left in it.
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    fs::copy(folder.path().join("watch.csv"), model.join("watch.csv")).unwrap();
    refused(
        &folder.compare(&["model"]),
        3,
        &["model/watch.csv is a report of unisphere, not points", "no others"],
    );
    fs::copy(folder.path().join("watch.html"), model.join("watch.html")).unwrap();
    fs::copy(folder.path().join("m0.npy"), model.join("points.npy")).unwrap();
    let output = folder.compare(&["model", "--json"]);
    assert_eq!(stderr(&output).matches("is left out").count(), 2, "{}", stderr(&output));
    let found: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(found["models"][0]["files"]["x"].as_str().map(slashed).as_deref(), Some("model/points.npy"));
    // Points in CSV, with columns of any names, are none of these.
    let rows: String =
        noise(3 * N, 1).chunks(3).map(|row| format!("{},{},{}\n", row[0], row[1], row[2])).collect();
    fs::write(folder.path().join("points.csv"), String::from("time,files_a,unisphere\n") + &rows).unwrap();
    assert_eq!(folder.compare(&["m0.npy", "points.csv", "--column", "*"]).status.code(), Some(0));
}
