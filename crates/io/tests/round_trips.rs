//! Files that are read, each against values that were written by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, io::Write};

use support::Npy;
use unisphere::Scaling::{Raw, Unit};
use unisphere_io::{ByteOrder, File, Float, parse};

/// Exact in f16, f32 and f64, with the bits that each has in f16.
const VALUES: [(f64, u16); 6] = [
    (1.0, 0x3c00),
    (-2.0, 0xc000),
    (0.333251953125, 0x3555),
    (65504.0, 0x7bff),
    (2.0, 0x4000),
    (-0.0, 0x8000),
];

/// The smallest f16 and the largest one below the normal ones.
const SUBNORMAL: [(f64, u16); 2] = [(5.960464477539063e-8, 0x0001), (6.097555160522461e-5, 0x03ff)];

/// The bytes of a value as `descr` has them.
fn stored(descr: &str, (value, half): (f64, u16)) -> Vec<u8> {
    let mut bytes = match &descr[1..] {
        "f2" => half.to_le_bytes().to_vec(),
        "f4" => (value as f32).to_le_bytes().to_vec(),
        _ => value.to_le_bytes().to_vec(),
    };
    if descr.starts_with('>') || descr.starts_with('=') && cfg!(target_endian = "big") {
        bytes.reverse();
    }
    bytes
}

/// The values of points (rows, dims) in the order of a file.
fn laid_out<T: Copy>(points: &[T], rows: usize, dims: usize, fortran: bool) -> Vec<T> {
    if fortran {
        (0..dims).flat_map(|dim| (0..rows).map(move |row| points[row * dims + dim])).collect()
    } else {
        points.to_vec()
    }
}

fn matrix(descr: &str, fortran: bool, rows: usize, dims: usize) -> (Npy, Vec<f32>) {
    let points: Vec<_> = (0..rows * dims)
        .map(|i| if i % 11 == 7 { SUBNORMAL[i % 2] } else { VALUES[(i * i + i / 13) % VALUES.len()] })
        .collect();
    let file = laid_out(&points, rows, dims, fortran).into_iter().flat_map(|v| stored(descr, v)).collect();
    let expected = points.iter().map(|&(value, _)| value as f32).collect();
    (Npy::new(descr, fortran, &format!("({rows}, {dims})"), file), expected)
}

#[test]
fn every_dtype_byte_order_layout_and_version() {
    let mut files = 0;
    for descr in ["<f2", ">f2", "=f2", "<f4", ">f4", "=f4", "<f8", ">f8", "=f8"] {
        for fortran in [false, true] {
            for version in [[1, 0], [2, 0], [3, 0]] {
                for (rows, dims) in [(1, 1), (1, 6), (7, 1), (2, 3), (5, 17)] {
                    let (npy, expected) = matrix(descr, fortran, rows, dims);
                    let points = parse(&Npy { version, ..npy }.bytes(), Raw).unwrap();
                    assert_eq!((points.rows(), points.dims(), points.scaling()), (rows, dims, Raw));
                    let same =
                        points.values().iter().map(|v| v.to_bits()).eq(expected.iter().map(|v| v.to_bits()));
                    assert!(same, "{descr} {fortran} {version:?} {rows} {dims}: {points:?}");
                    files += 1;
                }
            }
        }
    }
    assert_eq!(files, 270);
}

#[test]
fn sizes_around_every_chunk_and_tile() {
    for (rows, dims) in
        [(4111, 15), (4112, 16), (4113, 17), (2 * 4112, 33), (2, 32768), (3, 32767), (1, 98305)]
    {
        for fortran in [false, true] {
            for descr in ["<f2", ">f8"] {
                let (npy, expected) = matrix(descr, fortran, rows, dims);
                let points = parse(&npy.bytes(), Raw).unwrap();
                assert!(points.values() == expected, "{descr} {fortran} {rows} {dims}");
            }
        }
    }
}

#[test]
fn headers_as_other_writers_have_them() {
    let (npy, expected) = matrix("<f4", false, 2, 3);
    for header in [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}",
        r#" { "fortran_order" : False , "shape" : ( 2 , 3 , ) , "descr" : "<f4" , } "#,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
        "{\n\t'descr': '<f4',\n\t'fortran_order': False,\r\n\t'shape': (2, 3)\n}",
    ] {
        let points = parse(&Npy { header: header.into(), ..npy.clone() }.bytes(), Unit).unwrap();
        assert_eq!((points.rows(), points.dims(), points.values()), (2, 3, expected.as_slice()), "{header}");
    }
}

#[test]
fn doubles_are_rounded_to_the_nearest() {
    let half_ulp = 2f64.powi(-24);
    let pairs = [
        (0.1, 0.1f32),
        (1.0 + half_ulp, 1.0), // a tie, to even
        (1.0 + half_ulp + 2f64.powi(-50), 1.0 + f32::EPSILON),
        (1.0 + 3.0 * half_ulp, 1.0 + 2.0 * f32::EPSILON), // a tie, to even
        (-1e-300, -0.0),
        (1e-45, f32::from_bits(1)),
    ];
    let bytes = pairs.iter().flat_map(|(double, _)| double.to_le_bytes()).collect();
    let points = parse(&Npy::new("<f8", false, "(2, 3)", bytes).bytes(), Raw).unwrap();
    for (value, (double, single)) in points.values().iter().zip(pairs) {
        assert_eq!(value.to_bits(), single.to_bits(), "{double:e}");
    }
}

#[test]
fn the_greatest_float_is_no_overflow() {
    let rounded_down = f64::from(f32::MAX) * (1.0 + 2f64.powi(-26));
    let file = Npy::new("<f8", false, "(1, 1)", rounded_down.to_le_bytes().to_vec());
    // It arrives as f32::MAX, of which the points then say that it is too large to measure.
    let fault = parse(&file.bytes(), Raw).unwrap_err();
    assert!(fault.to_string().contains("3.4028234663852886e38"), "{fault}");
}

#[test]
fn a_file_on_disk_is_read_as_often_as_asked() {
    let (npy, expected) = matrix(">f8", true, 5, 4);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&npy.bytes()).unwrap();
    let file = File::open(file.path()).unwrap();
    assert_eq!((file.rows(), file.dims(), file.dtype().to_string()), (5, 4, ">f8".into()));
    assert_eq!((file.dtype().float, file.dtype().order), (Float::F64, ByteOrder::Big));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(file.embeddings(Raw).unwrap().values(), expected));
        }
    });
}

#[test]
fn an_open_file_outlives_its_name() {
    let (npy, expected) = matrix("<f2", false, 3, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.npy");
    fs::write(&path, npy.bytes()).unwrap();
    let file = File::open(&path).unwrap();
    if cfg!(unix) {
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(file.embeddings(Raw).unwrap().values(), expected);
}
