//! Groups of rows: alignment in each, uniformity within each and across each two.

use serde_json::{Map, Value, json};
use unisphere::{Error, GroupUniformity, Groups};

use super::{
    estimator::Estimator,
    options::Eval,
    section::{Absent, Maybe, Section, cell, maybe, number, reasons},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{columns, count, decimal, plural},
};

/// Groups whose whole matrix is printed.
const SHOWN: usize = 8;

struct Grouped {
    labels: Vec<i64>,
    sizes: Vec<usize>,
    alignment: Option<Vec<f64>>,
    uniformity: Vec<(&'static str, GroupUniformity)>,
    estimator: Estimator,
}

pub(super) fn measure(work: &mut Work, options: &Eval) -> Result<Option<Box<dyn Section>>, Failure> {
    let (Some(labels), Some(path)) = (&work.labels, &options.labels) else { return Ok(None) };
    let groups = Groups::new(labels);
    let of_file = |error| match error {
        error @ Error::Labels { .. } => Failure::Input(format!("{}: {error}", path.display())),
        error => error.into(),
    };
    let alignment = work.distances.as_ref().map(|distances| groups.alignment(distances, work.plan.alignment));
    let mut uniformity = Vec::new();
    for set in &work.sets {
        let (what, metric) = (format!("groups of {}", set.name), work.plan.uniformity);
        let found = work.session.within(&what, &set.points, |engine| {
            Ok(engine.group_uniformity(&set.points, &groups, metric).map_err(of_file))
        })??;
        uniformity.push((set.name, found));
    }
    let (labels, sizes, alignment) = (groups.labels(), groups.sizes(), alignment.transpose()?);
    Ok(Some(Box::new(Grouped { labels, sizes, alignment, uniformity, estimator: work.plan.estimator })))
}

impl Section for Grouped {
    fn json(&self, object: &mut Map<String, Value>) {
        let k = self.labels.len();
        let mut groups =
            json!({"labels": self.labels, "sizes": self.sizes, "estimator": self.estimator.name()});
        if let Some(alignment) = &self.alignment {
            groups["alignment"] = alignment.iter().map(|&value| number(value)).collect();
        }
        groups["uniformity"] = json!({});
        for (name, uniformity) in &self.uniformity {
            let row = |a: usize| (0..k).map(|b| maybe(&self.between(uniformity, a, b))).collect::<Value>();
            groups["uniformity"][name] = (0..k).map(row).collect();
        }
        object.insert("groups".into(), groups);
    }

    fn text(&self) -> String {
        let k = self.labels.len();
        let mut names: Vec<_> = self.uniformity.iter().map(|(name, _)| format!("within {name}")).collect();
        if self.alignment.is_some() {
            names.insert(0, "alignment".into());
        }
        let head: Vec<_> = ["group", "rows"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let own =
            |a: usize| self.uniformity.iter().map(move |(_, uniformity)| self.between(uniformity, a, a));
        let line = |a: usize| {
            let mut line = vec![self.labels[a].to_string(), count(self.sizes[a] as u64)];
            line.extend(self.alignment.as_ref().map(|values| decimal(values[a])));
            line.extend(own(a).map(|value| cell(&value)));
            line
        };
        let shown = k.min(3 * SHOWN);
        let missing: Vec<_> = (0..shown).flat_map(own).collect();
        let mut text = columns(&head, 1, &(0..shown).map(line).collect::<Vec<_>>());
        text += &reasons(missing.iter().map(|value| ("uniformity", value)));
        if shown < k {
            text += &format!("and {} more: --json lists them all\n", plural((k - shown) as u64, "group"));
        }
        if k > SHOWN {
            text += "The matrix across groups is in --json.\n";
        } else {
            for (name, uniformity) in &self.uniformity {
                text += &format!("\n{}", self.matrix(name, uniformity));
            }
        }
        text + &format!("Within groups: the {}-statistic.\n", self.estimator.name())
    }
}

impl Grouped {
    /// With the diagonal or without where a group meets itself.
    fn between(&self, uniformity: &GroupUniformity, a: usize, b: usize) -> Maybe<f64> {
        match (uniformity.between(a, b), self.estimator) {
            (Some(value), estimator) if a == b => Ok(estimator.value(value, self.sizes[a])),
            (Some(value), _) => Ok(value),
            // One point, paired with itself.
            (None, Estimator::V) => Ok(0.0),
            (None, Estimator::U) => Absent::because("a group of one row has no pairs"),
        }
    }

    fn matrix(&self, name: &str, uniformity: &GroupUniformity) -> String {
        let labels: Vec<_> = self.labels.iter().map(i64::to_string).collect();
        let title = format!("across {name}");
        let head: Vec<_> = std::iter::once(title.as_str()).chain(labels.iter().map(String::as_str)).collect();
        let line = |a: usize| {
            let cells = (0..labels.len()).map(|b| cell(&self.between(uniformity, a, b)));
            std::iter::once(labels[a].clone()).chain(cells).collect()
        };
        columns(&head, 1, &(0..labels.len()).map(line).collect::<Vec<_>>())
    }
}
