//! The report as one of the common form, for exporters that reports on points in memory have too.

use unisphere::{Alignment, Contrastive, Device as Computer, DeviceKind, Uniformity};
use unisphere_eval::{
    Absent, Maybe, Measured, Report as Common, SetName,
    sections::{AlignmentSummary, ContrastiveTable, Estimated, Quantity, Summary, Sweep, SweepRow},
};
use unisphere_scale::Interval;

use super::{
    NamedSets,
    json::work,
    report::{ACROSS, Device, Report, Row},
    text,
};
use crate::export::{Document, Exporter, Html, Json, Large, Markdown, Text, rounding_note};

impl Exporter<Report> for Text {
    fn export(&self, report: &Report) -> String {
        let rounding = report.rounding.map_or(String::new(), |_| rounding_note(&document(report).report));
        text::export(report) + &rounding
    }
}

impl Exporter<Report> for Json {
    fn export(&self, report: &Report) -> String {
        self.export(&document(report))
    }
}

impl Exporter<Report> for Html<'_> {
    fn export(&self, report: &Report) -> String {
        self.export(&document(report))
    }
}

impl Exporter<Report> for Markdown {
    fn export(&self, report: &Report) -> String {
        self.export(&document(report))
    }
}

/// Why a value of all pairs has no standard error, and why one beside an estimate has none.
const NOT_ASKED_FOR: Absent = Absent::because("it takes the rows one by one, as top and rows do");
const OF_ESTIMATE: Absent = Absent::because("an estimate does not measure it");
/// Why an estimate has no interval of the rows.
const OF_DRAW: Absent = Absent::because("the interval of an estimate is over the draw of its pairs");
/// Why nothing is known across both sets.
const NOT_ACROSS: Absent = Absent::because("it was not asked for: across");
const NOT_TOLD: Absent = Absent::because("both sets have collapsed so far that their sums do not tell it");

/// A value, unless the sums do not tell it.
fn told(value: f64) -> Maybe<f64> {
    if value.is_finite() { Ok(value) } else { Err(NOT_TOLD) }
}

/// The report in the common form, without the texts of its rows.
pub(super) fn document(report: &Report) -> Document {
    let (shape, scaling) = ([report.shape.x_rows, report.shape.dims], report.task.sets.scaling);
    let (devices, device_class) = match &report.device {
        Device::Class(class) => (Vec::new(), Some(class.clone())),
        Device::Here { devices, .. } => (devices.clone(), None),
    };
    let of_class = || {
        let class = device_class.as_deref().unwrap_or_default();
        let (kind, name) = class.split_once(", ").unwrap_or(("", class));
        Computer::new(if kind == "gpu" { DeviceKind::Gpu } else { DeviceKind::Cpu }, name)
    };
    let device = devices.first().cloned().unwrap_or_else(of_class);
    let mut common = Common::new(summary(report), device, shape, scaling);
    if let Device::Here { precision, used, storage, .. } = &report.device {
        (common.precision, common.storage) = (*precision, *storage);
        common.precisions_used.clone_from(used);
    } else {
        // The class names them.
        common.precisions_used.clear();
    }
    common.rounding = report.rounding;
    common.seconds = report.seconds.unwrap_or(f64::NAN);
    common.estimates = report.exact.is_none().then(|| estimates(report));
    common.sweep = sweep(report);
    if !report.contrastive.is_empty() {
        let (taus, candidates) = (&report.task.taus, report.task.candidates);
        let anchors = Contrastive { candidates, ..Contrastive::default() }.anchors(report.shape.x_rows);
        let values = taus.iter().copied().zip(report.contrastive.iter().copied());
        common.contrastive = Some(Ok(ContrastiveTable::new(candidates, anchors, values)));
    }
    report.analysis.put(&mut common);
    let NamedSets { reading, .. } = &report.task.sets;
    let files = report.task.sets.files_told().chain(report.columns.iter().cloned()).collect();
    let mut document = Document::new(common, files, reading.to_json());
    document.rows_file = report.analysis.rows_file();
    let (file_counts, work) =
        (report.task.sets.counted(&report.file_counts), report.exact.as_ref().map(work));
    document.large = Some(Large { file_counts, devices, device_class, work });
    document
}

fn set_name(set: &str) -> Option<SetName> {
    [SetName::X, SetName::Y].into_iter().find(|name| name.as_str() == set)
}

/// The values at the first t.
fn summary(report: &Report) -> Summary {
    let (shape, task) = (report.shape, &report.task);
    let metric = Alignment { alpha: task.alpha };
    let reason = if report.exact.is_some() { NOT_ASKED_FOR } else { OF_ESTIMATE };
    let alignment = report.alignment.map(|value| {
        let mut measured = match report.alignment_of_sample {
            Some(estimate) => Measured::estimated(estimate, shape.x_rows),
            None => Measured::alone(value, reason),
        };
        // The very number, which was summed in another order.
        measured.value = value;
        AlignmentSummary::new(metric, measured, shape.x_rows)
    });
    let t = task.ts.first().copied().unwrap_or_default();
    let of_row = |row: &Row| {
        let mut measured = match (row.of_sample, row.interval.and_then(|of| of.row_error)) {
            (Some(estimate), _) => Measured::estimated(estimate, shape.x_rows),
            (None, Some(error)) => Measured::with_error(row.value, error, OF_DRAW),
            (None, None) => Measured::alone(row.value, reason),
        };
        measured.value = row.value;
        Some((set_name(row.set)?, measured))
    };
    let values = report.uniformity.iter().filter(|row| row.t == t).filter_map(of_row).collect();
    let metric = Uniformity { t };
    Summary::new(metric, [shape.x_rows, shape.dims], task.sets.scaling, alignment, values)
}

/// The table over several t, or across both sets.
fn sweep(report: &Report) -> Option<Sweep> {
    let (task, dims) = (&report.task, report.shape.dims);
    if task.ts.len() < 2 && !task.across {
        return None;
    }
    let row = |&t: &f64| {
        let of = |set| report.uniformity.iter().find(|row| row.set == set && row.t == t);
        let row = SweepRow::new(t, dims, task.sets.scaling, of("x")?.value);
        let across = of(ACROSS);
        Some(match of("y") {
            Some(y) => {
                let cross = across.map(|of| of.value).ok_or(NOT_ACROSS);
                let squared_mmd = across.and_then(|of| of.squared_mmd).ok_or(NOT_ACROSS);
                row.with_y(y.value, report.shape.x_rows, cross, squared_mmd.and_then(told))
            }
            None => row,
        })
    };
    Some(Sweep::new(task.ts.iter().filter_map(row).collect()))
}

fn estimates(report: &Report) -> Vec<Estimated> {
    let of_row = |row: &Row| {
        let quantity = set_name(row.set).map_or(Quantity::CrossUniformity, Quantity::Uniformity);
        let value = row.interval.map(|of| estimated(quantity, row.t, &of));
        let squared_mmd = row.squared_mmd_interval.map(|of| estimated(Quantity::SquaredMmd, row.t, &of));
        value.into_iter().chain(squared_mmd).collect::<Vec<_>>()
    };
    let of_tau = |(&tau, of): (&f64, &Interval)| estimated(Quantity::Contrastive, tau, of);
    let losses = report.task.taus.iter().zip(&report.contrastive_intervals).map(of_tau);
    report.uniformity.iter().flat_map(of_row).chain(losses).collect()
}

fn estimated(quantity: Quantity, parameter: f64, of: &Interval) -> Estimated {
    Estimated {
        quantity,
        parameter,
        value: of.value,
        low: of.low,
        high: of.high,
        confidence: of.confidence,
        tolerance: of.tolerance,
        reached: of.meets_tolerance(),
        panel_rows: of.panel_rows,
        blocks: of.blocks,
        method: of.method.name(),
        proven: of.method.is_proven(),
        pairs: of.pairs,
        share: of.share,
        seed: of.seed,
        row_error: of.row_error,
    }
}
