//! Rows by range, against values that were written by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod matrices;
mod support;

use std::{fs, path::PathBuf, sync::Arc, thread};

use matrices::matrix;
use support::Npy;
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{Fault, File, Source};

const DESCRS: [&str; 6] = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"];

/// A file in a folder.
fn put(folder: &tempfile::TempDir, name: &str, npy: &Npy) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, npy.bytes()).unwrap();
    path
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Asserts that these ranges of a set are these rows of its points.
fn assert_ranges(set: &dyn Source, points: &[f32], ends: &[usize], what: &str) {
    let (rows, dims) = (set.rows(), set.dims());
    assert_eq!(points.len(), rows * dims, "{what}");
    for &start in ends {
        for &end in ends.iter().filter(|&&end| end >= start) {
            let expected = &points[start * dims..end * dims];
            let mut values = vec![f32::NAN; expected.len()];
            set.read(start..end, &mut values).unwrap();
            assert!(bits(&values) == bits(expected), "{what}: {start}..{end}");
            let embeddings = set.embeddings_in(start..end, Raw).unwrap();
            assert!(embeddings.values() == expected && embeddings.rows() == end - start, "{what}");
        }
    }
}

#[test]
fn every_range_of_every_dtype_order_and_layout() {
    let folder = tempfile::tempdir().unwrap();
    for descr in DESCRS {
        for fortran in [false, true] {
            for (rows, dims) in [(1, 1), (7, 1), (6, 5), (5, 17), (4, 300)] {
                let (npy, points) = matrix(descr, fortran, rows, dims);
                let file = File::open(put(&folder, "points.npy", &npy)).unwrap();
                let ends: Vec<_> = (0..=rows).collect();
                assert_ranges(&file, &points, &ends, &format!("{descr} {fortran} {rows} {dims}"));
                assert_eq!(file.place(rows - 1), (file.path(), rows - 1));
                let last = file.stored(rows - 1, dims - 1).unwrap();
                assert_eq!(last as f32, points[rows * dims - 1]);
            }
        }
    }
}

#[test]
fn ranges_around_every_chunk_and_tile_and_for_several_threads() {
    let folder = tempfile::tempdir().unwrap();
    for (rows, dims) in [(2 * 4112 + 3, 33), (17_000, 64), (3, 200_001)] {
        for fortran in [false, true] {
            for descr in ["<f2", ">f8"] {
                let (npy, points) = matrix(descr, fortran, rows, dims);
                let file = File::open(put(&folder, "points.npy", &npy)).unwrap();
                let inner =
                    [1, 2, 4111, 4112, 4113, 4115, 8225, rows - 1].into_iter().filter(|&end| end < rows);
                let ends: Vec<_> = [0].into_iter().chain(inner).chain([rows]).collect();
                assert_ranges(&file, &points, &ends, &format!("{descr} {fortran} {rows} {dims}"));
            }
        }
    }
}

#[test]
fn several_threads_read_one_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for fortran in [false, true] {
        let (rows, dims) = (9_000, 7);
        let (npy, points) = matrix("<f2", fortran, rows, dims);
        let file: Arc<dyn Source> = Arc::new(File::open(put(&folder, "points.npy", &npy)).unwrap());
        thread::scope(|scope| {
            for thread in 0..4 {
                let (file, points) = (file.clone(), &points);
                scope.spawn(move || {
                    for pass in 0..60 {
                        let start = (thread * 2221 + pass * 131) % (rows - 40);
                        let mut values = vec![0.0; 40 * dims];
                        file.read(start..start + 40, &mut values).unwrap();
                        assert!(values == points[start * dims..(start + 40) * dims], "{thread} {pass}");
                    }
                });
            }
        });
    }
}

#[test]
fn faults_in_a_range_name_the_row_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let values = [1f64, 2.0, 0.0, -0.0, 3.0, f64::NAN, 1.0, 1e39, 5.0, 6.0].map(f64::to_le_bytes).concat();
    let file = File::open(put(&folder, "points.npy", &Npy::new("<f8", false, "(5, 2)", values))).unwrap();
    let text = |start: usize, end| file.embeddings_in(start..end, Unit).unwrap_err().to_string();
    assert!(text(0, 5).contains("points.npy: row 1 is all zeros"), "{}", text(0, 5));
    assert!(text(1, 2).contains("points.npy: row 1 is all zeros"), "{}", text(1, 2));
    assert!(text(2, 5).contains("points.npy: row 2 holds a value that is not finite"), "{}", text(2, 5));
    assert!(text(3, 5).contains("points.npy: row 3 holds 1e39 in dimension 1"), "{}", text(3, 5));
    assert_eq!(file.embeddings_in(4..5, Unit).unwrap().values(), [5.0, 6.0]);
    assert_eq!(file.zero_rows().unwrap(), [1]);
    let error = file.embeddings_without(&[1, 2], Unit).unwrap_err();
    assert!(matches!(error.fault, Fault::Overflow { row: 3, dim: 1, value: 1e39 }), "{error}");
    // As it is stored, it is read.
    let mut values = [0.0; 4];
    file.read(2..4, &mut values).unwrap();
    assert!(values[1].is_nan() && values[3] == f32::INFINITY);
    assert_eq!(file.stored(3, 1).unwrap(), 1e39);
}

#[test]
fn zero_rows_in_more_values_than_are_looked_at_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, dims) = (80_001, 30);
    let zero = [0, 1, 34_951, 34_952, 34_953, 69_904, 80_000];
    for fortran in [false, true] {
        let at = |i: usize| if fortran { i % rows } else { i / dims };
        let values: Vec<u8> =
            (0..rows * dims).flat_map(|i| [0, if zero.contains(&at(i)) { 0 } else { 0x3c }]).collect();
        let npy = Npy::new("<f2", fortran, &format!("({rows}, {dims})"), values);
        assert_eq!(File::open(put(&folder, "points.npy", &npy)).unwrap().zero_rows().unwrap(), zero);
    }
}
