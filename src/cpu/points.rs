//! Points as the CPU stores them.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{Arc, OnceLock},
};

use half::f16;
use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        block::{
            microkernel::{MAX_TILE_WIDTH, width},
            pack::{Buffer, DIMS_PER_PARTIAL_SUM, interleave, prefetch},
        },
        simd::{
            float::Float,
            isa::{Isa, Job},
            lanes::sum_of,
        },
        spare::{self, SpareValues, zeros},
    },
    error::{Error, Result},
    memory,
    points::{Embeddings, HalfEmbeddings, HostRows, Points, RowView, Scaling, hash, widen, widen_into},
};

/// Points, n of d dimensions, row-major.
///
/// A row to be scaled is stored as it came but for a power of two, so without any loss, at a length in [1/√2, √2]. The exact
/// factor to unit length stands beside it, and each use rounds as it can bear. Rows in half precision are stored as they came.
pub(crate) struct Rows {
    scaling: Scaling,
    values: Values,
    dims: usize,
    /// Inverse lengths of the rows as stored; 1 for raw points.
    inverse: Vec<f64>,
    /// Lengths of the rows as they came; empty for raw points.
    lengths: Vec<f64>,
    /// Excess (s − 1) / 2 of the squared length s that the f32 formula sees.
    excess: RowTerms<f32>,
    /// Squared lengths that the f64 formula sees.
    squares: RowTerms<f64>,
    /// Effective number of different rows: 1 / Σp², where p are the shares of equal rows in a sample. 0 for raw points.
    varied: f64,
    /// Instruction set of work on single rows.
    isa: Isa,
}

/// Values of all rows, row-major.
enum Values {
    Single(SpareValues),
    /// Sums over blocks widen the rows that they pack. Whatever else reads them takes all of them as f32, made at its first use.
    Half {
        values: Vec<f16>,
        wide: OnceLock<Vec<f32>>,
    },
}

/// Most unit rows that are summed in f64 whatever else holds.
pub(crate) const MAX_ROWS_FOR_F64: usize = 128;

/// Rows, evenly spread, that show how many differ.
const ROWS_SAMPLED: usize = 1024;

/// Rows that a thread takes at a time.
const ROWS_PER_TASK: usize = 96;

/// Most values that the caller's thread goes through once without waking the pool, which takes as long. Work that goes through them
/// several times, on threads that are awake, is cut into [`VALUES_PER_TASK`].
const MAX_VALUES_WITHOUT_HAND_OFF: usize = 1 << 16;

/// Values at the start of a row by which most rows are told apart: as many as one number of 128 bits holds.
const VALUES_OF_START: usize = 4;

impl Rows {
    /// Rows as they came, in the memory of points of the same shape where nobody else has a handle of those.
    pub(crate) fn given(isa: Isa, points: Embeddings<'_>, reused: Option<Points>) -> Result<Self> {
        let (rows, dims, scaling) = (points.rows(), points.dims(), points.scaling());
        let reused = reused.filter(|reused| reused.shape() == (rows, dims));
        let reused = reused.and_then(|reused| Arc::try_unwrap(reused.storage.downcast::<Self>().ok()?).ok());
        let empty = || Self {
            scaling,
            values: Values::Single(Vec::new().into()),
            dims,
            inverse: Vec::new(),
            lengths: Vec::new(),
            excess: RowTerms::default(),
            squares: RowTerms::default(),
            varied: 0.0,
            isa,
        };
        let mut storage = reused.unwrap_or_else(empty);
        storage.scaling = scaling;
        storage.varied = 0.0;
        let (values, lengths) = points.into_parts();
        let mut memory = match storage.values {
            Values::Single(memory) => memory.into_vec(),
            Values::Half { .. } => Vec::new(),
        };
        let what = || format!("{rows} × {dims} points");
        keep(values, &mut memory, || spare::reserved(rows, dims, what))?;
        storage.values = Values::Single(memory.into());
        keep(lengths, &mut storage.lengths, || memory::reserved(rows, 1, what))?;
        storage.inverse.clear();
        if storage.inverse.capacity() < rows {
            storage.inverse = memory::reserved(rows, 1, what)?;
        }
        storage.inverse.resize(rows, 1.0);
        storage.excess = RowTerms::default();
        storage.squares = RowTerms::default();
        Ok(storage)
    }

    /// Rows in half precision, as they came.
    pub(crate) fn half(isa: Isa, points: HalfEmbeddings) -> Result<Self> {
        let (rows, dims, scaling) = (points.rows(), points.dims(), points.scaling());
        let (values, lengths) = points.into_parts();
        let inverse = memory::filled(1.0, rows, 1, || format!("the lengths of {rows} rows"))?;
        Ok(Self {
            scaling,
            values: Values::Half { values, wide: OnceLock::new() },
            dims,
            inverse,
            lengths,
            excess: RowTerms::default(),
            squares: RowTerms::default(),
            varied: 0.0,
            isa,
        })
    }

    /// Scales the rows as they came, unless raw, and measures them.
    pub(crate) fn into_points(mut self) -> Points {
        if self.scaling == Scaling::Unit {
            self.scale();
            self.sample();
        }
        self.shared()
    }

    /// Points of some of these rows, which may repeat.
    pub(crate) fn gather(&self, rows: &[usize]) -> Result<Points> {
        let dims = self.dims;
        let mut values = zeros(rows.len(), dims)?;
        values
            .par_chunks_exact_mut(dims)
            .zip(rows)
            .for_each(|(out, &row)| out.copy_from_slice(self.row(row)));
        let of = |all: &[f64]| rows.iter().filter_map(|&row| all.get(row).copied()).collect();
        let mut storage = Self {
            scaling: self.scaling,
            values: Values::Single(values.into()),
            dims,
            inverse: of(&self.inverse),
            lengths: of(&self.lengths),
            excess: RowTerms::default(),
            squares: RowTerms::default(),
            varied: 0.0,
            isa: self.isa,
        };
        if self.scaling == Scaling::Unit {
            storage.sample();
        }
        Ok(storage.shared())
    }

    fn shared(self) -> Points {
        Points { rows: self.len(), dims: self.dims, scaling: self.scaling, storage: Arc::new(self) }
    }

    /// Whether a thread goes through all values while it would wait for another.
    pub(crate) fn are_quick(&self) -> bool {
        self.len() <= rows_per_task(self.dims)
    }

    /// Rows of points that this backend has made, as f32.
    pub(crate) fn of(points: &Points) -> Result<Arc<Self>> {
        let rows = Self::as_stored(points)?;
        if let Values::Half { values, wide } = &rows.values
            && wide.get().is_none()
        {
            // Another thread may have been faster.
            let _ = wide.set(widen(values, rows.dims)?);
        }
        Ok(rows)
    }

    /// The same for sums over blocks, which take rows in half precision as they are.
    pub(crate) fn as_stored(points: &Points) -> Result<Arc<Self>> {
        points.storage.clone().downcast().map_err(|_| Error::OtherDevice)
    }

    /// Whether its rows are there as f32.
    #[cfg(test)]
    pub(crate) fn is_widened(&self) -> bool {
        match &self.values {
            Values::Single(_) => true,
            Values::Half { wide, .. } => wide.get().is_some(),
        }
    }

    fn scale(&mut self) {
        let values = match &mut self.values {
            Values::Single(values) => values,
            Values::Half { .. } => {
                // Next to nothing for each row, on one thread.
                let inverse = self.inverse.iter_mut().zip(&self.lengths);
                return inverse.for_each(|(inverse, length)| *inverse = length.recip());
            }
        };
        let scale = |((row, of_row), inverse): ((&mut [f32], &f64), &mut f64)| {
            // Lengths are limited to those for which this power is an f32.
            let power = power_to_unit(*of_row);
            if power != 1.0 {
                row.iter_mut().for_each(|v| *v *= power as f32);
            }
            *inverse = 1.0 / (*of_row * power);
        };
        let (lengths, inverse) = (&self.lengths, &mut self.inverse);
        if values.len() <= MAX_VALUES_WITHOUT_HAND_OFF {
            values.chunks_exact_mut(self.dims).zip(lengths).zip(inverse).for_each(scale);
        } else {
            let rows = values.par_chunks_exact_mut(self.dims).with_min_len(ROWS_PER_TASK);
            rows.zip(lengths).zip(inverse).for_each(scale);
        }
    }

    /// Tells how many rows differ, and forgets what was measured of others.
    fn sample(&mut self) {
        self.excess = RowTerms::of_rows(self.len());
        self.squares = RowTerms::of_rows(self.len());
        let sample = || (0..self.len()).step_by(self.len().div_ceil(ROWS_SAMPLED).max(1));
        let mut starts: Vec<_> = sample().map(|row| self.start_of(row)).collect();
        starts.sort_unstable();
        self.varied = if starts.windows(2).all(|pair| pair[0] != pair[1]) {
            starts.len() as f64
        } else {
            let hashed = |wide: &mut Vec<f32>, row| hash(self.rows_at(row..row + 1, wide).row(0));
            let sample: Vec<_> = sample().collect();
            // A hand-off to other threads takes longer than the hashes of few rows.
            let sample = sample.into_par_iter().with_min_len(ROWS_PER_TASK);
            let mut hashes: Vec<_> = sample.map_init(Vec::new, hashed).collect();
            hashes.sort_unstable();
            let part = |equal: &[u64]| equal.len() as f64 / hashes.len() as f64;
            hashes.chunk_by(|a, b| a == b).map(|equal| part(equal).powi(2)).sum::<f64>().recip()
        };
    }

    /// First values of a row, which differ only where the rows do. Most samples are told apart by them, in a fraction of the time.
    fn start_of(&self, row: usize) -> u128 {
        let values = row * self.dims..row * self.dims + self.dims.min(VALUES_OF_START);
        // A sum with 0 makes the two zeros one.
        let join = |all: u128, v: f32| all << 32 | u128::from((v + 0.0).to_bits());
        match &self.values {
            Values::Single(all) => all[values].iter().copied().fold(0, join),
            Values::Half { values: all, .. } => all[values].iter().map(|v| v.to_f32()).fold(0, join),
        }
    }

    /// Squared lengths of some rows, as a formula of this precision sees them.
    fn measure<T: Float>(&self, range: Range<usize>) -> Box<[T]> {
        let mut out = vec![T::default(); range.len()].into_boxed_slice();
        self.isa.run(Squares { rows: self, range, out: &mut out });
        out
    }

    pub(crate) fn len(&self) -> usize {
        self.inverse.len()
    }

    /// Instruction set of work on single rows.
    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    pub(crate) fn scaling(&self) -> Scaling {
        self.scaling
    }

    pub(crate) fn dims(&self) -> usize {
        self.dims
    }

    /// Row as stored, as f32.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        let values: &[f32] = match &self.values {
            Values::Single(values) => values,
            // Whoever reads single rows has them from `of`, which made this.
            Values::Half { values, wide } => wide.get_or_init(|| values.iter().map(|v| v.to_f32()).collect()),
        };
        &values[row * self.dims..][..self.dims]
    }

    /// Some rows as stored, which `wide` holds as f32 where they are in half precision.
    #[inline(always)]
    pub(crate) fn rows_at<'a>(&'a self, rows: Range<usize>, wide: &'a mut Vec<f32>) -> RowRange<'a> {
        let places = rows.start * self.dims..rows.end * self.dims;
        let values = match &self.values {
            Values::Single(values) => &values[places],
            Values::Half { values, .. } => {
                wide.resize(places.len(), 0.0);
                widen_into(&values[places], wide);
                wide
            }
        };
        RowRange { values, dims: self.dims }
    }

    /// Calls a row that will be packed soon into the cache.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: usize) {
        match &self.values {
            Values::Single(values) => prefetch(&values[row * self.dims..][..self.dims]),
            Values::Half { values, .. } => prefetch(&values[row * self.dims..][..self.dims]),
        }
    }

    /// Factor from a row as stored to what metrics see.
    #[inline(always)]
    pub(crate) fn scale_of<T: Float>(&self, row: usize) -> T {
        T::scale(self.inverse[row])
    }

    /// Excess of some rows, at the front of `out`, whose rest becomes 0; all of it for raw points.
    pub(crate) fn excess(&self, range: Range<usize>, out: &mut [f32]) {
        self.excess.copy(range, out, |rows| {
            let mut excess = self.measure(rows);
            excess.iter_mut().for_each(|s| *s = 0.5 * (*s - 1.0));
            excess
        });
    }

    /// Values of a row in f64, as metrics see them.
    #[inline(always)]
    pub(crate) fn view(&self, row: usize) -> RowView<'_> {
        RowView { values: self.row(row), scale: self.inverse[row] }
    }

    /// Whether these are unit rows so few that they are summed in f64.
    pub(crate) fn few(&self) -> bool {
        self.scaling == Scaling::Unit && self.len() <= MAX_ROWS_FOR_F64
    }

    /// Effective number of different rows, over which rounding averages out.
    pub(crate) fn varied(&self) -> f64 {
        self.varied
    }

    /// Squared lengths of some rows, at the front of `out`, whose rest becomes 0; all of it for raw points.
    pub(crate) fn squares(&self, range: Range<usize>, out: &mut [f64]) {
        self.squares.copy(range, out, |rows| self.measure(rows));
    }

    /// Row as metrics see it.
    pub(crate) fn seen(&self, row: usize) -> impl Iterator<Item = f64> + Clone {
        self.view(row).seen()
    }

    /// Factor from the gradient for a row as metrics see it, along the sphere, to that for the row as it came.
    #[inline(always)]
    pub(crate) fn inverse_length(&self, row: usize) -> f64 {
        self.lengths.get(row).map_or(1.0, |length| length.recip())
    }

    /// Carries the gradient for a row as metrics see it to the row as it came.
    #[inline(always)]
    pub(crate) fn through_scaling(&self, row: usize, gradient: &mut [f64]) {
        if self.scaling == Scaling::Raw {
            return;
        }
        let RowView { values, scale } = self.view(row);
        let through = self.scaling_of(row, || sum_of(values, gradient, |x, g| f64::from(x) * scale * g));
        for (g, &x) in gradient.iter_mut().zip(values) {
            *g = through.carry(*g, f64::from(x) * scale);
        }
    }

    /// The scaling of a row, as gradients go through it; `radial` is the inner product of the row and its gradient as metrics see them.
    #[inline(always)]
    pub(crate) fn scaling_of(&self, row: usize, radial: impl FnOnce() -> f64) -> ThroughScaling {
        match self.scaling {
            Scaling::Raw => ThroughScaling { radial: 0.0, inverse_length: 1.0 },
            Scaling::Unit => ThroughScaling { radial: radial(), inverse_length: self.inverse_length(row) },
        }
    }
}

/// Derivative of a row's scaling.
#[derive(Clone, Copy)]
pub(crate) struct ThroughScaling {
    radial: f64,
    inverse_length: f64,
}

impl ThroughScaling {
    /// Gradient for a value as it came, from the gradient for the value `x` that metrics see.
    #[inline(always)]
    pub(crate) fn carry(self, gradient: f64, x: f64) -> f64 {
        (gradient - x * self.radial) * self.inverse_length
    }
}

/// Some rows as f32, counted from the first of them.
#[derive(Clone, Copy)]
pub(crate) struct RowRange<'a> {
    values: &'a [f32],
    dims: usize,
}

impl<'a> RowRange<'a> {
    #[inline(always)]
    pub(crate) fn row(self, row: usize) -> &'a [f32] {
        &self.values[row * self.dims..][..self.dims]
    }
}

/// A number for every row, measured for [`ROWS_PER_TASK`] of them when it is first asked for: no pass over all points that
/// nothing needs, and none of its own where the rows are packed next. None for raw points.
struct RowTerms<T> {
    rows: usize,
    tasks: Vec<OnceLock<Box<[T]>>>,
}

impl<T> Default for RowTerms<T> {
    fn default() -> Self {
        Self { rows: 0, tasks: Vec::new() }
    }
}

impl<T: Copy + Default> RowTerms<T> {
    fn of_rows(rows: usize) -> Self {
        let mut tasks = Vec::new();
        tasks.resize_with(rows.div_ceil(ROWS_PER_TASK), OnceLock::new);
        Self { rows, tasks }
    }

    /// Writes those of some rows to the front of `out`, and 0 to the rest. Other threads may wait for `measure`, which must not
    /// wait for any.
    fn copy(&self, mut rows: Range<usize>, mut out: &mut [T], measure: impl Fn(Range<usize>) -> Box<[T]>) {
        while let (false, Some(task)) = (rows.is_empty(), self.tasks.get(rows.start / ROWS_PER_TASK)) {
            let first = rows.start / ROWS_PER_TASK * ROWS_PER_TASK;
            let terms = task.get_or_init(|| measure(first..self.rows.min(first + ROWS_PER_TASK)));
            let terms = &terms[rows.start - first..];
            let terms = &terms[..terms.len().min(rows.len())];
            let (front, rest) = out.split_at_mut(terms.len());
            front.copy_from_slice(terms);
            out = rest;
            rows.start += terms.len();
        }
        out.fill(T::default());
    }
}

impl HostRows for Rows {
    fn rows(&self) -> usize {
        self.len()
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn view(&self, row: usize) -> RowView<'_> {
        self.view(row)
    }
}

/// Squared length of each row, in the very operations of the microkernel: of equal rows, it is their product.
struct Squares<'a, T> {
    rows: &'a Rows,
    range: Range<usize>,
    out: &'a mut [T],
}

impl<T: Float> Job for Squares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let width = width::<S, T>();
        let mut buffer = Buffer::<T>::default();
        let panel = buffer.take(width * self.rows.dims());
        let mut wide = Vec::new();
        for (first, out) in self.range.step_by(width).zip(self.out.chunks_mut(width)) {
            let rows = self.rows.rows_at(first..first + out.len(), &mut wide);
            interleave(panel, width, out.len(), |r| (rows.row(r), self.rows.scale_of(first + r)));
            let zero = [T::splat(simd, T::default()); 2];
            let mut total = zero;
            for panel in T::vectors::<S>(panel).as_chunks::<2>().0.chunks(DIMS_PER_PARTIAL_SUM) {
                let mut partial = zero;
                for a in panel {
                    partial[0] = T::mul_add(simd, a[0], a[0], partial[0]);
                    partial[1] = T::mul_add(simd, a[1], a[1], partial[1]);
                }
                total[0] = T::plus(simd, total[0], partial[0]);
                total[1] = T::plus(simd, total[1], partial[1]);
            }
            let mut squares = [T::default(); MAX_TILE_WIDTH];
            T::vectors_mut::<S>(&mut squares[..width]).copy_from_slice(&total);
            out.copy_from_slice(&squares[..out.len()]);
        }
    }
}

/// Power of two that brings a length into [1/√2, √2). The length is a normal number below 2^1023.
fn power_to_unit(length: f64) -> f64 {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let exponent = length.to_bits() >> FRACTION_BITS;
    let power = f64::from_bits((2 * f64::MAX_EXP as u64 - 2 - exponent) << FRACTION_BITS);
    // Times the power of its own exponent, the length is in [1, 2).
    if length * power < std::f64::consts::SQRT_2 { power } else { 0.5 * power }
}

/// Takes over values that are owned, and copies others into memory that is there, or that is reserved.
fn keep<T: Copy>(
    values: Cow<'_, [T]>,
    into: &mut Vec<T>,
    reserve: impl FnOnce() -> Result<Vec<T>>,
) -> Result<()> {
    match values {
        Cow::Owned(values) => *into = values,
        Cow::Borrowed(values) => {
            into.clear();
            if into.capacity() < values.len() {
                *into = reserve()?;
            }
            into.extend_from_slice(values);
        }
    }
    Ok(())
}

/// Values that a thread takes at a time of work that goes through them a few times: fewer take less time than a hand-off.
const VALUES_PER_TASK: usize = 1 << 14;

/// Rows that a thread takes at a time of work that goes through them once.
pub(crate) fn rows_per_pass(dims: usize) -> usize {
    (MAX_VALUES_WITHOUT_HAND_OFF / dims).max(1)
}

/// Rows that a thread takes at a time of work that goes through them a few times.
pub(crate) fn rows_per_task(dims: usize) -> usize {
    (VALUES_PER_TASK / dims).max(1)
}

/// A value in all places of a matrix, or the error that says how much memory is missing.
pub(crate) fn filled<T: Clone>(value: T, rows: usize, cols: usize) -> Result<Vec<T>> {
    memory::filled(value, rows, cols, || spare::what(rows, cols))
}

/// Nearest value that f32 can hold.
#[inline(always)]
pub(crate) fn finite(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(f32::MIN.into(), f32::MAX.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_next_to_one_by_a_power_of_two() {
        let root = std::f64::consts::SQRT_2;
        for length in [1e-30, 1e30, 0.3, 1.0, 1.999, root.next_down(), root, root.next_up()] {
            for exponent in [-90, -1, 0, 1, 90] {
                let length = length * f64::from(exponent).exp2();
                let power = power_to_unit(length);
                assert_eq!(power.log2().fract(), 0.0, "{length:e}");
                let brought = length * power;
                assert!((root.recip() - 1e-15..root + 1e-15).contains(&brought), "{length:e}: {brought}");
            }
        }
    }
}
