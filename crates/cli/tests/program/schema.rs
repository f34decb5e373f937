//! Every output against the schema that is in the repository.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{Folder, noise};

const N: usize = 23;

/// Keys that reports on sets of any size alone have.
pub(crate) const KEYS_OF_LARGE_SETS: [&str; 5] =
    ["file_counts", "devices", "device_class", "estimates", "work"];

pub(crate) fn schema() -> Validator {
    let text = include_str!("../../schema/eval.json");
    jsonschema::draft202012::new(&serde_json::from_str(text).unwrap()).unwrap()
}

fn folder() -> Folder {
    let folder = Folder::new();
    let mut x = noise(N * 3, 1);
    x.copy_within(0..3, 6);
    folder.npy("x.npy", &x, N, 3);
    folder.npy("y.npy", &noise(N * 3, 2), N, 3);
    folder.npy("queue.npy", &noise(9 * 3, 3), 9, 3);
    folder.npy("two.npy", &noise(6, 4), 2, 3);
    let mut zeros = noise(N * 3, 5);
    zeros[12..15].fill(0.0);
    folder.npy("zeros.npy", &zeros, N, 3);
    folder.column(
        "labels.npy",
        "<i8",
        &(0..N).flat_map(|i| (i as i64 / 11).to_le_bytes()).collect::<Vec<_>>(),
    );
    folder.column("different.npy", "<i8", &(0..N).flat_map(|i| (i as i64).to_le_bytes()).collect::<Vec<_>>());
    let pairs = (0..N).map(|i| format!("{{\"anchor\": [1, {i}], \"positive\": [{i}, 2]}}\n"));
    fs::write(folder.path().join("pairs.jsonl"), pairs.collect::<String>()).unwrap();
    let words = (0..N).map(|i| if i < 9 { "some\n" } else { "others\n" });
    fs::write(folder.path().join("words.txt"), words.collect::<String>()).unwrap();
    let far = (0..3 * N).flat_map(|i| (1e7 + (i * i % 17) as f64).to_le_bytes()).collect::<Vec<_>>();
    folder.write("far.npy", "<f8", &format!("({N}, 3)"), &far);
    folder.write("codes.npy", "|u1", "(3, 2)", &[0, 1, 2, 3, 4, 9]);
    folder.column("weights.npy", "<f8", &(0..N).flat_map(|i| (i as f64).to_le_bytes()).collect::<Vec<_>>());
    folder
}

/// Every kind of output.
const LINES: &[&[&str]] = &[
    &["x.npy"],
    &["x.npy", "y.npy"],
    &["x.npy", "y.npy", "--raw"],
    &["x.npy", "y.npy", "--estimator", "v"],
    &["two.npy"],
    &["two.npy", "two.npy", "--full"],
    &["x.npy", "--full"],
    &["x.npy", "--full", "--raw"],
    &["x.npy", "y.npy", "--full"],
    &["x.npy", "y.npy", "--full", "--estimator", "v"],
    &["x.npy", "y.npy", "--full", "--raw"],
    &["x.npy", "y.npy", "--full", "--weights", "weights.npy"],
    &["x.npy", "y.npy", "--full", "--queue", "queue.npy", "--candidates", "views"],
    &["x.npy", "y.npy", "--t", "1,3", "--tau", "0.1", "--candidates", "one-way"],
    &["x.npy", "y.npy", "--labels", "labels.npy", "--rows", "rows.npy"],
    &["x.npy", "--labels", "labels.npy", "--top", "2", "--near", "0.5"],
    &["x.npy", "y.npy", "--labels", "labels.npy", "--across-groups"],
    &["x.npy", "y.npy", "--sigmoid", "10,-10", "--sigmoid", "2.5,0"],
    &["x.npy", "--labels", "labels.npy", "--supcon", "0.1,0.5", "--alpha", "1"],
    &["x.npy", "y.npy", "--labels", "labels.npy", "--supcon", "0.1"],
    &["x.npy", "y.npy", "--retrieval", "--rows", "ranks.npy"],
    &["x.npy", "x.npy", "--retrieval"],
    &["x.npy", "--labels", "different.npy"],
    &["x.npy", "--labels", "words.txt"],
    &["x.npy", "--labels", "words.txt", "--text", "words.txt", "--html", "page.html"],
    &["x.npy", "zeros.npy", "--zero-rows", "skip", "--full"],
    &["x.npy", "y.npy", "--protocol", "paper"],
    &["x.npy", "y.npy", "--protocol", "moco", "--queue", "queue.npy"],
    &["x.npy", "y.npy", "--protocol", "simcse", "--weights", "weights.npy"],
    &["x.npy", "y.npy", "--protocol", "simcse", "--scores", "weights.npy"],
    &["x.npy", "y.npy", "--protocol", "directau", "--weights", "weights.npy", "--full"],
    &["x.npy", "y.npy", "--protocol", "lightly"],
    &["x.npy", "y.npy", "--scores", "weights.npy"],
    &["x.npy", "x.npy", "--scores", "weights.npy", "--raw"],
    &["x.npy", "y.npy", "--scores", "weights.npy", "--min-score", "4", "--full"],
    &["pairs.jsonl", "--columns", "anchor,positive"],
    &["codes.npy", "--quant-scale", "0.5", "--quant-zero", "4"],
    &["far.npy", "--raw", "--full"],
];

#[test]
fn every_output_follows_it() {
    let (schema, folder) = (schema(), folder());
    let mut seen = Vec::new();
    for line in LINES {
        let report = folder.json(line);
        follows(&schema, &report);
        seen.extend(report.as_object().unwrap().keys().cloned());
    }
    // The lines above leave no key of the schema out.
    let keys: Value = serde_json::from_str(include_str!("../../schema/eval.json")).unwrap();
    seen.extend(KEYS_OF_LARGE_SETS.map(String::from));
    for key in keys["properties"].as_object().unwrap().keys() {
        assert!(seen.contains(key), "{key}");
    }
}

/// The form of a report, and a reason for all that is null.
#[track_caller]
pub(crate) fn follows(schema: &Validator, report: &Value) {
    let errors: Vec<_> = schema.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
    accounted(report);
}

/// What is null has a reason, and what has a reason is null.
fn accounted(report: &Value) {
    let mut nulls = Vec::new();
    find_nulls(report, String::new(), &mut nulls);
    let absent: Vec<_> = match report.get("absent") {
        Some(absent) => absent.as_object().unwrap().keys().cloned().collect(),
        None => Vec::new(),
    };
    nulls.sort();
    let mut sorted = absent;
    sorted.sort();
    assert_eq!(nulls, sorted, "{report:#}");
}

fn find_nulls(value: &Value, path: String, nulls: &mut Vec<String>) {
    match value {
        Value::Null => nulls.push(path),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(i, value)| find_nulls(value, format!("{path}/{i}"), nulls));
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| find_nulls(value, format!("{path}/{key}"), nulls));
        }
        _ => {}
    }
}

/// A schema that takes anything would prove nothing.
#[test]
fn it_refuses_what_is_wrong() {
    let (schema, folder) = (schema(), folder());
    let report = folder.json(&["x.npy", "y.npy", "--full"]);
    assert!(schema.is_valid(&report));
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 8] = [
        ("a key too many", |r| r["more"] = 1.into()),
        ("one too many within", |r| r["uniformity"]["more"] = 1.into()),
        ("a key too few", |r| drop(r.as_object_mut().unwrap().remove("rows"))),
        ("text for a number", |r| r["uniformity"]["x"] = "-2".into()),
        ("no value, where there always is one", |r| r["alignment"]["value"] = Value::Null),
        ("a score out of its range", |r| r["uniformity"]["of_x"]["score"] = json!(1.5)),
        ("an unknown estimator", |r| r["uniformity"]["estimator"] = "W".into()),
        ("a row of a table without one of its values", |r| {
            drop(r["sweep"][1].as_object_mut().unwrap().remove("cross"));
        }),
    ];
    for (what, edit) in edits {
        let mut wrong = report.clone();
        edit(&mut wrong);
        assert!(!schema.is_valid(&wrong), "{what}");
    }
}
