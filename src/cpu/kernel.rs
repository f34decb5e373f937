//! The kernels: what a pair's exponent is made of, in which precision.

use std::ops::Range;

use pulp::Simd;

use super::{
    exp::{Exp32, Exp64},
    float::Float,
    points::Rows,
    tile::{Product, SquaredDifference, Term},
};

/// A measure of how close two points are, such that exp(−t‖x−y‖²) = exp(`RATE` · t · (closeness − `TOP`)).
pub(super) trait Kernel: Sync + 'static {
    type Real: Float;
    type Term: Term<Self::Real>;
    type Exp: Copy + Send + Sync;

    /// The closeness of equal points, which no other pair exceeds but by rounding.
    const TOP: f64;
    const RATE: f64;
    /// Whether exponents stay so small that all are taken relative to `TOP`.
    const NEAR: bool;
    /// What exponentials are no longer told from 0 below, next to those of 0.
    const LEAST: f64;
    /// Exponents from here to as far above 0 have exponentials that can be added up.
    const LEVEL: f64;
    /// Whether it is for few rows.
    const FEW: bool;

    /// What the closeness has to know of each row; nothing where it is 0.
    fn margins(rows: &Rows, range: Range<usize>) -> &[Self::Real];

    /// The closeness from the sum of the terms and the margin of either row.
    fn closeness<S: Simd>(
        simd: S,
        sum: Vector<S, Self>,
        left: Vector<S, Self>,
        right: Vector<S, Self>,
    ) -> Vector<S, Self>;

    fn exp_at(rate: f64) -> Self::Exp;

    /// How much of a rate is left to the exponential, the rest being part of what is kept as exponents: all of it where that
    /// spares rounding, and none where any rate has to be held.
    fn steepness(rate: f64) -> f64;

    fn exp<S: Simd>(simd: S, exp: Self::Exp, z: Vector<S, Self>) -> Vector<S, Self>;

    /// A factor, given its log, in the two parts that [`raised`](Self::raised) takes.
    fn factor(log: f64) -> (Self::Real, Self::Real);

    /// exp(rate · z) times a factor: next to nothing where the product is less than can be held.
    fn raised<S: Simd>(
        simd: S,
        exp: Self::Exp,
        z: Vector<S, Self>,
        factor: (Vector<S, Self>, Vector<S, Self>),
    ) -> Vector<S, Self>;
}

pub(super) type Vector<S, K> = <<K as Kernel>::Real as Float>::Vector<S>;

/// Exponentials in f64, where the log of a factor joins the exponent.
macro_rules! in_f64 {
    () => {
        fn exp_at(rate: f64) -> Exp64 {
            Exp64::new(rate)
        }

        fn steepness(_: f64) -> f64 {
            1.0
        }

        #[inline(always)]
        fn exp<S: Simd>(simd: S, exp: Exp64, z: S::f64s) -> S::f64s {
            exp.of(simd, z)
        }

        fn factor(log: f64) -> (f64, f64) {
            if log == f64::NEG_INFINITY { (0.0, 0.0) } else { (log, 1.0) }
        }

        #[inline(always)]
        fn raised<S: Simd>(simd: S, exp: Exp64, z: S::f64s, factor: (S::f64s, S::f64s)) -> S::f64s {
            exp.raised(simd, z, factor.0, factor.1)
        }
    };
}

/// Cosines of unit rows in f32, for [`Cosine::STEEPEST`] and below.
pub(super) struct Cosine;

impl Cosine {
    /// Up to here no single cosine's rounding, about 5e-8, shows in a uniformity; and exponents, −4t at the
    /// least, need no shift.
    pub(super) const STEEPEST: f64 = 10.0;
}

impl Kernel for Cosine {
    type Real = f32;
    type Term = Product;
    type Exp = Exp32;
    const TOP: f64 = 1.0;
    const RATE: f64 = 2.0;
    const LEAST: f64 = -85.0;
    const LEVEL: f64 = -80.0;
    const NEAR: bool = true;
    const FEW: bool = false;

    fn margins(rows: &Rows, range: Range<usize>) -> &[f32] {
        rows.excess(range)
    }

    #[inline(always)]
    fn closeness<S: Simd>(simd: S, dot: S::f32s, left: S::f32s, right: S::f32s) -> S::f32s {
        // Rows are of unit length only as far as f32 can say: dot · (1 − left − right). Rounding may lift the
        // cosine of a close pair above 1; to cut it off there would bias the mean of many.
        simd.negate_mul_add_f32s(dot, simd.add_f32s(left, right), dot)
    }

    fn exp_at(rate: f64) -> Exp32 {
        Exp32::new(rate)
    }

    fn steepness(rate: f64) -> f64 {
        rate
    }

    #[inline(always)]
    fn exp<S: Simd>(simd: S, exp: Exp32, z: S::f32s) -> S::f32s {
        exp.of(simd, z)
    }

    fn factor(log: f64) -> (f32, f32) {
        // The log in an exponent would lose digits: 2ⁿ is exact, and the rest about 1.
        let log = log * std::f64::consts::LOG2_E;
        let power = log.round().clamp(-1e6, 1e6);
        (power as f32, (log - power).exp2() as f32)
    }

    #[inline(always)]
    fn raised<S: Simd>(simd: S, exp: Exp32, z: S::f32s, factor: (S::f32s, S::f32s)) -> S::f32s {
        exp.raised(simd, z, factor.0, factor.1)
    }
}

/// Squared distances in f64 by way of products, negated; for unit rows where [`Cosine`] is not exact enough: `FEW`, or up
/// to [`STEEPEST_GRAM`]. A product and its addition are one operation, a difference and its square are two.
pub(super) struct Gram<const FEW: bool>;

/// Exponents of unit rows, −4t at the least, need no shift in f64.
pub(super) const STEEPEST_GRAM: f64 = 150.0;

impl<const FEW: bool> Kernel for Gram<FEW> {
    type Real = f64;
    type Term = Product;
    type Exp = Exp64;
    const TOP: f64 = 0.0;
    const RATE: f64 = 1.0;
    const LEAST: f64 = -1000.0;
    const LEVEL: f64 = -600.0;
    const NEAR: bool = true;
    const FEW: bool = FEW;

    fn margins(rows: &Rows, range: Range<usize>) -> &[f64] {
        rows.squares(range)
    }

    #[inline(always)]
    fn closeness<S: Simd>(simd: S, dot: S::f64s, left: S::f64s, right: S::f64s) -> S::f64s {
        // Of equal rows all three are the same.
        simd.mul_add_f64s(simd.splat_f64s(2.0), dot, simd.neg_f64s(simd.add_f64s(left, right)))
    }

    in_f64!();
}

/// Squared distances in f64, negated; for any points, however close, and any t.
pub(super) struct Difference;

impl Kernel for Difference {
    type Real = f64;
    type Term = SquaredDifference;
    type Exp = Exp64;
    const TOP: f64 = 0.0;
    const RATE: f64 = 1.0;
    const LEAST: f64 = -1000.0;
    const LEVEL: f64 = -600.0;
    const NEAR: bool = false;
    const FEW: bool = false;

    fn margins(_: &Rows, _: Range<usize>) -> &[f64] {
        &[]
    }

    #[inline(always)]
    fn closeness<S: Simd>(simd: S, square: S::f64s, _: S::f64s, _: S::f64s) -> S::f64s {
        simd.sub_f64s(simd.splat_f64s(0.0), square)
    }

    in_f64!();
}

/// Inner products in f64; for any points and any τ.
pub(super) struct Dot;

impl Kernel for Dot {
    type Real = f64;
    type Term = Product;
    type Exp = Exp64;
    const TOP: f64 = 0.0;
    const RATE: f64 = 1.0;
    const LEAST: f64 = -1000.0;
    const LEVEL: f64 = -600.0;
    const NEAR: bool = false;
    const FEW: bool = false;

    fn margins(_: &Rows, _: Range<usize>) -> &[f64] {
        &[]
    }

    #[inline(always)]
    fn closeness<S: Simd>(_: S, dot: S::f64s, _: S::f64s, _: S::f64s) -> S::f64s {
        dot
    }

    in_f64!();
}
