//! What other works compute by their own formulas, in PyTorch and f64: tests/data/protocols.py wrote the values.

use std::{collections::HashSet, fs, path::Path};

use serde_json::Value;

use crate::support::{Folder, near, object, program};

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The example data cut as the script cuts them, and the values.
fn made() -> (Folder, Value) {
    let text = fs::read_to_string(Path::new(REPOSITORY).join("tests/data/protocols.json")).unwrap();
    let made: Value = serde_json::from_str(&text).unwrap();
    let size = |key: &str| made[key].as_u64().unwrap() as usize;
    let (rows, queue) = (size("rows"), size("queue"));
    let folder = Folder::new();
    cut(&folder, "verses-kjv.npy", "x.npy", 0..rows);
    cut(&folder, "verses-web.npy", "y.npy", 0..rows);
    cut(&folder, "verses-web.npy", "queue.npy", rows..rows + queue);
    folder.column("counts.npy", "|i1", &(0..rows).map(|i| 1 + (i % 3) as u8).collect::<Vec<_>>());
    folder.column("scores.npy", "|u1", &(0..rows).map(|i| (i % 6) as u8).collect::<Vec<_>>());
    // 1 where the script has a score above 4.
    folder.column("scored.npy", "|b1", &(0..rows).map(|i| u8::from(i % 6 > 4)).collect::<Vec<_>>());
    (folder, made)
}

/// Some rows of an example, 384 values of f16 each.
fn cut(folder: &Folder, from: &str, to: &str, rows: std::ops::Range<usize>) {
    const WIDTH: usize = 2 * 384;
    let bytes = fs::read(Path::new(REPOSITORY).join("examples/data").join(from)).unwrap();
    let start = bytes.len() - 4096 * WIDTH;
    let values = &bytes[start + rows.start * WIDTH..start + rows.end * WIDTH];
    folder.write(to, "<f2", &format!("({}, 384)", rows.len()), values);
}

#[test]
fn their_numbers() {
    let (folder, made) = made();
    let lines: [(&str, &[&str], &str); 7] = [
        ("paper", &[], "paper"),
        ("moco", &["--queue", "queue.npy"], "moco"),
        ("simcse", &["--scores", "scores.npy"], "simcse"),
        ("simcse", &["--weights", "scored.npy"], "simcse"),
        ("directau", &[], "directau"),
        ("directau", &["--weights", "counts.npy"], "directau_by_frequency"),
        ("lightly", &[], "lightly"),
    ];
    let values: HashSet<_> = lines.iter().map(|(.., values)| *values).collect();
    assert_eq!(made["protocols"].as_object().unwrap().len(), values.len());
    for (name, more, values) in lines {
        let report = folder.json(&[&["x.npy", "y.npy", "--protocol", name], more].concat());
        let (found, expected) = (&report["protocol"], &made["protocols"][values]);
        assert_eq!(found["name"], name);
        for key in ["alignment", "uniformity", "loss"] {
            match expected[key].as_f64() {
                Some(value) => near(&found[key], value),
                None => assert_eq!((name, key, &found[key]), ("simcse", "loss", &Value::Null)),
            }
        }
        near(&report["alignment"]["value"], expected["alignment"].as_f64().unwrap());
    }
}

#[test]
fn contrastive_losses() {
    let (folder, made) = made();
    let cases = made["contrastive"].as_array().unwrap();
    assert_eq!(cases.len(), 18);
    for case in cases {
        let tau = case["tau"].to_string();
        let way = case["candidates"].as_str().unwrap();
        let mut line = vec!["x.npy", "y.npy", "--tau", &tau, "--candidates", way];
        if case["queue"] == true {
            line.extend(["--queue", "queue.npy"]);
        }
        let report = folder.json(&line);
        let found = &report["contrastive"][0];
        near(&found["loss"], case["loss"].as_f64().unwrap());
        let parts = ["alignment", "uniformity", "residual"].map(|key| found[key].as_f64().unwrap());
        near(&found["normalized"], parts.iter().sum());
        let m = found["negatives"].as_f64().unwrap();
        near(&found["loss"], found["normalized"].as_f64().unwrap() + m.ln());
    }
}

/// The values of the paper's own formula over the whole example (FACTS that this repository was begun with).
#[test]
fn the_whole_example() {
    let data = |name: &str| format!("{REPOSITORY}/examples/data/verses-{name}.npy");
    let line = ["eval", &data("kjv"), &data("web"), "--protocol", "paper", "--json", "--device", "cpu"];
    let report = object(&program().args(line).output().unwrap());
    near(&report["protocol"]["alignment"], 0.296_421_480_7);
    near(&report["uniformity"]["x"], -2.815_400_230_2);
    near(&report["uniformity"]["y"], -3.002_744_064_3);
    near(&report["protocol"]["loss"], 0.296_421_480_7 - (2.815_400_230_2 + 3.002_744_064_3) / 2.0);
}
