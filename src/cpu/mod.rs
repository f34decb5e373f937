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
    backend::{
        Backend, Diagnostics, FoundPairs, GroupPairs, Moments, Sums, Term, total_gradient_in_two_passes,
        total_of_rows,
    },
    device::{Device, DeviceKind},
    error::{Error, Result},
    function::{FunctionSums, PairFunction},
    kernel::{Kernel, Map, scales},
    log_sum::LogSumExp,
    pairs::Pairs,
    points::{Embeddings, Matrix, Points},
    progress::Watch,
    weights::{Gradients, Normalizer, PointWeights, RowLogSums},
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

impl Diagnostics for Cpu {
    fn ceiling(&self) -> Result<f64> {
        Ok(ceiling::ceiling(self.isa))
    }
}

impl Backend for Cpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn upload(&self, points: Embeddings<'_>, _reused: Option<Points>) -> Result<Points> {
        Ok(Rows::upload(self.isa, points))
    }

    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        Ok(matrix::matrix(values.to_vec(), rows, cols))
    }

    fn gather(&self, points: &Points, rows: &[usize]) -> Result<Points> {
        Rows::of(points)?.gather(self.isa, rows)
    }

    fn log_sum(&self, pairs: Pairs<'_>, kernels: &[Kernel], watch: &Watch<'_>) -> Result<Vec<LogSumExp>> {
        match scales(kernels, Map::Gaussian) {
            Some(ts) => reduce::total::log_sums(self.isa, PairSet::of(pairs)?, &ts, watch),
            None => total_of_rows(self, pairs, kernels, watch),
        }
    }

    fn row_log_sums(
        &self,
        pairs: Pairs<'_>,
        kernels: &[Kernel],
        weights: Option<PointWeights<'_>>,
        watch: &Watch<'_>,
    ) -> Result<Vec<RowLogSums>> {
        if let (None, Some(taus)) = (weights, scales(kernels, Map::Logit)) {
            return reduce::rows::row_log_sums_of_logits(self.isa, PairSet::of(pairs)?, &taus, watch);
        }
        let (pairs, mut passes) = (PairSet::of(pairs)?, watch.passes());
        let each = kernels
            .iter()
            .map(|&kernel| reduce::rows::row_log_sums(self.isa, pairs, kernel, weights, passes.next()));
        each.collect()
    }

    fn group_log_sums(
        &self,
        x: &Points,
        ends: &[usize],
        kernel: Kernel,
        which: GroupPairs,
        watch: &Watch<'_>,
    ) -> Result<Vec<LogSumExp>> {
        if kernel.map != Map::Gaussian {
            return Err(Error::missing("the sum of logits of each group"));
        }
        reduce::groups::log_sums(self.isa, Rows::of(x)?, ends, kernel.scale, which, watch)
    }

    fn gradient(
        &self,
        pairs: Pairs<'_>,
        kernel: Kernel,
        normalizer: Normalizer<'_>,
        watch: &Watch<'_>,
    ) -> Result<(Sums, Gradients)> {
        match normalizer {
            Normalizer::Total { scale } if kernel.map != Map::Gaussian => {
                let (sum, gradients) = total_gradient_in_two_passes(self, pairs, kernel, scale, watch)?;
                Ok((Sums::Total(sum), gradients))
            }
            Normalizer::Total { scale } => {
                let (sum, gradients) = gradient::total::log_sum_with_grad(
                    self.isa,
                    PairSet::of(pairs)?,
                    kernel.scale,
                    scale,
                    watch,
                )?;
                Ok((Sums::Total(sum), gradients))
            }
            Normalizer::Rows { extra, scale } => {
                let (sums, gradients) = gradient::softmax::row_log_sums_with_grad(
                    self.isa,
                    PairSet::of(pairs)?,
                    kernel,
                    extra,
                    scale,
                    watch,
                )?;
                Ok((Sums::Rows(sums), gradients))
            }
            Normalizer::Given { weights, scale, into } => {
                let gradients = gradient::weighted::weighted_grad(
                    self.isa,
                    PairSet::of(pairs)?,
                    kernel,
                    (weights, scale),
                    into,
                    watch,
                )?;
                Ok((Sums::None, gradients))
            }
        }
    }

    fn function_sum(&self, pairs: Pairs<'_>, function: PairFunction<'_>, watch: &Watch<'_>) -> Result<f64> {
        let pairs = PairSet::of(pairs)?;
        match function {
            PairFunction::Softplus { scale, bias } => {
                reduce::mapped::softplus_sum(self.isa, pairs, scale, bias, watch)
            }
            PairFunction::InClass { term, classes } => {
                reduce::classes::class_sum(self.isa, pairs, term, classes, watch)
            }
        }
    }

    fn function_gradient(
        &self,
        pairs: Pairs<'_>,
        function: PairFunction<'_>,
        scale: f64,
        into: Option<Gradients>,
        watch: &Watch<'_>,
    ) -> Result<(FunctionSums, Gradients)> {
        let (pairs, upstream) = (PairSet::of(pairs)?, scale);
        match function {
            PairFunction::Softplus { scale, bias } => {
                let of = (scale, bias);
                gradient::mapped::softplus_gradient(self.isa, pairs, of, upstream, into, watch)
            }
            PairFunction::InClass { term, classes } => {
                let (value, gradients) =
                    reduce::classes::class_gradient(self.isa, pairs, term, classes, upstream, into, watch)?;
                Ok((FunctionSums { value, ..FunctionSums::default() }, gradients))
            }
        }
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

    fn moments(&self, x: &Points, watch: &Watch<'_>) -> Result<Moments> {
        reduce::moments::moments(self.isa, Rows::of(x)?, watch)
    }

    fn paired(&self, x: &Points, y: &Points, term: Term) -> Result<Vec<f64>> {
        let (x, y) = (Rows::of(x)?, Rows::of(y)?);
        Ok(match term {
            Term::Dot => reduce::paired::dots(self.isa, x, y),
            Term::SquaredDistance => reduce::paired::squared_distances(self.isa, x, y),
        })
    }

    fn paired_gradient(
        &self,
        x: &Points,
        y: &Points,
        term: Term,
        coefficients: &[f64],
        into: Option<(Matrix, Matrix)>,
    ) -> Result<(Matrix, Matrix)> {
        let (x, y) = (Rows::of(x)?, Rows::of(y)?);
        match term {
            Term::Dot => reduce::paired::grad(x, y, coefficients, into, |_, y| y),
            Term::SquaredDistance => reduce::paired::grad(x, y, coefficients, into, |x, y| x - y),
        }
    }

    fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        reduce::distances::squared_distances(self.isa, Rows::of(x)?, Rows::of(y)?)
    }

    fn squared_distances_grad(&self, x: &Points, y: &Points, upstream: &Matrix) -> Result<(Matrix, Matrix)> {
        gradient::distances::squared_distances_grad(self.isa, Rows::of(x)?, Rows::of(y)?, upstream)
    }
}
