//! What people stumble over at their first lines: each is told, and the cure that is told works.

use std::{fs, process::Output};

use serde_json::{Value, json};

use crate::support::{
    Folder, near, noise, object, program, refused, rows, stderr, stdout, uniformity, weighted_uniformity,
};

pub(crate) const N: usize = 30;
pub(crate) const D: usize = 4;

/// Sets x.npy, y.npy and z.npy of 30 × 4, and the rows of x.
pub(crate) fn folder() -> (Folder, Vec<f32>) {
    let folder = Folder::new();
    let x = noise(N * D, 1);
    folder.npy("x.npy", &x, N, D);
    for (name, seed) in [("y.npy", 2), ("z.npy", 3)] {
        folder.npy(name, &noise(N * D, seed), N, D);
    }
    (folder, x)
}

pub(crate) fn run(folder: &Folder, line: &[&str]) -> Output {
    program().args(line).current_dir(folder.path()).output().unwrap()
}

/// The program with a file of the folder through a pipe.
#[cfg(unix)]
fn piped(folder: &Folder, file: &str, line: &[&str]) -> Output {
    use std::process::{Command, Stdio};

    let input = fs::File::open(folder.path().join(file)).unwrap();
    let mut cat = Command::new("cat").stdin(input).stdout(Stdio::piped()).spawn().unwrap();
    let pipe = cat.stdout.take().unwrap();
    let output = program().args(line).current_dir(folder.path()).stdin(pipe).output().unwrap();
    cat.wait().unwrap();
    output
}

/// The line of a cure, from `unisphere` on to what follows it, carried out by a shell as it is printed.
#[cfg(unix)]
pub(crate) fn carried_out(folder: &Folder, told: &Output, start: &str, end: &str, more: &str) -> Output {
    let text = stderr(told);
    let line = text.find(start).map(|at| &text[at..]).unwrap_or_else(|| panic!("no '{start}' in: {text}"));
    let line = line.split(end).next().unwrap().strip_prefix("unisphere ").unwrap();
    in_shell(folder, &format!("{line} {more}"))
}

/// A line for the program, as a shell takes it.
#[cfg(unix)]
fn in_shell(folder: &Folder, line: &str) -> Output {
    crate::support::heeding("bash")
        .args(["-c", &format!("\"$0\" {line}"), env!("CARGO_BIN_EXE_unisphere")])
        .current_dir(folder.path())
        .output()
        .unwrap()
}

/// The words of an error behind the last of these.
#[cfg(unix)]
fn behind<'a>(told: &'a Output, start: &str) -> &'a str {
    let text = stderr(told).trim_end();
    text.rsplit_once(start).unwrap_or_else(|| panic!("no '{start}' in: {text}")).1
}

/// A table of x with a column before its dimensions and one behind them.
fn table(folder: &Folder, name: &str, header: &str, x: &[f32]) {
    let line = |(row, values): (usize, &[f32])| {
        let values: Vec<_> = values.iter().map(f32::to_string).collect();
        format!("{},{},{}\n", row * row % 7, values.join(","), row * 3 % 5)
    };
    let lines: String = x.chunks(D).enumerate().map(line).collect();
    fs::write(folder.path().join(name), format!("{header}\n{lines}")).unwrap();
}

#[test]
fn columns_that_are_no_coordinates_are_left_out_by_the_cure() {
    let (folder, x) = folder();
    let expected = uniformity(&rows(&x, D, true), 2.0);
    for (header, told, column) in [
        ("date,d0,d1,d2,d3,score", "its column 'date' has a name", "d[0-3]"),
        ("popularity,d0,d1,d2,d3,length", "its column 'popularity' is not numbered as most others are", "d*"),
        ("w,0,1,2,3,timestamp", "its column 'w' is not numbered", "0,1,2,3"),
    ] {
        table(&folder, "x.csv", header, &x);
        refused(&folder.eval(&["x.csv"]), 3, &[told, "as is ", "--column, such as", "all with --column '*'"]);
        near(&folder.json(&["x.csv", "--column", column])["uniformity"]["x"], expected);
        assert_eq!(folder.json(&["x.csv", "--column", "*"])["dims"], D + 2);
    }
    table(&folder, "x.csv", "date,d0,d1,d2,d3,score", &x);
    refused(&folder.eval(&["x.csv"]), 3, &["--column, such as 'd[0-9]*', or"]);
    near(&folder.json(&["x.csv", "--column", "d[0-9]*"])["uniformity"]["x"], expected);
    // Columns that are all unlike are coordinates, as before.
    table(&folder, "x.csv", "x,y,z,width,height,depth", &x);
    // Those of whole numbers are warned of, and the warning's cure leaves them out.
    let output = folder.eval(&["x.csv"]);
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && warning.lines().count() == 1, "{warning}");
    assert!(warning.contains("x.csv takes the columns x, depth for dimensions of the points"), "{warning}");
    assert!(warning.ends_with("leave them out with --column '!x,!depth'\n"), "{warning}");
    assert_eq!(folder.json(&["x.csv", "--column", "*"])["dims"], D + 2);
    near(&folder.json(&["x.csv", "--column", "!x,!depth"])["uniformity"]["x"], expected);
}

/// A table of one column for each dimension is read as CSV is, and the report says what was left out.
#[test]
fn a_key_for_each_dimension_and_a_label_beside_them() {
    let (folder, x) = folder();
    let lines: String = (0..x.len() / D)
        .map(|row| {
            let keys = (0..D).map(|dim| format!("\"dim_{dim}\": {}", x[row * D + dim]));
            format!("{{{}, \"kind\": {}}}\n", keys.collect::<Vec<_>>().join(", "), row % 3)
        })
        .collect();
    fs::write(folder.path().join("x.jsonl"), lines).unwrap();
    let expected = uniformity(&rows(&x, D, true), 2.0);
    refused(
        &folder.eval(&["x.jsonl"]),
        3,
        &["its column 'kind' is not numbered", "--column, such as 'dim_*'"],
    );
    near(&folder.json(&["x.jsonl", "--column", "dim_*"])["uniformity"]["x"], expected);
    let report = folder.json(&["x.jsonl", "--labels-column", "kind"]);
    near(&report["uniformity"]["x"], expected);
    assert_eq!(report["files"]["x"], "x.jsonl, without kind");
}

/// Where X and Y have columns of other names each, one `--column` fits neither: the cure names both.
#[test]
#[cfg(unix)]
fn columns_of_two_files_are_named_by_the_cure() {
    let (folder, x) = folder();
    let y = noise(N * D, 2);
    let expected = folder.json(&["x.npy", "y.npy"]);
    let write = |name: &str, header: &str, line: &dyn Fn(&[f32]) -> String, values: &[f32]| {
        let lines = values.chunks(D).enumerate().map(|(row, of)| format!("w{row},{}\n", line(of)));
        fs::write(folder.path().join(name), format!("{header}\n{}", lines.collect::<String>())).unwrap();
    };
    let numbers = |of: &[f32]| of.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
    let lists = |of: &[f32]| format!("\"{of:?}\",\"{of:?}\"");
    write("x.csv", "name,img_0,img_1,img_2,img_3", &numbers, &x);
    write("y.csv", "caption,txt_0,txt_1,txt_2,txt_3", &numbers, &y);
    write("lx.csv", "id,image,other", &lists, &x);
    write("ly.csv", "id,text,more", &lists, &y);
    for (files, column, missing, cure) in [
        (["x.csv", "y.csv"], "'img_*'", "y.csv: has no column 'img_*'", "'img_*,txt_*'"),
        (["x.csv", "y.csv"], "'txt_*'", "x.csv: has no column 'txt_*'", "'img_*,txt_*'"),
        (["x.csv", "y.csv"], "img_0,img_1,img_2,img_3", "y.csv: has no", "'img_0,img_1,img_2,img_3;txt_*'"),
        (["lx.csv", "ly.csv"], "image", "choose one of text, more\n", "image,text"),
        (["lx.csv", "ly.csv"], "text", "choose one of image, other\n", "image,text"),
    ] {
        let told = [missing, "--column is of X and of Y", &format!("name both, such as --columns {cure}\n")];
        for more in ["", "--max-memory 1G", "--unpaired"] {
            let line = format!("eval {} {} {more} --device cpu --json", files[0], files[1]);
            let output = in_shell(&folder, &format!("{line} --column {column}"));
            refused(&output, 3, &told);
            let cured = in_shell(&folder, &format!("{line} --columns {}", behind(&output, "--columns ")));
            let report = object(&cured);
            if more.is_empty() {
                assert_eq!(report["alignment"], expected["alignment"]);
            }
        }
    }
    let pair = "compare x.csv:y.csv --device cpu --no-cache --json";
    let output = in_shell(&folder, &format!("{pair} --column 'img_*'"));
    refused(&output, 3, &["1 of 1 model could not be measured", "has no column 'img_*'"]);
    object(&in_shell(&folder, &format!("{pair} --columns {}", behind(&output, "--columns "))));
    // A name that neither has is told as it is of one file.
    let output = in_shell(&folder, "eval lx.csv ly.csv --column none");
    refused(&output, 3, &["lx.csv: has no column 'none'", "choose one of image, other with --column"]);
}

/// The cure for decimal commas, as it is printed.
#[test]
#[cfg(unix)]
fn decimal_commas_are_told_with_a_line_that_writes_points() {
    let (folder, x) = folder();
    let lines = x.chunks(D).map(|row| row.iter().map(f32::to_string).collect::<Vec<_>>().join(";") + "\n");
    fs::write(folder.path().join("x.csv"), lines.collect::<String>().replace('.', ",")).unwrap();
    refused(&folder.eval(&["x.csv"]), 3, &["has decimal commas, such as ", "sed 'y/,/./' FILE > COPY"]);
    let sed = ["-c", "sed 'y/,/./' x.csv > points.csv"];
    assert!(
        std::process::Command::new("sh").args(sed).current_dir(folder.path()).status().unwrap().success()
    );
    near(&folder.json(&["points.csv"])["uniformity"]["x"], uniformity(&rows(&x, D, true), 2.0));
}

/// A pipe into eval without a file is read with the line that is printed.
#[test]
#[cfg(unix)]
fn a_pipe_without_a_dash() {
    let (folder, x) = folder();
    let eval = |line: &[&str]| {
        let mut eval = std::process::Command::new("sh");
        let pipe = format!("cat x.npy | {} {}", env!("CARGO_BIN_EXE_unisphere"), line.join(" "));
        eval.args(["-c", &pipe]).current_dir(folder.path()).output().unwrap()
    };
    refused(
        &eval(&["eval", "--json"]),
        2,
        &["no X is named", "name - for the pipe: unisphere eval - --json"],
    );
    near(&object(&eval(&["eval", "-", "--json"]))["uniformity"]["x"], uniformity(&rows(&x, D, true), 2.0));
}

#[test]
fn a_file_without_a_command() {
    let (folder, _) = folder();
    refused(
        &run(&folder, &["x.npy"]),
        2,
        &["x.npy is a file, and a command comes first", "write unisphere eval x.npy"],
    );
    let line = ["./x.npy", "y.npy", "--json"];
    refused(&run(&folder, &line), 2, &["write unisphere eval ./x.npy y.npy --json"]);
    object(&folder.eval(&line));
    refused(&run(&folder, &["none.npy"]), 2, &["write unisphere eval none.npy"]);
    fs::create_dir(folder.path().join("run")).unwrap();
    refused(&run(&folder, &["run"]), 2, &["run is a folder", "unisphere watch run", "unisphere compare run"]);
    // Of three, eval takes none; of a folder and others, watch.
    let three = run(&folder, &["x.npy", "y.npy", "z.npy", "--json"]);
    refused(&three, 2, &["unisphere compare x.npy y.npy z.npy --json takes each of them as a model"]);
    let folder_first = run(&folder, &["run", "x.npy"]);
    refused(
        &folder_first,
        2,
        &["run is a folder", "\nunisphere compare run x.npy takes each of them as a model"],
    );
    refused(&run(&folder, &["x.npy", "run"]), 2, &["x.npy is a file", "\nunisphere compare x.npy run takes"]);
    #[cfg(unix)]
    {
        fs::copy(folder.path().join("y.npy"), folder.path().join("run/y_1.npy")).unwrap();
        let more = "--device cpu --no-cache";
        let with_json = format!("{more} --json");
        for (told, more, models) in [(three, more, 3), (folder_first, with_json.as_str(), 2)] {
            let report = object(&carried_out(&folder, &told, "unisphere compare", " takes", more));
            assert_eq!(report["models"].as_array().unwrap().len(), models);
        }
    }
    refused(&run(&folder, &["evil"]), 2, &["unrecognized subcommand 'evil'"]);
}

/// Whatever the signs in a name, the line that is told is of this name.
#[cfg(unix)]
#[test]
fn names_are_quoted_in_cures() {
    let (folder, x) = folder();
    for (name, told) in [
        ("my x's.npy", r"unisphere eval 'my x'\''s.npy'"),
        ("$HOME *.npy", "unisphere eval '$HOME *.npy'"),
        ("a\tb'c\\\u{1b}.npy", r"unisphere eval $'a\011b\'c\\\033.npy'"),
    ] {
        folder.npy(name, &x, N, D);
        let output = run(&folder, &[name]);
        refused(&output, 2, &[told]);
        let report = object(&carried_out(&folder, &output, "unisphere eval", "\n", "--device cpu --json"));
        assert_eq!(report["rows"], N);
    }
    fs::create_dir(folder.path().join("my models")).unwrap();
    for name in ["a.npy", "b.npy"] {
        folder.npy(&format!("my models/{name}"), &x, N, D);
    }
    let output = folder.compare(&["my models"]);
    refused(&output, 3, &["my models has 2 files", "name each: 'my models/'*\n"]);
    let pattern = stderr(&output).trim_end().rsplit_once("name each: ").unwrap().1;
    let line = format!("\"$0\" compare {pattern} --device cpu --no-cache --json");
    let mut shell = crate::support::heeding("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_unisphere")]).current_dir(folder.path());
    let report = object(&shell.output().unwrap());
    assert_eq!(report["models"][1]["name"], "my models/b.npy");
}

/// Reports that skip no rows name what to do instead, and that works.
#[test]
fn rows_of_zeros_where_none_are_skipped() {
    let (folder, x) = folder();
    let mut zero = x.clone();
    zero[3 * D..4 * D].fill(0.0);
    folder.npy("zero.npy", &zero, N, D);
    let without = |name: &str, values: &[f32]| {
        let rows = values.chunks(D).enumerate().filter(|(row, _)| *row != 3);
        let left: Vec<f32> = rows.flat_map(|(_, row)| row.iter().copied()).collect();
        folder.npy(name, &left, N - 1, D);
    };
    without("x_left.npy", &zero);
    without("y_left.npy", &noise(N * D, 2));
    let skip = ["--zero-rows", "skip"];
    for (more, told, pair, left) in [
        (
            &["--views", "y.npy"][..],
            "--views takes all rows",
            &["zero.npy"][..],
            &["x_left.npy", "--views", "y_left.npy"][..],
        ),
        (
            &["--unpaired"],
            "--unpaired takes all rows",
            &["zero.npy", "y.npy"],
            &["x_left.npy", "y.npy", "--unpaired"],
        ),
        (
            &["--max-memory", "1G"],
            "on sets of any size\nleave out --max-memory; or",
            &["zero.npy", "y.npy"],
            &["x_left.npy", "y_left.npy", "--max-memory", "1G"],
        ),
    ] {
        let output = folder.eval(&[pair, more, &skip].concat());
        refused(&output, 2, &[told, "leave out --zero-rows skip, and", "or write --raw in its place"]);
        object(&folder.eval(&[pair, more, &["--raw", "--json"]].concat()));
        object(&folder.eval(&[left, &["--json"]].concat()));
        refused(
            &folder.eval(&[pair, more, &skip, &["--raw"]].concat()),
            2,
            &["leave out --zero-rows skip or --raw"],
        );
    }
    let report = folder.json(&["zero.npy", "y.npy", "--zero-rows", "skip"]);
    assert_eq!(report["alignment"], folder.json(&["x_left.npy", "y_left.npy"])["alignment"]);
}

/// Labels beside a number or a name of each row, without a line of names.
#[cfg(unix)]
#[test]
fn a_table_of_labels_without_a_header() {
    let (folder, _) = folder();
    let write = |name: &str, separator: &str, is_first: bool| {
        let line = |row: usize| {
            let (id, label) = (format!("a{row}.jpg"), if row.is_multiple_of(3) { "cat" } else { "dog" });
            if is_first { format!("{label}{separator}{id}\n") } else { format!("{id}{separator}{label}\n") }
        };
        fs::write(folder.path().join(name), (0..N).map(line).collect::<String>()).unwrap();
    };
    write("labels.csv", ",", false);
    write("labels.tsv", "\t", false);
    write("first.csv", ",", true);
    for (name, number) in [("labels.csv", 1), ("labels.tsv", 1), ("first.csv", 0)] {
        for more in ["", "--max-memory 1G"] {
            let line = format!("eval x.npy --labels {name} {more} --device cpu --json");
            let output = in_shell(&folder, &line);
            let cure = format!("name the column by its number, from 0: --labels-column {number}\n");
            refused(&output, 3, &["has several columns: ", "where its first line is no header", &cure]);
            let report = object(&in_shell(&folder, &format!("{line} {}", behind(&output, "from 0: "))));
            assert_eq!(report["groups"]["sizes"], json!([10, 20]), "{name} {more}");
        }
    }
    // By its first value, which is taken for a name.
    let line = "eval x.npy --labels labels.csv --device cpu --json";
    let output = in_shell(&folder, &format!("{line} --labels-column cat"));
    refused(&output, 3, &["holds 29 labels", "name the column by its number, from 0: --labels-column 1\n"]);
    object(&in_shell(&folder, &format!("{line} {}", behind(&output, "from 0: "))));
    // A first value that is the number of its column is its name as well, and a line above it makes it none.
    let lines: String = (0..N).map(|row| format!("a{row}.jpg,{}\n", (row + 1) % 2)).collect();
    fs::write(folder.path().join("labels.csv"), &lines).unwrap();
    let named =
        |column: &str| folder.eval(&["x.npy", "--labels", "labels.csv", "--labels-column", column, "--json"]);
    refused(
        &folder.eval(&["x.npy", "--labels", "labels.csv"]),
        3,
        &["the one that is meant with --labels-column\n"],
    );
    refused(&named("1"), 3, &["holds 29 labels", "write a line of names above it, such as id,label\n"]);
    fs::write(folder.path().join("labels.csv"), format!("id,label\n{lines}")).unwrap();
    assert_eq!(object(&named("label"))["groups"]["sizes"], json!([15, 15]));
    // Of a file with a header, a number is no column: it has a row more.
    fs::write(folder.path().join("headed.csv"), format!("id,kind\n{}", "1,a\n2,b\n".repeat(N / 2))).unwrap();
    let headed = |more: &[&str]| folder.eval(&[&["x.npy", "--labels", "headed.csv"], more].concat());
    refused(
        &headed(&["--labels-column", "1"]),
        3,
        &["holds 31 labels", "its first line, 'kind', may be a header"],
    );
    refused(&headed(&[]), 3, &["name the one that is meant with --labels-column\n"]);
}

#[test]
fn labels_of_a_table_are_named_by_the_cure() {
    let (folder, _) = folder();
    let write = |name: &str, header: &str| {
        let lines: String =
            (0..N).map(|i| format!("{i},{}\n", if i % 2 == 0 { "cat" } else { "dog" })).collect();
        fs::write(folder.path().join(name), format!("{header}\n{lines}")).unwrap();
    };
    write("labels.csv", "id,label");
    let told =
        ["labels.csv has several columns: id, label", "name the one that is meant: --labels-column label"];
    refused(&folder.eval(&["x.npy", "--labels", "labels.csv"]), 3, &told);
    refused(&folder.eval(&["x.npy", "--labels", "labels.csv", "--max-memory", "1G"]), 3, &told);
    let report = folder.json(&["x.npy", "--labels", "labels.csv", "--labels-column", "label"]);
    assert_eq!(report["groups"]["names"], json!(["cat", "dog"]));
    refused(
        &folder.eval(&["x.npy", "--labels", "labels.csv", "--labels-column", "lab"]),
        3,
        &["'lab'", "id, label"],
    );
    write("kinds.csv", "id,kind");
    let told = ["has several columns: id, kind", "name the one that is meant with --labels-column\n"];
    refused(&folder.eval(&["x.npy", "--labels", "kinds.csv"]), 3, &told);
    refused(&folder.eval(&["x.npy", "--weights", "kinds.csv"]), 3, &["with --weights-column\n"]);
    // Of a wide table, whose first columns alone are listed.
    let header = (0..12).map(|d| format!("d{d},")).collect::<String>() + "similarity\n";
    let line = "0,".repeat(12) + "3\n";
    fs::write(folder.path().join("wide.csv"), header + &line.repeat(N)).unwrap();
    let scored = ["x.npy", "y.npy", "--scores", "wide.csv"];
    refused(
        &folder.eval(&scored),
        3,
        &["d7 and 5 more", "name the one that is meant: --scores-column similarity\n"],
    );
}

/// Rows that are no pairs may be of any number, and not of any dimensions.
#[test]
fn sets_of_other_shapes_are_no_pairs() {
    let (folder, _) = folder();
    folder.npy("few.npy", &noise(7 * D, 8), 7, D);
    folder.npy("wide.npy", &noise(N * (D + 1), 9), N, D + 1);
    refused(&folder.eval(&["x.npy", "few.npy"]), 3, &["one positive pair", "eval --unpaired takes any rows"]);
    assert_eq!(folder.eval(&["x.npy", "few.npy", "--unpaired"]).status.code(), Some(0));
    let wide = folder.eval(&["x.npy", "wide.npy"]);
    refused(&wide, 3, &["save the same rows of both, from one encoder"]);
    assert!(!stderr(&wide).contains("--unpaired"), "{}", stderr(&wide));
}

#[test]
fn a_first_line_may_be_a_header() {
    let (folder, _) = folder();
    let labels: String = (0..N).map(|i| if i % 2 == 0 { "cat\n" } else { "dog\n" }).collect();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("labels.txt", &format!("label\n{labels}"));
    let told = [
        "labels.txt holds 31 labels",
        "its first line, 'label', may be a header: delete it, or call the file .csv",
    ];
    refused(&folder.eval(&["x.npy", "--labels", "labels.txt"]), 3, &told);
    // Both cures.
    write("without.txt", &labels);
    write("labels.csv", &format!("label\n{labels}"));
    for name in ["without.txt", "labels.csv"] {
        assert_eq!(folder.json(&["x.npy", "--labels", name])["groups"]["sizes"], json!([15, 15]), "{name}");
    }
    // pandas calls a column without a name 0, which may be a label.
    let numbers = labels.replace("cat", "3").replace("dog", "5");
    write("numbered.csv", &format!("0\n{numbers}"));
    let told =
        ["its first line, '0', may be a header: delete it, or give the column a name that is no number"];
    refused(&folder.eval(&["x.npy", "--labels", "numbered.csv"]), 3, &told);
    for header in ["", "label\n"] {
        write("numbered.csv", &format!("{header}{numbers}"));
        assert_eq!(
            folder.json(&["x.npy", "--labels", "numbered.csv"])["groups"]["sizes"],
            json!([15, 15]),
            "{header}"
        );
    }
    // Another number of lines has another reason.
    write("long.txt", &format!("label\n{labels}cat\n"));
    refused(&folder.eval(&["x.npy", "--labels", "long.txt"]), 3, &["save one label a row"]);
    let weights = "1\n".repeat(7) + "nan\n" + &"1\n".repeat(N - 8);
    write("weights.txt", &weights);
    refused(&folder.eval(&["x.npy", "--weights", "weights.txt"]), 3, &["weights.txt: row 7 holds NaN"]);
    write("weights.csv", &format!("w\n{weights}"));
    refused(&folder.eval(&["x.npy", "--weights", "weights.csv"]), 3, &["weights.csv: row 7 holds NaN"]);
}

#[test]
fn rows_of_weight_zero_are_not_listed() {
    let (folder, x) = folder();
    // The rows that crowd together most, if they counted.
    let mut crowded = x;
    for row in 1..6 {
        crowded.copy_within(0..D, row * D);
    }
    folder.npy("x.npy", &crowded, N, D);
    let weights: Vec<f64> = (0..N).map(|row| if row < 5 { 0.0 } else { 1.0 + row as f64 }).collect();
    let bytes: Vec<u8> = weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    folder.column("w.npy", "<f8", &bytes);
    let listed =
        |of: &Value| of.as_array().unwrap().iter().map(|of| of["row"].as_u64().unwrap()).collect::<Vec<_>>();
    let all = folder.json(&["x.npy", "y.npy", "--top", "40"]);
    assert!(listed(&all["offenders"]["crowded"]["x"])[..6].iter().all(|&row| row < 6));
    for top in ["7", "40"] {
        let weighted = folder.json(&["x.npy", "y.npy", "--weights", "w.npy", "--top", top]);
        near(&weighted["uniformity"]["x"], weighted_uniformity(&rows(&crowded, D, true), &weights, 2.0));
        let offenders = &weighted["offenders"];
        for pointer in ["/crowded/x", "/crowded/y", "/apart"] {
            let found = listed(offenders.pointer(pointer).unwrap());
            let expected = listed(all["offenders"].pointer(pointer).unwrap());
            let expected: Vec<_> = expected.into_iter().filter(|&row| row >= 5).collect();
            assert_eq!(found, expected[..expected.len().min(top.parse().unwrap())], "{pointer}");
        }
    }
    let text = folder.eval(&["x.npy", "--weights", "w.npy", "--top", "3"]);
    assert!(stdout(&text).contains("Rows of weight 0 are not listed."), "{}", stdout(&text));
    // One set has no alignment, whatever its weights.
    assert!(!stdout(&text).contains("Alignment"), "{}", stdout(&text));
    folder.eval(&["x.npy", "--weights", "w.npy", "--html", "page.html"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("Rows of weight 0 are not listed.") && !page.contains("Alignment: "));
    // With labels it has one of them, whose pairs are weighted too, and the legend of the plane says so.
    let labels: String = (0..N).map(|row| format!("{}\n", row % 3)).collect();
    fs::write(folder.path().join("labels.txt"), labels).unwrap();
    let legend = |more: &[&str]| {
        folder.eval(&[&["x.npy", "--labels", "labels.txt", "--html", "page.html"], more].concat());
        let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
        let start = page.find("Pairs are rows of one label").unwrap();
        page[start..].split('.').next().unwrap().to_owned()
    };
    assert_eq!(legend(&[]), "Pairs are rows of one label");
    let weighted =
        "Pairs are rows of one label, each of which counts by the product of the weights of its rows";
    assert_eq!(legend(&["--weights", "w.npy"]), weighted);
}

#[test]
fn views_are_named_behind_the_first() {
    let (folder, _) = folder();
    let told =
        ["no X is named", "name the first view before --views: unisphere eval x.npy --views y.npy z.npy"];
    refused(&run(&folder, &["eval", "--views", "x.npy", "y.npy", "z.npy"]), 2, &told);
    let views = ["x.npy", "--views", "y.npy", "z.npy"];
    assert_eq!(folder.json(&views)["views"], 3);
    // With all else of the line.
    let output = run(
        &folder,
        &["eval", "--device", "cpu", "--views", "x.npy", "y.npy", "z.npy", "--t", "3", "--json"],
    );
    let told = "unisphere eval x.npy --device cpu --views y.npy z.npy --t 3 --json";
    refused(&output, 2, &[told]);
    let one = run(&folder, &["eval", "--views", "x.npy", "--device", "cpu", "--json"]);
    refused(&one, 2, &["name one more view, or leave out --views: unisphere eval x.npy --device cpu --json"]);
    #[cfg(unix)]
    {
        assert_eq!(object(&carried_out(&folder, &output, "unisphere eval", "\n", ""))["views"], 3);
        assert_eq!(object(&carried_out(&folder, &one, "unisphere eval", "\n", ""))["rows"], N);
    }
    let told =
        ["--views takes views of the same rows", "leave out --unpaired for views; or leave out --views"];
    for line in [
        &["x.npy", "--views", "y.npy", "z.npy", "--unpaired"][..],
        &["x.npy", "y.npy", "--unpaired", "--views", "z.npy"],
    ] {
        refused(&folder.eval(line), 2, &told);
    }
    object(&folder.eval(&["x.npy", "y.npy", "--unpaired", "--permutations", "9", "--json"]));
    refused(
        &folder.eval(&["x.npy", "--views", "x.npy", "y.npy"]),
        2,
        &["x.npy is named twice", "before --views"],
    );
}

/// What of the options means nothing to a pipe is not told of it, as of a file.
#[cfg(unix)]
#[test]
fn what_a_pipe_has_no_use_for_is_not_told() {
    let (folder, x) = folder();
    let lines = x.chunks(D).map(|row| json!({"e": row, "f": row}).to_string() + "\n");
    fs::write(folder.path().join("x.jsonl"), lines.collect::<String>()).unwrap();
    let column = ["--column", "e", "--device", "cpu", "--json"];
    // Of so few rows, an estimate says that all pairs are computed.
    let told = |output: &Output| serde_json::from_str::<Value>(stdout(output)).unwrap();
    for more in [&[][..], &["--max-memory", "1G"], &["--tolerance", "1e-1"]] {
        let line = [&["eval", "-", "x.jsonl"], &column[..], more].concat();
        let report = told(&piped(&folder, "x.npy", &line));
        assert_eq!(report["files"], json!({"x": "/dev/stdin", "y": "x.jsonl, e"}), "{more:?}");
        let line = [&["eval", "x.npy", "-"], &column[..], more].concat();
        let report = told(&piped(&folder, "x.jsonl", &line));
        assert_eq!(report["files"], json!({"x": "x.npy", "y": "/dev/stdin, e"}), "{more:?}");
    }
    let compared = [&["compare", "-", "x.jsonl", "--no-cache"], &column[..]].concat();
    let report = object(&piped(&folder, "x.npy", &compared));
    let files = |of: &Value| {
        of["models"].as_array().unwrap().iter().map(|of| of["files"]["x"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(files(&report), ["/dev/stdin", "x.jsonl, e"].map(Value::from));
    // Rows of zeros of a pipe are skipped; of models they are looked for before one is measured, which a pipe cannot have.
    let mut zero = x.clone();
    zero[3 * D..4 * D].fill(0.0);
    folder.npy("zero.npy", &zero, N, D);
    let report = object(&piped(
        &folder,
        "zero.npy",
        &["eval", "-", "--zero-rows", "skip", "--device", "cpu", "--json"],
    ));
    let left: Vec<f32> =
        zero.chunks(D).filter(|row| row.iter().any(|&v| v != 0.0)).flatten().copied().collect();
    near(&report["uniformity"]["x"], uniformity(&rows(&left, D, true), 2.0));
    let compared =
        ["compare", "-", "x.npy", "--zero-rows", "skip", "--device", "cpu", "--no-cache", "--json"];
    refused(&piped(&folder, "zero.npy", &compared), 3, &["- is a pipe", "write it to a file first"]);
    object(&folder.compare(&["zero.npy", "x.npy", "--zero-rows", "skip", "--json"]));
}
