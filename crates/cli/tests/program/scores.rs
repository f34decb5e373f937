//! Scores of pairs, as STS-B has them: cosines against them, and the positives that they make.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Folder, distance, near, noise, object, refused, rows, stdout};

const N: usize = 60;
const D: usize = 4;

/// Pairs whose second row is the first with noise, less of it the higher the score; scores have ties.
struct Pairs {
    folder: Folder,
    x: Vec<f32>,
    y: Vec<f32>,
    scores: Vec<f64>,
}

fn pairs() -> Pairs {
    let folder = Folder::new();
    let scores: Vec<f64> = (0..N).map(|i| (i * 7 % 11) as f64 / 2.0).collect();
    let (x, more) = (noise(N * D, 1), noise(N * D, 2));
    let y: Vec<f32> = (0..N * D).map(|k| x[k] + more[k] * (6.0 - scores[k / D]) as f32 / 4.0).collect();
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &y, N, D);
    floats(&folder, "scores.npy", &scores);
    let csv = (0..N).map(|i| format!("{i},{}\n", scores[i]));
    write(&folder, "scores.csv", std::iter::once("id,score\n".into()).chain(csv));
    let line = |i: usize| {
        let of = |values: &[f32]| values[i * D..(i + 1) * D].to_vec();
        format!("{}\n", json!({"anchor": of(&x), "positive": of(&y), "score": scores[i]}))
    };
    write(&folder, "pairs.jsonl", (0..N).map(line));
    Pairs { folder, x, y, scores }
}

fn floats(folder: &Folder, name: &str, values: &[f64]) {
    folder.column(name, "<f8", &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
}

fn write(folder: &Folder, name: &str, lines: impl Iterator<Item = String>) {
    fs::write(folder.path().join(name), lines.collect::<String>()).unwrap();
}

fn cosines(x: &[f32], y: &[f32]) -> Vec<f64> {
    let (x, y) = (rows(x, D, true), rows(y, D, true));
    x.iter().zip(&y).map(|(x, y)| x.iter().zip(y).map(|(x, y)| x * y).sum()).collect()
}

/// The rank of each value by counting those below it, and equal ones for a half.
fn ranks(values: &[f64]) -> Vec<f64> {
    let count = |which: &dyn Fn(f64) -> bool| values.iter().filter(|other| which(**other)).count() as f64;
    values.iter().map(|&v| count(&|other| other < v) + count(&|other| other == v) / 2.0).collect()
}

/// Pearson's correlation of the ranks.
fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = a.len() as f64 / 2.0;
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    sum(&a, &b) / (sum(&a, &a) * sum(&b, &b)).sqrt()
}

#[test]
fn cosines_against_scores_of_every_kind_of_file() {
    let Pairs { folder, x, y, scores } = pairs();
    let rho = spearman(&cosines(&x, &y), &scores);
    assert!(rho > 0.5 && rho < 0.95, "{rho}");
    for line in [
        &["x.npy", "y.npy", "--scores", "scores.npy"][..],
        &["x.npy", "y.npy", "--scores", "scores.npy", "--raw"],
        &["x.npy", "y.npy", "--scores", "scores.csv", "--scores-column", "score"],
        &["pairs.jsonl", "--columns", "anchor,positive", "--scores-column", "score"],
    ] {
        let report = folder.json(line);
        let found = &report["scores"];
        assert_eq!(found["pairs"], N, "{line:?}");
        near(&found["spearman"], rho);
        let of_z = ((1.0 + rho * rho / 2.0) / (N as f64 - 3.0)).sqrt();
        near(&found["standard_error"], (1.0 - rho * rho) * of_z);
        let end = |sign: f64| (rho.atanh() + sign * 1.959_963_985 * of_z).tanh();
        near(&found["low"], end(-1.0));
        near(&found["high"], end(1.0));
        // Nothing else changes.
        assert_eq!(report["alignment"]["pairs"], N);
    }
    let own = folder.json(&["pairs.jsonl", "--columns", "anchor,positive", "--scores-column", "score"]);
    assert_eq!(own["files"]["scores"], "pairs.jsonl, score");
    let output = folder.eval(&["x.npy", "y.npy", "--scores", "scores.npy"]);
    let text = stdout(&output);
    assert!(text.contains("against scores") && text.contains(&format!("{rho:.6}")), "{text}");
}

#[test]
fn a_correlation_that_is_undefined_has_a_reason() {
    let Pairs { folder, x, .. } = pairs();
    floats(&folder, "equal.npy", &[3.0; N]);
    let mut zeros = x.clone();
    zeros[2 * D..3 * D].fill(0.0);
    folder.npy("zeros.npy", &zeros, N, D);
    for (line, reason) in [
        (&["x.npy", "y.npy", "--scores", "equal.npy"][..], "all scores are equal"),
        (&["x.npy", "x.npy", "--scores", "scores.npy", "--raw"], "all cosines are equal"),
        (&["x.npy", "zeros.npy", "--scores", "scores.npy", "--raw"], "a row of zeros has no cosine"),
    ] {
        let report = folder.json(line);
        assert_eq!(report["scores"], json!({"pairs": N, "spearman": Value::Null}));
        assert_eq!(report["absent"]["/scores/spearman"], reason);
        let text = folder.eval(line);
        assert!(stdout(&text).contains(&format!("-  no correlation: {reason}.")), "{}", stdout(&text));
    }
    let few = folder.npy("two.npy", &x[..2 * D], 2, D);
    folder.npy("others.npy", &[&x[..D], &x[2 * D..3 * D]].concat(), 2, D);
    floats(&folder, "both.npy", &[5.0, 1.0]);
    let line = [few.to_str().unwrap(), "others.npy", "--scores", "both.npy"];
    let report = folder.json(&line);
    assert_eq!((&report["scores"]["spearman"], &report["scores"]["low"]), (&json!(1.0), &Value::Null));
    assert!(report["absent"]["/scores/low"].as_str().unwrap().contains("four pairs"), "{report}");
}

#[test]
fn scores_of_rows_that_are_skipped_are_left_out() {
    let Pairs { folder, mut x, y, scores } = pairs();
    x[5 * D..6 * D].fill(0.0);
    folder.npy("x.npy", &x, N, D);
    let report = folder.json(&["x.npy", "y.npy", "--scores", "scores.npy", "--zero-rows", "skip"]);
    let mut left: Vec<_> = cosines(&x, &y).into_iter().zip(scores).collect();
    left.remove(5);
    let (cosines, scores): (Vec<_>, Vec<_>) = left.into_iter().unzip();
    assert_eq!(report["scores"]["pairs"], N - 1);
    near(&report["scores"]["spearman"], spearman(&cosines, &scores));
}

#[test]
fn scores_that_cannot_be_measured_are_refused() {
    let Pairs { folder, mut scores, .. } = pairs();
    let two = |more: &[&str]| folder.eval(&[&["x.npy", "y.npy", "--scores"], more].concat());
    refused(&folder.eval(&["x.npy", "--scores", "scores.npy"]), 2, &["--scores", "positive pairs", "give Y"]);
    refused(&two(&["scores.npy", "--weights", "scores.npy"]), 2, &["leave out --scores or --weights"]);
    refused(&two(&["scores.csv"]), 3, &["id, score", "--scores-column"]);
    refused(&two(&["scores.csv", "--rows", "scores.csv"]), 3, &["id, score"]);
    floats(&folder, "short.npy", &scores[1..]);
    refused(&two(&["short.npy"]), 3, &["short.npy holds 59 scores", "save one score a row"]);
    scores[7] = f64::NAN;
    floats(&folder, "nan.npy", &scores);
    refused(&two(&["nan.npy"]), 3, &["nan.npy: row 7", "not finite"]);
    refused(&two(&["scores.npy", "--rows", "scores.npy"]), 2, &["--rows", "one of the inputs"]);
    // What takes no scores says so.
    refused(
        &two(&["scores.npy", "--unpaired"]),
        2,
        &["takes no --scores", "leave out --scores, or --unpaired"],
    );
    for (option, value) in [("--max-memory", "1G"), ("--tolerance", "1e-2"), ("--journal", "run.journal")] {
        refused(&two(&["scores.npy", option, value]), 2, &["--scores needs all points in memory", option]);
    }
}

/// Rows of the pairs whose score is high enough, and their distances at unit length.
fn positives(pairs: &Pairs, least: f64) -> Vec<(usize, f64)> {
    let (x, y) = (rows(&pairs.x, D, true), rows(&pairs.y, D, true));
    let chosen = (0..N).filter(|&i| pairs.scores[i] >= least);
    chosen.map(|i| (i, distance(&x[i], &y[i]))).collect()
}

#[test]
fn pairs_of_a_high_score_are_the_positives() {
    let pairs = pairs();
    let (folder, positives) = (&pairs.folder, positives(&pairs, 4.0));
    let (n, values) = (positives.len(), positives.iter().map(|(_, d)| d * d));
    // Some have the very score.
    assert!(n < N / 3 && pairs.scores.contains(&4.0), "{n}");
    let line =
        ["x.npy", "y.npy", "--scores", "scores.npy", "--min-score", "4", "--full", "--rows", "rows.npy"];
    let report = folder.json(&line);
    let all = folder.json(&["x.npy", "y.npy", "--full"]);

    let mean = values.clone().sum::<f64>() / n as f64;
    let error = (values.map(|v| (v - mean).powi(2)).sum::<f64>() / (n * (n - 1)) as f64).sqrt();
    assert_eq!(report["alignment"]["pairs"], n);
    near(&report["alignment"]["value"], mean);
    near(&report["alignment"]["standard_error"], error);
    assert!((mean - all["alignment"]["value"].as_f64().unwrap()).abs() > 0.1);
    assert_eq!(report["scores"]["positives"], json!({"at_least": 4.0, "pairs": n}));
    // The correlation is of all pairs, and so is the table of rows.
    near(&report["scores"]["spearman"], spearman(&cosines(&pairs.x, &pairs.y), &pairs.scores));
    assert_eq!(report["rows_file"]["rows"], N);

    let counts = report["histograms"]["distances"]["counts"].as_array().unwrap();
    assert_eq!(counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), n as u64);
    let mut farthest = positives;
    farthest.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (found, (row, distance)) in report["offenders"]["apart"].as_array().unwrap().iter().zip(&farthest) {
        assert_eq!(found["row"], *row);
        near(&found["distance"], *distance);
    }
    // Rows all count, and so do pairs that are no positives.
    for key in ["uniformity", "sweep", "spectrum", "significance", "duplicates", "modality_gap"] {
        assert_eq!(report[key], all[key], "{key}");
    }
    assert_eq!((&report["contrastive"], &report["retrieval"]), (&Value::Null, &Value::Null));
    assert!(report["absent"]["/contrastive"].as_str().unwrap().contains("every pair as a positive"));
    assert!(report["absent"]["/retrieval"].as_str().unwrap().contains("only some are"));

    let output = folder.eval(&line);
    let told = format!("Positives: {n} of {N} pairs, those whose score is at least 4.");
    assert!(stdout(&output).contains(&told), "{}", stdout(&output));
}

#[test]
fn one_positive_has_an_alignment_and_no_error() {
    let pairs = pairs();
    let mut scores = vec![1.0; N];
    scores[17] = 1.5;
    floats(&pairs.folder, "one.npy", &scores);
    let line = ["x.npy", "y.npy", "--scores", "one.npy", "--min-score", "1.25", "--top", "3", "--alpha", "1"];
    let report = pairs.folder.json(&line);
    near(&report["alignment"]["value"], positives(&pairs, 0.0)[17].1);
    assert_eq!((&report["alignment"]["pairs"], &report["alignment"]["low"]), (&json!(1), &Value::Null));
    assert!(report["absent"]["/alignment/low"].as_str().unwrap().contains("two positive pairs"));
    assert_eq!(report["offenders"]["apart"].as_array().unwrap().len(), 1);
    assert_eq!(report["offenders"]["apart"][0]["row"], 17);
}

#[test]
fn a_least_score_that_cannot_serve_is_refused() {
    let Pairs { folder, .. } = pairs();
    let two = |more: &[&str]| folder.eval(&[&["x.npy", "y.npy"], more].concat());
    refused(&two(&["--min-score", "4"]), 2, &["--min-score", "give --scores too"]);
    folder.column("ones.npy", "|u1", &[1; N]);
    let weighted = ["--weights", "ones.npy", "--min-score", "4"];
    refused(&two(&weighted), 2, &["--min-score", "--scores in the place of --weights"]);
    refused(&two(&["--scores", "scores.npy", "--min-score", "nan"]), 2, &["--min-score", "finite"]);
    // The points are not read, and the cure works.
    folder.npy("nan.npy", &[f32::NAN; N * D], N, D);
    let high = ["nan.npy", "y.npy", "--scores", "scores.npy", "--min-score", "5.5"];
    refused(
        &folder.eval(&high),
        3,
        &["scores.npy: no pair's score is at least 5.5", "highest is 5", "--min-score 5"],
    );
    assert!(two(&["--scores", "scores.npy", "--min-score", "5"]).status.success());
    assert!(two(&["--scores", "scores.npy", "--min-score", "-1"]).status.success());
    let scored = |more: &[&str]| two(&[&["--scores", "scores.npy", "--min-score", "4"], more].concat());
    folder.column("labels.npy", "|u1", &[1; N]);
    for more in [["--tau", "0.1"], ["--sigmoid", "10,-10"], ["--labels", "labels.npy"]] {
        refused(&scored(&more), 2, &[&format!("leave out {} or --min-score", more[0])]);
    }
    refused(&scored(&["--retrieval"]), 2, &["leave out --retrieval or --min-score"]);
    refused(&scored(&["--full", "--candidates", "views"]), 2, &["leave out --candidates or --min-score"]);
    refused(&scored(&["--full", "--queue", "x.npy"]), 2, &["leave out --queue or --min-score"]);
    refused(
        &scored(&["--protocol", "paper"]),
        2,
        &["--protocol paper", "leave out --min-score or --protocol"],
    );
}

#[test]
fn simcse_takes_scores_above_4() {
    let pairs = pairs();
    let folder = &pairs.folder;
    let mean = |least: f64| {
        let of = positives(&pairs, least);
        of.iter().map(|(_, d)| d * d).sum::<f64>() / of.len() as f64
    };
    let scored = ["x.npy", "y.npy", "--protocol", "simcse", "--scores", "scores.npy"];
    let report = folder.json(&scored);
    // Those of 4 are none.
    near(&report["protocol"]["alignment"], mean(4.5));
    assert_eq!(report["scores"]["positives"]["above"], 4.0);
    assert!(mean(4.5) != mean(4.0));
    let output = folder.eval(&scored);
    let text = stdout(&output);
    assert!(text.contains("those whose score is above 4.") && !text.contains("Without --scores"), "{text}");
    // Another score, for other scales.
    let report = folder.json(&[&scored[..], &["--min-score", "2"]].concat());
    near(&report["protocol"]["alignment"], mean(2.0));
    refused(&folder.eval(&[&scored[..], &["--tau", "0.1"]].concat()), 2, &["leave out --tau or --scores"]);
    let shares: Vec<_> = pairs.scores.iter().map(|score| score / 5.0).collect();
    floats(folder, "shares.npy", &shares);
    let line = ["x.npy", "y.npy", "--protocol", "simcse", "--scores", "shares.npy"];
    refused(
        &folder.eval(&line),
        3,
        &["shares.npy: no pair's score is above 4", "highest is 1", "--min-score"],
    );
    let report = folder.json(&[&line[..], &["--min-score", "0.8"]].concat());
    near(&report["protocol"]["alignment"], mean(4.0));
}

#[test]
fn scores_in_the_place_of_weights_are_refused_with_the_right_option() {
    let pairs = pairs();
    let folder = &pairs.folder;
    let right = folder.json(&["x.npy", "y.npy", "--protocol", "simcse", "--scores", "scores.npy"]);
    for (file, columns, line) in [
        ("scores.npy", "", "x.npy y.npy --protocol simcse"),
        ("scores.csv", "-column score", "x.npy y.npy --protocol simcse"),
        ("pairs.jsonl", "-column score", "pairs.jsonl --columns anchor,positive --protocol simcse"),
    ] {
        let option = |of: &str| match columns {
            "" => format!("--{of} {file}"),
            columns => format!("--{of} {file} --{of}{columns}"),
        };
        let (wrong, cure) = (option("weights"), option("scores"));
        let words =
            |option: &str| format!("{line} {option}").split(' ').map(String::from).collect::<Vec<_>>();
        let eval = |option: &str| {
            let words = words(option);
            folder.eval(&words.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let told = format!("write {cure} in the place of {wrong}");
        refused(&eval(&wrong), 3, &[&format!("{file}: these look like scores"), &told, "divide them by 5"]);
        // The cure, as it is told.
        let cured = object(&eval(&format!("{cure} --json")));
        assert_eq!(cured["protocol"], right["protocol"]);
    }
    // And as weights, what is told of them.
    floats(folder, "shares.npy", &pairs.scores.iter().map(|score| score / 5.0).collect::<Vec<_>>());
    let line = ["x.npy", "y.npy", "--protocol", "simcse", "--weights", "shares.npy"];
    assert_eq!(folder.json(&line)["protocol"]["weights"], "pairs");
    // Other protocols have weights of rows, and without one they may be anything.
    for more in [&["--protocol", "directau"][..], &[]] {
        let line = [&["x.npy", "y.npy", "--weights", "scores.npy"], more].concat();
        assert!(folder.eval(&line).status.success());
    }
}
