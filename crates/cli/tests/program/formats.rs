//! Files of many formats: the values of the same points in .npy, whichever way they are named.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Folder, near, noise, object, program, refused, stderr, stdout};

const N: usize = 120;
const D: usize = 8;

/// x.npy and y.npy, and the same points in other files.
fn folder() -> Folder {
    let folder = Folder::new();
    let (x, y) = (noise(N * D, 1), noise(N * D, 2));
    folder.npy("x.npy", &x, N, D);
    folder.npy("y.npy", &y, N, D);
    let rows = || x.chunks(D).zip(y.chunks(D));
    let lines = |line: &dyn Fn(&[f32], &[f32]) -> String| rows().map(|(x, y)| line(x, y)).collect::<String>();
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    put("pairs.jsonl", lines(&|x, y| format!("{}\n", json!({"anchor": x, "positive": y}))).into());
    put("pairs.csv", format!("anchor,positive\n{}", lines(&|x, y| format!("\"{x:?}\",\"{y:?}\"\n"))).into());
    let numbers = |x: &[f32]| x.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
    put("x.csv", lines(&|x, _| format!("{}\n", numbers(x))).into());
    let vector = |x: &[f32]| {
        let bytes = x.iter().flat_map(|value| value.to_le_bytes());
        (D as u32).to_le_bytes().into_iter().chain(bytes).collect::<Vec<_>>()
    };
    put("x.fvecs", rows().flat_map(|(x, _)| vector(x)).collect());
    put("unnamed", rows().flat_map(|(x, _)| vector(x)).collect());
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> Value {
    object(&program().args(arguments).current_dir(folder.path()).output().unwrap())
}

#[test]
fn every_format_gives_the_bits_of_npy() {
    let folder = folder();
    let wanted = folder.json(&["x.npy"])["uniformity"].clone();
    for line in [
        &["x.csv"][..],
        &["x.fvecs"],
        &["unnamed", "--format", "fvecs"],
        &["pairs.jsonl", "--column", "anchor"],
        &["pairs.csv", "--column", "anchor"],
    ] {
        assert_eq!(folder.json(line)["uniformity"], wanted, "{line:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_dash_is_standard_input() {
    let folder = folder();
    let wanted = folder.json(&["x.npy"])["uniformity"].clone();
    let mut command = program();
    command.args(["eval", "-", "--device", "cpu", "--json"]).current_dir(folder.path());
    command.stdin(fs::File::open(folder.path().join("x.npy")).unwrap());
    assert_eq!(object(&command.output().unwrap())["uniformity"], wanted);
}

#[test]
fn two_columns_of_one_file_are_pairs() {
    let folder = folder();
    let wanted = folder.json(&["x.npy", "y.npy", "--tau", "0.1"]);
    for file in ["pairs.jsonl", "pairs.csv"] {
        let found = folder.json(&[file, "--columns", "anchor,positive", "--tau", "0.1"]);
        for key in ["alignment", "uniformity", "contrastive"] {
            assert_eq!(found[key], wanted[key], "{file}: {key}");
        }
        let named = json!({"x": format!("{file}, anchor"), "y": format!("{file}, positive")});
        assert_eq!(found["files"], named);
        // Two files, and a name for each.
        let swapped = folder.json(&[file, file, "--columns", "positive,anchor"]);
        assert_eq!(swapped["uniformity"]["x"], wanted["uniformity"]["y"]);
        let table = folder.eval(&[file, "--columns", "anchor,positive"]);
        assert!(stdout(&table).contains(&format!("y       {file}, positive\n")), "{}", stdout(&table));
    }
}

#[test]
fn sets_of_any_size_are_of_any_format() {
    let folder = folder();
    let columns = ["--columns", "anchor,positive"];
    let wanted = folder.json(&["x.npy", "y.npy", "--max-memory", "1G", "--across"]);
    let found = folder.json(&[&["pairs.jsonl", "--max-memory", "1G", "--across"][..], &columns].concat());
    assert_eq!((&found["uniformity"], &found["alignment"]), (&wanted["uniformity"], &wanted["alignment"]));
    assert_eq!(found["read"], json!({"columns": ["anchor", "positive"]}));
    // A plan says how its parts read.
    let plan = [&["plan", "pairs.jsonl", "--across", "--parts", "1"][..], &columns].concat();
    let plan = program().args(plan).current_dir(folder.path()).output().unwrap();
    fs::write(folder.path().join("run.plan"), &plan.stdout).unwrap();
    let part = ["part", "run.plan", "1", "--out", "parts", "--device", "cpu"];
    let part = program().args(part).current_dir(folder.path()).output().unwrap();
    assert_eq!(part.status.code(), Some(0), "{}", stderr(&part));
    let merged = run(&folder, &["merge", "run.plan", "parts", "--json"]);
    assert_eq!(merged["uniformity"], wanted["uniformity"]);
}

#[test]
fn codes_are_what_options_make_of_them() {
    let folder = folder();
    let codes: Vec<u8> = (0..N * D).map(|i| (i * i * 7 % 251) as u8).collect();
    let points = |of: &dyn Fn(u8) -> f32| codes.iter().map(|&code| of(code)).collect::<Vec<_>>();
    folder.write("codes.npy", "|u1", &format!("({N}, {D})"), &codes);
    folder.npy("plain.npy", &points(&f32::from), N, D);
    folder.npy("scaled.npy", &points(&|code| 0.5 * (f32::from(code) - 128.0)), N, D);
    let bits =
        codes.iter().flat_map(|code| (0..8).rev().map(move |bit| f32::from((code >> bit & 1) * 2) - 1.0));
    folder.npy("signs.npy", &bits.collect::<Vec<_>>(), N, 8 * D);
    let value = |line: &[&str]| folder.json(line)["uniformity"]["x"].clone();
    assert_eq!(value(&["codes.npy"]), value(&["plain.npy"]));
    assert_eq!(value(&["codes.npy", "--quant-scale", "0.5", "--quant-zero", "128"]), value(&["scaled.npy"]));
    assert_eq!(value(&["codes.npy", "--bits"]), value(&["signs.npy"]));
}

#[test]
fn files_of_other_libraries_are_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/data");
    let value = |name: &str, more: &[&str]| {
        let folder = Folder::new();
        let file = data.join(name);
        folder.json(&[&[file.to_str().unwrap()], more].concat())["uniformity"]["x"].clone()
    };
    let wanted = value("f32.npy", &[]);
    for name in ["one.npz", "f32.safetensors", "points.fbin"] {
        assert_eq!(value(name, &[]), wanted, "{name}");
    }
    assert_eq!(value("several.safetensors", &["--tensor", "a"]), wanted);
    assert_eq!(value("bf16.npy", &["--dtype", "bf16"]), wanted);
    assert_eq!(value("float32_list.parquet", &[]), value("float32_list.arrow", &[]));
}

#[test]
fn names_that_are_not_there_are_refused_with_those_that_are() {
    let folder = folder();
    for (line, words) in [
        (&["pairs.jsonl"][..], &["anchor", "positive", "--column"][..]),
        (&["pairs.jsonl", "--column", "negative"], &["negative", "anchor"]),
        (&["pairs.csv"], &["anchor", "positive", "--column"]),
    ] {
        let output = folder.eval(line);
        assert_eq!(output.status.code(), Some(3), "{line:?}: {}", stderr(&output));
        for word in words {
            assert!(stderr(&output).contains(word), "{line:?}: {word}: {}", stderr(&output));
        }
    }
    // What a format has no use for, and points of one dimension, of which unit length leaves a sign.
    folder.npy("line.npy", &noise(N, 3), N, 1);
    let row = "{\"a\": [1.5, 2.5], \"b\": [1.5, 2.5, 3.5]}\n";
    fs::write(folder.path().join("unequal.jsonl"), row.repeat(2)).unwrap();
    for (line, words) in [
        (
            &["unequal.jsonl", "--columns", "a,b"][..],
            &["X of unequal.jsonl is 2 × 2", "Y of unequal.jsonl is 2 × 3"][..],
        ),
        (&["x.npy", "--columns", "anchor,positive"], &["x.npy", "--column"]),
        (&["x.npy", "--column", "anchor", "--max-memory", "1G"], &["x.npy", "--column"]),
        (&["line.npy"], &["line.npy", "one dimension", "--raw"]),
        (&["line.npy", "--max-memory", "1G"], &["line.npy", "one dimension", "--raw"]),
    ] {
        let output = folder.eval(line);
        assert_eq!(output.status.code(), Some(3), "{line:?}: {}", stderr(&output));
        for word in words {
            assert!(stderr(&output).contains(word), "{line:?}: {word}: {}", stderr(&output));
        }
    }
    assert_eq!(folder.eval(&["line.npy", "--raw"]).status.code(), Some(0));
    for line in [&["pairs.csv", "--columns", "anchor"], &["pairs.csv", "--format", "docx"]] {
        assert_eq!(folder.eval(line).status.code(), Some(2), "{line:?}");
    }
}

/// A column, a member and a dtype are of those files that have such a thing, in every report; of none is an error.
#[test]
fn a_name_is_of_the_files_that_have_names() {
    let folder = Folder::new();
    let (x, y) = (noise(40 * 3, 1), noise(40 * 3, 2));
    folder.npy("x.npy", &x, 40, 3);
    folder.npy("y.npy", &y, 40, 3);
    let line =
        |(row, values): (usize, &[f32])| format!("{},{},{},{}\n", row * row, values[0], values[1], values[2]);
    let text = String::from("n,d0,d1,d2\n") + &y.chunks(3).enumerate().map(line).collect::<String>();
    fs::write(folder.path().join("y.csv"), text).unwrap();
    let wanted = folder.json(&["x.npy", "y.npy"]);
    for more in [&[][..], &["--max-memory", "1G"]] {
        let report = folder.json(&[&["x.npy", "y.csv", "--column", "d*"], more].concat());
        assert_eq!(
            report["alignment"]["value"],
            folder.json(&[&["x.npy", "y.npy"], more].concat())["alignment"]["value"]
        );
        assert_eq!(report["files"], json!({"x": "x.npy", "y": "y.csv, d*"}));
    }
    let reversed = folder.json(&["y.csv", "x.npy", "--column", "d*"]);
    near(&reversed["alignment"]["value"], wanted["alignment"]["value"].as_f64().unwrap());
    let unpaired = folder.json(&["x.npy", "y.csv", "--column", "d*", "--unpaired", "--permutations", "0"]);
    near(&unpaired["values"][0]["y"], wanted["uniformity"]["y"].as_f64().unwrap());
    let compared = folder.compare(&["x.npy:y.csv", "x.npy:y.npy", "--column", "d*", "--json"]);
    assert!(stdout(&compared).contains("y.csv, d*"), "{}", stdout(&compared));
    // Nobody has the name; and two names are of one file each.
    for line in [
        &["x.npy", "y.npy", "--column", "d*"][..],
        &["x.npy", "y.npy", "--column", "d*", "--max-memory", "1G"],
        &["x.npy", "y.npy", "--column", "d*", "--unpaired"],
        &["x.npy", "y.csv", "--columns", "a,d*"],
        &["x.npy", "y.csv", "--column", "d*", "--member", "a"],
    ] {
        let option = if line.contains(&"--member") { "--member" } else { "--column" };
        refused(&folder.eval(line), 3, &["x.npy", &format!("{option} means nothing")]);
    }
}

#[test]
fn columns_of_row_numbers_have_cures_that_work() {
    let folder = Folder::new();
    let x = noise(40 * 3, 1);
    folder.npy("x.npy", &x, 40, 3);
    let line = |(row, values): (usize, &[f32])| format!("{row},{},{},{}\n", values[0], values[1], values[2]);
    let rows = x.chunks(3).enumerate().map(line).collect::<String>();
    fs::write(folder.path().join("x.csv"), String::from("id,a,b,c\n") + &rows).unwrap();
    fs::write(folder.path().join("bare.csv"), &rows).unwrap();
    let wanted = folder.json(&["x.npy"])["uniformity"]["x"].as_f64().unwrap();
    for (file, told, chosen) in
        [("x.csv", "column 'id'", "a,b,c"), ("bare.csv", "column '0' counts the rows", "1,2,3")]
    {
        refused(&folder.eval(&[file]), 3, &[file, told, &format!("such as {chosen}"), "--column '*'"]);
        near(&folder.json(&[file, "--column", chosen])["uniformity"]["x"], wanted);
        assert_eq!(folder.json(&[file, "--column", "*"])["dims"], 4);
    }
}
