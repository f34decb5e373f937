//! Which tiles a device takes: those of its kind at first, and the fastest once there is work that is worth finding out.
//!
//! Tiles are checked before they serve, against the formula in f64 on the host: what a driver cannot compile, or gets
//! wrong, is passed over with a warning. The fastest are remembered in a file of the user's cache directory, by adapter,
//! driver and version of this crate.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    gpu::{
        block::pass::Pass,
        device::context::Context,
        kernel::tiling::{Choice, Tiling},
        points::panels::{Source, place},
    },
    kernel::Kernel,
    pairs::Pairs,
    points::{Embeddings, Points, Scaling},
    precision::Storage,
    progress::Watch,
};

/// `default` takes the tiles of a device's kind without timing; the name of tiles takes those.
const TILES_VARIABLE: &str = "UNISPHERE_TILES";
/// Multiply-adds of a call from which on a second spent on timing is soon won back.
const MIN_WORK_TO_TIME: f64 = 2e11;

impl Context {
    /// The tiles for so many multiply-adds over cosines.
    ///
    /// # Errors
    ///
    /// What the last of the tiles failed with, where none of them works.
    pub(crate) fn tiling(self: &Arc<Self>, work: f64) -> Result<Tiling> {
        let mut choice = self.choice();
        let checked = match *choice {
            Choice::Settled(tiling) => return Ok(tiling),
            Choice::Checked(tiling) => tiling,
            Choice::Open => {
                let (wanted, settled) = self.wanted();
                let tiling = self.first_good(wanted)?;
                *choice = if settled { Choice::Settled(tiling) } else { Choice::Checked(tiling) };
                tiling
            }
        };
        if work < MIN_WORK_TO_TIME || matches!(*choice, Choice::Settled(_)) || self.untimed() {
            return Ok(checked);
        }
        // First of all those that work: should others take the device with them, then only once.
        self.keep(checked);
        let fastest = match self.fastest(checked, TIMED_SHAPE) {
            Ok(fastest) => fastest,
            Err(error @ Error::DeviceLost { .. }) => return Err(error),
            Err(error) => {
                log::warn!("tiles could not be timed: {error}");
                checked
            }
        };
        *choice = Choice::Settled(fastest);
        self.keep(fastest);
        Ok(fastest)
    }

    /// The first of the tiles that work, those wanted before all others. Where none do, adding up by subgroups may be at
    /// fault, and is left off.
    fn first_good(self: &Arc<Self>, wanted: Tiling) -> Result<Tiling> {
        let set = Sample::new(self, CHECKED_SHAPE)?;
        let all = || {
            let others = Tiling::ALL.into_iter().filter(|&tiling| tiling != wanted);
            first_good(std::iter::once(wanted).chain(others), |tiling| set.check(self, tiling))
        };
        match all() {
            Err(Error::Device { .. }) if self.has_subgroups() => {
                log::warn!("subgroups do not work on this device, and are left off");
                self.leave_subgroups();
                all()
            }
            outcome => outcome,
        }
    }

    /// Remembers tiles, as well as it can be done.
    fn keep(&self, tiling: Tiling) {
        if let Some(Err(error)) = self.memory().map(|path| remember(&path, tiling)) {
            log::debug!("the choice of tiles is not remembered: {error}");
        }
    }

    /// The tiles to begin with, and whether that settles it.
    fn wanted(&self) -> (Tiling, bool) {
        let kind = self.device.adapter_info().device_type;
        let default = Tiling::default_of(kind);
        let named = std::env::var(TILES_VARIABLE).ok().filter(|name| !name.is_empty());
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
            None => match self.memory().and_then(|path| remembered(&path)) {
                Some(fastest) => (fastest, true),
                None => (default, false),
            },
        }
    }

    /// The fastest of all tiles that work, on a set of so many rows and dimensions or a larger one.
    fn fastest(self: &Arc<Self>, checked: Tiling, (rows, dims): (usize, usize)) -> Result<Tiling> {
        let mut set = Sample::new(self, (rows, dims))?;
        let mut best = (set.time(self, checked)?, checked);
        // Long enough for the way to the device and back not to count.
        while best.0 < MIN_PASS_TIME && set.rows < MAX_TIMED_ROWS {
            set = Sample::new(self, (2 * set.rows, dims))?;
            best.0 = set.time(self, checked)?;
        }
        let small = Sample::new(self, CHECKED_SHAPE)?;
        for tiling in Tiling::ALL.into_iter().filter(|&tiling| tiling != checked) {
            match small.check(self, tiling).and_then(|()| set.time(self, tiling)) {
                Ok(time) if time < best.0 => best = (time, tiling),
                Ok(_) => {}
                Err(error @ Error::DeviceLost { .. }) => return Err(error),
                Err(error) => warn(tiling, &error),
            }
        }
        Ok(best.1)
    }

    /// The file that holds the choice for this adapter and driver.
    fn memory(&self) -> Option<PathBuf> {
        let info = self.device.adapter_info();
        let key = format!(
            "{} {} {:?} {} {}",
            env!("CARGO_PKG_VERSION"),
            info.name,
            info.backend,
            info.driver,
            info.driver_info
        );
        let key: String =
            key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(200).collect();
        Some(dirs::cache_dir()?.join("unisphere").join("tiles").join(key))
    }
}

fn remembered(path: &Path) -> Option<Tiling> {
    Tiling::named(fs::read_to_string(path).ok()?.trim())
}

fn remember(path: &Path, tiling: Tiling) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Whole or not at all, whoever reads or writes beside.
    let draft = path.with_extension(std::process::id().to_string());
    fs::write(&draft, tiling.to_string())?;
    fs::rename(draft, path)
}

/// The first of the tiles that pass, with a warning for each before it.
fn first_good(wanted: impl Iterator<Item = Tiling>, check: impl Fn(Tiling) -> Result<()>) -> Result<Tiling> {
    let mut failure = Error::Device { reason: "there are no tiles".into() };
    for tiling in wanted {
        match check(tiling) {
            Ok(()) => return Ok(tiling),
            // Other tiles would find the same.
            Err(error @ (Error::DeviceLost { .. } | Error::OutOfMemory { .. })) => return Err(error),
            Err(error) => {
                warn(tiling, &error);
                failure = error;
            }
        }
    }
    Err(failure)
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
    fn new(context: &Arc<Context>, (rows, dims): (usize, usize)) -> Result<Self> {
        // Well spread, and the same everywhere: the fractions of multiples of irrational numbers.
        let value = |i: usize| {
            ((i as f64 + 1.0) * 0.754_877_666 % 1.0 + (i as f64) * 0.569_840_291 % 1.0 - 1.0) as f32
        };
        let values: Vec<_> = (0..rows * dims).map(value).collect();
        let embeddings = Embeddings::new(&values, rows, dims)?;
        let points = place(context, Source::Host(&embeddings), (rows, dims), Scaling::Unit, Storage::F32)?;
        Ok(Self { rows, values, points })
    }

    fn pass<'a>(&'a self, context: &'a Arc<Context>, tiling: Tiling) -> Result<Pass<'a>> {
        Pass::with_tiling(context, Pairs::Within(&self.points), Kernel::gaussian(T), tiling)
    }

    /// Compares value and gradient with the formula.
    fn check(&self, context: &Arc<Context>, tiling: Tiling) -> Result<()> {
        let watch = Watch::new(None, 0);
        let pass = self.pass(context, tiling)?;
        let value = pass.log_sum(&watch)?.log();
        let (sum, gradients) = pass.log_sum_with_grad(1.0, &watch)?;
        let gradient = gradients.x.read()?;
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
    fn time(&self, context: &Arc<Context>, tiling: Tiling) -> Result<Duration> {
        let pass = self.pass(context, tiling)?;
        let run = || {
            let start = Instant::now();
            pass.log_sum(&Watch::new(None, 0))?;
            Ok(start.elapsed())
        };
        // The first compiles, and wakes the device.
        run()?;
        (0..TIMED_RUNS).map(|_| run()).try_fold(Duration::MAX, |best, time| Ok(best.min(time?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::tests::contexts;

    #[test]
    fn the_fastest_are_found_and_remembered() {
        for context in contexts(false).into_iter().step_by(2) {
            // Few points, and so few runs: what is timed is not what the test is of.
            let fastest = context.fastest(Tiling::SMALL, (600, 16)).expect("a choice");
            let path = std::env::temp_dir().join(format!("unisphere-{}", std::process::id())).join("tiles");
            assert_eq!(remembered(&path), None);
            remember(&path, fastest).expect("a file");
            assert_eq!(remembered(&path), Some(fastest));
            fs::write(&path, "of another version").expect("a file");
            assert_eq!(remembered(&path), None);
            fs::remove_dir_all(path.parent().expect("a folder")).expect("an end");
            assert!(context.memory().is_none_or(|path| path.file_name().is_some_and(|name| name.len() > 5)));
        }
    }

    #[test]
    fn tiles_that_do_not_work_are_passed_over() {
        let broken = |tiling: Tiling| match tiling == Tiling::SMALL {
            true => Ok(()),
            false => Err(Error::Device { reason: "no".into() }),
        };
        assert_eq!(first_good(Tiling::ALL.into_iter(), broken), Ok(Tiling::SMALL));
        let lost = |_| Err(Error::DeviceLost { reason: "gone".into() });
        assert_eq!(first_good(Tiling::ALL.into_iter(), lost), lost(Tiling::SMALL).map(|()| Tiling::SMALL));
        let none = |_| Err(Error::Device { reason: "never".into() });
        assert!(first_good(Tiling::ALL.into_iter(), none).is_err());
    }
}
