//! Precisions f32 and f64 and their vectors, behind one set of names.

use std::ops::{Add, AddAssign, Mul, Range, Sub};

use pulp::Simd;

use crate::{cpu::spare, error::Result, memory};

/// Precision, f32 or f64, with the vector that an instruction set offers for it.
pub(crate) trait Float:
    Default
    + bytemuck::Pod
    + Send
    + Sync
    + From<f32>
    + Into<f64>
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + 'static
{
    type Vector<S: Simd>: Copy;
    const IS_F32: bool = size_of::<Self>() == size_of::<f32>();

    /// Value rounded to this precision.
    fn nearest(value: f64) -> Self;
    /// Factor that brings a row to unit length, from `inverse` = 1 / length.
    fn scale(inverse: f64) -> Self;
    /// Zeros for a matrix, or the error that says how much memory is missing.
    fn zeros(rows: usize, cols: usize) -> Result<Vec<Self>>;
    /// Values rounded to f32, without a copy where they are f32.
    fn into_f32(values: Vec<Self>) -> Vec<f32>;

    /// Mark of pairs that do not count: less than every exponent, and small enough that a few of them add up to no
    /// infinity.
    fn excluded() -> Self;

    fn lanes<S: Simd>() -> usize;
    /// Slice as whole vectors.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// Fused a · b + c, rounded once.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    fn max<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn min<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// Lanes of `a` in the range, lanes of `b` elsewhere.
    fn between<S: Simd>(
        simd: S,
        lanes: Range<usize>,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
    ) -> Self::Vector<S>;
    fn lane_sum<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
    fn lane_max<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
}

/// Distance from 1 up to which a length counts as 1. Such a row is not divided, so not rounded again; the correction of its
/// cosines covers the remainder.
const UNIT_LENGTH_TOLERANCE: f64 = 1.0 / (1 << 23) as f64;

macro_rules! float {
    ($float:ident, $vector:ident, $lanes:ident, $count:ident, scale: $scale:expr, zeros: $zeros:expr, into: $into:expr,
     $split:ident, $split_mut:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $mul_add:ident,
     $max:ident, $min:ident, $select:ident, $between:ident, $sum:ident, $largest:ident) => {
        #[rustfmt::skip]
        impl Float for $float {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn nearest(value: f64) -> Self { value as $float }
            #[inline(always)]
            fn scale(inverse: f64) -> Self { $scale(inverse) }
            fn zeros(rows: usize, cols: usize) -> Result<Vec<Self>> { $zeros(rows, cols) }
            fn into_f32(values: Vec<Self>) -> Vec<f32> { $into(values) }

            #[inline(always)]
            fn excluded() -> Self { $float::MIN / 16.0 }

            #[inline(always)]
            fn lanes<S: Simd>() -> usize { S::$lanes }
            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] { S::$split(values).0 }
            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vector] { S::$split_mut(values).0 }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector { simd.$splat(value) }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector { simd.$add(a, b) }
            #[inline(always)]
            fn minus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector { simd.$sub(a, b) }
            #[inline(always)]
            fn times<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector { simd.$mul(a, b) }
            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn max<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector { simd.$max(a, b) }
            #[inline(always)]
            fn min<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector { simd.$min(a, b) }
            #[inline(always)]
            fn between<S: Simd>(simd: S, lanes: Range<usize>, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$select(simd.$between(lanes.start as $count, lanes.end as $count).mask(), a, b)
            }
            #[inline(always)]
            fn lane_sum<S: Simd>(simd: S, a: S::$vector) -> Self { simd.$sum(a) }
            #[inline(always)]
            fn lane_max<S: Simd>(simd: S, a: S::$vector) -> Self { simd.$largest(a) }
        }
    };
}

float!(
    f32, f32s, F32_LANES, u32,
    scale: |inverse: f64| if (inverse - 1.0).abs() <= UNIT_LENGTH_TOLERANCE { 1.0 } else { inverse as f32 },
    zeros: spare::zeros,
    into: |values| values,
    as_simd_f32s, as_mut_simd_f32s, splat_f32s, add_f32s, sub_f32s, mul_f32s, mul_add_f32s,
    max_f32s, min_f32s, select_f32s, mask_between_m32s, reduce_sum_f32s, reduce_max_f32s
);

float!(
    f64, f64s, F64_LANES, u64,
    scale: |inverse| inverse,
    zeros: |rows, cols| memory::filled(0.0, rows, cols, || spare::what(rows, cols)),
    into: |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect(),
    as_simd_f64s, as_mut_simd_f64s, splat_f64s, add_f64s, sub_f64s, mul_f64s, mul_add_f64s,
    max_f64s, min_f64s, select_f64s, mask_between_m64s, reduce_sum_f64s, reduce_max_f64s
);
