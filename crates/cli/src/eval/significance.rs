//! Whether a set is less even than points of the uniform distribution are by chance.

use serde_json::{Map, Value, json};
use unisphere::Scaling;

use super::{
    estimator::Estimator,
    section::{Absent, Maybe, Section, finite, maybe, reasons},
    summary::{Summary, Valued},
    work::Work,
};
use crate::text::{columns, digits};

struct Tests(Vec<(&'static str, Maybe<f64>, Maybe<f64>)>);

pub(super) fn measure(work: &Work, summary: &Summary) -> Option<Box<dyn Section>> {
    let reason = if work.plan.scaling == Scaling::Raw {
        Some("raw points have no uniform distribution")
    } else if work.row_weights().is_some() {
        Some("it is not known for weighted rows")
    } else {
        None
    };
    let test = |(name, value): &(&'static str, Valued)| {
        if let Some(reason) = reason {
            return (*name, Absent::because(reason), Absent::because(reason));
        }
        let u = if summary.estimator == Estimator::U {
            value.value
        } else {
            summary.estimator.u(value.value, work.rows())
        };
        let found = summary.metric.significance(u, work.rows(), work.dims());
        (*name, finite(found.z), finite(found.p_value))
    };
    work.plan.full.then(|| Box::new(Tests(summary.sets.iter().map(test).collect())) as Box<dyn Section>)
}

impl Section for Tests {
    fn json(&self, object: &mut Map<String, Value>) {
        let tests = self
            .0
            .iter()
            .map(|(name, z, p)| ((*name).to_string(), json!({"z": maybe(z), "p_value": maybe(p)})));
        object.insert("significance".into(), Value::Object(tests.collect()));
    }

    fn text(&self) -> String {
        let row = |(name, z, p): &(&str, Maybe<f64>, Maybe<f64>)| {
            let z = z.as_ref().map_or("-".into(), |&z| digits(z));
            vec![(*name).to_string(), z, p.as_ref().map_or("-".into(), share)]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        columns(&["against uniform points", "z", "p-value"], 1, &rows)
            + &reasons(self.0.iter().flat_map(|(_, z, p)| [z, p].map(|value| ("z and p", value))))
            + "z: standard deviations above as many independent points of the uniform distribution; p: how often those are\n\
               as uneven by chance.\n"
    }
}

/// A p-value, which is too small for a number where points are far from even.
fn share(p: &f64) -> String {
    match *p {
        0.0 => "< 1e-300".into(),
        p if p < 1e-4 => format!("{p:.1e}"),
        p => format!("{p:.4}"),
    }
}
