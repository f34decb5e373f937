//! Native code on all cores.
//!
//! Points stay row-major. The rows on the left of a block are interleaved once for all of its tiles, those on the
//! right copied as they lie, a tile's at a time: 4 % of a value's time in 768 dimensions, which does not pay for
//! points kept in another form as well. Kernels hold a tile of pairs in registers, from the first product to
//! the exponential; what leaves them is a sum, or the weights of a gradient. Results are merged in an order that
//! depends on shapes alone, never on threads.

mod ceiling;
mod closeness;
mod exact;
mod exp;
mod float;
mod gradient;
mod groups;
mod halves;
mod histogram;
mod kept;
mod kernel;
mod level;
mod log_sum;
mod matrix;
mod moments;
mod near;
mod one_way;
mod pack;
mod paired;
mod points;
mod product;
mod pull;
mod rounded;
mod row_sums;
mod rows;
mod sets;
mod softmax;
mod sweep;
mod sweeps;
mod table;
#[cfg(test)]
mod tests;
mod tile;
mod turns;
mod walk;
mod weighing;
mod weighted;

use self::{
    exact::Exact,
    kernel::{Cosine, Difference, Gram},
    level::Level,
    points::Rows,
    sets::Sets,
};
use crate::{
    accuracy::NARROW,
    backend::{Backend, FoundPairs, Gradients, Moments},
    device::{Device, DeviceKind},
    error::Result,
    kernel::Exponent,
    log_sum::LogSumExp,
    pairs::Pairs,
    points::{Embeddings, Matrix, Points},
    progress::Watch,
    weights::{ExtraTerms, PairWeights, PointWeights, RowLogSums},
};

/// The CPU as a device.
#[derive(Debug)]
pub(crate) struct Cpu {
    device: Device,
    level: Level,
}

impl Cpu {
    pub(crate) fn new() -> Self {
        Self::at(Level::best())
    }

    fn at(level: Level) -> Self {
        let model = model().unwrap_or_else(|| std::env::consts::ARCH.into());
        let name = format!("{model}, {}", level.name());
        Self { device: Device { kind: DeviceKind::Cpu, name, software: false }, level }
    }
}

/// What the processor calls itself, where the system says so in a file.
fn model() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, model) = info.lines().find(|line| line.starts_with("model name"))?.split_once(':')?;
    Some(model.trim().into())
}

/// The mean squared distance of unit rows, given their centre.
fn mean_square(centre: &[f64]) -> f64 {
    2.0 * (1.0 - centre.iter().map(|v| v * v).sum::<f64>())
}

impl Backend for Cpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn ceiling(&self) -> Result<f64> {
        Ok(ceiling::ceiling(self.level))
    }

    fn upload(&self, points: Embeddings<'_>) -> Result<Points> {
        Ok(Rows::upload(self.level, points))
    }

    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        Ok(matrix::matrix(values.to_vec(), rows, cols))
    }

    fn gather(&self, points: &Points, rows: &[usize]) -> Result<Points> {
        Rows::of(points)?.gather(self.level, rows)
    }

    fn log_sum(&self, pairs: Pairs<'_>, t: f64, watch: &Watch<'_>) -> Result<LogSumExp> {
        Ok(self.log_sums(pairs, &[t], watch)?[0])
    }

    fn log_sums(&self, pairs: Pairs<'_>, ts: &[f64], watch: &Watch<'_>) -> Result<Vec<LogSumExp>> {
        sweeps::log_sums(self.level, pairs, ts, watch)
    }

    fn log_sum_with_grad(
        &self,
        pairs: Pairs<'_>,
        t: f64,
        weight: f64,
        watch: &Watch<'_>,
    ) -> Result<(LogSumExp, Gradients)> {
        let sets = Sets::of(pairs)?;
        let centre = gradient::centre(sets);
        let mut passes = watch.passes();
        let mut by = |kernel: Exact| {
            let by = match kernel {
                Exact::FewGram => gradient::log_sum_with_grad::<Gram<true>>,
                Exact::Cosine => gradient::log_sum_with_grad::<Cosine>,
                Exact::Gram => gradient::log_sum_with_grad::<Gram<false>>,
                Exact::Difference | Exact::Dot => gradient::log_sum_with_grad::<Difference>,
            };
            by(self.level, sets, &centre, (t, weight), passes.next())
        };
        let kernel = Exact::gaussian(sets, t);
        let narrow = kernel == Exact::Cosine && mean_square(&centre) <= NARROW;
        if !narrow {
            let done = by(kernel)?;
            if kernel != Exact::Cosine || !done.cancels {
                return Ok(done.result);
            }
        }
        Ok(by(Exact::Difference)?.result)
    }

    fn group_log_sums(
        &self,
        x: &Points,
        ends: &[usize],
        t: f64,
        watch: &Watch<'_>,
    ) -> Result<Vec<LogSumExp>> {
        sweeps::group_log_sums(self.level, x, ends, t, watch)
    }

    fn cosine_histogram(&self, pairs: Pairs<'_>, bins: usize, watch: &Watch<'_>) -> Result<Vec<u64>> {
        histogram::cosines(self.level, Sets::of(pairs)?, bins, watch)
    }

    fn close_pairs(
        &self,
        pairs: Pairs<'_>,
        square: f64,
        limit: usize,
        watch: &Watch<'_>,
    ) -> Result<FoundPairs> {
        near::close_pairs(self.level, Sets::of(pairs)?, square, limit, watch)
    }

    fn moments(&self, x: &Points) -> Result<Moments> {
        moments::moments(self.level, Rows::of(x)?)
    }

    fn row_log_sums(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        masses: Option<PointWeights<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RowLogSums> {
        rows::row_log_sums(self, pairs, exponent, masses, watch)
    }

    fn row_log_sums_of_logits(
        &self,
        pairs: Pairs<'_>,
        taus: &[f64],
        watch: &Watch<'_>,
    ) -> Result<Vec<RowLogSums>> {
        rows::row_log_sums_of_logits(self, pairs, taus, watch)
    }

    fn weighted_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        weighing: PairWeights<'_>,
        sum: Option<Gradients>,
        watch: &Watch<'_>,
    ) -> Result<Gradients> {
        weighted::weighted_grad(self, pairs, exponent, weighing, sum, watch)
    }

    fn row_log_sums_with_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        rests: ExtraTerms<'_>,
        scale: f64,
        watch: &Watch<'_>,
    ) -> Result<(RowLogSums, Gradients)> {
        softmax::row_log_sums_with_grad(self, pairs, exponent, (rests, scale), watch)
    }

    fn paired_dots(&self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        Ok(paired::dots(self.level, Rows::of(x)?, Rows::of(y)?))
    }

    fn paired_dots_grad(
        &self,
        x: &Points,
        y: &Points,
        coefficients: &[f64],
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        paired::grad(Rows::of(x)?, Rows::of(y)?, coefficients, sum, |_, y| y)
    }

    fn paired_squared_distances(&self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        Ok(paired::squared_distances(self.level, Rows::of(x)?, Rows::of(y)?))
    }

    fn paired_grad(
        &self,
        x: &Points,
        y: &Points,
        coefficients: &[f64],
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        paired::grad(Rows::of(x)?, Rows::of(y)?, coefficients, sum, |x, y| x - y)
    }

    fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        matrix::squared_distances(self.level, Rows::of(x)?, Rows::of(y)?)
    }

    fn squared_distances_grad(&self, x: &Points, y: &Points, upstream: &Matrix) -> Result<(Matrix, Matrix)> {
        gradient::squared_distances_grad(self.level, Rows::of(x)?, Rows::of(y)?, upstream)
    }
}
