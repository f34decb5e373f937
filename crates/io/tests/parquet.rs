//! Parquet and Arrow files that pyarrow wrote (`data/columns.py`).

#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs, panic,
    path::{Path, PathBuf},
    sync::Mutex,
};

use bytes::Bytes;
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use unisphere::Scaling::Raw;
use unisphere_io::{Fault, File, Reading, Source};

const ROWS: usize = 7;
const DIMS: usize = 3;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// What the script writes, exact in every type.
fn expected(numbers: &str, row: usize, dim: usize) -> f64 {
    let (row, dim) = (row as f64, dim as f64);
    if numbers == "int8" { 10.0 * row - dim } else { (row - 3.0) * 4.0 + dim / 4.0 + 0.125 }
}

/// Asserts that every range and every value of a file are those of the script.
fn assert_points(name: &str, numbers: &str) {
    let file = File::open(data(name)).unwrap();
    assert_eq!((file.rows(), file.dims()), (ROWS, DIMS), "{name}");
    assert_eq!(file.dtype(), numbers, "{name}");
    for start in 0..=ROWS {
        for end in start..=ROWS {
            let mut values = vec![f32::NAN; (end - start) * DIMS];
            file.read(start..end, &mut values).unwrap();
            for (row, point) in (start..end).zip(values.chunks(DIMS)) {
                for (dim, &value) in point.iter().enumerate() {
                    assert_eq!(f64::from(value), expected(numbers, row, dim), "{name} {row} {dim}");
                }
            }
        }
    }
    for (row, dim) in (0..ROWS).flat_map(|row| (0..DIMS).map(move |dim| (row, dim))) {
        assert_eq!(file.stored(row, dim).unwrap(), expected(numbers, row, dim), "{name} {row} {dim}");
    }
    assert!(file.stored(ROWS, 0).is_err() && file.stored(0, DIMS).is_err());
    assert!(file.read(0..ROWS + 1, &mut [0.0; (ROWS + 1) * DIMS]).is_err());
}

#[test]
fn every_type_of_number_in_every_type_of_list() {
    for (dtype, numbers) in [("float16", "f16"), ("float32", "f32"), ("float64", "f64"), ("int8", "int8")] {
        for kind in ["list", "fixed", "large"] {
            for format in ["parquet", "arrow"] {
                assert_points(&format!("{dtype}_{kind}.{format}"), numbers);
            }
        }
    }
}

#[test]
fn every_codec_and_way_to_write_a_page() {
    for name in ["none", "snappy", "gzip", "lz4", "zstd"] {
        assert_points(&format!("codec_{name}.parquet"), "f32");
    }
    for name in ["plain", "split", "v2", "indexed", "strict"] {
        assert_points(&format!("{name}.parquet"), "f32");
    }
    for name in ["codec_uncompressed", "codec_lz4", "codec_zstd", "stream"] {
        assert_points(&format!("{name}.arrow"), "f32");
    }
}

#[test]
fn pages_that_end_within_rows() {
    for name in ["pages.parquet", "pages_v2.parquet"] {
        let file = File::open(data(name)).unwrap();
        assert_eq!((file.rows(), file.dims()), (40, 33));
        for (start, end) in [(0, 40), (0, 1), (1, 2), (17, 18), (5, 31), (39, 40)] {
            let points = file.embeddings_in(start..end, Raw).unwrap();
            let all = (start * 33..end * 33).map(|value| value as f32);
            assert!(points.values().iter().copied().eq(all), "{name} {start}..{end}");
        }
        for value in [0, 9, 10, 11, 32, 33, 700, 1319] {
            assert_eq!(file.stored(value / 33, value % 33).unwrap(), value as f64, "{name} {value}");
        }
    }
}

/// The fault of opening a file and of reading all of it, with what its message must say.
fn refused(name: &str, words: &str) -> Fault {
    let path = data(name);
    let error = File::open(&path).and_then(|file| file.embeddings(Raw)).unwrap_err();
    let text = error.fault.to_string();
    assert!(text.contains(words), "{name}: {text}");
    assert!(text.len() < 250 && !text.chars().any(char::is_control), "{name}: {text:?}");
    assert_eq!(error.path, path);
    error.fault
}

#[test]
fn nulls_and_ragged_rows_by_their_row() {
    for format in ["parquet", "arrow"] {
        let refused = |name: &str, words| refused(&format!("{name}.{format}"), words);
        assert!(matches!(refused("null_row", "row 2 is null"), Fault::NullRow { row: 2 }));
        assert!(matches!(refused("null_first", "row 0 is null"), Fault::NullRow { row: 0 }));
        assert!(matches!(refused("empty_row", "row 1 is null or empty"), Fault::NullRow { row: 1 }));
        assert!(matches!(refused("null_value", "row 2 has no value"), Fault::NullValue { row: 2, dim: 1 }));
        let fault = refused("short", "row 2 has 2 values, and row 0 has 3");
        assert!(matches!(fault, Fault::RowWidth { row: 2, found: 2, dims: 3 }), "{fault}");
        let fault = refused("long", "row 1 has 4 values, and row 0 has 3");
        assert!(matches!(fault, Fault::RowWidth { row: 1, found: 4, dims: 3 }), "{fault}");
        refused("long_last", "row 2 has 4 values, and row 0 has 3");
        refused("short_last", "row 2 has 2 values, and row 0 has 3");
        assert!(matches!(refused("no_rows", "no points"), Fault::Empty { rows: 0, .. }));
    }
}

#[test]
fn columns_that_are_no_points() {
    for format in ["parquet", "arrow"] {
        let refused = |name: &str, words| refused(&format!("{name}.{format}"), words);
        refused("strings", "its columns are id, text, embedding");
        refused("integers", "no column of lists of numbers");
        let fault = refused("several", "image, title; choose one with --column");
        assert!(matches!(fault, Fault::ManyColumns { .. }));
        let path = data(&format!("several.{format}"));
        let file = File::open_with(&path, &Reading::new().with_column("image")).unwrap();
        assert_eq!(file.embeddings(Raw).unwrap().values(), [1.0, 2.0, 3.0, 4.0]);
        let file = File::open_with(&path, &Reading::new().with_column("title")).unwrap();
        assert_eq!(file.embeddings(Raw).unwrap().values(), [5.0, 6.0]);
        for name in ["text", "absent"] {
            let error = File::open_with(&path, &Reading::new().with_column(name)).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(&format!("'{name}'")) && text.contains("image, title"), "{text}");
        }
    }
}

#[test]
fn what_is_not_read_is_named() {
    refused(
        "brotli.parquet",
        "compression by brotli, which is not read; save it again with compression='zstd'",
    );
    refused("version1.feather", "Feather V1");
}

#[test]
fn a_row_group_of_values_without_rows() {
    let sound = fs::read(data("float32_list.parquet")).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(sound.clone())).unwrap();
    let groups = metadata.row_groups().len();
    assert!(groups > 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    for empty in 0..groups {
        let mut metadata = metadata.clone().into_builder();
        let mut groups = metadata.take_row_groups();
        groups[empty] = groups[empty].clone().into_builder().set_num_rows(0).build().unwrap();
        let metadata = metadata.set_row_groups(groups).build();
        // The last footer is the one that counts.
        let mut bytes = sound.clone();
        ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
        fs::write(&path, &bytes).unwrap();
        let fault = File::open(&path).unwrap_err().fault;
        assert!(fault.to_string().contains("whose values are not those of its rows"), "{fault}");
    }
}

#[test]
fn big_endian_arrow_is_refused() {
    let mut bytes = fs::read(data("stream.arrow")).unwrap();
    // Behind the mark and the length of the first message.
    let metadata = 8;
    let message = arrow_ipc::root_as_message(&bytes[metadata..]).unwrap();
    let table = metadata + message.header_as_schema().unwrap()._tab.loc();
    // A table begins with how far before it the places of its fields are.
    let back = i32::from_le_bytes(bytes[table..table + 4].try_into().unwrap());
    let fields = table.checked_add_signed(-back as isize).unwrap();
    // Little-endian is left out as the default: its place in the table, 0, becomes that of a 16-bit 1 somewhere in the file.
    let is_one = |place: &usize| bytes[table + place..].starts_with(&[1, 0]);
    let place = (4..200).step_by(2).find(is_one).unwrap();
    bytes[fields + 4..fields + 6].copy_from_slice(&(place as u16).to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.arrow");
    fs::write(&path, &bytes).unwrap();
    let fault = File::open(&path).unwrap_err().fault;
    assert!(matches!(fault, Fault::Unsupported { .. }), "{fault}");
    assert!(fault.to_string().contains("big-endian"), "{fault}");
}

#[test]
fn a_compressed_buffer_that_claims_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forged.arrow");
    let sound = fs::read(data("codec_lz4.arrow")).unwrap();
    // The length of a buffer is before the frame that it is compressed to.
    let frame = sound.windows(4).rposition(|bytes| bytes == [4, 0x22, 0x4d, 0x18]).unwrap();
    for claimed in [100_000u64, 1 << 40, i64::MAX as u64] {
        let mut bytes = sound.clone();
        bytes[frame - 8..frame].copy_from_slice(&claimed.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let fault = File::open(&path).unwrap_err().fault;
        assert!(fault.to_string().contains("claims more than it can hold"), "{fault}");
    }
}

/// Opens and reads some bytes as a file of this name. Returns whether they were points.
fn survives(folder: &Path, name: &str, bytes: &[u8]) -> bool {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    let read = File::open(&path).and_then(|file| {
        // A mutated footer may claim more rows than anyone wants to read.
        let rows = file.rows().min(100);
        if file.dims() <= 1000 { file.embeddings_in(0..rows, Raw).map(drop) } else { Ok(()) }
    });
    if let Err(error) = &read {
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    }
    read.is_ok()
}

#[test]
fn files_that_are_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["float32_list.parquet", "v2.parquet", "float32_list.arrow", "codec_zstd.arrow", "stream.arrow"]
    {
        let bytes = fs::read(data(name)).unwrap();
        for length in (0..bytes.len()).step_by(7) {
            assert!(!survives(folder.path(), name, &bytes[..length]), "{name} cut to {length} bytes");
        }
    }
}

/// Panics of this crate's own code. The fence around decoders hides these too.
static OWN_PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps panics of this crate's own code from now on.
fn watch_own_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|place| Path::new(place.file()).starts_with("crates/io/src")) {
            OWN_PANICS.lock().unwrap().push(panic.to_string());
        }
        report(panic);
    }));
}

/// Sound files with some bytes changed: `UNISPHERE_MUTATIONS` of each, 300 unless it is set.
#[test]
fn mutated_files() {
    let count = std::env::var("UNISPHERE_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(300);
    let folder = tempfile::tempdir().unwrap();
    watch_own_panics();
    // A sequence that is the same in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for name in [
        "float32_list.parquet",
        "float16_fixed.parquet",
        "v2.parquet",
        "pages_v2.parquet",
        "codec_zstd.parquet",
        "float32_list.arrow",
        "float64_fixed.arrow",
        "codec_lz4.arrow",
        "stream.arrow",
    ] {
        let sound = fs::read(data(name)).unwrap();
        let mut read = 0;
        for _ in 0..count {
            let mut bytes = sound.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes[at] ^= 1 << random(8),
                    2 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 0xff),
                    _ => drop(bytes.splice(at..(at + random(9)).min(bytes.len()), vec![7; random(9)])),
                }
            }
            read += usize::from(survives(folder.path(), name, &bytes));
            assert_eq!(*OWN_PANICS.lock().unwrap(), [""; 0], "{name}");
        }
        assert!(read < count, "{name}: nothing was broken");
    }
}
