use crate::support::{Folder, noise, program, refused, stderr, stdout};

#[test]
fn usage_is_2() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    for option in ["--t", "--alpha", "--tau", "--near"] {
        for value in ["nan", "inf", "-inf", "0", "-0.0", "-1", "1e999", "two", ""] {
            refused(&folder.eval(&["x.npy", "x.npy", &format!("{option}={value}")]), 2, &[option]);
        }
        refused(&folder.eval(&["x.npy", option, "-1"]), 2, &["positive, finite"]);
    }
    refused(&folder.eval(&["x.npy", "--raw", "--storage", "f16"]), 2, &["f32", "--storage"]);
    refused(&folder.eval(&["x.npy", "--storage", "f16"]), 4, &["CPU", "f16"]);
    refused(&folder.eval(&[]), 2, &["<X>"]);
    refused(&folder.eval(&["x.npy", "x.npy", "x.npy"]), 2, &["x.npy"]);
    refused(&folder.eval(&["x.npy", "--jsno"]), 2, &["'--jsno'", "'--json'"]);
    refused(&program().arg("evaluate").output().unwrap(), 2, &["'evaluate'"]);
    refused(&program().output().unwrap(), 2, &["--help"]);
}

#[test]
fn contradictions_are_2() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    folder.column("ones.npy", "|u1", &[1; 10]);
    for (option, value) in [
        ("--alpha", "1"),
        ("--tau", "0.1"),
        ("--candidates", "views"),
        ("--queue", "x.npy"),
        ("--sigmoid", "10,-10"),
        ("--protocol", "paper"),
    ] {
        refused(&folder.eval(&["x.npy", option, value]), 2, &[option, "Y"]);
    }
    refused(&folder.eval(&["x.npy", "--retrieval"]), 2, &["--retrieval", "Y"]);
    let two = |more: &[&str]| folder.eval(&[&["x.npy", "x.npy"], more].concat());
    refused(&two(&["--candidates", "views"]), 2, &["--candidates", "--tau"]);
    refused(&two(&["--candidates", "sideways", "--tau", "1"]), 2, &["sideways", "one-way"]);
    refused(&two(&["--queue", "x.npy"]), 2, &["--queue", "--tau"]);
    refused(&two(&["--protocol", "moco"]), 2, &["moco", "--queue"]);
    refused(&two(&["--protocol", "swav"]), 2, &["swav", "paper", "moco", "simcse", "directau", "lightly"]);
    refused(&two(&["--protocol", "paper", "--t", "3"]), 2, &["--protocol", "--t"]);
    refused(&two(&["--protocol", "paper", "--raw"]), 2, &["--protocol", "--raw"]);
    refused(&two(&["--protocol", "paper", "--weights", "ones.npy"]), 2, &["paper", "no weights"]);
    let weighted = ["--labels", "ones.npy", "--weights", "ones.npy", "--supcon", "0.1"];
    refused(&two(&weighted), 2, &["--supcon", "leave out --supcon or --weights"]);
    refused(&two(&["--raw", "--zero-rows", "skip"]), 2, &["--zero-rows", "--raw"]);
    refused(&two(&["--top", "0"]), 2, &["--top"]);
    refused(&two(&["--retrieval", "--unpaired"]), 2, &["--unpaired", "no --retrieval"]);
    refused(&two(&["--retrieval", "--max-memory", "1G"]), 2, &["--retrieval", "leave out --max-memory"]);
    refused(&two(&["--retrieval", "--tolerance", "0.1"]), 2, &["--retrieval", "leave out --tolerance"]);
    refused(&two(&["--across-groups"]), 2, &["--labels"]);
    refused(&two(&["--supcon", "0.1"]), 2, &["--supcon", "--labels"]);
    refused(&two(&["--supcon", "0", "--labels", "ones.npy"]), 2, &["--supcon", "positive"]);
    for (value, part) in
        [("10", "comma"), ("10,", "bias"), ("-1,0", "scale"), ("1,inf", "bias"), ("0,1", "scale")]
    {
        refused(&two(&["--sigmoid", value]), 2, &["--sigmoid", part]);
    }
    refused(&two(&["--weights", "ones.npy", "--sigmoid", "1,0"]), 2, &["--sigmoid", "no weights"]);
    for input in ["x.npy", "./x.npy", "ones.npy"] {
        refused(&two(&["--rows", input, "--weights", "ones.npy"]), 2, &["--rows", input, "input"]);
    }
    refused(&two(&["--rows", "none/rows.npy"]), 2, &["none/rows.npy", "directory"]);
    refused(&two(&["--rows", "."]), 2, &["--rows", "directory"]);
    refused(&two(&["--weights", "ones.npy", "--tau", "1"]), 2, &["--tau", "no weights", "--weights"]);
    refused(
        &two(&["--weights", "ones.npy", "--full", "--queue", "x.npy"]),
        2,
        &["--queue", "no weights", "--weights"],
    );
}

#[test]
fn columns_that_do_not_fit_are_3() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    folder.npy("wide.npy", &noise(20, 1), 5, 4);
    let doubles = |name: &str, values: &[f64]| {
        folder.column(name, "<f8", &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    };
    doubles("short.npy", &[1.0; 9]);
    doubles("negative.npy", &[1.0, 1.0, 1.0, -0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    doubles("nan.npy", &[1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    doubles("half.npy", &[1.0, 1.0, 1.0, 1.0, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0]);
    doubles("zero.npy", &[0.0; 10]);
    let weighed = |name: &str| folder.eval(&["x.npy", "x.npy", "--weights", name]);
    let labelled = |name: &str| folder.eval(&["x.npy", "x.npy", "--labels", name]);
    refused(&weighed("short.npy"), 3, &["short.npy holds 9 weights", "x.npy has 10 rows"]);
    refused(&labelled("short.npy"), 3, &["short.npy holds 9 labels", "x.npy has 10 rows"]);
    refused(&weighed("negative.npy"), 3, &["negative.npy", "row 3", "-0.5", "use 0"]);
    refused(&weighed("nan.npy"), 3, &["nan.npy", "row 2", "not finite"]);
    refused(&weighed("zero.npy"), 3, &["zero.npy", "0 of 10 weights are positive", "at least 2"]);
    refused(&labelled("half.npy"), 3, &["half.npy", "row 4", "2.5", "whole number"]);
    refused(&labelled("x.npy"), 3, &["x.npy", "(10, 2)", "one value a row"]);
    refused(&labelled("none.npy"), 3, &["none.npy", "no such file"]);
    refused(
        &folder.eval(&["x.npy", "x.npy", "--queue", "wide.npy", "--tau", "1"]),
        3,
        &["wide.npy has 4", "2 dimensions"],
    );

    folder.npy("zeros.npy", &[[0.0; 18].as_slice(), &[1.0, 2.0]].concat(), 10, 2);
    refused(
        &folder.eval(&["zeros.npy", "--zero-rows", "skip"]),
        3,
        &["zeros.npy has 1 row that is not all zeros", "at least 2"],
    );
    refused(&folder.eval(&["zeros.npy"]), 3, &["zeros.npy", "row 0"]);
}

#[test]
fn weights_of_what_is_left_are_counted() {
    let folder = Folder::new();
    let mut values = noise(20, 1);
    values[6..8].fill(0.0);
    folder.npy("x.npy", &values, 10, 2);
    folder.column("two.npy", "|u1", &[0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
    refused(
        &folder.eval(&["x.npy", "--weights", "two.npy", "--zero-rows", "skip"]),
        3,
        &["two.npy: 1 of 9 weights of rows that are not all zeros is positive", "at least 2"],
    );
    folder.column("negative.npy", "|i1", &[1, 1, 1, 1, 1, 1, 1, 255, 1, 1]);
    refused(
        &folder.eval(&["x.npy", "--weights", "negative.npy", "--zero-rows", "skip"]),
        3,
        &["negative.npy: row 7", "-1"],
    );
}

#[test]
fn powers_that_overflow_are_3() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    let far: Vec<f32> = (0..20).map(|i| if i < 10 { 1e18 } else { 2e18 }).collect();
    folder.npy("far.npy", &far, 10, 2);
    folder.column("ones.npy", "|u1", &[1; 10]);
    for line in [
        &["x.npy", "far.npy", "--alpha", "5000"][..],
        &["x.npy", "far.npy", "--alpha", "5000", "--weights", "ones.npy"],
        &["x.npy", "far.npy", "--alpha", "20", "--raw"],
    ] {
        refused(&folder.eval(line), 3, &["alignment", "overflows", "smaller parameter"]);
    }
    // The variance does, and the mean does not.
    let report = folder.json(&["x.npy", "far.npy", "--alpha", "9", "--raw"]);
    assert!(report["absent"]["/alignment/low"].as_str().unwrap().contains("double precision"), "{report}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_table_that_cannot_be_written_is_3() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    folder.npy("nan.npy", &[f32::NAN; 20], 10, 2);
    // Before anything is read.
    refused(&folder.eval(&["nan.npy", "--rows", "/proc/rows.npy"]), 3, &["/proc/rows.npy", "written"]);
    refused(&folder.eval(&["nan.npy", "--rows", "rows.npy"]), 3, &["nan.npy"]);
    // What is there is replaced, where a link points to, and nothing else is left.
    std::fs::write(folder.path().join("old"), "old").unwrap();
    std::os::unix::fs::symlink("old", folder.path().join("link.npy")).unwrap();
    assert!(folder.eval(&["x.npy", "--rows", "link.npy"]).status.success());
    assert!(folder.path().join("link.npy").is_symlink());
    assert!(std::fs::read(folder.path().join("old")).unwrap().starts_with(b"\x93NUMPY"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn many_groups_are_3() {
    let folder = Folder::new();
    // Before any row is read.
    folder.npy("x.npy", &[f32::NAN; 9000 * 2], 9000, 2);
    folder.column("labels.npy", "<u2", &(0..9000u16).flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    refused(
        &folder.eval(&["x.npy", "--labels", "labels.npy", "--across-groups"]),
        3,
        &["labels.npy makes 9000 groups", "--across-groups", "4096", "1.2 GiB"],
    );
}

#[test]
fn numbers_that_cannot_serve_are_named_with_their_cure() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(20, 1), 10, 2);
    for options in [&["--t", "1e300"][..], &["--t", "2,1e101"], &["--near", "1e300"]] {
        for more in [&[][..], &["--tolerance", "1e-3"], &["--max-memory", "1G"]] {
            let line = [&["x.npy"], options, more].concat();
            refused(&folder.eval(&line), 2, &[options[0], "at most 1e100", "choose a smaller one"]);
        }
    }
    assert!(folder.eval(&["x.npy", "--t", "1e100"]).status.success());
    // A space behind a comma, which the shell takes for the end of the argument.
    for option in ["--t", "--tau"] {
        let line = ["x.npy", "x.npy", option, "0.5,", "1"];
        refused(&folder.eval(&line), 2, &[option, "commas and no spaces between them"]);
        refused(
            &folder.eval(&["x.npy", option, "0.5,", "1"]),
            2,
            &[option, "commas and no spaces between them"],
        );
    }
}

#[test]
fn a_value_that_is_not_finite_in_one_of_two_files_is_removed_from_both() {
    let folder = Folder::new();
    let mut values = noise(20, 1);
    folder.npy("x.npy", &values, 10, 2);
    values[7] = f32::NAN;
    folder.npy("y.npy", &values, 10, 2);
    for line in [&["x.npy", "y.npy"][..], &["x.npy", "y.npy", "--max-memory", "1G"]] {
        refused(&folder.eval(line), 3, &["y.npy: row 3", "dimension 1", "remove it from both"]);
    }
}

#[test]
fn labels_without_a_pair_are_3() {
    let folder = Folder::new();
    folder.npy("nan.npy", &[f32::NAN; 20], 10, 2);
    folder.column("labels.npy", "|u1", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let line = ["nan.npy", "--labels", "labels.npy", "--supcon", "0.1"];
    refused(&folder.eval(&line), 3, &["labels.npy: labels are all different", "merge labels"]);
    // Two views of a row are a pair.
    let views = ["nan.npy", "nan.npy", "--labels", "labels.npy", "--supcon", "0.1"];
    refused(&folder.eval(&views), 3, &["nan.npy: row 0"]);
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
        (&["eval", "--help"], "--full takes four to twelve times"),
        (&["eval", "--help"], "130  as shells show an end of Ctrl-C"),
        (&["eval", "-h"], "Exit codes: 0 done"),
    ] {
        let output = program().args(line).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        assert!(stdout(&output).contains(part), "{}", stdout(&output));
    }
}
