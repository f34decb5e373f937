//! Backends: the few primitives that a device has to offer. No metric is among them.

use std::{fmt, sync::Arc};

use crate::{
    device::Device,
    error::{Error, Result},
    function::{FunctionSums, PairFunction},
    kernel::Kernel,
    log_sum::LogSumExp,
    pairs::Pairs,
    pending::Pending,
    points::{Embeddings, HalfEmbeddings, HostRows, Matrix, Moments, Points},
    precision::Precision,
    progress::Watch,
    schedule::Block,
    weights::{Gradients, Normalizer, PairWeights, PointWeights, RowLogSums},
};

/// The pairs found to lie close together.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundPairs {
    /// Their number.
    pub(crate) count: u64,
    /// The first of them as rows i, j and ‖x−y‖², in the order of i and j, as many as asked for at most.
    pub(crate) pairs: Vec<(usize, usize, f64)>,
}

/// The sums that a gradient was divided by.
#[derive(Clone, Debug)]
pub(crate) enum Sums {
    /// Of all pairs: see [`Normalizer::Total`].
    Total(LogSumExp),
    /// Of each row that has an extra term: see [`Normalizer::Rows`].
    Rows(RowLogSums),
    /// None: see [`Normalizer::Given`] and [`Normalizer::GivenOnLeft`].
    None,
}

impl Sums {
    pub(crate) fn total(self) -> Result<LogSumExp> {
        match self {
            Self::Total(sum) => Ok(sum),
            _ => Err(Error::missing("the sum over all pairs")),
        }
    }

    pub(crate) fn rows(self) -> Result<RowLogSums> {
        match self {
            Self::Rows(sums) => Ok(sums),
            _ => Err(Error::missing("the sum of each row")),
        }
    }
}

/// The term of a positive pair, row i of one set with row i of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// ⟨x, y⟩
    Dot,
    /// ½‖x−y‖², by direct difference; its value is given as ‖x−y‖².
    SquaredDistance,
}

/// The pairs of groups whose sums are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupPairs {
    /// Each group with itself: k sums.
    Within,
    /// Each two groups, and each with itself: k × k sums, row-major and symmetric.
    All,
}

/// A device's primitives: sums and gradients of kernels over pairs. Callers have checked shapes, scalings and parameters;
/// an implementation checks that points and matrices are its own.
///
/// Distances are between the points that metrics see: unit rows unless raw. Every gradient is with respect
/// to the rows as the caller gave them, so through the scaling where there was one.
pub(crate) trait Backend: Diagnostics + fmt::Debug + Send + Sync {
    fn device(&self) -> &Device;

    /// Whether a gradient over all pairs of x and one over all pairs of y are there sooner where they are computed side by side.
    fn gains_from_joining(&self, _x: &Points, _y: &Points) -> bool {
        false
    }

    /// Points on the device, in the memory of `reused` as far as that serves.
    fn upload<'a>(&'a self, points: Embeddings<'a>, reused: Option<Points>) -> Pending<'a, Points>;

    /// Points in half precision on the device; as f32, where it does not keep them so.
    fn upload_half<'a>(&'a self, points: HalfEmbeddings) -> Pending<'a, Points> {
        Box::pin(async move { self.upload(points.widened()?, None).await })
    }

    /// The points as the host reads them: without a copy where they lie in its memory.
    fn on_host<'a>(&'a self, points: &'a Points, watch: &'a Watch) -> Pending<'a, Arc<dyn HostRows>>;

    /// Row-major values as a matrix on the device; `values.len()` is `rows * cols`.
    fn upload_matrix<'a>(&'a self, values: &'a [f32], rows: usize, cols: usize) -> Pending<'a, Matrix>;

    /// The points of these rows, in this order, which may repeat; their gradients are not asked for.
    fn gather<'a>(&'a self, points: &'a Points, rows: &'a [usize]) -> Pending<'a, Points>;

    /// Σ k(x, y) over `pairs` for every kernel, at little more than the cost of one where their precision allows it.
    fn log_sum<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernels: &'a [Kernel],
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>>;

    /// log Σⱼ wⱼ k(xᵢ, yⱼ) for every point i of either set and every kernel, over the pairs that the point is in, where w are the
    /// weights of the points on the other side, all 1 unless given.
    fn row_log_sums<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernels: &'a [Kernel],
        weights: Option<PointWeights<'a>>,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<RowLogSums>>;

    /// Σ k(x, y) over the pairs i < j within each group, or of each two groups. The points of a group lie side by side, up
    /// to its end.
    fn group_log_sums<'a>(
        &'a self,
        x: &'a Points,
        ends: &'a [usize],
        kernel: Kernel,
        which: GroupPairs,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>>;

    /// Σ k(x, y) over each of some blocks of the pairs.
    fn block_log_sums<'a>(
        &'a self,
        pairs: Pairs<'a>,
        blocks: &'a [Block],
        kernel: Kernel,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>>;

    /// The gradient that the normalizer describes, and the sums that it was divided by.
    fn gradient<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernel: Kernel,
        normalizer: Normalizer<'a>,
        watch: &'a Watch,
    ) -> Pending<'a, (Sums, Gradients)>;

    /// Σ f(x, y) over `pairs`. Functions within classes take `Within` and `Across`, not `Unpaired`.
    fn function_sum<'a>(
        &'a self,
        pairs: Pairs<'a>,
        function: PairFunction<'a>,
        watch: &'a Watch,
    ) -> Pending<'a, f64>;

    /// The sum, and the gradient of `scale` times it, added to `into` where given.
    fn function_gradient<'a>(
        &'a self,
        pairs: Pairs<'a>,
        function: PairFunction<'a>,
        scale: f64,
        into: Option<Gradients>,
        watch: &'a Watch,
    ) -> Pending<'a, (FunctionSums, Gradients)>;

    /// The number of pairs with a cosine in each of so many equal parts of [−1, 1], for unit rows. A cosine within about 1e-6
    /// of the end of a part may count as of the next.
    fn cosine_histogram<'a>(
        &'a self,
        pairs: Pairs<'a>,
        bins: usize,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<u64>>;

    /// The pairs whose squared distance is at most `square`, as direct differences say; `limit` of them by name.
    fn close_pairs<'a>(
        &'a self,
        pairs: Pairs<'a>,
        square: f64,
        limit: usize,
        watch: &'a Watch,
    ) -> Pending<'a, FoundPairs>;

    /// Mean and covariance, or Gram matrix of fewer points than dimensions, in f64 or as good.
    fn moments<'a>(&'a self, x: &'a Points, watch: &'a Watch) -> Pending<'a, Moments>;

    /// The term of every positive pair.
    fn paired<'a>(&'a self, x: &'a Points, y: &'a Points, term: Term) -> Pending<'a, Vec<f64>>;

    /// The gradients of Σ cᵢ term(xᵢ, yᵢ) for x and y, one coefficient for each row, added to `into` where given.
    fn paired_gradient<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        term: Term,
        coefficients: &'a [f64],
        into: Option<(Matrix, Matrix)>,
    ) -> Pending<'a, (Matrix, Matrix)>;

    /// ‖xᵢ−yⱼ‖² for every pair, rows of x by rows of y, by direct difference.
    fn squared_distances<'a>(&'a self, x: &'a Points, y: &'a Points) -> Pending<'a, Matrix>;

    /// The gradient for x and y of Σ uᵢⱼ‖xᵢ−yⱼ‖², where u is `upstream`.
    fn squared_distances_grad<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        upstream: &'a Matrix,
    ) -> Pending<'a, (Matrix, Matrix)>;
}

/// Answers about the device and what it did, for benchmarks and reports.
pub(crate) trait Diagnostics {
    /// Multiplications and additions in f32 per second, where there is nothing else to do: the best of several trials.
    fn ceiling(&self) -> Pending<'_, f64>;

    /// The precisions that sums over pairs have been made in so far, the most accurate first: where one asked for cannot keep
    /// its word, single precision takes its place.
    fn precisions_used(&self) -> Vec<Precision> {
        vec![Precision::F32]
    }
}

/// The gradient of [`Normalizer::Rows`] in two passes: sums first, then weights.
#[cfg(feature = "gpu")]
pub(crate) async fn row_gradient_in_two_passes(
    backend: &dyn Backend,
    pairs: Pairs<'_>,
    kernel: Kernel,
    (extra, scale): (crate::weights::ExtraTerms<'_>, f64),
    watch: &Watch,
) -> Result<(RowLogSums, Gradients)> {
    let sums = backend.row_log_sums(pairs, &[kernel], None, &watch.silent()).await?.pop();
    let sums = sums.ok_or_else(|| Error::missing("the sum of each row"))?;
    // Weights have logs; the sign of a scale is no part of them.
    let scalings = extra.scalings(&sums, scale.abs(), pairs.sides().1.rows());
    let normalizer =
        Normalizer::Given { weights: scalings.pair_weights(), scale: scale.signum(), into: None };
    let (_, gradients) = backend.gradient(pairs, kernel, normalizer, watch).await?;
    Ok((RowLogSums { y: sums.y.filter(|_| extra.y.is_some()), ..sums }, gradients))
}

/// Σ k(x, y) over each block, from points that are gathered for it: on a device where a block is a pass of its own.
#[cfg(feature = "gpu")]
pub(crate) async fn block_sums_of_gathered(
    backend: &dyn Backend,
    pairs: Pairs<'_>,
    blocks: &[Block],
    kernel: Kernel,
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let (left, right) = pairs.sides();
    let mut sums = Vec::with_capacity(blocks.len());
    for Block { rows, cols, diagonal } in blocks {
        let x = backend.gather(left, &rows.clone().collect::<Vec<_>>()).await?;
        let of_block = match diagonal {
            true => backend.log_sum(Pairs::Within(&x), &[kernel], watch).await?,
            false => {
                let y = backend.gather(right, &cols.clone().collect::<Vec<_>>()).await?;
                backend.log_sum(Pairs::Across(&x, &y), &[kernel], watch).await?
            }
        };
        sums.extend(of_block);
    }
    Ok(sums)
}

/// Σ k(x, y) over `pairs` for every kernel, from the sums of rows: for kernels that a device sums by rows alone.
pub(crate) async fn total_of_rows(
    backend: &dyn Backend,
    pairs: Pairs<'_>,
    kernels: &[Kernel],
    watch: &Watch,
) -> Result<Vec<LogSumExp>> {
    let within = matches!(pairs, Pairs::Within(_));
    let total = |rows: RowLogSums| {
        let terms = rows.x.into_iter().filter(|&log| log > f64::NEG_INFINITY);
        let sum: LogSumExp = terms.map(LogSumExp::from_exponent).collect();
        // Within one set, each pair counts in both of its rows.
        LogSumExp { sum: if within { sum.sum / 2.0 } else { sum.sum }, ..sum }
    };
    Ok(backend.row_log_sums(pairs, kernels, None, watch).await?.into_iter().map(total).collect())
}

/// The gradient of [`Normalizer::Total`] in two passes: for kernels that a device sums by rows alone.
pub(crate) async fn total_gradient_in_two_passes(
    backend: &dyn Backend,
    pairs: Pairs<'_>,
    kernel: Kernel,
    scale: f64,
    watch: &Watch,
) -> Result<(LogSumExp, Gradients)> {
    let sum = total_of_rows(backend, pairs, &[kernel], &watch.silent()).await?.pop();
    let sum = sum.ok_or_else(|| Error::missing("the sum over all pairs"))?;
    let (x, y) = pairs.sides();
    let (p, q) = (vec![-sum.log(); x.rows()], vec![0.0; y.rows()]);
    let weights = match pairs {
        Pairs::Within(_) => {
            let half: Vec<_> = p.iter().map(|log| log / 2.0).collect();
            let given =
                Normalizer::Given { weights: PairWeights::Product { p: &half, q: &half }, scale, into: None };
            return Ok((sum, backend.gradient(pairs, kernel, given, watch).await?.1));
        }
        _ => PairWeights::Product { p: &p, q: &q },
    };
    let given = Normalizer::Given { weights, scale, into: None };
    Ok((sum, backend.gradient(pairs, kernel, given, watch).await?.1))
}
