//! How the distances of positive pairs, and the cosines of all pairs, are spread.

use serde_json::{Map, Value, json};
use unisphere::Scaling;

use super::{
    section::{Absent, Maybe, Section, absent, number},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{bars, bold, decimal, plain},
};

/// Parts, as many as a line of bars has.
const BINS: usize = 50;

struct Histograms {
    distances: Option<Histogram>,
    cosines: Vec<(&'static str, Maybe<Histogram>)>,
}

struct Histogram {
    low: f64,
    high: f64,
    counts: Vec<u64>,
}

pub(super) fn measure(work: &mut Work) -> Result<Option<Box<dyn Section>>, Failure> {
    if !work.plan.full {
        return Ok(None);
    }
    let greatest = |distances: &[f64]| match work.plan.scaling {
        Scaling::Unit => 2.0,
        Scaling::Raw => match distances.iter().copied().fold(0.0, f64::max) {
            // It takes some width to have parts.
            0.0 => 1.0,
            greatest => greatest,
        },
    };
    let distances = work.distances.as_ref().map(|distances| {
        let counted: Vec<_> = distances
            .iter()
            .enumerate()
            .filter(|(row, _)| work.counts(*row))
            .map(|(_, &value)| value)
            .collect();
        Histogram::of(&counted, greatest(&counted))
    });
    let mut cosines = Vec::new();
    for set in &work.sets {
        let counts = match work.plan.scaling {
            Scaling::Raw => Absent::because("raw points have no cosines"),
            Scaling::Unit => {
                let what = format!("cosines of {}", set.name);
                let counts = work
                    .session
                    .within(&what, &set.points, |engine| engine.cosine_histogram(&set.points, BINS))?;
                Ok(Histogram { low: -1.0, high: 1.0, counts })
            }
        };
        cosines.push((set.name, counts));
    }
    Ok(Some(Box::new(Histograms { distances, cosines })))
}

impl Histogram {
    /// Of values from 0 to `high`.
    fn of(values: &[f64], high: f64) -> Self {
        let mut counts = vec![0; BINS];
        for value in values {
            counts[((value / high * BINS as f64) as usize).min(BINS - 1)] += 1;
        }
        Self { low: 0.0, high, counts }
    }

    fn json(&self) -> Value {
        json!({"low": number(self.low), "high": number(self.high), "counts": self.counts})
    }

    fn line(&self, what: &str) -> String {
        let edge = |value: f64| if value.fract() == 0.0 { plain(value) } else { decimal(value) };
        format!("{what:<22}{:>3} |{}| {}\n", edge(self.low), bars(&self.counts), edge(self.high))
    }
}

impl Section for Histograms {
    fn json(&self, object: &mut Map<String, Value>) {
        let mut histograms = json!({});
        if let Some(distances) = &self.distances {
            histograms["distances"] = distances.json();
        }
        histograms["cosines"] = json!({});
        for (name, cosines) in &self.cosines {
            histograms["cosines"][name] =
                cosines.as_ref().map_or_else(|Absent(reason)| absent(reason), Histogram::json);
        }
        object.insert("histograms".into(), histograms);
    }

    fn text(&self) -> String {
        let mut text = bold("histograms") + "\n";
        if let Some(distances) = &self.distances {
            text += &distances.line("distances of pairs");
        }
        for (name, cosines) in &self.cosines {
            let what = format!("cosines within {name}");
            text += &cosines
                .as_ref()
                .map_or_else(|Absent(reason)| format!("{what}: {reason}\n"), |cosines| cosines.line(&what));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_to_the_parts_beside_them() {
        let histogram = Histogram::of(&[0.0, 0.039, 0.041, 1.0, 1.999, 2.0, 2.1], 2.0);
        let full: Vec<_> = histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0).collect();
        assert_eq!(full, [(0, &2), (1, &1), (25, &1), (49, &3)]);
        assert_eq!(histogram.counts.len(), BINS);
    }
}
