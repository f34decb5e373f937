//! Points in a random order, of which runs of rows are random samples.

use std::ops::Range;

use half::{f16, vec::HalfBitsVecExt};
use rand::{rngs::ChaCha8Rng, seq::SliceRandom};
use rayon::prelude::*;
use unisphere::{
    DeviceKind, Embeddings, Engine, Error as EngineError, HalfEmbeddings, Points, Scaling, Uniformity,
};

use unisphere_io::Source;

use crate::error::{Error, Result};

/// Rows that the standard error of all is estimated from.
pub(crate) const ROWS_FOR_ERROR: usize = 2048;
/// Rows that a thread reads at a time.
const ROWS_PER_READ: usize = 1024;

/// Points on a device in a random order, and what was found out about them before.
pub(crate) struct Shuffled {
    pub(crate) points: Points,
    /// Rows that are equal, in lists of two and more.
    pub(crate) classes: Vec<Vec<usize>>,
    /// The first rows.
    first: Points,
}

impl Shuffled {
    pub(crate) fn new(engine: &Engine, x: Embeddings<'_>) -> Result<Self> {
        let (first, classes) = (first_rows(engine, &x)?, x.duplicates()?);
        Ok(Self { points: engine.upload_owned(x)?, classes, first })
    }

    /// The points of a source, in half precision where [`keeps_half`] says so.
    pub(crate) fn read(
        engine: &Engine,
        source: &dyn Source,
        scaling: Scaling,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        if !keeps_half(engine, source) {
            return Self::new(engine, read_in_random_order(source, scaling, rng)?);
        }
        let x = read_half_in_random_order(source, scaling, rng)?;
        let (first, classes) = (engine.upload_owned(x.first(ROWS_FOR_ERROR)?)?, x.duplicates()?);
        Ok(Self { points: engine.upload_half(x)?, classes, first })
    }

    /// The standard error of the uniformity of all rows as a sample, from those that come first.
    pub(crate) fn row_error(&self, engine: &Engine, t: f64) -> Result<Option<f64>> {
        row_error(engine, &self.first, self.points.rows(), t)
    }
}

/// Whether a device keeps the points of a source in half precision, as they are stored: half the memory, and the same values.
pub(crate) fn keeps_half(engine: &Engine, source: &dyn Source) -> bool {
    source.is_half() && engine.device().kind == DeviceKind::Cpu
}

/// The points of a source on a device in a random order, in half precision where it keeps them so.
pub(crate) fn upload_in_random_order(
    engine: &Engine,
    source: &dyn Source,
    scaling: Scaling,
    rng: &mut ChaCha8Rng,
) -> Result<Points> {
    Ok(if keeps_half(engine, source) {
        engine.upload_half(read_half_in_random_order(source, scaling, rng)?)?
    } else {
        engine.upload_owned(read_in_random_order(source, scaling, rng)?)?
    })
}

/// The first rows of points in a random order: a sample of them.
pub(crate) fn first_rows(engine: &Engine, x: &Embeddings<'_>) -> Result<Points> {
    let (rows, dims) = (x.rows().min(ROWS_FOR_ERROR), x.dims());
    let first = Embeddings::with_scaling(&x.values()[..rows * dims], rows, dims, x.scaling())?;
    Ok(engine.upload(&first)?)
}

/// The standard error of the uniformity of so many rows as a sample, from some of them.
pub(crate) fn row_error(engine: &Engine, some: &Points, rows: usize, t: f64) -> Result<Option<f64>> {
    // Two rows have one pair, which says nothing of its spread.
    if some.rows() < 3 {
        return Ok(None);
    }
    let potentials = engine.value(Uniformity::new(t).potentials(some))?;
    let error = potentials.estimate().standard_error * (some.rows() as f64 / rows as f64).sqrt();
    Ok(error.is_finite().then_some(error))
}

/// The same points in a random order.
pub(crate) fn in_random_order<'a>(x: Embeddings<'a>, rng: &mut ChaCha8Rng) -> Result<Embeddings<'a>> {
    let order = order(x.rows(), rng);
    Ok(x.reordered(&order)?)
}

/// The points of a source in the order that [`in_random_order`] would give them.
pub(crate) fn read_in_random_order(
    source: &dyn Source,
    scaling: Scaling,
    rng: &mut ChaCha8Rng,
) -> Result<Embeddings<'static>> {
    let (rows, dims) = (source.rows(), source.dims());
    let order = order(rows, rng);
    let values = read_rows(source, &order, |count| vec![0.0; count], |rows, into| source.read(rows, into))?;
    Embeddings::with_scaling(values, rows, dims, scaling)
        .map_err(|error| of_source(source, scaling, &order, error))
}

/// The same of a source in half precision.
fn read_half_in_random_order(
    source: &dyn Source,
    scaling: Scaling,
    rng: &mut ChaCha8Rng,
) -> Result<HalfEmbeddings> {
    let (rows, dims) = (source.rows(), source.dims());
    let order = order(rows, rng);
    // The system clears memory of plain numbers only.
    let zeros = |count| vec![0; count].reinterpret_into::<f16>();
    let values = read_rows(source, &order, zeros, |rows, into| source.read_half(rows, into))?;
    HalfEmbeddings::with_scaling(values, rows, dims, scaling)
        .map_err(|error| of_source(source, scaling, &order, error))
}

/// All rows of a source in an order, by several threads.
fn read_rows<T: Copy + Send + Sync>(
    source: &dyn Source,
    order: &[usize],
    zeros: impl Fn(usize) -> Vec<T> + Sync,
    read: impl Fn(Range<usize>, &mut [T]) -> unisphere_io::Result<()> + Sync,
) -> Result<Vec<T>> {
    let (rows, dims) = (source.rows(), source.dims());
    let reserved = rows.checked_mul(dims).filter(|&count| Vec::<T>::new().try_reserve_exact(count).is_ok());
    let Some(count) = reserved else {
        let context = format!("{rows} points of {dims} dimensions");
        return Err(EngineError::OutOfMemory { context }.into());
    };
    // Memory that the system clears when a thread first writes to it.
    let mut values = zeros(count);
    // The place of each row of the source.
    let mut places: Vec<&mut [T]> = Vec::with_capacity(rows);
    places.resize_with(rows, Default::default);
    for (place, &row) in values.chunks_exact_mut(dims).zip(order) {
        places[row] = place;
    }
    let put = |(place, row): (&mut &mut [T], &[T])| place.copy_from_slice(row);
    let at_once = source.rows_at_once();
    if at_once > 1 {
        // The source has threads of its own, and rows apart would be decoded together with all between them.
        let mut some = zeros(at_once.min(rows) * dims);
        for (chunk, places) in places.chunks_mut(at_once).enumerate() {
            let first = chunk * at_once;
            let some = &mut some[..places.len() * dims];
            read(first..first + places.len(), some)?;
            places.par_iter_mut().zip(some.par_chunks_exact(dims)).for_each(put);
        }
        return Ok(values);
    }
    let some = || zeros(ROWS_PER_READ.min(rows) * dims);
    places.par_chunks_mut(ROWS_PER_READ).enumerate().try_for_each_init(some, |some, (chunk, places)| {
        let first = chunk * ROWS_PER_READ;
        let some = &mut some[..places.len() * dims];
        read(first..first + places.len(), some)?;
        places.iter_mut().zip(some.chunks_exact(dims)).for_each(put);
        Ok::<_, Error>(())
    })?;
    Ok(values)
}

fn order(rows: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order: Vec<_> = (0..rows).collect();
    order.shuffle(rng);
    order
}

/// An error that names the file and its own row, as the source has it.
fn of_source(source: &dyn Source, scaling: Scaling, order: &[usize], error: EngineError) -> Error {
    use EngineError::{NotFinite, RowLength, TooLarge, ZeroRow};
    if let NotFinite { row, .. } | RowLength { row, .. } | TooLarge { row, .. } | ZeroRow { row } = error
        && let Some(&row) = order.get(row)
        && let Err(error) = source.embeddings_in(row..row + 1, scaling)
    {
        return error.into();
    }
    error.into()
}
