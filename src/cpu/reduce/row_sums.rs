//! Sums of exponentials over the pairs that each point is in, by one formula.

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            cache::SimilarityCache,
            formula::{Formula, Vector},
            mainloop::{Accumulators, Epilogue, mainloop},
            microkernel::width,
            pack::Scratch,
            similarities::Similarities,
        },
        pairs::PairSet,
        points::filled,
        reduce::total::PartialSum,
        schedule::for_each_block,
        simd::{
            float::Float,
            isa::{Isa, Job},
        },
    },
    error::Result,
    progress::Watch,
    schedule::Block,
};

/// Partial sum of each point of either set, Σ exp(`rate` · (similarity − shift)), with a shift of its own.
pub(crate) struct RowSums {
    pub(crate) x: Vec<PartialSum>,
    pub(crate) y: Option<Vec<PartialSum>>,
}

/// Contribution of a block to the rows on its left and on its right.
type BlockRowSums = [Vec<PartialSum>; 2];

impl RowSums {
    fn empty(pairs: PairSet<'_>) -> Result<Self> {
        let empty = |rows: usize| filled(PartialSum::EMPTY, rows, 1);
        let y = pairs.second().map(|y| empty(y.len())).transpose()?;
        Ok(Self { x: empty(pairs.left().len())?, y })
    }

    fn join(&mut self, block: &Block, [left, right]: BlockRowSums, rate: f64) {
        let join = |sums: &mut [PartialSum], parts: Vec<PartialSum>| {
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum = sum.join(part, rate));
        };
        join(&mut self.x[block.rows.clone()], left);
        join(&mut self.y.as_mut().unwrap_or(&mut self.x)[block.cols.clone()], right);
    }
}

/// Log point weights of both sets; `None` means that all weights are 1.
pub(crate) type LogWeights<'a> = Option<[&'a [f64]; 2]>;

/// Row sums with a shift for each row: the greatest of its own exponents, which are rate · (similarity − `UPPER_BOUND`).
pub(crate) fn row_sums<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    rate: f64,
    weights: LogWeights<'_>,
    watch: &Watch,
) -> Result<RowSums> {
    let mut sums = RowSums::empty(pairs)?;
    let one = |block: &Block, scratch: &mut Scratch<F::Real>| {
        isa.run(OwnShiftSums::<F> { pairs, block, rate, weights, scratch })
    };
    for_each_block(pairs, watch, one, |block, part| sums.join(block, part, F::exp_rate(rate)))?;
    Ok(sums)
}

/// Rate of exponents so small that all rows can share a shift, and that shift.
#[derive(Clone, Copy)]
pub(crate) struct SharedShift {
    pub(crate) rate: f64,
    pub(crate) shift: f64,
}

/// Row sums for each rate, all rows with one shift; similarities may be stored in a cache for another pass.
pub(crate) fn shared_shift_row_sums<F: Formula>(
    isa: Isa,
    pairs: PairSet<'_>,
    shifts: &[SharedShift],
    cache: Option<&SimilarityCache<F::Real>>,
    watch: &Watch,
) -> Result<Vec<RowSums>> {
    let mut sums = shifts.iter().map(|_| RowSums::empty(pairs)).collect::<Result<Vec<_>>>()?;
    let one = |block: &Block, scratch: &mut Scratch<F::Real>| {
        isa.run(SharedShiftSums::<F> { pairs, block, shifts, cache, scratch })
    };
    for_each_block(pairs, watch, one, |block, parts| {
        // Shifts are stored as exponents are there.
        for ((sums, part), of) in sums.iter_mut().zip(parts).zip(shifts) {
            sums.join(block, part, F::exp_rate(of.rate));
        }
    })?;
    Ok(sums)
}

struct SharedShiftSums<'a, F: Formula> {
    pairs: PairSet<'a>,
    block: &'a Block,
    shifts: &'a [SharedShift],
    cache: Option<&'a SimilarityCache<F::Real>>,
    scratch: &'a mut Scratch<F::Real>,
}

impl<F: Formula> Job for SharedShiftSums<'_, F> {
    type Output = Vec<BlockRowSums>;
    const SMALL_TILES: bool = F::SMALL_TILES;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<BlockRowSums> {
        let Self { pairs, block, shifts, cache, scratch } = self;
        let Scratch { packed, left_values, right_values, .. } = scratch;
        let (rows, cols) = (block.rows.len().next_multiple_of(width::<S, F::Real>()), block.cols.len());
        let across = cols.next_multiple_of(SIDE) * F::Real::lanes::<S>();
        let (lefts, rights) =
            (left_values.take(shifts.len() * rows), right_values.take(shifts.len() * across));
        lefts.fill(F::Real::default());
        rights.fill(F::Real::default());
        let sums = lefts.chunks_exact_mut(rows).zip(rights.chunks_exact_mut(across));
        let adder = |(of, (left, right)): (&SharedShift, _)| RowAdder::<F> {
            exp: F::exp_for(of.rate),
            shift: F::Real::nearest(of.shift),
            left,
            right,
        };
        let mut adders: Vec<_> = shifts.iter().zip(sums).map(adder).collect();
        match cache {
            Some(cache) => cache.mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut adders),
            None => mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut adders),
        }
        let mut parts = Vec::with_capacity(shifts.len());
        for (adder, of) in adders.iter().zip(shifts) {
            let shift = (of.shift - F::UPPER_BOUND) * of.rate / F::exp_rate(of.rate);
            let of_left = adder.left[..block.rows.len()].iter();
            let of_left = of_left.map(|&sum| PartialSum { shift, sum: sum.into() }).collect();
            let mut of_right = Vec::with_capacity(cols);
            for &sum in &F::Real::vectors::<S>(adder.right)[..cols] {
                of_right.push(PartialSum { shift, sum: F::Real::lane_sum(simd, sum).into() });
            }
            parts.push([of_left, of_right]);
        }
        parts
    }
}

/// Epilogue that adds up the exponentials of each row on the left and on the right.
struct RowAdder<'a, F: Formula> {
    exp: F::Exp,
    shift: F::Real,
    left: &'a mut [F::Real],
    /// A vector for each row.
    right: &'a mut [F::Real],
}

impl<F: Formula> Epilogue<F> for Vec<RowAdder<'_, F>> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        for adder in self {
            adder.apply::<S, SIDE>(simd, tile);
        }
    }
}

impl<F: Formula> RowAdder<'_, F> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>) {
        let (i, j) = tile.at;
        let (lanes, zero) = (F::Real::lanes::<S>(), F::Real::splat(simd, F::Real::default()));
        let shift = F::Real::splat(simd, self.shift);
        let left = F::Real::vectors_mut::<S>(&mut self.left[i..][..2 * lanes]);
        let right = F::Real::vectors_mut::<S>(&mut self.right[j * lanes..][..SIDE * lanes]);
        for (r, (similarity, right)) in tile.similarities.iter().zip(right).enumerate() {
            for half in [0, 1] {
                let weight = F::exp(simd, self.exp, F::Real::minus(simd, similarity[half], shift));
                let weight = tile.counted(simd, r, half, weight, zero);
                left[half] = F::Real::plus(simd, left[half], weight);
                *right = F::Real::plus(simd, *right, weight);
            }
        }
    }
}

struct OwnShiftSums<'a, F: Formula> {
    pairs: PairSet<'a>,
    block: &'a Block,
    rate: f64,
    weights: LogWeights<'a>,
    scratch: &'a mut Scratch<F::Real>,
}

impl<F: Formula> Job for OwnShiftSums<'_, F> {
    type Output = BlockRowSums;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> BlockRowSums {
        let Self { pairs, block, rate, weights, scratch } = self;
        let Scratch { packed, table, .. } = scratch;
        let table = Similarities::<F>::new(rate).table::<S, SIDE>(simd, pairs, block, packed, table);
        let lanes = F::Real::lanes::<S>();
        let excluded = F::Real::excluded();
        let (rows, cols) = (block.rows.len().next_multiple_of(width::<S, F::Real>()), block.cols.len());
        let of_left = log_weights_of::<F>(weights.map(|w| &w[0][block.rows.clone()]), rate, rows);
        let of_right = log_weights_of::<F>(weights.map(|w| &w[1][block.cols.clone()]), rate, cols);

        let mut left = vec![excluded; rows];
        let mut right = vec![excluded; cols];
        for j in 0..cols {
            let more = F::Real::splat(simd, of_right[j]);
            let mut greatest = F::Real::splat(simd, excluded);
            for (i, row) in table.row(j, lanes) {
                let peaks = F::Real::vectors_mut::<S>(&mut left[i..][..row.len()]);
                let weights = F::Real::vectors::<S>(&of_left[i..][..row.len()]);
                for ((&e, peak), &weight) in F::Real::vectors::<S>(row).iter().zip(peaks).zip(weights) {
                    *peak = F::Real::max(simd, *peak, F::Real::plus(simd, e, more));
                    greatest = F::Real::max(simd, greatest, F::Real::plus(simd, e, weight));
                }
            }
            right[j] = F::Real::lane_max(simd, greatest);
        }

        let exp = F::exp_for(F::exp_rate(rate));
        let floor = F::Real::splat(simd, F::Real::nearest(F::MIN_EXPONENT / F::exp_rate(rate)));
        let mut left_sums = vec![F::Real::default(); rows];
        let mut right_sums = vec![F::Real::default(); cols];
        for j in 0..cols {
            let (more, peak) = (F::Real::splat(simd, of_right[j]), F::Real::splat(simd, right[j]));
            let mut sum = F::Real::splat(simd, F::Real::default());
            for (i, row) in table.row(j, lanes) {
                let peaks = F::Real::vectors::<S>(&left[i..][..row.len()]);
                let weights = F::Real::vectors::<S>(&of_left[i..][..row.len()]);
                let sums = F::Real::vectors_mut::<S>(&mut left_sums[i..][..row.len()]);
                let row = F::Real::vectors::<S>(row);
                for (((&e, of_left), &weight), &of_row) in row.iter().zip(sums).zip(weights).zip(peaks) {
                    let term = relative::<S, F>(simd, exp, F::Real::plus(simd, e, more), of_row, floor);
                    *of_left = F::Real::plus(simd, *of_left, term);
                    let term = relative::<S, F>(simd, exp, F::Real::plus(simd, e, weight), peak, floor);
                    sum = F::Real::plus(simd, sum, term);
                }
            }
            right_sums[j] = F::Real::lane_sum(simd, sum);
        }
        left.truncate(block.rows.len());
        [sums_of::<F>(left, left_sums), sums_of::<F>(right, right_sums)]
    }
}

/// Exponential exp(e − peak), with an exponent that is not below `floor`.
#[inline(always)]
fn relative<S: Simd, F: Formula>(
    simd: S,
    exp: F::Exp,
    e: Vector<S, F>,
    peak: Vector<S, F>,
    floor: Vector<S, F>,
) -> Vector<S, F> {
    F::exp(simd, exp, F::Real::max(simd, F::Real::minus(simd, e, peak), floor))
}

/// Log weights of some rows on the scale of stored exponents, filled up to `len` with 0; all 0 where none are given.
fn log_weights_of<F: Formula>(weights: Option<&[f64]>, rate: f64, len: usize) -> Vec<F::Real> {
    let exp_rate = F::exp_rate(rate);
    let mut logs = vec![F::Real::default(); len];
    if let Some(weights) = weights {
        for (log, &weight) in logs.iter_mut().zip(weights) {
            *log = F::Real::nearest((weight / exp_rate).max(F::Real::excluded().into()));
        }
    }
    logs
}

fn sums_of<F: Formula>(peaks: Vec<F::Real>, sums: Vec<F::Real>) -> Vec<PartialSum> {
    let of = |(shift, sum): (F::Real, F::Real)| {
        let (shift, sum) = (shift.into(), sum.into());
        // Nothing but pairs that do not count, or weights of 0.
        if shift <= 0.25 * F::Real::excluded().into() { PartialSum::EMPTY } else { PartialSum { shift, sum } }
    };
    peaks.into_iter().zip(sums).map(of).collect()
}
