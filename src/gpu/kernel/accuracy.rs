//! Accuracy of sums over pairs: the arithmetic that a sum begins with, and the finer one that its result asks for.
//!
//! Operations bring [`Evidence`]; nothing else decides. From coarse to fine: cosines in f32 (by cooperative matrices where
//! asked for), cosines by split products, and direct differences with sums of exp(e) − 1. Single precision of points on
//! the device is the limit: of rows that differ by δ in a coordinate of about 0.1, ‖x−y‖² is right to about 2e-9/δ of itself
//! on average over many pairs (1.6e-3 measured at δ = 1.25e-6), and to 1e-8/δ of itself for one row.

use crate::{
    accuracy::NARROW,
    gpu::kernel::{rate, table::Similarity},
    kernel::{Kernel, Map},
    log_sum::LogSumExp,
    pairs::Pairs,
    points::Scaling,
    progress::{Passes, Watch},
};

/// Pairs up to which rounding has little to average over, so that each product is split.
const MAX_PAIRS_FOR_SPLIT_COSINES: u64 = 512 * 512;
/// Largest t of a total by cosines in f32: beyond, a handful of close pairs may make the sum, and rounding of their cosines
/// the result.
const MAX_T_FOR_F32_COSINES: f64 = 5.0;
/// Largest t of rows and groups by cosines from short sums, in which there is less to average over: τ = 0.07 is below.
const MAX_T_FOR_F32_COSINES_OF_ROWS: f64 = 7.5;
/// Share of one tile in a sum above which the rounding of one cosine in it may be the result.
const MAX_TILE_SHARE_FOR_F32_COSINES: f64 = 0.25;
/// Least log of the mean of exponentials that is taken by sums of exp(e) − 1: below, these would cancel.
const MIN_LOG_MEAN_FOR_LESS_ONE: f64 = -0.5;
/// The same of raw points, whose sums of exp(e) lose no more above.
const MIN_LOG_MEAN_OF_RAW_FOR_LESS_ONE: f64 = -2e-3;

/// Factors of the weights of a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Products {
    /// The points on the other side: what a point's own would add has no part tangent to the sphere.
    Points,
    /// Differences of points, at twice the work.
    Differences,
}

/// The way that a sum over pairs is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arithmetic {
    pub(crate) similarity: Similarity,
    /// Sums are of exp(e) − 1, which keeps the digits of exponents near 0.
    pub(crate) less_one: bool,
    /// Of gradients alone.
    pub(crate) products: Products,
}

/// The kind of sums that an operation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// One sum over all pairs.
    Total,
    /// One sum for each row.
    Rows,
    /// One sum for each two groups, the smallest group of so many rows.
    Groups { smallest: u64 },
    /// Weights of single pairs, multiplied for a gradient.
    Weights,
}

/// The result of a pass, as far as it tells what was lost in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence {
    /// Log of the mean of exp(e), relative to that of equal points.
    pub(crate) log_mean: f64,
    /// t of the Gaussian, or 1/(2τ).
    pub(crate) t: f64,
    /// Share of the largest tile in the sum.
    pub(crate) tile_share: f64,
    /// So much of a gradient was along its points that rounding shows in the rest.
    pub(crate) dropped: bool,
}

impl Evidence {
    /// Evidence of a sum alone.
    pub(crate) fn of(sum: LogSumExp, count: u64, t: f64) -> Self {
        Self { log_mean: sum.log_mean(count), t, tile_share: 0.0, dropped: false }
    }
}

/// A sum, and the log of the largest part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Total {
    pub(crate) sum: LogSumExp,
    largest: f64,
}

impl Total {
    pub(crate) const EMPTY: Self = Self { sum: LogSumExp::EMPTY, largest: f64::NEG_INFINITY };

    pub(crate) fn add(&mut self, part: LogSumExp) {
        self.sum = self.sum.combine(part);
        self.largest = self.largest.max(part.log());
    }

    /// The evidence of a sum over so many pairs.
    pub(crate) fn evidence(&self, count: u64, t: f64) -> Evidence {
        let tile_share = (self.largest - self.sum.log()).exp();
        Evidence { tile_share, ..Evidence::of(self.sum, count, t) }
    }
}

impl Arithmetic {
    fn new(similarity: Similarity, products: Products) -> Self {
        Self { similarity, less_one: false, products }
    }

    /// Direct differences, whatever the points.
    pub(crate) const DIFFERENCES: Self =
        Self { similarity: Similarity::Difference, less_one: false, products: Products::Differences };
    /// Direct differences in sums of exp(e) − 1: the finest.
    const LESS_ONE: Self = Self { less_one: true, ..Self::DIFFERENCES };
    /// Exact products of halves.
    const SPLIT: Self = Self { similarity: Similarity::SplitCosine, ..Self::DIFFERENCES };
}

/// The arithmetic that a sum begins with.
pub(crate) fn first(pairs: Pairs<'_>, kernel: Kernel, reduction: Reduction) -> Arithmetic {
    let (x, y) = pairs.sides();
    let count = match reduction {
        Reduction::Groups { smallest } => smallest * smallest,
        _ => x.rows() as u64 * y.rows() as u64,
    };
    first_of(kernel, x.scaling(), count, reduction)
}

/// The same for points of this kind and so many pairs.
pub(crate) fn first_of(kernel: Kernel, scaling: Scaling, count: u64, reduction: Reduction) -> Arithmetic {
    let few = count <= MAX_PAIRS_FOR_SPLIT_COSINES;
    let t = rate::gaussian_scale(kernel, Scaling::Unit);
    match (scaling, kernel.map, reduction) {
        (Scaling::Raw, Map::Logit, _) => Arithmetic::new(Similarity::Product, Products::Points),
        (Scaling::Raw, _, _) => Arithmetic::DIFFERENCES,
        (Scaling::Unit, _, Reduction::Total) if few || t > MAX_T_FOR_F32_COSINES => Arithmetic::SPLIT,
        (Scaling::Unit, _, Reduction::Total) => Arithmetic::new(Similarity::Cosine, Products::Points),
        (Scaling::Unit, _, _) if few => Arithmetic::SPLIT,
        (Scaling::Unit, _, _) if t > MAX_T_FOR_F32_COSINES_OF_ROWS => {
            Arithmetic::new(Similarity::SplitCosine, Products::Points)
        }
        (Scaling::Unit, _, _) => Arithmetic::new(Similarity::FineCosine, Products::Points),
    }
}

/// The finer arithmetic that a result asks for.
pub(crate) fn next(by: Arithmetic, evidence: &Evidence) -> Option<Arithmetic> {
    let &Evidence { log_mean, t, tile_share, dropped } = evidence;
    let narrow = match by.similarity {
        // By Jensen's inequality, the log mean is never below −t times the mean squared distance.
        Similarity::Cosine | Similarity::FineCosine | Similarity::SplitCosine => {
            log_mean > -t * NARROW && log_mean > MIN_LOG_MEAN_FOR_LESS_ONE
        }
        Similarity::Difference => {
            !by.less_one && log_mean > MIN_LOG_MEAN_OF_RAW_FOR_LESS_ONE && rate::fits(t)
        }
        Similarity::Product => false,
    };
    match () {
        () if narrow => Some(Arithmetic::LESS_ONE),
        () if by.similarity == Similarity::Cosine && tile_share > MAX_TILE_SHARE_FOR_F32_COSINES => {
            Some(Arithmetic::SPLIT)
        }
        () if by.products == Products::Points && dropped => {
            Some(Arithmetic { products: Products::Differences, ..by })
        }
        () => None,
    }
}

/// A result, and the arithmetic that it was made by.
#[derive(Clone, Debug)]
pub(crate) struct Climbed<T> {
    pub(crate) result: T,
    pub(crate) by: Arithmetic,
}

/// The climb from the first arithmetic to those that results need: all results are made by the first, and those whose
/// evidence asks for a finer one again by that. A pass makes all of them; those not asked for are left as they were.
///
/// [`step`](Self::step) names the arithmetic of the next pass, whose results go to [`judge`](Self::judge).
pub(crate) struct Climb<'a, T> {
    passes: Passes<'a>,
    by: Option<Arithmetic>,
    /// For each result, the arithmetic that it still asks for.
    wanted: Vec<Option<Arithmetic>>,
    results: Vec<Option<Climbed<T>>>,
}

impl<'a, T> Climb<'a, T> {
    pub(crate) fn new(first: Arithmetic, watch: &'a Watch) -> Self {
        Self { passes: watch.passes(), by: Some(first), wanted: Vec::new(), results: Vec::new() }
    }

    /// The arithmetic of the next pass and its watch; none where every result stands.
    pub(crate) fn step(&mut self) -> Option<(Arithmetic, &Watch)> {
        self.by.map(|by| (by, self.passes.next()))
    }

    /// Lets the results of a pass stand, or asks for a finer arithmetic.
    pub(crate) fn judge(&mut self, results: Vec<T>, evidence: impl Fn(usize, &T) -> Evidence) {
        let Some(by) = self.by else { return };
        for (i, result) in results.into_iter().enumerate() {
            if self.results.len() == i {
                self.results.push(None);
                self.wanted.push(Some(by));
            }
            if self.wanted[i] == Some(by) {
                self.wanted[i] = next(by, &evidence(i, &result));
                // A coarse result makes room for the finer one.
                self.results[i] = self.wanted[i].is_none().then_some(Climbed { result, by });
            }
        }
        self.by = self.wanted.iter().flatten().next().copied();
    }

    /// The results, once there is no next pass.
    pub(crate) fn finish(self) -> Vec<Climbed<T>> {
        self.results.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSINE: Arithmetic =
        Arithmetic { similarity: Similarity::Cosine, less_one: false, products: Products::Points };

    fn evidence(log_mean: f64) -> Evidence {
        Evidence { log_mean, t: 2.0, tile_share: 0.1, dropped: false }
    }

    #[test]
    fn results_are_made_again_only_where_their_evidence_asks_for_it() {
        let logs = [-3.0, -1e-6, -3.0];
        let mut passes = Vec::new();
        let watch = Watch::new(None, 0);
        let mut climb = Climb::new(COSINE, &watch);
        while let Some((by, _)) = climb.step() {
            passes.push(by);
            climb.judge(logs.map(|log| (by, log)).into(), |_, &(_, log)| evidence(log));
        }
        let found = climb.finish();
        assert_eq!(passes, [COSINE, Arithmetic::LESS_ONE]);
        assert_eq!(
            found.iter().map(|found| found.by).collect::<Vec<_>>(),
            [COSINE, Arithmetic::LESS_ONE, COSINE]
        );
        assert!(found.iter().all(|found| found.by == found.result.0));
        let mut none = Climb::<()>::new(COSINE, &watch);
        none.judge(Vec::new(), |_, ()| evidence(0.0));
        assert!(none.step().is_none() && none.finish().is_empty());
    }

    #[test]
    fn each_evidence_has_its_arithmetic_and_the_finest_has_none() {
        assert_eq!(next(COSINE, &evidence(-1.0)), None);
        assert_eq!(next(COSINE, &evidence(f64::NAN)), None);
        assert_eq!(next(COSINE, &evidence(-1e-4)), Some(Arithmetic::LESS_ONE));
        assert_eq!(next(COSINE, &Evidence { tile_share: 0.6, ..evidence(-1.0) }), Some(Arithmetic::SPLIT));
        let dropped = Evidence { dropped: true, ..evidence(-1.0) };
        assert_eq!(next(COSINE, &dropped).map(|by| by.products), Some(Products::Differences));
        assert_eq!(next(Arithmetic::DIFFERENCES, &evidence(-1e-4)), Some(Arithmetic::LESS_ONE));
        assert_eq!(
            next(Arithmetic::LESS_ONE, &Evidence { tile_share: 1.0, dropped: true, ..evidence(0.0) }),
            None
        );
    }
}
