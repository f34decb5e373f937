//! What a device must be able to do: a handful of primitives, and no metric.

use std::{any::Any, fmt};

use crate::{
    Device, Embeddings, Error, LogSum, Precision, Result, Scaling, log_sum::log_add, pairs::unordered,
    progress::Watch,
};

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
    /// Every point i of the first set with every j ≠ i of the second: all but the positive pairs of two sets of as many
    /// rows.
    Distinct(&'a Points, &'a Points),
}

impl<'a> Pairs<'a> {
    /// The points on the left and those on the right, which are the same within one set.
    pub(crate) fn sides(&self) -> (&'a Points, &'a Points) {
        match *self {
            Self::Within(x) => (x, x),
            Self::Across(x, y) | Self::Distinct(x, y) => (x, y),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Within(x) => unordered(x.rows),
            Self::Across(x, y) => x.rows as u64 * y.rows as u64,
            Self::Distinct(x, y) => x.rows as u64 * y.rows.saturating_sub(1) as u64,
        }
    }
}

/// What is raised to the power of e, of a pair of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exponent {
    /// −t‖x−y‖²
    Gaussian { t: f64 },
    /// ⟨x, y⟩ / τ
    Logit { tau: f64 },
}

/// For each point, the log of its sum over the pairs that it is in; −∞ where there are none.
#[derive(Clone, Debug)]
pub(crate) struct RowLogSums {
    pub(crate) x: Vec<f64>,
    /// Only where the pairs run across two sets.
    pub(crate) y: Option<Vec<f64>>,
}

/// How much each point counts; within one set, both are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masses<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) y: &'a [f64],
}

/// The weight wᵢⱼ of a pair of exponent e, given the logs p and q of a factor for each point, of which −∞ is none. Within
/// one set p and q are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weighing<'a> {
    /// exp(eᵢⱼ + pᵢ + qⱼ)
    Product { p: &'a [f64], q: &'a [f64] },
    /// exp(eᵢⱼ + pᵢ) + exp(eᵢⱼ + qⱼ)
    Sum { p: &'a [f64], q: &'a [f64] },
}

/// For each point, the log of what joins its own sum in a softmax.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rests<'a> {
    pub(crate) x: &'a [f64],
    /// None where only points of the first set have a softmax.
    pub(crate) y: Option<&'a [f64]>,
}

impl Rests<'_> {
    /// By which `scale` · Σ log(exp(rest) + exp(sum)) weighs the pairs of the points with these sums, and `others`.
    pub(crate) fn factors(self, sums: &RowLogSums, scale: f64, others: usize) -> Factors {
        let of_set = |(sums, rest): (&[f64], &[f64])| -> Vec<f64> {
            sums.iter().zip(rest).map(|(&sum, &rest)| scale.ln() - log_add(sum, rest)).collect()
        };
        let q = sums.y.as_deref().zip(self.y).map(of_set);
        Factors { p: of_set((&sums.x, self.x)), both: q.is_some(), q: q.unwrap_or_else(|| vec![0.0; others]) }
    }
}

/// The logs of the factors by which a softmax weighs its pairs: those of the first set, and those of the second where it has
/// a softmax too.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    pub(crate) p: Vec<f64>,
    q: Vec<f64>,
    both: bool,
}

impl Factors {
    pub(crate) fn weighing(&self) -> Weighing<'_> {
        let (p, q) = (&*self.p, &*self.q);
        if self.both { Weighing::Sum { p, q } } else { Weighing::Product { p, q } }
    }
}

/// Pairs closer than asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Close {
    /// How many there are.
    pub(crate) count: u64,
    /// The first of them as rows i, j and ‖x−y‖², in the order of i and j, as many as asked for at most.
    pub(crate) pairs: Vec<(usize, usize, f64)>,
}

/// The first two moments of a set of points.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// The mean of x (d).
    pub(crate) mean: Vec<f64>,
    /// The mean of (x − mean)(x − mean)ᵀ (d, d).
    pub(crate) covariance: Vec<f64>,
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

    /// In which precisions sums over pairs have been made so far, the most accurate first: where one asked for cannot keep
    /// its word, single precision takes its place.
    fn precisions_used(&self) -> Vec<Precision> {
        vec![Precision::F32]
    }

    fn upload(&self, points: Embeddings<'_>) -> Result<Points>;

    /// Row-major values as a matrix on the device; `values.len()` is `rows * cols`.
    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix>;

    /// The points of these rows, in this order, which may repeat; their gradients are not asked for.
    fn gather(&self, points: &Points, rows: &[usize]) -> Result<Points>;

    /// Σ exp(−t‖x−y‖²) over `pairs`.
    fn log_sum(&self, pairs: Pairs<'_>, t: f64, watch: &Watch<'_>) -> Result<LogSum>;

    /// The same for every t, where possible at little more than the cost of one.
    fn log_sums(&self, pairs: Pairs<'_>, ts: &[f64], watch: &Watch<'_>) -> Result<Vec<LogSum>>;

    /// The same sum S, and the gradient of `weight` · log S.
    fn log_sum_with_grad(
        &self,
        pairs: Pairs<'_>,
        t: f64,
        weight: f64,
        watch: &Watch<'_>,
    ) -> Result<(LogSum, Gradients)>;

    /// log Σⱼ mⱼ exp(eᵢⱼ) for every point of either set, over the pairs that it is in, where m are the masses of the
    /// points on the other side, all 1 unless given.
    fn row_log_sums(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        masses: Option<Masses<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RowLogSums>;

    /// The same of the logits ⟨x, y⟩/τ for every τ, at little more than the cost of one where their precision allows it.
    fn row_log_sums_of_logits(
        &self,
        pairs: Pairs<'_>,
        taus: &[f64],
        watch: &Watch<'_>,
    ) -> Result<Vec<RowLogSums>>;

    /// The gradient of Σ wᵢⱼeᵢⱼ over `pairs`, where the weights stay as they are, added to `sum` where given; that of a
    /// second set, which a sum may lack, is left out then.
    fn weighted_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        weighing: Weighing<'_>,
        sum: Option<Gradients>,
        watch: &Watch<'_>,
    ) -> Result<Gradients>;

    /// The log sums of points that have a rest, as [`row_log_sums`](Self::row_log_sums) has them, and in the same go the
    /// gradient of `scale` · Σᵢ log(exp(restᵢ) + Σⱼ exp(eᵢⱼ)) over those points. Pairs run across two sets.
    fn row_log_sums_with_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        rests: Rests<'_>,
        scale: f64,
        watch: &Watch<'_>,
    ) -> Result<(RowLogSums, Gradients)> {
        let sums = self.row_log_sums(pairs, exponent, None, &watch.again())?;
        let factors = rests.factors(&sums, scale, pairs.sides().1.rows);
        let gradients = self.weighted_grad(pairs, exponent, factors.weighing(), None, watch)?;
        Ok((RowLogSums { y: sums.y.filter(|_| rests.y.is_some()), ..sums }, gradients))
    }

    /// Σ exp(−t‖x−y‖²) over the pairs i < j within each group and of each two, the points of a group lying side by side up
    /// to its end: of k groups, row by row of a k × k matrix, those below its diagonal as above.
    fn group_log_sums(&self, x: &Points, ends: &[usize], t: f64, watch: &Watch<'_>) -> Result<Vec<LogSum>>;

    /// How many pairs have a cosine in each of so many equal parts of [−1, 1], for unit rows. A cosine within about 1e-6 of
    /// the end of a part may count as of the next.
    fn cosine_histogram(&self, pairs: Pairs<'_>, bins: usize, watch: &Watch<'_>) -> Result<Vec<u64>>;

    /// The pairs whose squared distance is at most `square`, as direct differences say; `limit` of them by name.
    fn close_pairs(&self, pairs: Pairs<'_>, square: f64, limit: usize, watch: &Watch<'_>) -> Result<Close>;

    /// Mean and covariance, in f64 or as good.
    fn moments(&self, x: &Points) -> Result<Moments>;

    /// ⟨xᵢ, yᵢ⟩ for every row.
    fn paired_dots(&self, x: &Points, y: &Points) -> Result<Vec<f64>>;

    /// The gradient of Σ cᵢ⟨xᵢ, yᵢ⟩ for x and y, one coefficient per row, added to `sum` where given.
    fn paired_dots_grad(
        &self,
        x: &Points,
        y: &Points,
        coefficients: &[f64],
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)>;

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
