//! CPU backend: native code on all cores.
//!
//! Points stay row-major. A block of pairs is packed and goes through the [mainloop](block::mainloop), whose epilogue makes
//! a sum, a table or weights of each tile of similarities. `reduce` has the sums, `gradient` the gradients, and `accuracy`
//! decides which arithmetic is exact enough. Results are merged in an order that depends on shapes alone, never on threads.

mod accuracy;
mod block;
mod ceiling;
mod gradient;
mod host;
mod matrix;
mod pairs;
mod points;
mod reduce;
mod schedule;
mod simd;
mod spare;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::{
    block::{formula::Difference, map::GaussianLoss},
    gradient::weighted::Target,
    matrix::Values,
    pairs::{PairSet, SharedPairs},
    points::Rows,
    schedule::in_steps,
    simd::isa::Isa,
};
use crate::{
    backend::{
        Backend, Diagnostics, FoundPairs, GroupPairs, Sums, Term, total_gradient_in_two_passes, total_of_rows,
    },
    device::{Device, DeviceKind},
    error::{Error, Result},
    function::{FunctionSums, PairFunction},
    kernel::{Kernel, Map, scales},
    log_sum::LogSumExp,
    memory::listed,
    pairs::Pairs,
    pending::{Pending, offload, on_the_pool},
    points::{Embeddings, HalfEmbeddings, HostRows, Matrix, Moments, Points},
    progress::Watch,
    schedule::Block,
    weights::{ExtraTerms, Gradients, Normalizer, PointWeights, RowLogSums, RowScalings},
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

    /// One for every instruction set of this machine, the best first.
    pub(crate) fn of_all_isas() -> Vec<Self> {
        Isa::all().into_iter().map(Self::at).collect()
    }

    fn at(isa: Isa) -> Self {
        let model = host::model().unwrap_or_else(|| std::env::consts::ARCH.into());
        let name = format!("{model}, {}", isa.name());
        Self { device: Device { kind: DeviceKind::Cpu, name, software: false, memory: None }, isa }
    }
}

/// The result of a job of this backend: in place for a caller that blocks, and else on the pool's threads. It owns all that it
/// uses, as nobody may be there any more when it ends.
fn job<'a, T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Pending<'a, T> {
    Box::pin(offload(on_the_pool, job))
}

/// Gradient with weights that are given, as a job.
fn weighted_grad(
    isa: Isa,
    pairs: SharedPairs,
    kernel: Kernel,
    (weights, scale): (RowScalings, f64),
    target: Target,
    watch: Watch,
) -> Pending<'static, (Sums, Gradients)> {
    job(move || {
        let (pairs, weights) = (pairs.set(), (weights.pair_weights(), scale));
        let gradients = in_steps(pairs.are_quick(), || {
            gradient::weighted::weighted_grad(isa, pairs, kernel, weights, target, &watch)
        });
        Ok((Sums::None, gradients?))
    })
}

impl Diagnostics for Cpu {
    fn ceiling(&self) -> Pending<'_, f64> {
        let isa = self.isa;
        job(move || ceiling::ceiling(isa))
    }
}

impl Backend for Cpu {
    fn device(&self) -> &Device {
        &self.device
    }

    /// Of few points it does: threads that share the work of one set wait for one another's values. Of so few that the caller's thread
    /// computes them alone, a hand-off takes longer.
    fn gains_from_joining(&self, x: &Points, y: &Points) -> bool {
        let gains = |points| {
            Rows::as_stored(points).is_ok_and(|rows| {
                let pairs = PairSet::Within(&rows);
                gradient::held::are_held(pairs) && !pairs.are_quick()
            })
        };
        rayon::current_num_threads() > 1 && gains(x) && gains(y)
    }

    fn upload<'a>(&'a self, points: Embeddings<'a>, reused: Option<Points>) -> Pending<'a, Points> {
        Box::pin(async move {
            let rows = Rows::given(self.isa, points, reused)?;
            job(move || Ok(rows.into_points())).await
        })
    }

    fn upload_half<'a>(&'a self, points: HalfEmbeddings) -> Pending<'a, Points> {
        Box::pin(async move {
            let rows = Rows::half(self.isa, points)?;
            job(move || Ok(rows.into_points())).await
        })
    }

    fn on_host<'a>(&'a self, points: &'a Points, _: &'a Watch) -> Pending<'a, Arc<dyn HostRows>> {
        Box::pin(async move { Ok(Rows::of(points)? as Arc<dyn HostRows>) })
    }

    fn upload_matrix<'a>(&'a self, values: &'a [f32], rows: usize, cols: usize) -> Pending<'a, Matrix> {
        Box::pin(async move {
            let values = listed(values.iter().copied(), || format!("a matrix of {rows} × {cols}"))?;
            Ok(matrix::matrix(values, rows, cols))
        })
    }

    fn gather<'a>(&'a self, points: &'a Points, rows: &'a [usize]) -> Pending<'a, Points> {
        Box::pin(async move {
            let (points, rows) = (Rows::of(points)?, rows.to_vec());
            job(move || points.gather(&rows)).await
        })
    }

    fn log_sum<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernels: &'a [Kernel],
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>> {
        Box::pin(async move {
            let Some(ts) = scales(kernels, Map::Gaussian) else {
                return total_of_rows(self, pairs, kernels, watch).await;
            };
            let (isa, pairs, watch) = (self.isa, SharedPairs::as_stored(pairs)?, watch.clone());
            job(move || reduce::total::log_sums(isa, pairs.set(), &ts, &watch)).await
        })
    }

    fn row_log_sums<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernels: &'a [Kernel],
        weights: Option<PointWeights<'a>>,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<RowLogSums>> {
        Box::pin(async move {
            let (isa, pairs, watch) = (self.isa, SharedPairs::of(pairs)?, watch.clone());
            if let (None, Some(taus)) = (weights, scales(kernels, Map::Logit)) {
                return job(move || reduce::rows::row_log_sums_of_logits(isa, pairs.set(), &taus, &watch))
                    .await;
            }
            let (kernels, weights) = (kernels.to_vec(), weights.map(|w| (w.x.to_vec(), w.y.to_vec())));
            job(move || {
                let weights = weights.as_ref().map(|(x, y)| PointWeights { x, y });
                let mut passes = watch.passes();
                let each = kernels.iter().map(|&kernel| {
                    reduce::rows::row_log_sums(isa, pairs.set(), kernel, weights, passes.next())
                });
                each.collect()
            })
            .await
        })
    }

    fn group_log_sums<'a>(
        &'a self,
        x: &'a Points,
        ends: &'a [usize],
        kernel: Kernel,
        which: GroupPairs,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>> {
        Box::pin(async move {
            if kernel.map != Map::Gaussian {
                return Err(Error::missing("the sum of logits of each group"));
            }
            let (isa, x, ends, watch) = (self.isa, Rows::of(x)?, ends.to_vec(), watch.clone());
            job(move || reduce::groups::log_sums(isa, &x, &ends, kernel.scale, which, &watch)).await
        })
    }

    fn block_log_sums<'a>(
        &'a self,
        pairs: Pairs<'a>,
        blocks: &'a [Block],
        kernel: Kernel,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<LogSumExp>> {
        Box::pin(async move {
            if kernel.map != Map::Gaussian {
                return Err(Error::missing("the sum of logits of each block"));
            }
            let (isa, pairs) = (self.isa, SharedPairs::as_stored(pairs)?);
            let (blocks, watch) = (blocks.to_vec(), watch.clone());
            job(move || reduce::blocks::log_sums(isa, pairs.set(), &blocks, kernel.scale, &watch)).await
        })
    }

    fn gradient<'a>(
        &'a self,
        pairs: Pairs<'a>,
        kernel: Kernel,
        normalizer: Normalizer<'a>,
        watch: &'a Watch,
    ) -> Pending<'a, (Sums, Gradients)> {
        Box::pin(async move {
            if let Normalizer::Total { scale } = normalizer
                && kernel.map != Map::Gaussian
            {
                let (sum, gradients) =
                    total_gradient_in_two_passes(self, pairs, kernel, scale, watch).await?;
                return Ok((Sums::Total(sum), gradients));
            }
            let (isa, pairs, watch) = (self.isa, SharedPairs::of(pairs)?, watch.clone());
            match normalizer {
                Normalizer::Total { scale } => {
                    job(move || {
                        let (pairs, t) = (pairs.set(), kernel.scale);
                        let (sum, gradients) = in_steps(pairs.are_quick(), || {
                            gradient::total::log_sum_with_grad(isa, pairs, t, scale, &watch)
                        })?;
                        Ok((Sums::Total(sum), gradients))
                    })
                    .await
                }
                Normalizer::Rows { extra, scale } => {
                    let (extra_x, extra_y) = (extra.x.to_vec(), extra.y.map(<[f64]>::to_vec));
                    job(move || {
                        let extra = ExtraTerms { x: &extra_x, y: extra_y.as_deref() };
                        let pairs = pairs.set();
                        let (sums, gradients) = in_steps(pairs.are_quick(), || {
                            gradient::softmax::row_log_sums_with_grad(
                                isa, pairs, kernel, extra, scale, &watch,
                            )
                        })?;
                        Ok((Sums::Rows(sums), gradients))
                    })
                    .await
                }
                Normalizer::Given { weights, scale, into } => {
                    let weights = weights.to_scalings();
                    weighted_grad(isa, pairs, kernel, (weights, scale), Target::All(into), watch).await
                }
                Normalizer::GivenOnLeft { weights, scale } => {
                    let weights = weights.to_scalings();
                    weighted_grad(isa, pairs, kernel, (weights, scale), Target::Left, watch).await
                }
            }
        })
    }

    fn function_sum<'a>(
        &'a self,
        pairs: Pairs<'a>,
        function: PairFunction<'a>,
        watch: &'a Watch,
    ) -> Pending<'a, f64> {
        Box::pin(async move {
            let (isa, pairs, function) = (self.isa, SharedPairs::of(pairs)?, function.to_owned());
            let watch = watch.clone();
            job(move || match function.function() {
                PairFunction::Softplus { scale, bias } => {
                    reduce::mapped::softplus_sum(isa, pairs.set(), scale, bias, &watch)
                }
                PairFunction::GaussianLoss { t } => {
                    let map = GaussianLoss { t };
                    reduce::mapped::mapped_sum::<Difference, _>(isa, pairs.set(), map, &watch)
                }
                PairFunction::InClass { term, classes } => {
                    reduce::classes::class_sum(isa, pairs.set(), term, classes, &watch)
                }
            })
            .await
        })
    }

    fn function_gradient<'a>(
        &'a self,
        pairs: Pairs<'a>,
        function: PairFunction<'a>,
        scale: f64,
        into: Option<Gradients>,
        watch: &'a Watch,
    ) -> Pending<'a, (FunctionSums, Gradients)> {
        Box::pin(async move {
            let (isa, pairs, function) = (self.isa, SharedPairs::of(pairs)?, function.to_owned());
            let (watch, upstream) = (watch.clone(), scale);
            job(move || {
                let pairs = pairs.set();
                in_steps(pairs.are_quick(), || match function.function() {
                    PairFunction::Softplus { scale, bias } => {
                        let of = (scale, bias);
                        gradient::mapped::softplus_gradient(isa, pairs, of, upstream, into, &watch)
                    }
                    PairFunction::GaussianLoss { t } => {
                        let map = GaussianLoss { t };
                        gradient::mapped::distance_gradient(isa, pairs, map, upstream, into, &watch)
                    }
                    PairFunction::InClass { term, classes } => {
                        let (value, gradients) = reduce::classes::class_gradient(
                            isa, pairs, term, classes, upstream, into, &watch,
                        )?;
                        Ok((FunctionSums { value, ..FunctionSums::default() }, gradients))
                    }
                })
            })
            .await
        })
    }

    fn cosine_histogram<'a>(
        &'a self,
        pairs: Pairs<'a>,
        bins: usize,
        watch: &'a Watch,
    ) -> Pending<'a, Vec<u64>> {
        Box::pin(async move {
            let (isa, pairs, watch) = (self.isa, SharedPairs::of(pairs)?, watch.clone());
            job(move || reduce::histogram::cosines(isa, pairs.set(), bins, &watch)).await
        })
    }

    fn close_pairs<'a>(
        &'a self,
        pairs: Pairs<'a>,
        square: f64,
        limit: usize,
        watch: &'a Watch,
    ) -> Pending<'a, FoundPairs> {
        Box::pin(async move {
            let (isa, pairs, watch) = (self.isa, SharedPairs::of(pairs)?, watch.clone());
            job(move || reduce::close_pairs::close_pairs(isa, pairs.set(), square, limit, &watch)).await
        })
    }

    fn moments<'a>(&'a self, x: &'a Points, watch: &'a Watch) -> Pending<'a, Moments> {
        Box::pin(async move {
            let (isa, x, watch) = (self.isa, Rows::of(x)?, watch.clone());
            job(move || reduce::moments::moments(isa, &x, &watch)).await
        })
    }

    fn paired<'a>(&'a self, x: &'a Points, y: &'a Points, term: Term) -> Pending<'a, Vec<f64>> {
        Box::pin(async move {
            let (isa, x, y) = (self.isa, Rows::of(x)?, Rows::of(y)?);
            job(move || match term {
                Term::Dot => reduce::paired::dots(isa, &x, &y),
                Term::SquaredDistance => reduce::paired::squared_distances(isa, &x, &y),
            })
            .await
        })
    }

    fn paired_gradient<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        term: Term,
        coefficients: &'a [f64],
        into: Option<(Matrix, Matrix)>,
    ) -> Pending<'a, (Matrix, Matrix)> {
        Box::pin(async move {
            let (x, y) = (Rows::of(x)?, Rows::of(y)?);
            let count = coefficients.len();
            let coefficients =
                listed(coefficients.iter().copied(), || format!("the coefficients of {count} pairs"))?;
            job(move || {
                in_steps(x.are_quick(), || match term {
                    Term::Dot => reduce::paired::grad(&x, &y, &coefficients, into, |_, y| y),
                    Term::SquaredDistance => reduce::paired::grad(&x, &y, &coefficients, into, |x, y| x - y),
                })
            })
            .await
        })
    }

    fn squared_distances<'a>(&'a self, x: &'a Points, y: &'a Points) -> Pending<'a, Matrix> {
        Box::pin(async move {
            let (isa, x, y) = (self.isa, Rows::of(x)?, Rows::of(y)?);
            job(move || reduce::distances::squared_distances(isa, &x, &y)).await
        })
    }

    fn squared_distances_grad<'a>(
        &'a self,
        x: &'a Points,
        y: &'a Points,
        upstream: &'a Matrix,
    ) -> Pending<'a, (Matrix, Matrix)> {
        Box::pin(async move {
            let (isa, x, y, upstream) = (self.isa, Rows::of(x)?, Rows::of(y)?, Values::of(upstream)?);
            job(move || gradient::distances::squared_distances_grad(isa, &x, &y, &upstream)).await
        })
    }
}
