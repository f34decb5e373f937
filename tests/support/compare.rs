//! Comparers: what is wrong, all of it, in one message. None lets a NaN pass.

use super::oracle::{Rows, length, norm, rows, sum};

/// The first few of the mismatches, how many there are, and the worst.
const SHOWN: usize = 4;

/// A value within `tolerance` of the one wanted.
pub(crate) fn value(got: f64, want: f64, tolerance: f64) -> Result<(), String> {
    let error = (got - want).abs();
    match error <= tolerance {
        true => Ok(()),
        false => Err(format!("got {got:?}, want {want:?}: off by {error:.2e} of {tolerance:.1e} allowed")),
    }
}

/// Every element within its tolerance of the one wanted.
pub(crate) fn matrix(got: &[f32], want: &Rows, tolerance: impl Fn(f64) -> f64) -> Result<(), String> {
    let cols = want.first().map_or(0, Vec::len);
    complete(got, want.len() * cols)?;
    let errors = got.iter().zip(want.iter().flatten()).enumerate().filter_map(|(k, (&got, &want))| {
        let excess = (f64::from(got) - want).abs() / tolerance(want).max(f64::MIN_POSITIVE);
        let text = || format!("[{}, {}] {got:e} ≠ {want:e}", k / cols, k % cols);
        let within = excess <= 1.0;
        (!within).then(|| Mismatch { excess, text: text() })
    });
    summary(errors.collect(), got.len(), "elements")
}

/// A gradient whose difference from the one wanted is, in norm, at most `relative` of it, or at most
/// `floor`. Each row counts times its weight.
pub(crate) fn gradient(
    got: &[f32],
    want: &Rows,
    weights: &[f64],
    relative: f64,
    floor: f64,
) -> Result<(), String> {
    let dims = want.first().map_or(0, Vec::len);
    complete(got, want.len() * dims)?;
    let weighted = |rows: Rows| -> Rows {
        rows.into_iter().zip(weights).map(|(row, w)| row.into_iter().map(|v| v * w).collect()).collect()
    };
    let errors = weighted(sum(&rows(got, dims), want, -1.0));
    let wanted = weighted(want.clone());
    let (error, size) = (norm(&errors), norm(&wanted));
    let allowed = (relative * size).max(floor);
    if error <= allowed {
        return Ok(());
    }
    let share = allowed / (want.len() as f64).sqrt();
    let off = errors.iter().enumerate().filter_map(|(i, row)| {
        let excess = length(row) / share.max(f64::MIN_POSITIVE);
        let text = format!("row {i}: {:e} … ≠ {:e} …", got[i * dims], want[i][0]);
        let within = excess <= 1.0;
        (!within).then_some(Mismatch { excess, text })
    });
    let head = format!("gradient off by {:.2e} of its norm {size:.3e} ({allowed:.1e} allowed)", error / size);
    match summary(off.collect(), want.len(), "rows") {
        Ok(()) => Err(head),
        Err(rows) => Err(format!("{head}; {rows}")),
    }
}

struct Mismatch {
    excess: f64,
    text: String,
}

fn complete(got: &[f32], values: usize) -> Result<(), String> {
    if got.len() != values {
        return Err(format!("got {} values, want {values}", got.len()));
    }
    match got.iter().position(|v| !v.is_finite()) {
        Some(k) => Err(format!("value {k} is {}", got[k])),
        None => Ok(()),
    }
}

fn summary(mismatches: Vec<Mismatch>, total: usize, what: &str) -> Result<(), String> {
    let Some(worst) = mismatches.iter().max_by(|a, b| a.excess.total_cmp(&b.excess)) else {
        return Ok(());
    };
    let first: Vec<_> = mismatches.iter().take(SHOWN).map(|m| m.text.as_str()).collect();
    Err(format!(
        "{} of {total} {what} are off, first {}; the worst, {:.1} times its tolerance, {}",
        mismatches.len(),
        first.join(", "),
        worst.excess,
        worst.text
    ))
}

/// The mismatches of one case.
#[derive(Default)]
pub(crate) struct Report {
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn check(&mut self, what: impl std::fmt::Display, outcome: Result<(), String>) {
        if let Err(problem) = outcome {
            self.failures.push(format!("{what}: {problem}"));
        }
    }

    pub(crate) fn finish(self) -> Result<(), String> {
        if self.failures.is_empty() { Ok(()) } else { Err(self.failures.join("\n")) }
    }
}
