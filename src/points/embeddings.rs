//! Points as they come from the caller: their shape, their checks, their lengths.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::{
    error::{Error, Result},
    memory::filled,
};

/// Row lengths that single precision can scale to one and differentiate through.
pub(crate) const LENGTHS: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

/// Whether metrics see the rows scaled to unit length, or as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scaling {
    /// Every row is divided by its Euclidean length: points on the unit sphere. Gradients are with respect
    /// to the rows as given, through this division.
    #[default]
    Unit,
    /// The rows as they are.
    Raw,
}

/// n points of d dimensions: f32, row-major, finite; on the CPU, borrowed or owned.
///
/// ```
/// use unisphere::Embeddings;
///
/// let x = Embeddings::new(&[3.0, 4.0, 0.0, 1.0], 2, 2)?; // (2, 2), on the unit sphere
/// assert_eq!((x.rows(), x.dims()), (2, 2));
/// # Ok::<(), unisphere::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Embeddings<'a> {
    values: Cow<'a, [f32]>,
    rows: usize,
    dims: usize,
    scaling: Scaling,
    /// Lengths of the rows; empty for raw points.
    lengths: Cow<'a, [f64]>,
}

impl<'a> Embeddings<'a> {
    /// Points to be measured on the unit sphere: `rows` × `dims` values, row-major, of any row length from
    /// 1e-30 to 1e30.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`], [`Error::NoDims`], [`Error::NotFinite`], [`Error::ZeroRow`], [`Error::RowLength`].
    pub fn new(values: impl Into<Cow<'a, [f32]>>, rows: usize, dims: usize) -> Result<Self> {
        Self::with_scaling(values, rows, dims, Scaling::Unit)
    }

    /// Points to be measured where they are: `rows` × `dims` values, row-major.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`], [`Error::NoDims`], [`Error::NotFinite`]; [`Error::TooLarge`] where a squared
    /// distance could overflow: coordinates may reach √(f32::MAX / 8 dims).
    pub fn raw(values: impl Into<Cow<'a, [f32]>>, rows: usize, dims: usize) -> Result<Self> {
        Self::with_scaling(values, rows, dims, Scaling::Raw)
    }

    /// [`new`](Self::new) or [`raw`](Self::raw), by `scaling`.
    ///
    /// # Errors
    ///
    /// Those of the two.
    pub fn with_scaling(
        values: impl Into<Cow<'a, [f32]>>,
        rows: usize,
        dims: usize,
        scaling: Scaling,
    ) -> Result<Self> {
        let values = values.into();
        check_shape(values.len(), rows, dims)?;
        let lengths = check_rows(&(&*values, dims), rows, dims, scaling)?.into();
        Ok(Self { values, rows, dims, scaling, lengths })
    }

    /// Points from an ndarray view of shape (rows, dims) and any stride, copied only where it is not
    /// contiguous and row-major.
    ///
    /// # Errors
    ///
    /// Those of [`with_scaling`](Self::with_scaling).
    #[cfg(feature = "ndarray")]
    pub fn from_array(view: ndarray::ArrayView2<'a, f32>, scaling: Scaling) -> Result<Self> {
        let (rows, dims) = view.dim();
        let values = match view.to_slice() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(view.iter().copied().collect()),
        };
        Self::with_scaling(values, rows, dims, scaling)
    }

    /// How many points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Of how many dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// How metrics will see them.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The rows × dims values as given, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The lengths of the rows as given; empty for raw points.
    pub(crate) fn lengths(&self) -> &[f64] {
        &self.lengths
    }

    /// The same points in another order: row i is row `order[i]` of these. It moves them in place where they are owned.
    ///
    /// # Errors
    ///
    /// [`Error::Order`] unless every row is named once.
    pub fn reordered(self, order: &[usize]) -> Result<Self> {
        let (rows, dims) = (self.rows, self.dims);
        let mut left = vec![true; rows];
        let once = order.iter().all(|&row| left.get_mut(row).is_some_and(std::mem::take));
        if order.len() != rows || !once {
            let problem = format!("names {} rows of {rows}, or one twice; name each once", order.len());
            return Err(Error::Order { problem });
        }
        let mut values = self.values.into_owned();
        let mut first = vec![0.0; dims];
        // Each cycle of the order moves on by one place.
        let mut moved = left;
        for start in 0..rows {
            if moved[start] || order[start] == start {
                continue;
            }
            first.copy_from_slice(&values[start * dims..][..dims]);
            let mut to = start;
            loop {
                moved[to] = true;
                let from = order[to];
                if from == start {
                    values[to * dims..][..dims].copy_from_slice(&first);
                    break;
                }
                values.copy_within(from * dims..(from + 1) * dims, to * dims);
                to = from;
            }
        }
        let lengths = match &*self.lengths {
            [] => Cow::default(),
            lengths => order.iter().map(|&row| lengths[row]).collect(),
        };
        Ok(Self { values: Cow::Owned(values), rows, dims, scaling: self.scaling, lengths })
    }

    /// The same points, borrowed from these.
    pub(crate) fn borrowed(&self) -> Embeddings<'_> {
        let (values, lengths) = (Cow::Borrowed(&*self.values), Cow::Borrowed(&*self.lengths));
        Embeddings { values, lengths, ..*self }
    }

    /// The values as given, without a copy where they are owned, and the lengths of the rows unless raw.
    pub(crate) fn into_parts(self) -> (Cow<'a, [f32]>, Cow<'a, [f64]>) {
        (self.values, self.lengths)
    }
}

/// The greatest raw coordinate of which no squared distance in so many dimensions can overflow.
pub(crate) fn raw_limit(dims: usize) -> f32 {
    (f32::MAX / 8.0 / dims as f32).sqrt()
}

/// Sums that a length is added up in, side by side.
const SUMS: usize = 8;

/// The Euclidean length of a row, in f64: f32 values neither overflow nor vanish when squared there.
pub(crate) fn length(row: &[f32]) -> f64 {
    let square = |v: f32| f64::from(v) * f64::from(v);
    let (groups, rest) = row.as_chunks::<SUMS>();
    let mut sums = [0.0; SUMS];
    for group in groups {
        sums.iter_mut().zip(group).for_each(|(sum, &v)| *sum += square(v));
    }
    (sums.iter().sum::<f64>() + rest.iter().copied().map(square).sum::<f64>()).sqrt()
}

/// The first value that is not finite. The bit pattern decides: a comparison might be optimised under the assumption
/// that no NaN occurs.
pub(crate) fn not_finite(values: &[f32]) -> Option<usize> {
    const EXPONENT: u32 = 0x7f80_0000;
    values.iter().position(|v| v.to_bits() & EXPONENT == EXPONENT)
}

/// Values that a thread checks at a time; fewer are not worth another thread.
const VALUES_PER_TASK: usize = 1 << 16;

/// Fails unless so many values are rows of so many dimensions.
pub(crate) fn check_shape(values: usize, rows: usize, dims: usize) -> Result<()> {
    if dims == 0 {
        return Err(Error::NoDims);
    }
    if rows.checked_mul(dims) != Some(values) {
        return Err(Error::Shape { values, rows, dims });
    }
    Ok(())
}

/// Rows as f32, whatever they are stored as.
pub(crate) trait AsSingle: Sync {
    /// A row, which `wide` may hold.
    fn row<'a>(&'a self, row: usize, wide: &'a mut Vec<f32>) -> &'a [f32];
}

/// Values, and how many of them a row has.
impl AsSingle for (&[f32], usize) {
    #[inline]
    fn row<'a>(&'a self, row: usize, _: &'a mut Vec<f32>) -> &'a [f32] {
        &self.0[row * self.1..][..self.1]
    }
}

/// Lengths of so many rows, none of raw ones. Fails for the first row that cannot be measured.
pub(crate) fn check_rows(
    points: &impl AsSingle,
    rows: usize,
    dims: usize,
    scaling: Scaling,
) -> Result<Vec<f64>> {
    let rows_per_task = (VALUES_PER_TASK / dims).max(1);
    let mut lengths = match scaling {
        Scaling::Unit => filled(0.0, rows, 1, || format!("the lengths of {rows} rows"))?,
        Scaling::Raw => Vec::new(),
    };
    let unit = |(task, lengths): (usize, &mut [f64])| {
        let mut wide = Vec::new();
        let mut each = (task * rows_per_task..).zip(lengths);
        let checked = each.try_for_each(|(row, length)| {
            *length = check_length(row, points.row(row, &mut wide))?;
            Ok(())
        });
        checked.err()
    };
    let raw = |task: usize| {
        let mut wide = Vec::new();
        let mut each = task * rows_per_task..rows.min((task + 1) * rows_per_task);
        each.try_for_each(|row| check_coordinates(row, points.row(row, &mut wide))).err()
    };
    let fault = match scaling {
        Scaling::Unit if rows <= rows_per_task => unit((0, &mut lengths)),
        Scaling::Unit => lengths.par_chunks_mut(rows_per_task).enumerate().find_map_first(unit),
        Scaling::Raw if rows <= rows_per_task => raw(0),
        Scaling::Raw => (0..rows.div_ceil(rows_per_task)).into_par_iter().find_map_first(raw),
    };
    fault.map_or(Ok(lengths), Err)
}

/// Whether a row can be measured.
#[cfg(feature = "gpu")]
pub(crate) fn check(row: usize, point: &[f32], scaling: Scaling) -> Result<()> {
    match scaling {
        Scaling::Unit => check_length(row, point).map(drop),
        Scaling::Raw => check_coordinates(row, point),
    }
}

/// The length of a row that is scaled to one.
fn check_length(row: usize, point: &[f32]) -> Result<f64> {
    let length = length(point);
    if LENGTHS.contains(&length) {
        return Ok(length);
    }
    check_finite(row, point)?;
    if length == 0.0 {
        return Err(Error::ZeroRow { row });
    }
    let (min, max) = (*LENGTHS.start(), *LENGTHS.end());
    Err(Error::RowLength { row, length, min, max })
}

/// Whether a row is measured as it is.
fn check_coordinates(row: usize, point: &[f32]) -> Result<()> {
    check_finite(row, point)?;
    let limit = raw_limit(point.len());
    match point.iter().find(|v| v.abs() > limit) {
        Some(&value) => Err(Error::TooLarge { row, value: value.into(), limit: limit.into() }),
        None => Ok(()),
    }
}

fn check_finite(row: usize, point: &[f32]) -> Result<()> {
    not_finite(point).map_or(Ok(()), |dim| Err(Error::NotFinite { row, dim }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_order_moves_whole_rows() -> Result<()> {
        let values: Vec<f32> = (0..14).map(|v| v as f32 + 1.0).collect();
        let x = || Embeddings::raw(values.as_slice(), 7, 2);
        // A cycle of three, one of two, and rows that stay.
        let order = [2, 1, 5, 4, 3, 0, 6];
        let moved = x()?.reordered(&order)?;
        let want: Vec<f32> = order.iter().flat_map(|&row| values[2 * row..][..2].to_vec()).collect();
        assert_eq!((moved.values(), moved.rows(), moved.scaling()), (&*want, 7, Scaling::Raw));
        for bad in [&order[..6], &[0, 1, 2, 3, 4, 5, 5], &[0, 1, 2, 3, 4, 5, 7]] {
            assert!(matches!(x()?.reordered(bad), Err(Error::Order { .. })), "{bad:?}");
        }
        Ok(())
    }

    #[test]
    fn every_fault_has_its_error() {
        let new = |v: &[f32], n, d| Embeddings::new(v, n, d).map(|_| ()).unwrap_err();
        let raw = |v: &[f32], n, d| Embeddings::raw(v, n, d).map(|_| ()).unwrap_err();
        assert_eq!(new(&[1.0; 5], 2, 3), Error::Shape { values: 5, rows: 2, dims: 3 });
        assert_eq!(new(&[], usize::MAX, 2), Error::Shape { values: 0, rows: usize::MAX, dims: 2 });
        assert_eq!(new(&[], 3, 0), Error::NoDims);
        assert_eq!(new(&[1.0, 2.0, 3.0, f32::NAN], 2, 2), Error::NotFinite { row: 1, dim: 1 });
        assert_eq!(raw(&[1.0, 2.0, f32::NEG_INFINITY, 0.0], 2, 2), Error::NotFinite { row: 1, dim: 0 });
        assert_eq!(new(&[1.0, 2.0, 0.0, -0.0], 2, 2), Error::ZeroRow { row: 1 });
        assert!(matches!(new(&[1e-31], 1, 1), Error::RowLength { row: 0, .. }));
        assert!(matches!(new(&[1.0, 1e38], 2, 1), Error::RowLength { row: 1, .. }));
        assert!(matches!(raw(&[0.0, 1e19], 2, 1), Error::TooLarge { row: 1, .. }));
    }

    #[test]
    fn long_and_short_rows_have_a_length() {
        assert!((length(&[3e18, 4e18]) / 5e18 - 1.0).abs() < 1e-7);
        assert!((length(&[3e-18, 4e-18]) / 5e-18 - 1.0).abs() < 1e-7);
        assert!(Embeddings::raw([0.0, 0.0].as_slice(), 1, 2).is_ok());
        assert_eq!(Embeddings::new([].as_slice(), 0, 2).map(|e| e.rows()), Ok(0));
    }
}
