use serde_json::Value;
use unisphere::Uniformity;

use crate::support::{
    Folder, alignment, keys, near, noise, object, program, rows, stderr, stdout, uniformity,
};

const N: usize = 37;
const D: usize = 5;

/// x.npy and y.npy, and their values.
fn pairs() -> (Folder, Vec<f32>, Vec<f32>) {
    let folder = Folder::new();
    let x = noise(N * D, 1);
    let y: Vec<f32> = x.iter().zip(noise(N * D, 2)).map(|(x, noise)| x + 0.2 * noise).collect();
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &y, N, D);
    (folder, x, y)
}

#[test]
fn two_sets() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy"]);
    let top = [
        "unisphere",
        "files",
        "device",
        "precision",
        "precisions_used",
        "storage",
        "rows",
        "dims",
        "normalized",
        "weights",
        "protocol",
        "alignment",
        "uniformity",
        "seconds",
    ];
    assert_eq!(keys(&report), top);
    assert_eq!(keys(&report["device"]), ["kind", "name"]);
    assert_eq!(keys(&report["alignment"]), ["alpha", "value", "pairs", "standard_error", "low", "high"]);
    let uniformity_keys =
        ["t", "estimator", "pairs", "x", "y", "mean", "floor", "least", "of_x", "of_y", "of_mean"];
    assert_eq!(keys(&report["uniformity"]), uniformity_keys);
    let calibration = ["gap", "score", "standard_error", "low", "high", "effective_dims"];
    assert_eq!(keys(&report["uniformity"]["of_x"]), calibration);
    assert_eq!(
        (&report["weights"], &report["protocol"]),
        (&"none".into(), &serde_json::json!({"name": "none"}))
    );

    assert_eq!(report["unisphere"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&report["device"]["kind"], &report["precision"]), (&"cpu".into(), &"f32".into()));
    assert_eq!(report["precisions_used"], serde_json::json!(["f32"]));
    assert_eq!((&report["rows"], &report["dims"]), (&N.into(), &D.into()));
    assert_eq!((&report["normalized"], &report["uniformity"]["estimator"]), (&true.into(), &"U".into()));
    assert_eq!((&report["alignment"]["alpha"], &report["uniformity"]["t"]), (&2.0.into(), &2.0.into()));
    assert_eq!((&report["alignment"]["pairs"], &report["uniformity"]["pairs"]), (&N.into(), &666.into()));
    assert!(report["seconds"].as_f64().is_some_and(|seconds| (0.0..60.0).contains(&seconds)));

    let (x, y) = (rows(&x, D, true), rows(&y, D, true));
    near(&report["alignment"]["value"], alignment(&x, &y, 2.0));
    near(&report["uniformity"]["x"], uniformity(&x, 2.0));
    near(&report["uniformity"]["y"], uniformity(&y, 2.0));
    near(&report["uniformity"]["mean"], (uniformity(&x, 2.0) + uniformity(&y, 2.0)) / 2.0);
    // For d = 5, ₀F₁(; 5/2; t²) = 3 (z cosh z − sinh z) / z³ with z = 2t.
    near(&report["uniformity"]["floor"], (3.0 * (4.0 * 4f64.cosh() - 4f64.sinh()) / 64.0).ln() - 4.0);
}

#[test]
fn one_set_has_no_alignment() {
    let (folder, x, _) = pairs();
    let report = folder.json(&["x.npy", "--t", "0.5"]);
    assert_eq!(
        keys(&report),
        [
            "unisphere",
            "files",
            "device",
            "precision",
            "precisions_used",
            "storage",
            "rows",
            "dims",
            "normalized",
            "weights",
            "protocol",
            "uniformity",
            "seconds"
        ]
    );
    assert_eq!(keys(&report["uniformity"]), ["t", "estimator", "pairs", "x", "floor", "least", "of_x"]);
    assert_eq!(report["uniformity"]["t"], 0.5);
    near(&report["uniformity"]["x"], uniformity(&rows(&x, D, true), 0.5));
}

#[test]
fn raw_points_and_other_parameters() {
    let (folder, x, y) = pairs();
    let report = folder.json(&["x.npy", "y.npy", "--raw", "--t", "3", "--alpha", "1"]);
    let (x, y) = (rows(&x, D, false), rows(&y, D, false));
    near(&report["alignment"]["value"], alignment(&x, &y, 1.0));
    near(&report["uniformity"]["x"], uniformity(&x, 3.0));
    near(&report["uniformity"]["y"], uniformity(&y, 3.0));
    assert_eq!((&report["normalized"], &report["uniformity"]["floor"]), (&false.into(), &Value::Null));
    assert_eq!((&report["alignment"]["alpha"], &report["uniformity"]["t"]), (&1.0.into(), &3.0.into()));
}

#[test]
fn any_device_serves_where_none_is_named() {
    let (folder, x, _) = pairs();
    let output = program().args(["eval", "x.npy", "--json"]).current_dir(folder.path()).output().unwrap();
    near(&object(&output)["uniformity"]["x"], uniformity(&rows(&x, D, true), 2.0));
}

#[test]
fn the_table_says_what_was_measured() {
    let folder = Folder::new();
    // 2000 points, every one of them at one of the two ends of an axis.
    let values: Vec<f32> = (0..4000).map(|i| [3.0, 0.0, -2.0, 0.0][i % 4]).collect();
    folder.npy("x.npy", &values, 2000, 2);
    let output = folder.eval(&["x.npy", "x.npy"]);
    let text = stdout(&output);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
    let cells = |start: &str| line(start).split_whitespace().map(String::from).collect::<Vec<_>>();

    assert_eq!(cells("x "), ["x", "x.npy"]);
    assert_eq!(line("points"), "points  n = 2,000, d = 2, scaled to unit length");
    assert!(line("device").starts_with("device  cpu: ") && line("device").ends_with(", f32"), "{text}");
    let nothing = ["0.000000"; 4].join(" ");
    assert_eq!(cells("alignment").join(" "), format!("alignment alpha = 2 {nothing} 2,000"));
    // Of the 1,999,000 pairs, a million are 2 apart and the others 0.
    let value = (999_000.0f64 + 1e6 * (-8f64).exp()).ln() - 1_999_000f64.ln();
    assert_eq!(cells("uniformity of x")[6], format!("{value:.6}"));
    assert_eq!(cells("their mean")[5..].join(" "), format!("{value:.6} 1,999,000"));
    let calibration = text.lines().rfind(|line| line.starts_with("uniformity of x")).unwrap_or_default();
    // For d = 2, ₀F₁(; 1; t²) is the Bessel function I₀(2t).
    let floor = -1.575_027_204_484_541;
    let least = Uniformity { t: 2.0 }.least_u(2000, 2);
    let printed: Vec<f64> =
        calibration.split_whitespace().skip(3).map(|cell| cell.parse().unwrap()).collect();
    let expected = [(floor, 1e-6), (least, 1e-6), (value - floor, 2e-6), (value / floor, 6e-5)];
    for (printed, (expected, tolerance)) in printed.iter().zip(expected) {
        assert!((printed - expected).abs() < tolerance, "{calibration}");
    }
    assert_eq!(printed.len(), 5, "{calibration}");
    assert!(text.contains("U-statistic"), "{text}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let (folder, ..) = pairs();
    let colours = |line: &[&str], variables: &[(&str, &str)]| {
        let variables = variables.iter().copied();
        let output = program().args(line).envs(variables).current_dir(folder.path()).output().unwrap();
        output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
    };
    for line in [&["eval", "x.npy", "--device", "cpu"][..], &["--help"], &["eval"], &["eval", "none.npy"]] {
        assert!(!colours(line, &[]), "{line:?}, piped");
        assert!(!colours(line, &[("NO_COLOR", "1")]), "{line:?}, NO_COLOR");
        assert!(line == ["eval"] || colours(line, &[("CLICOLOR_FORCE", "1")]), "{line:?}, CLICOLOR_FORCE");
    }
}
