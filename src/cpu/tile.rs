//! The innermost loops: sums of products over all dimensions, for a tile of pairs held in registers.
//!
//! A tile has [`width`] rows on its left, two vectors of them, and `SIDE` on its right. Both sides lie
//! interleaved: the same dimension of all rows, then the next.

use std::ops::Range;

use pulp::Simd;

use super::{
    float::Float,
    level::Job,
    pack::{Buffer, interleave},
    points::Rows,
};

/// How many rows a tile has on its left, or how many columns a strip has.
#[inline(always)]
pub(super) fn width<S: Simd, T: Float>() -> usize {
    2 * T::lanes::<S>()
}

/// No tile has more.
pub(super) const WIDEST: usize = 32;

/// Twice `SIDE` vectors: for each row on the right, a value for each row on the left.
pub(super) type Tile<S, T, const SIDE: usize> = [[<T as Float>::Vector<S>; 2]; SIDE];

/// What is summed over the dimensions.
pub(super) trait Term<T: Float> {
    /// `sum` and the term of a and b.
    fn add<S: Simd>(simd: S, a: T::Vector<S>, b: T::Vector<S>, sum: T::Vector<S>) -> T::Vector<S>;
}

/// Σ ab.
pub(super) struct Product;

impl<T: Float> Term<T> for Product {
    #[inline(always)]
    fn add<S: Simd>(simd: S, a: T::Vector<S>, b: T::Vector<S>, sum: T::Vector<S>) -> T::Vector<S> {
        T::mul_add(simd, a, b, sum)
    }
}

/// Σ (a − b)².
pub(super) struct SquaredDifference;

impl<T: Float> Term<T> for SquaredDifference {
    #[inline(always)]
    fn add<S: Simd>(simd: S, a: T::Vector<S>, b: T::Vector<S>, sum: T::Vector<S>) -> T::Vector<S> {
        let difference = T::minus(simd, a, b);
        T::mul_add(simd, difference, difference, sum)
    }
}

/// Dimensions summed before their sum joins the total: short sums round less.
pub(super) const SHORT: usize = 64;

/// The right side of a tile, wherever it lies.
pub(super) trait Right<T, const SIDE: usize>: Copy {
    /// How many dimensions make a short sum.
    const SHORT: usize;
    /// Dimension k of row r, of the `count` dimensions of some short sum.
    fn value(self, short: usize, count: usize) -> impl Fn(usize, usize) -> T;
}

/// Some dimensions of a row, and a cache line more: rows a power of two apart would crowd into the same few
/// places of a cache.
pub(super) type Part<T> = [T; SHORT + 16];

/// For each short sum, its part of every row.
impl<T: Float, const SIDE: usize> Right<T, SIDE> for &[[Part<T>; SIDE]] {
    const SHORT: usize = SHORT;

    #[inline(always)]
    fn value(self, short: usize, _: usize) -> impl Fn(usize, usize) -> T {
        let rows = &self[short];
        move |k, r| rows[r][k]
    }
}

/// Sums terms over all dimensions. `left` is interleaved by [`width`].
#[inline(always)]
pub(super) fn sums<S: Simd, T: Float, P: Term<T>, R: Right<T, SIDE>, const SIDE: usize>(
    simd: S,
    left: &[T],
    right: R,
) -> Tile<S, T, SIDE> {
    let zero = [[T::splat(simd, T::default()); 2]; SIDE];
    let mut total = zero;
    let left = T::vectors::<S>(left).as_chunks::<2>().0;
    for (i, left) in left.chunks(R::SHORT).enumerate() {
        let right = right.value(i, left.len());
        let mut short = zero;
        #[expect(clippy::needless_range_loop, reason = "a range spares the right side its checks")]
        for k in 0..left.len() {
            let a = left[k];
            for (r, short) in short.iter_mut().enumerate() {
                let b = T::splat(simd, right(k, r));
                short[0] = P::add(simd, a[0], b, short[0]);
                short[1] = P::add(simd, a[1], b, short[1]);
            }
        }
        if i == 0 {
            total = short;
            continue;
        }
        for (total, short) in total.iter_mut().zip(short) {
            total[0] = T::plus(simd, total[0], short[0]);
            total[1] = T::plus(simd, total[1], short[1]);
        }
    }
    total
}

/// The square of each row's length, in the very operations of [`sums`]: of equal rows, it is their product.
pub(super) struct Squares<'a, T> {
    pub(super) rows: &'a Rows,
    pub(super) range: Range<usize>,
    pub(super) out: &'a mut [T],
}

impl<T: Float> Job for Squares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let width = width::<S, T>();
        let mut buffer = Buffer::<T>::default();
        let panel = buffer.take(width * self.rows.dims());
        for (first, out) in self.range.step_by(width).zip(self.out.chunks_mut(width)) {
            interleave(panel, width, out.len(), |r| {
                (self.rows.row(first + r), self.rows.scale_of(first + r))
            });
            let zero = [T::splat(simd, T::default()); 2];
            let mut total = zero;
            for panel in T::vectors::<S>(panel).as_chunks::<2>().0.chunks(SHORT) {
                let mut short = zero;
                for a in panel {
                    short = [0, 1].map(|v| T::mul_add(simd, a[v], a[v], short[v]));
                }
                total = [0, 1].map(|v| T::plus(simd, total[v], short[v]));
            }
            let mut squares = [T::default(); WIDEST];
            T::vectors_mut::<S>(&mut squares[..width]).copy_from_slice(&total);
            out.copy_from_slice(&squares[..out.len()]);
        }
    }
}
