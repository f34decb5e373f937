//! What a device must be able to do: a handful of primitives, and no metric.

use std::fmt;

use crate::{
    device::Device,
    error::Result,
    kernel::Exponent,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::{Embeddings, Matrix, Points},
    precision::Precision,
    progress::Watch,
    weights::{ExtraTerms, PairWeights, PointWeights, RowLogSums},
};

/// Pairs closer than asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundPairs {
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
    fn log_sum(&self, pairs: Pairs<'_>, t: f64, watch: &Watch<'_>) -> Result<LogSumExp>;

    /// The same for every t, where possible at little more than the cost of one.
    fn log_sums(&self, pairs: Pairs<'_>, ts: &[f64], watch: &Watch<'_>) -> Result<Vec<LogSumExp>>;

    /// The same sum S, and the gradient of `weight` · log S.
    fn log_sum_with_grad(
        &self,
        pairs: Pairs<'_>,
        t: f64,
        weight: f64,
        watch: &Watch<'_>,
    ) -> Result<(LogSumExp, Gradients)>;

    /// log Σⱼ mⱼ exp(eᵢⱼ) for every point of either set, over the pairs that it is in, where m are the masses of the
    /// points on the other side, all 1 unless given.
    fn row_log_sums(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        masses: Option<PointWeights<'_>>,
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
        weighing: PairWeights<'_>,
        sum: Option<Gradients>,
        watch: &Watch<'_>,
    ) -> Result<Gradients>;

    /// The log sums of points that have a rest, as [`row_log_sums`](Self::row_log_sums) has them, and in the same go the
    /// gradient of `scale` · Σᵢ log(exp(restᵢ) + Σⱼ exp(eᵢⱼ)) over those points. Pairs run across two sets.
    fn row_log_sums_with_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        rests: ExtraTerms<'_>,
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
    fn group_log_sums(&self, x: &Points, ends: &[usize], t: f64, watch: &Watch<'_>)
    -> Result<Vec<LogSumExp>>;

    /// How many pairs have a cosine in each of so many equal parts of [−1, 1], for unit rows. A cosine within about 1e-6 of
    /// the end of a part may count as of the next.
    fn cosine_histogram(&self, pairs: Pairs<'_>, bins: usize, watch: &Watch<'_>) -> Result<Vec<u64>>;

    /// The pairs whose squared distance is at most `square`, as direct differences say; `limit` of them by name.
    fn close_pairs(
        &self,
        pairs: Pairs<'_>,
        square: f64,
        limit: usize,
        watch: &Watch<'_>,
    ) -> Result<FoundPairs>;

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
