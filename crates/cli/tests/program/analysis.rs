//! What the options add, against formulas in f64.

use std::fs;

use serde_json::Value;

use crate::support::{
    Folder, alignment, cross_uniformity, distance, kernel, near, noise, refused, rows, stderr, stdout,
    uniformity, unpaired_uniformity, weighted_uniformity,
};

const N: usize = 41;
const D: usize = 4;

type Rows = Vec<Vec<f64>>;

/// x.npy, y.npy and their rows, of unit length.
fn pairs() -> (Folder, Rows, Rows) {
    let folder = Folder::new();
    let x = noise(N * D, 11);
    let y: Vec<f32> = x.iter().zip(noise(N * D, 12)).map(|(x, noise)| x + 0.4 * noise).collect();
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &y, N, D);
    (folder, rows(&x, D, true), rows(&y, D, true))
}

fn floats(folder: &Folder, name: &str, values: &[f64]) {
    folder.column(name, "<f8", &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<_> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn several_t() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--t", "3,0.5,12"]);
    near(&report["uniformity"]["x"], uniformity(&x, 3.0));
    assert_eq!(report["uniformity"]["t"], 3.0);
    for (i, t) in [3.0, 0.5, 12.0].into_iter().enumerate() {
        let row = &report["sweep"][i];
        let (ux, uy, across) = (uniformity(&x, t), uniformity(&y, t), cross_uniformity(&x, &y, t));
        assert_eq!(row["t"], t);
        near(&row["x"], ux);
        near(&row["y"], uy);
        near(&row["mean"], (ux + uy) / 2.0);
        near(&row["cross"], across);
        near(&row["pooled"], uniformity(&[x.clone(), y.clone()].concat(), t));
        near(&row["squared_mmd"], ux.exp() + uy.exp() - 2.0 * unpaired_uniformity(&x, &y, t).exp());
    }
    assert_eq!(report["sweep"][0]["x"], report["uniformity"]["x"]);
    // A value that is given twice is one.
    let twice = folder.json(&["x.npy", "y.npy", "--t", "3,0.5,3"]);
    assert_eq!(twice["sweep"].as_array().map(Vec::len), Some(2));
    assert_eq!(folder.json(&["x.npy", "--t", "3,3"])["sweep"], Value::Null);
}

/// Also where nearly all of the sum across is of the pairs.
#[test]
fn a_set_is_no_distance_from_itself() {
    let (folder, ..) = pairs();
    for more in [&[][..], &["--estimator", "v"]] {
        let report = folder.json(&[&["x.npy", "x.npy", "--t", "2,5,500,20000"], more].concat());
        report["sweep"].as_array().unwrap().iter().for_each(|row| near(&row["squared_mmd"], 0.0));
    }
    let (x, t) = (rows(&noise(N * D, 11), D, true), 20_000.0);
    let report = folder.json(&["x.npy", "x.npy", "--tau", &(0.5 / t).to_string()]);
    let value = report["contrastive"][0]["matching"]["negatives"].as_f64().unwrap();
    assert!((value / unpaired_uniformity(&x, &x, t) - 1.0).abs() < 1e-4, "{value}");
}

/// Two sets within 1e-5 of one direction, whose kernels are all 1 to ten digits.
#[test]
fn collapsed_sets_keep_the_digits_of_their_discrepancy() {
    let folder = Folder::new();
    let values = |seed| noise(N * D, seed).into_iter().map(|v| 1.0 + 1e-5 * v).collect::<Vec<_>>();
    let (of_x, of_y) = (values(3), values(4));
    folder.npy("x.npy", &of_x, N, D);
    folder.npy("y.npy", &of_y, N, D);
    let (x, y) = (rows(&of_x, D, true), rows(&of_y, D, true));
    for order in ["0.5,2", "2,0.5"] {
        let report = folder.json(&["x.npy", "y.npy", "--t", order]);
        for row in report["sweep"].as_array().unwrap() {
            let t = row["t"].as_f64().unwrap();
            let loss = |a: &[f64], b: &[f64]| {
                -(-t * a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()).exp_m1()
            };
            let mean = |x: &[Vec<f64>], y: &[Vec<f64>]| {
                let distinct = (0..N).flat_map(|i| (0..N).filter(move |&j| j != i).map(move |j| (i, j)));
                distinct.map(|(i, j)| loss(&x[i], &y[j])).sum::<f64>() / (N * (N - 1)) as f64
            };
            let want = 2.0 * mean(&x, &y) - mean(&x, &x) - mean(&y, &y);
            let got = row["squared_mmd"].as_f64().unwrap();
            assert!((got / want - 1.0).abs() < 1e-3, "t = {t}: {got:e}, not {want:e}");
        }
    }
}

/// The Gaussian potential of the very pairs that the loss is made of.
#[test]
fn uniformity_of_negatives() {
    let (folder, x, y) = pairs();
    folder.npy("queue.npy", &noise(8 * D, 3), 8, D);
    let (tau, t) = ("0.2", 2.5);
    let (across, of_x, of_y) = (unpaired_uniformity(&x, &y, t), uniformity(&x, t), uniformity(&y, t));
    let views = (of_x.exp() / 4.0 + of_y.exp() / 4.0 + across.exp() / 2.0).ln();
    for (candidates, expected) in [("one-way", across), ("both-ways", across), ("views", views)] {
        let line = ["x.npy", "y.npy", "--tau", tau, "--candidates", candidates, "--estimator", "v"];
        let matching = &folder.json(&line)["contrastive"][0]["matching"];
        assert_eq!(matching["t"], t);
        near(&matching["x"], of_x);
        near(&matching["mean"], (of_x + of_y) / 2.0);
        near(&matching["cross"], cross_uniformity(&x, &y, t));
        near(&matching["negatives"], expected);
    }
    for more in [["--queue", "queue.npy"].as_slice(), &["--raw"]] {
        let report = folder.json(&[&["x.npy", "y.npy", "--tau", tau], more].concat());
        assert_eq!(report["contrastive"][0]["matching"]["negatives"], Value::Null);
    }
}

/// Loss, alignment and uniformity of x looking for y.
#[test]
fn terms_of_the_contrastive_loss() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--tau", "0.2", "--candidates", "one-way"]);
    let logit = |i: usize, j: usize| x[i].iter().zip(&y[j]).map(|(a, b)| a * b).sum::<f64>() / 0.2;
    let loss = |i: usize| (0..N).map(|j| logit(i, j).exp()).sum::<f64>().ln() - logit(i, i);
    let spread = |i: usize| mean((0..N).filter(|&j| j != i).map(|j| logit(i, j).exp())).ln();
    let [loss, alignment, uniformity] =
        [mean((0..N).map(loss)), -mean((0..N).map(|i| logit(i, i))), mean((0..N).map(spread))];
    let found = &report["contrastive"][0];
    near(&found["loss"], loss);
    near(&found["alignment"], alignment);
    near(&found["uniformity"], uniformity);
    near(&found["residual"], loss - ((N - 1) as f64).ln() - alignment - uniformity);
}

#[test]
fn with_the_diagonal() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--estimator", "v", "--t", "2,7"]);
    let v = |x: &Rows, t: f64| cross_uniformity(x, x, t);
    assert_eq!(
        (&report["uniformity"]["estimator"], &report["uniformity"]["pairs"]),
        (&"V".into(), &(N * N).into())
    );
    near(&report["uniformity"]["x"], v(&x, 2.0));
    near(&report["uniformity"]["y"], v(&y, 2.0));
    let both = [x.clone(), y.clone()].concat();
    for (i, t) in [2.0, 7.0].into_iter().enumerate() {
        near(&report["sweep"][i]["x"], v(&x, t));
        near(&report["sweep"][i]["pooled"], v(&both, t));
        near(&report["sweep"][i]["cross"], cross_uniformity(&x, &y, t));
    }
    let (least, value) = (&report["uniformity"]["least"], &report["uniformity"]["x"]);
    assert!(least.as_f64() >= report["uniformity"]["floor"].as_f64() && least.as_f64() < value.as_f64());
}

#[test]
fn weights_of_rows_and_pairs() {
    let (folder, x, y) = pairs();
    let weights: Vec<f64> = (0..N).map(|i| (i % 5) as f64 * 0.75).collect();
    floats(&folder, "weights.npy", &weights);
    for estimator in ["u", "v"] {
        let line = [
            "x.npy",
            "y.npy",
            "--weights",
            "weights.npy",
            "--t",
            "2,6",
            "--alpha",
            "3",
            "--estimator",
            estimator,
        ];
        let report = folder.json(&line);
        let of = |x: &Rows, t: f64| match estimator {
            "u" => weighted_uniformity(x, &weights, t),
            _ => {
                let terms = (0..N).flat_map(|i| (0..N).map(move |j| (i, j)));
                let sum: f64 = terms.map(|(i, j)| weights[i] * weights[j] * kernel(&x[i], &x[j], t)).sum();
                (sum / weights.iter().sum::<f64>().powi(2)).ln()
            }
        };
        near(&report["uniformity"]["x"], of(&x, 2.0));
        near(&report["uniformity"]["y"], of(&y, 2.0));
        near(&report["sweep"][1]["x"], of(&x, 6.0));
        let powers = |i: usize| distance(&x[i], &y[i]).powi(3);
        let sum: f64 = weights.iter().sum();
        let value = (0..N).map(|i| weights[i] * powers(i)).sum::<f64>() / sum;
        let squares: f64 = (0..N).map(|i| (weights[i] * (powers(i) - value)).powi(2)).sum();
        near(&report["alignment"]["value"], value);
        near(&report["alignment"]["standard_error"], squares.sqrt() / sum);
        near(&report["alignment"]["high"], value + 1.959_964 * squares.sqrt() / sum);
        // Every fifth weighs nothing.
        let counted = (0..N).filter(|i| i % 5 != 0).count();
        let pairs = if estimator == "u" { counted * (counted - 1) / 2 } else { counted * counted };
        assert_eq!(
            (&report["alignment"]["pairs"], &report["uniformity"]["pairs"]),
            (&counted.into(), &pairs.into())
        );
        assert_eq!(report["uniformity"]["least"], Value::Null);
        let report = folder.json(&["x.npy", "y.npy", "--weights", "weights.npy", "--full"]);
        let apart = report["offenders"]["apart"].as_array().unwrap();
        assert!(apart.iter().all(|pair| pair["row"].as_u64().unwrap() % 5 != 0));
        let histogram = report["histograms"]["distances"]["counts"].as_array().unwrap();
        assert_eq!(histogram.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), counted as u64);
        assert_eq!(
            (&report["weights"], &report["sweep"][0]["cross"]),
            (&"rows and pairs".into(), &Value::Null)
        );
        assert!(report["absent"]["/sweep/0/cross"].as_str().is_some_and(|reason| reason.contains("weights")));
    }
}

#[test]
fn intervals() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy"]);
    // The jackknife, each row left out in turn.
    let without = |i: usize| {
        let left: Rows = x.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, row)| row.clone()).collect();
        uniformity(&left, 2.0).exp()
    };
    let left: Vec<f64> = (0..N).map(without).collect();
    let centre = mean(left.iter().copied());
    let variance = (N - 1) as f64 / N as f64 * left.iter().map(|value| (value - centre).powi(2)).sum::<f64>();
    // Of the mean potential; that of its log is the quotient.
    let expected = variance.sqrt() / uniformity(&x, 2.0).exp();
    let of_x = &report["uniformity"]["of_x"];
    assert!(
        (of_x["standard_error"].as_f64().unwrap() / expected - 1.0).abs() < 1e-3,
        "{of_x}, not {expected}"
    );

    let squares = || x.iter().zip(&y).map(|(x, y)| distance(x, y).powi(2));
    let a = mean(squares());
    let error = (squares().map(|square| (square - a).powi(2)).sum::<f64>() / ((N - 1) * N) as f64).sqrt();
    near(&report["alignment"]["standard_error"], error);
    // Student's t with 40 degrees of freedom.
    near(&report["alignment"]["low"], a - 2.021_075_39 * error);
    near(&report["alignment"]["high"], a + 2.021_075_39 * error);
}

#[test]
fn groups() {
    let (folder, x, y) = pairs();
    // The last row is a group of its own.
    let label = |i: usize| if i == N - 1 { 9 } else { i as i64 % 3 - 1 };
    folder.column(
        "labels.npy",
        ">i2",
        &(0..N).flat_map(|i| (label(i) as i16).to_be_bytes()).collect::<Vec<_>>(),
    );
    let report = folder.json(&["x.npy", "y.npy", "--labels", "labels.npy", "--across-groups"]);
    let groups = &report["groups"];
    assert_eq!(groups["labels"], serde_json::json!([-1, 0, 1, 9]));
    let of = |set: &Rows, group: i64| -> Rows {
        (0..N).filter(|&i| label(i) == group).map(|i| set[i].clone()).collect()
    };
    for (a, group) in [-1, 0, 1, 9].into_iter().enumerate() {
        assert_eq!(groups["sizes"][a], of(&x, group).len());
        near(&groups["alignment"][a], alignment(&of(&x, group), &of(&y, group), 2.0));
        for (name, set) in [("x", &x), ("y", &y)] {
            for (b, other) in [-1, 0, 1, 9].into_iter().enumerate() {
                let found = &groups["uniformity"][name][a][b];
                match (a == b, a) {
                    (true, 3) => assert_eq!(found, &Value::Null),
                    (true, _) => near(found, uniformity(&of(set, group), 2.0)),
                    _ => near(found, cross_uniformity(&of(set, group), &of(set, other), 2.0)),
                }
            }
        }
    }
    let plain = folder.json(&["x.npy", "y.npy", "--labels", "labels.npy"]);
    assert_eq!(plain["groups"]["uniformity"], Value::Null);
    for name in ["x", "y"] {
        let own: Vec<_> = (0..4).map(|a| groups["uniformity"][name][a][a].clone()).collect();
        assert_eq!(groups["within"][name], Value::Array(own.clone()));
        assert_eq!(plain["groups"]["within"][name], Value::Array(own));
    }
    assert!(plain["absent"]["/groups/within/x/3"].is_string());
    assert!(
        report["absent"]["/groups/uniformity/x/3/3"]
            .as_str()
            .is_some_and(|reason| reason.contains("one row"))
    );

    let report = folder.json(&["x.npy", "--labels", "labels.npy", "--estimator", "v", "--across-groups"]);
    let (groups, first) = (&report["groups"], of(&x, -1));
    assert_eq!(groups["estimator"], "V");
    near(&groups["uniformity"]["x"][0][0], cross_uniformity(&first, &first, 2.0));
    near(&groups["uniformity"]["x"][0][1], cross_uniformity(&first, &of(&x, 0), 2.0));
    near(&groups["uniformity"]["x"][3][3], 0.0);
}

/// The mean of ‖x−x′‖^α over the pairs of rows of one label.
fn alignment_by_label(x: &Rows, label: impl Fn(usize) -> i64, alpha: f64) -> f64 {
    let pairs = || (0..x.len()).flat_map(|i| (i + 1..x.len()).map(move |j| (i, j)));
    let alike: Vec<_> = pairs().filter(|&(i, j)| label(i) == label(j)).collect();
    alike.iter().map(|&(i, j)| distance(&x[i], &x[j]).powf(alpha)).sum::<f64>() / alike.len() as f64
}

#[test]
fn losses_of_labels_and_of_pairs() {
    let (folder, x, y) = pairs();
    let label = |i: usize| if i == N - 1 { 9 } else { i as i64 % 3 };
    folder.column("labels.npy", "|u1", &(0..N).map(|i| label(i) as u8).collect::<Vec<_>>());
    let report = folder.json(&["x.npy", "y.npy", "--labels", "labels.npy", "--alpha", "1"]);
    near(&report["groups"]["alignment_by_label"]["x"], alignment_by_label(&x, label, 1.0));
    near(&report["groups"]["alignment_by_label"]["y"], alignment_by_label(&y, label, 1.0));
    let report = folder.json(&["x.npy", "--labels", "labels.npy", "--supcon", "0.5,0.1"]);
    near(&report["groups"]["alignment_by_label"]["x"], alignment_by_label(&x, label, 2.0));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    // One set, and two views of the same rows.
    let both: Rows = x.iter().chain(&y).cloned().collect();
    let supcon = |z: &Rows, tau: f64| {
        let positive = |i: usize, p: usize| p != i && label(i % N) == label(p % N);
        let all = z.len();
        let anchors: Vec<_> = (0..all).filter(|&i| (0..all).any(|p| positive(i, p))).collect();
        let of_anchor = |&i: &usize| {
            let others = (0..all).filter(|&a| a != i);
            let sum: f64 = others.map(|a| (dot(&z[i], &z[a]) / tau).exp()).sum();
            let terms: Vec<_> =
                (0..all).filter(|&p| positive(i, p)).map(|p| sum.ln() - dot(&z[i], &z[p]) / tau).collect();
            terms.iter().sum::<f64>() / terms.len() as f64
        };
        (anchors.iter().map(of_anchor).sum::<f64>() / anchors.len() as f64, anchors.len())
    };
    for (row, tau) in [0.5, 0.1].into_iter().enumerate() {
        near(&report["supcon"]["rows"][row]["loss"], supcon(&x, tau).0);
        near(&report["supcon"]["rows"][row]["tau"], tau);
    }
    assert_eq!((&report["supcon"]["views"], &report["supcon"]["anchors"]), (&1.into(), &(N - 1).into()));
    let line = [
        "x.npy",
        "y.npy",
        "--labels",
        "labels.npy",
        "--supcon",
        "0.2",
        "--sigmoid",
        "10,-10",
        "--sigmoid",
        "3,0.5",
    ];
    let report = folder.json(&line);
    near(&report["supcon"]["rows"][0]["loss"], supcon(&both, 0.2).0);
    assert_eq!((&report["supcon"]["views"], &report["supcon"]["anchors"]), (&2.into(), &(2 * N).into()));
    for (row, (scale, bias)) in [(10.0, -10.0), (3.0, 0.5)].into_iter().enumerate() {
        let term = |i: usize, j: usize| {
            let z = if i == j { 1.0 } else { -1.0 };
            (-z * (scale * dot(&x[i], &y[j]) + bias)).exp().ln_1p()
        };
        let loss = (0..N).flat_map(|i| (0..N).map(move |j| term(i, j))).sum::<f64>() / N as f64;
        let found = &report["sigmoid"][row];
        let value = found["loss"].as_f64().unwrap();
        assert!((value - loss).abs() < 1e-6 * loss, "{value} for {loss}");
        assert_eq!((found["scale"].as_f64(), found["bias"].as_f64()), (Some(scale), Some(bias)));
    }
    let output = folder.eval(&line);
    let text = stdout(&output);
    for part in
        ["sigmoid loss", "supervised contrastive", "82 anchors of both views", "Alignment by label of y: "]
    {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

/// Groups of rows that count by their weights: against the formulas, and against files in which rows are missing or there twice.
#[test]
fn labels_and_weights_go_together() {
    let (folder, x, y) = pairs();
    let label = |i: usize| if i == N - 1 { 9 } else { i as i64 % 3 };
    // The rows of label 2 all have the weight 0.
    let weight = |i: usize| if label(i) == 2 { 0.0 } else { [1.0, 0.5, 3.0, 0.0, 2.0][i % 5] };
    folder.column("labels.npy", "|u1", &(0..N).map(|i| label(i) as u8).collect::<Vec<_>>());
    let column = |name: &str, weight: &dyn Fn(usize) -> f64| {
        let bytes: Vec<u8> = (0..N).flat_map(|i| weight(i).to_le_bytes()).collect();
        folder.column(name, "<f8", &bytes);
    };
    column("weights.npy", &weight);
    column("ones.npy", &|_| 4.0);
    let line = ["x.npy", "y.npy", "--labels", "labels.npy", "--alpha", "1", "--across-groups"];
    let with = |more: &[&str]| folder.json(&[&line, more].concat());
    let report = with(&["--weights", "weights.npy"]);
    let groups = &report["groups"];
    let names = [0, 1, 2, 9];
    let members =
        |group: usize| (0..N).filter(|&i| label(i) == names[group] && weight(i) > 0.0).collect::<Vec<_>>();
    for (set, name) in [(&x, "x"), (&y, "y")] {
        let pairs = || (0..N).flat_map(|i| (i + 1..N).map(move |j| (i, j)));
        let alike: Vec<_> = pairs().filter(|&(i, j)| label(i) == label(j)).collect();
        let both = |&(i, j): &(usize, usize)| weight(i) * weight(j);
        let sum: f64 = alike.iter().map(|pair| both(pair) * distance(&set[pair.0], &set[pair.1])).sum();
        near(&groups["alignment_by_label"][name], sum / alike.iter().map(both).sum::<f64>());
        for a in 0..4 {
            let of_a = members(a);
            let within = &groups["within"][name][a];
            if of_a.len() < 2 {
                assert_eq!(within, &Value::Null);
            } else {
                let points: Rows = of_a.iter().map(|&i| set[i].clone()).collect();
                let weights: Vec<_> = of_a.iter().map(|&i| weight(i)).collect();
                near(within, weighted_uniformity(&points, &weights, 2.0));
            }
            for b in (0..4).filter(|&b| b != a) {
                let cross: Vec<_> =
                    of_a.iter().flat_map(|&i| members(b).into_iter().map(move |j| (i, j))).collect();
                let found = &groups["uniformity"][name][a][b];
                if cross.is_empty() {
                    assert_eq!(found, &Value::Null);
                    continue;
                }
                let terms = cross.iter().map(|pair| both(pair) * kernel(&set[pair.0], &set[pair.1], 2.0));
                near(found, (terms.sum::<f64>() / cross.iter().map(both).sum::<f64>()).ln());
            }
        }
    }
    for a in 0..4 {
        let of_a = members(a);
        assert_eq!(groups["sizes"][a], of_a.len());
        let total: f64 = of_a.iter().map(|&i| weight(i)).sum();
        let sum: f64 = of_a.iter().map(|&i| weight(i) * distance(&x[i], &y[i])).sum();
        match of_a.len() {
            0 => assert_eq!(groups["alignment"][a], Value::Null),
            _ => near(&groups["alignment"][a], sum / total),
        }
    }
    assert!(
        report["absent"]["/groups/alignment/2"].as_str().is_some_and(|reason| reason.contains("weight 0"))
    );
    // Equal weights are none.
    let (plain, equal) = (with(&[]), with(&["--weights", "ones.npy"]));
    assert_eq!(plain["groups"]["sizes"], equal["groups"]["sizes"]);
    for path in ["/alignment_by_label/x", "/within/y/1", "/uniformity/x/0/1", "/alignment/3"] {
        let [plain, equal] =
            [&plain, &equal].map(|report| report["groups"].pointer(path).unwrap().as_f64().unwrap());
        assert!((plain - equal).abs() < 1e-6, "{path}: {plain} and {equal}");
    }
    // With the diagonal, a row of weight 2 is a row that is there twice.
    let twice = |i: usize| if i.is_multiple_of(2) { 1 } else { 2 };
    column("twice.npy", &|i| f64::from(twice(i)));
    let repeated: Vec<_> = (0..N).flat_map(|i| std::iter::repeat_n(i, twice(i) as usize)).collect();
    let values: Vec<f32> = repeated.iter().flat_map(|&i| x[i].iter().map(|&v| v as f32)).collect();
    folder.npy("repeated.npy", &values, repeated.len(), x[0].len());
    let labels: Vec<_> = repeated.iter().map(|&i| label(i) as u8).collect();
    folder.column("repeated_labels.npy", "|u1", &labels);
    let once =
        folder.json(&["x.npy", "--labels", "labels.npy", "--weights", "twice.npy", "--estimator", "v"]);
    let copies = folder.json(&["repeated.npy", "--labels", "repeated_labels.npy", "--estimator", "v"]);
    for a in 0..3 {
        near(&once["groups"]["within"]["x"][a], copies["groups"]["within"]["x"][a].as_f64().unwrap());
    }
    let text = folder.eval(&[&line[..], &["--weights", "weights.npy"]].concat());
    for part in [
        "the weighted mean of |x-x'|^1",
        "product of their weights",
        "all rows of the group have the weight 0",
    ] {
        assert!(stdout(&text).contains(part), "'{part}' is not in:\n{}", stdout(&text));
    }
    let supcon = ["x.npy", "--labels", "labels.npy", "--weights", "weights.npy", "--supcon", "0.1"];
    refused(
        &folder.eval(&supcon),
        2,
        &["--supcon", "no one form with weights", "leave out --supcon or --weights"],
    );
}

/// As many groups as pairs of rows take no matrix of groups by groups.
#[test]
fn thousands_of_groups() {
    let folder = Folder::new();
    const ROWS: usize = 18_000;
    folder.npy("x.npy", &noise(ROWS * 2, 1), ROWS, 2);
    let labels = (0..ROWS).flat_map(|i| (i as u32 / 2).to_le_bytes());
    folder.column("labels.npy", "<u4", &labels.collect::<Vec<_>>());
    let report = folder.json(&["x.npy", "--labels", "labels.npy"]);
    assert_eq!(report["groups"]["within"]["x"].as_array().map(Vec::len), Some(ROWS / 2));
    assert!(report["groups"]["alignment_by_label"]["x"].as_f64().is_some_and(|value| value > 0.0));
}

/// log mean over j ≠ i of exp(−t‖xᵢ−xⱼ‖²).
fn potential(x: &Rows, i: usize) -> f64 {
    mean((0..x.len()).filter(|&j| j != i).map(|j| kernel(&x[i], &x[j], 2.0))).ln()
}

#[test]
fn offenders_and_the_table_of_rows() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--top", "5", "--rows", "rows.npy"]);
    assert_eq!(
        report["rows_file"]["columns"],
        serde_json::json!(["row", "potential_x", "potential_y", "distance"])
    );
    let bytes = fs::read(folder.path().join("rows.npy")).unwrap();
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (41, 4), }";
    assert!(bytes[10..].starts_with(header.as_bytes()));
    let table: Vec<f64> =
        bytes[bytes.len() - N * 32..].as_chunks().0.iter().map(|&value| f64::from_le_bytes(value)).collect();
    for (i, row) in table.chunks(4).enumerate() {
        let expected = [i as f64, potential(&x, i), potential(&y, i), distance(&x[i], &y[i])];
        assert!(row.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{row:?}");
    }
    for (name, set) in [("x", &x), ("y", &y)] {
        let mut all: Vec<_> = (0..N).map(|i| (i, potential(set, i))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (found, (row, value)) in report["offenders"]["crowded"][name].as_array().unwrap().iter().zip(&all)
        {
            assert_eq!(found["row"], *row);
            near(&found["potential"], *value);
        }
    }
    let apart = report["offenders"]["apart"].as_array().unwrap();
    let mut all: Vec<_> = (0..N).map(|i| (i, distance(&x[i], &y[i]))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    assert_eq!(apart.len(), 5);
    apart.iter().zip(&all).for_each(|(found, (row, _))| assert_eq!(found["row"], *row));
}

#[test]
fn duplicates() {
    let (folder, ..) = pairs();
    let mut values = noise(30 * D, 5);
    values.copy_within(0..D, 7 * D);
    values.copy_within(0..D, 20 * D);
    values.copy_within(3 * D..4 * D, 9 * D);
    values[9 * D] += 1e-3;
    folder.npy("copies.npy", &values, 30, D);
    let report = folder.json(&["copies.npy", "--near", "0.05"]);
    let found = &report["duplicates"]["x"];
    assert_eq!((&found["equal_rows"], &found["equal"]), (&2.into(), &serde_json::json!([[0, 7, 20]])));
    let unit = rows(&values, D, true);
    let close = (0..30).flat_map(|i| (i + 1..30).map(move |j| (i, j)));
    let close: Vec<_> = close.filter(|&(i, j)| distance(&unit[i], &unit[j]) <= 0.05).collect();
    assert!(close.contains(&(3, 9)) && found["close_pairs"] == close.len(), "{found}");
    for (found, (i, j)) in found["close"].as_array().unwrap().iter().zip(close) {
        assert_eq!((&found[0], &found[1]), (&i.into(), &j.into()));
        near(&found[2], distance(&unit[i], &unit[j]));
    }

    // Twice the length: as close as can be, and not equal.
    values.copy_within(5 * D..6 * D, 11 * D);
    values[11 * D..12 * D].iter_mut().for_each(|v| *v *= 2.0);
    folder.npy("lengths.npy", &values, 30, D);
    let output = folder.eval(&["lengths.npy", "--near", "1e-9"]);
    let text = stdout(&output);
    assert!(text.contains("x: 0 = 7 = 20, 5 ~ 11 (0"), "{text}");
}

#[test]
fn histograms_count_every_pair() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--full"]);
    let counts = |histogram: &Value| -> Vec<u64> {
        histogram["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
    };
    let mut expected = vec![0; 50];
    (0..N).for_each(|i| expected[(distance(&x[i], &y[i]) * 25.0) as usize] += 1);
    assert_eq!(counts(&report["histograms"]["distances"]), expected);
    let mut expected = vec![0; 50];
    for (i, j) in (0..N).flat_map(|i| (i + 1..N).map(move |j| (i, j))) {
        let cosine: f64 = x[i].iter().zip(&x[j]).map(|(a, b)| a * b).sum();
        expected[((cosine + 1.0) * 25.0) as usize] += 1;
    }
    assert_eq!(counts(&report["histograms"]["cosines"]["x"]), expected);
}

#[test]
fn the_spectrum() {
    let (folder, x, _) = pairs();
    let report = folder.json(&["x.npy", "--full"]);
    let centre: Vec<f64> = (0..D).map(|k| mean(x.iter().map(|row| row[k]))).collect();
    let covariance =
        |k: usize, l: usize| mean(x.iter().map(|row| (row[k] - centre[k]) * (row[l] - centre[l])));
    let found = &report["spectrum"]["x"];
    near(&found["mean_norm"], centre.iter().map(|value| value * value).sum::<f64>().sqrt());
    let trace: f64 = (0..D).map(|k| covariance(k, k)).sum();
    let squares: f64 =
        (0..D).flat_map(|k| (0..D).map(move |l| (k, l))).map(|(k, l)| covariance(k, l).powi(2)).sum();
    near(&found["participation_ratio"], trace * trace / squares);
    let values: Vec<f64> =
        found["eigenvalues"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert!((values.iter().sum::<f64>() - trace).abs() < 1e-6);
    let entropy: f64 = values.iter().map(|v| -v / trace * (v / trace).ln()).sum();
    near(&found["effective_rank"], entropy.exp());
    let shares = singular_values(&x);
    let sum: f64 = shares.iter().sum();
    let entropy: f64 = shares.iter().map(|v| v / sum + 1e-7).map(|p| -p * p.ln()).sum();
    near(&found["rank_me"], entropy.exp());
    let roots: f64 = values.iter().map(|v| v.sqrt()).sum();
    let squared = centre.iter().map(|v| v * v).sum::<f64>() + 1.0 + trace - 2.0 / (D as f64).sqrt() * roots;
    near(&found["wasserstein"], squared.sqrt());
}

/// The singular values of rows: the lengths of their columns, turned against each other until they are orthogonal.
fn singular_values(x: &Rows) -> Vec<f64> {
    let mut columns: Rows = (0..D).map(|k| x.iter().map(|row| row[k]).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for _ in 0..30 {
        for (a, b) in (0..D).flat_map(|a| (a + 1..D).map(move |b| (a, b))) {
            let (u, v) = (columns[a].clone(), columns[b].clone());
            let (sin, cos) = ((2.0 * dot(&u, &v)).atan2(dot(&u, &u) - dot(&v, &v)) / 2.0).sin_cos();
            columns[a] = u.iter().zip(&v).map(|(u, v)| u * cos + v * sin).collect();
            columns[b] = u.iter().zip(&v).map(|(u, v)| v * cos - u * sin).collect();
        }
    }
    columns.iter().map(|column| dot(column, column).sqrt()).collect()
}

#[test]
fn zero_rows_can_be_skipped() {
    let folder = Folder::new();
    let mut x = noise(N * D, 1);
    let mut y = noise(N * D, 2);
    x[3 * D..4 * D].fill(0.0);
    y[3 * D..4 * D].fill(0.0);
    y[17 * D..18 * D].fill(-0.0);
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &y, N, D);
    let weights: Vec<f64> = (0..N).map(|i| 1.0 + i as f64).collect();
    floats(&folder, "weights.npy", &weights);
    let kept: Vec<_> = (0..N).filter(|i| ![3, 17].contains(i)).collect();
    let left = |values: &[f32]| -> Rows {
        let rows = rows(values, D, true);
        kept.iter().map(|&i| rows[i].clone()).collect()
    };
    let report = folder.json(&["x.npy", "y.npy", "--zero-rows", "skip", "--rows", "rows.npy", "--top", "39"]);
    assert_eq!((&report["rows"], &report["skipped"]["rows"]), (&(N - 2).into(), &serde_json::json!([3, 17])));
    near(&report["uniformity"]["x"], uniformity(&left(&x), 2.0));
    near(&report["alignment"]["value"], alignment(&left(&x), &left(&y), 2.0));
    // Rows keep the numbers that they have in the files.
    let mut named: Vec<_> = report["offenders"]["apart"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["row"].as_u64().unwrap() as usize)
        .collect();
    named.sort_unstable();
    assert_eq!(named, kept);

    let labels: Vec<u8> = (0..N).map(|i| u8::from(i > 9)).collect();
    folder.column("labels.npy", "|u1", &labels);
    let mut queue = noise(9 * D, 3);
    queue[4 * D..5 * D].fill(0.0);
    folder.npy("queue.npy", &queue, 9, D);
    let line = [
        "x.npy",
        "y.npy",
        "--zero-rows",
        "skip",
        "--labels",
        "labels.npy",
        "--tau",
        "1",
        "--queue",
        "queue.npy",
    ];
    let report = folder.json(&line);
    assert_eq!(report["groups"]["sizes"], serde_json::json!([9, N - 11]));
    near(&report["groups"]["within"]["x"][0], uniformity(&left(&x)[..9], 2.0));
    assert_eq!(
        (&report["skipped"]["queue"], &report["contrastive"][0]["queue"]),
        (&serde_json::json!([4]), &8.into())
    );
    assert_eq!(report["contrastive"][0]["negatives"], N - 3 + 8);

    let line = ["x.npy", "y.npy", "--zero-rows", "skip", "--weights", "weights.npy"];
    let report = folder.json(&line);
    let weights: Vec<f64> = kept.iter().map(|&i| weights[i]).collect();
    near(&report["uniformity"]["y"], weighted_uniformity(&left(&y), &weights, 2.0));
    let output = folder.eval(&line);
    assert!(stdout(&output).contains("skipped 2 rows of zeros: 3, 17\n"), "{}", stdout(&output));
}

/// Whatever is asked for, the text says how it was computed, and has no number that is none.
#[test]
fn texts_say_how() {
    let (folder, ..) = pairs();
    folder.npy("queue.npy", &noise(8 * D, 3), 8, D);
    floats(&folder, "weights.npy", &[2.0; N]);
    folder.column("labels.npy", "|u1", &[0; N]);
    folder.column("nine.npy", "|u1", &(0..N).map(|i| (i % 9) as u8).collect::<Vec<_>>());
    folder.column("many.npy", "|u1", &(0..N).map(|i| (i % 25) as u8).collect::<Vec<_>>());
    folder.npy("zero.npy", &[&[0.0; D], &noise(2 * D, 4)[..]].concat(), 3, D);
    let lines: [(&[&str], &[&str]); 15] = [
        (
            &["x.npy", "y.npy", "--labels", "nine.npy", "--protocol", "simcse", "--weights", "weights.npy"],
            &["Weights are of pairs alone: alignment of each group is their weighted mean"],
        ),
        (&["x.npy", "--labels", "nine.npy", "--across-groups"], &["matrix across groups is in --json"]),
        (&["x.npy", "--labels", "many.npy"], &["and 1 group more", "--across-groups adds it"]),
        (&["zero.npy", "--zero-rows", "skip"], &["skipped 1 row of zeros: 0", "it takes three rows"]),
        (
            &["x.npy", "y.npy", "--tau", "0.07", "--queue", "queue.npy"],
            &["82 anchors with M negatives each, 8 of them from the queue", "-  no U(t): it is not measured"],
        ),
        (&["x.npy", "y.npy", "--protocol", "simcse"], &["Without --scores, all pairs count as positives"]),
        (
            &["x.npy", "y.npy", "--weights", "weights.npy", "--full"],
            &[
                "weighted mean over the positive pairs",
                "log weighted mean",
                "not weighted: potentials",
                "-  no squared MMD",
            ],
        ),
        (
            &["x.npy", "x.npy", "--raw", "--t", "1e30", "--alpha", "1e-300", "--full"],
            &["t = 1e30", "alpha = 1e-300"],
        ),
        (&["x.npy"], &["n = 41, d = 4", "t = 2", "U-statistic", "cpu: ", "820"]),
        (&["x.npy", "--t", "3,3"], &["t = 3"]),
        (
            &["x.npy", "y.npy", "--full"],
            &["MMD", "tau = 0.07", "p-value", "Wasserstein", "cosines within y", "pairs apart"],
        ),
        (&["x.npy", "y.npy", "--full", "--raw"], &["raw points have no floor", "raw points have no cosines"]),
        (
            &["x.npy", "y.npy", "--protocol", "moco", "--queue", "queue.npy"],
            &["protocol moco", "3 * alignment", "moco_align_uniform"],
        ),
        (
            &["x.npy", "y.npy", "--weights", "weights.npy", "--estimator", "v"],
            &["weights.npy, of rows and pairs", "V-statistic", "-  "],
        ),
        (&["x.npy", "--labels", "labels.npy", "--across-groups"], &["within x", "across x"]),
    ];
    for (line, parts) in lines {
        let output = folder.eval(line);
        let text = stdout(&output);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{line:?}");
        for part in parts {
            assert!(text.contains(part), "'{part}' is not in:\n{text}");
        }
        assert!(
            line.contains(&"--weights") || text.contains("by the jackknife") || line.contains(&"zero.npy")
        );
        assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    }
}

/// The rank of the partner of each row among all rows of the other set.
fn ranks(x: &Rows, y: &Rows) -> Vec<f64> {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let above = |x: &Vec<f64>, of: &Vec<f64>| y.iter().filter(|y| product(x, y) > product(x, of)).count();
    x.iter().zip(y).map(|(x, of)| 1.0 + above(x, of) as f64).collect()
}

#[test]
fn retrieval_both_ways() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--retrieval", "--rows", "rows.npy"]);
    assert_eq!(report["retrieval"]["candidates"], N);
    for (way, ranks) in [("x_to_y", ranks(&x, &y)), ("y_to_x", ranks(&y, &x))] {
        let found = &report["retrieval"][way];
        for (i, k) in [1.0, 5.0, 10.0].into_iter().enumerate() {
            let recall = mean(ranks.iter().map(|&rank| f64::from(rank <= k)));
            assert_eq!(found["recall"][i]["k"], k);
            ["value", "least", "greatest"].iter().for_each(|key| near(&found["recall"][i][key], recall));
        }
        let mut sorted = ranks.clone();
        sorted.sort_by(f64::total_cmp);
        near(&found["mean_rank"], mean(ranks.iter().copied()));
        near(&found["median_rank"], sorted[N / 2]);
        near(&found["mean_reciprocal_rank"], mean(ranks.iter().map(|rank| 1.0 / rank)));
        assert_eq!(found["tied"], 0);
    }
    let columns = ["row", "potential_x", "potential_y", "distance", "rank_x_to_y", "rank_y_to_x"];
    assert_eq!(report["rows_file"]["columns"], serde_json::json!(columns));
    let table = fs::read(folder.path().join("rows.npy")).unwrap();
    let values: Vec<_> = table[table.len() - 8 * N * columns.len()..].as_chunks().0.iter().collect();
    let column = |k: usize| values.iter().skip(k).step_by(6).map(|&&value| f64::from_le_bytes(value));
    assert_eq!(column(4).collect::<Vec<_>>(), ranks(&x, &y));
    assert_eq!(column(5).collect::<Vec<_>>(), ranks(&y, &x));
}

#[test]
fn ties_of_retrieval_are_told() {
    let folder = Folder::new();
    // Four images of which each stands there twice, with two captions.
    let images: Vec<f32> = noise(4 * D, 21).chunks(D).flat_map(|row| row.repeat(2)).collect();
    folder.npy("images.npy", &images, 8, D);
    let report = folder.json(&["images.npy", "images.npy", "--retrieval"]);
    for way in ["x_to_y", "y_to_x"] {
        let recall = |i: usize| &report["retrieval"][way]["recall"][i];
        for (key, value) in [("value", 0.5), ("least", 0.0), ("greatest", 1.0)] {
            near(&recall(0)[key], value);
            near(&recall(1)[key], 1.0);
        }
        near(&report["retrieval"][way]["mean_rank"], 1.5);
        assert_eq!(report["retrieval"][way]["tied"], 8);
    }
    let text = folder.eval(&["images.npy", "images.npy", "--retrieval"]);
    assert!(stdout(&text).contains("x to y: recall is 0.000000 to 1.000000 at 1"), "{}", stdout(&text));
}

#[test]
fn the_modality_gap_is_measured_along_its_direction() {
    let folder = Folder::new();
    let cap = |sign: f32, seed| {
        noise(N * D, seed).into_iter().enumerate().map(move |(k, v)| if k % D == 0 { sign } else { 0.3 * v })
    };
    let (of_x, of_y): (Vec<f32>, Vec<f32>) = (cap(1.0, 31).collect(), cap(-1.0, 32).collect());
    folder.npy("x.npy", &of_x, N, D);
    folder.npy("y.npy", &of_y, N, D);
    let (x, y) = (rows(&of_x, D, true), rows(&of_y, D, true));
    let centre = |rows: &Rows| (0..D).map(|k| mean(rows.iter().map(|row| row[k]))).collect::<Vec<_>>();
    let report = folder.json(&["x.npy", "y.npy", "--retrieval"]);
    near(&report["modality_gap"]["distance"], distance(&centre(&x), &centre(&y)));
    assert_eq!(report["modality_gap"]["separation"], 1.0);
    let same = folder.json(&["x.npy", "x.npy", "--full"]);
    assert_eq!(same["modality_gap"], serde_json::json!({"distance": 0.0, "separation": 0.5}));
}
