//! A report as a table.

use unisphere::{Scaling, Storage};

use crate::{
    report::Report,
    text::{count, decimal, table},
};

const ESTIMATOR: &str =
    "Uniformity: log mean over the pairs i < j of one set, without the diagonal (U-statistic).";
const FLOOR: &str = "Floor: the value of points spread evenly over the whole sphere, the least of any distribution.\n\
     A finite set may lie below it, the more the greater t: no point is paired with itself.";
const NO_FLOOR: &str = "Raw points have no floor.";

pub(crate) fn eval(report: &Report) -> String {
    let floor = if report.scaling == Scaling::Unit { FLOOR } else { NO_FLOOR };
    format!("{}\n{}\n{ESTIMATOR}\n{floor}\n", circumstances(report), values(report))
}

fn circumstances(report: &Report) -> String {
    let Report { rows, dims, device, precision, storage, .. } = report;
    let scaling = match report.scaling {
        Scaling::Unit => "scaled to unit length",
        Scaling::Raw => "raw",
    };
    let software = if device.software { " (software)" } else { "" };
    let mut lines = vec![("x", report.x.path.display().to_string())];
    lines.extend(report.paired.as_ref().map(|paired| ("y", paired.y.path.display().to_string())));
    lines.push(("points", format!("n = {}, d = {}, {scaling}", count(*rows as u64), count(*dims as u64))));
    let stored =
        if *storage == Storage::F32 { String::new() } else { format!(", points stored as {storage}") };
    lines.push(("device", format!("{}: {}{software}, {precision}{stored}", device.kind, device.name)));
    lines.push(("time", format!("{:.3} s, reading excluded", report.computing.as_secs_f64())));
    lines.iter().map(|(what, value)| format!("{what:<8}{value}\n")).collect()
}

fn values(report: &Report) -> String {
    let mut rows = Vec::new();
    let uniformity = |what: &str, value: f64| {
        let floor = report.floor();
        [
            what.into(),
            format!("t = {}", report.uniformity.t),
            decimal(value),
            floor.map_or("-".into(), decimal),
            floor.map_or("-".into(), |floor| decimal(value - floor)),
            count(report.pairs()),
        ]
    };
    match &report.paired {
        None => rows.push(uniformity("uniformity", report.x.uniformity)),
        Some(paired) => {
            rows.push([
                "alignment".into(),
                format!("alpha = {}", paired.metric.alpha),
                decimal(paired.alignment),
                String::new(),
                String::new(),
                count(report.rows as u64),
            ]);
            rows.push(uniformity("uniformity of x", report.x.uniformity));
            rows.push(uniformity("uniformity of y", paired.y.uniformity));
            rows.extend(report.mean().map(|mean| uniformity("their mean", mean)));
        }
    }
    table(["", "", "value", "floor", "above floor", "pairs"], 2, &rows)
}
