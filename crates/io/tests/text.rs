//! Text: JSON, words with their vectors, and what all kinds of it have in common. Fixtures are those of `data/text.py`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod texts;

use std::{
    fs,
    path::{Path, PathBuf},
};

use unisphere::Scaling::Raw;
use unisphere_io::{Fault, File, Reading, Source};

use texts::{Text, named, numbers, refused};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

#[test]
fn what_libraries_write() {
    for name in [
        "lines.jsonl",
        "response.json",
        "array.json",
        "numbers.csv",
        "numbers.tsv",
        "lists.csv",
        "savetxt.txt",
        "word2vec.txt",
    ] {
        let file = File::open(data(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((file.rows(), file.dims(), file.dtype().as_str()), (7, 3, "text"), "{name}");
        let expected = |row: usize, dim: usize| (row as f64 - 3.0) / 7.0 + dim as f64 / 1000.0;
        for start in 0..=7 {
            for end in start..=7 {
                let mut values = vec![f32::NAN; (end - start) * 3];
                file.read(start..end, &mut values).unwrap();
                for (place, value) in values.into_iter().enumerate() {
                    let (row, dim) = (start + place / 3, place % 3);
                    assert_eq!(value, expected(row, dim) as f32, "{name} {row} {dim}");
                }
            }
        }
        let stored = file.stored(6, 2).unwrap();
        assert!((stored - expected(6, 2)).abs() <= if name == "word2vec.txt" { 1e-7 } else { 0.0 }, "{name}");
    }
    let mixed = Reading::new().with_column("d0,d1,d2");
    let points = File::open_with(data("mixed.csv"), &mixed).unwrap().embeddings(Raw).unwrap();
    assert_eq!(points.values(), File::open(data("numbers.csv")).unwrap().embeddings(Raw).unwrap().values());
    let fault = File::open(data("index.csv")).unwrap_err().fault;
    assert!(fault.to_string().contains("index=False"), "{fault}");
    let points = File::open_with(data("index.csv"), &Reading::new().with_column("d*")).unwrap();
    assert_eq!(points.dims(), 3);
}

#[test]
fn json_rows() {
    assert_eq!(numbers("x.jsonl", "[1, 2]\n[3, 4.5e1]\n"), [1.0, 2.0, 3.0, 45.0]);
    assert_eq!(
        numbers("x", "\u{feff}{\"embedding\": [1]}\r\n\r\n{\"a\": \"\\\"[9]\", \"embedding\": [2]}"),
        [1.0, 2.0]
    );
    // The only key of a list, and the one that is named.
    assert_eq!(numbers("x.jsonl", "{\"v\": [1, 2], \"id\": 1}\n{\"v\":[3,4]}\n"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(named("x.jsonl", "{\"v\": [1], \"w\": [2]}\n{\"w\":[3],\"v\":[5]}\n", "w"), [2.0, 3.0]);
    refused("x.jsonl", "{\"v\": [1], \"w\": [2]}\n", "v, w");
    refused("x.jsonl", "{\"id\": 1}\n", "its columns are id");
    let fault = refused("x.jsonl", "{\"v\": [1]}\n{\"w\": [1]}\n", "no key 'v'");
    assert!(matches!(fault, Fault::NoKey { row: 1, .. }));
    assert!(matches!(refused("x.jsonl", "[1]\n[2\n", "'[2'"), Fault::NoList { row: 1, .. }));
    assert!(matches!(refused("x.jsonl", "{\"v\":[1]}\n{\"v\":[2}\n", "JSON"), Fault::NotJson { row: 1, .. }));
    assert!(matches!(refused("x.jsonl", "{\"v\":[1]}\n{\"v\":null}\n", "row 1"), Fault::NullRow { row: 1 }));
    assert!(matches!(refused("x.jsonl", "[1,2]\n[3,null]\n", "row 1"), Fault::NullValue { row: 1, dim: 1 }));
    let fault = refused("x.jsonl", "[1,2]\n[3]\n", "row 1 has 1 values, and row 0 has 2");
    assert!(matches!(fault, Fault::RowWidth { row: 1, found: 1, dims: 2 }));
    refused("x.jsonl", "{\"v\":[1]}\n{\"v\":[\"\\u001b[2J\"]}\n", "no number");
}

#[test]
fn lists_of_json() {
    assert_eq!(numbers("x.json", "[[1, 2],\n [3, 4]]"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(
        numbers("x.json", " [ {\"embedding\": [1, 2], \"t\": \"]},{\"} , {\"embedding\": [3, 4]} ] "),
        [1.0, 2.0, 3.0, 4.0]
    );
    let response = "{\"usage\": {\"data\": [[9]]}, \"data\" : [ {\"embedding\": [1]}, {\"embedding\": [2]}], \"model\": \"m\"}";
    assert_eq!(numbers("x.json", response), [1.0, 2.0]);
    for length in 1..response.find("],").unwrap() {
        assert!(Text::new("x.json", &response[..length]).read().is_err(), "{}", &response[..length]);
    }
    refused("x.json", "[[1, 2], [3, 4]", "cut short");
    refused("x.json", "[[1, 2], [3]]", "row 1 has 1 values");
}

#[test]
fn lists_of_json_that_something_follows() {
    for text in
        ["[[1,2]]\n[[3,4]]\n", "[{\"v\":[1]}]\n{\"v\":[2]}\n", "[[1]] x", "[[1]]]", "{\"data\":[[1]]}}"]
    {
        assert!(matches!(
            refused("x.json", text, "behind the list of its 1 rows"),
            Fault::BehindList { rows: 1 }
        ));
    }
    let line =
        "{\"data\": [{\"embedding\": [1, 2]}], \"model\": \"]} \\\" m\", \"usage\": {\"tokens\": [1]}}\n \n";
    assert_eq!(numbers("x.jsonl", line), [1.0, 2.0]);
    // More than is read at once.
    assert_eq!(numbers("x.json", &format!("[[1]]{}", " ".repeat(200_000))), [1.0]);
    refused("x.json", format!("[[1]]{}[[2]]", " ".repeat(200_000)), "behind the list");
    assert!(matches!(refused("x.jsonl", line.repeat(2), "one row a line"), Fault::BehindList { rows: 1 }));
    let end = line.trim_end().len();
    for length in line.find(']').unwrap()..end {
        assert!(Text::new("x.json", &line[..length]).read().is_err(), "{}", &line[..length]);
    }
    refused("x.json", &line[..end - 1], "ends within the object");
    refused("x.json", "[[1, 2]}", "ends with a brace");
}

#[test]
fn words_with_their_vectors() {
    assert_eq!(numbers("x.vec", "2 3\na 1 2 3 \nb 4 5 6 \n"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    // GloVe: no first line, a word with spaces, and a comma for a word.
    let glove = ", 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n1999 1 1 1\n";
    assert_eq!(numbers("glove.txt", glove), [1., 2., 3., 4., 5., 6., 7., 8., 9., 1., 1., 1.]);
    assert_eq!(numbers("x.txt", "<unk> 1 2\n</s> 3 4\n"), [1.0, 2.0, 3.0, 4.0]);
    let fault = refused("x.vec", "3 2\na 1 2\nb 3 4\n", "cut short");
    assert!(matches!(fault, Fault::TextRows { found: 2, claimed: 3 }));
    assert!(matches!(
        refused("x.txt", "a 1 2\nb 3\n", "row 1"),
        Fault::RowWidth { row: 1, found: 1, dims: 2 }
    ));
    assert!(matches!(
        refused("x.txt", "a 1 2\nb 3 4 5\n", "row 1"),
        Fault::RowWidth { row: 1, found: 3, dims: 2 }
    ));
    assert!(matches!(refused("x.txt", "a 1 2\nb 3 c\n", "'c'"), Fault::NotNumber { row: 1, dim: 1, .. }));
    // Two whole numbers in each row are a matrix.
    assert_eq!(numbers("x.txt", "3 2\n1 2\n5 6\n"), [3.0, 2.0, 1.0, 2.0, 5.0, 6.0]);
}

#[test]
fn text_that_holds_no_points() {
    for text in
        ["hello world\n", "<!DOCTYPE html>,1,2\n", "version https://git-lfs.github.com/spec/v1\noid 1,2\n"]
    {
        for name in ["x", "x.csv"] {
            assert!(Text::new(name, text).read().is_err(), "{text}");
        }
    }
}

/// More than a thread parses at once, and more than a place is kept of.
#[test]
fn every_range_of_many_rows() {
    let (rows, dims) = (9_001, 11);
    let value = |row: usize, dim: usize| ((row * 31 + dim * 7) % 1009) as f32 / 8.0 - 60.0;
    let line = |row: usize, separator: &str| {
        (0..dims).map(|dim| value(row, dim).to_string()).collect::<Vec<_>>().join(separator)
    };
    let text = |line: &dyn Fn(usize) -> String| (0..rows).map(|row| line(row) + "\n").collect::<String>();
    let whole = format!(
        "[{}]",
        (0..rows).map(|row| format!("[{}]", line(row, ", "))).collect::<Vec<_>>().join(",\n")
    );
    for (name, text) in [
        ("x.csv", text(&|row| line(row, ","))),
        ("quoted.csv", text(&|row| format!("\"{}\"", line(row, "\",\"")))),
        ("x.jsonl", text(&|row| format!("{{\"id\": {row}, \"embedding\": [{}]}}", line(row, ", ")))),
        ("x.txt", text(&|row| format!("word{row} {}", line(row, " ")))),
        ("x.json", whole),
    ] {
        let text = Text::new(name, text);
        let file = File::open(&text.path).unwrap();
        assert_eq!((file.rows(), file.dims()), (rows, dims), "{name}");
        for (start, end) in [(0, rows), (1, 2), (rows - 1, rows), (700, 8_000), (4_444, 4_500), (5, 5)] {
            let mut values = vec![f32::NAN; (end - start) * dims];
            file.read(start..end, &mut values).unwrap();
            for (place, found) in values.into_iter().enumerate() {
                assert_eq!(found, value(start + place / dims, place % dims), "{name} {start} {place}");
            }
        }
        assert_eq!(file.stored(8_999, 10).unwrap(), f64::from(value(8_999, 10)));
    }
}

/// Sound texts with some bytes changed: `UNISPHERE_MUTATIONS` of each, 500 unless it is set.
#[test]
fn mutated_texts() {
    let count = std::env::var("UNISPHERE_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    // A sequence that is the same in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let tokens =
        ["\"", "\n", ",", "[", "]", "{", "}", "\\", "null", "NaN", "1e999", "\u{feff}", "\0", " ", "\t", ":"];
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "lines.jsonl",
        "response.json",
        "array.json",
        "mixed.csv",
        "lists.csv",
        "savetxt.txt",
        "word2vec.txt",
    ] {
        let sound = fs::read(data(name)).unwrap();
        let path = folder.path().join(name);
        let mut broken = 0;
        for _ in 0..count {
            let mut bytes = sound.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = random(256) as u8,
                    1 => drop(bytes.splice(at..at, tokens[random(tokens.len())].bytes())),
                    2 => drop(bytes.drain(at..(at + random(40)).min(bytes.len()))),
                    _ => bytes.truncate(at.max(1)),
                }
                bytes.push(b'\n');
            }
            fs::write(&path, &bytes).unwrap();
            if let Err(error) = File::open(&path).and_then(|file| file.embeddings(Raw)) {
                assert!(!error.fault.to_string().chars().any(char::is_control), "{error:?}");
                broken += 1;
            }
        }
        assert!(broken > 0, "{name}: nothing was broken");
    }
}

/// Rows that are lists: their columns have the names that pandas writes beside them, or numbers, by the rules of CSV.
#[test]
fn rows_of_lists_have_columns() {
    let split =
        "{\"columns\":[\"label\",\"e0\",\"e1\"],\"index\":[0,1],\"data\":[[3,0.5,0.75],[7,-0.5,0.25]]}";
    let fault = refused("x.json", split, "its column 'label' has a name");
    assert!(fault.to_string().contains("--column, such as 'e*'"), "{fault}");
    let want = [0.5, 0.75, -0.5, 0.25];
    for columns in ["e*", "!label", "e0,e1"] {
        assert_eq!(named("x.json", split, columns), want, "{columns}");
    }
    let text = Text::new("x.json", split);
    assert_eq!(text.read_with(&Reading::new().without_columns(["label".to_owned()])).unwrap(), want);
    assert!(matches!(
        text.read_with(&Reading::new().with_column("none")).unwrap_err().fault,
        Fault::NoColumn { .. }
    ));
    let words = "{\"columns\":[\"id\",\"e0\",\"e1\"],\"index\":[0,1],\"data\":[[\"a,b\",0.5,0.75],[\"c\",-0.5,0.25]]}";
    refused("x.json", words, "no numbers: id; choose the others with --column, such as 'e*'");
    assert_eq!(named("x.json", words, "e*"), want);
    let counted = "{\"columns\":[0,1],\"index\":[0,1],\"data\":[[0.5,0.75],[-0.5,0.25]]}";
    assert_eq!(numbers("x.json", counted), want);
    // Without names they are called by their numbers.
    let rows = "[[0,0.5,0.75],[1,-0.5,0.25],[2,1.5,0.5],[3,1.5,0.5]]";
    refused("x.json", rows, "its column '0' counts the rows");
    assert_eq!(named("x.json", rows, "1,2")[..4], want);
    assert_eq!(named("x.jsonl", "[7, 0.5, 0.75]\n[8, -0.5, 0.25]\n", "!0"), want);
    assert_eq!(numbers("x.jsonl", "[\"a\", [0.5, 0.75]]\n[\"b\", [-0.5, 0.25]]\n"), want);
    assert_eq!(numbers("x.jsonl", "[0.5]\n[0.75]\n"), [0.5, 0.75]);
    let short = Text::new("x.jsonl", "[7, 0.5, 0.75]\n[8, -0.5]\n");
    let fault = short.read_with(&Reading::new().with_column("!0")).unwrap_err().fault;
    assert!(matches!(fault, Fault::RowWidth { row: 1, found: 2, dims: 3 }), "{fault}");
    let long = Text::new("x.jsonl", "[7, 0.5, 0.75]\n[8, -0.5, 0.25, 0]\n");
    let fault = long.read_with(&Reading::new().with_column("!0")).unwrap_err().fault;
    assert!(matches!(fault, Fault::RowWidth { row: 1, found: 4, dims: 3 }), "{fault}");
}

/// As `to_json(orient="split")` writes it, with more names than the head of a file holds.
#[test]
fn the_list_under_data_is_found_behind_many_names() {
    let names: Vec<_> = (0..900).map(|row| format!("\"row {row}\"")).collect();
    let rows: Vec<_> = (0..900).map(|row| format!("[{row}.5,0.25]")).collect();
    let (names, rows) = (names.join(","), rows.join(","));
    let text =
        Text::new("x.json", format!("{{\"columns\":[\"a\",\"b\"],\"index\":[{names}],\"data\":[{rows}]}}"));
    let values = text.read_with(&Reading::new()).unwrap();
    assert_eq!((values.len(), &values[1798..]), (1800, &[899.5, 0.25][..]));
    assert_eq!(text.read_with(&Reading::new().with_column("b")).unwrap(), [0.25; 900]);
}

/// Frames that pandas writes as one object.
#[test]
fn frames_in_one_object_are_told_how_to_be_written() {
    for text in [
        "{\"d0\":{\"0\":1.5,\"1\":2.5},\"d1\":{\"0\":3.5,\"1\":4.5}}",
        "{\"0\":{\"d0\":1.5,\"d1\":2.5},\"1\":{\"d0\":3.5,\"d1\":4.5}}",
        "{\"emb\":{\"0\":[1.5,2.5],\"1\":[3.5,4.5]}}",
    ] {
        refused("x.json", text, "df.to_json(FILE, orient='records', lines=True)");
    }
    refused(
        "x.json",
        "{\"x\": [[1.5, 2.5], [3.5, 4.5]], \"y\": [ [1.5, 2.5]]}",
        "save the list of lists of each set",
    );
    // One row of which a key is a list of lists, and another one the point.
    let tokens = Text::new("x.json", "{\"mean\": [1.5, 2.5], \"tokens\": [[1.5, 2.5], [3.5, 4.5]]}");
    assert_eq!(tokens.read_with(&Reading::new().with_column("mean")).unwrap(), [1.5, 2.5]);
    let fault = tokens.read_with(&Reading::new().with_column("tokens")).unwrap_err().fault;
    assert!(matches!(fault, Fault::Format { .. }), "{fault}");
    refused("x.json", "{\"usage\":{\"total\":5}}", "has no column of lists of numbers");
    // Typed arrays of JavaScript.
    let typed = "{\"embedding\":{\"0\":0.5,\"1\":1.5}}\n{\"embedding\":{\"0\":0.5,\"1\":1.5}}\n";
    refused("x.jsonl", typed, "row 0 holds '{");
    refused("x.json", "{\"usage\":{}}", "has no column of lists of numbers");
}
