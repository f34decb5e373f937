//! Sets of any size: an estimate from a part of the pairs, exact values in little memory, and parts for many machines.
//!
//! [`options`] → [`files`], opened and checked → `unisphere_scale` computes → a [`report`] as text or JSON.

mod all_pairs;
mod analysis;
mod caller;
mod document;
mod estimate;
mod exact;
mod files;
mod gradient;
mod json;
mod labels;
mod missed;
mod options;
mod parts;
mod plan;
mod report;
mod text;

pub(crate) use analysis::Listing;
pub(crate) use caller::ARRAY;
pub use caller::{EstimateOptions, LargeOptions, LargeSet, LargeSets, estimate_large, evaluate_large};
pub(crate) use estimate::estimate;
pub(crate) use exact::exact;
pub(crate) use files::{Excess, check_dims, check_groups, check_one_a_row, check_pairs, open_column};
pub(crate) use gradient::{GradientOptions, gradient};
pub(crate) use options::{MergeOptions, PartOptions, PlanOptions, Scale, Tolerance};
pub use parts::merge_parts;
pub(crate) use parts::{merge, part};
pub(crate) use plan::plan;

use std::path::PathBuf;

use unisphere::{Candidates, DeviceChoice, Engine, Precision, Scaling, Storage};
use unisphere_eval::{
    Plan,
    sections::{CurvePoint, Histograms},
};
use unisphere_io::{Column, Source};
use unisphere_scale::Evaluation;

use crate::{
    devices,
    exit::Failure,
    export::{self, Beside, Format},
    interrupt, output,
    progress::Display,
    reading::{Of, ReadingOptions},
    set_files::SetFiles,
};
use report::Report;

/// The sets that are read: their files, how these are read, and whether rows are scaled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedSets {
    pub(crate) x: SetFiles,
    pub(crate) y: Option<SetFiles>,
    pub(crate) reading: ReadingOptions,
    pub(crate) scaling: Scaling,
}

/// What is measured of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) sets: NamedSets,
    pub(crate) ts: Vec<f64>,
    pub(crate) alpha: f64,
    /// Cross uniformity and squared MMD.
    pub(crate) across: bool,
    /// Temperatures of the contrastive loss; none where it is not asked for.
    pub(crate) taus: Vec<f64>,
    pub(crate) candidates: Candidates,
    /// The potential of every row, and the distance of every pair.
    pub(crate) potentials: bool,
    /// Histograms of the cosines of all pairs.
    pub(crate) cosines: bool,
    /// The greatest distance of close pairs, where these are counted.
    pub(crate) near: Option<f64>,
    /// What figures show beside: a curve of uniformity over t, and finer cosines.
    pub(crate) figures: bool,
}

impl NamedSets {
    /// The files under their roles.
    fn files(&self) -> impl Iterator<Item = (&'static str, &SetFiles)> {
        std::iter::once(("x", &self.x)).chain(self.y.as_ref().map(|y| ("y", y)))
    }

    /// The files under their roles, and how they are read, for a person.
    fn files_told(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.files().map(|(role, set)| (role, self.reading.told(set.path(), Of::role(role))))
    }

    /// How many files each set has; none where each has one.
    fn counted(&self, file_counts: &[usize]) -> Vec<(&'static str, usize)> {
        if file_counts.iter().all(|&files| files < 2) {
            return Vec::new();
        }
        self.files().map(|(role, _)| role).zip(file_counts.iter().copied()).collect()
    }
}

impl Task {
    /// What a plan asks of sets of any size.
    pub(crate) fn planned(plan: &Plan, sets: NamedSets, across: bool, candidates: Candidates) -> Self {
        // The first t is what all other numbers use.
        let mut ts = vec![plan.uniformity.t];
        ts.extend(plan.sweep.iter().filter(|&&t| t != plan.uniformity.t));
        Self {
            across: across || plan.full && sets.y.is_some(),
            sets,
            ts,
            alpha: plan.alignment.alpha,
            taus: plan.contrastive.iter().map(|metric| metric.tau).collect(),
            candidates,
            potentials: plan.top.is_some() || plan.rows,
            cosines: plan.full,
            near: plan.near,
            figures: plan.figures,
        }
    }

    /// Whether nothing but distances is measured, which another origin leaves as they are.
    fn is_of_distances(&self) -> bool {
        self.taus.is_empty()
    }

    /// Every t that is measured: those of the tables, and then those of the curve.
    fn all_ts(&self) -> Vec<f64> {
        let of_curve = CurvePoint::TS.into_iter().filter(|t| self.figures && !self.ts.contains(t));
        self.ts.iter().copied().chain(of_curve).collect()
    }

    fn evaluation(&self) -> Evaluation {
        let evaluation =
            Evaluation::new().with_ts(&self.all_ts()).with_alpha(self.alpha).with_scaling(self.sets.scaling);
        let evaluation = evaluation.with_contrastive(&self.taus, self.candidates);
        let evaluation = if self.potentials { evaluation.with_potentials() } else { evaluation };
        // Raw points have no cosines.
        let has_cosines = self.cosines && self.sets.scaling == Scaling::Unit;
        let bins = if self.figures { Histograms::FINE_BINS } else { Histograms::BINS };
        let evaluation = if has_cosines { evaluation.with_cosine_histogram(bins) } else { evaluation };
        let evaluation = self.near.into_iter().fold(evaluation, Evaluation::with_close_pairs);
        if self.across { evaluation.across().with_mmd() } else { evaluation }
    }
}

/// What is measured, where, and how it is told.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) task: Task,
    pub(crate) listing: Listing,
    /// What needs no further pass over the pairs: a test against uniform points, and the spectrum of each set.
    pub(crate) full: bool,
    /// The file of the groups of rows, which take passes of their own.
    pub(crate) labels: Option<PathBuf>,
    /// Its column or key, where it has several.
    pub(crate) labels_column: Option<String>,
    pub(crate) place: Place,
    pub(crate) telling: Telling,
}

/// How the report is told, and where beside standard output.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    pub(crate) format: Format,
    pub(crate) beside: Beside,
    /// The file of the text of each row, and its column or key.
    pub(crate) text: Option<(PathBuf, Option<String>)>,
}

/// Where and in which arithmetic.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// At least one.
    pub(crate) devices: Vec<DeviceChoice>,
    pub(crate) precision: Precision,
    pub(crate) storage: Storage,
}

impl Place {
    fn open(&self, display: &Display) -> Result<Vec<Engine>, Failure> {
        display.step("opening the device");
        let open =
            |device| Ok(devices::open(device)?.with_precision(self.precision)?.with_storage(self.storage)?);
        self.devices.iter().map(open).collect()
    }

    /// The first device, for work that takes one.
    fn open_one(&self, display: &Display) -> Result<Engine, Failure> {
        Ok(self.open(display)?.swap_remove(0))
    }

    /// All devices, as engines that heed an interruption within a block, which takes long in a huge set.
    fn open_interruptible(&self, display: &Display) -> Result<Vec<Engine>, Failure> {
        let engines = self.open(display)?.into_iter();
        Ok(engines.map(|engine| engine.observed_by(|_| interrupt::control())).collect())
    }
}

impl Telling {
    /// The text of every row, looked at before the work.
    fn texts(&self, x: &dyn Source) -> Result<Option<Column>, Failure> {
        let Some((path, column)) = &self.text else { return Ok(None) };
        let column = open_column(path, column.as_deref(), "text")?;
        check_one_a_row(&column, "text", x)?;
        interrupt::leaving_at_once(|| column.excerpts(&[], 0))??;
        Ok(Some(column))
    }
}

/// Prints the report, and writes what is asked for beside. A report that took hours is printed even where that cannot be written.
fn print(report: Report, telling: &Telling, text: Option<&Column>) -> Result<(), Failure> {
    let beside = match telling.beside.is_wanted() {
        true => telling.beside.write(&mut document::document(&report), text),
        false => Ok(()),
    };
    let exporter = export::exporter::<Report>(telling.format);
    output::print_with_table(
        report,
        |report| report.analysis.table_and_file(),
        |report| exporter.export(report),
    )
    .and(beside)
}
