//! CPU backend: native code on all cores.
//!
//! Points stay row-major. A block of pairs is packed and goes through the [mainloop](block::mainloop), whose epilogue makes
//! a sum, a table or weights of each tile of similarities. `reduce` has the sums, `gradient` the gradients, and `accuracy`
//! decides which arithmetic is exact enough. Results are merged in an order that depends on shapes alone, never on threads.

mod accuracy;
mod block;
mod ceiling;
mod gradient;
mod matrix;
mod pairs;
mod points;
mod reduce;
mod schedule;
mod simd;
#[cfg(test)]
mod tests;

use self::{pairs::PairSet, points::Rows, simd::isa::Isa};
use crate::{
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
    isa: Isa,
}

impl Cpu {
    pub(crate) fn new() -> Self {
        Self::at(Isa::best())
    }

    fn at(isa: Isa) -> Self {
        let model = model().unwrap_or_else(|| std::env::consts::ARCH.into());
        let name = format!("{model}, {}", isa.name());
        Self { device: Device { kind: DeviceKind::Cpu, name, software: false }, isa }
    }
}

/// Model name of the processor, where the system has it in a file.
fn model() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, model) = info.lines().find(|line| line.starts_with("model name"))?.split_once(':')?;
    Some(model.trim().into())
}

impl Backend for Cpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn ceiling(&self) -> Result<f64> {
        Ok(ceiling::ceiling(self.isa))
    }

    fn upload(&self, points: Embeddings<'_>) -> Result<Points> {
        Ok(Rows::upload(self.isa, points))
    }

    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        Ok(matrix::matrix(values.to_vec(), rows, cols))
    }

    fn gather(&self, points: &Points, rows: &[usize]) -> Result<Points> {
        Rows::of(points)?.gather(self.isa, rows)
    }

    fn log_sum(&self, pairs: Pairs<'_>, t: f64, watch: &Watch<'_>) -> Result<LogSumExp> {
        Ok(self.log_sums(pairs, &[t], watch)?[0])
    }

    fn log_sums(&self, pairs: Pairs<'_>, ts: &[f64], watch: &Watch<'_>) -> Result<Vec<LogSumExp>> {
        reduce::total::log_sums(self.isa, PairSet::of(pairs)?, ts, watch)
    }

    fn log_sum_with_grad(
        &self,
        pairs: Pairs<'_>,
        t: f64,
        weight: f64,
        watch: &Watch<'_>,
    ) -> Result<(LogSumExp, Gradients)> {
        gradient::total::log_sum_with_grad(self.isa, PairSet::of(pairs)?, t, weight, watch)
    }

    fn group_log_sums(
        &self,
        x: &Points,
        ends: &[usize],
        t: f64,
        watch: &Watch<'_>,
    ) -> Result<Vec<LogSumExp>> {
        reduce::groups::log_sums(self.isa, Rows::of(x)?, ends, t, watch)
    }

    fn cosine_histogram(&self, pairs: Pairs<'_>, bins: usize, watch: &Watch<'_>) -> Result<Vec<u64>> {
        reduce::histogram::cosines(self.isa, PairSet::of(pairs)?, bins, watch)
    }

    fn close_pairs(
        &self,
        pairs: Pairs<'_>,
        square: f64,
        limit: usize,
        watch: &Watch<'_>,
    ) -> Result<FoundPairs> {
        reduce::close_pairs::close_pairs(self.isa, PairSet::of(pairs)?, square, limit, watch)
    }

    fn moments(&self, x: &Points) -> Result<Moments> {
        reduce::moments::moments(self.isa, Rows::of(x)?)
    }

    fn row_log_sums(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        masses: Option<PointWeights<'_>>,
        watch: &Watch<'_>,
    ) -> Result<RowLogSums> {
        reduce::rows::row_log_sums(self.isa, PairSet::of(pairs)?, exponent, masses, watch)
    }

    fn row_log_sums_of_logits(
        &self,
        pairs: Pairs<'_>,
        taus: &[f64],
        watch: &Watch<'_>,
    ) -> Result<Vec<RowLogSums>> {
        reduce::rows::row_log_sums_of_logits(self.isa, PairSet::of(pairs)?, taus, watch)
    }

    fn weighted_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        weighing: PairWeights<'_>,
        sum: Option<Gradients>,
        watch: &Watch<'_>,
    ) -> Result<Gradients> {
        gradient::weighted::weighted_grad(self.isa, PairSet::of(pairs)?, exponent, weighing, sum, watch)
    }

    fn row_log_sums_with_grad(
        &self,
        pairs: Pairs<'_>,
        exponent: Exponent,
        rests: ExtraTerms<'_>,
        scale: f64,
        watch: &Watch<'_>,
    ) -> Result<(RowLogSums, Gradients)> {
        let pairs = PairSet::of(pairs)?;
        gradient::softmax::row_log_sums_with_grad(self.isa, pairs, exponent, rests, scale, watch)
    }

    fn paired_dots(&self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        Ok(reduce::paired::dots(self.isa, Rows::of(x)?, Rows::of(y)?))
    }

    fn paired_dots_grad(
        &self,
        x: &Points,
        y: &Points,
        coefficients: &[f64],
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        reduce::paired::grad(Rows::of(x)?, Rows::of(y)?, coefficients, sum, |_, y| y)
    }

    fn paired_squared_distances(&self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        Ok(reduce::paired::squared_distances(self.isa, Rows::of(x)?, Rows::of(y)?))
    }

    fn paired_grad(
        &self,
        x: &Points,
        y: &Points,
        coefficients: &[f64],
        sum: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        reduce::paired::grad(Rows::of(x)?, Rows::of(y)?, coefficients, sum, |x, y| x - y)
    }

    fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        reduce::distances::squared_distances(self.isa, Rows::of(x)?, Rows::of(y)?)
    }

    fn squared_distances_grad(&self, x: &Points, y: &Points, upstream: &Matrix) -> Result<(Matrix, Matrix)> {
        gradient::distances::squared_distances_grad(self.isa, Rows::of(x)?, Rows::of(y)?, upstream)
    }
}
