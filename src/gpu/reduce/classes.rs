//! Sums of squared distances within classes, from the mean m of each class: Σ_{i<j} ‖xᵢ−xⱼ‖² = n Σᵢ ‖xᵢ−m‖², in time n·d where
//! the pairs would take n²·d. Means are made on the host in f64.

use std::sync::Arc;

use crate::{
    error::{Error, Result},
    function::{ClassTerm, Classes, FunctionSums, PairFunction},
    gpu::{
        device::context::Context,
        gradient::paired::grad,
        points::{
            gather,
            matrix::GpuMatrix,
            panels::{GpuPoints, Source, place},
        },
        reduce::paired::squared_distances,
    },
    pairs::Pairs,
    points::{Embeddings, Points, Scaling},
    precision::Storage,
    progress::Watch,
    weights::Gradients,
};

/// Pairs up to which a pass over all of them takes less than reading the points back.
const MAX_PAIRS_OF_TABLES: u64 = 1 << 24;
/// The mean square of distances from the means, over that of the means themselves, below which f32 rounds the means too much.
const MIN_SPREAD: f64 = 1e-3;
/// Values that are read back at a time.
const VALUES_PER_READ: usize = 1 << 22;

/// The sum over the pairs of a function within classes, and with an upstream factor its gradient; none where the pairs serve
/// better.
pub(crate) async fn by_means(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    function: PairFunction<'_>,
    upstream: Option<f64>,
    watch: &Watch,
) -> Result<Option<(FunctionSums, Option<Gradients>)>> {
    match function {
        PairFunction::InClass { term: ClassTerm::Distance { alpha }, classes }
            if alpha == 2.0 && pairs.count() > MAX_PAIRS_OF_TABLES =>
        {
            let means = means_of_pairs(context, pairs, classes, upstream, watch);
            context.scoped("summing by the means of classes", means).await
        }
        _ => Ok(None),
    }
}

/// The same for any number of pairs.
pub(crate) async fn means_of_pairs(
    context: &Arc<Context>,
    pairs: Pairs<'_>,
    classes: Classes<'_>,
    upstream: Option<f64>,
    watch: &Watch,
) -> Result<Option<(FunctionSums, Option<Gradients>)>> {
    let (x, y) = pairs.sides();
    let one_set = matches!(pairs, Pairs::Within(_));
    // Means are kept in f32, beside points that are.
    if matches!(pairs, Pairs::Unpaired(..)) || GpuPoints::of(x, context)?.stored != Storage::F32 {
        return Ok(None);
    }
    let of_x = Means::of(context, x, classes.of_x, classes.weights.len(), watch).await?;
    let of_y = match one_set {
        true => None,
        false => Some(Means::of(context, y, classes.of_y, classes.weights.len(), watch).await?),
    };
    let other = of_y.as_ref().unwrap_or(&of_x);
    // Σᵢ n‖xᵢ−m‖², n and m being of the rows on the other side; and of two sets what those are apart among themselves.
    let mut spread = Spread { sum: 0.0, of_classes: vec![[0.0; 2]; classes.weights.len()] };
    let means_for_x = other.for_rows(context, classes.of_x).await?;
    let weight = |class: u32| classes.weights[class as usize];
    let squares = squared_distances(context, x, &means_for_x).await?;
    spread.add(&squares, classes.of_x, |class| weight(class) * other.count(class), other);
    if !one_set {
        let means_for_y = other.for_rows(context, classes.of_y).await?;
        let squares = squared_distances(context, y, &means_for_y).await?;
        spread.add(&squares, classes.of_y, |class| weight(class) * of_x.count(class), other);
    }
    if spread.is_narrow() {
        return Ok(None);
    }
    let sums = FunctionSums { value: spread.sum, ..FunctionSums::default() };
    let Some(upstream) = upstream else { return Ok(Some((sums, None))) };
    let coefficients = |of: &[u32], others: &Means| -> Vec<f64> {
        of.iter().map(|&class| 2.0 * upstream * weight(class) * others.count(class)).collect()
    };
    let zeros = |points: &Points| {
        let panel_rows = GpuPoints::of(points, context)?.panel_rows;
        let zeros = GpuMatrix::zeros(context, points.rows(), points.dims(), panel_rows)?;
        Ok::<_, Error>(zeros.into_matrix(points.rows()))
    };
    // What the means would have for a gradient is left out.
    let (gx, left_out) = (zeros(x)?, zeros(x)?);
    let (gx, _) =
        grad(context, x, &means_for_x, &coefficients(classes.of_x, other), Some((gx, left_out))).await?;
    let gy = match one_set {
        true => None,
        false => {
            let means = of_x.for_rows(context, classes.of_y).await?;
            let sum = Some((zeros(y)?, zeros(y)?));
            Some(grad(context, y, &means, &coefficients(classes.of_y, &of_x), sum).await?.0)
        }
    };
    Ok(Some((sums, Some(Gradients { x: gx, y: gy, by_log_scale: 0.0 }))))
}

/// A weighted sum of squares, and what tells whether f32 had the means of it.
struct Spread {
    sum: f64,
    /// Of each class, Σ‖x−m‖² and Σ‖m‖².
    of_classes: Vec<[f64; 2]>,
}

impl Spread {
    fn add(&mut self, squares: &[f64], of: &[u32], factor: impl Fn(u32) -> f64, means: &Means) {
        for (square, &class) in squares.iter().zip(of).filter(|&(_, &class)| means.count(class) > 0.0) {
            self.sum += factor(class) * square;
            let [squares, of_means] = &mut self.of_classes[class as usize];
            *squares += square;
            *of_means += means.squares[class as usize];
        }
    }

    fn is_narrow(&self) -> bool {
        // Classes of one row, or of equal rows, have no gradient to lose.
        self.of_classes.iter().any(|&[squares, of_means]| squares > 0.0 && squares < MIN_SPREAD * of_means)
    }
}

/// The mean of each class.
struct Means {
    counts: Vec<usize>,
    /// ‖m‖²
    squares: Vec<f64>,
    points: Points,
}

impl Means {
    async fn of(
        context: &Arc<Context>,
        points: &Points,
        of: &[u32],
        classes: usize,
        watch: &Watch,
    ) -> Result<Self> {
        let dims = points.dims();
        let (mut sums, mut counts) = (vec![0.0; classes * dims], vec![0; classes]);
        let rows: Vec<_> = (0..points.rows()).collect();
        for rows in rows.chunks((VALUES_PER_READ / dims).max(1)) {
            watch.advance(0)?;
            let values = gather::read(context, points, rows).await?;
            for (&row, values) in rows.iter().zip(values.chunks_exact(dims)) {
                let class = of[row] as usize;
                counts[class] += 1;
                let sums = sums[class * dims..][..dims].iter_mut();
                sums.zip(values).for_each(|(sum, &value)| *sum += f64::from(value));
            }
        }
        for (sums, &count) in sums.chunks_exact_mut(dims).zip(&counts) {
            sums.iter_mut().for_each(|sum| *sum /= count.max(1) as f64);
        }
        let squares = sums.chunks_exact(dims).map(|mean| mean.iter().map(|v| v * v).sum()).collect();
        let values: Vec<_> = sums.into_iter().map(|mean| mean as f32).collect();
        let means = Embeddings::raw(values, classes, dims)?;
        let shape = (classes, dims);
        let points = place(context, Source::Host(&means), shape, Scaling::Raw, Storage::F32, None).await?;
        Ok(Self { counts, squares, points })
    }

    fn count(&self, class: u32) -> f64 {
        self.counts[class as usize] as f64
    }

    /// The mean of the class of each row.
    async fn for_rows(&self, context: &Arc<Context>, of: &[u32]) -> Result<Points> {
        let classes: Vec<_> = of.iter().map(|&class| class as usize).collect();
        gather::gather(context, &self.points, &classes).await
    }
}
