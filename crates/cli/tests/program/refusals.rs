use crate::support::{Folder, noise, program, refused, stderr, stdout};

#[test]
fn usage_is_2() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    for option in ["--t", "--alpha"] {
        for value in ["nan", "inf", "-inf", "0", "-0.0", "-1", "1e999", "two", ""] {
            refused(&folder.eval(&["x.npy", &format!("{option}={value}")]), 2, &[option]);
        }
        refused(&folder.eval(&["x.npy", option, "-1"]), 2, &["positive, finite"]);
    }
    refused(&folder.eval(&["x.npy", "--raw", "--storage", "f16"]), 2, &["f32", "--storage"]);
    refused(&folder.eval(&["x.npy", "--storage", "f16"]), 4, &["CPU", "f16"]);
    refused(&folder.eval(&[]), 2, &["X.npy"]);
    refused(&folder.eval(&["x.npy", "x.npy", "x.npy"]), 2, &["x.npy"]);
    refused(&folder.eval(&["x.npy", "--jsno"]), 2, &["'--jsno'", "'--json'"]);
    refused(&program().arg("evaluate").output().unwrap(), 2, &["'evaluate'"]);
    refused(&program().output().unwrap(), 2, &["--help"]);
}

#[test]
fn input_is_3() {
    let folder = Folder::new();
    let values = noise(20, 1);
    let with = |at: usize, value: f32| {
        let mut values = values.clone();
        values[at] = value;
        values
    };
    folder.npy("x.npy", &values, 10, 2);
    folder.npy("wide.npy", &values, 5, 4);
    folder.npy("one.npy", &values[..2], 1, 2);
    folder.npy("nan.npy", &with(7, f32::NAN), 10, 2);
    folder.npy("zero.npy", &[1.0, 2.0, 0.0, 0.0], 2, 2);
    folder.npy("cut.npy", &values[..19], 10, 2);

    refused(&folder.eval(&["none.npy"]), 3, &["none.npy"]);
    refused(&folder.eval(&["x.npy", "none.npy"]), 3, &["none.npy"]);
    refused(&folder.eval(&["nan.npy"]), 3, &["nan.npy", "row 3", "dimension 1"]);
    refused(&folder.eval(&["x.npy", "zero.npy", "--raw"]), 3, &["x.npy is 10 × 2", "zero.npy is 2 × 2"]);
    refused(&folder.eval(&["x.npy", "wide.npy"]), 3, &["x.npy is 10 × 2", "wide.npy is 5 × 4"]);
    refused(&folder.eval(&["zero.npy"]), 3, &["zero.npy", "row 1"]);
    refused(&folder.eval(&["one.npy"]), 3, &["one.npy has 1 row", "at least 2"]);
    refused(&folder.eval(&["cut.npy", "--json"]), 3, &["cut.npy", "bytes"]);
    assert!(folder.eval(&["zero.npy", "--raw"]).status.success());
}

#[test]
fn a_missing_device_is_4() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    for device in ["4096", "no such adapter"] {
        let line = ["eval", "x.npy", "--device", device];
        let output = program().args(line).current_dir(folder.path()).output().unwrap();
        refused(&output, 4, &[device, "unisphere devices"]);
    }
}

#[test]
fn a_precision_that_the_device_has_not_is_4() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    refused(
        &folder.eval(&["x.npy", "--precision", "f16"]),
        4,
        &["does not offer f16", "cooperative matrices"],
    );
    refused(&folder.eval(&["x.npy", "--precision", "f64"]), 2, &["--precision", "f16x2"]);
}

#[test]
fn help_and_version_are_results() {
    for (line, part) in [
        (&["--version"][..], concat!("unisphere ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["--help"], "unisphere eval images.npy texts.npy"),
        (&["eval", "--help"], "[default: auto]"),
    ] {
        let output = program().args(line).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        assert!(stdout(&output).contains(part), "{}", stdout(&output));
    }
}
