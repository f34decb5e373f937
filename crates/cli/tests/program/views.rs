//! Several views of the same rows, beside the formulas in f64.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    Folder, alignment, distance, near, noise, program, refused, rows, stderr, stdout, uniformity,
};

const N: usize = 37;
const D: usize = 3;
const FILES: [&str; 4] = ["a.npy", "b.npy", "c.npy", "d.npy"];

/// Four views, of values that are close to one another.
fn values() -> [Vec<f32>; 4] {
    let base = noise(N * D, 1);
    [0, 1, 2, 3].map(|view| {
        let moved = noise(N * D, 10 + view).into_iter().map(|value| 0.1 * (view + 1) as f32 * value);
        base.iter().zip(moved).map(|(base, moved)| base + moved).collect()
    })
}

fn folder() -> Folder {
    let folder = Folder::new();
    for (name, values) in FILES.iter().zip(values()) {
        folder.npy(name, &values, N, D);
    }
    folder
}

/// The first views as the array (N, views, D).
fn array(folder: &Folder, name: &str, views: usize) {
    let of = values();
    let row = |i: usize| of[..views].iter().flat_map(move |view| &view[i * D..(i + 1) * D]);
    let bytes: Vec<u8> = (0..N).flat_map(row).flat_map(|value| value.to_le_bytes()).collect();
    folder.write(name, "<f4", &format!("({N}, {views}, {D})"), &bytes);
}

fn check_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../schema/views.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<_> = schema.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}

/// The mean over rows and pairs of views, and its standard error: rows are the draws.
fn mean_alignment(views: &[Vec<Vec<f64>>], alpha: f64) -> (f64, f64) {
    let mut of_rows = Vec::new();
    for row in 0..N {
        let (mut sum, mut pairs) = (0.0, 0);
        for i in 0..views.len() {
            for j in i + 1..views.len() {
                sum += distance(&views[i][row], &views[j][row]).powf(alpha);
                pairs += 1;
            }
        }
        of_rows.push(sum / f64::from(pairs));
    }
    let mean = of_rows.iter().sum::<f64>() / N as f64;
    let variance = of_rows.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (N - 1) as f64;
    (mean, (variance / N as f64).sqrt())
}

/// Reports without the names of files and the time.
fn numbers(mut report: Value) -> Value {
    let object = report.as_object_mut().unwrap();
    for key in ["files", "seconds"] {
        object.remove(key);
    }
    report
}

#[test]
fn values_of_three_and_four_views() {
    let folder = folder();
    for (count, alpha, raw) in [(3, 2.0, false), (4, 2.0, false), (4, 1.0, true)] {
        let views: Vec<_> = values()[..count].iter().map(|values| rows(values, D, !raw)).collect();
        let alpha_text = alpha.to_string();
        let mut line = vec![FILES[0], "--t", "2,0.5,2", "--alpha", &alpha_text, "--views"];
        line.extend(&FILES[1..count]);
        line.extend(raw.then_some("--raw"));
        let report = folder.json(&line);
        check_schema(&report);
        assert_eq!(report["files"], json!(FILES[..count]));
        assert_eq!(
            (&report["views"], &report["rows"], &report["dims"]),
            (&json!(count), &json!(N), &json!(D))
        );
        let of = &report["alignment"];
        assert_eq!(of["alpha"], alpha);
        let order = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
        let pairs = of["pairs"].as_array().unwrap();
        assert_eq!(pairs.len(), count * (count - 1) / 2);
        for (pair, (i, j)) in pairs.iter().zip(order) {
            assert_eq!(pair["views"], json!([i, j]));
            near(&pair["value"], alignment(&views[i], &views[j], alpha));
        }
        let (mean, error) = mean_alignment(&views, alpha);
        near(&of["mean"]["value"], mean);
        near(&of["mean"]["standard_error"], error);
        assert_eq!(report["uniformity"].as_array().unwrap().len(), 2);
        for (row, t) in report["uniformity"].as_array().unwrap().iter().zip([2.0, 0.5]) {
            assert_eq!(row["t"], t);
            let expected: Vec<_> = views.iter().map(|view| uniformity(view, t)).collect();
            for (found, &expected) in row["views"].as_array().unwrap().iter().zip(&expected) {
                near(&found["value"], expected);
            }
            let of_all = expected.iter().sum::<f64>() / count as f64;
            near(&row["mean"], of_all);
            near(&row["loss"], mean + of_all);
            assert_eq!(row["floor"].is_null(), raw);
        }
    }
}

#[test]
fn two_views_are_a_report_on_pairs() {
    let folder = folder();
    let pairs = folder.json(&["a.npy", "b.npy"]);
    for line in [&["a.npy", "b.npy", "--views"][..], &["a.npy", "--views", "b.npy"]] {
        let views = folder.json(line);
        check_schema(&views);
        for key in ["value", "standard_error", "low", "high"] {
            near(&views["alignment"]["mean"][key], pairs["alignment"][key].as_f64().unwrap());
            assert_eq!(views["alignment"]["pairs"][0][key], pairs["alignment"][key], "{key}");
        }
        let of = &views["uniformity"][0];
        for (view, set) in ["x", "y"].into_iter().enumerate() {
            assert_eq!(of["views"][view]["value"], pairs["uniformity"][set]);
            let of_set = &pairs["uniformity"][format!("of_{set}")];
            assert_eq!(of["views"][view]["standard_error"], of_set["standard_error"]);
        }
        assert_eq!(
            (&of["mean"], &of["floor"]),
            (&pairs["uniformity"]["mean"], &pairs["uniformity"]["floor"])
        );
    }
}

#[test]
fn an_array_of_views_has_the_numbers_of_its_files() {
    let folder = folder();
    for (count, files) in [(3, &FILES[1..3]), (4, &FILES[1..])] {
        array(&folder, "all.npy", count);
        let of_files = folder.json(&[&["a.npy", "--views"], files].concat());
        let of_array = folder.json(&["all.npy", "--views"]);
        check_schema(&of_array);
        assert_eq!(of_array["files"], json!(["all.npy"]));
        assert_eq!(numbers(of_array), numbers(of_files));
    }
    // Files beside X and Y follow them.
    let named = folder.json(&["a.npy", "b.npy", "--views", "c.npy", "d.npy"]);
    assert_eq!(named["files"], json!(FILES));
    assert_eq!(numbers(named), numbers(folder.json(&["all.npy", "--views"])));
}

#[test]
fn the_text_names_every_view() {
    let folder = folder();
    let text = folder.eval(&["a.npy", "b.npy", "--views", "c.npy"]);
    let (mean, _) = mean_alignment(&values()[..3].iter().map(|v| rows(v, D, true)).collect::<Vec<_>>(), 2.0);
    for part in
        ["0: a.npy", "2: c.npy", "0 and 1", "1 and 2", "alpha = 2", "t = 2", "their mean", "floor", "loss"]
    {
        assert!(stdout(&text).contains(part), "'{part}' is not in {}", stdout(&text));
    }
    assert!(stdout(&text).contains(&format!("{mean:.5}")), "{mean}: {}", stdout(&text));
    array(&folder, "all.npy", 3);
    let text = folder.eval(&["all.npy", "--views", "--raw"]);
    assert!(stdout(&text).contains("0 to 2 in all.npy"), "{}", stdout(&text));
    assert!(stdout(&text).contains("no floor: raw points have no floor"), "{}", stdout(&text));
    // Two rows have no error, and the text says why.
    folder.npy("two.npy", &noise(2 * D, 3), 2, D);
    let text = folder.eval(&["two.npy", "--views", "two.npy"]);
    assert!(stdout(&text).contains("it takes three rows or more"), "{}", stdout(&text));
    check_schema(&folder.json(&["two.npy", "--views", "two.npy"]));
}

#[test]
fn what_has_no_use_is_2_and_views_that_do_not_fit_are_3() {
    let folder = folder();
    folder.npy("short.npy", &noise(30, 1), 10, D);
    folder.npy("one.npy", &noise(D, 1), 1, D);
    folder.column("labels.npy", "|u1", &[1; N]);
    array(&folder, "all.npy", 3);
    array(&folder, "only.npy", 1);
    for option in [
        &["--tau", "0.1"][..],
        &["--labels", "labels.npy"],
        &["--weights", "labels.npy"],
        &["--scores", "labels.npy"],
        &["--queue", "b.npy"],
        &["--retrieval"],
        &["--protocol", "paper"],
        &["--full"],
        &["--near", "0.1"],
        &["--rows", "rows.npy"],
        &["--tolerance", "0.1"],
        &["--max-memory", "1G"],
        &["--zero-rows", "skip"],
    ] {
        let line = [&["a.npy", "b.npy", "--views", "c.npy"][..], option].concat();
        refused(&folder.eval(&line), 2, &["--views", &format!("leave out {}", option[0])]);
    }
    let views = |more: &[&str]| folder.eval(&[&["a.npy"], more].concat());
    refused(
        &views(&["b.npy", "--unpaired", "--views", "c.npy"]),
        2,
        &["leave out --unpaired for views", "leave out --views"],
    );
    refused(&views(&["--columns", "a,b", "--views", "c.npy"]), 2, &["--columns", "--views"]);
    refused(&views(&["--views", "part_*.npy"]), 2, &["numbered files"]);
    let three =
        program().args(["eval", "a.npy", "b.npy", "c.npy"]).current_dir(folder.path()).output().unwrap();
    refused(&three, 2, &["3 files", "write --shards before a.npy", "--views"]);
    refused(
        &folder.eval(&["--views", "b.npy"]),
        2,
        &["no X is named", "name one more view, or leave out --views"],
    );
    refused(&views(&["--views", "b.npy", "short.npy"]), 3, &["a.npy is 37 × 3", "short.npy is 10 × 3"]);
    refused(&views(&["--views", "gone.npy"]), 3, &["gone.npy"]);
    refused(&views(&["--views"]), 3, &["a.npy is 37 × 3", "(n, views, dims)", "--views FILE"]);
    refused(&folder.eval(&["only.npy", "--views"]), 3, &["only.npy has one view", "axis=1"]);
    refused(&folder.eval(&["one.npy", "--views", "one.npy"]), 3, &["one.npy has 1 row", "at least 2"]);
    let many = 257;
    let bytes: Vec<u8> = noise(2 * many * D, 5).iter().flat_map(|value| value.to_le_bytes()).collect();
    folder.write("many.npy", "<f4", &format!("(2, {many}, {D})"), &bytes);
    let parts = ["many.npy is 257 views of 2 rows", "at most 256", "x.swapaxes(0, 1)"];
    refused(&folder.eval(&["many.npy", "--views"]), 3, &parts);
    refused(&folder.eval(&["all.npy"]), 3, &["(37, 3, 3)", "eval X --views takes (n, views, dims)"]);
    refused(&views(&["--views", "all.npy"]), 3, &["(37, 3, 3)", "eval X --views"]);
}

#[test]
fn a_row_of_zeros_is_named_and_its_cure_is_taken() {
    let folder = folder();
    let mut zeros = noise(N * D, 4);
    zeros[5 * D..6 * D].fill(0.0);
    folder.npy("zeros.npy", &zeros, N, D);
    let line = ["a.npy", "--views", "zeros.npy"];
    refused(&folder.eval(&line), 3, &["zeros.npy", "row 5", "leave such rows out of all views; --raw"]);
    check_schema(&folder.json(&[&line[..], &["--raw"]].concat()));
    // The same row of the array of two views is its point 11.
    let a = &values()[0];
    let both = (0..N).flat_map(|i| [a, &zeros].map(|view| view[i * D..(i + 1) * D].to_vec()));
    let bytes: Vec<u8> = both.flatten().flat_map(f32::to_le_bytes).collect();
    folder.write("both.npy", "<f4", &format!("({N}, 2, {D})"), &bytes);
    refused(&folder.eval(&["both.npy", "--views"]), 3, &["both.npy", "row 11", "x.reshape(-1, x.shape[-1])"]);
    check_schema(&folder.json(&["both.npy", "--views", "--raw"]));
}

#[test]
fn axes_that_look_swapped_have_a_warning() {
    let folder = Folder::new();
    let bytes: Vec<u8> = noise(2 * 5 * D, 5).iter().flat_map(|value| value.to_le_bytes()).collect();
    folder.write("swapped.npy", "<f4", &format!("(2, 5, {D})"), &bytes);
    let output = folder.eval(&["swapped.npy", "--views"]);
    assert_eq!(output.status.code(), Some(0));
    for part in ["warning", "swapped.npy is taken for 5 views of 2 rows", "x.swapaxes(0, 1)"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    folder.write("right.npy", "<f4", &format!("(5, 2, {D})"), &bytes);
    assert_eq!(stderr(&folder.eval(&["right.npy", "--views"])), "");
}

/// What `--views` shares with other reports: options of reading, and pipes.
#[test]
fn views_are_read_as_options_say() {
    let folder = folder();
    let codes: Vec<u8> = (0..N * 2 * D).map(|at| (at * 37 % 251) as u8).collect();
    folder.write("codes.npy", "|u1", &format!("({N}, 2, {D})"), &codes);
    let report = folder.json(&["codes.npy", "--views", "--quant-scale", "0.5", "--quant-zero", "128"]);
    check_schema(&report);
    assert_eq!(report["read"], json!({"quant_scale": 0.5, "quant_zero": 128.0}));
    let view = |view: usize| {
        let values = codes.chunks(2 * D).flat_map(|row| &row[view * D..(view + 1) * D]);
        let values: Vec<f32> = values.map(|&code| 0.5 * (f32::from(code) - 128.0)).collect();
        rows(&values, D, true)
    };
    near(&report["alignment"]["mean"]["value"], alignment(&view(0), &view(1), 2.0));
    near(&report["uniformity"][0]["mean"], (uniformity(&view(0), 2.0) + uniformity(&view(1), 2.0)) / 2.0);
    for name in ["a.csv", "b.csv"] {
        let values = noise(N * D, name.len() as u64 + u64::from(name.as_bytes()[0]));
        let lines = values.chunks(D).map(|row| format!("{},{},{}\n", row[0], row[1], row[2]));
        fs::write(folder.path().join(name), format!("x,y,z\n{}", lines.collect::<String>())).unwrap();
    }
    // A name is of those files that have names.
    let mixed = folder.json(&["a.csv", "--views", "b.csv", "c.npy", "--column", "x,y,z"]);
    assert_eq!(mixed["files"], json!(["a.csv, x,y,z", "b.csv, x,y,z", "c.npy"]));
    let of_all = folder.json(&["a.csv", "--views", "b.csv", "c.npy"]);
    assert_eq!(mixed["alignment"], of_all["alignment"]);
    refused(
        &folder.eval(&["b.npy", "--views", "c.npy", "--column", "x"]),
        3,
        &["b.npy", "leave --column out"],
    );
    check_schema(&folder.json(&["a.csv", "--views", "b.csv", "--column", "y,z"]));
}

/// A line for each t, whose cells are what JSON has, and a page of the same numbers.
#[test]
fn lines_and_pages_of_views() {
    let folder = folder();
    let line =
        ["a.npy", "b.npy", "--t", "2,0.5", "--csv", "runs.csv", "--html", "page.html", "--views", "c.npy"];
    let report = folder.json(&line);
    let mut reader = csv::Reader::from_path(folder.path().join("runs.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 2);
    let mut numbers = report.clone();
    numbers["files"] = "a.npy; b.npy; c.npy".into();
    for (record, row) in records.iter().zip(report["uniformity"].as_array().unwrap()) {
        numbers["uniformity"] = row.clone();
        for (column, cell) in header.iter().zip(record).filter(|(column, _)| *column != "time") {
            let expected = match numbers.pointer(&format!("/{}", column.replace('.', "/"))) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(number) => number.to_string(),
            };
            assert_eq!(cell, expected, "{column}");
            assert!(!cell.is_empty() || column.starts_with("rounding."), "{column}");
        }
    }
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    let mean = report["alignment"]["mean"]["value"].as_f64().unwrap();
    for part in [
        "3 views of the same rows",
        "alignment, alpha = 2",
        "uniformity, t = 0.5",
        "0 and 2",
        &format!("{mean:.6}"),
    ] {
        assert!(page.contains(part), "'{part}' is not in:\n{page}");
    }
    // Every file has the name.
    assert!(page.contains("0: a.npy; 1: b.npy; 2: c.npy") && !page.contains("<dt></dt>"), "{page}");
    refused(&folder.eval(&["a.npy", "--html", "b.npy", "--views", "b.npy"]), 2, &["--html", "b.npy"]);
}
