//! Files that are refused: each fault has its own file, and its message the cure.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, path::Path};

use support::Npy;
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{Error, Fault, File, RawFloat, Reading, Source, parse, parse_floats, parse_integers};

/// Asserts that bytes are refused for this reason, in two lines at most, with these words.
macro_rules! refused {
    ($bytes:expr, $fault:pat $(if $guard:expr)?, $words:expr) => {
        said!(parse(&$bytes, Unit).unwrap_err(), $fault $(if $guard)?, $words)
    };
}

macro_rules! said {
    ($found:expr, $fault:pat $(if $guard:expr)?, $words:expr) => {{
        let found: Fault = $found;
        let (text, debug) = (found.to_string(), format!("{found:?}"));
        assert!(text.contains($words) && text.len() < 200, "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(matches!(found, $fault $(if $guard)?), "{debug}");
    }};
}

/// A sound file of 2 × 3 values of f32.
fn sound() -> Npy {
    Npy::new("<f4", false, "(2, 3)", [1f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat())
}

/// The sound file with another header.
fn headed(header: &str) -> Vec<u8> {
    Npy { header: header.into(), ..sound() }.bytes()
}

fn descr(descr: &str) -> Vec<u8> {
    headed(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (2, 3)}}"))
}

fn shape(shape: &str) -> Vec<u8> {
    Npy { header: Npy::new("<f4", false, shape, Vec::new()).header, ..sound() }.bytes()
}

fn doubles(values: [f64; 4], fortran: bool) -> Vec<u8> {
    Npy::new(">f8", fortran, "(2, 2)", values.map(f64::to_be_bytes).concat()).bytes()
}

#[test]
fn the_sound_file_is_sound() {
    assert_eq!(parse(&sound().bytes(), Unit).unwrap().values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn other_formats() {
    let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
    for (head, words) in [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a".as_slice(), "git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"\xef\xbb\xbf<HTML><head>", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied", "a web page"),
        (b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "empty zip"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0", "h5py"),
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "scipy.io.loadmat"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64", "h5py"),
        (b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c", "never executed"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gunzip"),
        (b"BZh91AY&SY", "bunzip2"),
        (b"\xfd7zXZ\0\0\x04", "unxz"),
        (b"\x28\xb5\x2f\xfd\x24\0", "unzstd"),
        (b"\x04\x22\x4d\x18\x64", "unlz4"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z x"),
        (&tar, "tar -xf"),
        (b"IxF2\x80\0\0\0", "reconstruct_n"),
        (b"SQLite format 3\0", "sqlite3"),
        (b"a note to myself\n", "text"),
        ("größe,höhe,längä,x".as_bytes(), "text"), // the sixteenth byte is half a letter
        (b"\0\x01\x02\x03", "numpy.save"),
        (b"\xff\xfe1\0,\0", "iconv -f UTF-16 -t UTF-8 FILE > COPY"),
        (b"stra\xdfe,e0,e1\r\nK\xf6ln,1,2\r\n", "iconv -f WINDOWS-1252 -t UTF-8 FILE > COPY"),
        (b"\xfe\xff\x001\x00,", "iconv -f UTF-16 -t UTF-8 FILE > COPY"),
        (b"d\x000\x00,\x00d\x001\x00\r\x00\n\x001\x00.\x005\x00", "iconv -f UTF-16LE -t UTF-8 FILE > COPY"),
        (b"d\x000\x00,\x00d\x001\x00\r\x00\n\x001\x00\x01\x005\x00", "iconv -f UTF-16LE"),
        (b"d\x000\x00,\x00d\x001\x00\r\x00\x01\x001\x00\x01\x005\x00", "numpy.save"),
        (b"\x93NUMPX\x01\0", "numpy.save"),
    ] {
        refused!(head, Fault::Format { .. }, words);
    }
}

#[test]
fn a_header_cut_short() {
    let bytes = sound().bytes();
    for length in 0..128 {
        refused!(bytes[..length], Fault::HeaderCut { length: found } if found == length as u64, "cut short");
    }
    let version_2 = Npy { version: [2, 0], ..sound() }.bytes();
    for length in 0..128 {
        refused!(version_2[..length], Fault::HeaderCut { .. }, "cut short");
    }
}

#[test]
fn a_header_shorter_than_any() {
    refused!(*b"\x93NUMPY\x01\0\x00\0 and some more", Fault::HeaderSyntax { at: 0, .. }, "'{'");
    refused!(*b"\x93NUMPY\x01\0\x02\0{} and some more", Fault::MissingKey { .. }, "descr");
}

#[test]
fn unknown_versions() {
    for version in [[0, 0], [1, 1], [4, 0], [255, 255]] {
        let bytes = Npy { version, ..sound() }.bytes();
        refused!(bytes, Fault::Version { major, minor } if [major, minor] == version, "3.0");
    }
}

#[test]
fn a_header_too_long() {
    let mut bytes = Npy { version: [2, 0], ..sound() }.bytes();
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    refused!(bytes, Fault::HeaderLength { length: u32::MAX, limit: 10_000 }, "4294967295");
    let spaces = |count| Npy { header: [sound().header, vec![b' '; count]].concat(), ..sound() }.bytes();
    refused!(spaces(10_001), Fault::HeaderLength { .. }, "10000");
    assert!(parse(&spaces(9_800), Unit).is_ok());
}

#[test]
fn damaged_headers() {
    for (header, byte, words) in [
        ("", 54, "'{'"),
        ("\0", 0, "'{'"),
        ("[]", 0, "'{'"),
        ("{'descr'}", 8, "':'"),
        ("{'descr': <f4}", 10, "in quotes"),
        ("{'descr': '<f4}", 10, "in quotes"),
        ("{'descr': None}", 10, "in quotes"),
        ("{'descr': '<f4' 'shape': (2, 3)}", 16, "'}'"),
        ("{'descr': '<f4',, 'shape': (2, 3)}", 16, "key in quotes"),
        ("{descr: '<f4'}", 1, "key in quotes"),
        ("{'fortran_order': 0}", 18, "True or False"),
        ("{'fortran_order': Falsely}", 23, "'}'"),
        ("{'shape': 6}", 10, "'('"),
        ("{'shape': (6)}", 12, "','"),
        ("{'shape': [2, 3]}", 10, "'('"),
        ("{'shape': (2, 3}", 15, "')'"),
        ("{'shape': (,)}", 11, "a size"),
        ("{'shape': (-2, 3)}", 11, "a size"),
        ("{'shape': (2, 3.0)}", 15, "')'"),
        ("{'shape': (02, 3)}", 11, "a size"),
        ("{'shape': (2, 18446744073709551616)}", 14, "a size below 2⁶⁴"),
        ("{'shape': (2_, 3)}", 11, "a size"),
        ("{'shape': (_2, 3)}", 11, "a size"),
        ("{'shape': (1__0, 3)}", 11, "a size"),
        ("{'shape': (np.int64(2, 3)}", 21, "')'"),
        ("{'shape': (np.int64(-2), 3)}", 20, "a size"),
        ("{'shape': (np.system(2), 3)}", 11, "a size"),
        ("{'shape': (np.int64, 3)}", 11, "a size"),
        ("{ub'descr': '<f4'}", 1, "key in quotes"),
        ("{'shape': (2, 3)} + exit()", 18, "its end"),
    ] {
        refused!(headed(header), Fault::HeaderSyntax { at, .. } if at == byte, words);
    }
    let axes = format!("{{'shape': ({})}}", "1, ".repeat(65));
    refused!(headed(&axes), Fault::HeaderSyntax { .. }, "64 axes");
    let nested = format!("{{'shape': {}", "(".repeat(9_000));
    refused!(headed(&nested), Fault::HeaderSyntax { .. }, "a size");
}

#[test]
fn keys() {
    let escape = headed("{'\u{1b}[2J and a key of some length': 1}");
    refused!(headed("{'dtype': '<f4'}"), Fault::UnknownKey { .. }, "'dtype'");
    refused!(escape, Fault::UnknownKey { .. }, r"'\x1b[2J and a key");
    let twice = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'shape': (3, 2)}";
    refused!(headed(twice), Fault::DuplicateKey { key: "shape" }, "two keys");
    for (header, missing) in [
        ("{}", "descr"),
        ("{'descr': '<f4', 'shape': (2, 3)}", "fortran_order"),
        ("{'descr': '<f4', 'fortran_order': True}", "shape"),
    ] {
        refused!(headed(header), Fault::MissingKey { key } if key == missing, missing);
    }
}

#[test]
fn objects_are_never_executed() {
    for dtype in ["'|O'", "'O'", "'|O8'", "'<O'"] {
        refused!(descr(dtype), Fault::Objects, "never executed");
    }
}

#[test]
fn records() {
    for dtype in ["[('a', '<f4'), ('b', '<f4')]", "('<f4', (3,))", "{'names': ['a']}"] {
        refused!(descr(dtype), Fault::Records, "one field");
    }
}

#[test]
fn values_that_are_no_real_numbers() {
    refused!(descr("'<c8'"), Fault::NotReal { descr } if descr == "<c8", "concatenate([x.real, x.imag], axis=1)");
    for dtype in ["<f16", "g", "F", "<V4", "<U4", "|S3", "<M8[ns]", "<", "", "<f44", "<f1f", "float33"] {
        let bytes = descr(&format!("'{dtype}'"));
        refused!(bytes, Fault::NotReal { descr } if descr == dtype, "x.astype('float32')");
    }
}

#[test]
fn raw_bytes_that_may_be_floats() {
    refused!(
        descr("'<V2'"),
        Fault::RawBytes { .. },
        "'<V2', and does not say which floats they are; if they are bf16"
    );
    for dtype in ["<V1", "|V1", "<f1"] {
        let bytes = descr(&format!("'{dtype}'"));
        refused!(bytes, Fault::RawBytes { descr, .. } if descr == dtype, "f8e4m3 or f8e5m2");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    let told = |bytes: Vec<u8>, dtype| {
        fs::write(&path, bytes).unwrap();
        File::open_with(&path, &Reading::new().with_dtype(dtype)).unwrap_err().fault
    };
    for (dtype, told_as) in [
        ("<f4", RawFloat::BF16),
        ("<f2", RawFloat::BF16),
        ("|b1", RawFloat::F8E4M3),
        ("<V1", RawFloat::BF16),
        ("<V2", RawFloat::F8E5M2),
        ("<i4", RawFloat::BF16),
    ] {
        let bytes = descr(&format!("'{dtype}'"));
        said!(told(bytes, told_as), Fault::OtherDtype { found, .. } if found == dtype, "leave --dtype");
    }
}

#[test]
fn arrays_that_are_not_matrices() {
    refused!(shape("()"), Fault::NotMatrix { .. }, "numpy.stack([x, y])");
    refused!(shape("()"), Fault::NotMatrix { .. }, "shape (), not (rows, dims); save at least two points");
    refused!(shape("(1, 2, 3)"), Fault::NotMatrix { .. }, "shape (1, 2, 3), not");
    refused!(shape("(1, 2, 3)"), Fault::NotMatrix { .. }, "x.reshape(-1, x.shape[-1])");
    refused!(shape("(1, 2, 3)"), Fault::NotMatrix { .. }, "eval X --views takes (n, views, dims)");
    refused!(shape("(1, 1, 2, 3)"), Fault::NotMatrix { .. }, "x.reshape(-1, x.shape[-1]), or pool all axes");
}

#[test]
fn no_points() {
    refused!(shape("(0, 3)"), Fault::Empty { rows: 0, dims: 3 }, "(0, 3)");
    refused!(shape("(0,)"), Fault::Empty { rows: 0, dims: 1 }, "(0, 1)");
    refused!(shape("(2, 0)"), Fault::Empty { rows: 2, dims: 0 }, "(2, 0)");
    refused!(shape("(0, 18446744073709551615)"), Fault::Empty { .. }, "no points");
}

#[test]
fn shapes_beyond_counting() {
    let huge = [
        "(18446744073709551615, 18446744073709551615)",
        "(4294967296, 4294967296)", // the count is 2⁶⁴
        "(4611686018427387904, 1)", // the bytes are 2⁶⁴
        "(4611686018427387903, 1)", // with the header they pass 2⁶⁴
        "(1, 6148914691236517206)",
    ];
    for huge in huge {
        refused!(shape(huge), Fault::Huge { .. }, "more than any file");
    }
}

#[test]
fn lengths_that_do_not_match() {
    let bytes = sound().bytes();
    refused!(
        bytes[..151],
        Fault::Length { found: 151, claimed: 152 },
        "is 151 bytes long, and its header claims 152"
    );
    refused!(bytes[..128], Fault::Length { found: 128, claimed: 152 }, "cut short");
    refused!([&bytes[..], &[0]].concat(), Fault::Length { found: 153, claimed: 152 }, "appended");
    refused!([&bytes[..], &bytes[..]].concat(), Fault::Length { .. }, "one array a file");
    refused!(shape("(1000000000000, 3)"), Fault::Length { .. }, "12000000000128");
}

#[test]
fn values_that_overflow_single_precision() {
    for value in [1e39, -f64::MAX, f64::from(f32::MAX) * (1.0 + 2f64.powi(-24))] {
        refused!(
            doubles([1.0, 2.0, value, f64::NAN], false),
            Fault::Overflow { row: 1, dim: 0, value: found } if found == value,
            "row 1 holds"
        );
    }
    refused!(doubles([1.0, 2.0, 1e39, 3.0], true), Fault::Overflow { row: 0, dim: 1, .. }, "in dimension 1");
}

#[test]
fn values_that_are_not_finite() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for (fortran, cell) in [(false, (1, 0)), (true, (0, 1))] {
            refused!(
                doubles([1.0, 2.0, value, 1e39], fortran),
                Fault::Content(unisphere::Error::NotFinite { row, dim }) if (row, dim) == cell,
                "not finite"
            );
        }
    }
    let half = Npy::new("<f2", false, "(2, 1)", vec![0, 0x3c, 0, 0x7c]).bytes();
    refused!(half, Fault::Content(unisphere::Error::NotFinite { row: 1, dim: 0 }), "row 1");
}

#[test]
fn rows_that_cannot_be_scaled() {
    refused!(
        doubles([1.0, 2.0, 0.0, -1e-300], false),
        Fault::Content(unisphere::Error::ZeroRow { row: 1 }),
        "row 1 is all zeros"
    );
    assert!(parse(&doubles([1.0, 2.0, 0.0, 0.0], false), Raw).is_ok());
}

fn open(path: &Path) -> Fault {
    let Error { path: named, fault } = File::open(path).unwrap_err();
    assert_eq!(named, path);
    fault
}

#[test]
fn paths_that_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    said!(open(&folder.path().join("absent.npy")), Fault::NotFound, "check the path");
    said!(open(folder.path()), Fault::Directory, "a directory");
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    said!(Fault::from(denied), Fault::PermissionDenied, "permissions");
}

#[cfg(unix)]
#[test]
fn devices_and_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [&socket, Path::new("/dev/null"), Path::new("/dev/zero")] {
        said!(open(path), Fault::Stream, "a device, a terminal or a socket");
        said!(
            unisphere_io::Column::open(path).unwrap_err().fault,
            Fault::Stream,
            "write its content to a file"
        );
    }
    let file = folder.path().join("file");
    fs::write(&file, sound().bytes()).unwrap();
    said!(open(&file.join("points.npy")), Fault::Io(_), "cannot be read");
}

#[test]
fn an_error_names_its_file_and_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zeros.npy");
    fs::write(&path, doubles([1.0, 2.0, 0.0, 0.0], false)).unwrap();
    let text = File::open(&path).unwrap().embeddings(Unit).unwrap_err().to_string();
    assert!(text.contains("zeros.npy: row 1 is all zeros"), "{text}");
}

#[test]
fn a_file_that_shrinks_after_it_was_opened() {
    for fortran in [false, true] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), doubles([1.0; 4], fortran)).unwrap();
        let open = File::open(file.path()).unwrap();
        file.as_file().set_len(150).unwrap();
        said!(open.embeddings(Unit).unwrap_err().fault, Fault::Changed, "became shorter");
    }
}

#[test]
fn a_file_that_shrinks_is_named_by_every_way_to_read_it() {
    for fortran in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shrinks.npy");
        // So many values that several threads read them.
        let values = vec![0; (600 << 10) * 2];
        fs::write(&path, Npy::new("<f2", fortran, "(307200, 2)", values).bytes()).unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(file.zero_rows().unwrap().len(), 307_200);
        fs::File::options().write(true).open(&path).unwrap().set_len(1_000_000).unwrap();
        let mut values = vec![0.0; 614_400];
        let last = 307_199..307_200;
        let errors = [
            file.embeddings(Raw).unwrap_err(),
            file.embeddings_in(last.clone(), Raw).unwrap_err(),
            file.embeddings_without(&[3], Raw).unwrap_err(),
            file.zero_rows().unwrap_err(),
            file.read(0..307_200, &mut values).unwrap_err(),
            file.stored(307_199, 1).unwrap_err(),
        ];
        for Error { path: named, fault } in errors {
            assert_eq!(named, path);
            said!(fault, Fault::Changed, "became shorter");
        }
        // What is left of it is read.
        assert!(file.read(0..2, &mut values[..4]).is_ok() || fortran);
    }
}

#[test]
fn rows_and_buffers_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.npy");
    fs::write(&path, sound().bytes()).unwrap();
    let file = File::open(&path).unwrap();
    let read = |rows, count| {
        let Error { path: named, fault } = file.read(rows, &mut vec![0.0; count]).unwrap_err();
        assert_eq!(named, path);
        fault
    };
    said!(read(0..3, 9), Fault::NoSuchRows { start: 0, end: 3, rows: 2 }, "rows 0..3 were asked for");
    said!(read(2..3, 3), Fault::NoSuchRows { .. }, "it has rows 0..2");
    #[allow(clippy::reversed_empty_ranges, reason = "a caller's mistake")]
    let reversed = 2..1;
    said!(read(reversed.clone(), 0), Fault::NoSuchRows { .. }, "rows 2..1");
    said!(read(usize::MAX - 1..usize::MAX, 3), Fault::NoSuchRows { .. }, "it has rows 0..2");
    said!(read(0..2, 5), Fault::Buffer { values: 5, rows: 2, dims: 3 }, "give 2 × 3");
    said!(read(1..1, 1), Fault::Buffer { .. }, "into 1 values");
    said!(file.embeddings_in(reversed, Raw).unwrap_err().fault, Fault::NoSuchRows { .. }, "rows 2..1");
    said!(file.embeddings_in(0..usize::MAX, Raw).unwrap_err().fault, Fault::NoSuchRows { .. }, "0..2");
    for (row, dim) in [(2, 0), (0, 3), (usize::MAX, usize::MAX)] {
        assert!(file.stored(row, dim).is_err());
    }
}

#[test]
fn columns() {
    let column =
        |descr: &str, shape: &str, bytes: &[u8]| Npy::new(descr, false, shape, bytes.to_vec()).bytes();
    let doubles = |values: [f64; 2]| column("<f8", "(2,)", &values.map(f64::to_le_bytes).concat());
    let whole = |bytes: &[u8]| parse_integers(bytes).unwrap_err();
    let any = |bytes: &[u8]| parse_floats(bytes).unwrap_err();

    said!(whole(&column("|u1", "(2, 2)", &[0; 4])), Fault::NotColumn { .. }, "(2, 2)");
    said!(whole(&column("|u1", "()", &[0; 1])), Fault::NotColumn { .. }, "()");
    said!(whole(&column("|u1", "(0,)", &[])), Fault::NoNumbers, "no values");
    said!(whole(&column("<U3", "(2,)", &[0; 24])), Fault::NullRow { row: 0 }, "null or empty");
    said!(any(&column("<M8[s]", "(2,)", &[0; 16])), Fault::NotNumbers { .. }, "x.astype('U')");
    said!(any(&column("<c8", "(2,)", &[0; 16])), Fault::NotNumbers { .. }, "'<c8'");
    said!(any(&column("|O", "(2,)", &[0; 16])), Fault::ObjectColumn, "never executed");
    said!(any(&column("<V2", "(2,)", &[0; 4])), Fault::NotNumbers { .. }, "'<V2'");
    said!(any(&column("<i4", "(2,)", &[0; 7])), Fault::Length { .. }, "cut short");
    said!(any(&column("<i4", "(9223372036854775808,)", &[])), Fault::Huge { .. }, "more than any file");
    said!(whole(&doubles([1.0, 1.5])), Fault::NotInteger { row: 1, .. }, "row 1 holds 1.5");
    said!(whole(&doubles([f64::NAN, 1.0])), Fault::NotFinite { row: 0, .. }, "row 0 holds NaN");
    said!(whole(&doubles([1.0, 1e19])), Fault::NotInteger { row: 1, .. }, "row 1");
    said!(whole(&column("<u8", "(1,)", &[255; 8])), Fault::LargeInteger { row: 0, .. }, "2⁶³−1");
    said!(any(&doubles([1.0, f64::INFINITY])), Fault::NotFinite { row: 1, .. }, "row 1 holds inf");
}
