//! Points in half precision, kept so.

use half::f16;
use rayon::prelude::*;

use crate::{
    error::Result,
    memory::filled,
    points::{
        duplicates::{groups_of_equal, hash_of_words},
        embeddings::{AsSingle, Embeddings, Scaling, check_rows, check_shape},
    },
};

/// n points of d dimensions in half precision (IEEE binary16), row-major, finite and owned: half the memory of
/// [`Embeddings`]. The CPU keeps them so and widens rows where it packs them; uniformity within and across sets has the bits
/// that the same values have as f32.
///
/// ```
/// use half::f16;
/// use unisphere::{Engine, HalfEmbeddings, Scaling, Uniformity};
///
/// let values = [3.0, 4.0, 0.0, 1.0].map(f16::from_f32).to_vec();
/// let engine = Engine::cpu();
/// let x = engine.upload_half(HalfEmbeddings::with_scaling(values, 2, 2, Scaling::Unit)?)?; // (2, 2)
/// assert!(engine.uniformity(&x, Uniformity::default())? < 0.0);
/// # Ok::<(), unisphere::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HalfEmbeddings {
    values: Vec<f16>,
    rows: usize,
    dims: usize,
    scaling: Scaling,
    /// Lengths of the rows; empty for raw points.
    lengths: Vec<f64>,
}

impl HalfEmbeddings {
    /// Points to be measured on the unit sphere or where they are: `rows` × `dims` values, row-major.
    ///
    /// # Errors
    ///
    /// Those of [`Embeddings::with_scaling`].
    pub fn with_scaling(values: Vec<f16>, rows: usize, dims: usize, scaling: Scaling) -> Result<Self> {
        check_shape(values.len(), rows, dims)?;
        let lengths = check_rows(&(&*values, dims), rows, dims, scaling)?;
        Ok(Self { values, rows, dims, scaling, lengths })
    }

    /// How many points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Of how many dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// How metrics will see them.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// Rows equal in every value, as [`Embeddings::duplicates`] has them.
    ///
    /// # Errors
    ///
    /// Those of [`Embeddings::duplicates`].
    pub fn duplicates(&self) -> Result<Vec<Vec<usize>>> {
        let row = |row: usize| &self.values[row * self.dims..][..self.dims];
        groups_of_equal(self.rows, |i| hash(row(i)), |i, j| row(i) == row(j))
    }

    /// The first rows as f32; all of them where there are fewer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn first(&self, rows: usize) -> Result<Embeddings<'static>> {
        let rows = rows.min(self.rows);
        let values = widen(&self.values[..rows * self.dims], self.dims)?;
        Embeddings::with_scaling(values, rows, self.dims, self.scaling)
    }

    /// All of them as f32.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub(crate) fn widened(self) -> Result<Embeddings<'static>> {
        self.first(self.rows)
    }

    /// The values, and the lengths of the rows unless raw.
    pub(crate) fn into_parts(self) -> (Vec<f16>, Vec<f64>) {
        (self.values, self.lengths)
    }
}

impl AsSingle for (&[f16], usize) {
    #[inline]
    fn row<'a>(&'a self, row: usize, wide: &'a mut Vec<f32>) -> &'a [f32] {
        wide.resize(self.1, 0.0);
        let row = &self.0[row * self.1..][..self.1];
        pulp::Arch::new().dispatch(|| widen_into(row, wide));
        wide
    }
}

/// Writes values as f32, exactly. Compiled into a caller that may use vector instructions, it uses them.
#[inline(always)]
pub(crate) fn widen_into(values: &[f16], into: &mut [f32]) {
    /// Bits of a mantissa that f32 has and f16 has not, and what is between their exponents.
    const SHIFT: u32 = 13;
    const BIAS: u32 = 112 << 23;
    /// The least normal f16, as an f32.
    const LEAST_NORMAL: u32 = 113 << 23;
    /// An infinity before its exponent is that of f32; NaNs are above it.
    const INFINITE: u32 = 31 << 23;
    for (into, value) in into.iter_mut().zip(values) {
        let bits = u32::from(value.to_bits());
        let magnitude = (bits & 0x7fff) << SHIFT;
        // A subnormal value is what it adds to the least normal one.
        let subnormal = f32::from_bits(magnitude + LEAST_NORMAL) - f32::from_bits(LEAST_NORMAL);
        let is_subnormal = magnitude < 1 << 23;
        let is_finite = magnitude < INFINITE;
        let normal = magnitude + if is_finite { BIAS } else { 2 * BIAS };
        let wide = if is_subnormal { subnormal.to_bits() } else { normal };
        *into = f32::from_bits(wide | (bits & 0x8000) << 16);
    }
}

/// The values as f32, of rows of so many.
pub(crate) fn widen(values: &[f16], dims: usize) -> Result<Vec<f32>> {
    let context = || format!("{} points of {dims} dimensions as f32", values.len() / dims);
    let mut wide = filled(0.0, values.len(), 1, context)?;
    let parts = wide.par_chunks_mut(VALUES_PER_TASK).zip(values.par_chunks(VALUES_PER_TASK));
    parts.for_each(|(wide, half)| pulp::Arch::new().dispatch(|| widen_into(half, wide)));
    Ok(wide)
}

/// Values that a thread widens at a time.
const VALUES_PER_TASK: usize = 1 << 16;

/// The same of equal rows.
fn hash(row: &[f16]) -> u64 {
    // The two zeros are one.
    let bits = |value: f16| u64::from(if value == f16::NEG_ZERO { 0 } else { value.to_bits() });
    let (words, rest) = row.as_chunks::<4>();
    let of_word = |word: &[f16; 4]| {
        let [a, b, c, d] = word.map(|value| u64::from(value.to_bits()));
        without_negative_zeros(a | b << 16 | c << 32 | d << 48)
    };
    hash_of_words(words, rest, of_word, |&value| bits(value))
}

/// Four values side by side, in which −0 is 0: a sign stays only where the bits below it are not all 0.
fn without_negative_zeros(four: u64) -> u64 {
    const BELOW_SIGNS: u64 = 0x7fff_7fff_7fff_7fff;
    // The sum carries into the sign where a bit below it is set, and no further.
    let has_bits = (four & BELOW_SIGNS) + BELOW_SIGNS;
    four & (has_bits | BELOW_SIGNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_zeros_are_one_word() {
        let values = [0u16, 0x8000, 1, 0x8001, 0x7fff, 0xffff, 0x3c00, 0xbc00];
        let word = |four: [u16; 4]| four.iter().rev().fold(0, |word, &value| word << 16 | u64::from(value));
        for a in values {
            for b in values {
                for four in [[a, b, a, b], [b, b, 0x8000, a], [0x8000, a, 0, b]] {
                    let plain = four.map(|value| if value == 0x8000 { 0 } else { value });
                    assert_eq!(without_negative_zeros(word(four)), word(plain), "{four:x?}");
                }
            }
        }
    }

    #[test]
    fn every_value_is_widened_exactly() {
        let all: Vec<_> = (0..=u16::MAX).map(f16::from_bits).collect();
        let wide = widen(&all, 1).expect("memory");
        for (value, wide) in all.iter().zip(wide) {
            let is_same = wide.to_bits() == value.to_f32().to_bits() || wide.is_nan() && value.is_nan();
            assert!(is_same, "{value:?} and {wide}");
        }
    }
}
