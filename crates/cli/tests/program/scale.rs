//! Sets of any size: the same numbers as the report's, whatever the memory, the files, the parts and the interruptions.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    schema::{KEYS_OF_LARGE_SETS, follows, schema},
    support::{Folder, noise, object, program, refused, stderr, stdout},
};

const N: usize = 9001;
const D: usize = 6;
/// Bytes of a journal before its first record, and of a record of one t.
const HEADER_OF_JOURNAL: u64 = 256;
const RECORD_OF_JOURNAL: u64 = 32;

fn folder() -> Folder {
    let folder = Folder::new();
    let x = noise(N * D, 1);
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &noise(N * D, 2), N, D);
    // The same points in files that sort as numbers do.
    for (number, rows) in [(1, 0..1), (2, 1..4000), (10, 4000..N)] {
        let values = &x[rows.start * D..rows.end * D];
        folder.npy(&format!("shard_{number}.npy"), values, rows.len(), D);
    }
    for (number, rows) in [(8, 0..4000), (9, 4000..8000), (10, 8000..N)] {
        let values = &x[rows.start * D..rows.end * D];
        folder.npy(&format!("part_{number}.npy"), values, rows.len(), D);
    }
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    program().args(arguments).current_dir(folder.path()).output().unwrap()
}

/// Uniformity of x at every t, that of y, and then across both.
fn values(report: &Value) -> Vec<f64> {
    let rows = match &report["sweep"] {
        Value::Null => std::slice::from_ref(&report["uniformity"]),
        sweep => sweep.as_array().unwrap(),
    };
    ["x", "y", "cross"].iter().flat_map(|set| rows.iter().filter_map(|row| row[*set].as_f64())).collect()
}

/// The only estimate of a report.
fn estimate(report: &Value) -> &Value {
    let [one] = report["estimates"].as_array().unwrap().as_slice() else { panic!("{report}") };
    &one["estimate"]
}

/// The estimate of a quantity at the first t or tau.
fn estimated<'a>(report: &'a Value, quantity: &str) -> &'a Value {
    report["estimates"].as_array().unwrap().iter().find(|of| of["quantity"] == quantity).unwrap()
}

/// What all pairs have told, bit for bit.
const VALUES: [&str; 4] = ["alignment", "uniformity", "sweep", "contrastive"];

#[track_caller]
fn assert_same(found: &Value, wanted: &Value) {
    assert!(wanted["uniformity"]["x"].is_number(), "{wanted}");
    VALUES.iter().for_each(|key| assert_eq!(found[key], wanted[key], "{key}"));
}

fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
    for word in words {
        assert!(stderr(output).contains(word), "{word}: {}", stderr(output));
    }
}

#[test]
fn little_memory_gives_the_bits_of_much_and_the_numbers_of_the_report() {
    let folder = folder();
    let much = folder.json(&["x.npy", "y.npy", "--t", "2,0.5", "--max-memory", "1G", "--across"]);
    for memory in ["5M", "8M", "5.5MiB"] {
        let little = folder.json(&["x.npy", "y.npy", "--t", "2,0.5", "--max-memory", memory, "--across"]);
        assert_same(&little, &much);
        assert!(little["work"]["memory"].as_f64() <= Some(8.0 * 1024.0 * 1024.0));
    }
    let report = folder.json(&["x.npy", "y.npy", "--t", "2,0.5"]);
    let near = |a: f64, b: &Value| assert!((a - b.as_f64().unwrap()).abs() < 1e-8, "{a} and {b}");
    let of_sets = values(&much);
    near(of_sets[0], &report["uniformity"]["x"]);
    near(of_sets[2], &report["uniformity"]["y"]);
    near(of_sets[4], &report["sweep"][0]["cross"]);
    near(much["sweep"][1]["pooled"].as_f64().unwrap(), &report["sweep"][1]["pooled"]);
    near(much["alignment"]["value"].as_f64().unwrap(), &report["alignment"]["value"]);
    let text = folder.eval(&["x.npy", "y.npy", "--max-memory", "1G"]);
    assert!(stdout(&text).contains("uniformity of y") && stderr(&text).is_empty(), "{}", stdout(&text));
}

/// Numbers of a contrastive loss, and its temperature.
const OF_LOSS: [&str; 9] = [
    "tau",
    "candidates",
    "anchors",
    "negatives",
    "loss",
    "normalized",
    "alignment",
    "uniformity",
    "residual",
];

#[test]
fn losses_and_discrepancies_are_those_of_the_report_in_pieces_and_in_parts() {
    let folder = folder();
    let metrics = ["x.npy", "y.npy", "--t", "2,0.5", "--tau", "0.5,0.1", "--candidates", "views"];
    let with = |more: &[&str]| folder.json(&[&metrics[..], more].concat());
    let much = with(&["--max-memory", "1G", "--across", "--journal", "run.journal"]);
    let little = with(&["--max-memory", "8M", "--across"]);
    assert_same(&little, &much);
    let report = with(&[]);
    let near = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => assert!((a - b).abs() < 1e-7, "{a} and {b}"),
        _ => assert_eq!(a, b),
    };
    for loss in [0, 1] {
        OF_LOSS
            .iter()
            .for_each(|key| near(&much["contrastive"][loss][key], &report["contrastive"][loss][key]));
    }
    for row in [0, 1] {
        near(&much["sweep"][row]["squared_mmd"], &report["sweep"][row]["squared_mmd"]);
    }
    let text = folder.eval(&[&metrics[..], &["--max-memory", "1G", "--across"]].concat());
    for words in ["squared MMD", "contrastive", "tau = 0.1", "Candidates: views, 18,002 anchors"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    // A journal of other temperatures.
    let other = ["x.npy", "y.npy", "--tau", "0.5", "--max-memory", "1G", "--journal", "run.journal"];
    assert_refused(&folder.eval(&other), 3, &["run.journal", "another run"]);
    let plan = run(&folder, &[&["plan", "--parts", "4", "--across"], &metrics[..]].concat());
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    for part in ["1", "2", "3", "4"] {
        let part = run(&folder, &["part", "run.plan", part, "--out", "parts", "--device", "cpu"]);
        assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    }
    let merged = object(&run(&folder, &["merge", "run.plan", "parts", "--json"]));
    assert_same(&merged, &much);
}

#[test]
fn patterns_name_numbered_files_that_are_one_set() {
    let folder = folder();
    let whole = folder.json(&["x.npy", "--max-memory", "1G"]);
    let parts = folder.json(&["part_*.npy"]);
    assert_eq!(
        (&parts["uniformity"], &parts["files"]["x"]),
        (&whole["uniformity"], &Value::from("part_*.npy"))
    );
    assert_refused(&folder.eval(&["shard_*.npy"]), 3, &["shard_3.npy"]);
    assert_refused(&folder.eval(&["none_*.npy"]), 3, &["none_*.npy"]);
    folder.npy("part_11.npy", &noise(3 * (D + 1), 3), 3, D + 1);
    assert_refused(&folder.eval(&["part_*.npy"]), 3, &["part_11.npy", "7"]);
}

#[test]
fn listed_files_are_one_set_in_the_order_of_their_numbers() {
    let folder = folder();
    let y = noise(N * D, 2);
    for (number, rows) in [(1, 0..5000), (2, 5000..N)] {
        let values = &y[rows.start * D..rows.end * D];
        folder.npy(&format!("text_{number}.npy"), values, rows.len(), D);
    }
    let whole = folder.json(&["x.npy", "y.npy", "--max-memory", "1G"]);
    // As a shell sorts them, and with one by a pattern.
    let names =
        ["--shards", "part_10.npy", "part_8.npy", "part_[9].npy", "--shards-y", "text_2.npy", "text_1.npy"];
    let listed = folder.json(&names);
    for key in ["uniformity", "alignment", "rows"] {
        assert_eq!(listed[key], whole[key], "{key}");
    }
    let files = json!({"x": "part_8.npy … part_10.npy", "y": "text_1.npy … text_2.npy"});
    assert_eq!((&listed["files"], &listed["file_counts"]), (&files, &json!({"x": 3, "y": 2})));
    let text = folder.eval(&names);
    assert!(stdout(&text).contains("part_8.npy … part_10.npy, 3 files"), "{}", stdout(&text));
    let one = folder.json(&["--max-memory", "1G", "--shards", "x.npy"]);
    assert_eq!((&one["files"]["x"], &one["uniformity"]["x"]), (&"x.npy".into(), &whole["uniformity"]["x"]));

    // A plan keeps them, wherever its parts are computed.
    let plan = run(&folder, &[&["plan", "--parts", "2"], &names[..]].concat());
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["x"].as_array().map(Vec::len), Some(3), "{plan}");
    fs::write(folder.path().join("run.plan"), plan.to_string()).unwrap();
    let path = folder.path().join("run.plan");
    let (path, parts) = (path.to_str().unwrap(), folder.path().join("parts"));
    for number in ["1", "2"] {
        let line = ["part", path, number, "--out", parts.to_str().unwrap(), "--device", "cpu"];
        assert_eq!(program().args(line).output().unwrap().status.code(), Some(0));
    }
    let merged = object(&run(&folder, &["merge", "run.plan", "parts", "--json"]));
    assert_eq!(
        (&merged["uniformity"], &merged["file_counts"]),
        (&whole["uniformity"], &listed["file_counts"])
    );

    let gradient = |files: &[&str], out| {
        let line = [&["gradient", "--of", "loss", "--device", "cpu", "--out", out], files].concat();
        let output = run(&folder, &line);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        fs::read(folder.path().join(out)).unwrap()
    };
    assert!(gradient(&names, "of_list.npy") == gradient(&["x.npy", "y.npy"], "of_files.npy"));
}

#[test]
fn lists_of_files_that_are_no_set_are_refused_with_a_cure() {
    let folder = folder();
    for (line, code, words) in [
        (&["--shards", "shard_1.npy", "shard_10.npy", "shard_2.npy"][..], 3, &["shard_3.npy is missing"][..]),
        (&["--shards", "part_8.npy", "part_9.npy", "part_8.npy"], 3, &["part_8.npy: named twice"]),
        (&["--shards", "part_8.npy", "x.npy"], 3, &["part_8.npy and x.npy", "of one series"]),
        (&["--shards", "part_8.npy", "none_9.npy"], 3, &["of one series"]),
        (&["x.npy", "--shards", "part_8.npy"], 2, &["x.npy is named as X", "leave out one of them"]),
        (&["--shards-y", "part_8.npy"], 2, &["--shards"]),
        (&["--shards", "part_8.npy", "--labels-column", "l"], 2, &["may be several files"]),
        (&["--shards", "part_8.npy", "--zero-rows", "skip"], 2, &["single files", "join the files"]),
        (&["part_*.npy", "--zero-rows", "skip"], 2, &["single files", "join the files"]),
        (&["part_10.npy", "part_8.npy", "part_9.npy"], 2, &["--shards"]),
        (&["--shards", "part_8.npy", "--shards-y", "part_9.npy", "--unpaired"], 2, &["numbered files"]),
    ] {
        assert_refused(&run(&folder, &[&["eval"], line].concat()), code, words);
    }
}

#[test]
fn two_files_of_one_series_as_x_and_y_have_a_warning() {
    let folder = folder();
    let warned = |line: &[&str]| {
        let output = folder.eval(line);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output).to_owned()
    };
    let text = warned(&["part_8.npy", "part_9.npy"]);
    assert!(text.contains("warning") && text.contains("--shards part_8.npy part_9.npy"), "{text}");
    for line in [
        &["part_8.npy", "part_9.npy", "--unpaired", "--permutations", "9"][..],
        &["x.npy", "y.npy"],
        &["--shards", "part_8.npy", "part_9.npy"],
    ] {
        assert_eq!(warned(line), "", "{line:?}");
    }
}

#[test]
fn several_devices_give_the_bits_of_one_and_are_all_named() {
    let folder = folder();
    let metrics = ["x.npy", "y.npy", "--t", "2,0.5", "--across", "--tau", "0.1"];
    let wanted = folder.json(&[&metrics[..], &["--max-memory", "1G"]].concat());
    let several =
        |more: &[&str]| run(&folder, &[&["eval", "--devices", "cpu,cpu"], &metrics[..], more].concat());
    for memory in [&["--max-memory", "12M"][..], &["--max-memory", "1G", "--journal", "j"], &[]] {
        let found = object(&several(&[memory, &["--json"]].concat()));
        assert_same(&found, &wanted);
        assert_eq!(found["devices"], Value::from(vec![wanted["device"].clone(); 2]));
        assert_eq!(found["device"], wanted["device"]);
    }
    // One device goes on from what two of its kind have finished.
    let again = folder.json(&[&metrics[..], &["--journal", "j"]].concat());
    assert_eq!(again["work"]["blocks_recovered"], again["work"]["blocks"]);
    let text = several(&[]);
    assert_eq!(stdout(&text).lines().filter(|line| line.starts_with("device  cpu: ")).count(), 2);
    let plan = run(&folder, &[&["plan", "--parts", "2"], &metrics[..]].concat());
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    for part in [&["1", "--device", "cpu"][..], &["2", "--devices", "cpu,cpu"]] {
        let output = run(&folder, &[&["part", "run.plan", "--out", "parts"], part].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let merged = object(&run(&folder, &["merge", "run.plan", "parts", "--json"]));
    assert_same(&merged, &wanted);
    for (line, code, word) in [
        (&["--devices", "cpu,cpu", "--tolerance", "1e-3"][..], 2, "--tolerance"),
        (&["--devices", "cpu,cpu", "--device", "cpu"], 2, "--device"),
        (&["--devices", "cpu,cpu", "--sigmoid", "10,-10"], 2, "--sigmoid"),
        (&["--devices", "cpu,"], 2, "--devices"),
        (&["--devices", "cpu,no such GPU"], 4, "no such GPU"),
    ] {
        assert_refused(&run(&folder, &[&["eval", "x.npy"], line].concat()), code, &[word]);
    }
}

#[test]
fn estimates_hold_the_value_and_say_how_they_came_about() {
    let folder = folder();
    let exact = values(&folder.json(&["x.npy", "--max-memory", "1G"]))[0];
    let report = folder.json(&["x.npy", "--tolerance", "1e-2", "--seed", "3", "--confidence", "0.999"]);
    let found = estimate(&report);
    let number = |key: &str| found[key].as_f64().unwrap();
    assert!(number("low") <= exact && exact <= number("high"), "{exact} and {report}");
    assert_eq!(found["reached"], true);
    assert_eq!(&report["uniformity"]["of_x"]["estimate"], found);
    // All pairs of so small a set are no more than a first stage.
    assert_eq!((&found["method"], &found["share"]), (&Value::from("exact"), &Value::from(1.0)));
    let again = folder.json(&["x.npy", "--tolerance", "1e-2", "--seed", "3", "--confidence", "0.999"]);
    assert_eq!(again["estimates"], report["estimates"]);
    let text = folder.eval(&["x.npy", "y.npy", "--tolerance", "auto", "--across"]);
    assert!(
        stdout(&text).contains("cross uniformity")
            && stdout(&text).contains("alignment")
            && stdout(&text).contains("error of rows"),
        "{}",
        stdout(&text)
    );
}

#[test]
fn squared_mmd_is_estimated_where_pairs_are_across() {
    // So many rows that a first stage is no third of all pairs.
    let (folder, rows) = (Folder::new(), 20_000);
    folder.npy("x.npy", &noise(rows * D, 1), rows, D);
    folder.npy("y.npy", &noise(rows * D, 2), rows, D);
    let line = ["x.npy", "y.npy", "--across", "--t", "2"];
    let exact = folder.json(&[&line[..], &["--max-memory", "1G"]].concat());
    let found = folder.json(&[&line[..], &["--tolerance", "2e-2", "--estimate-only"]].concat());
    assert_eq!(found["sweep"][0]["squared_mmd"], estimated(&found, "squared_mmd")["value"]);
    let found = estimated(&found, "squared_mmd");
    let (value, of) = (exact["sweep"][0]["squared_mmd"].as_f64().unwrap(), &found["estimate"]);
    assert_eq!(of["method"], "norm-weighted blocks", "{found}");
    assert!(
        of["low"].as_f64().unwrap() <= value && value <= of["high"].as_f64().unwrap(),
        "{found} and {value}"
    );
    let table = folder.eval(&[&line[..], &["--tolerance", "2e-2"]].concat());
    assert!(stdout(&table).contains("squared MMD       t = 2"), "{}", stdout(&table));
}

#[test]
fn the_contrastive_loss_is_estimated_by_candidates() {
    let folder = folder();
    let line = ["x.npy", "y.npy", "--tau", "0.5", "--candidates", "one-way"];
    let exact = folder.json(&[&line[..], &["--max-memory", "1G"]].concat());
    let exact = exact["contrastive"][0]["loss"].as_f64().unwrap();
    let with = |more: &[&'static str]| [&line[..], more].concat();
    let estimate = ["--tolerance", "2e-2", "--confidence", "0.999", "--seed", "5", "--estimate-only"];
    let found = folder.json(&with(&estimate));
    let loss = estimated(&found, "contrastive");
    let of = &loss["estimate"];
    let number = |key: &str| of[key].as_f64().unwrap();
    assert!(number("low") <= exact && exact <= number("high"), "{exact} and {loss}");
    assert!(number("high") - number("low") <= 4e-2 && number("share") < 0.3, "{loss}");
    assert_eq!((&of["method"], &of["proven"]), (&"multilevel candidates".into(), &false.into()));
    assert_eq!((&of["seed"], &of["reached"]), (&5.into(), &true.into()));
    assert_eq!(found["estimates"], folder.json(&with(&estimate))["estimates"]);
    let text = folder.eval(&with(&estimate));
    for words in ["contrastive loss", "tau = 0.5", "simulated, not proven", "one-way candidates"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    // All candidates, or what is reached without.
    let found = folder.json(&with(&["--tolerance", "1e-6"]));
    let loss = estimated(&found, "contrastive");
    assert_eq!(loss["estimate"]["method"], "exact");
    assert!((loss["value"].as_f64().unwrap() - exact).abs() < 1e-6);
    let short = folder.eval(&with(&["--t", "0.1", "--tolerance", "1e-4", "--estimate-only"]));
    assert_refused(&short, 3, &["contrastive loss at tau = 0.5", "1.00e-4"]);
}

#[test]
fn estimates_need_not_hold_all_points() {
    let folder = Folder::new();
    let n = 24_000;
    folder.npy("x.npy", &noise(n * 2, 5), n, 2);
    let exact = values(&folder.json(&["x.npy", "--max-memory", "1G"]))[0];
    for memory in ["400K", "1M", "1G"] {
        let report =
            folder.json(&["x.npy", "--tolerance", "2e-2", "--estimate-only", "--max-memory", memory]);
        let found = estimate(&report);
        let [low, high] = ["low", "high"].map(|end| found[end].as_f64().unwrap());
        assert!(low <= exact && exact <= high && found["share"].as_f64() < Some(0.5), "{report}");
    }
}

#[test]
fn rounds_are_marked_as_simulated() {
    let folder = Folder::new();
    let n = 24_000;
    folder.npy("x.npy", &noise(n * 2, 5), n, 2);
    let exact = values(&folder.json(&["x.npy", "--max-memory", "1G"]))[0];
    let line = ["x.npy", "--tolerance", "2e-3", "--draw", "rounds", "--seed", "2"];
    let report = folder.json(&line);
    let found = estimate(&report);
    let number = |key: &str| found[key].as_f64().unwrap();
    assert!(number("low") <= exact && exact <= number("high"), "{exact} and {report}");
    assert_eq!((&found["method"], &found["proven"]), (&"tournament rounds".into(), &false.into()));
    assert_eq!((&found["reached"], &found["seed"]), (&true.into(), &2.into()));
    assert!(number("share") < 0.1, "{report}");
    let text = folder.eval(&line);
    for words in ["simulated, not proven", "panels of 64 rows"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    assert!(!stdout(&text).contains("proven for any data"), "{}", stdout(&text));
    let short = folder.eval(&["x.npy", "--tolerance", "1e-7", "--draw", "rounds", "--estimate-only"]);
    assert_refused(&short, 3, &["--estimate-only", "1.00e-7"]);
}

#[test]
fn an_estimate_that_falls_short_is_printed_and_fails() {
    let folder = Folder::new();
    // So many rows that a first stage is a small part of the pairs, and so few dimensions that it is fast.
    let n = 24_000;
    folder.npy("x.npy", &noise(n * 2, 5), n, 2);
    let output = folder.eval(&["x.npy", "--tolerance", "1e-7", "--estimate-only", "--json"]);
    assert_refused(&output, 3, &["--estimate-only", "1.00e-7"]);
    let report: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(estimate(&report)["reached"], false);
    assert_eq!(estimate(&report)["method"], "norm-weighted blocks");
}

#[test]
fn what_an_estimate_misses_is_computed_from_all_pairs_with_a_journal() {
    let (folder, n, d) = (Folder::new(), 30_000, 24);
    folder.npy("x.npy", &noise(n * d, 5), n, d);
    folder.npy("y.npy", &noise(n * d, 6), n, d);
    // Memory is counted for each thread, and what a run will take is said where it is slow.
    let eval = |arguments: &[&str]| {
        let line = [&["eval", "--device", "cpu", "--json"], arguments].concat();
        program().args(line).env("RAYON_NUM_THREADS", "2").current_dir(folder.path()).output().unwrap()
    };
    let report = |output: &Output| {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
        serde_json::from_str::<Value>(stdout(output)).unwrap()
    };
    let line = ["x.npy", "y.npy", "--across", "--tau", "0.5", "--candidates", "one-way"];
    let exact = report(&eval(&[&line[..], &["--max-memory", "1G"]].concat()));
    // Points take 9.2 MiB.
    let more = ["--tolerance", "1e-7", "--max-memory", "8800K", "--journal", "run.journal"];
    let run = || {
        let output = eval(&[&line[..], &more].concat());
        let told = "no estimate promises uniformity of x at t = 2 and 4 more: all pairs are computed\n";
        assert!(stderr(&output).starts_with(told), "{}", stderr(&output));
        report(&output)
    };
    let found = run();
    assert_eq!(values(&found), values(&exact));
    for of in found["estimates"].as_array().unwrap() {
        let of = &of["estimate"];
        assert_eq!((&of["method"], &of["reached"]), (&"exact".into(), &true.into()));
    }
    assert_eq!(estimated(&found, "squared_mmd")["value"], exact["sweep"][0]["squared_mmd"]);
    assert_eq!(estimated(&found, "contrastive")["value"], exact["contrastive"][0]["loss"]);
    // The run goes on from its journal.
    assert_eq!(run()["estimates"], found["estimates"]);
    // What is no journal is refused before the work.
    fs::write(folder.path().join("notes.txt"), [7; 4096]).unwrap();
    let notes = ["--tolerance", "1e-2", "--journal", "notes.txt"];
    assert_refused(&eval(&[&line[..], &notes].concat()), 3, &["notes.txt: not a journal; name another file"]);
    // The journal of another run is found when all pairs begin. The estimates are told all the same.
    let other = [&["y.npy", "x.npy"][..], &line[2..], &more].concat();
    let output = eval(&other);
    assert!(
        output.status.code() == Some(3) && stderr(&output).contains("run.journal"),
        "{}",
        stderr(&output)
    );
    let short: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(estimated(&short, "uniformity")["estimate"]["reached"], false);
    assert_refused(
        &folder.eval(&[&line[..], &["--tolerance", "1e-2", "--journal", "y.npy"]].concat()),
        2,
        &["y.npy is one of the inputs"],
    );
    // Memory that holds the points, and does not do for pieces, does for all pairs too.
    let held = ["--tolerance", "1e-7", "--max-memory", "5M"];
    let held = report(&eval(&[&["x.npy"][..], &held].concat()));
    assert_eq!(estimate(&held)["method"], "exact");
    // Of what a sample promises there is no run over all pairs.
    let wide = ["--tolerance", "3e-2", "--max-memory", "8M", "--journal", "none.journal"];
    let wide = folder.json(&[&["x.npy", "--t", "0.1"][..], &wide].concat());
    assert_eq!(estimate(&wide)["method"], "norm-weighted blocks");
    assert!(!folder.path().join("none.journal").exists());
}

#[test]
fn options_that_need_all_points_are_refused_with_a_cure() {
    let folder = folder();
    for (line, name) in [
        (&["x.npy", "--max-memory", "1G", "--estimator", "v"][..], "--estimator v"),
        (&["x.npy", "--tolerance", "1e-3", "--tau", "0.1"], "name their partners as Y"),
        (&["x.npy", "y.npy", "--tolerance", "1e-1", "--tau", "0.1", "--max-memory", "1M"], "MiB"),
        (&["part_*.npy", "--weights", "w.npy"], "--weights"),
        (&["x.npy", "--max-memory", "1G", "--labels", "l.npy", "--across-groups"], "--across-groups"),
        (&["x.npy", "--tolerance", "1e-3", "--labels", "l.npy"], "--labels"),
        (&["x.npy", "--tolerance", "1e-3", "--estimate-only", "--journal", "j"], "--journal"),
        (&["x.npy", "--max-memory", "1G", "--tau", "0.1"], "name their partners as Y"),
        (&["x.npy", "y.npy", "--max-memory", "1G", "--candidates", "views"], "--tau"),
        (&["x.npy", "--seed", "1"], "--tolerance"),
        (&["x.npy", "--draw", "rounds"], "--tolerance"),
        (&["x.npy", "y.npy", "--tolerance", "1e-3", "--draw", "rounds", "--across"], "--across"),
        (&["x.npy", "--tolerance", "1e-3", "--draw", "rounds", "--max-memory", "100K"], "blocks"),
        (&["x.npy", "--across"], "name Y too"),
        (&["x.npy", "--max-memory", "lots"], "4G"),
        (&["x.npy", "--max-memory", "1M"], "MiB are the least"),
    ] {
        assert_refused(&folder.eval(line), 2, &[name]);
    }
}

#[test]
fn a_killed_run_goes_on_from_its_journal() {
    let folder = Folder::new();
    let n = 60_000;
    folder.npy("x.npy", &noise(n * 12, 1), n, 12);
    // Of 4,096 rows. Each has a record when it is read, ahead of its blocks.
    const PANELS: u64 = 15;
    let line =
        ["eval", "--device", "cpu", "x.npy", "--max-memory", "16M", "--journal", "run.journal", "--json"];
    // A busy machine is told how long it takes, on stderr.
    let report =
        |line: &[&str]| serde_json::from_slice::<Value>(&run(&folder, line).stdout).unwrap_or_default();
    let wanted = report(&["eval", "--device", "cpu", "x.npy", "--max-memory", "1G", "--json"]);
    let journal = folder.path().join("run.journal");
    let length = || fs::metadata(&journal).map_or(0, |metadata| metadata.len());
    for kill in 0..3 {
        // Killed as soon as it has finished more than the run before.
        let before = length().max(HEADER_OF_JOURNAL + PANELS * RECORD_OF_JOURNAL);
        let mut child = start(&folder, &line);
        while length() <= before + RECORD_OF_JOURNAL {
            assert!(child.try_wait().unwrap().is_none(), "run {kill} ended before it was killed");
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "run {kill} ended before it was killed");
    }
    let first = report(&line);
    assert!(wanted["uniformity"]["x"].is_number());
    assert_eq!(first["uniformity"], wanted["uniformity"]);
    assert!(first["work"]["blocks_recovered"].as_u64() >= Some(3), "{first}");
    // Finished, it is a report at once.
    let again = report(&line);
    assert_eq!(
        (&again["uniformity"], &again["work"]["pairs_computed"]),
        (&wanted["uniformity"], &Value::from(0))
    );
    // Another set is not this journal's.
    let other = folder.eval(&["x.npy", "--t", "1", "--journal", "run.journal"]);
    assert_refused(&other, 3, &["run.journal", "another run"]);
}

fn start(folder: &Folder, arguments: &[&str]) -> std::process::Child {
    let mut command: Command = program();
    command.args(arguments).current_dir(folder.path());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn parts_merge_to_the_bits_of_one_process() {
    let folder = folder();
    let wanted = folder.json(&["x.npy", "y.npy", "--max-memory", "1G", "--across"]);
    let plan = run(&folder, &["plan", "x.npy", "y.npy", "--parts", "3", "--across"]);
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    let part = |number: &str, variable: Option<(&str, &str)>| {
        let mut command = program();
        command.envs(variable).current_dir(folder.path());
        command.args(["part", "run.plan", number, "--out", "parts", "--device", "cpu"]).output().unwrap()
    };
    assert_eq!(part("2", None).status.code(), Some(0));
    assert_refused(&run(&folder, &["merge", "run.plan", "parts"]), 3, &["2 of 3", "1, 3"]);
    assert_eq!(part("auto", Some(("JOB_COMPLETION_INDEX", "0"))).status.code(), Some(0));
    assert_eq!(part("auto", Some(("SLURM_ARRAY_TASK_ID", "3"))).status.code(), Some(0));
    assert_refused(&part("auto", None), 2, &["SLURM_ARRAY_TASK_ID"]);
    assert_refused(&part("4", None), 2, &["from 1 to 3"]);
    let merged = object(&run(&folder, &["merge", "run.plan", "parts", "--json"]));
    assert_same(&merged, &wanted);
    assert!(stdout(&run(&folder, &["merge", "run.plan", "parts"])).contains("from 3 parts"));
    // Other points of the same shape, in the same folder: neither a part nor a merge takes the first ones' for theirs.
    folder.npy("x.npy", &noise(N * D, 77), N, D);
    assert_refused(&part("1", None), 3, &["x.npy", "other points", "make a new plan"]);
    let plan = run(&folder, &["plan", "x.npy", "y.npy", "--parts", "3", "--across"]);
    fs::write(folder.path().join("other.plan"), &plan.stdout).unwrap();
    assert_refused(&run(&folder, &["merge", "other.plan", "parts"]), 3, &["part-1-of-3", "other points"]);
    assert_refused(&run(&folder, &["plan", "x.npy", "--parts", "9999"]), 2, &["at most"]);
    // A file that is not the plan's any more.
    folder.npy("x.npy", &noise(30 * D, 1), 30, D);
    assert_refused(&part("1", None), 3, &["30", "9001"]);
    fs::write(folder.path().join("run.plan"), "{}").unwrap();
    assert_refused(&part("1", None), 3, &["run.plan", "unisphere plan"]);
}

#[test]
fn every_output_follows_the_schema() {
    let folder = folder();
    let labels: Vec<u8> = (0..N).map(|row| u8::from(row > 0) + (row % 7) as u8).collect();
    folder.column("labels.npy", "|u1", &labels);
    folder.write("codes.npy", "|u1", "(50, 6)", &(0..=255).chain(0..44).collect::<Vec<u8>>());
    let schema = schema();
    let plan = run(&folder, &["plan", "x.npy", "--parts", "1", "--raw"]);
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    run(&folder, &["part", "run.plan", "1", "--out", "parts", "--device", "cpu"]);
    let mut reports = vec![object(&run(&folder, &["merge", "run.plan", "parts", "--json"]))];
    reports.push(object(&run(&folder, &["eval", "x.npy", "--devices", "cpu,cpu", "--json"])));
    for line in [
        &["x.npy", "y.npy", "--max-memory", "1G", "--journal", "j"][..],
        &["x.npy", "y.npy", "--max-memory", "1G", "--across", "--tau", "0.5,0.07"],
        &["x.npy", "y.npy", "--max-memory", "1G", "--top", "3", "--rows", "rows.npy"],
        &["x.npy", "y.npy", "--max-memory", "1G", "--full"],
        &["x.npy", "y.npy", "--max-memory", "1G", "--labels", "labels.npy"],
        &["x.npy", "--max-memory", "1G", "--full", "--raw"],
        &["x.npy", "--tolerance", "auto", "--t", "2,1"],
        &["x.npy", "--tolerance", "1e-3", "--raw"],
        &["x.npy", "--tolerance", "1e-3", "--draw", "rounds"],
        &["x.npy", "y.npy", "--tolerance", "1e-3", "--across"],
        &["x.npy", "y.npy", "--tolerance", "3e-2", "--tau", "0.5,0.1", "--candidates", "one-way"],
        &["codes.npy", "--max-memory", "1G", "--quant-scale", "0.1", "--quant-zero", "128"],
        &["part_*.npy"],
    ] {
        reports.push(folder.json(line));
    }
    for report in &reports {
        follows(&schema, report);
    }
    for key in KEYS_OF_LARGE_SETS {
        assert!(reports.iter().any(|report| !report[key].is_null()), "{key}");
    }
}

#[test]
fn pipes_are_read_whole_where_they_fit() {
    let folder = folder();
    let wanted = folder.json(&["x.npy", "--max-memory", "1G"]);
    let of_pipe = |arguments: &[&str]| {
        let mut command = program();
        command.args(["eval", "/dev/stdin", "--device", "cpu", "--json"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.current_dir(folder.path()).spawn().unwrap();
        let bytes = fs::read(folder.path().join("x.npy")).unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // What is refused is not read to its end.
        let writer = thread::spawn(move || drop(pipe.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    };
    assert_eq!(object(&of_pipe(&["--max-memory", "1G"]))["uniformity"], wanted["uniformity"]);
    let report = object(&of_pipe(&[]));
    let value = wanted["uniformity"]["x"].as_f64().unwrap();
    assert!((report["uniformity"]["x"].as_f64().unwrap() - value).abs() < 1e-8, "{report}");
    assert_refused(&of_pipe(&["--max-memory", "100K"]), 3, &["/dev/stdin", "102400"]);
}

#[cfg(unix)]
#[test]
fn a_plan_takes_no_pipe() {
    let folder = folder();
    let fifo = folder.path().join("fifo.npy");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_refused(&run(&folder, &["plan", "fifo.npy", "--parts", "2"]), 3, &["fifo.npy", "regular file"]);
}

#[test]
fn an_estimate_of_half_precision_refuses_what_is_not_finite() {
    let folder = Folder::new();
    let one = 0x3c00u16;
    for (bits, what) in [(0x7e00u16, "NaN"), (0x7c00, "infinity"), (0xfc00, "less infinity")] {
        let mut values: Vec<u16> = (0..3000 * 8).map(|i| one + (i * 7919 % 997) as u16).collect();
        values[17 * 8 + 3] = bits;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        folder.write("x.npy", "<f2", "(3000, 8)", &bytes);
        for more in [&["--tolerance", "0.01"][..], &["--tolerance", "0.01", "--raw"], &[]] {
            let output = folder.eval(&[&["x.npy"], more].concat());
            assert_eq!(output.status.code(), Some(3), "{what}, {more:?}");
            refused(&output, 3, &["x.npy", "row 17", "dimension 3"]);
        }
    }
}
