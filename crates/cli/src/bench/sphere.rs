//! Points spread over the sphere at random, the same in every run.

use super::size::Size;
use crate::exit::Failure;

/// n × d values, row-major, each row of unit length.
pub(crate) fn points(size: Size, seed: u64) -> Result<Vec<f32>, Failure> {
    let Size { n, d } = size;
    let mut values = Vec::new();
    let reserved = n.checked_mul(d).is_some_and(|count| values.try_reserve_exact(count).is_ok());
    if !reserved {
        return Err(size.too_large(None));
    }
    let mut random = Random(seed);
    let mut row = vec![0.0; d];
    for _ in 0..n {
        row.fill_with(|| random.normal());
        let length = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        values.extend(row.iter().map(|v| (v / length) as f32));
    }
    Ok(values)
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct Random(u64);

impl Random {
    /// A value in (0, 1].
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// From the standard normal distribution (Box & Muller), which has no preferred direction.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
