//! Microkernel: sums of terms over all dimensions, for a tile of pairs held in registers.
//!
//! A tile has [`width`] rows on its left, two vectors of them, and `SIDE` rows on its right. Both sides lie
//! interleaved: the same dimension of all rows, then the next.

use pulp::Simd;

use crate::cpu::{
    block::pack::{DIMS_PER_PARTIAL_SUM, DimsSegment},
    simd::float::Float,
};

/// Rows on the left of a tile, or columns of a strip.
#[inline(always)]
pub(crate) fn width<S: Simd, T: Float>() -> usize {
    2 * T::lanes::<S>()
}

/// Upper limit of [`width`] on every instruction set.
pub(crate) const MAX_TILE_WIDTH: usize = 32;

/// Multiple of the rows on the right of a tile on every instruction set.
pub(crate) const MULTIPLE_OF_SIDES: usize = 24;

/// Tile of 2 · `SIDE` vectors: for each row on the right, a value for each row on the left.
pub(crate) type Tile<S, T, const SIDE: usize> = [[<T as Float>::Vector<S>; 2]; SIDE];

/// Term that is summed over the dimensions.
pub(crate) trait Term<T: Float> {
    /// `sum` plus the term of a and b.
    fn add<S: Simd>(simd: S, a: T::Vector<S>, b: T::Vector<S>, sum: T::Vector<S>) -> T::Vector<S>;
}

/// Product ab.
pub(crate) struct Product;

impl<T: Float> Term<T> for Product {
    #[inline(always)]
    fn add<S: Simd>(simd: S, a: T::Vector<S>, b: T::Vector<S>, sum: T::Vector<S>) -> T::Vector<S> {
        T::mul_add(simd, a, b, sum)
    }
}

/// Squared difference (a − b)².
pub(crate) struct SquaredDifference;

impl<T: Float> Term<T> for SquaredDifference {
    #[inline(always)]
    fn add<S: Simd>(simd: S, a: T::Vector<S>, b: T::Vector<S>, sum: T::Vector<S>) -> T::Vector<S> {
        let difference = T::minus(simd, a, b);
        T::mul_add(simd, difference, difference, sum)
    }
}

/// Right side of a tile, wherever it lies.
pub(crate) trait Right<T, const SIDE: usize>: Copy {
    /// Number of terms in a partial sum.
    const TERMS_PER_PARTIAL_SUM: usize;
    /// Value of term k of row r, for a partial sum of `count` terms.
    fn value(self, partial: usize, count: usize) -> impl Fn(usize, usize) -> T;
}

/// Packed rows: for each partial sum, a segment of every row.
impl<T: Float, const SIDE: usize> Right<T, SIDE> for &[[DimsSegment<T>; SIDE]] {
    const TERMS_PER_PARTIAL_SUM: usize = DIMS_PER_PARTIAL_SUM;

    #[inline(always)]
    fn value(self, partial: usize, _: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self[partial];
        move |k, r| rows[r][k]
    }
}

/// Sums of a term over all dimensions. `left` is interleaved by [`width`].
#[inline(always)]
pub(crate) fn microkernel<S: Simd, T: Float, P: Term<T>, R: Right<T, SIDE>, const SIDE: usize>(
    simd: S,
    left: &[T],
    right: R,
) -> Tile<S, T, SIDE> {
    let zero = [[T::splat(simd, T::default()); 2]; SIDE];
    let mut total = zero;
    let left = T::vectors::<S>(left).as_chunks::<2>().0;
    for (i, left) in left.chunks(R::TERMS_PER_PARTIAL_SUM).enumerate() {
        let right = right.value(i, left.len());
        let mut partial = zero;
        #[expect(clippy::needless_range_loop, reason = "a range spares the right side its checks")]
        for k in 0..left.len() {
            let a = left[k];
            for (r, partial) in partial.iter_mut().enumerate() {
                let b = T::splat(simd, right(k, r));
                partial[0] = P::add(simd, a[0], b, partial[0]);
                partial[1] = P::add(simd, a[1], b, partial[1]);
            }
        }
        if i == 0 {
            total = partial;
            continue;
        }
        for (total, partial) in total.iter_mut().zip(partial) {
            total[0] = T::plus(simd, total[0], partial[0]);
            total[1] = T::plus(simd, total[1], partial[1]);
        }
    }
    total
}
