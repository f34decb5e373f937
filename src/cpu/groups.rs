//! Sums of exponentials between groups of points that lie side by side.

use std::mem;

use pulp::Simd;

use super::{
    closeness::Closeness,
    float::Float,
    kernel::Kernel,
    level::{Job, Level},
    log_sum::Potential,
    pack::Scratch,
    points::Rows,
    sets::Sets,
    sweep::sweep,
};
use crate::{error::Result, log_sum::LogSumExp, progress::Watch, schedule::Block};

/// Σ exp(−t‖x−y‖²) over the pairs i < j within each group and of each two, row by row of a k × k matrix.
pub(super) fn log_sums<K: Kernel>(
    level: Level,
    x: &Rows,
    ends: &[usize],
    t: f64,
    watch: &Watch<'_>,
) -> Result<Vec<LogSumExp>> {
    let (sets, k, rate) = (Sets { x, y: None, distinct: false }, ends.len(), K::RATE * t);
    let mut sums = vec![Potential::EMPTY; k * k];
    let one = |block: &Block, scratch: &mut Scratch<K::Real>| {
        level.run(Cells::<K> { sets, block, ends, rate, scratch })
    };
    sweep(sets, watch, one, |_, cells| {
        for (g, h, cell) in cells {
            sums[g * k + h] = sums[g * k + h].join(cell, K::steepness(rate));
        }
    })?;
    let log_sum = |at: usize| {
        let (g, h) = (at / k, at % k);
        let Potential { pivot, sum } = sums[g.min(h) * k + g.max(h)];
        if sum == 0.0 { LogSumExp::EMPTY } else { LogSumExp { max: K::steepness(rate) * pivot, sum } }
    };
    Ok((0..k * k).map(log_sum).collect())
}

struct Cells<'a, K: Kernel> {
    sets: Sets<'a>,
    block: &'a Block,
    ends: &'a [usize],
    rate: f64,
    scratch: &'a mut Scratch<K::Real>,
}

/// The parts of a range that lie in one group each, counted from its start.
fn parts(ends: &[usize], range: &std::ops::Range<usize>) -> Vec<(usize, std::ops::Range<usize>)> {
    let first = ends.partition_point(|&end| end <= range.start);
    let mut start = range.start;
    let mut parts = Vec::new();
    for (group, &end) in ends.iter().enumerate().skip(first) {
        let end = end.min(range.end);
        if start < end {
            parts.push((group, start - range.start..end - range.start));
        }
        start = start.max(end);
        if start >= range.end {
            break;
        }
    }
    parts
}

impl<K: Kernel> Job for Cells<'_, K> {
    type Output = Vec<(usize, usize, Potential)>;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Self::Output {
        let Self { sets, block, ends, rate, scratch } = self;
        let mut memory = mem::take(&mut scratch.weights);
        let table = Closeness::<K>::new(rate).table::<S, SIDE>(simd, sets, block, scratch, &mut memory);
        let (lefts, rights) = (parts(ends, &block.rows), parts(ends, &block.cols));
        let exp = K::exp_at(K::steepness(rate));
        let none = K::Real::none();
        let least = K::Real::nearest(K::LEAST / K::steepness(rate));
        let mut cells = Vec::new();
        let mut buffer: Vec<K::Real> = Vec::new();
        for (h, of_right) in &rights {
            for (g, of_left) in &lefts {
                buffer.clear();
                for j in of_right.clone() {
                    for (start, row) in table.row(j, 1) {
                        let from = of_left.start.max(start);
                        let to = of_left.end.min(start + row.len());
                        if from < to {
                            buffer.extend_from_slice(&row[from - start..to - start]);
                        }
                    }
                }
                // Whole vectors.
                buffer.resize(buffer.len().next_multiple_of(K::Real::lanes::<S>()), none);
                let vectors = || K::Real::vectors::<S>(&buffer).iter().copied();
                let splat = |value| K::Real::splat(simd, value);
                let peak =
                    K::Real::lane_max(simd, vectors().fold(splat(none), |max, v| K::Real::max(simd, max, v)));
                if peak.into() <= 0.25 * none.into() {
                    continue;
                }
                let mut sum = 0.0;
                // Short sums in the kernel's precision.
                for chunk in K::Real::vectors::<S>(&buffer).chunks(256) {
                    let mut short = splat(K::Real::default());
                    for &e in chunk {
                        let z = K::Real::minus(simd, e, splat(peak));
                        let term = K::exp(simd, exp, K::Real::max(simd, z, splat(least)));
                        short = K::Real::plus(simd, short, term);
                    }
                    sum += K::Real::lane_sum(simd, short).into();
                }
                cells.push((*g, *h, Potential { pivot: peak.into(), sum }));
            }
        }
        scratch.weights = memory;
        cells
    }
}
