//! The contrastive loss at several temperatures, and what it is made of.

use serde_json::{Map, Value, json};
use unisphere::{Contrastive, ContrastiveValue, Points};

use super::{
    options::way,
    section::{Maybe, Section, absent, cell, maybe, number, reasons},
    sweep::{Row, Sweep},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{bold, columns, count, decimal},
};

struct Losses {
    rows: Vec<(Contrastive, ContrastiveValue, Row)>,
    anchors: u64,
    queue: Option<usize>,
}

/// Where weights are asked for, there is none.
struct Unweighted;

pub(super) fn measure(work: &mut Work, sweep: &Sweep) -> Result<Option<Box<dyn Section>>, Failure> {
    let ([x, y], Some(first)) = (&*work.sets, work.plan.contrastive.first()) else { return Ok(None) };
    if work.pair_weights().is_some() {
        return Ok(Some(Box::new(Unweighted)));
    }
    let queue = work.queue.as_ref();
    let rows_of_queue = queue.map(Points::rows);
    let (anchors, pairs) =
        (first.anchors(x.points.rows()), first.pairs(x.points.rows(), rows_of_queue.unwrap_or(0)));
    let mut rows = Vec::new();
    for (place, &metric) in work.plan.contrastive.iter().enumerate() {
        let value = work.session.compute("contrastive loss", pairs, |engine| {
            engine.contrastive(&x.points, &y.points, queue, metric)
        })?;
        rows.extend(sweep.matching(place).map(|row| (metric, value, row.clone())));
    }
    Ok(Some(Box::new(Losses { rows, anchors, queue: rows_of_queue })))
}

impl Section for Losses {
    fn json(&self, object: &mut Map<String, Value>) {
        let losses = self.rows.iter().map(|(metric, value, row)| {
            let mut loss = json!({
                "tau": number(metric.tau),
                "candidates": way(metric.candidates),
                "anchors": self.anchors,
                "negatives": value.negatives,
                "loss": number(value.loss),
                "normalized": number(value.normalized),
                "alignment": number(value.alignment),
                "uniformity": number(value.uniformity),
                "residual": number(value.residual),
                "matching": {
                    "t": number(row.t),
                    "x": maybe(&row.x),
                    "y": maybe(&row.y),
                    "mean": maybe(&row.mean),
                    "cross": maybe(&row.cross),
                },
            });
            if let Some(queue) = self.queue {
                loss["queue"] = queue.into();
            }
            loss
        });
        object.insert("contrastive".into(), losses.collect());
    }

    fn text(&self) -> String {
        let matching = |row: &Row| -> Maybe<f64> { row.mean.clone() };
        let line = |(metric, value, row): &(Contrastive, ContrastiveValue, Row)| {
            let numbers = [value.loss, value.normalized, value.alignment, value.uniformity, value.residual];
            let mut line = vec![format!("tau = {}", metric.tau), count(value.negatives)];
            line.extend(numbers.map(decimal));
            line.extend([
                cell(&matching(row)),
                format!("{:.4}", row.t).trim_end_matches('0').trim_end_matches('.').into(),
            ]);
            line
        };
        let head =
            ["contrastive", "M", "loss", "- log M", "alignment", "uniformity", "residual", "U(t)", "t"];
        let rows: Vec<_> = self.rows.iter().map(line).collect();
        let values: Vec<_> = self.rows.iter().map(|(.., row)| matching(row)).collect();
        let ways = self.rows.first().map_or("", |(metric, ..)| way(metric.candidates));
        let queue =
            self.queue.map_or(String::new(), |rows| format!(", and {} of the queue", count(rows as u64)));
        format!(
            "{}{}Candidates: {ways}, {} anchors with M negatives each{queue}. loss - log M = alignment + uniformity + residual\n\
             (Theorem 1): -E x.y/tau, E log E exp(x.x'/tau), and what vanishes as M grows. U(t): the mean uniformity at\n\
             t = 1/(2 tau).\n",
            columns(&head, 1, &rows),
            reasons(values.iter().map(|value| ("U(t)", value))),
            count(self.anchors),
        )
    }
}

const NO_WEIGHTS: &str = "the contrastive loss is measured without weights only";

impl Section for Unweighted {
    fn json(&self, object: &mut Map<String, Value>) {
        object.insert("contrastive".into(), absent(NO_WEIGHTS));
    }

    fn text(&self) -> String {
        format!("{}\n-  {NO_WEIGHTS}.\n", bold("contrastive"))
    }
}
