//! A finished report in the forms in which it is told.

mod beside;
mod compared;
mod csv;
mod html;
mod json;
mod markdown;
mod reasons;
pub(crate) mod rounding;
mod sections;
mod table;
mod text;
mod told;

pub(crate) use beside::Beside;
pub(crate) use csv::Log;
pub(crate) use html::{Html, write_page};
pub(crate) use json::{Json, of_roles};
pub(crate) use markdown::Markdown;
pub(crate) use sections::{RowsFile, Sections};
pub(crate) use text::{Text, rounding_note};
pub use told::Told;

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;
use unisphere::Device;
use unisphere_eval::{
    Moved, Report, Rounding,
    compare::{
        Bootstrap, Change, ComparePlan, Comparison, Difference, Metric, Model, OfMetric, PairedDifference,
        Place,
    },
    unpaired::UnpairedReport,
    views::ViewsReport,
};

use unisphere_io::printable;

use crate::{
    reading::ReadingOptions,
    text::{device, in_line, plural},
};

/// A report, and what the program alone knows of it: the names of files.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) report: Report,
    /// The files under their roles, and what of them is read.
    pub(crate) files: Vec<(&'static str, String)>,
    /// How X and Y were read, where options said it.
    pub(crate) read: Value,
    /// Rows of zeros, where they were to be skipped.
    pub(crate) skipped: Option<Skipped>,
    /// The file that the table of rows was written to, if it was.
    pub(crate) rows_file: Option<PathBuf>,
    /// The text of rows that a page lists, by their numbers, where it is known.
    pub(crate) texts: BTreeMap<usize, String>,
    /// How sets of any size were computed; their seconds include reading.
    pub(crate) large: Option<Large>,
}

/// What a report on sets of any size tells besides.
#[derive(Debug, Default)]
pub(crate) struct Large {
    /// How many files each set has; none where each has one.
    pub(crate) file_counts: Vec<(&'static str, usize)>,
    /// All devices that computed, where several did.
    pub(crate) devices: Vec<Device>,
    /// What the devices have in common that computed the parts of a plan, wherever they are.
    pub(crate) device_class: Option<String>,
    /// What the values of all pairs took, as it is in JSON.
    pub(crate) work: Option<Value>,
}

impl Document {
    /// Of sets in memory, and how they were read.
    pub(crate) fn new(report: Report, files: Vec<(&'static str, String)>, read: Value) -> Self {
        Self { report, files, read, skipped: None, rows_file: None, texts: BTreeMap::new(), large: None }
    }

    /// Of sets that a caller has read.
    fn of(report: Report, inputs: Inputs) -> Self {
        let document = Self::new(report, inputs.files, inputs.reading.to_json());
        Self { skipped: inputs.skipped, ..document }
    }

    /// The files under their roles, as a person is told of them.
    fn sources(&self) -> Vec<(&'static str, String)> {
        let mut sources = self.files.clone();
        for (role, source) in &mut sources {
            let mut counts = self.large.iter().flat_map(|large| &large.file_counts);
            if let Some((_, files)) = counts.find(|(of, files)| of == role && *files > 1) {
                *source += &format!(", {}", plural(*files as u64, "file"));
            }
        }
        sources
    }

    /// The devices that computed beside the report's own.
    fn other_devices(&self) -> impl Iterator<Item = String> {
        let Report { precision, storage, .. } = self.report;
        let all = self.large.iter().flat_map(|large| &large.devices);
        all.skip(1).map(move |other| device(other, &precision.to_string(), storage))
    }

    /// Whether the seconds include those of reading.
    fn seconds_include_reading(&self) -> bool {
        self.large.is_some()
    }

    /// The sections that reports of points in pieces have too.
    fn sections(&self) -> Sections<'_> {
        let report = &self.report;
        Sections {
            significance: report.significance.as_deref(),
            spectrum: report.spectrum.as_deref(),
            histograms: report.histograms.as_ref(),
            duplicates: report.duplicates.as_ref(),
            worst_rows: report.worst_rows.as_ref(),
            groups: report.groups.as_ref(),
            rows_file: RowsFile::of(self.rows_file.as_deref(), report.row_table.as_ref()),
        }
    }
}

/// What a caller knows of a report that `unisphere_eval` has measured.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// What each set or column is, such as `x` or `labels`, and where it came from.
    pub files: Vec<(&'static str, String)>,
    /// How files were read.
    pub reading: ReadingOptions,
    /// Rows of zeros, where they were to be skipped.
    pub skipped: Option<Skipped>,
}

/// Rows of zeros that were left out, by their numbers in the files.
#[derive(Clone, Debug, Default)]
pub struct Skipped {
    /// Rows of x and y alike: those that are zero in either.
    pub rows: Vec<usize>,
    /// Rows of the queue.
    pub queue: Vec<usize>,
}

/// A report on two sets that are not paired, and what the program alone knows of it.
#[derive(Debug)]
pub(crate) struct UnpairedDocument {
    pub(crate) report: UnpairedReport,
    /// The files under their roles, and what of them is read: those of x and y first.
    pub(crate) files: Vec<(&'static str, String)>,
    /// How they were read, where options said it.
    pub(crate) read: Value,
}

impl UnpairedDocument {
    /// Of sets that a caller has read.
    fn of(report: UnpairedReport, inputs: Inputs) -> Self {
        Self { report, files: inputs.files, read: inputs.reading.to_json() }
    }
}

/// A report on several views, and what the program alone knows of it.
#[derive(Debug)]
pub(crate) struct ViewsDocument {
    pub(crate) report: ViewsReport,
    /// The files of the views in their order, or the one that holds them all, and what of them is read.
    pub(crate) files: Vec<String>,
    /// How they were read, where options said it.
    pub(crate) read: Value,
}

/// A model of a comparison, and what the program alone knows of it.
#[derive(Clone, Debug)]
pub(crate) struct ComparedModel {
    pub(crate) name: String,
    /// Its files under their roles, and what of them is read.
    pub(crate) files: Vec<(&'static str, String)>,
    pub(crate) place: Place,
    pub(crate) model: Model,
    /// What rounding has taken of its points, where they had more digits.
    pub(crate) rounding: Option<Rounding>,
    /// Rows that were left out: those of zeros in any model.
    pub(crate) skipped: Vec<usize>,
    /// What the numbers follow from, as a hash: the contents of its files, how they were read, t, scaling, device and program.
    pub(crate) fingerprint: Option<String>,
    /// Whether it was in the cache.
    pub(crate) cached: bool,
    /// Seconds of reading and measuring it, or of finding it in the cache.
    pub(crate) seconds: f64,
}

/// A model that could not be measured.
#[derive(Clone, Debug)]
pub(crate) struct FailedModel {
    pub(crate) name: String,
    pub(crate) files: Vec<(&'static str, String)>,
    /// Why, and the cure.
    pub(crate) reason: String,
    /// Whether the disk is at fault, and not the file.
    pub(crate) is_of_disk: bool,
}

/// A comparison of models: one at least that was measured.
#[derive(Debug)]
pub(crate) struct ComparisonDocument {
    pub(crate) plan: ComparePlan,
    pub(crate) device: Device,
    /// How the sets were read, where options said it.
    pub(crate) read: Value,
    /// The name of the baseline, which may be one of those that failed.
    pub(crate) baseline: String,
    /// In the order in which they are told, which is that of the comparison.
    pub(crate) models: Vec<ComparedModel>,
    pub(crate) failed: Vec<FailedModel>,
    pub(crate) comparison: Comparison,
    pub(crate) bootstrap: Bootstrap,
}

/// A comparison of one model, told on a line: a checkpoint as it comes.
pub(crate) struct Checkpoint<'a> {
    pub(crate) document: &'a ComparisonDocument,
}

impl FailedModel {
    /// The reason on one line, without the name of the model that it may begin with: that is told before it.
    pub(crate) fn reason_in_line(&self) -> String {
        let name = format!("{}: ", printable(&self.name));
        in_line(self.reason.strip_prefix(&name).unwrap_or(&self.reason))
    }
}

impl ComparisonDocument {
    /// Seconds of all models, reading included.
    pub(crate) fn seconds(&self) -> f64 {
        self.models.iter().map(|of| of.seconds).sum()
    }

    /// How far rounding may have moved the values of a model.
    fn moved_by_rounding(&self, of: &ComparedModel) -> Vec<Moved> {
        of.rounding.map_or(Vec::new(), |rounding| of.model.moved_by_rounding(&self.plan, rounding))
    }

    /// How far rounding may have moved the difference of a model to another, where that is more than the difference: it tells nothing
    /// then, whatever its p-value. All forms of the report say it by this.
    fn rounding_beyond(&self, [of, other]: [&ComparedModel; 2], metric: Metric, value: f64) -> Option<f64> {
        let of_model =
            |of: &ComparedModel| of.rounding.map_or(0.0, |by| of.model.may_move(&self.plan, by, metric));
        let by = of_model(of) + of_model(other);
        (value != 0.0 && by.is_finite() && by > value.abs()).then_some(by)
    }

    /// The same of a difference to the baseline.
    fn rounding_beyond_difference(&self, of: &ComparedModel, found: &OfMetric<Difference>) -> Option<f64> {
        let base = self.models.iter().find(|of| of.name == self.baseline)?;
        self.rounding_beyond([of, base], found.metric, found.found.ok()?.paired.value)
    }

    /// The same of a change from step to step.
    fn rounding_beyond_change(&self, change: &Change, found: &OfMetric<PairedDifference>) -> Option<f64> {
        let pair = [self.models.get(change.model)?, self.models.get(change.previous?)?];
        self.rounding_beyond(pair, found.metric, found.found.ok()?.value)
    }

    /// Differences to the baseline that are less than rounding may have made, a sentence each.
    fn differences_below_rounding(&self) -> impl Iterator<Item = (Metric, String)> {
        let of_model = |(of, found): (&ComparedModel, &Vec<OfMetric<Difference>>)| {
            let told = |found: &OfMetric<Difference>| {
                let by = self.rounding_beyond_difference(of, found)?;
                let (name, metric) = (printable(&of.name), found.metric.name());
                Some((found.metric, below_rounding(&format!("difference of {name} in {metric}"), by)))
            };
            found.iter().filter_map(told).collect::<Vec<_>>()
        };
        self.models.iter().zip(&self.comparison.differences).flat_map(of_model)
    }

    /// What rows of zeros were left out, in a sentence.
    fn skipped_rows(&self) -> Option<String> {
        let left_out: Vec<_> = self.models.iter().filter(|of| !of.skipped.is_empty()).collect();
        let first = left_out.first()?;
        let is_of_all = left_out.len() == self.models.len();
        Some(if is_of_all && left_out.iter().all(|of| of.skipped == first.skipped) {
            match first.skipped.len() as u64 {
                1 => "1 row is all zeros in one model or more, and is left out of all.".into(),
                rows => {
                    let rows = plural(rows, "row");
                    format!("{rows} are all zeros in one model or more, and are left out of all.")
                }
            }
        } else {
            let rows = |of: &ComparedModel| plural(of.skipped.len() as u64, "row");
            let of = |of: &&ComparedModel| format!("{} of {}", rows(of), printable(&of.name));
            let all: Vec<_> = left_out.iter().map(of).collect();
            format!("Left out, as they are all zeros in a model of as many rows: {}.", all.join(", "))
        })
    }

    fn has_baseline(&self) -> bool {
        self.models.iter().any(|of| of.name == self.baseline)
    }

    /// The metrics that the models have.
    fn metrics(&self) -> &'static [Metric] {
        self.models.first().map_or(&[], |of| of.model.metrics())
    }
}

/// The sentence about a difference that is less than rounding may have made.
fn below_rounding(what: &str, by: f64) -> String {
    format!("The {what} is less than rounding of the points may have made, {by:.1e}, whatever its p-value.")
}

/// A form of reports of one kind.
pub(crate) trait Exporter<D> {
    /// The whole report in it.
    fn export(&self, document: &D) -> String;
}

/// The forms that a report is printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Tables for a terminal.
    Text,
    /// One JSON object on one line.
    Json,
    /// Tables of Markdown.
    Markdown,
}

impl Format {
    /// The form that options ask for: text where they ask for none.
    pub(crate) fn of(json: bool, markdown: bool) -> Self {
        match (json, markdown) {
            (true, _) => Self::Json,
            (_, true) => Self::Markdown,
            _ => Self::Text,
        }
    }
}

/// The exporter of a form.
pub(crate) fn exporter<D>(format: Format) -> Box<dyn Exporter<D>>
where
    Text: Exporter<D>,
    Json: Exporter<D>,
    Markdown: Exporter<D>,
{
    match format {
        Format::Text => Box::new(Text),
        Format::Json => Box::new(Json),
        Format::Markdown => Box::new(Markdown),
    }
}
