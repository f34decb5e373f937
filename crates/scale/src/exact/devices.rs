//! The devices of a run: which kinds they are of, what their results are of together, and the panels that a GPU has copied.

use std::{collections::HashMap, sync::Arc};

use unisphere::{DeviceKind, Engine, Error as EngineError, Points};

use super::{
    blocks::SetName,
    fingerprint::{device_class, shortened},
    queue::{Job, Panel},
};
use crate::error::{Error, Result};

/// How many devices there are of each kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds {
    pub(super) cpus: usize,
    pub(super) gpus: usize,
}

impl Kinds {
    /// The one device that is no GPU.
    pub(super) const ONE_CPU: Self = Self { cpus: 1, gpus: 0 };

    pub(super) fn of(engines: &[Engine]) -> Self {
        let cpus = engines.iter().filter(|engine| is_cpu(engine)).count();
        Self { cpus, gpus: engines.len() - cpus }
    }

    pub(super) fn count(self) -> usize {
        self.cpus + self.gpus
    }
}

/// Bytes that panels may take on each GPU: as many as the caller says, and else half of the memory of the smallest, where drivers tell
/// it. The other half is for results, drivers and other programs.
pub(super) fn bytes_on_gpu(engines: &[Engine], asked_for: Option<u64>) -> Option<u64> {
    let half = |engine: &Engine| engine.device().memory.map(|bytes| bytes / 2);
    asked_for.or_else(|| engines.iter().filter_map(half).min())
}

pub(super) fn is_cpu(engine: &Engine) -> bool {
    engine.device().kind == DeviceKind::Cpu
}

/// The class of several devices: that of one where all are alike, and else a mixture of the classes, whatever the order. Blocks of
/// a mixture are computed by whichever device is free, so that its last digits are those of no run.
pub(super) fn class_of(engines: &[Engine]) -> String {
    let mut classes: Vec<_> = engines.iter().map(device_class).collect();
    classes.sort();
    classes.dedup();
    shortened(classes.join(" + "))
}

/// That there is a device.
pub(super) fn check(engines: &[Engine]) -> Result<()> {
    if engines.is_empty() {
        let expected = "at least one device";
        return Err(EngineError::Parameter { name: "engines", value: 0.0, expected }.into());
    }
    Ok(())
}

/// An error of a device, by its name where there are several.
pub(super) fn named(error: EngineError, engine: &Engine, engines: &[Engine]) -> Error {
    let place = engines.iter().position(|other| std::ptr::eq(other, engine));
    match (error, place) {
        (EngineError::Stopped, _) => EngineError::Stopped.into(),
        (error, Some(place)) if engines.len() > 1 => {
            let device = format!("{} {}", engine.device().kind, engine.device().name);
            Error::OfDevice { number: place + 1, devices: engines.len(), device, error: Box::new(error) }
        }
        (error, _) => error.into(),
    }
}

/// Panels that a GPU has copied: the left ones of a lot, and one on the right.
pub(super) struct Copies<'e> {
    engine: &'e Engine,
    lot: usize,
    points: HashMap<(SetName, usize), Points>,
    /// The panel on the right, where no later block of the lot needs it.
    passing: Option<(SetName, usize)>,
}

impl<'e> Copies<'e> {
    pub(super) fn new(engine: &'e Engine) -> Self {
        Self { engine, lot: 0, points: HashMap::new(), passing: None }
    }

    /// The left panel of a block and the right one, copied where they are not there yet.
    pub(super) fn of(&mut self, job: &Job<'_>) -> Result<[Points; 2], EngineError> {
        if self.lot != job.lot {
            self.points.clear();
            (self.lot, self.passing) = (job.lot, None);
        }
        let left = self.copy(&job.left)?;
        let right = (job.right.set, job.right.number);
        if self.passing != Some(right) {
            if let Some(passed) = self.passing.take() {
                self.points.remove(&passed);
            }
            // A left panel of this lot stays, whether or not it is also on the right.
            let is_new = !self.points.contains_key(&right);
            self.passing = (is_new && !job.right_stays).then_some(right);
        }
        Ok([left, self.copy(&job.right)?])
    }

    fn copy(&mut self, panel: &Arc<Panel<'_>>) -> Result<Points, EngineError> {
        let key = (panel.set, panel.number);
        if let Some(points) = self.points.get(&key) {
            return Ok(points.clone());
        }
        let values = panel.values.as_ref().ok_or(EngineError::OtherDevice)?;
        let points = self.engine.upload(values)?;
        self.points.insert(key, points.clone());
        Ok(points)
    }
}
