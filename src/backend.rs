//! What a device must be able to do: a handful of primitives, and no metric.

use std::{any::Any, fmt};

use crate::{Device, Embeddings, Error, LogSum, Result, Scaling, pairs::unordered, progress::Watch};

/// n points of d dimensions on an engine's device, checked and, unless raw, scaled to unit length.
pub struct Points {
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) scaling: Scaling,
    pub(crate) storage: Box<dyn Any + Send + Sync>,
}

impl Points {
    /// How many points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Of how many dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Scaled to unit length, or raw.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows, self.dims)
    }
}

impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Points({} × {}, {:?})", self.rows, self.dims, self.scaling)
    }
}

/// A matrix of f32 on an engine's device: a gradient, or squared distances.
pub struct Matrix {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) storage: Box<dyn MatrixStorage>,
}

impl Matrix {
    /// (rows, columns).
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The values, row-major, copied from the device.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`].
    pub fn read(&self) -> Result<Vec<f32>> {
        self.storage.read()
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matrix({} × {})", self.rows, self.cols)
    }
}

/// Where a matrix lives.
pub(crate) trait MatrixStorage: Any + Send + Sync {
    fn read(&self) -> Result<Vec<f32>>;
}

/// The pairs that a sum runs over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pairs<'a> {
    /// i < j within one set.
    Within(&'a Points),
    /// Every point of the first set with every one of the second.
    Across(&'a Points, &'a Points),
}

impl Pairs<'_> {
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Within(x) => unordered(x.rows),
            Self::Across(x, y) => x.rows as u64 * y.rows as u64,
        }
    }
}

/// The mean squared distance of unit rows below which cosines in f32 say too little of it: such sets, collapsed
/// to a narrow cone, are summed in a better way.
pub(crate) const NARROW: f64 = 8e-4;

/// Whether a sum of exp(−t‖x−y‖²) over `count` pairs is of a set so narrow. By Jensen's inequality its log mean
/// is never below −t times the mean squared distance.
pub(crate) fn narrow(sum: LogSum, count: u64, t: f64) -> bool {
    sum.log_mean(count) > -t * NARROW
}

/// The gradient of a sum over pairs: one matrix per set of points that took part.
#[derive(Debug)]
pub(crate) struct Gradients {
    pub(crate) x: Matrix,
    /// Only where the pairs run across two sets.
    pub(crate) y: Option<Matrix>,
}

/// What a device computes. Callers have checked shapes, scalings and parameters; an implementation checks
/// that points and matrices are its own.
///
/// Distances are between the points that metrics see: unit rows unless raw. Every gradient is with respect
/// to the rows as the caller gave them, so through the scaling where there was one.
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    fn device(&self) -> &Device;

    /// Multiplications and additions in f32 per second, where there is nothing else to do: the best of several trials.
    fn ceiling(&self) -> Result<f64>;

    fn upload(&self, points: Embeddings<'_>) -> Result<Points>;

    /// Row-major values as a matrix on the device; `values.len()` is `rows * cols`.
    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix>;

    /// Σ exp(−t‖x−y‖²) over `pairs`.
    fn log_sum(&self, pairs: Pairs<'_>, t: f64, watch: &Watch<'_>) -> Result<LogSum>;

    /// The same sum S, and the gradient of `weight` · log S.
    fn log_sum_with_grad(
        &self,
        pairs: Pairs<'_>,
        t: f64,
        weight: f64,
        watch: &Watch<'_>,
    ) -> Result<(LogSum, Gradients)>;

    /// ‖xᵢ−yᵢ‖² for every row, by direct difference.
    fn paired_squared_distances(&self, x: &Points, y: &Points) -> Result<Vec<f64>>;

    /// The gradient of ½ Σ cᵢ‖xᵢ−yᵢ‖² for x and y, one coefficient per row, added to `sum` where given.
    fn paired_grad(
        &self,
        x: &Points,
        y: &Points,
        coefficients: &[f64],
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)>;

    /// ‖xᵢ−yⱼ‖² for every pair, rows of x by rows of y, by direct difference.
    fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix>;

    /// The gradient for x and y of Σ uᵢⱼ‖xᵢ−yⱼ‖², where u is `upstream`.
    fn squared_distances_grad(&self, x: &Points, y: &Points, upstream: &Matrix) -> Result<(Matrix, Matrix)>;
}

/// The storage of points or a matrix as a backend's own type, or [`Error::OtherDevice`].
pub(crate) fn own<T: 'static>(storage: &dyn Any) -> Result<&T> {
    storage.downcast_ref().ok_or(Error::OtherDevice)
}
