//! Formulas: how the similarity of a pair, and the exponential of it, is computed, and in which precision.

use std::ops::Range;

use pulp::Simd;

use crate::cpu::{
    block::microkernel::{Product, SquaredDifference, Term},
    points::Rows,
    simd::{
        exp::{Exp32, Exp64},
        float::Float,
    },
};

/// Similarity of two points, such that exp(−t‖x−y‖²) = exp(`RATE` · t · (similarity − `UPPER_BOUND`)).
pub(crate) trait Formula: Sync + 'static {
    type Real: Float;
    type Term: Term<Self::Real>;
    type Exp: Copy + Send + Sync;

    /// Similarity of equal points. Others exceed it only by rounding.
    const UPPER_BOUND: f64;
    const RATE: f64;
    /// Whether exponents stay so small that all are taken relative to `UPPER_BOUND`.
    const FIXED_SHIFT: bool;
    /// Exponents below this add nothing to a sum that contains exp(0).
    const MIN_EXPONENT: f64;
    /// Least exponent of which exponentials can be added up without a shift; as far above 0 they can be as well.
    const MIN_UNSHIFTED_EXPONENT: f64;
    /// Whether tiles are small, for few rows.
    const SMALL_TILES: bool;
    /// Whether it is rounded to f32.
    const IS_F32: bool = Self::Real::IS_F32;

    /// Value that the similarity needs of each row, written to `out`, whose rest becomes 0.
    fn row_terms(rows: &Rows, range: Range<usize>, out: &mut [Self::Real]);

    /// Similarity from the sum of the terms and the row term of either row.
    fn similarity<S: Simd>(
        simd: S,
        sum: Vector<S, Self>,
        left: Vector<S, Self>,
        right: Vector<S, Self>,
    ) -> Vector<S, Self>;

    fn exp_for(rate: f64) -> Self::Exp;

    /// Part of a rate that the exponential applies, the rest being a factor of the exponents as they are stored: all of it
    /// where that spares rounding, none where any rate has to be held.
    fn exp_rate(rate: f64) -> f64;

    fn exp<S: Simd>(simd: S, exp: Self::Exp, z: Vector<S, Self>) -> Vector<S, Self>;

    /// Factor with this log, split into the two parts that [`exp_times`](Self::exp_times) takes.
    fn split_factor(log: f64) -> Factor<Self::Real>;

    /// Exponential exp(rate · z) times a factor; next to 0 where the precision cannot hold the product.
    fn exp_times<S: Simd>(
        simd: S,
        exp: Self::Exp,
        z: Vector<S, Self>,
        factor: Factor<Vector<S, Self>>,
    ) -> Vector<S, Self>;
}

pub(crate) type Vector<S, F> = <<F as Formula>::Real as Float>::Vector<S>;

/// Factor in two parts: a power, of 2 in f32 and of e in f64, and the rest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Factor<T> {
    pub(crate) power: T,
    pub(crate) rest: T,
}

/// Exponentials in f64, where the log of a factor is added to the exponent.
macro_rules! in_f64 {
    () => {
        fn exp_for(rate: f64) -> Exp64 {
            Exp64::new(rate)
        }

        fn exp_rate(_: f64) -> f64 {
            1.0
        }

        #[inline(always)]
        fn exp<S: Simd>(simd: S, exp: Exp64, z: S::f64s) -> S::f64s {
            exp.of(simd, z)
        }

        fn split_factor(log: f64) -> Factor<f64> {
            if log == f64::NEG_INFINITY { Factor::default() } else { Factor { power: log, rest: 1.0 } }
        }

        #[inline(always)]
        fn exp_times<S: Simd>(simd: S, exp: Exp64, z: S::f64s, factor: Factor<S::f64s>) -> S::f64s {
            exp.times(simd, z, factor.power, factor.rest)
        }
    };
}

/// Cosines of unit rows in f32, for t up to [`MAX_T_FOR_F32_COSINES`](crate::cpu::accuracy::MAX_T_FOR_F32_COSINES).
pub(crate) struct Cosine;

impl Formula for Cosine {
    type Real = f32;
    type Term = Product;
    type Exp = Exp32;
    const UPPER_BOUND: f64 = 1.0;
    const RATE: f64 = 2.0;
    const MIN_EXPONENT: f64 = -85.0;
    const MIN_UNSHIFTED_EXPONENT: f64 = -80.0;
    const FIXED_SHIFT: bool = true;
    const SMALL_TILES: bool = false;

    #[inline(always)]
    fn row_terms(rows: &Rows, range: Range<usize>, out: &mut [f32]) {
        rows.excess(range, out);
    }

    #[inline(always)]
    fn similarity<S: Simd>(simd: S, dot: S::f32s, left: S::f32s, right: S::f32s) -> S::f32s {
        // Rows are of unit length only as far as f32 can say: dot · (1 − left − right). Rounding may lift the
        // cosine of a close pair above 1; to cut it off there would bias the mean of many.
        simd.negate_mul_add_f32s(dot, simd.add_f32s(left, right), dot)
    }

    fn exp_for(rate: f64) -> Exp32 {
        Exp32::new(rate)
    }

    fn exp_rate(rate: f64) -> f64 {
        rate
    }

    #[inline(always)]
    fn exp<S: Simd>(simd: S, exp: Exp32, z: S::f32s) -> S::f32s {
        exp.of(simd, z)
    }

    fn split_factor(log: f64) -> Factor<f32> {
        // The log in an exponent would lose digits: 2ⁿ is exact, and the rest about 1.
        let log = log * std::f64::consts::LOG2_E;
        let power = log.round().clamp(-1e6, 1e6);
        Factor { power: power as f32, rest: (log - power).exp2() as f32 }
    }

    #[inline(always)]
    fn exp_times<S: Simd>(simd: S, exp: Exp32, z: S::f32s, factor: Factor<S::f32s>) -> S::f32s {
        exp.times(simd, z, factor.power, factor.rest)
    }
}

/// Squared distances in f64 by way of products, negated; for unit rows of which [`Cosine`] is not exact enough. A product
/// and its addition are one operation, a difference and its square are two.
pub(crate) struct Gram<const SMALL_TILES: bool>;

impl<const SMALL_TILES: bool> Formula for Gram<SMALL_TILES> {
    type Real = f64;
    type Term = Product;
    type Exp = Exp64;
    const UPPER_BOUND: f64 = 0.0;
    const RATE: f64 = 1.0;
    const MIN_EXPONENT: f64 = -1000.0;
    const MIN_UNSHIFTED_EXPONENT: f64 = -600.0;
    const FIXED_SHIFT: bool = true;
    const SMALL_TILES: bool = SMALL_TILES;

    #[inline(always)]
    fn row_terms(rows: &Rows, range: Range<usize>, out: &mut [f64]) {
        rows.squares(range, out);
    }

    #[inline(always)]
    fn similarity<S: Simd>(simd: S, dot: S::f64s, left: S::f64s, right: S::f64s) -> S::f64s {
        // Of equal rows all three are the same.
        simd.mul_add_f64s(simd.splat_f64s(2.0), dot, simd.neg_f64s(simd.add_f64s(left, right)))
    }

    in_f64!();
}

/// Squared distances in f64 by differences, negated; for any points, however close, and any t.
pub(crate) struct Difference;

impl Formula for Difference {
    type Real = f64;
    type Term = SquaredDifference;
    type Exp = Exp64;
    const UPPER_BOUND: f64 = 0.0;
    const RATE: f64 = 1.0;
    const MIN_EXPONENT: f64 = -1000.0;
    const MIN_UNSHIFTED_EXPONENT: f64 = -600.0;
    const FIXED_SHIFT: bool = false;
    const SMALL_TILES: bool = false;

    #[inline(always)]
    fn row_terms(_: &Rows, _: Range<usize>, out: &mut [f64]) {
        out.fill(0.0);
    }

    #[inline(always)]
    fn similarity<S: Simd>(simd: S, square: S::f64s, _: S::f64s, _: S::f64s) -> S::f64s {
        simd.sub_f64s(simd.splat_f64s(0.0), square)
    }

    in_f64!();
}

/// Inner products in f64; for any points and any τ.
pub(crate) struct Dot;

impl Formula for Dot {
    type Real = f64;
    type Term = Product;
    type Exp = Exp64;
    const UPPER_BOUND: f64 = 0.0;
    const RATE: f64 = 1.0;
    const MIN_EXPONENT: f64 = -1000.0;
    const MIN_UNSHIFTED_EXPONENT: f64 = -600.0;
    const FIXED_SHIFT: bool = false;
    const SMALL_TILES: bool = false;

    #[inline(always)]
    fn row_terms(_: &Rows, _: Range<usize>, out: &mut [f64]) {
        out.fill(0.0);
    }

    #[inline(always)]
    fn similarity<S: Simd>(_: S, dot: S::f64s, _: S::f64s, _: S::f64s) -> S::f64s {
        dot
    }

    in_f64!();
}
