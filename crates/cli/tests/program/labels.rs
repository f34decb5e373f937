//! Labels and weights as people have them: words, columns, and columns of X's own file.

use std::fs;

use serde_json::json;

use crate::support::{
    Folder, near, noise, object, refused, rows, stderr, stdout, uniformity, weighted_uniformity,
};

const N: usize = 40;

fn folder() -> (Folder, Vec<Vec<f64>>) {
    let folder = Folder::new();
    let x = noise(N * 3, 7);
    folder.npy("x.npy", &x, N, 3);
    let words = |i: usize| if i.is_multiple_of(2) { "dog" } else { "cat" };
    fs::write(
        folder.path().join("words.txt"),
        (0..N).map(|i| words(i).to_owned() + "\n").collect::<String>(),
    )
    .unwrap();
    let lines = (0..N).map(|i| format!("{i},\"{}\",{}\n", words(i), i % 3));
    let csv = std::iter::once("id,kind,weight\n".into()).chain(lines).collect::<String>();
    fs::write(folder.path().join("table.csv"), csv).unwrap();
    let rows_of_json = (0..N).map(|i| {
        let point = &x[3 * i..3 * i + 3];
        format!("{}\n", json!({"e": point, "kind": words(i), "weight": i % 3}))
    });
    fs::write(folder.path().join("x.jsonl"), rows_of_json.collect::<String>()).unwrap();
    (folder, rows(&x, 3, true))
}

#[test]
fn groups_have_the_names_that_labels_are() {
    let (folder, x) = folder();
    let of = |odd: usize| x.iter().skip(odd).step_by(2).cloned().collect::<Vec<_>>();
    let (dogs, cats) = (uniformity(&of(0), 2.0), uniformity(&of(1), 2.0));
    for line in [
        &["x.npy", "--labels", "words.txt"][..],
        &["x.npy", "--labels", "table.csv", "--labels-column", "kind"],
        &["x.jsonl", "--labels-column", "kind"],
    ] {
        let report = folder.json(line);
        let groups = &report["groups"];
        assert_eq!(
            (&groups["names"], &groups["sizes"]),
            (&json!(["cat", "dog"]), &json!([20, 20])),
            "{line:?}"
        );
        near(&groups["within"]["x"][0], cats);
        near(&groups["within"]["x"][1], dogs);
        let output = folder.eval(line);
        assert!(
            stdout(&output).contains("\ncat ") && stdout(&output).contains("\ndog "),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(folder.json(&["x.jsonl", "--labels-column", "kind"])["files"]["labels"], "x.jsonl, kind");
    // Whole numbers have no names.
    let numbers = folder.json(&["x.npy", "--labels", "table.csv", "--labels-column", "weight"]);
    assert_eq!((&numbers["groups"]["labels"], numbers["groups"].get("names")), (&json!([0, 1, 2]), None));
}

#[test]
fn weights_of_a_column() {
    let (folder, x) = folder();
    let weights: Vec<f64> = (0..N).map(|i| (i % 3) as f64).collect();
    for line in [
        &["x.npy", "--weights", "table.csv", "--weights-column", "weight"][..],
        &["x.jsonl", "--weights-column", "weight"],
    ] {
        near(&folder.json(line)["uniformity"]["x"], weighted_uniformity(&x, &weights, 2.0));
    }
}

#[test]
fn a_name_cannot_change_the_terminal() {
    let (folder, _) = folder();
    let names: Vec<_> = (0..N).map(|i| format!("\u{1b}]0;title\u{7}{}", i % 2)).collect();
    fs::write(folder.path().join("wild.json"), json!(names).to_string()).unwrap();
    let output = folder.eval(&["x.npy", "--labels", "wild.json", "--across-groups"]);
    assert!(stdout(&output).contains("\\u{1b}]0;title\\u{7}0"), "{}", stdout(&output));
    assert!(!stdout(&output).contains(['\u{1b}', '\u{7}']));
}

#[test]
fn what_is_no_column_is_3() {
    let (folder, _) = folder();
    fs::write(folder.path().join("short.txt"), "cat\ndog\n").unwrap();
    let labelled = |line: &[&str]| folder.eval(&[&["x.npy"], line].concat());
    refused(&labelled(&["--labels", "short.txt"]), 3, &["short.txt holds 2 labels", "40 rows"]);
    refused(&labelled(&["--labels", "table.csv"]), 3, &["id, kind, weight", "--labels-column"]);
    refused(
        &labelled(&["--labels", "table.csv", "--labels-column", "none"]),
        3,
        &["'none'", "id, kind, weight"],
    );
    refused(&labelled(&["--labels-column", "none"]), 3, &["x.npy", "the name of a column"]);
    refused(
        &labelled(&["--weights", "table.csv", "--weights-column", "kind"]),
        3,
        &["row 0", "'dog'", "no number"],
    );
    refused(&folder.eval(&["x*.npy", "--labels-column", "kind"]), 2, &["--labels-column", "--labels"]);
}

#[test]
fn labels_and_weights_of_a_csv_are_no_dimensions_of_its_points() {
    let (folder, x) = folder();
    let csv = |name: &str, column: &str, value: fn(usize) -> String| {
        let line = |(i, row): (usize, &Vec<f64>)| format!("{},{},{},{}\n", row[0], row[1], row[2], value(i));
        let lines = x.iter().enumerate().map(line);
        let text = std::iter::once(format!("a,b,c,{column}\n")).chain(lines).collect::<String>();
        fs::write(folder.path().join(name), text).unwrap();
    };
    csv("numbers.csv", "label", |i| (i % 4).to_string());
    csv("words.csv", "label", |i| if i.is_multiple_of(2) { "dog" } else { "cat" }.to_owned());
    csv("weights.csv", "w", |_| "1".into());
    for line in [
        &["numbers.csv", "--labels-column", "label"][..],
        &["numbers.csv", "--labels", "numbers.csv", "--labels-column", "label"],
        &["words.csv", "--labels-column", "label"],
        &["weights.csv", "--weights-column", "w"],
    ] {
        let report = folder.json(line);
        assert_eq!(report["dims"], 3, "{line:?}");
        near(&report["uniformity"]["x"], uniformity(&x, 2.0));
    }
    let output = folder.eval(&["numbers.csv", "--labels-column", "label", "--max-memory", "1G", "--json"]);
    assert_eq!(object(&output)["dims"], 3);
    // A name that was mistaken is told, and not the column that it left among the dimensions.
    refused(&folder.eval(&["words.csv", "--labels-column", "lable"]), 3, &["no column 'lable'", "label"]);
    // A first line that was a label, and a text that has no columns.
    let words = "dog\n".repeat(x.len());
    for name in ["words.txt", "bare.csv"] {
        fs::write(folder.path().join(name), &words).unwrap();
    }
    refused(&folder.eval(&["x.npy", "--labels", "bare.csv"]), 3, &["bare.csv holds", "call the file .txt"]);
    let named = ["x.npy", "--labels", "words.txt", "--labels-column", "kind"];
    refused(&folder.eval(&named), 3, &["words.txt", "the name of a column"]);
    // What is written is none of what is read.
    fs::copy(folder.path().join("numbers.csv"), folder.path().join("labels.csv")).unwrap();
    let line = ["x.npy", "--labels", "labels.csv", "--labels-column", "label", "--rows", "labels.csv"];
    for more in [&[][..], &["--max-memory", "1G"]] {
        refused(&folder.eval(&[&line, more].concat()), 2, &["one of the inputs"]);
    }
}
