//! `eval --csv` and `eval --markdown`.

use std::{fs, thread};

use serde_json::Value;

use crate::support::{Folder, noise, refused, stderr, stdout};

const N: usize = 30;
/// A name that takes quotes in a cell, and has some where names may.
const Y: &str = if cfg!(windows) { "y, of x.npy" } else { "y, \"of x\".npy" };

fn folder() -> Folder {
    let folder = Folder::new();
    for (name, seed) in [("x.npy", 1), (Y, 2)] {
        folder.npy(name, &noise(N * 3, seed), N, 3);
    }
    folder
}

struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(folder: &Folder) -> Self {
        let mut reader = csv::Reader::from_path(folder.path().join("runs.csv")).unwrap();
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let columns = cells(reader.headers().unwrap());
        Self { columns, rows: reader.records().map(|record| cells(&record.unwrap())).collect() }
    }

    fn cell(&self, row: usize, column: &str) -> &str {
        &self.rows[row][self.columns.iter().position(|of| of == column).unwrap()]
    }
}

/// Every cell is what JSON has at its path, and an empty one is null there or not there.
#[test]
fn a_line_a_run_has_the_numbers_of_json() {
    let folder = folder();
    let lines: [&[&str]; 3] =
        [&["x.npy", Y, "--alpha", "1"], &["x.npy", "--raw"], &["x.npy", Y, "--protocol", "paper", "--full"]];
    let reports = lines.map(|line| folder.json(&[line, &["--csv", "runs.csv"]].concat()));
    let table = Table::read(&folder);
    assert_eq!(table.columns[..3], ["time", "files.x", "files.y"]);
    assert_eq!(table.rows.len(), 3);
    for (row, report) in reports.iter().enumerate() {
        let mut found = 0;
        for column in table.columns.iter().filter(|&column| column != "time") {
            let value = report.pointer(&format!("/{}", column.replace('.', "/")));
            let expected = match value {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(number) => number.to_string(),
            };
            found += usize::from(!expected.is_empty());
            assert_eq!(table.cell(row, column), expected, "{row}, {column}");
        }
        assert!(found > 15, "{row}: {found}");
        // 2026-11-29T08:15:00.000Z
        let time = table.cell(row, "time");
        assert!(time.len() == 24 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    }
    assert_eq!(table.cell(0, "files.y"), Y);
}

#[test]
fn a_file_of_other_columns_is_refused_before_the_work() {
    let folder = folder();
    let path = folder.path().join("runs.csv");
    for other in ["epoch,steps,score\n1,2,3\n", "\u{feff}a", "\n"] {
        fs::write(&path, other).unwrap();
        // A file that is not there would be told of first, if the header were not.
        refused(
            &folder.eval(&["x.npy", "--csv", "runs.csv"]),
            3,
            &["--csv runs.csv: its columns are", "time,files.x"],
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
    }
    fs::write(&path, "").unwrap();
    assert!(folder.eval(&["x.npy", "--csv", "runs.csv"]).status.success());
    // A line whose end an editor cut off, and lines that end as on Windows.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.trim_end().replace('\n', "\r\n")).unwrap();
    assert!(folder.eval(&["x.npy", "--csv", "runs.csv"]).status.success());
    assert_eq!(Table::read(&folder).rows.len(), 2);
}

#[test]
fn files_that_cannot_be_appended_to() {
    let folder = folder();
    refused(&folder.eval(&["x.npy", "--csv", "x.npy"]), 2, &["--csv x.npy", "inputs"]);
    for (option, file) in [("--rows", "runs.csv"), ("--html", "./runs.csv")] {
        let both = ["x.npy", "--csv", "runs.csv", option, file];
        refused(&folder.eval(&both), 2, &[option, "--csv both name runs.csv", "another name"]);
    }
    for name in ["rows.csv", "rows.PARQUET", "x.json", "rows.html"] {
        refused(&folder.eval(&["x.npy", "--rows", name]), 2, &["--rows", name, "end its name in .npy"]);
        assert!(!folder.path().join(name).exists());
    }
    refused(&folder.eval(&["x.npy", "--csv", "none/runs.csv"]), 2, &["--csv none/runs.csv", "directory"]);
    refused(&folder.eval(&["x.npy", "--csv", "."]), 2, &["--csv .", "directory"]);
    refused(&folder.eval(&["x.npy", "--csv", "-"]), 2, &["--csv -", "runs.csv"]);
    refused(&folder.eval(&["x.npy", "--csv", "x.npy", "--max-memory", "1G"]), 2, &["--csv x.npy", "inputs"]);
    let unpaired = ["x.npy", Y, "--unpaired", "--csv", "x.npy"];
    refused(&folder.eval(&unpaired), 2, &["--csv x.npy", "inputs"]);
    assert!(!folder.path().join("runs.csv").exists());
}

/// Eight programs at once write a header and eight whole lines.
#[test]
fn programs_append_at_once() {
    let folder = folder();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(folder.eval(&["x.npy", "--csv", "runs.csv"]).status.success()));
        }
    });
    let table = Table::read(&folder);
    assert_eq!(table.rows.len(), 8);
    let values: Vec<_> = (0..8).map(|row| table.cell(row, "uniformity.x")).collect();
    assert!(values.iter().all(|value| *value == values[0] && !value.is_empty()), "{values:?}");
}

#[test]
fn markdown_has_the_summary() {
    let folder = folder();
    for line in [
        &["x.npy"][..],
        &["x.npy", Y],
        &["x.npy", "x.npy", "--unpaired"],
        &["x.npy", "x.npy", "--views", "x.npy"],
    ] {
        let output = folder.eval(&[line, &["--markdown"]].concat());
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        let text = stdout(&output);
        let rows = |table: &str| table.lines().filter(|line| line.starts_with('|')).count();
        let tables = text.split("\n\n").filter(|part| part.contains("| :-- |") && rows(part) >= 3).count();
        assert!(tables >= 2, "{text}");
    }
    let output = folder.eval(&["x.npy", "--markdown"]);
    let value = folder.json(&["x.npy"])["uniformity"]["x"].as_f64().unwrap();
    assert!(stdout(&output).contains(&format!("| uniformity | t = 2 | {value:.6} |")), "{}", stdout(&output));
    refused(&folder.eval(&["x.npy", "--markdown", "--json"]), 2, &["--markdown", "--json"]);
    // Of points in pieces, too.
    let pieces = folder.eval(&["x.npy", "--markdown", "--max-memory", "1G"]);
    assert!(stdout(&pieces).contains(&format!("| uniformity | t = 2 | {value:.6} |")), "{}", stdout(&pieces));
}
