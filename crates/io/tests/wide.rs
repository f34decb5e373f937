//! Tables of one column per dimension: Parquet and Arrow as pandas writes them (`data/wide.py`), and JSON Lines, by the rules of CSV.

#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use unisphere::Scaling::Raw;
use unisphere_io::{Column, Fault, File, Reading, Source};

const ROWS: usize = 7;
const DIMS: usize = 3;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A file of this text, and the folder that it is in.
fn text(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// What the script writes, exact in every type.
fn expected(row: usize, dim: usize) -> f64 {
    (row as f64 - 3.0) * 4.0 + dim as f64 / 4.0 + 0.125
}

/// Asserts that every range and every value of a file are those of the script.
fn assert_points(file: &File) {
    assert_eq!((Source::rows(file), Source::dims(file)), (ROWS, DIMS), "{file:?}");
    for start in 0..=ROWS {
        for end in start..=ROWS {
            let mut values = vec![f32::NAN; (end - start) * DIMS];
            file.read(start..end, &mut values).unwrap();
            let all = (start..end).flat_map(|row| (0..DIMS).map(move |dim| expected(row, dim) as f32));
            assert!(values.into_iter().eq(all), "{file:?} {start}..{end}");
        }
    }
    for (row, dim) in (0..ROWS).flat_map(|row| (0..DIMS).map(move |dim| (row, dim))) {
        assert_eq!(file.stored(row, dim).unwrap(), expected(row, dim), "{file:?} {row} {dim}");
    }
    assert!(file.stored(ROWS, 0).is_err() && file.stored(0, DIMS).is_err());
    assert!(file.read(0..ROWS + 1, &mut [0.0; (ROWS + 1) * DIMS]).is_err());
}

fn both(name: &str) -> [PathBuf; 2] {
    ["parquet", "arrow"].map(|format| data(&format!("{name}.{format}")))
}

fn refused(path: &Path, reading: &Reading) -> Fault {
    let error = File::open_with(path, reading).and_then(|file| file.embeddings(Raw)).unwrap_err();
    let text = error.fault.to_string();
    assert!(text.len() < 300 && !text.chars().any(char::is_control), "{text:?}");
    error.fault
}

#[test]
fn a_column_for_each_dimension() {
    for dtype in ["float16", "float32", "float64"] {
        let [parquet, arrow] = both(&format!("wide_{dtype}"));
        let [parquet, arrow] = [parquet, arrow].map(|path| File::open(path).unwrap());
        assert_eq!(arrow.dtype(), format!("columns of {dtype}"));
        assert_eq!(parquet.dtype(), format!("columns of f{}", &dtype[5..]));
        for file in [parquet, arrow] {
            assert_points(&file);
            assert_eq!((file.left_out(), file.guess()), (None, None));
            assert_eq!(file.is_wide(), dtype == "float64");
        }
    }
    for path in both("wide_groups") {
        assert_points(&File::open(path).unwrap());
    }
}

#[test]
fn the_index_of_a_data_frame_is_no_dimension() {
    for (name, index) in [
        ("wide_strings_index", "__index_level_0__"),
        ("wide_numbers_index", "__index_level_0__"),
        ("wide_named_index", "doc"),
    ] {
        for path in both(name) {
            let file = File::open(path).unwrap();
            assert_points(&file);
            assert_eq!((file.left_out(), file.guess()), (Some(index), None));
        }
    }
}

#[test]
fn columns_of_text_and_of_labels_are_told_with_what_chooses_the_others() {
    for path in both("wide_text") {
        let fault = refused(&path, &Reading::new()).to_string();
        assert_eq!(
            fault,
            "has columns that are no numbers: text; choose the others with --column, such as 0,1,2"
        );
        assert_points(&File::open_with(&path, &Reading::new().with_column("0,1,2")).unwrap());
        assert_points(&File::open_with(&path, &Reading::new().with_column("!text")).unwrap());
        assert!(matches!(refused(&path, &Reading::new().with_column("*")), Fault::TextColumns { .. }));
        assert!(matches!(refused(&path, &Reading::new().with_column("text")), Fault::NoColumn { .. }));
        let missing = refused(&path, &Reading::new().with_column("img_*"));
        assert!(matches!(missing, Fault::NoColumn { example, .. } if &*example == "0,1,2"));
        assert!(matches!(refused(&path, &Reading::new().with_column("3")), Fault::NoColumn { .. }));
        let one = File::open_with(&path, &Reading::new().with_column("1")).unwrap();
        assert_eq!((Source::dims(&one), one.stored(2, 0).unwrap()), (1, expected(2, 1)));
    }
    for path in both("wide_label") {
        let fault = refused(&path, &Reading::new());
        assert!(
            matches!(&fault, Fault::NoDimension { others, .. } if **others == *"such as 0,1,2"),
            "{fault}"
        );
        assert_points(&File::open_with(&path, &Reading::new().with_column("0,1,2")).unwrap());
        // As a label that the caller names, it is none of the points.
        let beside = Reading::new().without_columns(["label".to_owned()]);
        let file = File::open_with(&path, &beside).unwrap();
        assert_points(&file);
        assert_eq!(file.left_out(), Some("label"));
        let labels = Column::open_named(&path, Some("label")).and_then(Column::labels).unwrap();
        assert_eq!(labels.of_rows, [0, 1, 0, 1, 0, 1, 0]);
    }
}

#[test]
fn a_null_is_told_with_its_row_and_column() {
    for path in both("wide_null") {
        let fault = refused(&path, &Reading::new());
        assert_eq!(
            fault.to_string(),
            "row 4 has no value in the column '1'; leave such rows out, or fill them"
        );
        let file = File::open(&path).unwrap();
        assert!(matches!(file.stored(4, 1).unwrap_err().fault, Fault::NullCell { row: 4, .. }));
        // Other rows are read.
        let mut row = [0.0; DIMS];
        if path.extension().is_some_and(|ending| ending == "arrow") {
            file.read(5..6, &mut row).unwrap();
            assert_eq!(row[1], expected(5, 1) as f32);
        }
    }
}

#[test]
fn several_types_are_one_table() {
    for path in both("wide_types") {
        let file = File::open(path).unwrap();
        assert_eq!((file.dtype().as_str(), file.is_wide()), ("columns of several types", true));
        let points = file.embeddings(Raw).unwrap();
        for (row, point) in points.values().chunks(DIMS).enumerate() {
            let all = [expected(row, 0) * 8.0, expected(row, 1), expected(row, 2)].map(|value| value as f32);
            assert_eq!(point, all, "row {row}");
        }
        // The whole numbers of the first are a guess that is told.
        let guess = file.guess().unwrap();
        assert!(guess.contains("the column 0 for a dimension") && guess.contains("--column '!0'"), "{guess}");
    }
}

#[test]
fn what_counts_the_rows_is_refused_and_other_whole_numbers_are_told() {
    for path in both("wide_counts") {
        let fault = refused(&path, &Reading::new());
        assert!(matches!(&fault, Fault::NoDimension { others, .. } if **others == *"such as a,b"), "{fault}");
    }
    for path in both("wide_year") {
        let file = File::open(&path).unwrap();
        let guess = file.guess().unwrap();
        assert!(guess.contains("takes the column year for a dimension"), "{guess}");
        let without = File::open_with(&path, &Reading::new().with_column("!year")).unwrap();
        assert_eq!((Source::dims(&file), Source::dims(&without), without.guess()), (3, 2, None));
    }
}

/// Text that says the same, with one name for each number.
#[test]
fn a_key_for_each_dimension() {
    let row = |row: usize| {
        (0..DIMS).map(|dim| format!("\"dim_{dim}\": {}", expected(row, dim))).collect::<Vec<_>>()
    };
    let lines: String = (0..ROWS).map(|of| format!("{{{}}}\n", row(of).join(", "))).collect();
    let (_folder, path) = text("x.jsonl", &lines);
    assert_points(&File::open(&path).unwrap());
    // Keys of later rows may be in another order, and their own.
    let turned: String = (0..ROWS)
        .map(|of| {
            let keys = row(of).into_iter().rev().chain(["\"more\": [1]".to_owned()]);
            let keys: Vec<_> = if of == 0 { row(of) } else { keys.collect() };
            format!("{{{}}}\n", keys.join(","))
        })
        .collect();
    let (_folder, path) = text("x.jsonl", &turned);
    assert_points(&File::open(&path).unwrap());
    // pandas.DataFrame.to_json(orient="records"), with keys in an order that is not that of the alphabet.
    let list = "[{\"2\":1.5,\"10\":2.5},{\"2\":3.5,\"10\":4.5}]";
    let (_folder, path) = text("x.json", list);
    assert_eq!(File::open(&path).unwrap().embeddings(Raw).unwrap().values(), [1.5, 2.5, 3.5, 4.5]);

    let with_text = lines.replace('{', "{\"text\": \"a\", \"id\": \"b\", ");
    let (_folder, path) = text("x.jsonl", &with_text);
    let fault = refused(&path, &Reading::new()).to_string();
    assert!(
        fault.contains("no numbers: text, id;") && fault.ends_with("--column, such as 'dim_*'"),
        "{fault}"
    );
    assert_points(&File::open_with(&path, &Reading::new().with_column("dim_*")).unwrap());
    let beside = Reading::new().without_columns(["text", "id"].map(String::from));
    assert_points(&File::open_with(&path, &beside).unwrap());

    for (wrong, told) in [
        ("null", "row 3 has no value in the column 'dim_1'"),
        ("\"x\"", "row 3 holds '\\\"x\\\"' in dimension 1, which is no number"),
        ("[1]", "row 3 holds '[1]' in dimension 1, which is no number"),
    ] {
        let (_folder, path) = text(
            "x.jsonl",
            &lines.replace(&format!("\"dim_1\": {}", expected(3, 1)), &format!("\"dim_1\": {wrong}")),
        );
        let fault = refused(&path, &Reading::new()).to_string();
        assert!(fault.starts_with(told), "{fault}");
    }
    let (_folder, path) = text("x.jsonl", &lines.replace(&format!("\"dim_1\": {}, ", expected(3, 1)), ""));
    assert!(matches!(refused(&path, &Reading::new()), Fault::NoKey { row: 3, .. }));
}

/// Ranges of a table of many rows and columns, by several threads, are what one pass says.
#[test]
fn ranges_of_many_rows() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float32Array, RecordBatch};

    const ROWS: usize = 70_000;
    const DIMS: usize = 37;
    let value = |row: usize, dim: usize| (row * 64 + dim) as f32 + 0.5;
    let column =
        |dim| Arc::new(Float32Array::from_iter_values((0..ROWS).map(|row| value(row, dim)))) as ArrayRef;
    let batch = RecordBatch::try_from_iter((0..DIMS).map(|dim| (format!("dim_{dim}"), column(dim)))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.arrow");
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(fs::File::create(&path).unwrap(), &batch.schema()).unwrap();
    for start in (0..ROWS).step_by(30_000) {
        writer.write(&batch.slice(start, 30_000.min(ROWS - start))).unwrap();
    }
    writer.finish().unwrap();
    let file = File::open(&path).unwrap();
    let check = |start: usize, end: usize| {
        let mut values = vec![f32::NAN; (end - start) * DIMS];
        file.read(start..end, &mut values).unwrap();
        for (row, point) in (start..end).zip(values.chunks(DIMS)) {
            assert!(point.iter().enumerate().all(|(dim, &found)| found == value(row, dim)), "row {row}");
        }
    };
    check(0, ROWS);
    thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                (0..20).for_each(|at| check(part * 17_000 + at * 97, part * 17_000 + at * 97 + 800))
            });
        }
    });
    check(29_999, 60_001);
    check(ROWS - 1, ROWS);
}

#[test]
fn columns_in_another_order_are_refused_where_rows_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        File::open(&path).unwrap()
    };
    let x = open("x.csv", "d_0,d_1,d_2\n1.5,2.5,3.5\n");
    let same = open("same.jsonl", "{\"d_0\": 1.5, \"d_1\": 2.5, \"d_2\": 3.5}\n");
    let sorted = open("sorted.csv", "d_0,d_2,d_1\n1.5,3.5,2.5\n");
    let keys = open("keys.jsonl", "{\"d_1\": 1.5, \"d_0\": 2.5, \"d_2\": 3.5}\n");
    // Other stems, and their numbers in another order.
    let stems = open("stems.csv", "e0,e2,e1\n1.5,3.5,2.5\n");
    let others = open("others.csv", "u,v,w\n1.5,3.5,2.5\n");
    let bare = open("bare.csv", "1.5,3.5,2.5\n");
    File::check_together([&x, &same, &others, &bare]).unwrap();
    for (file, column, here, there) in [(&sorted, "d_2", 2, 3), (&keys, "d_1", 1, 2), (&stems, "e2", 2, 3)] {
        let error = File::check_together([&x, &bare, file]).unwrap_err();
        let text = error.to_string();
        let found = format!("'{column}' is column {here} here and column {there} there");
        assert!(text.contains(&found) && text.contains("x.csv"), "{text}");
    }
    // Beside a file without names, an order of text is only said.
    let names =
        |of: &mut dyn Iterator<Item = usize>| of.map(|i| format!("d_{i}")).collect::<Vec<_>>().join(",");
    let row = ["1.5"; 12].join(",");
    let of_text = names(&mut [0, 1, 10, 11].into_iter().chain(2..10));
    let of_text = open("text.csv", &format!("{of_text}\n{row}\n"));
    let of_numbers = open("numbers.csv", &format!("{}\n{row}\n", names(&mut (0..12))));
    let nameless = open("nameless.csv", &format!("{row}\n"));
    let (path, guess) = File::guess_of_order([&of_text, &nameless]).unwrap();
    assert!(path.ends_with("text.csv") && guess.contains("d_0, d_1, d_10, d_11, and "), "{guess}");
    assert!(
        guess.contains("nameless.csv has no names of columns")
            && guess.contains("text.csv so, in pandas by x[sorted(x, key="),
        "{guess}"
    );
    for files in [[&of_numbers, &nameless], [&of_text, &bare], [&of_text, &of_text], [&nameless, &nameless]] {
        assert_eq!(File::guess_of_order(files), None);
    }
    let shards = [folder.path().join("x.csv"), folder.path().join("sorted.csv")];
    let error = unisphere_io::Shards::open(&shards).unwrap_err();
    assert!(matches!(error.fault, Fault::OtherOrder { .. }), "{error}");
}

#[test]
fn a_key_that_the_first_row_lacks_is_refused() {
    let rows = "{\"a\": 1.5, \"b\": 2.5}\n{\"a\": 1.5, \"b\": 2.5, \"c\": 3.5, \"note\": \"n\"}\n";
    let (_folder, path) = text("x.jsonl", rows);
    for wanted in [None, Some("*"), Some("!d")] {
        let mut reading = Reading::default();
        if let Some(wanted) = wanted {
            reading = reading.with_column(wanted);
        }
        let opened = File::open_with(&path, &reading).and_then(|file| file.embeddings(Raw).map(drop));
        if wanted == Some("!d") {
            assert!(opened.is_err(), "there is no d");
            continue;
        }
        let error = opened.unwrap_err().to_string();
        assert!(error.contains("row 0 has no key 'c'"), "{error}");
    }
    // The cure chooses keys that all rows have.
    for wanted in ["a,b", "[ab]"] {
        let file = File::open_with(&path, &Reading::default().with_column(wanted)).unwrap();
        assert_eq!(file.embeddings(Raw).unwrap().values(), [1.5, 2.5, 1.5, 2.5]);
    }
}

#[test]
fn columns_that_are_called_by_numbers_are_taken_without_a_word() {
    let names = (0..12).map(|dim| dim.to_string()).collect::<Vec<_>>().join(",");
    let row = (0..12).map(|dim| format!("{}.5", dim * dim)).collect::<Vec<_>>().join(",");
    let (_folder, path) = text("x.csv", &format!("{names}\n{row}\n{row}\n"));
    let file = File::open(&path).unwrap();
    assert_eq!((Source::dims(&file), file.guess()), (12, None));
}

#[test]
fn leaving_one_column_out_says_nothing_of_the_others() {
    let (_folder, path) = text("x.csv", "id,d_0,d_1,d_2,label\n7,1.5,2.5,3.5,1\n9,1.5,2.5,4.5,0\n");
    let fault = refused(&path, &Reading::default().with_column("!label"));
    assert!(matches!(fault, Fault::NoDimension { .. }) && fault.to_string().contains("'d_*'"), "{fault}");
    let file = File::open_with(&path, &Reading::default().with_column("!label,!id")).unwrap();
    assert_eq!(Source::dims(&file), 3);
}
