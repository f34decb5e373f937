//! The head of the report: files, points, device and time.

use unisphere::Precision;

use super::super::{Document, Skipped};
use crate::text::{count, device, plural, points};

pub(in crate::export) fn head(document: &Document) -> Vec<(&'static str, String)> {
    let Document { report, skipped, .. } = document;
    let mut lines = document.sources();
    if let Some((_, path)) = lines.iter_mut().find(|(role, _)| *role == "weights") {
        *path += &format!(", of {}", report.weighed.name());
    }
    if report.ignores_weights {
        let sections =
            "potentials, retrieval, the modality gap, spectra, cosines, equal and close rows, and --rows";
        lines.push(("", format!("not weighted: {sections}")));
    }
    lines.push(("points", points(report.rows, report.dims, report.scaling)));
    lines.extend(skipped.as_ref().map(|skipped| ("skipped", zero_rows(skipped))));
    lines.push(("device", computer(document)));
    lines.extend(report.protocol.as_ref().map(|of| ("as", format!("protocol {}", of.settings.name))));
    lines.extend(document.other_devices().map(|other| ("device", other)));
    if report.seconds.is_finite() {
        let reading = if document.seconds_include_reading() { "included" } else { "excluded" };
        lines.push(("time", format!("{:.3} s, reading {reading}", report.seconds)));
    }
    lines
}

/// The device, or the class of those that computed parts.
fn computer(Document { report, large, .. }: &Document) -> String {
    let class = large.as_ref().and_then(|large| large.device_class.clone());
    let precision = || precision(report.precision, &report.precisions_used);
    class.unwrap_or_else(|| device(&report.device, &precision(), report.storage))
}

/// The precision that was asked for, and what took its place.
fn precision(asked: Precision, used: &[Precision]) -> String {
    if used.iter().all(|&used| used == asked) {
        return asked.to_string();
    }
    let used: Vec<_> = used.iter().map(Precision::to_string).collect();
    format!("{} ({asked} was asked for)", used.join(" and "))
}

/// The number of rows of zeros, and the first of them.
fn zero_rows(Skipped { rows, queue }: &Skipped) -> String {
    const SHOWN: usize = 8;
    let list = |rows: &[usize]| {
        let shown: Vec<_> = rows.iter().take(SHOWN).map(usize::to_string).collect();
        let more = if rows.len() > SHOWN { ", ..." } else { "" };
        if rows.is_empty() { String::new() } else { format!(": {}{more}", shown.join(", ")) }
    };
    let of_queue = if queue.is_empty() {
        String::new()
    } else {
        format!("; {} of the queue{}", count(queue.len() as u64), list(queue))
    };
    format!("{} of zeros{}{of_queue}", plural(rows.len() as u64, "row"), list(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_that_was_not_kept_is_told() {
        let [f32, f16] = [Precision::F32, Precision::F16];
        assert_eq!(precision(f16, &[f16]), "f16");
        assert_eq!(precision(f16, &[f32]), "f32 (f16 was asked for)");
        assert_eq!(precision(f16, &[f32, f16]), "f32 and f16 (f16 was asked for)");
    }

    #[test]
    fn few_rows_of_zeros_are_named() {
        let told = |rows: &[usize], queue: &[usize]| {
            zero_rows(&Skipped { rows: rows.to_vec(), queue: queue.to_vec() })
        };
        assert_eq!(told(&[3, 17], &[]), "2 rows of zeros: 3, 17");
        assert_eq!(told(&[], &[4]), "0 rows of zeros; 1 of the queue: 4");
        assert!(told(&[1; 9], &[]).ends_with("1, 1, ..."));
    }
}
