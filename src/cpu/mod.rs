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
    backend::{
        Backend, Diagnostics, FoundPairs, GroupPairs, Moments, Sums, Term, total_gradient_in_two_passes,
        total_of_rows,
    },
    device::{Device, DeviceKind},
    error::{Error, Result},
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

impl Diagnostics for Cpu {
    fn ceiling(&self) -> Result<f64> {
        Ok(ceiling::ceiling(self.level))
    }
}

impl Backend for Cpu {
    fn device(&self) -> &Device {
        &self.device
    }

    fn upload(&self, points: Embeddings<'_>, _reused: Option<Points>) -> Result<Points> {
        Ok(Rows::upload(self.level, points))
    }

    fn upload_matrix(&self, values: &[f32], rows: usize, cols: usize) -> Result<Matrix> {
        Ok(matrix::matrix(values.to_vec(), rows, cols))
    }

    fn gather(&self, points: &Points, rows: &[usize]) -> Result<Points> {
        Rows::of(points)?.gather(self.level, rows)
    }

    fn log_sum(&self, pairs: Pairs<'_>, kernels: &[Kernel], watch: &Watch<'_>) -> Result<Vec<LogSumExp>> {
        match scales(kernels, Map::Gaussian) {
            Some(ts) => sweeps::log_sums(self.level, pairs, &ts, watch),
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
            return rows::row_log_sums_of_logits(self, pairs, &taus, watch);
        }
        let mut passes = watch.passes();
        let each = kernels
            .iter()
            .map(|&kernel| rows::row_log_sums(self, pairs, kernel.into(), weights, passes.next()));
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
        let sums = sweeps::group_log_sums(self.level, x, ends, kernel.scale, watch)?;
        Ok(match which {
            GroupPairs::All => sums,
            GroupPairs::Within => (0..ends.len()).map(|group| sums[group * (ends.len() + 1)]).collect(),
        })
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
                let (sum, gradients) = self.log_sum_with_grad(pairs, kernel.scale, scale, watch)?;
                Ok((Sums::Total(sum), gradients))
            }
            Normalizer::Rows { extra, scale } => {
                let (sums, gradients) =
                    softmax::row_log_sums_with_grad(self, pairs, kernel.into(), (extra, scale), watch)?;
                Ok((Sums::Rows(sums), gradients))
            }
            Normalizer::Given { weights, scale, into } => {
                debug_assert_eq!(scale, 1.0);
                let gradients = weighted::weighted_grad(self, pairs, kernel.into(), weights, into, watch)?;
                Ok((Sums::None, gradients))
            }
        }
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

    fn moments(&self, x: &Points, watch: &Watch<'_>) -> Result<Moments> {
        moments::moments(self.level, Rows::of(x)?, watch)
    }

    fn paired(&self, x: &Points, y: &Points, term: Term) -> Result<Vec<f64>> {
        let (x, y) = (Rows::of(x)?, Rows::of(y)?);
        Ok(match term {
            Term::Dot => paired::dots(self.level, x, y),
            Term::SquaredDistance => paired::squared_distances(self.level, x, y),
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
            Term::Dot => paired::grad(x, y, coefficients, into, |_, y| y),
            Term::SquaredDistance => paired::grad(x, y, coefficients, into, |x, y| x - y),
        }
    }

    fn squared_distances(&self, x: &Points, y: &Points) -> Result<Matrix> {
        matrix::squared_distances(self.level, Rows::of(x)?, Rows::of(y)?)
    }

    fn squared_distances_grad(&self, x: &Points, y: &Points, upstream: &Matrix) -> Result<(Matrix, Matrix)> {
        gradient::squared_distances_grad(self.level, Rows::of(x)?, Rows::of(y)?, upstream)
    }
}

impl Cpu {
    /// S = Σ exp(−t‖x−y‖²), and the gradient of `weight` · log S.
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
}
