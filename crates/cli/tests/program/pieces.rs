//! What a report has besides, of points that are read in pieces: the numbers of the report in memory, whatever the memory and the parts.

use std::{fs, path::Path, process::Output};

use serde_json::Value;

use crate::support::{Folder, noise, object, program, stderr, stdout};

const N: usize = 9001;
const D: usize = 6;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(N * D, 1), N, D);
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
        near(&much["uniformity"][0][key], &of_report["uniformity"]["of_x"][key], 1e-7);
        near(&much["uniformity"][1][key], &of_report["uniformity"]["of_y"][key], 1e-7);
    }
    let little = ["x.npy", "y.npy", "--rows", "little.npy", "--max-memory", "8M"];
    let little = folder.json(&little);
    assert_eq!(little["uniformity"], much["uniformity"]);
    assert!(fs::read(path("little.npy")).unwrap() == fs::read(path("much.npy")).unwrap());
    let text = folder.eval(&["x.npy", "y.npy", "--top", "3", "--rows", "rows.npy", "--max-memory", "1G"]);
    for words in ["error of rows", "crowded in y", "pairs apart", "rows.npy holds 9,001 rows of f64"] {
        assert!(stdout(&text).contains(words), "{words}: {}", stdout(&text));
    }
    let plan = run(&folder, &["plan", "x.npy", "y.npy", "--parts", "3", "--potentials"]);
    assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
    fs::write(path("run.plan"), &plan.stdout).unwrap();
    for part in ["1", "2", "3"] {
        let part = run(&folder, &["part", "run.plan", part, "--out", "parts", "--device", "cpu"]);
        assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    }
    let merge = ["merge", "run.plan", "parts", "--json", "--top", "7", "--rows", "merged.npy"];
    let merged = object(&run(&folder, &merge));
    assert_eq!((&merged["offenders"], &merged["uniformity"]), (&much["offenders"], &much["uniformity"]));
    assert!(fs::read(path("merged.npy")).unwrap() == fs::read(path("much.npy")).unwrap());
}

#[test]
fn rows_that_cannot_be_told_are_refused_with_a_cure() {
    let folder = folder();
    let eval = |line: &[&str]| folder.eval(line);
    refused(&eval(&["x.npy", "--tolerance", "1e-3", "--top", "3"]), &["--top", "--max-memory"]);
    refused(&eval(&["x.npy", "--max-memory", "1G", "--rows", "x.npy"]), &["one of the inputs"]);
    refused(&eval(&["x.npy", "--max-memory", "1G", "--rows", "none/rows.npy"]), &["directory"]);
    let plan = run(&folder, &["plan", "x.npy", "--parts", "1"]);
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    refused(&run(&folder, &["merge", "run.plan", "parts", "--top", "3"]), &["run.plan", "--potentials"]);
}
