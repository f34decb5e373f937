//! Archives of numpy that lie about what they hold, or hold no points.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod counting;
mod support;

use std::{fs, io::Write};

use counting::allocated;
use support::{Npy, Zipped, archive};
use unisphere::Scaling::Raw;
use unisphere_io::{Error, Fault, File, Reading, Shards, Source};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// What opening an archive may take beside the values and eight times its own length: the decoder's tables and buffers.
const CONSTANT: usize = 200 << 10;

fn array(shape: &str, values: &[f32]) -> Vec<u8> {
    Npy::new("<f4", false, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect()).bytes()
}

fn matrix() -> Vec<u8> {
    array("(2, 3)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
}

fn open(bytes: &[u8], reading: &Reading) -> Result<File, Fault> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    File::open_with(file.path(), reading).map_err(|Error { path, fault }| {
        assert_eq!(path, file.path());
        fault
    })
}

fn refused(bytes: &[u8], reading: &Reading, words: &str) -> Fault {
    let fault = open(bytes, reading).unwrap_err();
    let text = fault.to_string();
    assert!(text.contains(words) && text.len() < 250 && !text.chars().any(char::is_control), "{text}");
    fault
}

/// An archive that compresses, of one array.
fn deflated(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file(name, options).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn arrays_that_are_stored_are_read_in_place() {
    let bytes = archive(&[Zipped::new("a.npy", matrix()), Zipped::new("b.npy", array("(2,)", &[7.0, 8.0]))]);
    let file = open(&bytes, &Reading::new().with_max_bytes(0)).unwrap();
    assert_eq!((file.rows(), file.dims(), file.bytes_in_memory()), (2, 3, 0));
    assert_eq!(file.embeddings(Raw).unwrap().values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let file = open(&bytes, &Reading::new().with_member("b")).unwrap();
    assert_eq!((file.rows(), file.dims()), (2, 1));
    assert_eq!(file.embeddings(Raw).unwrap().values(), [7.0, 8.0]);
}

#[test]
fn which_array() {
    let two = archive(&[Zipped::new("a.npy", matrix()), Zipped::new("b\n.npy", matrix())]);
    refused(&two, &Reading::new(), "has several matrices: a, b\\n; choose one with --member");
    refused(
        &two,
        &Reading::new().with_member("c"),
        "has no array 'c'; its arrays are a, b\\n; choose one with",
    );
    let axis = archive(&[Zipped::new("a.npy", array("(2,)", &[1.0, 2.0]))]);
    refused(
        &axis,
        &Reading::new(),
        "has no matrix of (rows, dims); its arrays are a; choose one with --member",
    );
    let many: Vec<_> = (0..20).map(|i| Zipped::new(&format!("layer{i}.npy"), matrix())).collect();
    refused(&archive(&many), &Reading::new(), "layer7 and 12 more; choose one with --member");
}

#[test]
fn archives_of_other_programs() {
    let of = |names: &[&str]| {
        archive(&names.iter().map(|name| Zipped::new(name, vec![1, 2, 3])).collect::<Vec<_>>())
    };
    let torch = of(&["archive/data.pkl", "archive/data/0", "archive/version"]);
    refused(
        &torch,
        &Reading::new(),
        "a PyTorch file of torch.save, a pickle, which is never executed; load it",
    );
    refused(&of(&["word/document.xml"]), &Reading::new(), "a zip archive without arrays of numpy; unzip it");
    let sparse = ["indices", "indptr", "data"].map(|name| Zipped::new(&format!("{name}.npy"), matrix()));
    refused(&archive(&sparse), &Reading::new(), "a sparse matrix of scipy; save x.toarray()");
    let objects = Npy::new("|O", false, "(2, 3)", b"\x80\x04cos\nsystem".to_vec()).bytes();
    refused(&archive(&[Zipped::new("a.npy", objects)]), &Reading::new(), "never executed");
}

#[test]
fn checksums_are_compared() {
    let mut stored = Zipped::new("a.npy", matrix());
    stored.data[140] ^= 1;
    let fault = refused(&archive(&[stored]), &Reading::new(), "a damaged npz file: Invalid checksum");
    assert!(matches!(fault, Fault::Damaged { .. }));
    let mut bytes = deflated("a.npy", &matrix());
    // The checksum, of both of the headers.
    for signature in [&b"PK\x03\x04"[..], b"PK\x01\x02"] {
        let at = bytes.windows(4).position(|four| four == signature).unwrap();
        bytes[at + if signature[2] == 1 { 16 } else { 14 }] ^= 1;
    }
    refused(&bytes, &Reading::new(), "Invalid checksum");
}

#[test]
fn sizes_that_lie() {
    let sound = Zipped::new("a.npy", matrix());
    let length = sound.data.len() as u32;
    for size in [0, 1, 151, length - 1, length + 1, 1 << 20, u32::MAX - 1] {
        for both in [false, true] {
            let packed = if both { size } else { length };
            let bytes = archive(&[Zipped { size, packed, ..sound.clone() }]);
            assert!(open(&bytes, &Reading::new()).is_err(), "{size} {both}");
            assert!(open(&bytes, &Reading::new().with_member("a")).is_err(), "{size} {both}");
        }
    }
    for offset in [1, 30, 1 << 20, u32::MAX - 1] {
        let bytes = archive(&[Zipped { offset, ..sound.clone() }]);
        assert!(open(&bytes, &Reading::new().with_member("a")).is_err(), "{offset}");
    }
    // An array that goes on behind what its header claims, by the size of the archive and against it.
    let longer = [matrix(), vec![0; 1000]].concat();
    refused(&archive(&[Zipped::new("a.npy", longer.clone())]), &Reading::new(), "something was appended");
    refused(&deflated("a.npy", &longer), &Reading::new(), "something was appended");
    let mut bytes = deflated("a.npy", &longer);
    for (signature, at_size) in [(&b"PK\x03\x04"[..], 22), (b"PK\x01\x02", 24)] {
        let at = bytes.windows(4).position(|four| four == signature).unwrap();
        bytes[at + at_size..at + at_size + 4].copy_from_slice(&length.to_le_bytes());
    }
    assert!(matches!(open(&bytes, &Reading::new()), Err(Fault::Damaged { .. })));
}

#[test]
fn what_is_not_read() {
    let sound = Zipped::new("a.npy", matrix());
    let encrypted = archive(&[Zipped { flags: 1, ..sound.clone() }]);
    let fault = refused(&encrypted, &Reading::new().with_member("a"), "save it again with numpy.savez");
    assert!(matches!(fault, Fault::Unsupported { .. }), "{fault}");
    for method in [9, 12, 14, 93, 95, 98, 77] {
        let bytes = archive(&[Zipped { method, ..sound.clone() }]);
        let fault = refused(&bytes, &Reading::new().with_member("a"), "npz file");
        assert!(matches!(fault, Fault::Unsupported { .. } | Fault::Damaged { .. }), "{fault}");
    }
}

#[test]
fn a_bomb_takes_no_more_than_its_header_says_and_the_limit_allows() {
    // 64 MiB of zeros in 64 KiB.
    let zeros = vec![0.0; 16 << 20];
    let bomb = deflated("a.npy", &array("(4096, 4096)", &zeros));
    assert!(bomb.len() < 100 << 10);
    let limit = Reading::new().with_max_bytes((64 << 20) - 1);
    let (fault, taken) = allocated(|| open(&bomb, &limit).unwrap_err());
    assert!(
        matches!(fault, Fault::InflateLimit { needed, limit } if needed == 64 << 20 && limit == needed - 1)
    );
    let words =
        "a compressed array that needs 67108864 bytes of memory, and 67108863 are allowed; save it with";
    assert!(fault.to_string().contains(words), "{fault}");
    assert!(taken < 8 * bomb.len() + CONSTANT, "{taken}");
    let file = open(&bomb, &Reading::new().with_max_bytes(64 << 20)).unwrap();
    assert_eq!(file.bytes_in_memory(), 64 << 20);
    // A header that claims little ends it.
    let header = Npy::new("<f4", false, "(2, 3)", vec![0; 64 << 20]).bytes();
    let bomb = deflated("a.npy", &header);
    let (fault, taken) = allocated(|| open(&bomb, &Reading::new()).unwrap_err());
    assert!(matches!(fault, Fault::Length { .. }), "{fault}");
    assert!(taken < 8 * bomb.len() + CONSTANT, "{taken}");
    // One that claims much, with sizes to match, takes no more than arrives.
    let claims = Npy::new("<f4", false, "(1000000000, 1)", vec![0; 1 << 10]).bytes();
    let mut bytes = deflated("a.npy", &claims);
    for (signature, at_size) in [(&b"PK\x03\x04"[..], 22), (b"PK\x01\x02", 24)] {
        let at = bytes.windows(4).position(|four| four == signature).unwrap();
        bytes[at + at_size..at + at_size + 4].copy_from_slice(&4_000_000_128u32.to_le_bytes());
    }
    let (fault, taken) = allocated(|| open(&bytes, &Reading::new()).unwrap_err());
    assert!(matches!(fault, Fault::Damaged { .. }), "{fault}");
    assert!(taken < (1 << 20) + CONSTANT, "{taken}");
}

#[test]
fn the_limit_is_that_of_a_set() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["x0.npz", "x1.npz"].map(|name| folder.path().join(name));
    for path in &paths {
        fs::write(path, deflated("a.npy", &matrix())).unwrap();
    }
    let set = |limit| Shards::open_with(&paths, &Reading::new().with_max_bytes(limit));
    assert_eq!(set(48).unwrap().rows(), 4);
    let error = set(47).unwrap_err();
    assert!(matches!(error.fault, Fault::InflateLimit { needed: 48, limit: 47 }), "{error}");
    assert_eq!(error.path, paths[1]);
}

#[test]
fn many_files_take_memory_in_proportion() {
    let arrays: Vec<_> = (0..3000).map(|i| Zipped::new(&format!("{i}.npy"), array("(1,)", &[1.0]))).collect();
    let bytes = archive(&arrays);
    let (fault, taken) = allocated(|| open(&bytes, &Reading::new()).unwrap_err());
    assert!(matches!(fault, Fault::NoArray { .. }), "{fault}");
    assert!(taken < 32 * bytes.len() + CONSTANT, "{taken} for {}", bytes.len());
}
