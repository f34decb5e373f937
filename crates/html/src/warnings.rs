//! What would mislead a reader of a report who did not know it.

use unisphere::{Precision, Scaling, Storage};
use unisphere_eval::{
    Moved, Report, Weighed,
    sections::{SetDuplicates, SetFigures, SetSpectrum},
};

use crate::{
    known::Known,
    number::{capital, digits, percent, plain, plural},
};

/// A length of the mean above which all points lie in one narrow cone.
pub(crate) const NARROW_MEAN: f64 = 0.9;
/// A length of the mean above which the points are all but one.
const COLLAPSED_MEAN: f64 = 0.99;
/// The share of dimensions in use below which the rest is as good as lost.
const SMALL_SHARE_OF_DIMENSIONS: f64 = 0.1;
/// The share of the greatest eigenvalue below which a direction holds nothing.
const EMPTY_SHARE: f64 = 1e-9;
/// The share of rows of another length that is worth a word.
const FEW: f64 = 1e-3;
/// Rows below which intervals say little.
const FEW_ROWS: usize = 30;
/// The half of an interval, as a share of what uniformity lies above its floor, beyond which it is wide.
const WIDE_INTERVAL: f64 = 0.1;

/// Each a sentence or two; none where nothing is to be minded.
pub(crate) fn warnings(report: &Report, known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(estimates(report));
    let moved = report.moved_by_rounding();
    found.extend(moved.iter().map(rounded));
    found.extend(without_bound(report));
    found.extend(too_few_rows(report));
    found
        .extend(report.figures.iter().flat_map(|figures| &figures.sets).filter_map(|of| lengths(report, of)));
    found.extend(report.duplicates.iter().flat_map(|of| &of.sets).filter_map(|of| copies(report, of)));
    found.extend(report.spectrum.iter().flatten().flat_map(|of| collapse(report, of)));
    found.extend(wide_intervals(report));
    found.extend(circumstances(report, known));
    found
}

fn estimates(report: &Report) -> Option<String> {
    let estimated = report.estimates.iter().flatten().filter(|of| !of.is_of_all_pairs());
    let least = estimated.min_by(|a, b| a.share.total_cmp(&b.share))?;
    Some(format!(
        "Values are estimates from a part of the pairs, {} of them for {}: the value of all pairs lies within the interval that is told, with \
         {} % confidence. Smaller differences between models may be chance.",
        percent(least.share),
        least.quantity,
        plain(100.0 * least.confidence)
    ))
}

/// What was looked at and needs no word, in a sentence.
pub(crate) fn nothing(report: &Report) -> String {
    let sets = || report.figures.iter().flat_map(|figures| &figures.sets);
    let has_lengths = sets().any(|of| of.lengths.is_ok());
    let has_copies = report.duplicates.iter().flat_map(|of| &of.sets).any(|of| of.equal.is_ok());
    let has_spectrum = report.spectrum.is_some();
    // Whether each was looked at, what was found, and what it is called.
    let mut checks = vec![
        (has_copies, "none is a copy", "copies"),
        (has_spectrum, "no direction is empty", "empty directions"),
        (true, "there are enough rows for their dimensions", "rows"),
    ];
    if report.scaling == Scaling::Unit {
        checks.insert(0, (has_lengths, "rows had unit length", "lengths of rows"));
    }
    let (looked_at, others): (Vec<_>, Vec<_>) = checks.into_iter().partition(|(is_known, ..)| *is_known);
    let looked_at: Vec<_> = looked_at.into_iter().map(|(_, found, _)| found).collect();
    let others: Vec<_> = others.into_iter().map(|(.., what)| what).collect();
    let rest =
        if others.is_empty() { String::new() } else { format!(" Not looked at: {}.", others.join(", ")) };
    match looked_at.split_last() {
        Some((last, [])) => format!("Nothing: {last}.{rest}"),
        Some((last, first)) => format!("Nothing: {}, and {last}.{rest}", first.join(", ")),
        None => format!("Nothing.{rest}"),
    }
}

fn too_few_rows(report: &Report) -> Option<String> {
    let (rows, dims) = (plural(report.rows as u64, "row"), report.dims);
    if report.rows < FEW_ROWS {
        return Some(format!(
            "The set has {rows}. Numbers of so few say little of the encoder that made them."
        ));
    }
    (report.rows <= dims).then(|| {
        format!(
            "The set has {rows} in {dims} dimensions: too few to fill them. The spectrum ends at the number of rows, and uniformity is \
             best compared among sets of as many rows."
        )
    })
}

/// A value that rounding may have moved.
pub(crate) fn rounded(Moved { value, by }: &Moved) -> String {
    let what = capital(&value.to_string());
    format!(
        "{what} may be off by {by:.1e}: points have more digits than the single precision in which they are measured."
    )
}

/// What is there of which it is not known how far rounding has moved it.
fn without_bound(report: &Report) -> Option<String> {
    let without = report.without_bound();
    (!without.is_empty()).then(|| format!("How far rounding has moved {} is not known.", without.join(", ")))
}

fn lengths(report: &Report, of: &SetFigures) -> Option<String> {
    let lengths = of.lengths.ok()?;
    let (far, rows) = (lengths.far_from_unit, report.rows);
    if report.scaling == Scaling::Raw || (far as f64) < FEW * rows as f64 {
        return None;
    }
    Some(format!(
        "{} of {} had another length than 1: from {} to {}, {} on average. They were scaled to 1, so that nothing here depends on their \
         lengths; a similarity that does, such as a plain product, is another measure.",
        plural(far as u64, "row"),
        of.set,
        digits(lengths.least),
        digits(lengths.greatest),
        digits(lengths.mean)
    ))
}

fn copies(report: &Report, of: &SetDuplicates) -> Option<String> {
    let spare = of.spare_rows().unwrap_or(0);
    (spare > 0).then(|| {
        format!(
            "{} of {} ({}) repeat an earlier row. Copies raise uniformity, above all at large t, without telling anything of the encoder.",
            plural(spare as u64, "row"),
            of.set,
            percent(spare as f64 / report.rows as f64)
        )
    })
}

fn collapse(report: &Report, of: &SetSpectrum) -> Vec<String> {
    let eigenvalues = of.spectrum.eigenvalues();
    let greatest = eigenvalues.first().copied().unwrap_or(0.0);
    if greatest <= 0.0 {
        return vec![format!("All rows of {} are equal: the encoder has collapsed.", of.set)];
    }
    let mut found = Vec::new();
    let used = eigenvalues.iter().filter(|&&value| value > EMPTY_SHARE * greatest).count();
    if used < report.dims && report.rows > report.dims {
        let empty = plural((report.dims - used) as u64, "direction");
        found.push(format!(
            "{empty} of {} in {} hold no variance: the points fill a space of {used} dimensions.",
            report.dims, of.set
        ));
    }
    let rank = of.spectrum.effective_rank();
    if report.rows > report.dims && rank < SMALL_SHARE_OF_DIMENSIONS * report.dims as f64 {
        found.push(format!(
            "The variance of {} is that of about {} directions of {}: most dimensions are hardly used, which uniformity hardly shows.",
            of.set,
            digits(rank),
            report.dims
        ));
    }
    let mean = of.spectrum.mean_norm();
    if report.scaling == Scaling::Unit && mean > NARROW_MEAN {
        found.push(format!(
            "The mean of {} has the length {}: all points lie in one narrow cone, and most of uniformity is its width.{}",
            of.set,
            digits(mean),
            if mean > COLLAPSED_MEAN { " The encoder has all but collapsed." } else { "" }
        ));
    }
    found
}

fn wide_intervals(report: &Report) -> Option<String> {
    let is_wide = report.summary.sets.iter().any(|set| {
        let (measured, gap) = (&set.measured, set.calibration.gap);
        match (measured.low, measured.high, gap) {
            (Ok(low), Ok(high), Ok(gap)) => (high - low) / 2.0 > WIDE_INTERVAL * gap.abs(),
            _ => false,
        }
    });
    is_wide.then(|| {
        "The interval of uniformity is wide beside its height above the floor: differences between models may be chance.".into()
    })
}

fn circumstances(report: &Report, known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    let coarse = report.precisions_used.iter().find(|&&precision| precision != Precision::F32);
    if let Some(precision) = coarse {
        found.push(format!(
            "Products were made in {precision}: values are estimates with the error of that precision."
        ));
    }
    if report.storage != Storage::F32 {
        found.push(format!("The device kept coordinates as {}, each of them rounded.", report.storage));
    }
    if report.scaling == Scaling::Raw {
        found.push(
            "Points are measured where they are, not on the sphere: there is no floor, and no bound.".into(),
        );
    }
    if known.skipped_rows > 0 {
        found.push(format!("{} of zeros were left out.", plural(known.skipped_rows as u64, "row")));
    }
    if report.weighed != Weighed::Nothing {
        found.push(format!(
            "Weights are of {}. Figures of points, cosines, potentials and spectra, and the lists of rows, are not weighted.",
            report.weighed.name()
        ));
    }
    if let Some(groups) = &report.groups {
        let single = groups.sizes.iter().filter(|&&size| size == 1).count();
        if single > 0 {
            found.push(format!(
                "{} of one row each, which have no uniformity.",
                plural(single as u64, "group")
            ));
        }
    }
    found
}
