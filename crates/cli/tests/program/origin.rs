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

/// A cell of the last line of a CSV file.
fn cell(folder: &Folder, file: &str, column: &str) -> f64 {
    let mut reader = csv::Reader::from_path(folder.path().join(file)).unwrap();
    let place = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
    reader.records().last().unwrap().unwrap()[place].parse().unwrap()
}

/// What rounding has moved is no more than what is told, which is not beyond all measure.
#[track_caller]
fn within(found: &serde_json::Value, wanted: f64, told: &serde_json::Value) {
    let (moved, bound) = ((found.as_f64().unwrap() - wanted).abs(), told.as_f64().unwrap());
    assert!(moved <= bound && bound < 1e5 * moved, "{moved} of {bound}");
}

/// Losses of products, groups and tables have bounds, in every form; and what has none is named.
#[test]
fn what_rounding_takes_of_all_other_values_is_told() {
    let (folder, x, y) = folder(1e4);
    let labels: Vec<u8> = (0..N).map(|i| (i % 3) as u8).collect();
    folder.column("labels.npy", "|u1", &labels);
    let line = [
        "x.npy",
        "y.npy",
        "--raw",
        "--t",
        "0.05,0.5",
        "--tau",
        "1e5",
        "--sigmoid",
        "1e-6,-805",
        "--labels",
        "labels.npy",
        "--supcon",
        "1e5",
        "--csv",
        "runs.csv",
        "--retrieval",
    ];
    let report = folder.json(&line);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // One way, and the other.
    let softmax = |x: &[Vec<f64>], y: &[Vec<f64>]| {
        let of_row = |i: usize| {
            let exponents: Vec<_> = y.iter().map(|y| dot(&x[i], y) / 1e5).collect();
            let most = exponents.iter().copied().fold(f64::MIN, f64::max);
            most + exponents.iter().map(|e| (e - most).exp()).sum::<f64>().ln() - exponents[i]
        };
        (0..N).map(of_row).sum::<f64>() / N as f64
    };
    let loss = (softmax(&x, &y) + softmax(&y, &x)) / 2.0;
    let told = &report["rounding"];
    within(&report["contrastive"][0]["loss"], loss, &told["contrastive"]);
    let term = |i: usize, j: usize| {
        let z = if i == j { 1.0 } else { -1.0 };
        (-z * (1e-6 * dot(&x[i], &y[j]) - 805.0)).exp().ln_1p()
    };
    let sigmoid =
        (0..N).flat_map(|i| (0..N).map(move |j| (i, j))).map(|(i, j)| term(i, j)).sum::<f64>() / N as f64;
    within(&report["sigmoid"][0]["loss"], sigmoid, &told["sigmoid"]);
    let group = |set: &[Vec<f64>]| -> Vec<Vec<f64>> { set.iter().step_by(3).cloned().collect() };
    within(&report["groups"]["within"]["x"][0], uniformity(&group(&x), 0.05), &told["groups"]);
    within(&report["sweep"][1]["y"], uniformity(&y, 0.5), &told["sweep"]);
    for key in ["alignment", "x", "y", "squared_mmd", "supcon"] {
        assert!(told[key].as_f64().is_some_and(|by| by > 1e-6), "{key}: {told}");
    }
    for key in ["alignment", "x", "y"] {
        assert_eq!(told[key].as_f64(), Some(cell(&folder, "runs.csv", &format!("rounding.{key}"))));
    }
    for form in [&line[..], &[&line[..], &["--markdown"]].concat()] {
        let text = folder.eval(form);
        for part in [
            "Rounding: points have more digits",
            "the contrastive loss by",
            "known for ranks",
            "Measure alignment and uniformity alone",
            "no origin helps them",
        ] {
            assert!(stdout(&text).contains(part), "'{part}' is not in:\n{}", stdout(&text));
        }
    }
    folder.eval(&["x.npy", "y.npy", "--raw", "--tau", "1e5", "--html", "page.html"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("The contrastive loss may be off by") && page.contains("spectra"), "{page}");
    let run = |line: &[&str]| program().args(line).current_dir(folder.path()).output().unwrap();
    let line = [
        "gradient",
        "x.npy",
        "y.npy",
        "--of",
        "contrastive",
        "--tau",
        "1e5",
        "--raw",
        "--out",
        "g.npy",
        "--device",
        "cpu",
    ];
    let gradient = object(&run(&[&line[..], &["--json"]].concat()));
    within(&gradient["value"], loss, &gradient["rounding"]["contrastive"]);
    fs::remove_file(folder.path().join("g.npy")).unwrap();
    assert!(stdout(&run(&line)).contains("No bound of that is known for gradients."));
}

/// Sets that lie far from each other lose digits in every form of report.
#[test]
fn every_report_says_what_rounding_takes() {
    let (folder, _, y) = folder(1e7);
    folder.npy("near.npy", &noise(N * D, 5), N, D);
    let wanted = uniformity(&y, T.parse().unwrap());
    let raw = ["--raw", "--t", T];
    let run = |line: &[&str]| program().args(line).current_dir(folder.path()).output().unwrap();
    let note = "Rounding: points have more digits than single precision holds";
    let told_in = |line: &[&str]| {
        for form in [&[][..], &["--markdown"]] {
            let text = run(&[line, form].concat());
            assert!(stdout(&text).contains(note), "{}", stdout(&text));
        }
    };
    let unpaired = [
        "eval",
        "near.npy",
        "y.npy",
        "--device",
        "cpu",
        "--unpaired",
        "--permutations",
        "9",
        "--raw",
        "--t",
        T,
    ];
    let report = object(&run(&[&unpaired[..], &["--json"]].concat()));
    within(&report["values"][0]["y"], wanted, &report["rounding"]["y"]);
    assert!(report["rounding"]["x"].is_null() && report["rounding"]["squared_mmd"].is_number(), "{report}");
    told_in(&unpaired);

    let views = ["eval", "near.npy", "--device", "cpu", "--raw", "--t", T, "--views", "y.npy"];
    let report = object(&run(&[&views[..], &["--json"]].concat()));
    within(&report["uniformity"][0]["views"][1]["value"], wanted, &report["rounding"]["uniformity"]);
    told_in(&views);

    let compare = [&["near.npy:y.npy", "--csv", "models.csv", "--html", "models.html"][..], &raw].concat();
    for cached in [false, true] {
        let output = folder.compare(&[&compare[..], &["--json"]].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let model = &report["models"][0];
        assert_eq!(model["cached"], cached);
        within(&model["uniformity"]["y"], wanted, &model["rounding"]["uniformity"]);
        let by = cell(&folder, "models.csv", "rounding.uniformity");
        assert_eq!(model["rounding"]["uniformity"].as_f64(), Some(by));
    }
    for form in [&[][..], &["--markdown"]] {
        let text = folder.compare(&[&compare[..], form].concat());
        assert!(
            stdout(&text).contains("Rounding: points of near.npy:y.npy have more digits"),
            "{}",
            stdout(&text)
        );
    }
    let page = fs::read_to_string(folder.path().join("models.html")).unwrap();
    assert!(page.contains("near.npy:y.npy: Uniformity may be off by"));

    let plan = run(&[&["plan", "near.npy", "y.npy", "--parts", "1"][..], &raw].concat());
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    assert!(run(&["part", "run.plan", "1", "--out", "parts", "--device", "cpu"]).status.success());
    let report = object(&run(&["merge", "run.plan", "parts", "--json"]));
    within(&report["uniformity"]["y"], wanted, &report["rounding"]["y"]);
    told_in(&["merge", "run.plan", "parts"]);

    let gradient = [
        "gradient", "near.npy", "y.npy", "--of", "loss", "--weight", "0", "--out", "g.npy", "--device",
        "cpu", "--json",
    ];
    let report = object(&run(&[&gradient[..], &raw].concat()));
    let of_near: Vec<Vec<f64>> =
        noise(N * D, 5).chunks(D).map(|row| row.iter().map(|&v| v.into()).collect()).collect();
    let mean = (uniformity(&of_near, T.parse().unwrap()) + wanted) / 2.0;
    within(&report["value"], mean, &report["rounding"]["loss"]);
}

/// Partners are ranked by products, so that points with labels stay where they lie.
#[test]
fn positives_by_label_have_a_bound() {
    let (folder, x, y) = folder(1e7);
    let names: String = (0..N).map(|i| format!("{i}\n")).collect();
    fs::write(folder.path().join("labels.txt"), names).unwrap();
    let line = [
        "x.npy",
        "y.npy",
        "--unpaired",
        "--labels",
        "labels.txt",
        "--labels-y",
        "labels.txt",
        "--raw",
        "--t",
        T,
    ];
    let report = folder.json(&line);
    within(&report["positives"]["alignment"]["value"], alignment(&x, &y), &report["rounding"]["alignment"]);
    let text = folder.eval(&line);
    for part in ["known for ranks, the modality gap", "Measure alignment and uniformity alone"] {
        assert!(stdout(&text).contains(part), "'{part}' is not in:\n{}", stdout(&text));
    }
}

/// All views of an array lie about one mean, and any two of them lose alike.
#[test]
fn views_of_an_array_have_a_bound_of_pairs() {
    let folder = Folder::new();
    // Far apart within the array, so that no mean is near to all.
    let at = |view: usize| if view == 0 { 0.0 } else { 1e8 };
    let mut rows = Vec::new();
    for (i, row) in noise(N * 2 * D, 9).chunks(D).enumerate() {
        rows.push(row.iter().map(|&v| at(i % 2) + 3.0 * f64::from(v)).collect::<Vec<_>>());
    }
    let bytes: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    folder.write("x.npy", "<f8", &format!("({N}, 2, {D})"), &bytes);
    let second: Vec<_> = rows.iter().skip(1).step_by(2).cloned().collect();
    let report = folder.json(&["x.npy", "--raw", "--t", T, "--views"]);
    let found = &report["uniformity"][0]["views"][1]["value"];
    within(found, uniformity(&second, T.parse().unwrap()), &report["rounding"]["uniformity"]);
}

/// A column that is one number everywhere moves no distance, and all products.
#[test]
fn products_of_a_constant_column_have_a_bound() {
    let folder = Folder::new();
    let (n, d) = (64, 5);
    let set = |name: &str, seed| {
        let of_row =
            |row: &[f32]| [1000.0001].into_iter().chain(row[1..].iter().map(|&v| v.into())).collect();
        let rows: Vec<Vec<f64>> = noise(n * d, seed).chunks(d).map(of_row).collect();
        let bytes: Vec<u8> = rows.iter().flatten().flat_map(|value: &f64| value.to_le_bytes()).collect();
        folder.write(name, "<f8", &format!("({n}, {d})"), &bytes);
        rows
    };
    let (x, y) = (set("x.npy", 1), set("y.npy", 2));
    let line = ["x.npy", "y.npy", "--raw", "--sigmoid", "1,-1000000"];
    let report = folder.json(&line);
    let term = |i: usize, j: usize| {
        let z = if i == j { 1.0 } else { -1.0 };
        let dot = x[i].iter().zip(&y[j]).map(|(a, b)| a * b).sum::<f64>();
        (-z * (dot - 1e6)).exp().ln_1p()
    };
    let loss = (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| term(i, j)).sum::<f64>();
    let (found, wanted) = (&report["sigmoid"][0]["loss"], loss / n as f64);
    assert!((found.as_f64().unwrap() - wanted).abs() > 0.5, "{found} of {wanted}");
    within(found, wanted, &report["rounding"]["sigmoid"]);
    assert!(stdout(&folder.eval(&line)).contains("the sigmoid loss by"));
}

/// The tolerance is of the draw, and the interval holds the value of the points as the files have them, of estimates and of what takes
/// their place.
#[test]
fn intervals_are_widened_beyond_the_tolerance() {
    let (folder, _, y) = folder(1e7);
    folder.npy("near.npy", &noise(N * D, 5), N, D);
    let wanted = uniformity(&y, T.parse().unwrap());
    let line = ["near.npy", "y.npy", "--raw", "--t", T, "--tolerance", "1e-4"];
    for more in [&[][..], &["--estimate-only"]] {
        let output = folder.eval(&[&line[..], more, &["--json"]].concat());
        assert!(!stderr(&output).contains("all pairs are computed"), "{}", stderr(&output));
        let report = object(&output);
        let all = report["estimates"].as_array().unwrap();
        let of_y = all.iter().find(|of| of["quantity"] == "uniformity" && of["set"] == "y").unwrap();
        let [low, high] = ["low", "high"].map(|end| of_y["estimate"][end].as_f64().unwrap());
        let by = report["rounding"]["y"].as_f64().unwrap();
        assert!(low <= wanted && wanted <= high && high - low >= 2.0 * by, "{wanted} in {low} to {high}");
    }
}

/// Rounding near the origin takes nothing that is worth a word, of what has no bound either.
#[test]
fn ranks_of_near_points_have_no_word() {
    let (folder, ..) = folder(0.0);
    let text = folder.eval(&["x.npy", "y.npy", "--raw", "--t", T, "--retrieval"]);
    assert!(text.status.success() && !stdout(&text).contains("Rounding:"), "{}", stdout(&text));
}
