//! Files of points that tests of exact values evaluate, and runs that are stopped and go on.

#![allow(dead_code, reason = "no test uses all of it")]

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::TempDir;
use unisphere::{Engine, Error as EngineError, Observer, Scaling};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, Found, Part, Resources, Sets};

#[path = "../../../../tests/support/random.rs"]
pub(crate) mod random;

pub(crate) mod gpu;

pub(crate) const ROWS: usize = 1500;
pub(crate) const DIMS: usize = 7;
/// Panels of 190 rows, of which the last has 170.
pub(crate) const PANEL_ROWS: usize = 190;
/// Bytes of a panel, so that tests can ask for room for certain numbers of panels.
pub(crate) const PANEL_BYTES: u64 = (PANEL_ROWS * (4 * DIMS + 32)) as u64;

pub(crate) struct Files {
    folder: TempDir,
    pub(crate) x: PathBuf,
    pub(crate) y: PathBuf,
}

impl Files {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, seed| {
            let path = folder.path().join(name);
            unisphere_io::write(&path, &random::normal(ROWS, DIMS, seed), DIMS).unwrap();
            path
        };
        let (x, y) = (file("x.npy", 1), file("y.npy", 2));
        Self { folder, x, y }
    }

    pub(crate) fn open(&self) -> (File, File) {
        (File::open(&self.x).unwrap(), File::open(&self.y).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn resources() -> Resources {
    Resources::default()
}

pub(crate) fn with_journal(path: &Path) -> Resources {
    let mut resources = resources();
    resources.journal = Some(path.into());
    resources
}

/// Rows in f64, as the metrics see them: files are read as f32.
pub(crate) fn rows(values: Vec<f64>, scaling: Scaling) -> Vec<Vec<f64>> {
    let values = values.into_iter().map(|value| f64::from(value as f32)).collect();
    let values = if scaling == Scaling::Unit { random::on_the_sphere(values, DIMS) } else { values };
    values.chunks(DIMS).map(<[f64]>::to_vec).collect()
}

/// As little memory as an evaluation can do with.
pub(crate) fn least_memory(evaluation: &Evaluation, sets: Sets<'_>) -> u64 {
    match evaluation.expected(sets.shape().unwrap(), Some(1)) {
        Err(Error::Memory { needed, .. }) => needed,
        other => panic!("{other:?}"),
    }
}

/// An observer that asks for an end at every so manieth call.
pub(crate) fn stopping_every(calls: u64) -> Option<Arc<Observer>> {
    let counted = AtomicU64::new(0);
    Some(Arc::new(move |_| {
        if (counted.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(calls) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }))
}

/// Runs until one is not stopped: how many were, and what the last gives.
pub(crate) fn until_done<T>(most_stops: u64, run: impl Fn() -> Result<T, Error>) -> (u64, T) {
    for stops in 0..most_stops {
        match run() {
            Ok(found) => return (stops, found),
            Err(Error::Engine(EngineError::Stopped)) => (),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no progress");
}

/// Values merged from so many parts, each of which is done by itself.
pub(crate) fn merged(of: usize, evaluation: &Evaluation, engine: &Engine, sets: Sets<'_>) -> Found {
    let folder = TempDir::new().unwrap();
    let paths: Vec<_> = (1..=of).map(|number| folder.path().join(format!("{number}.part"))).collect();
    for (number, path) in (1..).zip(&paths) {
        evaluation.part(engine, sets, Part { number, of }, &with_journal(path)).unwrap();
    }
    evaluation.merge(sets.shape().unwrap(), sets.sample().unwrap(), sets.labels, &paths).unwrap()
}

/// The bits of all values.
pub(crate) fn bits(found: &Found) -> Vec<u64> {
    let Found { alignment, x, y, across, squared_mmd, contrastive, rows, counts, .. } = found;
    let values = [x.as_slice(), y.as_deref().unwrap_or_default(), across.as_deref().unwrap_or_default()];
    let mut values = values.concat();
    values.extend(alignment);
    values.extend(squared_mmd.iter().flatten().flatten());
    let of_loss = contrastive.iter().flatten();
    values.extend(of_loss.flat_map(|of| [of.loss, of.normalized, of.alignment, of.uniformity, of.residual]));
    if let Some(rows) = rows {
        values.extend(std::iter::once(&rows.x).chain(&rows.y).flat_map(|of| of.logs()));
        values.extend(rows.distances.iter().flatten());
    }
    let counts = counts.iter().flat_map(|of| of.cosines.iter().flatten().copied().chain(of.close_pairs));
    values.iter().map(|value| value.to_bits()).chain(counts).collect()
}
