//! Sums of exponentials over the pairs that each point is in.

use std::mem;

use pulp::Simd;

use super::{
    closeness::Closeness,
    float::Float,
    kernel::Kernel,
    level::{Job, Level},
    log_sum::Potential,
    pack::Scratch,
    sets::Sets,
    sweep::sweep,
    tile::width,
};
use crate::{Result, pairs::Block, progress::Watch};

/// For each point of either set, Σ exp(`rate` · (closeness − pivot)), with a pivot of its own.
pub(super) struct RowSums {
    pub(super) x: Vec<Potential>,
    pub(super) y: Option<Vec<Potential>>,
}

/// What a block adds, on its left and on its right.
type Part = [Vec<Potential>; 2];

impl RowSums {
    fn none(sets: Sets<'_>) -> Self {
        Self { x: vec![Potential::EMPTY; sets.x.len()], y: sets.y.map(|y| vec![Potential::EMPTY; y.len()]) }
    }

    fn join(&mut self, block: &Block, [left, right]: Part, rate: f64) {
        let join = |sums: &mut [Potential], part: Vec<Potential>| {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum = sum.join(part, rate));
        };
        join(&mut self.x[block.rows.clone()], left);
        join(&mut self.y.as_mut().unwrap_or(&mut self.x)[block.cols.clone()], right);
    }
}

/// The logs of masses of all points; none are 1.
pub(super) type LogMasses<'a> = Option<[&'a [f64]; 2]>;

/// Every row relative to the greatest of its own exponents, which are rate · (closeness − top).
pub(super) fn row_sums<K: Kernel>(
    level: Level,
    sets: Sets<'_>,
    rate: f64,
    masses: LogMasses<'_>,
    watch: &Watch<'_>,
) -> Result<RowSums> {
    let mut sums = RowSums::none(sets);
    let one = |block: &Block, scratch: &mut Scratch<K::Real>| {
        level.run(Peaks::<K> { sets, block, rate, masses, scratch })
    };
    sweep(sets, watch, one, |block, part| sums.join(block, part, K::steepness(rate)))?;
    Ok(sums)
}

struct Peaks<'a, K: Kernel> {
    sets: Sets<'a>,
    block: &'a Block,
    rate: f64,
    masses: LogMasses<'a>,
    scratch: &'a mut Scratch<K::Real>,
}

impl<K: Kernel> Job for Peaks<'_, K> {
    type Output = Part;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Part {
        let Self { sets, block, rate, masses, scratch } = self;
        let mut memory = mem::take(&mut scratch.weights);
        let table = Closeness::<K>::new(rate).table::<S, SIDE>(simd, sets, block, scratch, &mut memory);
        let lanes = K::Real::lanes::<S>();
        let none = K::Real::none();
        let of = |side: usize, len: usize, range: &std::ops::Range<usize>| {
            let mut logs = vec![K::Real::default(); len];
            if let Some(masses) = masses {
                for (log, &mass) in logs.iter_mut().zip(&masses[side][range.clone()]) {
                    *log = K::Real::nearest(mass.max(K::Real::none().into()));
                }
            }
            logs
        };
        let (rows, cols) = (block.rows.len().next_multiple_of(width::<S, K::Real>()), block.cols.len());
        let (of_left, of_right) = (of(0, rows, &block.rows), of(1, cols, &block.cols));

        let mut left = vec![none; rows];
        let mut right = vec![none; cols];
        for j in 0..cols {
            let more = K::Real::splat(simd, of_right[j]);
            let mut greatest = K::Real::splat(simd, none);
            for (i, row) in table.row(j, lanes) {
                let peaks = K::Real::vectors_mut::<S>(&mut left[i..][..row.len()]);
                let masses = K::Real::vectors::<S>(&of_left[i..][..row.len()]);
                for ((&e, peak), &mass) in K::Real::vectors::<S>(row).iter().zip(peaks).zip(masses) {
                    *peak = K::Real::max(simd, *peak, K::Real::plus(simd, e, more));
                    greatest = K::Real::max(simd, greatest, K::Real::plus(simd, e, mass));
                }
            }
            right[j] = K::Real::lane_max(simd, greatest);
        }

        let exp = K::exp_at(K::steepness(rate));
        let floor = K::Real::splat(simd, K::Real::nearest(K::LEAST / K::steepness(rate)));
        let term = |e, more, peak| {
            let z = K::Real::minus(simd, K::Real::plus(simd, e, more), peak);
            K::exp(simd, exp, K::Real::max(simd, z, floor))
        };
        let mut left_sums = vec![K::Real::default(); rows];
        let mut right_sums = vec![K::Real::default(); cols];
        for j in 0..cols {
            let (more, peak) = (K::Real::splat(simd, of_right[j]), K::Real::splat(simd, right[j]));
            let mut sum = K::Real::splat(simd, K::Real::default());
            for (i, row) in table.row(j, lanes) {
                let peaks = K::Real::vectors::<S>(&left[i..][..row.len()]);
                let masses = K::Real::vectors::<S>(&of_left[i..][..row.len()]);
                let sums = K::Real::vectors_mut::<S>(&mut left_sums[i..][..row.len()]);
                let row = K::Real::vectors::<S>(row);
                for (((&e, of_left), &mass), &of_row) in row.iter().zip(sums).zip(masses).zip(peaks) {
                    *of_left = K::Real::plus(simd, *of_left, term(e, more, of_row));
                    sum = K::Real::plus(simd, sum, term(e, mass, peak));
                }
            }
            right_sums[j] = K::Real::lane_sum(simd, sum);
        }
        scratch.weights = memory;
        left.truncate(block.rows.len());
        let potentials = |peaks: Vec<K::Real>, sums: Vec<K::Real>| {
            let of = |(pivot, sum): (K::Real, K::Real)| {
                let (pivot, sum) = (pivot.into(), sum.into());
                // Nothing but pairs that do not count, or masses of 0.
                if pivot <= 0.25 * none.into() { Potential::EMPTY } else { Potential { pivot, sum } }
            };
            peaks.into_iter().zip(sums).map(of).collect()
        };
        [potentials(left, left_sums), potentials(right, right_sums)]
    }
}
