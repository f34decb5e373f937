//! Points in a random order, of which runs of rows are random samples.

use rand::{rngs::ChaCha8Rng, seq::SliceRandom};
use rayon::prelude::*;
use unisphere::{Embeddings, Engine, Error as EngineError, Points, Scaling, Uniformity};

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
        let (first, classes) = (first_rows(engine, &x)?, x.duplicates());
        Ok(Self { points: engine.upload_owned(x)?, classes, first })
    }

    /// The standard error of the uniformity of all rows as a sample, from those that come first.
    pub(crate) fn row_error(&self, engine: &Engine, t: f64) -> Result<Option<f64>> {
        row_error(engine, &self.first, self.points.rows(), t)
    }
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
    let reserved = rows.checked_mul(dims).filter(|&count| Vec::<f32>::new().try_reserve_exact(count).is_ok());
    let Some(count) = reserved else {
        let context = format!("{rows} points of {dims} dimensions");
        return Err(EngineError::OutOfMemory { context }.into());
    };
    // Memory that the system clears when a thread first writes to it.
    let mut values = vec![0.0; count];
    // The place of each row of the source.
    let mut places: Vec<&mut [f32]> = Vec::with_capacity(rows);
    places.resize_with(rows, Default::default);
    for (place, &row) in values.chunks_exact_mut(dims).zip(&order) {
        places[row] = place;
    }
    places.par_chunks_mut(ROWS_PER_READ).enumerate().try_for_each(|(chunk, places)| {
        let first = chunk * ROWS_PER_READ;
        let mut read = vec![0.0; places.len() * dims];
        source.read(first..first + places.len(), &mut read)?;
        places.iter_mut().zip(read.chunks_exact(dims)).for_each(|(place, row)| place.copy_from_slice(row));
        Ok::<_, Error>(())
    })?;
    Embeddings::with_scaling(values, rows, dims, scaling)
        .map_err(|error| of_source(source, scaling, &order, error))
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
