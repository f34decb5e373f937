//! What a report has besides, of points that are read in pieces: the numbers of the report in memory, whatever the memory and the parts.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};

use crate::support::{Folder, noise, object, program, stderr, stdout};

const N: usize = 9001;
const D: usize = 6;

fn folder() -> Folder {
    let folder = Folder::new();
    // With a row that comes three times.
    let mut x = noise(N * D, 1);
    [5, 8000].iter().for_each(|row| x.copy_within(3 * D..4 * D, row * D));
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &noise(N * D, 2), N, D);
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    program().args(arguments).current_dir(folder.path()).output().unwrap()
}

fn refused(output: &Output, words: &[&str]) {
    assert_eq!(output.status.code(), Some(2), "{}", stderr(output));
    words.iter().for_each(|word| assert!(stderr(output).contains(word), "{word}: {}", stderr(output)));
}

/// That two objects are the same, but for numbers that differ by rounding.
#[track_caller]
fn near(found: &Value, wanted: &Value, tolerance: f64) {
    match (found, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{a:?} and {b:?}");
            a.values().zip(b.values()).for_each(|(a, b)| near(a, b, tolerance));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| near(a, b, tolerance));
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() < tolerance * b.abs().max(1.0), "{a} and {b}");
        }
        (a, b) => assert_eq!(a, b),
    }
}

/// The values of a table of rows, behind its header of 128 bytes.
fn table(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    bytes[128..].as_chunks().0.iter().map(|&value| f64::from_le_bytes(value)).collect()
}

#[test]
fn rows_are_those_of_the_report_in_pieces_and_in_parts() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let of_report = folder.json(&["x.npy", "y.npy", "--top", "7", "--rows", "report.npy"]);
    let much = folder.json(&["x.npy", "y.npy", "--top", "7", "--rows", "much.npy", "--max-memory", "1G"]);
    near(&much["offenders"], &of_report["offenders"], 1e-6);
    near(&much["rows_file"]["columns"], &of_report["rows_file"]["columns"], 0.0);
    for (found, wanted) in table(&path("much.npy")).iter().zip(table(&path("report.npy"))) {
        assert!((found - wanted).abs() < 1e-6, "{found} and {wanted}");
    }
    assert_eq!(table(&path("much.npy")).len(), 4 * N);
    for key in ["standard_error", "low", "high"] {
        near(&much["alignment"][key], &of_report["alignment"][key], 1e-9);
        near(&much["uniformity"]["of_x"][key], &of_report["uniformity"]["of_x"][key], 1e-7);
        near(&much["uniformity"]["of_y"][key], &of_report["uniformity"]["of_y"][key], 1e-7);
    }
    let little = ["x.npy", "y.npy", "--rows", "little.npy", "--max-memory", "8M"];
    let little = folder.json(&little);
    assert_eq!(little["uniformity"], much["uniformity"]);
    assert!(fs::read(path("little.npy")).unwrap() == fs::read(path("much.npy")).unwrap());
    let text = folder.eval(&["x.npy", "y.npy", "--top", "3", "--rows", "rows.npy", "--max-memory", "1G"]);
    for words in ["error of rows", "crowded in y", "pairs apart", "rows.npy holds 9,001 rows of f64"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    assert!(!stdout(&text).contains("Rows of weight 0"), "{}", stdout(&text));
    let plan = run(&folder, &["plan", "x.npy", "y.npy", "--parts", "3", "--potentials"]);
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(path("run.plan"), &plan.stdout).unwrap();
    for part in ["1", "2", "3"] {
        let part = run(&folder, &["part", "run.plan", part, "--out", "parts", "--device", "cpu"]);
        assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    }
    let merge = ["merge", "run.plan", "parts", "--json", "--top", "7", "--rows", "merged.npy"];
    let beside = ["--html", "merged.html", "--csv", "merged.csv"];
    let merged = object(&run(&folder, &[&merge[..], &beside].concat()));
    assert_eq!((&merged["offenders"], &merged["uniformity"]), (&much["offenders"], &much["uniformity"]));
    assert!(fs::read(path("merged.npy")).unwrap() == fs::read(path("much.npy")).unwrap());
    // The page and the line have the same numbers, and no time.
    let page = fs::read_to_string(path("merged.html")).unwrap();
    let value = merged["uniformity"]["y"].to_string();
    assert!(page.contains(&format!("value=\"{value}\"")) && page.contains("Most crowded rows"), "{value}");
    assert!(page.contains("cpu: ") && !page.contains("NaN") && !page.contains("reading included"));
    let log = fs::read_to_string(path("merged.csv")).unwrap();
    assert!(log.contains(&format!(",{value},")) && log.ends_with(",\n"), "{log}");
    let markdown = run(&folder, &["merge", "run.plan", "parts", "--markdown"]);
    let told = stdout(&markdown);
    assert!(told.contains("| device | cpu, ") && told.contains("| uniformity of y | t = 2 |"), "{told}");
    assert!(!told.contains("NaN"), "{told}");
    refused(
        &run(&folder, &["merge", "run.plan", "parts", "--html", "run.plan"]),
        &["run.plan is one of the inputs"],
    );
}

#[test]
fn a_full_report_in_pieces_has_the_numbers_of_the_one_in_memory() {
    let folder = folder();
    let of_report = folder.json(&["x.npy", "y.npy", "--full"]);
    let much = folder.json(&["x.npy", "y.npy", "--full", "--max-memory", "1G"]);
    near(&much["spectrum"], &of_report["spectrum"], 1e-9);
    near(&much["significance"], &of_report["significance"], 1e-3);
    near(&much["offenders"], &of_report["offenders"], 1e-6);
    assert_eq!(much["histograms"]["distances"], of_report["histograms"]["distances"]);
    let close = |report: &Value, set: &str| report["duplicates"][set]["close_pairs"].clone();
    let counts = |report: &Value, set: &str| report["histograms"]["cosines"][set]["counts"].clone();
    assert_eq!(much["duplicates"]["x"]["equal"], json!([[3, 5, 8000]]));
    for set in ["x", "y"] {
        for key in ["equal_rows", "groups", "equal"] {
            assert_eq!(much["duplicates"][set][key], of_report["duplicates"][set][key], "{set}, {key}");
        }
        assert!(close(&much, set).as_u64() > Some(0));
        assert_eq!(close(&much, set), close(&of_report, set));
        // Of 40 million cosines, few lie within rounding of the end of a part.
        let [found, wanted] = [&much, &of_report].map(|report| counts(report, set));
        for (found, wanted) in found.as_array().unwrap().iter().zip(wanted.as_array().unwrap()) {
            let (found, wanted) = (found.as_u64().unwrap(), wanted.as_u64().unwrap());
            assert!(found.abs_diff(wanted) <= 200, "{found} and {wanted}");
        }
    }
    let by_t = |report: &Value| {
        let mut rows = report["sweep"].as_array().unwrap().clone();
        rows.sort_by(|a, b| a["t"].as_f64().unwrap().total_cmp(&b["t"].as_f64().unwrap()));
        Value::from(rows)
    };
    near(&by_t(&much), &by_t(&of_report), 1e-7);
    near(&much["contrastive"][0]["loss"], &of_report["contrastive"][0]["loss"], 1e-6);
    // Little memory, as far as numbers can tell.
    let little = folder.json(&["x.npy", "y.npy", "--full", "--max-memory", "24M"]);
    for key in ["uniformity", "sweep", "contrastive", "spectrum", "histograms", "duplicates", "offenders"] {
        assert_eq!(little[key], much[key], "{key}");
    }
    let text = folder.eval(&["x.npy", "--full", "--raw", "--max-memory", "1G"]);
    for words in ["effective rank", "cosines within x: raw points have no cosines", "pairs within 0.1"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    let plan = run(&folder, &["plan", "x.npy", "y.npy", "--parts", "2", "--cosines", "--near", "0.1"]);
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    for part in ["1", "2"] {
        let part = run(&folder, &["part", "run.plan", part, "--out", "parts", "--device", "cpu"]);
        assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    }
    let merged = object(&run(&folder, &["merge", "run.plan", "parts", "--json"]));
    assert_eq!(merged["histograms"]["cosines"], much["histograms"]["cosines"]);
    for set in ["x", "y"] {
        assert_eq!(close(&merged, set), close(&much, set));
        assert!(merged["absent"][format!("/duplicates/{set}/equal_rows")].is_string());
    }
}

#[test]
fn groups_in_pieces_are_those_of_the_report_in_memory() {
    let folder = folder();
    // A group of some 7,000 rows, which is larger than a panel, 19 small ones, and one of a single row.
    let label = |row: usize| match row {
        77 => 200,
        row if row % 9 < 7 => 100,
        row => (row % 19) as u8,
    };
    folder.column("labels.npy", "|u1", &(0..N).map(label).collect::<Vec<_>>());
    let line = |more: &[&str]| folder.json(&[&["x.npy", "y.npy", "--labels", "labels.npy"], more].concat());
    let of_report = line(&[]);
    let much = line(&["--max-memory", "1G"]);
    near(&much["groups"], &of_report["groups"], 1e-7);
    assert_eq!(much["files"], of_report["files"]);
    assert_eq!(much["groups"]["sizes"].as_array().unwrap().len(), 21);
    assert!(much["groups"]["sizes"].as_array().unwrap().contains(&Value::from(1)));
    // A group of one row has no pairs, and says so.
    for set in ["x", "y"] {
        let reason = format!("/groups/within/{set}/20");
        assert_eq!(much["absent"][&reason], of_report["absent"][&reason]);
        assert!(much["absent"][&reason].is_string());
    }
    assert_eq!(line(&["--max-memory", "12M"])["groups"], much["groups"]);
    let text = folder.eval(&["x.npy", "--labels", "labels.npy", "--max-memory", "1G", "--alpha", "1"]);
    for words in ["within x", "no alignment by label: read in pieces", "Within groups: the U-statistic"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    // A run that keeps a journal goes on from it, and parts of a plan make the same.
    let kept = ["--max-memory", "1G", "--journal", "run.journal"];
    assert_eq!(line(&kept)["groups"], much["groups"]);
    let again = line(&kept);
    assert_eq!((&again["groups"], &again["work"]["pairs_computed"]), (&much["groups"], &json!(0)), "{again}");
    let plan = ["plan", "x.npy", "y.npy", "--parts", "3", "--labels"];
    let none = run(&folder, &[&plan[..], &["none.npy"]].concat());
    assert!(none.status.code() == Some(3) && stderr(&none).contains("none.npy"), "{}", stderr(&none));
    let plan = run(&folder, &[&plan[..], &["labels.npy"]].concat());
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    for part in ["3", "1", "2"] {
        let part = run(&folder, &["part", "run.plan", part, "--out", "parts", "--device", "cpu"]);
        assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    }
    let merged = run(&folder, &["merge", "run.plan", "parts", "--json"]);
    assert_eq!(object(&merged)["groups"], much["groups"]);
    folder.column("few.npy", "|u1", &[1, 2, 3]);
    let few = folder.eval(&["x.npy", "--labels", "few.npy", "--max-memory", "1G"]);
    assert_eq!(few.status.code(), Some(3), "{}", stderr(&few));
    assert!(stderr(&few).contains("few.npy holds 3 labels, and x.npy has 9,001 rows"), "{}", stderr(&few));
    // Labels that have changed since the plan are refused by parts and merge.
    folder.column("labels.npy", "|u1", &(0..N).map(|row| label(N - 1 - row)).collect::<Vec<_>>());
    for line in [&["part", "run.plan", "1", "--out", "parts"][..], &["merge", "run.plan", "parts"]] {
        let changed = run(&folder, line);
        assert_eq!(changed.status.code(), Some(3), "{}", stderr(&changed));
        assert!(stderr(&changed).contains("labels.npy has other labels"), "{}", stderr(&changed));
    }
}

/// Labels may be a column of the points' own file, in a plan as in eval: it is no dimension.
#[test]
fn a_plan_takes_labels_of_the_points_own_file() {
    let folder = folder();
    let row = |i: usize| format!("{}.5,{}.25,{}.125,{}\n", i % 7, i % 11, i % 5, i % 2);
    let rows: String = (0..60).map(row).collect();
    fs::write(folder.path().join("points.csv"), format!("u,v,w,label\n{rows}")).unwrap();
    let line = ["points.csv", "--labels-column", "label"];
    let whole = folder.json(&[&line[..], &["--journal", "run.journal"]].concat());
    assert_eq!((&whole["dims"], &whole["groups"]["labels"]), (&json!(3), &json!([0, 1])), "{whole}");
    let plan = run(&folder, &[&["plan", "--parts", "1"], &line[..]].concat());
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    let part = run(&folder, &["part", "run.plan", "1", "--out", "parts", "--device", "cpu"]);
    assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    let merged = object(&run(&folder, &["merge", "run.plan", "parts", "--json"]));
    assert_eq!((&merged["dims"], &merged["groups"]), (&whole["dims"], &whole["groups"]));
    let told = merged["files"]["labels"].as_str().expect("the file of the labels");
    assert!(told.ends_with("points.csv, label"), "{told}");
}

/// The points of a plan are told from others before anything is computed.
#[test]
fn a_part_of_other_points_than_the_plans_is_refused() {
    let folder = folder();
    let plan = run(&folder, &["plan", "x.npy", "--parts", "2"]);
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    fs::copy(folder.path().join("y.npy"), folder.path().join("x.npy")).unwrap();
    let part = run(&folder, &["part", "run.plan", "1", "--out", "parts", "--device", "cpu"]);
    assert_eq!(part.status.code(), Some(3), "{}", stderr(&part));
    assert!(stderr(&part).contains("make a new plan"), "{}", stderr(&part));
    assert!(!folder.path().join("parts").exists());
}

#[test]
fn rows_that_cannot_be_told_are_refused_with_a_cure() {
    let folder = folder();
    let eval = |line: &[&str]| folder.eval(line);
    refused(&eval(&["x.npy", "--tolerance", "1e-3", "--top", "3"]), &["--top", "--max-memory"]);
    refused(&eval(&["x.npy", "--tolerance", "1e-3", "--full"]), &["--full", "--max-memory"]);
    refused(&eval(&["x.npy", "--max-memory", "1G", "--rows", "x.npy"]), &["one of the inputs"]);
    refused(&eval(&["x.npy", "--max-memory", "1G", "--rows", "none/rows.npy"]), &["directory"]);
    let plan = run(&folder, &["plan", "x.npy", "--parts", "1"]);
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    refused(&run(&folder, &["merge", "run.plan", "parts", "--top", "3"]), &["run.plan", "--potentials"]);
}

#[test]
fn equal_rows_that_memory_has_no_room_for_are_told_with_the_reason() {
    let (folder, rows) = (Folder::new(), 150_000);
    folder.npy("x.npy", &noise(rows * 2, 1), rows, 2);
    let line = ["x.npy", "--near", "1e-5", "--max-memory", "11M"];
    let run = |more: &[&str]| folder.eval(&[&line[..], more].concat());
    let report: Value = serde_json::from_slice(&run(&["--json"]).stdout).unwrap();
    assert_eq!(report["duplicates"]["x"]["equal_rows"], Value::Null);
    assert!(report["absent"]["/duplicates/x/equal_rows"].as_str().unwrap().contains("80 bytes"));
    assert!(
        stdout(&run(&[])).contains("no equal rows: to compare rows takes 80 bytes"),
        "{}",
        stdout(&run(&[]))
    );
}
