//! Uniformity at several t: of each set, of both together, and across.

use unisphere::{Scaling, SquaredMmd, Uniformity, unordered_pairs};

use super::summary::Summary;
use crate::{
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

/// The share of the sum across both sets that must be left without the positive pairs, for the difference to be taken:
/// below it, rounding would be too much of the rest, which is summed anew.
const MIN_SHARE_UNPAIRED: f64 = 1e-3;

/// Uniformity at several t.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sweep {
    /// A row for each t, in the order in which they were given.
    pub rows: Vec<SweepRow>,
}

/// Uniformity at one t.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SweepRow {
    /// The t.
    pub t: f64,
    /// The value of the uniform distribution on the sphere.
    pub floor: Maybe<f64>,
    /// Uniformity of x.
    pub x: Maybe<f64>,
    /// The values that take a second set, where there is one.
    pub pair: Option<PairSweep>,
}

/// Uniformity of two sets at one t.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PairSweep {
    /// Uniformity of y.
    pub y: Maybe<f64>,
    /// The mean of x and y.
    pub mean: Maybe<f64>,
    /// Over all pairs of one point of x and one of y.
    pub cross: Maybe<f64>,
    /// Over the same without the positive pairs.
    pub unpaired: Maybe<f64>,
    /// Over the pairs of both sets together.
    pub pooled: Maybe<f64>,
    /// The squared maximum mean discrepancy, over rows that are not paired, without bias.
    pub squared_mmd: Maybe<f64>,
    /// The U-statistics of x and y.
    pub within: Maybe<[f64; 2]>,
}

impl Sweep {
    /// The table of these rows.
    pub fn new(rows: Vec<SweepRow>) -> Self {
        Self { rows }
    }
}

impl SweepRow {
    /// Uniformity of one set of so many dimensions.
    pub fn new(t: f64, dims: usize, scaling: Scaling, x: f64) -> Self {
        Self { t, floor: floor_at(t, dims, scaling), x: Ok(x), pair: None }
    }

    /// The same with uniformity of y of as many rows, and with cross uniformity and the squared discrepancy, where they are known.
    #[must_use]
    pub fn with_y(self, y: f64, rows: usize, cross: Maybe<f64>, squared_mmd: Maybe<f64>) -> Self {
        let unpaired = Err(Absent::because("it is not measured of sets of any size"));
        let mean = self.x.map(|x| (x + y) / 2.0);
        let within = self.x.map(|x| [x, y]);
        let pooled = within.and_then(|within| Ok(pooled(within, cross?, rows)));
        let pair = PairSweep { y: Ok(y), mean, cross, unpaired, pooled, squared_mmd, within };
        Self { pair: Some(pair), ..self }
    }
}

impl CurvePoint {
    /// The t of a curve, beside the summary's own.
    pub const TS: [f64; 12] = [0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0];

    /// Uniformity of each set, of so many dimensions.
    pub fn new(t: f64, dims: usize, scaling: Scaling, sets: Vec<f64>) -> Self {
        Self { t, floor: floor_at(t, dims, scaling), sets }
    }
}

/// The value of the uniform distribution.
fn floor_at(t: f64, dims: usize, scaling: Scaling) -> Maybe<f64> {
    match scaling {
        Scaling::Unit => Ok(Uniformity { t }.floor(dims)),
        Scaling::Raw => Err(Absent::because("raw points have no floor")),
    }
}

/// Uniformity at one t of a curve.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CurvePoint {
    /// The t.
    pub t: f64,
    /// The value of the uniform distribution on the sphere.
    pub floor: Maybe<f64>,
    /// Uniformity of each set, by the plan's estimator.
    pub sets: Vec<f64>,
}

/// The t of a curve where rows have weights: each t then takes a pass of its own.
const CURVE_T_OF_WEIGHTED: [f64; 5] = [0.1, 0.5, 1.0, 3.0, 10.0];

/// The table that was asked for, the rows at the t that go with the temperatures of the contrastive losses, and the curve of
/// figures, by t.
pub(crate) struct Swept {
    pub(crate) table: Option<Sweep>,
    pub(crate) matching: Vec<SweepRow>,
    pub(crate) curve: Vec<CurvePoint>,
}

pub(crate) fn measure(work: &mut Work<'_>, summary: &Summary) -> Result<Swept> {
    let shown = work.plan.sweep.len();
    let matching = work.plan.contrastive.iter().map(|metric| metric.matching().t);
    let ts: Vec<_> = work.plan.sweep.iter().copied().chain(matching).collect();
    let curve = curve_ts(work);
    let within = within(work, summary, &[ts.as_slice(), &curve].concat())?;
    let across = across(work, &ts)?;
    let floor_at = |t| floor_at(t, work.dims(), work.plan.scaling);
    let on_curve = |(i, &t): (usize, &f64)| {
        let sets = within.iter().filter_map(|values| values.get(ts.len() + i).copied()).collect();
        CurvePoint { t, floor: floor_at(t), sets }
    };
    let curve = curve.iter().enumerate().map(on_curve).collect();
    let row = |(i, &t): (usize, &f64)| {
        let floor = floor_at(t);
        let of = |set: usize| Some(Ok(*within.get(set)?.get(i)?));
        let pair = across.get(i).zip(of(0).zip(of(1))).map(|(&across, (x, y))| pair(work, x, y, across));
        Some(SweepRow { t, floor, x: of(0)?, pair })
    };
    let mut rows: Vec<_> = ts.iter().enumerate().filter_map(row).collect();
    let matching = rows.split_off(shown.min(rows.len()));
    if let [x, y] = &*work.sets {
        for SweepRow { t, pair, .. } in &mut rows {
            let Some(pair) = pair else { continue };
            if let (Ok([of_x, of_y]), Ok(unpaired)) = (pair.within, pair.unpaired)
                && SquaredMmd::needs_points(of_x, of_y, unpaired)
            {
                pair.squared_mmd = Ok(work.session.squared_mmd(&x.points, &y.points, *t)?);
            }
        }
    }
    Ok(Swept { table: (!rows.is_empty()).then_some(Sweep { rows }), matching, curve })
}

/// The t of the curve, in order; none where no figures are wanted.
fn curve_ts(work: &Work<'_>) -> Vec<f64> {
    if !work.plan.figures {
        return Vec::new();
    }
    let grid: &[f64] = if work.row_weights().is_some() { &CURVE_T_OF_WEIGHTED } else { &CurvePoint::TS };
    let mut ts = grid.to_vec();
    let own = work.plan.uniformity.t;
    if !ts.contains(&own) {
        ts.push(own);
        ts.sort_by(f64::total_cmp);
    }
    ts
}

/// The value of either set at every t, by the plan's estimator.
fn within(work: &mut Work<'_>, summary: &Summary, ts: &[f64]) -> Result<Vec<Vec<f64>>> {
    if ts.is_empty() {
        return Ok(Vec::new());
    }
    let (estimator, rows) = (work.plan.estimator, work.rows());
    let weights = work.row_weights().map(<[f64]>::to_vec);
    let mut within = Vec::new();
    for (set, main) in work.sets.iter().zip(&summary.sets) {
        // The very number of the summary, which was summed in another order.
        let mut known = vec![(summary.metric.t, main.measured.value)];
        let new: Vec<_> = ts.iter().copied().filter(|&t| t != summary.metric.t).collect();
        if let Some(weights) = &weights {
            for t in new {
                let metric = Uniformity { t };
                let u = work.session.weighted_uniformity(set.name, &set.points, weights, metric)?;
                known.push((t, estimator.weighted(u, weights)));
            }
        } else if !new.is_empty() {
            let us = work.session.uniformities(set.name, &set.points, &new)?;
            known.extend(new.into_iter().zip(us.into_iter().map(|u| estimator.value(u, rows))));
        }
        let value = |t: &f64| known.iter().find(|(known, _)| known == t).map(|&(_, value)| value);
        within.push(ts.iter().filter_map(value).collect());
    }
    Ok(within)
}

/// The values over all pairs of both sets, and over those that are not positive pairs.
#[derive(Clone, Copy)]
struct Across {
    cross: Maybe<f64>,
    unpaired: Maybe<f64>,
}

/// The values at every t; empty where there is one set.
fn across(work: &mut Work<'_>, ts: &[f64]) -> Result<Vec<Across>> {
    let ([x, y], Some(distances)) = (&*work.sets, &work.distances) else { return Ok(Vec::new()) };
    if ts.is_empty() {
        return Ok(Vec::new());
    }
    if work.row_weights().is_some() {
        let none = Err(Absent::because("it is measured without weights only"));
        return Ok(vec![Across { cross: none, unpaired: none }; ts.len()]);
    }
    let n = x.points.rows() as f64;
    let mut all = Vec::new();
    for (cross, &t) in work.session.cross_uniformities(&x.points, &y.points, ts)?.into_iter().zip(ts) {
        let paired: f64 = distances.iter().map(|distance| (-t * distance * distance - cross).exp()).sum();
        let share = 1.0 - paired / (n * n);
        let unpaired = if share >= MIN_SHARE_UNPAIRED {
            cross + (share * n / (n - 1.0)).ln()
        } else {
            work.session.unpaired_uniformity(&x.points, &y.points, Uniformity { t })?
        };
        all.push(Across { cross: Ok(cross), unpaired: Ok(unpaired) });
    }
    Ok(all)
}

fn pair(work: &Work<'_>, x: Maybe<f64>, y: Maybe<f64>, across: Across) -> PairSweep {
    let Across { cross, unpaired } = across;
    let (n, estimator) = (work.rows(), work.plan.estimator);
    let both = x.and_then(|x| Ok([x, y?]));
    let within = both.map(|both| both.map(|value| estimator.u(value, n)));
    let pooled = within.and_then(|within| Ok(estimator.value(pooled(within, cross?, n), 2 * n)));
    let squared_mmd = within.and_then(|[x, y]| Ok(Uniformity::squared_mmd(x, y, unpaired?)));
    let mean = both.map(|[x, y]| (x + y) / 2.0);
    PairSweep { y, mean, cross, unpaired, pooled, squared_mmd, within }
}

/// The U-statistic of two sets of so many rows together, from those of each and the value across.
fn pooled([x, y]: [f64; 2], cross: f64, rows: usize) -> f64 {
    let pairs = unordered_pairs(rows);
    Uniformity::pooled_value(&[(x, pairs), (y, pairs), (cross, rows as u64 * rows as u64)])
}
