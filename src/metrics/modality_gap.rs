//! The modality gap: how far two sets, such as images and texts, lie apart as wholes.

use std::ops::Range;

use rayon::prelude::*;

use super::check::{at_least, comparable};
use crate::{
    error::Result,
    pending::{Pending, offload, on_the_pool},
    points::{HostRows, Points},
    progress::Watch,
    request::{Metric, Run, Sealed},
    schedule::panels,
};

/// Rows that a thread takes at a time.
const ROWS_PER_TASK: usize = 1024;

/// The modality gap between two sets: how far apart their means are, and how well one direction tells the sets apart.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModalityGap {
    /// ‖mean x − mean y‖ (Liang et al. 2022, *Mind the gap*, arXiv 2203.02053): of unit rows from 0, the same means, to 2.
    pub distance: f64,
    /// The probability that a row of x lies farther along mean x − mean y than a row of y, where ties count half: the area under
    /// the ROC curve (AUC). 1 where the direction separates the sets, and about 0.5 where it says nothing.
    ///
    /// The rows are divided at random into halves, of every two neighbours one into each. The direction is that of one half and the
    /// rows are those of the other, both ways, and the mean of both is taken: a direction found from the very rows that it is
    /// judged by would separate two samples of one distribution as well. Where the directions of both halves point apart, as those
    /// of centred sets do, there is none that tells the sets apart, and this is 0.5.
    pub separation: f64,
}

/// A request for the modality gap between two sets. No pairs are gone through; it is computed on the host, in f64.
#[derive(Clone, Copy, Debug)]
pub struct ModalityGapOver<'a> {
    x: &'a Points,
    y: &'a Points,
}

impl ModalityGap {
    /// The gap between x (n, d) and y (m, d), whose rows need not be pairs. Two rows of each are needed.
    pub fn between<'a>(x: &'a Points, y: &'a Points) -> ModalityGapOver<'a> {
        ModalityGapOver { x, y }
    }
}

impl Sealed for ModalityGapOver<'_> {}

impl Metric for ModalityGapOver<'_> {
    type Value = ModalityGap;

    fn pairs(&self) -> u64 {
        0
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, ModalityGap> {
        Box::pin(async move {
            let Self { x, y } = *self;
            comparable("the modality gap", x, y)?;
            at_least("the modality gap", x, 2)?;
            at_least("the modality gap", y, 2)?;
            let (x, y) = (on.backend.on_host(x, on.watch).await?, on.backend.on_host(y, on.watch).await?);
            let watch = on.watch.clone();
            offload(on_the_pool, move || gap(&*x, &*y, &watch)).await
        })
    }
}

fn gap(x: &dyn HostRows, y: &dyn HostRows, watch: &Watch) -> Result<ModalityGap> {
    let [of_x, of_y] = [halves(x, watch)?, halves(y, watch)?];
    let apart = difference(&mean(&of_x), &mean(&of_y));
    let distance = apart.iter().map(|v| v * v).sum::<f64>().sqrt();
    let directions = [0, 1].map(|half| difference(&mean(&of_x[half..=half]), &mean(&of_y[half..=half])));
    let agreement: f64 = directions[0].iter().zip(&directions[1]).map(|(a, b)| a * b).sum();
    // Halves whose means add up to the same point have opposite directions, each of which would be judged by the other.
    if agreement <= 0.0 {
        return Ok(ModalityGap { distance, separation: 0.5 });
    }
    let mut separation = 0.0;
    for (direction, other) in directions.iter().zip([1, 0]) {
        let along = |points| projections(points, other, direction, watch);
        separation += area_under_curve(&along(x)?, along(y)?) / 2.0;
    }
    Ok(ModalityGap { distance, separation })
}

/// Sum of some rows.
struct RowSum {
    rows: usize,
    sum: Vec<f64>,
}

/// The half that a row is in: of every two neighbours one in each, at random, so that no order of the rows matters; in every run
/// the same.
fn half_of(row: usize) -> usize {
    // SplitMix64 (Steele, Lea & Flood 2014).
    let z = (row as u64 / 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (row + (z >> 63) as usize) % 2
}

/// The sums of the rows of each half.
fn halves(points: &dyn HostRows, watch: &Watch) -> Result<[RowSum; 2]> {
    let zero = || [0, 1].map(|_| RowSum { rows: 0, sum: vec![0.0; points.dims()] });
    let of_task = |rows: Range<usize>| {
        let mut sums = zero();
        for row in rows {
            let half = &mut sums[half_of(row)];
            half.rows += 1;
            half.sum.iter_mut().zip(points.view(row).seen()).for_each(|(sum, value)| *sum += value);
        }
        watch.advance(0).map(|()| sums)
    };
    let tasks: Vec<_> = panels(points.rows(), ROWS_PER_TASK).collect();
    // One by one, so that the bits depend on no thread.
    let parts = tasks.into_par_iter().map(of_task).collect::<Result<Vec<_>>>()?;
    Ok(parts.into_iter().fold(zero(), |mut sums, parts| {
        for (sum, part) in sums.iter_mut().zip(parts) {
            sum.rows += part.rows;
            sum.sum.iter_mut().zip(part.sum).for_each(|(sum, part)| *sum += part);
        }
        sums
    }))
}

/// The mean of all rows of some sums.
fn mean(sums: &[RowSum]) -> Vec<f64> {
    let rows = sums.iter().map(|part| part.rows).sum::<usize>() as f64;
    let dims = sums.first().map_or(0, |part| part.sum.len());
    (0..dims).map(|k| sums.iter().map(|part| part.sum[k]).sum::<f64>() / rows).collect()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// How far each row of one half lies along a direction.
fn projections(points: &dyn HostRows, half: usize, direction: &[f64], watch: &Watch) -> Result<Vec<f64>> {
    let rows = (0..points.rows()).into_par_iter().with_min_len(ROWS_PER_TASK);
    let along = |row| -> f64 { points.view(row).seen().zip(direction).map(|(v, d)| v * d).sum() };
    watch.advance(0)?;
    Ok(rows.filter(|&row| half_of(row) == half).map(along).collect())
}

/// The probability that one of `a` is greater than one of `b`, where ties count half.
fn area_under_curve(a: &[f64], mut b: Vec<f64>) -> f64 {
    b.sort_unstable_by(f64::total_cmp);
    let beaten = |value: &f64| {
        let (below, not_above) = (b.partition_point(|b| b < value), b.partition_point(|b| b <= value));
        (below + not_above) as f64 / 2.0
    };
    a.iter().map(beaten).sum::<f64>() / (a.len() as f64 * b.len() as f64)
}
