//! `unisphere gradient`: a file of the shape of the set, against differences of the formula.

use std::{fs, path::Path, process::Output};

use serde_json::Value;

use crate::support::{
    Folder, alignment, cross_uniformity, near, noise, object, program, refused, rows, stderr, stdout,
    uniformity,
};

const N: usize = 29;
const DIMS: usize = 5;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(N * DIMS, 1), N, DIMS);
    folder.npy("y.npy", &noise(N * DIMS, 2), N, DIMS);
    folder.npy("few.npy", &noise(7 * DIMS, 3), 7, DIMS);
    folder
}

fn gradient(folder: &Folder, arguments: &[&str]) -> Output {
    let command = ["gradient", "--device", "cpu"].iter().chain(arguments);
    program().args(command).current_dir(folder.path()).output().unwrap()
}

fn json(folder: &Folder, arguments: &[&str]) -> Value {
    let report = object(&gradient(folder, &[arguments, &["--json"]].concat()));
    let schema: Value = serde_json::from_str(include_str!("../../schema/gradient.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<_> = schema.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
    report
}

/// Values of a .npy file of f32 with these rows and columns.
fn read(path: &Path, count: usize, columns: usize) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    let (header, values) = bytes.split_at(128);
    let header = String::from_utf8_lossy(header);
    let fields = format!("'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {columns})");
    assert!(header.contains(&fields), "{header}");
    let (values, rest) = values.as_chunks();
    assert!(values.len() == count * columns && rest.is_empty());
    values.iter().map(|&value| f32::from_le_bytes(value).into()).collect()
}

/// Central differences of a formula in f64, and the norm of the gradient.
fn check(
    report: &Value,
    folder: &Folder,
    file: &str,
    values: &[f32],
    unit: bool,
    value: impl Fn(&[f64]) -> f64,
) {
    let gradient = read(&folder.path().join(file), values.len() / DIMS, DIMS);
    let wide: Vec<f64> = values.iter().map(|&v| v.into()).collect();
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    near(&report["value"], value(&seen(&wide, unit)));
    for place in [0, 3, DIMS + 1, values.len() - 1] {
        let moved = |by: f64| {
            let mut values = wide.clone();
            values[place] += by;
            value(&seen(&values, unit))
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!(
            (gradient[place] - slope).abs() < 1e-5 * norm,
            "{file}, {place}: {} for {slope}",
            gradient[place]
        );
    }
    let told = report["gradients"].as_array().unwrap().iter().find(|told| told["file"] == file).unwrap();
    assert!((told["norm"].as_f64().unwrap() - norm).abs() < 1e-9 * norm);
}

/// Values in f64, of unit rows where asked for.
fn seen(values: &[f64], unit: bool) -> Vec<f64> {
    let length = |row: &[f64]| if unit { row.iter().map(|v| v * v).sum::<f64>().sqrt() } else { 1.0 };
    values.chunks(DIMS).flat_map(|row| row.iter().map(|v| v / length(row)).collect::<Vec<_>>()).collect()
}

fn points(values: &[f64]) -> Vec<Vec<f64>> {
    values.chunks(DIMS).map(<[f64]>::to_vec).collect()
}

#[test]
fn gradients_are_differences_of_the_formula() {
    let folder = folder();
    let (x, y, few) = (noise(N * DIMS, 1), noise(N * DIMS, 2), noise(7 * DIMS, 3));
    let of_y = rows(&y, DIMS, true);
    let report = json(&folder, &["x.npy", "--of", "uniformity", "--t", "3", "--out", "u.npy"]);
    check(&report, &folder, "u.npy", &x, true, |x| uniformity(&points(x), 3.0));
    let report = json(&folder, &["x.npy", "--of", "uniformity", "--raw", "--out", "raw.npy"]);
    check(&report, &folder, "raw.npy", &x, false, |x| uniformity(&points(x), 2.0));
    let both = ["--out", "lx.npy", "--out-y", "ly.npy", "--max-memory", "64M"];
    let report = json(
        &folder,
        &[&["x.npy", "y.npy", "--of", "loss", "--weight", "2", "--alpha", "1"], &both[..]].concat(),
    );
    let loss = |x: &[Vec<f64>], y: &[Vec<f64>]| {
        2.0 * alignment(x, y, 1.0) + (uniformity(x, 2.0) + uniformity(y, 2.0)) / 2.0
    };
    check(&report, &folder, "lx.npy", &x, true, |x| loss(&points(x), &of_y));
    let of_x = rows(&x, DIMS, true);
    check(&report, &folder, "ly.npy", &y, true, |y| loss(&of_x, &points(y)));
    let report = json(
        &folder,
        &["x.npy", "few.npy", "--of", "cross-uniformity", "--out", "cx.npy", "--out-y", "cy.npy"],
    );
    check(&report, &folder, "cy.npy", &few, true, |few| cross_uniformity(&of_x, &points(few), 2.0));
    let report = json(
        &folder,
        &[
            "x.npy",
            "y.npy",
            "--of",
            "contrastive",
            "--tau",
            "0.2",
            "--candidates",
            "one-way",
            "--out",
            "nx.npy",
        ],
    );
    check(&report, &folder, "nx.npy", &x, true, |x| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / 0.2;
        let of = |(i, x): (usize, &Vec<f64>)| {
            of_y.iter().map(|y| dot(x, y).exp()).sum::<f64>().ln() - dot(x, &of_y[i])
        };
        points(x).iter().enumerate().map(of).sum::<f64>() / N as f64
    });
    // Journals beside the files have served their purpose.
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name.to_string_lossy().ends_with(".npy")));
}

#[test]
fn the_text_names_value_norm_and_files() {
    let folder = folder();
    let output =
        gradient(&folder, &["x.npy", "y.npy", "--of", "alignment", "--out", "gx.npy", "--out-y", "gy.npy"]);
    let text = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    for words in
        ["alignment", "alpha = 2", "gradient of x", "gx.npy", "gradient of y", "gy.npy", "read", "of memory"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_file_that_is_there_is_kept() {
    let folder = folder();
    let line = ["x.npy", "--of", "uniformity", "--out", "g.npy"];
    json(&folder, &line);
    let bytes = fs::read(folder.path().join("g.npy")).unwrap();
    refused(&gradient(&folder, &line), 3, &["g.npy", "is there already"]);
    assert_eq!(fs::read(folder.path().join("g.npy")).unwrap(), bytes);
    let nowhere = ["x.npy", "--of", "uniformity", "--out", "none/g.npy"];
    refused(&gradient(&folder, &nowhere), 3, &["none/g.npy", "no such"]);
    let of_both = ["x.npy", "y.npy", "--of", "loss", "--out", "l.npy", "--out-y", "l.csv"];
    for (line, words) in [
        (
            &["x.npy", "--of", "uniformity", "--out", "g.csv"][..],
            &["--out g.csv", "end its name in .npy"][..],
        ),
        (&of_both, &["--out-y l.csv", "end its name in .npy"]),
    ] {
        refused(&gradient(&folder, line), 2, words);
    }
    let elsewhere = ["--journal", "elsewhere.journal"];
    refused(&gradient(&folder, &[&nowhere[..], &elsewhere].concat()), 3, &["none/g.npy"]);
    // With a journal that is kept, the same command tells the same again.
    let line = ["x.npy", "--of", "uniformity", "--out", "k.npy", "--journal", "k.journal"];
    let (first, again) = (json(&folder, &line), json(&folder, &line));
    assert_eq!((&first["value"], &first["gradients"]), (&again["value"], &again["gradients"]));
    assert_eq!(
        (&again["work"]["pairs_computed"], &again["work"]["blocks_recovered"]),
        (&0.into(), &again["work"]["blocks"])
    );
}

/// What cannot be measured leaves no file, and the command goes on once it is mended.
#[test]
fn points_that_cannot_be_measured_leave_nothing() {
    let folder = folder();
    let mut values = noise(N * DIMS, 1);
    values[5 * DIMS..6 * DIMS].fill(0.0);
    folder.npy("zero.npy", &values, N, DIMS);
    let line = ["zero.npy", "--of", "uniformity", "--out", "z.npy"];
    refused(&gradient(&folder, &line), 3, &["zero.npy", "row 5"]);
    for name in ["z.npy", "z.npy.journal"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    json(&folder, &[&line[..], &["--raw"]].concat());
}

#[test]
fn what_contradicts_itself_is_refused() {
    let folder = folder();
    let refused = |line: &[&str], code, words: &[&str]| {
        refused(&gradient(&folder, &[line, &["--out", "g.npy"]].concat()), code, words);
        assert!(!folder.path().join("g.npy").exists());
    };
    refused(&["x.npy", "--of", "uniformity", "--tau", "0.1"], 2, &["--tau", "uniformity"]);
    refused(&["x.npy", "y.npy", "--of", "contrastive", "--t", "2"], 2, &["--t"]);
    refused(&["x.npy", "y.npy", "--of", "uniformity"], 3, &["two are named"]);
    refused(&["x.npy", "--of", "loss"], 3, &["name both"]);
    refused(&["x.npy", "few.npy", "--of", "loss"], 3, &["few.npy"]);
    refused(&["x.npy", "--of", "uniformity", "--max-memory", "1K"], 2, &["allow more"]);
    refused(&["x.npy", "y.npy", "--of", "loss", "--weight", "inf"], 2, &["weight"]);
    refused(&["x.npy", "--of", "uniformity", "--out-y", "gy.npy"], 3, &["no second set"]);
}

#[test]
fn what_is_refused_is_left_as_it_is() {
    let folder = folder();
    let bytes = fs::read(folder.path().join("x.npy")).unwrap();
    let output = gradient(&folder, &["x.npy", "y.npy", "--of", "alignment", "--out", "x.npy"]);
    refused(&output, 2, &["--out x.npy is one of the inputs"]);
    assert_eq!(fs::read(folder.path().join("x.npy")).unwrap(), bytes);
    // Another metric goes to the file that was in the way, once it is gone.
    fs::write(folder.path().join("there.npy"), "something").unwrap();
    let output = gradient(&folder, &["x.npy", "y.npy", "--of", "alignment", "--out", "there.npy"]);
    refused(&output, 3, &["there.npy", "remove it"]);
    fs::remove_file(folder.path().join("there.npy")).unwrap();
    json(&folder, &["x.npy", "y.npy", "--of", "loss", "--out", "there.npy"]);
    // One file by two names.
    fs::create_dir(folder.path().join("o")).unwrap();
    let line = ["x.npy", "y.npy", "--of", "loss", "--out", "o/g.npy", "--out-y", "o/../o/g.npy"];
    refused(&gradient(&folder, &line), 3, &["both gradients", "name two files"]);
}
