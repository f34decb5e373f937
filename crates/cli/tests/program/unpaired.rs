//! Two sets that are not paired, of other numbers of rows, beside the formulas in f64.

use serde_json::{Value, json};

use crate::support::{
    Folder, cross_uniformity, distance, kernel, near, noise, refused, rows, stdout, uniformity,
};

const D: usize = 3;

/// Files x (n, 3) and y (m, 3), and their unit rows.
fn two(folder: &Folder, n: usize, m: usize, seed: u64) -> [Vec<Vec<f64>>; 2] {
    let (x, y) = (noise(n * D, seed), noise(m * D, seed + 1000));
    folder.npy("x.npy", &x, n, D);
    folder.npy("y.npy", &y, m, D);
    [rows(&x, D, true), rows(&y, D, true)]
}

/// The squared discrepancy, without bias, of the rows of which `of_x` says that they are on the left (eq. 3).
fn squared_mmd(all: &[Vec<f64>], of_x: &[bool], t: f64) -> f64 {
    let mean = |left: bool, right: bool| {
        let (mut sum, mut count) = (0.0, 0);
        for i in (0..all.len()).filter(|&i| of_x[i] == left) {
            for j in (0..all.len()).filter(|&j| of_x[j] == right && j != i) {
                sum += kernel(&all[i], &all[j], t);
                count += 1;
            }
        }
        sum / f64::from(count)
    };
    mean(true, true) + mean(false, false) - 2.0 * mean(true, false)
}

fn of(x: &[Vec<f64>], y: &[Vec<f64>], t: f64) -> f64 {
    let all: Vec<_> = x.iter().chain(y).cloned().collect();
    squared_mmd(&all, &(0..all.len()).map(|i| i < x.len()).collect::<Vec<_>>(), t)
}

fn check_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../schema/unpaired.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<_> = schema.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}

#[test]
fn values_of_two_sets_of_other_numbers_of_rows() {
    let folder = Folder::new();
    let [x, y] = two(&folder, 41, 17, 1);
    let both: Vec<_> = x.iter().chain(&y).cloned().collect();
    let report = folder.json(&["x.npy", "y.npy", "--unpaired", "--t", "2,0.5,2", "--near", "0.4"]);
    check_schema(&report);
    assert_eq!((&report["rows"], &report["dims"]), (&json!({"x": 41, "y": 17}), &json!(D)));
    assert_eq!(report["values"].as_array().unwrap().len(), 2);
    for (row, t) in report["values"].as_array().unwrap().iter().zip([2.0, 0.5]) {
        near(&row["x"], uniformity(&x, t));
        near(&row["y"], uniformity(&y, t));
        near(&row["cross"], cross_uniformity(&x, &y, t));
        near(&row["pooled"], uniformity(&both, t));
        near(&row["squared_mmd"], of(&x, &y, t));
    }
    // So few rows are all in the test.
    assert_eq!((&report["test"]["rows"], &report["test"]["group"]), (&json!({"x": 41, "y": 17}), &json!(1)));
    near(&report["test"]["squared_mmd"], of(&x, &y, 2.0));
    let close = (0..41).flat_map(|i| (0..17).map(move |j| (i, j)));
    let close: Vec<_> = close.filter(|&(i, j)| distance(&x[i], &y[j]) <= 0.4).collect();
    assert!(close.len() > 3, "{close:?}");
    assert_eq!(report["near"]["count"], close.len());
    for (pair, (i, j)) in report["near"]["pairs"].as_array().unwrap().iter().zip(close) {
        assert_eq!((&pair[0], &pair[1]), (&json!(i), &json!(j)));
        near(&pair[2], distance(&x[i], &y[j]));
    }
    let text = folder.eval(&["x.npy", "y.npy", "--unpaired", "--near", "0.4"]);
    for part in ["within y", "squared MMD", "One distribution: p = ", "Close across: ", "row of y"] {
        assert!(stdout(&text).contains(part), "{}", stdout(&text));
    }
    check_schema(&folder.json(&["x.npy", "y.npy", "--unpaired", "--raw", "--permutations", "0"]));
}

#[test]
fn the_p_value_is_the_share_of_all_splits() {
    let folder = Folder::new();
    for seed in [5, 6, 7] {
        let [x, y] = two(&folder, 5, 4, seed);
        let all: Vec<_> = x.iter().chain(&y).cloned().collect();
        let splits = (0u32..1 << 9).filter(|bits| bits.count_ones() == 5);
        let values: Vec<_> = splits
            .map(|bits| squared_mmd(&all, &(0..9).map(|i| bits >> i & 1 == 1).collect::<Vec<_>>(), 2.0))
            .collect();
        let observed = of(&x, &y, 2.0);
        let share =
            values.iter().filter(|&&value| value >= observed - 1e-7).count() as f64 / values.len() as f64;
        let report = folder.json(&["x.npy", "y.npy", "--unpaired", "--permutations", "20000"]);
        let p = report["test"]["p_value"].as_f64().unwrap();
        // Five standard errors of 20,000 draws.
        assert!(
            (p - share).abs() < 5.0 * (share * (1.0 - share) / 20_000.0).sqrt() + 1e-4,
            "{p} for {share}"
        );
    }
}

#[test]
fn one_distribution_has_any_p_value_and_two_have_the_least() {
    let folder = Folder::new();
    let p = |line: &[&str]| folder.json(line)["test"]["p_value"].as_f64().unwrap();
    let line = ["x.npy", "y.npy", "--unpaired", "--permutations", "99"];
    let mut values = Vec::new();
    for seed in 0..30 {
        two(&folder, 20, 13, 10 + seed);
        values.push(p(&line));
    }
    let mean = values.iter().sum::<f64>() / 30.0;
    // The mean of 30 uniform draws, within four standard errors.
    assert!((mean - 0.505).abs() < 4.0 * 0.29 / 30f64.sqrt(), "{values:?}");
    assert!(values.iter().filter(|&&p| p <= 0.1).count() < 10, "{values:?}");
    let moved: Vec<_> = noise(300 * D, 3).iter().map(|value| value + 0.4).collect();
    folder.npy("x.npy", &noise(900 * D, 2), 900, D);
    folder.npy("y.npy", &moved, 300, D);
    let report = folder.json(&line);
    assert_eq!(report["test"]["p_value"], 0.01);
    // Rows change sides by twos.
    assert_eq!(
        (&report["test"]["rows"], &report["test"]["group"]),
        (&json!({"x": 512, "y": 300}), &json!(2))
    );
    let test = |mut report: Value| report["test"].take();
    assert_eq!(test(folder.json(&line)), test(report), "the same bits in every run");
}

#[test]
fn what_has_no_use_is_2_and_sets_that_do_not_fit_are_3() {
    let folder = Folder::new();
    two(&folder, 9, 7, 1);
    folder.npy("wide.npy", &noise(20, 1), 5, 4);
    folder.npy("one.npy", &noise(3, 1), 1, 3);
    folder.column("labels.npy", "|u1", &[1; 9]);
    let unpaired = |more: &[&str]| folder.eval(&[&["x.npy"], more, &["--unpaired"]].concat());
    refused(&unpaired(&[]), 2, &["--unpaired", "Y"]);
    for option in
        [&["--tau", "0.1"][..], &["--labels", "labels.npy"], &["--full"], &["--across"], &["--alpha", "2"]]
    {
        refused(&unpaired(&[&["y.npy"], option].concat()), 2, &["--unpaired", option[0]]);
    }
    refused(&folder.eval(&["x.npy", "y.npy", "--permutations", "9"]), 2, &["--unpaired"]);
    refused(&unpaired(&["wide.npy"]), 3, &["x.npy has 3 dimensions", "wide.npy has 4"]);
    let mut zeros = noise(21, 1);
    zeros[6..9].fill(0.0);
    folder.npy("zeros.npy", &zeros, 7, 3);
    refused(&unpaired(&["zeros.npy"]), 3, &["zeros.npy", "row 2", "leave such rows out of the file; --raw"]);
    check_schema(&folder.json(&["x.npy", "zeros.npy", "--unpaired", "--raw"]));
    refused(&unpaired(&["one.npy"]), 3, &["one.npy has 1 row", "at least 2"]);
    refused(&folder.eval(&["x.npy", "y.npy"]), 3, &["x.npy is 9 × 3", "--unpaired"]);
}

/// The mean squared distance over pairs of one label, and for every row how many of another label are above its best positive.
fn by_label(x: &[Vec<f64>], of_x: &[&str], y: &[Vec<f64>], of_y: &[&str]) -> (f64, Vec<usize>) {
    let (mut sum, mut count, mut above) = (0.0, 0, Vec::new());
    for (x, label) in x.iter().zip(of_x) {
        let squares: Vec<_> = y.iter().map(|y| distance(x, y).powi(2)).collect();
        let own = squares.iter().zip(of_y).filter(|(_, other)| *other == label).map(|(square, _)| *square);
        let best = own.clone().fold(f64::INFINITY, f64::min);
        sum += own.clone().sum::<f64>();
        count += own.count();
        above.push(
            squares.iter().zip(of_y).filter(|(square, other)| *other != label && **square < best).count(),
        );
    }
    (sum / count as f64, above)
}

#[test]
fn rows_of_one_label_are_positives() {
    let folder = Folder::new();
    let [x, y] = two(&folder, 12, 31, 4);
    let images: Vec<_> = (0..12).map(|i| format!("image {i}")).collect();
    let of_x: Vec<_> = images.iter().map(String::as_str).collect();
    let of_y: Vec<_> = (0..31).map(|j| of_x[j * 7 % 12]).collect();
    let labels = |name: &str, of: &[&str]| std::fs::write(folder.path().join(name), of.join("\n")).unwrap();
    labels("x.txt", &of_x);
    labels("y.txt", &of_y);
    let line =
        ["x.npy", "y.npy", "--unpaired", "--labels", "x.txt", "--labels-y", "y.txt", "--permutations", "0"];
    let report = folder.json(&line);
    check_schema(&report);
    let found = &report["positives"];
    assert_eq!((&found["pairs"], &report["files"]["labels_y"]), (&json!(31), &json!("y.txt")));
    let (alignment, above) = by_label(&x, &of_x, &y, &of_y);
    near(&found["alignment"]["value"], alignment);
    let (_, above_of_y) = by_label(&y, &of_y, &x, &of_x);
    for (way, above) in [("x_to_y", above), ("y_to_x", above_of_y)] {
        let (way, n) = (&found["retrieval"][way], above.len() as f64);
        near(&way["mean_rank"], above.iter().map(|&above| above as f64 + 1.0).sum::<f64>() / n);
        near(&way["recall"][1]["value"], above.iter().filter(|&&above| above < 5).count() as f64 / n);
    }
    let told = folder.eval(&line);
    for part in
        ["positives by label", "alpha = 2", "recall@1", "among 31 rows of y and 12 rows of x", "x.txt"]
    {
        assert!(stdout(&told).contains(part), "{part}: {}", stdout(&told));
    }
    // Numbers and names are told apart by their words alone.
    labels(
        "x.txt",
        &(0..12).map(|i| i.to_string()).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>(),
    );
    refused(&folder.eval(&line), 3, &["x.txt", "row 0 has the label 0", "y.txt", "without a partner"]);
    // Labels that are a column of either file.
    let table = |name: &str, of: &[Vec<f64>], labels: &[&str]| {
        let lines =
            of.iter().zip(labels).map(|(row, label)| format!("{},{},{},{label}\n", row[0], row[1], row[2]));
        let text = String::from("a,b,c,label\n") + &lines.collect::<String>();
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    table("x.csv", &x, &of_x);
    table("y.csv", &y, &of_y);
    let own =
        folder.json(&["x.csv", "y.csv", "--unpaired", "--labels-column", "label", "--permutations", "0"]);
    near(&own["positives"]["alignment"]["value"], alignment);
    labels("x.txt", &of_x[..11]);
    refused(&folder.eval(&line), 3, &["x.txt holds 11 labels", "x.npy has 12 rows"]);
    let tested = [&line[..7], &["--permutations", "9"]].concat();
    refused(&folder.eval(&tested), 2, &["--permutations would test nothing"]);
    refused(&folder.eval(&line[..5]), 2, &["--labels-y for Y"]);
    refused(&folder.eval(&["x.npy", "x.npy", "--labels-y", "x.txt"]), 2, &["--labels-y", "--unpaired"]);
}

/// A line for each t, whose cells are what JSON has; a page of the same numbers; and Markdown.
#[test]
fn lines_and_pages() {
    let folder = Folder::new();
    two(&folder, 41, 17, 1);
    let line = [
        "x.npy",
        "y.npy",
        "--unpaired",
        "--t",
        "2,0.5",
        "--near",
        "0.4",
        "--csv",
        "runs.csv",
        "--html",
        "page.html",
    ];
    let report = folder.json(&line);
    let mut reader = csv::Reader::from_path(folder.path().join("runs.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 2);
    let (mut numbers, mut found) = (report.clone(), 0);
    for (record, values) in records.iter().zip(report["values"].as_array().unwrap()) {
        numbers["values"] = values.clone();
        for (column, cell) in header.iter().zip(record).filter(|(column, _)| *column != "time") {
            let expected = match numbers.pointer(&format!("/{}", column.replace('.', "/"))) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(number) => number.to_string(),
            };
            found += usize::from(!expected.is_empty());
            assert_eq!(cell, expected, "{column}");
        }
    }
    assert!(found > 45, "{found}");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    let value = report["values"][1]["squared_mmd"].as_f64().unwrap();
    for part in [
        "Two sets that are not paired",
        &format!("{value:.3e}"),
        "One distribution: p =",
        "Close across:",
        "Made by",
    ] {
        assert!(page.contains(part), "'{part}' is not in:\n{page}");
    }
    let markdown = folder.eval(&[&line[..9], &["--markdown"]].concat());
    assert!(stdout(&markdown).contains("| t = 0.5 |"), "{}", stdout(&markdown));
    // A file of other lines, an input, and a text that no page of this form shows.
    let refusals: [(&[&str], i32, &[&str]); 3] = [
        (&["--csv", "other.csv"], 3, &["other.csv", "name another file"]),
        (&["--html", "x.npy"], 2, &["--html", "x.npy"]),
        (&["--html", "page.html", "--text", "x.txt"], 2, &["takes no --text"]),
    ];
    std::fs::write(folder.path().join("other.csv"), "time,x\n").unwrap();
    for (more, code, parts) in refusals {
        refused(&folder.eval(&[&line[..3], more].concat()), code, parts);
    }
}
