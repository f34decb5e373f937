use crate::support::{keys, object, program, refused, stderr, stdout};

fn bench(arguments: &[&str]) -> std::process::Output {
    let command = ["bench", "--seconds", "0.01"].iter().chain(arguments);
    program().args(command).output().unwrap()
}

#[test]
fn as_json() {
    let report = object(&bench(&["--device", "cpu", "--sizes", "2x3,65x17", "--json"]));
    assert_eq!(keys(&report), ["unisphere", "results", "ceilings", "skipped"]);
    assert_eq!(report["skipped"].as_array().map(Vec::len), Some(0));

    let ceilings = report["ceilings"].as_array().unwrap();
    assert_eq!(ceilings.len(), 2);
    for ceiling in ceilings {
        assert_eq!(keys(ceiling), ["device", "name", "tflops"]);
    }
    let highest = ceilings.iter().map(|ceiling| ceiling["tflops"].as_f64().unwrap()).fold(0.0, f64::max);

    let results = report["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(|r| (r["work"].as_str().unwrap(), &r["n"], &r["d"])).collect();
    let (value, grad) = ("uniformity", "uniformity_with_grad");
    assert_eq!(
        told,
        [
            (value, &2.into(), &3.into()),
            (grad, &2.into(), &3.into()),
            (value, &65.into(), &17.into()),
            (grad, &65.into(), &17.into()),
        ]
    );
    for result in results {
        assert_eq!(
            keys(result),
            ["work", "device", "precision", "n", "d", "seconds", "runs", "tflops", "ceiling_share"]
        );
        assert_eq!((&result["device"]["kind"], &result["precision"]), (&"cpu".into(), &"f32".into()));
        assert!(result["runs"].as_u64() >= Some(3), "{result}");
        let number = |key: &str| result[key].as_f64().unwrap();
        let passes = if result["work"] == value { 1.0 } else { 3.0 };
        let operations = passes * number("n") * (number("n") - 1.0) * number("d");
        assert!((number("tflops") * 1e12 * number("seconds") / operations - 1.0).abs() < 1e-9, "{result}");
        assert!((number("ceiling_share") * highest / number("tflops") - 1.0).abs() < 1e-9, "{result}");
    }
}

#[test]
fn as_a_table() {
    let output = bench(&["--device", "cpu", "--sizes", "1000x4", "--work", "uniformity"]);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let text = stdout(&output);
    assert_eq!(text.lines().filter(|line| line.trim_start().starts_with("ceiling ")).count(), 2, "{text}");
    let line = text.lines().find(|line| line.starts_with("uniformity ")).unwrap();
    assert!(line.contains(" cpu ") && line.contains(" f32 ") && line.contains("1,000 × 4"), "{text}");
    // The fastest has the longest bar.
    assert!(line.ends_with(&"█".repeat(24)), "{text}");
    assert!(!text.contains("uniformity_with_grad"), "{text}");
}

/// What one device has not is no reason to leave the others out.
#[test]
fn a_precision_that_is_not_offered_is_skipped() {
    let report =
        object(&bench(&["--sizes", "100x4", "--work", "uniformity", "--precision", "f32,f16", "--json"]));
    let on_cpu = |of: &serde_json::Value| of["device"]["kind"] == "cpu" || of["device"] == "cpu";
    let results = report["results"].as_array().unwrap().iter().filter(|result| on_cpu(result));
    assert_eq!(results.map(|result| &result["precision"]).collect::<Vec<_>>(), ["f32"]);
    let skipped = report["skipped"].as_array().unwrap().iter().find(|skipped| on_cpu(skipped)).unwrap();
    assert!(skipped["reason"].as_str().unwrap().contains("does not offer f16"), "{skipped}");
}

/// Software adapters are listed, and not timed; real ones are timed.
#[test]
fn every_device_has_its_place() {
    let devices = object(&program().args(["devices", "--json"]).output().unwrap());
    let adapters = devices["adapters"].as_array().unwrap();
    let (software, real): (Vec<_>, Vec<_>) =
        adapters.iter().partition(|adapter| adapter["kind"] == "software");
    let report = object(&bench(&["--sizes", "100x4", "--work", "uniformity", "--json"]));
    assert_eq!(report["results"].as_array().map(Vec::len), Some(1 + real.len()), "{report}");
    let skipped = report["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), software.len());
    for (skipped, adapter) in skipped.iter().zip(software) {
        assert_eq!(skipped["device"], adapter["name"]);
        assert!(skipped["reason"].as_str().unwrap().contains(&format!("--device {}", adapter["index"])));
    }
}

#[test]
fn bad_sizes_and_the_like_are_usage() {
    for (sizes, part) in [
        ("0x8", "2 points"),
        ("1x8", "2 points"),
        ("8x0", "1 dimension"),
        ("8192", "points by dimensions"),
        ("8x8x8", "points by dimensions"),
        ("-8x8", "points by dimensions"),
        ("99999999999999999999x8", "points by dimensions"),
        ("64x8,", "points by dimensions"),
        ("", "points by dimensions"),
        ("64x8,4000000000x1000", "too large"),
        ("18446744073709551615x18446744073709551615", "too large"),
    ] {
        refused(&bench(&["--device", "cpu", &format!("--sizes={sizes}")]), 2, &["--sizes", part]);
    }
    let no_time = program().args(["bench", "--seconds", "0"]).output().unwrap();
    refused(&no_time, 2, &["--seconds", "positive, finite"]);
    refused(&bench(&["--work", "alignment"]), 2, &["--work"]);
    refused(&bench(&["--precision", "f64"]), 2, &["--precision", "f16x2"]);
}

#[test]
fn what_a_device_has_not_is_4() {
    refused(&bench(&["--sizes", "64x8", "--device", "4096"]), 4, &["4096", "unisphere devices"]);
    let f16 = ["--sizes", "64x8", "--device", "cpu", "--precision", "f32,f16"];
    refused(&bench(&f16), 4, &["does not offer f16"]);
}
