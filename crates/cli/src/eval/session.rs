//! An engine at work for one report.

use std::time::{Duration, Instant};

use unisphere::{Embeddings, Engine, Points, Scaling, unordered_pairs};
use unisphere_io::File;

use super::options::Eval;
use crate::{exit::Failure, interrupt, progress::Display};

pub(super) struct Session {
    pub(super) engine: Engine,
    display: Display,
    scaling: Scaling,
    /// Upload, scaling and metrics; reading excluded.
    pub(super) computing: Duration,
}

impl Session {
    pub(super) fn open(options: &Eval) -> Result<Self, Failure> {
        let display = Display::new();
        display.step("opening the device");
        let engine =
            Engine::on(&options.device)?.with_precision(options.precision)?.with_storage(options.storage)?;
        let engine = engine.observed_by(display.observer());
        Ok(Self { engine, display, scaling: options.scaling(), computing: Duration::ZERO })
    }

    pub(super) fn read(&mut self, file: &File, without: &[usize]) -> Result<Embeddings<'static>, Failure> {
        self.display.step(format!("reading {}", file.path().display()));
        Ok(interrupt::leaving_at_once(|| file.embeddings_without(without, self.scaling))??)
    }

    pub(super) fn upload(&mut self, points: Embeddings<'_>) -> Result<Points, Failure> {
        self.display.step("uploading");
        let start = Instant::now();
        let points = self.engine.upload_owned(points)?;
        self.computing += start.elapsed();
        interrupt::check()?;
        Ok(points)
    }

    /// Does what goes through so many pairs.
    pub(super) fn compute<T>(
        &mut self,
        what: &str,
        pairs: u64,
        work: impl FnOnce(&Engine) -> unisphere::Result<T>,
    ) -> Result<T, Failure> {
        self.display.pairs(what, pairs);
        let start = Instant::now();
        let value = work(&self.engine)?;
        self.computing += start.elapsed();
        Ok(value)
    }

    /// Does what goes through the pairs of one set.
    pub(super) fn within<T>(
        &mut self,
        what: &str,
        points: &Points,
        work: impl FnOnce(&Engine) -> unisphere::Result<T>,
    ) -> Result<T, Failure> {
        self.compute(what, unordered_pairs(points.rows()), work)
    }

    /// Does what goes row by row.
    pub(super) fn rows<T>(&mut self, what: &str, work: impl FnOnce(&Engine) -> T) -> T {
        self.display.step(what);
        let start = Instant::now();
        let value = work(&self.engine);
        self.computing += start.elapsed();
        value
    }
}
