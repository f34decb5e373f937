//! The real embedding set in `examples/data`.

use super::oracle::Rows;

pub(crate) const ROWS: usize = 4096;
pub(crate) const DIMS: usize = 384;

/// The values of `verses-{translation}.npy`: 16-bit floats in C order, to the end of the file.
pub(crate) fn read(translation: &str) -> Vec<f32> {
    let path = format!("{}/examples/data/verses-{translation}.npy", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let values = &bytes[bytes.len() - 2 * ROWS * DIMS..];
    values.chunks_exact(2).map(|v| half::f16::from_le_bytes([v[0], v[1]]).to_f32()).collect()
}

/// Wang & Isola's metrics of the set, computed elsewhere in f64, to ten digits.
pub(crate) const ALIGNMENT: [(f64, f64); 3] =
    [(1.0, 0.505_392_320_3), (2.0, 0.296_421_480_7), (3.0, 0.192_601_718_6)];
pub(crate) const UNIFORMITY: [(&str, [(f64, f64); 3]); 2] = [
    ("kjv", [(0.5, -0.722_287_810_5), (2.0, -2.815_400_230_2), (5.0, -6.672_325_051_2)]),
    ("web", [(0.5, -0.771_158_984_5), (2.0, -3.002_744_064_3), (5.0, -7.054_090_814_9)]),
];

pub(crate) fn on_the_sphere(translation: &str) -> Rows {
    super::oracle::unit_rows(&super::oracle::rows(&read(translation), DIMS))
}
