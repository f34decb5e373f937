//! One value a row, of every format that has columns: against what was written.

use std::{fs, path::PathBuf};

use unisphere_io::{Column, Fault, Labels};

/// A file of this name that holds these bytes, and the folder that it is in.
fn file(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    (folder, path)
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The label of each row as text.
fn told(labels: Labels) -> Vec<String> {
    let name = |&label: &i64| match &labels.names {
        Some(names) => names[label as usize].clone(),
        None => label.to_string(),
    };
    labels.of_rows.iter().map(name).collect()
}

#[test]
fn series_of_pandas_are_read_with_their_index() {
    for (text, labels) in [
        (",0\n0,3\n1,1\n2,3\n", ["3", "1", "3"]),
        (",label\n0,3\n1,1\n2,3\n", ["3", "1", "3"]),
        (",species\na.jpg,cat\nb.jpg,dog\nc.jpg,cat\n", ["cat", "dog", "cat"]),
        ("Unnamed: 0,label\n0,3\n1,1\n2,3\n", ["3", "1", "3"]),
    ] {
        assert_eq!(labels_of("l.csv", text, None).unwrap(), labels, "{text}");
    }
    // Two columns beside the index may both be meant, and a line without an index has none above.
    assert!(matches!(labels_of("l.csv", ",a,b\n0,3,4\n", None), Err(Fault::ManyScalars { .. })));
    assert!(matches!(labels_of("l.csv", ",0\n,3\n", None), Err(Fault::ManyScalars { .. })));
}

fn labels_of(name: &str, text: impl AsRef<[u8]>, column: Option<&str>) -> Result<Vec<String>, Fault> {
    let (_folder, path) = file(name, text);
    Column::open_named(path, column).and_then(Column::labels).map(told).map_err(|error| error.fault)
}

fn floats_of(name: &str, text: &str, column: Option<&str>) -> Result<Vec<f64>, Fault> {
    let (_folder, path) = file(name, text);
    Column::open_named(path, column).and_then(Column::floats).map_err(|error| error.fault)
}

/// The bytes of a `.npy` file of version 1.0.
fn npy(descr: &str, rows: usize, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows},), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), values].concat()
}

#[test]
fn one_label_a_line() {
    assert_eq!(labels_of("l.txt", "cat\ndog\ncat\n", None).unwrap(), ["cat", "dog", "cat"]);
    assert_eq!(labels_of("l.txt", "\u{feff}b c \r\na, \"x\"\r\n\n \n", None).unwrap(), ["b c", "a, \"x\""]);
    assert_eq!(labels_of("l.txt", "[UNK]\nx", None).unwrap(), ["[UNK]", "x"]);
    assert!(matches!(labels_of("l.txt", "cat\n\ndog\n", None), Err(Fault::NullRow { row: 1 })));
    // NaN is told as such, of labels as of weights.
    for (found, row) in [
        (labels_of("l.txt", "cat\nnan\n", None).unwrap_err(), 1),
        (labels_of("l.csv", "label\n3\nNaN\n", None).unwrap_err(), 1),
        (floats_of("w.txt", "1\n2\nnan\n", None).unwrap_err(), 2),
        (floats_of("w.csv", "w,v\n1,2\n NaN ,3\n", Some("w")).unwrap_err(), 1),
    ] {
        assert!(matches!(found, Fault::NotFinite { row: of, .. } if of == row), "{found}");
        assert_eq!(found.to_string(), format!("row {row} holds NaN, which is not finite; repair it"));
    }
    assert!(matches!(labels_of("l.txt", "\n \n", None), Err(Fault::NoNumbers)));
    assert!(matches!(
        labels_of("l.txt", "cat\n".to_owned() + &"x".repeat(2000), None),
        Err(Fault::LongLabel { row: 1, .. })
    ));
}

#[test]
fn whole_numbers_stay_numbers_and_all_else_is_names() {
    let (_folder, path) = file("l.txt", "3\n-1\n3\n");
    let labels = Column::open(path).and_then(Column::labels).unwrap();
    assert_eq!((labels.of_rows, labels.names), (vec![3, -1, 3], None));
    // As numpy.savetxt writes them.
    assert_eq!(labels_of("l.txt", "2.000e+00\n-4.0\n", None).unwrap(), ["2", "-4"]);
    // Numbers that are the same and texts that are not.
    assert_eq!(labels_of("l.txt", "1\n01\n+1\n", None).unwrap(), ["1", "01", "+1"]);
    assert!(matches!(labels_of("l.txt", "1\n2.5\n", None), Err(Fault::NotInteger { row: 1, .. })));
    // Names are in order, whatever the order of rows.
    let (_folder, path) = file("l.txt", "b\nc\na\nb\n");
    let labels = Column::open(path).and_then(Column::labels).unwrap();
    assert_eq!(labels.of_rows, [1, 2, 0, 1]);
    assert_eq!(labels.names.unwrap(), ["a", "b", "c"]);
}

#[test]
fn a_column_of_csv() {
    let text = "id,label,score\n1,\"x, \"\"y\"\"\",0.5\n2,z,1e-2\n";
    assert_eq!(labels_of("t.csv", text, Some("label")).unwrap(), ["x, \"y\"", "z"]);
    assert_eq!(floats_of("t.csv", text, Some("score")).unwrap(), [0.5, 0.01]);
    assert_eq!(labels_of("t.tsv", "label\tx\na b\t1\nc\t2\n", Some("label")).unwrap(), ["a b", "c"]);
    assert_eq!(labels_of("t.csv", "label\ncat\ndog\n", None).unwrap(), ["cat", "dog"]);
    // Without names, columns have numbers.
    assert_eq!(labels_of("t.csv", "0.5,3\n0.25,4\n", Some("1")).unwrap(), ["3", "4"]);
    let fault = labels_of("t.csv", text, None).unwrap_err();
    assert!(matches!(&fault, Fault::ManyScalars { columns } if columns == "id, label, score"), "{fault}");
    let fault = labels_of("t.csv", text, Some("Label")).unwrap_err();
    assert!(
        fault.to_string().contains("has no column 'Label'") && fault.to_string().contains("label"),
        "{fault}"
    );
    let fault = floats_of("t.csv", text, Some("label")).unwrap_err();
    assert!(matches!(fault, Fault::NotScalar { row: 0, .. }), "{fault}");
    let ragged = labels_of("t.csv", "a,b\n1,2\n3\n", Some("a")).unwrap_err();
    assert!(matches!(ragged, Fault::Fields { row: 1, found: 1, fields: 2 }), "{ragged}");
    let hole = labels_of("t.csv", "a,b\n1,2\n,3\n", Some("a")).unwrap_err();
    assert!(matches!(hole, Fault::NullRow { row: 1 }), "{hole}");
    // Of one column, a blank row is a hole too, but for those at the end.
    for text in ["score\n4\n\n5\n", "4\r\n \r\n5\r\n"] {
        let hole = floats_of("t.csv", text, None).unwrap_err();
        assert!(matches!(hole, Fault::NullRow { row: 1 }), "{hole}");
    }
    assert_eq!(floats_of("t.csv", "score\n4\n5\n\n\n", None).unwrap(), [4.0, 5.0]);
}

/// A number that no column is called says that the first line is a row.
#[test]
fn a_column_by_its_number() {
    let text = "a.jpg,cat\nb.jpg,dog\nc.jpg,cat\n";
    for name in ["l.csv", "l.txt"] {
        assert_eq!(labels_of(name, text, Some("1")).unwrap(), ["cat", "dog", "cat"], "{name}");
        assert_eq!(labels_of(name, text, Some("cat")).unwrap(), ["dog", "cat"], "{name}");
        assert!(matches!(labels_of(name, text, Some("2")), Err(Fault::NoScalars { .. })), "{name}");
    }
    // A name goes before a number, and names behind # are no row.
    assert_eq!(labels_of("l.csv", "a,0\nx,y\n", Some("0")).unwrap(), ["y"]);
    assert!(matches!(labels_of("l.csv", "# a,b\nx,y\n", Some("0")), Err(Fault::NoScalars { .. })));
    assert_eq!(labels_of("l.csv", "\u{feff}x;y\nz;w\n", Some("0")).unwrap(), ["x", "z"]);
    assert_eq!(floats_of("w.csv", "x,5\ny,2\n", Some("1")).unwrap(), [5.0, 2.0]);
    assert_eq!(floats_of("w.csv", "x,1\ny,2\n", Some("1")).unwrap(), [2.0]);
}

#[test]
fn a_key_of_json() {
    let text = "{\"label\": \"b\\u00e4r\", \"w\": 2, \"e\": [1, 2]}\n{\"w\": 0.5, \"label\": \"x\", \"e\": [3, 4]}\n";
    assert_eq!(labels_of("t.jsonl", text, Some("label")).unwrap(), ["bär", "x"]);
    assert_eq!(floats_of("t.jsonl", text, Some("w")).unwrap(), [2.0, 0.5]);
    assert_eq!(labels_of("t.json", "[\"a\", \"b,c\"]", None).unwrap(), ["a", "b,c"]);
    assert_eq!(floats_of("t.json", "[1, 2.5e0, true]", None).unwrap(), [1.0, 2.5, 1.0]);
    let missing = labels_of("t.jsonl", "{\"l\": \"a\"}\n{\"m\": 1}\n", None).unwrap_err();
    assert!(matches!(missing, Fault::NullRow { row: 1 }), "{missing}");
    let null = labels_of("t.jsonl", "{\"l\": \"a\"}\n{\"l\": null}\n", None).unwrap_err();
    assert!(matches!(null, Fault::NullRow { row: 1 }), "{null}");
    let list = labels_of("t.jsonl", "{\"l\": \"a\"}\n{\"l\": [1]}\n", None).unwrap_err();
    assert!(matches!(list, Fault::NotScalar { row: 1, .. }), "{list}");
}

#[test]
fn arrays_of_text() {
    let points = |text: &str| text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<_>>();
    let bytes = npy("<U3", 3, &[points("ab\0"), points("ä\0\0"), points("abc")].concat());
    assert_eq!(labels_of("l.npy", bytes, None).unwrap(), ["ab", "ä", "abc"]);
    let big: Vec<_> = "xy".chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
    assert_eq!(labels_of("l.npy", npy(">U1", 2, &big), None).unwrap(), ["x", "y"]);
    assert_eq!(labels_of("l.npy", npy("|S2", 3, b"abc\0ab"), None).unwrap(), ["ab", "c", "ab"]);
    assert!(matches!(labels_of("l.npy", npy("|S2", 2, b"ab\0\0"), None), Err(Fault::NullRow { row: 1 })));
    assert!(matches!(labels_of("l.npy", npy("|S1", 1, b"\xff"), None), Err(Fault::NotUtf8 { row: 0 })));
    assert!(matches!(
        labels_of("l.npy", npy("<U1", 1, &[0, 0, 0xff, 0xff]), None),
        Err(Fault::NotUtf8 { row: 0 })
    ));
    assert!(matches!(labels_of("l.npy", npy("|S0", 2, b""), None), Err(Fault::NullRow { row: 0 })));
    assert!(matches!(labels_of("l.npy", npy("|S5", 2, b"short"), None), Err(Fault::Length { .. })));
    let huge = labels_of("l.npy", npy("<U9223372036854775807", 2, b""), None);
    assert!(matches!(huge, Err(Fault::Huge { .. })), "{huge:?}");
    let named = labels_of("l.npy", npy("|S1", 1, b"a"), Some("label"));
    assert!(matches!(named, Err(Fault::UnusedOption { .. })), "{named:?}");
}

#[cfg(feature = "parquet")]
#[test]
fn columns_of_parquet_and_arrow() {
    for name in ["scalars.parquet", "scalars.arrow"] {
        let column = |column: &str| Column::open_named(data(name), Some(column)).unwrap();
        assert_eq!(column("name").rows(), 5);
        assert_eq!(told(column("name").labels().unwrap()), ["dog", "cat", "dog", "ä b", "cat"], "{name}");
        assert_eq!(column("class").integers().unwrap(), [3, 1, 3, -2, 1], "{name}");
        assert_eq!(column("byte").integers().unwrap(), [3, 1, 3, 200, 1], "{name}");
        assert_eq!(column("weight").floats().unwrap(), [0.5, 1.0, 2.0, 0.0, 4.0], "{name}");
        let hole = column("holes").labels().unwrap_err().fault;
        assert!(matches!(hole, Fault::NullRow { row: 2 }), "{name}: {hole}");
        let many = Column::open(data(name)).unwrap_err().fault;
        assert!(matches!(many, Fault::ManyScalars { .. }), "{name}: {many}");
    }
    let categories = Column::open(data("categories.parquet")).unwrap().labels().unwrap();
    assert_eq!(told(categories), ["dog", "cat", "dog", "ä b", "cat"]);
    let refused = Column::open(data("categories.arrow")).unwrap_err().to_string();
    assert!(refused.contains("categories") && refused.contains("pyarrow.parquet"), "{refused}");
}

#[test]
fn names_are_names_wherever_they_stand() {
    for text in ["2.5\ncat\n", "cat\n2.5\n"] {
        let mut labels = labels_of("labels.txt", text, None).unwrap();
        labels.sort();
        assert_eq!(labels, ["2.5", "cat"]);
    }
}

#[test]
fn excerpts_are_of_the_rows_that_are_named() {
    let long = "é".repeat(5000);
    let (_folder, path) = file("t.txt", format!("first\n{long}\n\nnan\nlast\n"));
    let column = Column::open(path).expect("a column");
    let read = |rows: &[usize]| column.excerpts(rows, 3).expect("texts");
    assert_eq!(read(&[0, 1, 2, 4]), ["fir", "ééé", "", "las"]);
    assert!(read(&[]).is_empty());
    assert!(matches!(column.excerpts(&[4, 9], 3).map_err(|error| error.fault), Err(Fault::Changed)));
    let (_folder, path) = file("t.csv", "id,words\n7,\"a, b\"\n8,c\n");
    let of = |name| Column::open_named(&path, Some(name)).and_then(|column| column.excerpts(&[0, 1], 9));
    assert_eq!(
        (of("words").expect("texts"), of("id").expect("texts")),
        (vec!["a, b".into(), "c".into()], vec!["7".into(), "8".into()])
    );
}
