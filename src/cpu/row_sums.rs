//! Sums of exponentials over the pairs that each point is in.

use std::{mem, ops::Range};

use pulp::Simd;

use super::{
    closeness::Closeness,
    float::Float,
    kept::Kept,
    kernel::{Kernel, Vector},
    level::{Job, Level},
    log_sum::Potential,
    pack::Scratch,
    sets::Sets,
    sweep::sweep,
    tile::width,
    walk::{Close, Visit, walk},
};
use crate::{error::Result, progress::Watch, schedule::Block};

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

/// The same for each rate and pivot, of exponents so small that one pivot serves all rows; how close pairs are may be kept
/// for another pass.
pub(super) fn level_row_sums<K: Kernel>(
    level: Level,
    sets: Sets<'_>,
    rates: &[(f64, f64)],
    kept: Option<&Kept<K::Real>>,
    watch: &Watch<'_>,
) -> Result<Vec<RowSums>> {
    let mut sums: Vec<_> = rates.iter().map(|_| RowSums::none(sets)).collect();
    let one = |block: &Block, scratch: &mut Scratch<K::Real>| {
        level.run(Levels::<K> { sets, block, rates, kept, scratch })
    };
    sweep(sets, watch, one, |block, parts| {
        // Pivots are kept as exponents are there.
        for ((sums, part), &(rate, _)) in sums.iter_mut().zip(parts).zip(rates) {
            sums.join(block, part, K::steepness(rate));
        }
    })?;
    Ok(sums)
}

struct Levels<'a, K: Kernel> {
    sets: Sets<'a>,
    block: &'a Block,
    rates: &'a [(f64, f64)],
    kept: Option<&'a Kept<K::Real>>,
    scratch: &'a mut Scratch<K::Real>,
}

impl<K: Kernel> Job for Levels<'_, K> {
    type Output = Vec<Part>;
    const SMALL: bool = K::FEW;

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) -> Vec<Part> {
        let Self { sets, block, rates, kept, scratch } = self;
        let (rows, cols) = (block.rows.len().next_multiple_of(width::<S, K::Real>()), block.cols.len());
        let across = cols.next_multiple_of(SIDE) * K::Real::lanes::<S>();
        let mut left = mem::take(&mut scratch.weights);
        let mut right = mem::take(&mut scratch.strip);
        let (lefts, rights) = (left.take(rates.len() * rows), right.take(rates.len() * across));
        lefts.fill(K::Real::default());
        rights.fill(K::Real::default());
        let sums = lefts.chunks_exact_mut(rows).zip(rights.chunks_exact_mut(across));
        let adder = |(&(rate, pivot), (left, right))| Adder::<K> {
            exp: K::exp_at(rate),
            pivot: K::Real::nearest(pivot),
            left,
            right,
        };
        let mut adders: Vec<_> = rates.iter().zip(sums).map(adder).collect();
        match kept {
            Some(kept) => kept.walk::<S, K, SIDE>(simd, sets, block, scratch, &mut adders),
            None => walk::<S, K, SIDE>(simd, sets, block, scratch, &mut adders),
        }
        let mut parts = Vec::with_capacity(rates.len());
        for (adder, &(rate, pivot)) in adders.iter().zip(rates) {
            let pivot = (pivot - K::TOP) * rate / K::steepness(rate);
            let of_left = adder.left[..block.rows.len()].iter();
            let of_left = of_left.map(|&sum| Potential { pivot, sum: sum.into() }).collect();
            let mut of_right = Vec::with_capacity(cols);
            for &sum in &K::Real::vectors::<S>(adder.right)[..cols] {
                of_right.push(Potential { pivot, sum: K::Real::lane_sum(simd, sum).into() });
            }
            parts.push([of_left, of_right]);
        }
        (scratch.weights, scratch.strip) = (left, right);
        parts
    }
}

struct Adder<'a, K: Kernel> {
    exp: K::Exp,
    pivot: K::Real,
    left: &'a mut [K::Real],
    /// A vector for each row.
    right: &'a mut [K::Real],
}

impl<K: Kernel> Visit<K> for Vec<Adder<'_, K>> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        for adder in self {
            adder.visit::<S, SIDE>(simd, tile);
        }
    }
}

impl<K: Kernel> Adder<'_, K> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>) {
        let (i, j) = tile.at;
        let (lanes, zero) = (K::Real::lanes::<S>(), K::Real::splat(simd, K::Real::default()));
        let pivot = K::Real::splat(simd, self.pivot);
        let left = K::Real::vectors_mut::<S>(&mut self.left[i..][..2 * lanes]);
        let right = K::Real::vectors_mut::<S>(&mut self.right[j * lanes..][..SIDE * lanes]);
        for (r, (close, right)) in tile.closeness.iter().zip(right).enumerate() {
            for half in [0, 1] {
                let weight = K::exp(simd, self.exp, K::Real::minus(simd, close[half], pivot));
                let weight = tile.counted(simd, (r, half), weight, zero);
                left[half] = K::Real::plus(simd, left[half], weight);
                *right = K::Real::plus(simd, *right, weight);
            }
        }
    }
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
        let (rows, cols) = (block.rows.len().next_multiple_of(width::<S, K::Real>()), block.cols.len());
        let of_left = own_masses::<K>(masses, rate, 0, &block.rows, rows);
        let of_right = own_masses::<K>(masses, rate, 1, &block.cols, cols);

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
                    let term = relative::<S, K>(simd, exp, (e, more), (of_row, floor));
                    *of_left = K::Real::plus(simd, *of_left, term);
                    let term = relative::<S, K>(simd, exp, (e, mass), (peak, floor));
                    sum = K::Real::plus(simd, sum, term);
                }
            }
            right_sums[j] = K::Real::lane_sum(simd, sum);
        }
        scratch.weights = memory;
        left.truncate(block.rows.len());
        [sums_of::<K>(left, left_sums), sums_of::<K>(right, right_sums)]
    }
}

/// exp(e + more − peak), where that is not below `floor`.
#[inline(always)]
fn relative<S: Simd, K: Kernel>(
    simd: S,
    exp: K::Exp,
    (e, more): (Vector<S, K>, Vector<S, K>),
    (peak, floor): (Vector<S, K>, Vector<S, K>),
) -> Vector<S, K> {
    let z = K::Real::minus(simd, K::Real::plus(simd, e, more), peak);
    K::exp(simd, exp, K::Real::max(simd, z, floor))
}

/// The logs of the masses of some rows as exponents are kept, filled up to `len`; 0 where none are given.
fn own_masses<K: Kernel>(
    masses: LogMasses<'_>,
    rate: f64,
    side: usize,
    rows: &Range<usize>,
    len: usize,
) -> Vec<K::Real> {
    let steepness = K::steepness(rate);
    let mut logs = vec![K::Real::default(); len];
    if let Some(masses) = masses {
        for (log, &mass) in logs.iter_mut().zip(&masses[side][rows.clone()]) {
            *log = K::Real::nearest((mass / steepness).max(K::Real::none().into()));
        }
    }
    logs
}

fn sums_of<K: Kernel>(peaks: Vec<K::Real>, sums: Vec<K::Real>) -> Vec<Potential> {
    let of = |(pivot, sum): (K::Real, K::Real)| {
        let (pivot, sum) = (pivot.into(), sum.into());
        // Nothing but pairs that do not count, or masses of 0.
        if pivot <= 0.25 * K::Real::none().into() { Potential::EMPTY } else { Potential { pivot, sum } }
    };
    peaks.into_iter().zip(sums).map(of).collect()
}
