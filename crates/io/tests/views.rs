//! Arrays (n, views, d): the points of each view, whatever holds them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, io::Write};

use support::{Npy, Zipped, archive};
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{Fault, File, Reading};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// What value (row, view, dim) of an array of these sizes is.
fn value([_, views, dims]: [usize; 3], row: usize, view: usize, dim: usize) -> f32 {
    ((row * views + view) * dims + dim + 1) as f32
}

fn npy(sizes: [usize; 3], fortran: bool) -> Vec<u8> {
    let [rows, views, dims] = sizes;
    let values = (1..=rows * views * dims).flat_map(|value| (value as f32).to_le_bytes());
    Npy::new("<f4", fortran, &format!("({rows}, {views}, {dims})"), values.collect()).bytes()
}

fn open(name: &str, bytes: &[u8], reading: &Reading) -> Result<File, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    File::open_with(path, reading).map_err(|error| error.fault)
}

fn check(name: &str, bytes: &[u8], reading: &Reading, sizes: [usize; 3]) {
    let [rows, views, dims] = sizes;
    let file = open(name, bytes, &reading.clone().with_views()).unwrap();
    assert_eq!((file.rows(), file.dims(), file.views()), (rows * views, dims, Some(views)), "{name}");
    let sets = file.embeddings_of_views(Raw).unwrap();
    assert_eq!(sets.len(), views);
    for (view, set) in sets.iter().enumerate() {
        assert_eq!((set.rows(), set.dims()), (rows, dims));
        let expected = (0..rows).flat_map(|row| (0..dims).map(move |dim| value(sizes, row, view, dim)));
        assert!(set.values().iter().copied().eq(expected), "{name}, view {view}");
    }
}

fn safetensors(tensors: &str, values: usize) -> Vec<u8> {
    let header = format!("{{{tensors}}}");
    let values: Vec<u8> = (1..=values).flat_map(|value| (value as f32).to_le_bytes()).collect();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &values].concat()
}

#[test]
fn each_view_has_its_points() {
    // The last is read in several pieces.
    for sizes in [[2, 3, 4], [5, 1, 2], [1, 4, 3], [180_000, 3, 2]] {
        check("x.npy", &npy(sizes, false), &Reading::new(), sizes);
    }
    let sizes = [4, 3, 2];
    let other = Npy::new("<f4", false, "(2, 2)", vec![0; 16]).bytes();
    let stored = archive(&[Zipped::new("views.npy", npy(sizes, false)), Zipped::new("other.npy", other)]);
    check("x.npz", &stored, &Reading::new(), sizes);
    check("x.npz", &stored, &Reading::new().with_member("views"), sizes);
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("views.npy", deflated).unwrap();
    zip.write_all(&npy(sizes, false)).unwrap();
    check("x.npz", &zip.finish().unwrap().into_inner(), &Reading::new(), sizes);
    let tensors = r#""a":{"dtype":"F32","shape":[4,3,2],"data_offsets":[0,96]},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[96,112]}"#;
    let bytes = safetensors(tensors, 28);
    check("x.safetensors", &bytes, &Reading::new(), sizes);
    check("x.safetensors", &bytes, &Reading::new().with_tensor("a"), sizes);
    // What is no array of three axes has no views, and is one.
    let file = open("x.safetensors", &bytes, &Reading::new().with_tensor("b").with_views()).unwrap();
    assert_eq!((file.rows(), file.views(), file.embeddings_of_views(Raw).unwrap().len()), (2, None, 1));
}

#[test]
fn packed_bits_are_views_too() {
    let bytes = Npy::new("|u1", false, "(2, 2, 1)", vec![0x80, 0x01, 0xff, 0x00]).bytes();
    let file = open("x.npy", &bytes, &Reading::new().with_bits().with_views()).unwrap();
    assert_eq!((file.rows(), file.dims(), file.views()), (4, 8, Some(2)));
    let sets = file.embeddings_of_views(Raw).unwrap();
    assert_eq!(sets[0].values(), [&[1.0][..], &[-1.0; 7], &[1.0; 8]].concat());
    assert_eq!(sets[1].values(), [&[-1.0; 7][..], &[1.0], &[-1.0; 8]].concat());
}

#[test]
fn arrays_that_are_no_views() {
    let views = Reading::new().with_views();
    let refused = |bytes: &[u8], reading: &Reading| open("x.npy", bytes, reading).unwrap_err();
    let fault = refused(&npy([2, 3, 4], false), &Reading::new());
    assert!(matches!(fault, Fault::NotMatrix { .. }) && fault.to_string().contains("--views"), "{fault}");
    let fault = refused(&npy([2, 3, 4], true), &views);
    assert!(fault.to_string().contains("numpy.ascontiguousarray(x)"), "{fault}");
    for sizes in [[0, 3, 2], [2, 0, 2], [2, 3, 0]] {
        assert!(matches!(refused(&npy(sizes, false), &views), Fault::Empty { .. }));
    }
    let claims = |shape: &str| refused(&Npy::new("<f4", false, shape, vec![0; 16]).bytes(), &views);
    assert!(matches!(claims("(2, 3, 4)"), Fault::Length { .. }));
    assert!(matches!(claims("(9223372036854775808, 2, 1)"), Fault::Huge { .. }));
    assert!(matches!(claims("(1, 2, 3, 4)"), Fault::NotMatrix { .. }));
    // A row that has no direction is told by its number among all points.
    let mut bytes = npy([3, 2, 2], false);
    let end = bytes.len();
    bytes[end - 8..].fill(0);
    let error = open("x.npy", &bytes, &views).unwrap().embeddings_of_views(Unit).unwrap_err();
    assert!(matches!(error.fault, Fault::Content(unisphere::Error::ZeroRow { row: 5 })), "{error}");
}
