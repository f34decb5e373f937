//! Raw points in f64 that lie far from the origin: their distances are those of f64, and what rounding takes is told.

use std::fs;

use crate::support::{Folder, noise, object, program, stderr, stdout, uniformity};

const N: usize = 300;
const D: usize = 8;
const T: &str = "0.05";

/// Rows about a place, in f64: the second set lies a little off the first.
fn rows(at: f64, seed: u64) -> Vec<Vec<f64>> {
    let values = noise(N * D, seed);
    values.chunks(D).map(|row| row.iter().map(|&v| at + 3.0 * f64::from(v)).collect()).collect()
}

fn folder(at: f64) -> (Folder, Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let folder = Folder::new();
    let (x, y) = (rows(at, 1), rows(at + 0.5, 2));
    for (name, set) in [("x.npy", &x), ("y.npy", &y)] {
        let bytes: Vec<u8> = set.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        folder.write(name, "<f8", &format!("({N}, {D})"), &bytes);
    }
    let line = |row: &Vec<f64>| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
    fs::write(folder.path().join("x.csv"), x.iter().map(line).collect::<String>()).unwrap();
    (folder, x, y)
}

fn alignment(x: &[Vec<f64>], y: &[Vec<f64>]) -> f64 {
    let square = |(x, y): (&Vec<f64>, &Vec<f64>)| x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    x.iter().zip(y).map(square).sum::<f64>() / N as f64
}

#[track_caller]
fn near(found: &serde_json::Value, wanted: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - wanted).abs() < 1e-6 * wanted.abs().max(1.0), "{found} and {wanted}");
}

#[test]
fn distances_of_far_points_are_those_of_f64() {
    let (folder, x, y) = folder(1e7);
    let t: f64 = T.parse().unwrap();
    let (of_x, of_y, of_pairs) = (uniformity(&x, t), uniformity(&y, t), alignment(&x, &y));
    let raw = ["--raw", "--t", T];
    for line in [&["x.npy", "y.npy"][..], &["x.npy", "y.npy", "--max-memory", "1G"], &["x.csv", "y.npy"]] {
        let report = folder.json(&[line, &raw].concat());
        near(&report["uniformity"]["x"], of_x);
        near(&report["uniformity"]["y"], of_y);
        near(&report["alignment"]["value"], of_pairs);
        assert!(report["rounding"].is_null(), "{report}");
    }
    let estimate = folder.json(&[&["x.npy", "--tolerance", "1e-3"][..], &raw].concat());
    near(&estimate["uniformity"]["x"], of_x);
    let unpaired =
        folder.json(&[&["x.npy", "y.npy", "--unpaired", "--permutations", "9"][..], &raw].concat());
    near(&unpaired["values"][0]["y"], of_y);
    let views = folder.json(&[&["x.npy", "--views", "y.npy"][..], &raw].concat());
    near(&views["alignment"]["mean"]["value"], of_pairs);
    // A plan, its parts, and a gradient take the points as a report does.
    let run = |line: &[&str]| program().args(line).current_dir(folder.path()).output().unwrap();
    let plan = run(&[&["plan", "x.npy", "y.npy", "--parts", "1"][..], &raw].concat());
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    assert!(run(&["part", "run.plan", "1", "--out", "parts", "--device", "cpu"]).status.success());
    near(&object(&run(&["merge", "run.plan", "parts", "--json"]))["uniformity"]["y"], of_y);
    let gradient = ["gradient", "x.npy", "--of", "uniformity", "--out", "g.npy", "--device", "cpu", "--json"];
    near(&object(&run(&[&gradient[..], &raw].concat()))["value"], of_x);
}

/// Products of points are not what they are about another origin: there, points stay, and the report says what that costs.
#[test]
fn what_rounding_takes_is_told_where_points_stay() {
    let (folder, x, y) = folder(1e7);
    let t: f64 = T.parse().unwrap();
    let line = ["x.npy", "y.npy", "--raw", "--t", T, "--full"];
    for more in [&[][..], &["--max-memory", "1G"]] {
        let report = folder.json(&[&line[..], more].concat());
        for (key, found, wanted) in [
            ("x", &report["uniformity"]["x"], uniformity(&x, t)),
            ("y", &report["uniformity"]["y"], uniformity(&y, t)),
            ("alignment", &report["alignment"]["value"], alignment(&x, &y)),
        ] {
            let (moved, bound) =
                ((found.as_f64().unwrap() - wanted).abs(), report["rounding"][key].as_f64().unwrap());
            assert!(1e-3 < moved && moved <= bound && bound < 100.0 * moved, "{key}: {moved} of {bound}");
        }
        let text = folder.eval(&[&line[..], more].concat());
        assert!(stdout(&text).contains("Rounding: points have more digits"), "{}", stdout(&text));
        assert!(stderr(&text).is_empty(), "{}", stderr(&text));
    }
    let page = folder.eval(&["x.npy", "--raw", "--t", T, "--html", "page.html"]);
    assert!(page.status.success());
    assert!(
        fs::read_to_string(folder.path().join("page.html"))
            .unwrap()
            .contains("Uniformity of x may be off by")
    );
}

/// Points of f64 near the origin are as they were, and their rounding is negligible.
#[test]
fn near_points_have_no_word() {
    let (folder, x, _) = folder(0.0);
    let report = folder.json(&["x.npy", "--raw", "--t", T]);
    near(&report["uniformity"]["x"], uniformity(&x, T.parse().unwrap()));
    assert!(report["rounding"].is_null());
}

/// A set that f32 holds as it lies, or that lies elsewhere, is not moved to where it loses digits.
#[test]
fn sets_apart_stay_where_they_lie() {
    let (folder, _, y) = folder(1e7);
    let t: f64 = T.parse().unwrap();
    let near_values = noise(N * D, 5);
    folder.npy("near.npy", &near_values, N, D);
    let narrow: Vec<Vec<f64>> =
        near_values.chunks(D).map(|row| row.iter().map(|&v| v.into()).collect()).collect();
    for line in [&["near.npy", "y.npy"][..], &["near.npy", "y.npy", "--max-memory", "1G"]] {
        let report = folder.json(&[line, &["--raw", "--t", T]].concat());
        near(&report["uniformity"]["x"], uniformity(&narrow, t));
        let moved = (report["uniformity"]["y"].as_f64().unwrap() - uniformity(&y, t)).abs();
        assert!(moved > 1e-3 && moved <= report["rounding"]["y"].as_f64().unwrap(), "{moved} of {report}");
        assert!(report["rounding"]["x"].is_null(), "{report}");
    }
    let unpaired =
        folder.json(&["near.npy", "y.npy", "--unpaired", "--permutations", "9", "--raw", "--t", T]);
    near(&unpaired["values"][0]["x"], uniformity(&narrow, t));
}

/// A column that is constant in each set, and another number in the other, is between them.
#[test]
fn constants_that_differ_between_sets_keep_their_digits() {
    let folder = Folder::new();
    let set = |name: &str, constant: f64, seed: u64| {
        let mut rows = rows(0.0, seed);
        rows.iter_mut().for_each(|row| row[0] = constant);
        let bytes: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        folder.write(name, "<f8", &format!("({N}, {D})"), &bytes);
        rows
    };
    let (x, y) = (set("x.npy", 1e8 + 3.0, 1), set("y.npy", 1e8 + 5.0, 2));
    let report = folder.json(&["x.npy", "y.npy", "--raw", "--t", T]);
    near(&report["alignment"]["value"], alignment(&x, &y));
    let views = folder.json(&["x.npy", "--views", "y.npy", "--raw", "--t", T]);
    near(&views["alignment"]["mean"]["value"], alignment(&x, &y));
}

/// Half precision does not hold what is left of f16 about another origin.
#[test]
fn moved_halves_are_kept_in_full() {
    let folder = Folder::new();
    let (n, d) = (3000, 4);
    // Of f16: 1000 and some halves.
    let code = |i: usize| 0x63d0u16 + (i * 7919 % 61) as u16;
    let bytes: Vec<u8> = (0..n * d).flat_map(|i| code(i).to_le_bytes()).collect();
    folder.write("x.npy", "<f2", &format!("({n}, {d})"), &bytes);
    let y: Vec<u8> = noise(n * d, 3).iter().flat_map(|&v| (1000.0123 + f64::from(v)).to_le_bytes()).collect();
    folder.write("y.npy", "<f8", &format!("({n}, {d})"), &y);
    let line = ["--raw", "--t", T, "--tolerance", "1e-5"];
    let alone = folder.json(&[&["x.npy"][..], &line].concat());
    let beside = folder.json(&[&["x.npy", "y.npy"][..], &line].concat());
    near(&beside["uniformity"]["x"], alone["uniformity"]["x"].as_f64().unwrap());
}

#[test]
fn models_far_from_the_origin_are_compared_by_f64() {
    let (folder, x, y) = folder(1e7);
    let output = folder.compare(&["x.npy", "y.npy", "--raw", "--t", T, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for (model, rows) in [(0, &x), (1, &y)] {
        near(&report["models"][model]["uniformity"]["value"], uniformity(rows, T.parse().unwrap()));
    }
}
