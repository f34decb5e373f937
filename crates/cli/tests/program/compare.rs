//! Several models in one table.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{
    Folder, alignment, near, noise, object, refused, rows, slashed, stderr, stdout, uniformity,
};

const N: usize = 60;
const D: usize = 4;
/// `scipy.stats.t.ppf(0.975, 59)`
const QUANTILE: f64 = 2.000_995_377_488_8;

/// Rows of a model: what all models have in common, and so much noise of its own.
fn model(spread: f32, seed: u64) -> Vec<f32> {
    noise(N * D, 1).iter().zip(noise(N * D, seed)).map(|(common, own)| common + spread * own).collect()
}

/// Pairs a, b and c as x and y of each, and their values.
fn pairs() -> (Folder, Vec<[Vec<f32>; 2]>) {
    let folder = Folder::new();
    let models: Vec<_> =
        [(0.1, 2), (0.2, 3), (0.4, 4)].map(|(s, seed)| [model(s, seed), model(s, seed + 10)]).into();
    for (name, [x, y]) in ["a", "b", "c"].iter().zip(&models) {
        folder.npy(&format!("{name}_x.npy"), x, N, D);
        folder.npy(&format!("{name}_y.npy"), y, N, D);
    }
    (folder, models)
}

const PAIRS: [&str; 3] = ["a_x.npy:a_y.npy", "b_x.npy:b_y.npy", "c_x.npy:c_y.npy"];

fn compared(folder: &Folder, arguments: &[&str]) -> Value {
    let report = object(&folder.compare(&[arguments, &["--json"]].concat()));
    follows_schema(&report);
    report
}

pub(crate) fn follows_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../schema/compare.json")).unwrap();
    let schema: Validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<_> = schema.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}

type Rows = Vec<Vec<f64>>;

/// Mean uniformity of both sets, and their alignment, without row `i` where it is one.
fn values([x, y]: &[Rows; 2], i: usize) -> [f64; 2] {
    let without = |rows: &Rows| {
        rows.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, row)| row.clone()).collect::<Rows>()
    };
    let (x, y) = (without(x), without(y));
    [alignment(&x, &y, 2.0), (uniformity(&x, 2.0) + uniformity(&y, 2.0)) / 2.0]
}

/// Every number by its formula: values over all pairs, and differences by leaving out one row after the other.
#[test]
fn numbers_are_those_of_the_formulas() {
    let (folder, models) = pairs();
    let report = compared(&folder, &PAIRS);
    let models: Vec<_> = models.iter().map(|sets| sets.each_ref().map(|set| rows(set, D, true))).collect();
    for (at, sets) in models.iter().enumerate() {
        let found = &report["models"][at];
        assert_eq!((&found["name"], &found["cached"]), (&PAIRS[at].into(), &false.into()));
        let [of_alignment, of_uniformity] = values(sets, usize::MAX);
        near(&found["alignment"]["value"], of_alignment);
        near(&found["uniformity"]["value"], of_uniformity);
        near(&found["uniformity"]["x"], uniformity(&sets[0], 2.0));
        near(&found["uniformity"]["y"], uniformity(&sets[1], 2.0));
        let gap = of_uniformity - found["uniformity"]["floor"].as_f64().unwrap();
        near(&found["uniformity"]["gap"], gap);
        if at == 0 {
            assert_eq!(found["difference"], Value::Null);
            continue;
        }
        let difference = |i| {
            let (of_model, of_base) = (values(sets, i), values(&models[0], i));
            [of_model[0] - of_base[0], of_model[1] - of_base[1]]
        };
        let all = difference(usize::MAX);
        let without: Vec<_> = (0..N).map(difference).collect();
        for (metric, name) in ["alignment", "uniformity"].into_iter().enumerate() {
            let mean = without.iter().map(|of| of[metric]).sum::<f64>() / N as f64;
            let squares: f64 = without.iter().map(|of| (of[metric] - mean).powi(2)).sum();
            let error = ((N - 1) as f64 / N as f64 * squares).sqrt();
            let found = &found["difference"][name];
            near(&found["value"], all[metric]);
            near(&found["standard_error"], error);
            near(&found["low"], all[metric] - QUANTILE * error);
            near(&found["high"], all[metric] + QUANTILE * error);
        }
    }
    // Four differences, each corrected by at most four.
    for at in [1, 2] {
        let found = &report["models"][at]["difference"]["alignment"];
        let [p, corrected] = ["p_value", "p_holm"].map(|key| found[key].as_f64().unwrap());
        assert!(p <= corrected && corrected <= (4.0 * p).min(1.0), "{p}, {corrected}");
    }
    assert_eq!(report["absent"], json!({"/models/0/difference": "it is the baseline"}));
}

#[test]
fn numbers_are_those_of_eval() {
    let (folder, _) = pairs();
    let report = compared(&folder, &["a_x.npy:a_y.npy", "--t", "3", "--alpha", "1"]);
    let eval = folder.json(&["a_x.npy", "a_y.npy", "--t", "3", "--alpha", "1"]);
    let found = &report["models"][0];
    let close = |found: &Value, expected: &Value| {
        let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    };
    for key in ["value", "standard_error", "low", "high"] {
        close(&found["alignment"][key], &eval["alignment"][key]);
    }
    for key in ["x", "y", "floor"] {
        close(&found["uniformity"][key], &eval["uniformity"][key]);
    }
    close(&found["uniformity"]["value"], &eval["uniformity"]["mean"]);
    let one = compared(&folder, &["a_x.npy", "--raw"]);
    let eval = folder.json(&["a_x.npy", "--raw"]);
    close(&one["models"][0]["uniformity"]["value"], &eval["uniformity"]["x"]);
    for key in ["standard_error", "low", "high"] {
        close(&one["models"][0]["uniformity"][key], &eval["uniformity"]["of_x"][key]);
    }
}

/// A model with itself has no difference, and one model alone nothing to be compared with.
#[test]
fn the_same_and_one_alone() {
    let (folder, _) = pairs();
    fs::copy(folder.path().join("a_x.npy"), folder.path().join("again.npy")).unwrap();
    let report = compared(&folder, &["a_x.npy", "again.npy"]);
    let zero =
        json!({"value": 0.0, "standard_error": 0.0, "low": 0.0, "high": 0.0, "p_value": 1.0, "p_holm": 1.0});
    assert_eq!(report["models"][1]["difference"], json!({"uniformity": zero}));
    let alone = folder.compare(&["a_x.npy"]);
    assert_eq!((alone.status.code(), stderr(&alone)), (Some(0), ""));
    assert!(stdout(&alone).starts_with("models  1, 1 from the cache\n"), "{}", stdout(&alone));
    assert!(!stdout(&alone).contains("difference"), "{}", stdout(&alone));
}

#[test]
fn models_are_named_by_files_folders_and_tables() {
    let (folder, _) = pairs();
    let path = |name: &str| folder.path().join(name);
    for (model, files) in [("one", &["points.npy"][..]), ("two", &["x.npy", "y.npy", "notes.txt"])] {
        fs::create_dir(path(model)).unwrap();
        for (file, from) in files.iter().zip(["a_x.npy", "a_y.npy", "a_x.npy"]) {
            fs::copy(path(from), path(model).join(file)).unwrap();
        }
    }
    let one = compared(&folder, &["one/", "a_x.npy"]);
    assert_eq!(one["models"][0]["name"], "one");
    let files = |report: &Value| -> Value {
        let files = report["models"][0]["files"].as_object().unwrap();
        files.iter().map(|(set, file)| (set.clone(), Value::from(slashed(file.as_str().unwrap())))).collect()
    };
    assert_eq!(files(&one), json!({"x": "one/points.npy"}));
    let two = compared(&folder, &["two", "a_x.npy:a_y.npy"]);
    assert_eq!(files(&two), json!({"x": "two/x.npy", "y": "two/y.npy"}));
    assert_eq!(two["models"][0]["alignment"], two["models"][1]["alignment"]);
    // A table may name folders too; names are sorted with their numbers.
    fs::write(path("folders.csv"), "name,x\nstep 10,two\nstep 9,two\n").unwrap();
    let listed = compared(&folder, &["--runs", "folders.csv", "--sort", "name"]);
    assert_eq!(
        (&listed["models"][0]["name"], &listed["models"][1]["name"]),
        (&"step 9".into(), &"step 10".into())
    );
    assert_eq!(listed["models"][0]["alignment"], two["models"][0]["alignment"]);
    // Paths are from the folder of the table, whose other columns do not matter.
    let table = "\u{feff}name,step,x,y,loss,score\nlate,20,../c_x.npy,../c_y.npy,1.5,0.3\nearly,1e1,../a_x.npy,../a_y.npy,,0.9\n\
                 \"b, of no step\",,../b_x.npy,../b_y.npy,,\n";
    fs::write(path("two/runs.csv"), table).unwrap();
    let report = compared(&folder, &["--runs", "two/runs.csv", "--baseline", "early"]);
    let names: Vec<_> = report["models"].as_array().unwrap().iter().map(|of| of["name"].clone()).collect();
    assert_eq!(names, ["late", "early", "b, of no step"]);
    assert_eq!((&report["models"][0]["step"], &report["models"][2].get("score")), (&20.0.into(), &None));
    assert_eq!(report["models"][1]["difference"], Value::Null);
    let steps = &report["trajectory"];
    assert_eq!((&steps[0]["name"], &steps[1]["name"]), (&"early".into(), &"late".into()));
    assert_eq!(steps.as_array().unwrap().len(), 2);
    let change = &steps[1]["change"]["alignment"]["value"];
    let of = |model: usize| report["models"][model]["alignment"]["value"].as_f64().unwrap();
    near(change, of(0) - of(1));
    // Two models with a score have a correlation, and no interval.
    let correlations = &report["correlations"];
    assert_eq!((&correlations[0]["metric"], &correlations[0]["models"]), (&"alignment".into(), &2.into()));
    assert_eq!(correlations[0]["kendall"], json!({"value": -1.0, "low": null, "high": null}));
    assert!(report["absent"]["/correlations/0/kendall/low"].as_str().unwrap().contains("five models"));
}

#[test]
fn a_table_is_sorted_as_asked() {
    let folder = Folder::new();
    let mut table = String::from("name,x,step,score\n");
    for (name, spread, seed, step, score) in
        [("p", 0.1, 2, "3", "1"), ("q", 0.5, 3, "", "7"), ("r", 0.3, 4, "1", "")]
    {
        folder.npy(&format!("{name}.npy"), &model(spread, seed), N, D);
        table += &format!("{name},{name}.npy,{step},{score}\n");
    }
    fs::write(folder.path().join("runs.csv"), table).unwrap();
    let order = |arguments: &[&str]| {
        let report = compared(&folder, &[&["--runs", "runs.csv"], arguments].concat());
        let models = report["models"].as_array().unwrap().clone();
        let baseline =
            models.iter().position(|of| of["difference"].is_null()).map(|at| models[at]["name"].clone());
        assert_eq!(baseline, Some("p".into()));
        models.iter().map(|of| of["name"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(order(&[]), "pqr");
    assert_eq!(order(&["--sort", "step"]), "rpq");
    assert_eq!(order(&["--sort", "score", "--descending"]), "qpr");
    assert_eq!(order(&["--sort", "name", "--descending"]), "rqp");
    let report = compared(&folder, &["--runs", "runs.csv", "--sort", "uniformity"]);
    let values: Vec<_> =
        report["models"].as_array().unwrap().iter().map(|of| of["uniformity"]["value"].as_f64()).collect();
    assert!(values.is_sorted(), "{values:?}");
}

#[test]
fn text_and_markdown_have_the_same_tables() {
    let (folder, _) = pairs();
    let table = "name,x,y,step,score\n".to_owned()
        + &["a", "b", "c"]
            .map(|name| format!("{name}|1,{name}_x.npy,{name}_y.npy,{},{}\n", name.len(), name.len()))
            .concat();
    fs::write(folder.path().join("runs.csv"), table.replace(",1,1\n", ",7,0.5\n")).unwrap();
    let printed = |form: &[&str]| {
        let output = folder.compare(&[&["--runs", "runs.csv"], form].concat());
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        stdout(&output).to_owned()
    };
    let (text, markdown) = (printed(&[]), printed(&["--markdown"]));
    for title in [
        "model",
        "alignment, less the baseline's",
        "uniformity, less the baseline's",
        "against the score",
        "step",
    ] {
        assert!(text.lines().any(|line| line.starts_with(title)), "{title}: {text}");
        let title = title.replace('|', "\\|");
        assert!(
            markdown.lines().any(|line| line.starts_with(&format!("| {title} |"))),
            "{title}: {markdown}"
        );
    }
    // A row of the table has as many cells as its head, in spite of names with bars.
    for table in markdown.split("\n\n") {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let lines: Vec<_> = table.lines().filter(|line| line.starts_with('|')).collect();
        assert!(lines.iter().all(|line| cells(line) == cells(lines[0])), "{table}");
    }
    assert!(text.contains("all scores are equal"), "{text}");
}

#[test]
fn a_line_for_each_model_is_appended() {
    let (folder, _) = pairs();
    let report = compared(&folder, &[&PAIRS[..], &["--csv", "models.csv"]].concat());
    compared(&folder, &["a_x.npy", "--csv", "models.csv"]);
    let mut reader = csv::Reader::from_path(folder.path().join("models.csv")).unwrap();
    let columns: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!((columns[0].as_str(), columns[1].as_str(), rows.len()), ("time", "files.x", 4));
    let cell =
        |row: usize, column: &str| rows[row][columns.iter().position(|of| of == column).unwrap()].to_owned();
    for (row, model) in report["models"].as_array().unwrap().iter().enumerate() {
        assert_eq!(cell(row, "name"), model["name"].as_str().unwrap());
        for (column, pointer) in [
            ("alignment.value", "/alignment/value"),
            ("uniformity.high", "/uniformity/high"),
            ("difference.uniformity.p_holm", "/difference/uniformity/p_holm"),
        ] {
            let expected = model.pointer(pointer).and_then(Value::as_f64);
            assert_eq!(cell(row, column).parse().ok(), expected, "{row}, {column}");
        }
    }
    assert_eq!((cell(3, "files.y").as_str(), cell(3, "alignment.value").as_str()), ("", ""));
}

/// Numbered files are a model, alone and as pairs, of the same numbers as one file of all rows; and so are pipes, which no cache keeps.
#[test]
fn numbered_files_and_pipes_are_models() {
    let (folder, models) = pairs();
    for (set, name) in [(0, "x"), (1, "y")] {
        for (part, rows) in
            [models[0][set][..20 * D].to_vec(), models[0][set][20 * D..].to_vec()].iter().enumerate()
        {
            folder.npy(&format!("part_{name}_{}.npy", part + 9), rows, rows.len() / D, D);
        }
    }
    let whole = compared(&folder, &["a_x.npy:a_y.npy", "b_x.npy:b_y.npy"]);
    let parts = ["part_x_*.npy:part_y_*.npy", "b_x.npy:b_y.npy"];
    for is_cached in [false, true] {
        let report = compared(&folder, &parts);
        let model = &report["models"][0];
        assert_eq!((&model["cached"], &model["files"]["y"]), (&is_cached.into(), &"part_y_*.npy".into()));
        for key in ["alignment", "uniformity"] {
            assert_eq!(model[key], whole["models"][0][key]);
        }
        assert_eq!(report["models"][1]["difference"], whole["models"][1]["difference"]);
    }
    let report = compared(&folder, &["part_x_*.npy", "b_x.npy"]);
    assert_eq!(report["models"][0]["uniformity"]["value"], whole["models"][0]["uniformity"]["x"]);
    fs::write(folder.path().join("runs.csv"), "name,x,y\nfirst,part_x_*.npy,part_y_*.npy\n").unwrap();
    let report = compared(&folder, &["--runs", "runs.csv"]);
    assert_eq!(report["models"][0]["alignment"], whole["models"][0]["alignment"]);
    refused(&folder.compare(&["none_*.npy", "b_x.npy"]), 3, &["none_*.npy", "no file"]);
    // A number is missing.
    fs::rename(folder.path().join("part_x_10.npy"), folder.path().join("part_x_10_of_12.npy")).unwrap();
    refused(&folder.compare(&["part_x_*.npy", "b_x.npy"]), 3, &["part_x_"]);
}

#[cfg(unix)]
#[test]
fn pipes_are_models_that_no_cache_keeps() {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
        thread,
    };

    let (folder, _) = pairs();
    let whole = compared(&folder, &["a_x.npy", "b_x.npy"]);
    let bytes = fs::read(folder.path().join("a_x.npy")).unwrap();
    let fifo = folder.path().join("fifo.npy");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for name in ["-", "fifo.npy"] {
        let mut program = crate::support::program();
        program.args(["compare", name, "b_x.npy", "--device", "cpu", "--cache", "cache", "--json"]);
        program
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (bytes, fifo) = (bytes.clone(), fifo.clone());
        let writer = thread::spawn(move || match name {
            "-" => stdin.write_all(&bytes).unwrap(),
            _ => fs::write(fifo, bytes).unwrap(),
        });
        let report = object(&child.wait_with_output().unwrap());
        writer.join().unwrap();
        follows_schema(&report);
        let model = &report["models"][0];
        assert_eq!((&model["name"], &model["cached"]), (&name.into(), &false.into()));
        assert_eq!(model["uniformity"], whole["models"][0]["uniformity"]);
        assert_eq!(report["models"][1]["cached"], true);
    }
    let skip = folder.compare(&["fifo.npy", "b_x.npy", "--zero-rows", "skip"]);
    refused(&skip, 3, &["fifo.npy is a pipe", "--zero-rows skip", "write it to a file"]);
}

/// A row of zeros in one model is left out of all of them, so that row i is of the same thing; models of other numbers of rows keep theirs.
#[test]
fn rows_of_zeros_are_left_out_of_all_models() {
    let (folder, models) = pairs();
    let mut zeros = models.clone();
    zeros[0][0][5 * D..6 * D].fill(0.0);
    zeros[1][1][17 * D..18 * D].fill(0.0);
    for (name, sets) in ["a", "b", "c"].iter().zip(&zeros) {
        folder.npy(&format!("z{name}_x.npy"), &sets[0], N, D);
        folder.npy(&format!("z{name}_y.npy"), &sets[1], N, D);
        let without = |set: &[f32]| -> Vec<f32> {
            let rows = set.chunks(D).enumerate().filter(|(row, _)| ![5, 17].contains(row));
            rows.flat_map(|(_, row)| row).copied().collect()
        };
        folder.npy(&format!("w{name}_x.npy"), &without(&sets[0]), N - 2, D);
        folder.npy(&format!("w{name}_y.npy"), &without(&sets[1]), N - 2, D);
    }
    let with_zeros = ["za_x.npy:za_y.npy", "zb_x.npy:zb_y.npy", "zc_x.npy:zc_y.npy"];
    let output = folder.compare(&with_zeros);
    assert!(
        stdout(&output).contains("--zero-rows skip leaves such rows out of all models"),
        "{}",
        stdout(&output)
    );
    let skip = [&with_zeros[..], &["--zero-rows", "skip"]].concat();
    let wanted = compared(&folder, &["wa_x.npy:wa_y.npy", "wb_x.npy:wb_y.npy", "wc_x.npy:wc_y.npy"]);
    for is_cached in [false, true] {
        let report = compared(&folder, &skip);
        for (model, wanted) in
            report["models"].as_array().unwrap().iter().zip(wanted["models"].as_array().unwrap())
        {
            assert_eq!((&model["cached"], &model["skipped"]), (&is_cached.into(), &json!([5, 17])));
            for key in ["rows", "alignment", "uniformity", "difference"] {
                assert_eq!(model[key], wanted[key], "{key}");
            }
        }
    }
    let text = folder.compare(&skip);
    assert!(
        stdout(&text).contains("2 rows are all zeros in one model or more, and are left out of all."),
        "{}",
        stdout(&text)
    );
    // A model of other rows has none of theirs.
    let report = compared(&folder, &["za_x.npy", "wb_x.npy", "--zero-rows", "skip"]);
    assert_eq!(
        (&report["models"][0]["skipped"], &report["models"][1]["skipped"]),
        (&json!([5]), &Value::Null)
    );
    refused(&folder.compare(&["a_x.npy", "--zero-rows", "skip", "--raw"]), 2, &["--zero-rows skip", "--raw"]);
}

/// An option is of those models whose files have such a thing, and refused where none has.
#[test]
fn an_option_is_of_some_models() {
    let folder = Folder::new();
    let (n, d) = (40, 3);
    folder.npy("a.npy", &noise(n * d, 1), n, d);
    let line = |row: &[f32]| format!("{},{},{},9\n", row[0], row[1], row[2]);
    let rows: String = noise(n * d, 2).chunks(d).map(line).collect();
    fs::write(folder.path().join("b.csv"), format!("d0,d1,d2,other\n{rows}")).unwrap();
    for _cached in [false, true] {
        let report = compared(&folder, &["a.npy", "b.csv", "--column", "d*"]);
        assert_eq!(
            (report["models"].as_array().unwrap().len(), report["models"][1]["dims"].as_u64()),
            (2, Some(3))
        );
    }
    let output = folder.compare(&["a.npy", "--column", "d*"]);
    assert!(!output.status.success() && stderr(&output).contains("--column"), "{}", stderr(&output));
}

/// A folder with the signs of a pattern is no pattern before one.
#[test]
fn patterns_of_a_table_are_from_its_folder() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("exp[1]")).unwrap();
    for part in 1..=2 {
        folder.npy(&format!("exp[1]/part_{part}.npy"), &noise(60, part), 20, 3);
    }
    fs::write(folder.path().join("exp[1]/runs.csv"), "name,x\nfirst,part_*.npy\n").unwrap();
    let report = compared(&folder, &["--runs", "exp[1]/runs.csv"]);
    assert_eq!(report["models"][0]["rows"].as_u64(), Some(40), "{report}");
}
