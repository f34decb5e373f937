//! The report as tables.

use unisphere::{Contrastive, Estimate};
use unisphere_io::printable;
use unisphere_scale::{Interval, Method};

use super::{
    NamedSets,
    report::{ACROSS, Device, Exact, Report, Row},
};
use crate::text::{
    self, CONTRASTIVE_NOTE, CONTRASTIVE_TITLES, bytes, circumstances, columns, contrastive, count, decimal,
    digits, plain, plural, points, seconds,
};

pub(super) fn export(report: &Report) -> String {
    let table = if report.exact.is_some() { values(report) } else { intervals(report) };
    let sections: String =
        report.analysis.sections().to_text().map(|section| format!("\n{section}")).collect();
    format!("{}\n{table}\n{}{}{sections}", head(report), notes(report), losses(report))
}

/// The contrastive loss at every temperature, where it was asked for.
fn losses(report: &Report) -> String {
    if report.contrastive.is_empty() {
        return String::new();
    }
    let (task, rows) = (&report.task, report.shape.x_rows);
    let lines: Vec<_> =
        task.taus.iter().zip(&report.contrastive).map(|(&tau, value)| contrastive(tau, value)).collect();
    let anchors = Contrastive { candidates: task.candidates, ..Contrastive::default() }.anchors(rows);
    format!(
        "\n{}Candidates: {}, {} with M negatives each.\n{CONTRASTIVE_NOTE}",
        columns(&CONTRASTIVE_TITLES, 1, &lines),
        task.candidates,
        plural(anchors, "anchor"),
    )
}

fn head(report: &Report) -> String {
    let mut lines = files(&report.task.sets, &report.file_counts);
    lines.extend(report.columns.iter().cloned());
    lines.push(("points", points(report.shape.x_rows, report.shape.dims, report.task.sets.scaling)));
    lines.extend(devices(&report.device).into_iter().map(|device| ("device", device)));
    if let Some(exact) = &report.exact {
        lines.push(("work", work(exact)));
    }
    lines.extend(report.seconds.map(|taken| ("time", format!("{}, reading included", seconds(taken)))));
    circumstances(&lines)
}

/// The files under their roles, and how many they are.
pub(super) fn files(sets: &NamedSets, counts: &[usize]) -> Vec<(&'static str, String)> {
    let mut lines: Vec<_> = sets.files_told().collect();
    for ((_, line), &files) in lines.iter_mut().zip(counts) {
        if files > 1 {
            *line += &format!(", {}", plural(files as u64, "file"));
        }
    }
    lines
}

pub(super) fn devices(device: &Device) -> Vec<String> {
    match device {
        Device::Class(class) => {
            // The precision, and the storage, which is named where it is another.
            let mut words: Vec<_> = class.split(", ").collect();
            words.dedup();
            vec![words.join(", ")]
        }
        Device::Here { devices, precision, storage, .. } => {
            devices.iter().map(|device| text::device(device, &precision.to_string(), *storage)).collect()
        }
    }
}

fn work(exact: &Exact) -> String {
    let Exact { panel_rows, cost, bytes_read, memory, device_memory, journal, parts } = exact;
    let mut said =
        vec![format!("{} of panels of {}", plural(cost.blocks, "block"), plural(*panel_rows as u64, "row"))];
    match parts {
        Some(parts) => said.push(format!("from {}", plural(*parts as u64, "part"))),
        None => said.push(format!("{} read", bytes(*bytes_read as u64))),
    }
    said.extend(memory.map(|memory| format!("{} of memory", bytes(memory))));
    said.extend(device_memory.map(|memory| format!("{} on each GPU", bytes(memory))));
    if let Some(journal) = journal {
        said.push(format!("{} from {}", count(cost.blocks_recovered), printable(journal)));
    }
    if cost.bytes_discarded > 0 {
        said.push(format!("{} of it were cut off as unfinished", plural(cost.bytes_discarded, "byte")));
    }
    said.join(", ")
}

fn name(report: &Report, row: &Row) -> String {
    if row.set == ACROSS {
        return "cross uniformity".into();
    }
    if report.shape.y_rows.is_none() { "uniformity".into() } else { format!("uniformity of {}", row.set) }
}

fn floor(row: &Row) -> String {
    if row.floor.is_nan() { "-".into() } else { decimal(row.floor) }
}

/// The line of alignment, with some cells between its value and its pairs.
fn alignment(report: &Report, value: f64, cells: Vec<String>) -> Vec<String> {
    let parameter = format!("alpha = {}", plain(report.task.alpha));
    let pairs = count(report.shape.x_rows as u64);
    [vec!["alignment".into(), parameter, decimal(value)], cells, vec![pairs]].concat()
}

/// The cell of a value's error as one of a sample of rows, in a table that has such cells.
fn error_of_rows(of_sample: Option<Estimate>) -> String {
    let known = of_sample.filter(|of| of.standard_error.is_finite());
    known.map_or("-".into(), |of| format!("{:.1e}", of.standard_error))
}

fn values(report: &Report) -> String {
    let has_errors = report.has_errors_of_rows();
    let error = |of_sample| has_errors.then(|| error_of_rows(of_sample));
    let alignment = report.alignment.map(|value| {
        let cells = error(report.alignment_of_sample).into_iter().chain([String::new()]).collect();
        alignment(report, value, cells)
    });
    let rows = report.uniformity.iter().map(|row| {
        let mut line = vec![name(report, row), format!("t = {}", plain(row.t)), decimal(row.value)];
        line.extend(error(row.of_sample));
        line.extend([floor(row), count(row.pairs)]);
        line
    });
    let lines: Vec<_> = alignment.into_iter().chain(rows).chain(squared_mmds(report)).collect();
    let head = ["", "", "value"].into_iter().chain(has_errors.then_some("error of rows"));
    columns(&head.chain(["floor", "pairs"]).collect::<Vec<_>>(), 2, &lines)
}

/// The lines of the squared discrepancy.
fn squared_mmds(report: &Report) -> impl Iterator<Item = Vec<String>> {
    report.uniformity.iter().filter_map(|row| {
        let value = row.squared_mmd?;
        let value = if value.is_nan() { "-".into() } else { decimal(value) };
        let mut line = vec!["squared MMD".into(), format!("t = {}", plain(row.t)), value];
        line.resize(if report.has_errors_of_rows() { 6 } else { 5 }, String::new());
        Some(line)
    })
}

fn intervals(report: &Report) -> String {
    let alignment = report.alignment.map(|value| alignment(report, value, vec![String::new(); 5]));
    let t = |row: &Row| format!("t = {}", plain(row.t));
    let rows = report
        .uniformity
        .iter()
        .filter_map(|row| Some(interval(name(report, row), t(row), &row.interval?, floor(row))));
    let squared_mmds = report.uniformity.iter().filter_map(|row| {
        Some(interval("squared MMD".into(), t(row), &row.squared_mmd_interval?, String::new()))
    });
    let of_tau = |(&tau, of): (&f64, &Interval)| {
        interval("contrastive loss".into(), format!("tau = {}", plain(tau)), of, String::new())
    };
    let losses = report.task.taus.iter().zip(&report.contrastive_intervals).map(of_tau);
    let head = ["", "", "value", "from", "to", "half-width", "error of rows", "floor", "pairs"];
    columns(
        &head,
        2,
        &alignment.into_iter().chain(rows).chain(squared_mmds).chain(losses).collect::<Vec<_>>(),
    )
}

/// The line of an estimate.
fn interval(name: String, parameter: String, interval: &Interval, floor: String) -> Vec<String> {
    let number = |value: f64| if value.is_nan() { "-".into() } else { decimal(value) };
    let half_width = interval.half_width();
    vec![
        name,
        parameter,
        number(interval.value),
        number(interval.low),
        number(interval.high),
        if half_width.is_nan() { "-".into() } else { format!("{half_width:.1e}") },
        interval.row_error.map_or("-".into(), |error| format!("{error:.1e}")),
        floor,
        format!("{} ({} %)", count(interval.pairs), digits(100.0 * interval.share)),
    ]
}

fn notes(report: &Report) -> String {
    let mut notes = String::from(
        "Uniformity: log mean over the pairs i < j of one set, without the diagonal (U-statistic).\n",
    );
    if report.uniformity.iter().any(|row| row.set == ACROSS) {
        notes += "Cross uniformity: the same over all pairs of x with y.\n";
    }
    if report.uniformity.iter().any(|row| row.squared_mmd.is_some()) {
        notes += "Squared MMD: how far the two sets are apart as distributions, under the kernel exp(-t|x-y|^2), without the positive\n\
                  pairs and without bias: about 0 for two sets of one distribution.\n";
    }
    if report.uniformity.iter().any(|row| row.squared_mmd.is_some_and(f64::is_nan)) {
        notes += "-  no squared MMD: both sets have collapsed so far that their sums do not tell it; ask for a larger t.\n";
    }
    if report.uniformity.iter().any(|row| !row.floor.is_nan()) {
        notes += "Floor: the value of points spread evenly over the whole sphere, the least of any distribution.\n";
    }
    let of_uniformity =
        report.uniformity.iter().flat_map(|row| [row.interval, row.squared_mmd_interval]).flatten();
    let estimates = of_uniformity.chain(report.contrastive_intervals.iter().copied());
    let by = |method| estimates.clone().find(|interval| interval.method == method);
    if let Some(of) = by(Method::NormWeightedBlocks) {
        notes += &format!(
            "From, to: hold the value of all pairs with {} % confidence over the draw of the pairs, proven for any data:\n\
             blocks of two panels, drawn by a bound of their sums, and a betting interval. Seed {}, panels of {}.\n",
            plain(100.0 * of.confidence),
            of.seed,
            plural(of.panel_rows as u64, "row"),
        );
    }
    if let Some(of) = by(Method::TournamentRounds) {
        notes += &format!(
            "From, to: hold the value of all pairs with {} % confidence over the draw of the pairs, simulated, not proven: rounds that\n\
             have every row once, and an allowance for close pairs that none has shown. Seed {}, panels of {}.\n",
            plain(100.0 * of.confidence),
            of.seed,
            plural(of.panel_rows as u64, "row"),
        );
    }
    if let Some(of) = by(Method::MultilevelCandidates) {
        notes += &format!(
            "Contrastive loss: {} candidates, few for all anchors and more for few, each level by Student's t: {} % confidence is\n\
             simulated, not proven. Seed {}, groups of {}; pairs are products of anchors with negatives.\n",
            report.task.candidates,
            plain(100.0 * of.confidence),
            of.seed,
            plural(of.panel_rows as u64, "anchor"),
        );
    }
    if by(Method::Exact).is_some() {
        notes += "100 %: computed from all pairs, as no sample promises the tolerance in much less time, or they are few.\n";
    }
    if report.exact.is_none() || report.has_errors_of_rows() {
        notes += "Error of rows: the standard error of the value as one of a sample of rows.\n";
    }
    notes
}
