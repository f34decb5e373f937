//! Which tiles a device takes: those of its kind at first, and the fastest once there is work that is worth finding out.
//!
//! Tiles are checked before they serve, against the formula in f64 on the host: what a driver cannot compile, or gets
//! wrong, is passed over with a warning. The fastest are remembered in a file of the user's cache directory, by adapter,
//! driver and version of this crate.

use std::{sync::Arc, time::Duration};

use crate::{
    error::{Error, Result},
    gpu::{
        block::pass::Pass,
        device::{clock::Instant, context::Context},
        kernel::tiling::{Choice, Tiling},
        points::panels::{Source, place},
        selftest::memory::{TILES_VARIABLE, asked_for},
    },
    kernel::Kernel,
    pairs::Pairs,
    pending::Pending,
    points::{Embeddings, Points, Scaling},
    precision::Storage,
    progress::Watch,
};

/// Multiply-adds of a call from which on a second spent on timing is soon won back.
const MIN_WORK_TO_TIME: f64 = 2e11;

impl Context {
    /// The tiles for so many multiply-adds over cosines. Tasks that ask at once may all try them, and take what the first
    /// to end has found.
    ///
    /// # Errors
    ///
    /// What the last of the tiles failed with, where none of them works.
    pub(crate) fn tiling<'a>(self: &'a Arc<Self>, work: f64) -> Pending<'a, Tiling> {
        Box::pin(async move {
            let chosen = *self.choice();
            let checked = match chosen {
                Choice::Settled(tiling) => return Ok(tiling),
                Choice::Checked(tiling) => tiling,
                Choice::Open => {
                    let (wanted, settled) = self.wanted();
                    let good = self.first_good(wanted).await?;
                    match self.choose(good, settled) {
                        Choice::Settled(tiling) => return Ok(tiling),
                        Choice::Checked(tiling) => tiling,
                        Choice::Open => good,
                    }
                }
            };
            if work < MIN_WORK_TO_TIME || self.untimed() {
                return Ok(checked);
            }
            // First of all those that work: should others take the device with them, then only once.
            self.keep(checked);
            let fastest = match self.fastest(checked, TIMED_SHAPE).await {
                Ok(fastest) => fastest,
                Err(error @ Error::DeviceLost { .. }) => return Err(error),
                Err(error) => {
                    log::warn!("tiles could not be timed: {error}");
                    checked
                }
            };
            let (Choice::Settled(fastest) | Choice::Checked(fastest)) = self.choose(fastest, true) else {
                return Ok(checked);
            };
            self.keep(fastest);
            Ok(fastest)
        })
    }

    /// Chooses tiles, unless another task has chosen as well by now; the choice that holds.
    fn choose(&self, tiling: Tiling, settled: bool) -> Choice {
        let mut choice = self.choice();
        *choice = match (*choice, settled) {
            (Choice::Settled(tiling), _) => Choice::Settled(tiling),
            (_, true) => Choice::Settled(tiling),
            (Choice::Checked(tiling), false) => Choice::Checked(tiling),
            (Choice::Open, false) => Choice::Checked(tiling),
        };
        *choice
    }

    /// The first of the tiles that work, those wanted before all others. Where none do, adding up by subgroups may be at
    /// fault, and is left off.
    async fn first_good(self: &Arc<Self>, wanted: Tiling) -> Result<Tiling> {
        let set = Sample::new(self, CHECKED_SHAPE).await?;
        let others = Tiling::ALL.into_iter().filter(|&tiling| tiling != wanted);
        let all: Vec<_> = std::iter::once(wanted).chain(others).collect();
        match set.first_good(self, &all).await {
            Err(Error::Device { .. }) if self.has_subgroups() => {
                log::warn!("subgroups do not work on this device, and are left off");
                self.leave_subgroups();
                set.first_good(self, &all).await
            }
            outcome => outcome,
        }
    }

    /// The tiles to begin with, and whether that settles it.
    fn wanted(&self) -> (Tiling, bool) {
        let kind = self.device.adapter_info().device_type;
        let default = Tiling::default_of(kind);
        let named = asked_for();
        match named.as_deref().map(|name| (name, Tiling::named(name))) {
            Some((_, Some(first))) => (first, true),
            Some((name, None)) => {
                if name != "default" {
                    log::warn!(
                        "{TILES_VARIABLE} is {name}, and not `default` or one of {}; the default is taken",
                        Tiling::names()
                    );
                }
                (default, true)
            }
            // Nobody waits for software devices to be fast.
            None if kind == wgpu::DeviceType::Cpu || self.untimed() => (default, true),
            None => match self.kept() {
                Some(fastest) => (fastest, true),
                None => (default, false),
            },
        }
    }

    /// The fastest of all tiles that work, on a set of so many rows and dimensions or a larger one.
    async fn fastest(self: &Arc<Self>, checked: Tiling, (rows, dims): (usize, usize)) -> Result<Tiling> {
        let mut set = Sample::new(self, (rows, dims)).await?;
        let mut best = (set.time(self, checked).await?, checked);
        // Long enough for the way to the device and back not to count.
        while best.0 < MIN_PASS_TIME && set.rows < MAX_TIMED_ROWS {
            set = Sample::new(self, (2 * set.rows, dims)).await?;
            best.0 = set.time(self, checked).await?;
        }
        let small = Sample::new(self, CHECKED_SHAPE).await?;
        for tiling in Tiling::ALL.into_iter().filter(|&tiling| tiling != checked) {
            let time = match small.check(self, tiling).await {
                Ok(()) => set.time(self, tiling).await,
                Err(error) => Err(error),
            };
            match time {
                Ok(time) if time < best.0 => best = (time, tiling),
                Ok(_) => {}
                Err(error @ Error::DeviceLost { .. }) => return Err(error),
                Err(error) => warn(tiling, &error),
            }
        }
        Ok(best.1)
    }
}

/// What a check says of tiles: whether they pass, with a warning where they do not and others may.
fn passes(tiling: Tiling, outcome: Result<()>) -> Result<Option<Error>> {
    match outcome {
        Ok(()) => Ok(None),
        // Other tiles would find the same.
        Err(error @ (Error::DeviceLost { .. } | Error::OutOfMemory { .. })) => Err(error),
        Err(error) => {
            warn(tiling, &error);
            Ok(Some(error))
        }
    }
}

fn warn(tiling: Tiling, error: &Error) {
    log::warn!("tiles of {tiling} do not work on this device, and others are taken: {error}");
}

/// Rows and dimensions of the set that tiles are checked on: more than few, so that its sums are of cosines, and ragged.
const CHECKED_SHAPE: (usize, usize) = (531, 37);
/// The same of the smallest set that they are timed on, and the rows of the largest.
const TIMED_SHAPE: (usize, usize) = (4096, 256);
const MAX_TIMED_ROWS: usize = 32_768;
/// What a pass over it should take.
const MIN_PASS_TIME: Duration = Duration::from_millis(5);
const TIMED_RUNS: usize = 3;
const T: f64 = 2.0;

/// Points on a sphere.
struct Sample {
    rows: usize,
    values: Vec<f32>,
    points: Points,
}

impl Sample {
    async fn new(context: &Arc<Context>, (rows, dims): (usize, usize)) -> Result<Self> {
        // Well spread, and the same everywhere: the fractions of multiples of irrational numbers.
        let value = |i: usize| {
            ((i as f64 + 1.0) * 0.754_877_666 % 1.0 + (i as f64) * 0.569_840_291 % 1.0 - 1.0) as f32
        };
        let values: Vec<_> = (0..rows * dims).map(value).collect();
        let embeddings = Embeddings::new(&values, rows, dims)?;
        let points =
            place(context, Source::Host(&embeddings), (rows, dims), Scaling::Unit, Storage::F32, None)
                .await?;
        Ok(Self { rows, values, points })
    }

    /// The first of the tiles that pass, with a warning for each before it.
    async fn first_good(&self, context: &Arc<Context>, wanted: &[Tiling]) -> Result<Tiling> {
        let mut failure = Error::Device { reason: "there are no tiles".into() };
        for &tiling in wanted {
            match passes(tiling, self.check(context, tiling).await)? {
                None => return Ok(tiling),
                Some(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn pass<'a>(&'a self, context: &'a Arc<Context>, tiling: Tiling) -> Result<Pass<'a>> {
        Pass::with_tiling(context, Pairs::Within(&self.points), Kernel::gaussian(T), tiling)
    }

    /// Compares value and gradient with the formula.
    async fn check(&self, context: &Arc<Context>, tiling: Tiling) -> Result<()> {
        let watch = Watch::new(None, 0);
        let pass = self.pass(context, tiling)?;
        let value = pass.log_sum(&watch).await?.log();
        let (sum, gradients) = pass.log_sum_with_grad(1.0, &watch).await?;
        let gradient = gradients.x.read_async().await?;
        let (want, rows) = self.formula();
        let off = (value - want).abs().max((sum.log() - want).abs());
        let dims = self.points.dims;
        let differs = |(row, want): &&(usize, Vec<f64>)| {
            let got = &gradient[row * dims..][..dims];
            let error: f64 = got.iter().zip(want).map(|(&g, w)| (f64::from(g) - w).powi(2)).sum();
            let close = error.sqrt() <= 1e-3 * want.iter().map(|w| w * w).sum::<f64>().sqrt();
            !close
        };
        let reason = if off > 1e-5 || off.is_nan() {
            format!("a sum whose log is {want} came to {value}, and to {} with its gradient", sum.log())
        } else if let Some((row, _)) = rows.iter().find(differs) {
            format!("row {row} of a gradient differs from the formula")
        } else {
            return Ok(());
        };
        Err(Error::Device { reason })
    }

    /// log Σ exp(−t‖x−y‖²) over i < j, and its gradient for the first, a middle and the last row, tangent to the sphere
    /// over the row's length, in f64.
    fn formula(&self) -> (f64, [(usize, Vec<f64>); 3]) {
        let dims = self.points.dims;
        let given: Vec<Vec<f64>> =
            self.values.chunks(dims).map(|row| row.iter().map(|&v| v.into()).collect()).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let lengths: Vec<f64> = given.iter().map(|row| dot(row, row).sqrt()).collect();
        let unit: Vec<Vec<f64>> = given
            .iter()
            .zip(&lengths)
            .map(|(row, length)| row.iter().map(|v| v / length).collect())
            .collect();
        let weight = |i: usize, j: usize| (2.0 * T * (dot(&unit[i], &unit[j]) - 1.0)).exp();
        let sum: f64 = (0..self.rows)
            .flat_map(|i| (i + 1..self.rows).map(move |j| (i, j)))
            .map(|(i, j)| weight(i, j))
            .sum();
        let row = |i: usize| {
            let mut gradient = vec![0.0; dims];
            for j in (0..self.rows).filter(|&j| j != i) {
                let w = 2.0 * T / sum * weight(i, j);
                gradient.iter_mut().zip(&unit[j]).for_each(|(g, y)| *g += w * y);
            }
            let along = dot(&gradient, &unit[i]);
            let tangent = gradient.iter().zip(&unit[i]).map(|(g, x)| (g - along * x) / lengths[i]);
            (i, tangent.collect())
        };
        (sum.ln(), [row(0), row(self.rows / 2), row(self.rows - 1)])
    }

    /// What a pass takes, at best.
    async fn time(&self, context: &Arc<Context>, tiling: Tiling) -> Result<Duration> {
        let pass = self.pass(context, tiling)?;
        let watch = Watch::new(None, 0);
        // The first compiles, and wakes the device.
        pass.log_sum(&watch).await?;
        let mut best = Duration::MAX;
        for _ in 0..TIMED_RUNS {
            let start = Instant::now();
            pass.log_sum(&watch).await?;
            best = best.min(start.elapsed());
        }
        Ok(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gpu::tests::contexts, pending::block_on};

    #[test]
    fn the_fastest_are_found() {
        for context in contexts(false).into_iter().step_by(2) {
            // Few points, and so few runs: what is timed is not what the test is of.
            block_on(context.fastest(Tiling::SMALL, (600, 16))).expect("a choice");
        }
    }

    #[test]
    fn tiles_that_do_not_work_are_passed_over() {
        let refused = Error::Device { reason: "no".into() };
        assert_eq!(passes(Tiling::SMALL, Ok(())), Ok(None));
        assert_eq!(passes(Tiling::SMALL, Err(refused.clone())), Ok(Some(refused)));
        let lost = Error::DeviceLost { reason: "gone".into() };
        assert_eq!(passes(Tiling::SMALL, Err(lost.clone())), Err(lost));
    }

    #[test]
    fn the_first_choice_that_is_settled_holds() {
        for context in contexts(false).into_iter().take(1) {
            let (first, second) = (Tiling::SMALL, Tiling::ALL[0]);
            assert!(matches!(context.choose(first, false), Choice::Checked(tiling) if tiling == first));
            assert!(matches!(context.choose(second, false), Choice::Checked(tiling) if tiling == first));
            assert!(matches!(context.choose(second, true), Choice::Settled(tiling) if tiling == second));
            assert!(matches!(context.choose(first, true), Choice::Settled(tiling) if tiling == second));
        }
    }
}
