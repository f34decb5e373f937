//! The contrastive loss at several temperatures, and what it is made of.

use serde_json::{Map, Value, json};
use unisphere::{Candidates, ContrastiveValue, Points, Scaling, Uniformity, unordered_pairs};

use super::{
    options::way,
    section::{Absent, Maybe, Section, absent, cell, maybe, number, reasons},
    sweep::{Row, Sweep},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{bold, columns, count, decimal, plain, plural},
};

struct Losses {
    rows: Vec<Loss>,
    candidates: Candidates,
    anchors: u64,
    queue: Option<usize>,
}

struct Loss {
    tau: f64,
    value: ContrastiveValue,
    /// At t = 1/(2τ).
    row: Row,
    /// The uniformity of the loss's own negatives there.
    negatives: Maybe<f64>,
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
    let candidates = first.candidates;
    let taus: Vec<_> = work.plan.contrastive.iter().map(|metric| metric.tau).collect();
    let values = work.session.compute("contrastive loss", pairs, |engine| {
        engine.contrastives(&x.points, &y.points, queue, candidates, &taus)
    })?;
    let loss = |(place, (&tau, value)): (usize, (&f64, ContrastiveValue))| {
        let row = sweep.matching(place)?.clone();
        let negatives = negatives(work, candidates, &row);
        Some(Loss { tau, value, row, negatives })
    };
    let rows = taus.iter().zip(values).enumerate().filter_map(loss).collect();
    Ok(Some(Box::new(Losses { rows, candidates, anchors, queue: rows_of_queue })))
}

/// Log mean exp(−t‖x−x′‖²) over anchors and their negatives: without the diagonal, whatever the estimator.
fn negatives(work: &Work, candidates: Candidates, row: &Row) -> Maybe<f64> {
    if work.plan.scaling == Scaling::Raw {
        return Absent::because("exp(x.y/tau) of raw points is no function of their distance");
    }
    if work.queue.is_some() {
        return Absent::because("some negatives are of the queue");
    }
    let unpaired = row.unpaired.clone()?;
    if candidates != Candidates::Views {
        return Ok(unpaired);
    }
    let [x, y] = row.within.clone()?;
    // Ordered, half of them across.
    let pairs = 2 * unordered_pairs(work.rows());
    Ok(Uniformity::pooled(&[(x, pairs), (y, pairs), (unpaired, 2 * pairs)]))
}

impl Section for Losses {
    fn json(&self, object: &mut Map<String, Value>) {
        let losses = self.rows.iter().map(|Loss { tau, value, row, negatives }| {
            let of = |which: usize| maybe(&row.within.clone().map(|both| both[which]));
            let mean = row.within.clone().map(|[x, y]| (x + y) / 2.0);
            let mut loss = json!({
                "tau": number(*tau),
                "candidates": way(self.candidates),
                "anchors": self.anchors,
                "negatives": value.negatives,
                "loss": number(value.loss),
                "normalized": number(value.normalized),
                "alignment": number(value.alignment),
                "uniformity": number(value.uniformity),
                "residual": number(value.residual),
                "matching": {
                    "t": number(row.t),
                    "x": of(0),
                    "y": of(1),
                    "mean": maybe(&mean),
                    "cross": maybe(&row.cross),
                    "negatives": maybe(negatives),
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
        let line = |Loss { tau, value, row, negatives }: &Loss| {
            let numbers = [value.loss, value.normalized, value.alignment, value.uniformity, value.residual];
            let mut line = vec![format!("tau = {}", plain(*tau)), count(value.negatives)];
            line.extend(numbers.map(decimal));
            line.extend([cell(negatives), plain((row.t * 1e4).round() / 1e4)]);
            line
        };
        let head =
            ["contrastive", "M", "loss", "- log M", "alignment", "uniformity", "residual", "U(t)", "t"];
        let rows: Vec<_> = self.rows.iter().map(line).collect();
        let queue =
            self.queue.map_or(String::new(), |rows| format!(", {} of them of the queue", count(rows as u64)));
        format!(
            "{}{}Candidates: {}, {} with M negatives each{queue}.\n\
             loss - log M = alignment + uniformity + residual (Theorem 1): -E x.y/tau, E log E exp(x.x'/tau), and what vanishes\n\
             as M grows. U(t): log mean exp(-t|x-x'|^2) over anchors and negatives, at t = 1/(2 tau).\n",
            columns(&head, 1, &rows),
            reasons(self.rows.iter().map(|loss| ("U(t)", &loss.negatives))),
            way(self.candidates),
            plural(self.anchors, "anchor"),
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
