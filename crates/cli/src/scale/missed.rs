//! The values of all pairs, in the place of estimates that miss the tolerance.

use std::{slice, sync::Arc};

use unisphere::Engine;
use unisphere_scale::{Draw, Error, Evaluation, Found, Interval, Resources, Sampling};

use super::{
    Task,
    all_pairs::AllPairs,
    files::Files,
    report::{ACROSS, Report, Row},
};
use crate::{exit::Failure, progress::Display, text};

/// Pairs up to which all of them are computed without a word: some seconds.
const PAIRS_WITHOUT_WORD: u64 = 2_000_000_000;

/// Whether the memory does for all pairs, read in pieces. Fails where it does for neither them nor the points; but for rounds, which
/// take the points alone, and say so themselves.
pub(super) fn can_be_computed(
    engine: &Engine,
    task: &Task,
    files: &Files,
    (sampling, draw): (&Sampling, Draw),
    resources: &Resources,
) -> Result<bool, Failure> {
    let shape = files.sets().shape()?;
    let holds_points = sampling.holds(shape.x_rows + shape.y_rows.unwrap_or(0), shape.dims);
    match task.evaluation().expected_on(slice::from_ref(engine), shape, resources) {
        Err(Error::Memory { .. }) if holds_points || draw == Draw::Rounds => Ok(false),
        expected => Ok(expected.map(|_| true)?),
    }
}

/// Computes what the estimates of a report missed, from all pairs at once, and puts it into the report. Other values of the same
/// pass take the place of their estimates too.
pub(super) fn compute(
    engine: &Engine,
    mut files: Files,
    sampling: Sampling,
    mut resources: Resources,
    display: &Display,
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(missed) = Missed::of(report) else { return Ok(()) };
    if !missed.takes_y() {
        files.y = None;
    }
    let control = display.control();
    let engine = engine.clone().observed_by(move |_| control());
    let engines = slice::from_ref(&engine);
    let evaluation = missed.evaluation(&report.task);
    let expected = evaluation.expected_on(engines, files.sets().shape()?, &resources)?;
    if expected.pairs > PAIRS_WITHOUT_WORD {
        display.voice()(&format!("no estimate promises {}: all pairs are computed", missed.told()));
    }
    resources.observer = Some(Arc::new(display.observer()));
    display.counted("all pairs");
    let ts = &missed.ts;
    let sets = (files.sets(), files.row_bytes());
    let mut run = AllPairs::announced(&evaluation, engines, sets, ts, &expected, resources, display)?;
    let found = run.values();
    let found = run.ended(found)?;
    missed.put(&found, report);
    // Sums of sets that have collapsed do not tell their discrepancy. Points that memory holds do.
    let scaling = report.task.sets.scaling;
    let untold = |row: &&mut Row| row.squared_mmd.is_some_and(f64::is_nan);
    for row in report.uniformity.iter_mut().filter(untold) {
        row.squared_mmd_interval =
            sampling.squared_mmds_of(&engine, files.sets(), scaling, &[row.t])?.into_iter().next();
        row.squared_mmd = row.squared_mmd_interval.map(|interval| interval.value);
    }
    Ok(())
}

/// What estimates missed.
#[derive(Default)]
struct Missed {
    /// For a person.
    names: Vec<String>,
    ts: Vec<f64>,
    taus: Vec<f64>,
    y: bool,
    across: bool,
    squared_mmd: bool,
}

impl Missed {
    fn of(report: &Report) -> Option<Self> {
        let mut missed = Self::default();
        let misses = |interval: Option<Interval>| interval.is_some_and(|found| !found.meets_tolerance());
        for row in &report.uniformity {
            let (of_value, of_mmd) = (misses(row.interval), misses(row.squared_mmd_interval));
            if of_value || of_mmd {
                missed.add(row, of_value, of_mmd);
            }
        }
        for (&tau, &interval) in report.task.taus.iter().zip(&report.contrastive_intervals) {
            if misses(Some(interval)) {
                missed.names.push(format!("the contrastive loss at tau = {}", text::plain(tau)));
                missed.taus.push(tau);
            }
        }
        if missed.names.is_empty() {
            return None;
        }
        if missed.ts.is_empty() {
            // Every evaluation has uniformity at some t.
            missed.ts.extend(report.task.ts.first());
        }
        Some(missed)
    }

    fn add(&mut self, row: &Row, of_value: bool, of_mmd: bool) {
        let t = text::plain(row.t);
        if of_value && row.set == ACROSS {
            self.names.push(format!("cross uniformity at t = {t}"));
        } else if of_value {
            self.names.push(format!("uniformity of {} at t = {t}", row.set));
        }
        if of_mmd {
            self.names.push(format!("squared MMD at t = {t}"));
        }
        if !self.ts.contains(&row.t) {
            self.ts.push(row.t);
        }
        self.y |= row.set != "x";
        self.across |= row.set == ACROSS;
        self.squared_mmd |= of_mmd;
    }

    /// The first of it, and how much more there is.
    fn told(&self) -> String {
        match &self.names[..] {
            [one] => one.clone(),
            [first, others @ ..] => format!("{first} and {} more", others.len()),
            [] => String::new(),
        }
    }

    /// Whether anything of it is of both sets.
    fn takes_y(&self) -> bool {
        self.y || !self.taus.is_empty()
    }

    fn evaluation(&self, task: &Task) -> Evaluation {
        let evaluation = Evaluation::new().with_ts(&self.ts).with_scaling(task.sets.scaling);
        let evaluation = evaluation.with_contrastive(&self.taus, task.candidates);
        match *self {
            Self { squared_mmd: true, .. } => evaluation.with_mmd(),
            Self { across: true, .. } => evaluation.across(),
            _ => evaluation,
        }
    }

    /// Puts all values that were found into the report.
    fn put(&self, found: &Found, report: &mut Report) {
        for row in &mut report.uniformity {
            let Some(place) = self.ts.iter().position(|&t| t == row.t) else { continue };
            let values = match row.set {
                ACROSS => found.across.as_ref(),
                "x" => Some(&found.x),
                _ => found.y.as_ref(),
            };
            let value = values.and_then(|values| values.get(place));
            if let (Some(&value), Some(interval)) = (value, row.interval) {
                (row.value, row.interval) = (value, Some(interval.with_all_pairs(value)));
            }
            let squared_mmd = found.squared_mmd.as_ref().and_then(|values| values.get(place));
            if let (Some(&value), Some(interval)) = (squared_mmd, row.squared_mmd_interval) {
                let value = value.unwrap_or(f64::NAN);
                row.squared_mmd = Some(value);
                row.squared_mmd_interval = Some(interval.with_all_pairs(value));
            }
        }
        let losses = self.taus.iter().zip(found.contrastive.iter().flatten());
        for (tau, of) in losses {
            let mut intervals = report.task.taus.iter().zip(&mut report.contrastive_intervals);
            if let Some((_, interval)) = intervals.find(|(other, _)| *other == tau) {
                *interval = interval.with_all_pairs(of.loss);
            }
        }
    }
}
