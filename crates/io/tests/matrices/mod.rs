//! Files of every kind, with the points that are in them.

use crate::support::Npy;

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

/// A file, and its points as f32, row-major.
pub(crate) fn matrix(descr: &str, fortran: bool, rows: usize, dims: usize) -> (Npy, Vec<f32>) {
    let points: Vec<_> = (0..rows * dims)
        .map(|i| if i % 11 == 7 { SUBNORMAL[i % 2] } else { VALUES[(i * i + i / 13) % VALUES.len()] })
        .collect();
    let file = laid_out(&points, rows, dims, fortran).into_iter().flat_map(|v| stored(descr, v)).collect();
    let expected = points.iter().map(|&(value, _)| value as f32).collect();
    (Npy::new(descr, fortran, &format!("({rows}, {dims})"), file), expected)
}
