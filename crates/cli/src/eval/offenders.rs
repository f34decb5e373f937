//! The rows to look at first: crowded ones, and pairs that lie far apart.

use serde_json::{Map, Value, json};

use super::{
    section::{Section, number},
    work::Work,
};
use crate::text::{columns, decimal};

struct Offenders {
    /// Rows of each set and their potentials.
    crowded: Vec<(&'static str, Vec<(usize, f64)>)>,
    /// Rows and the distances of their pairs.
    apart: Option<Vec<(usize, f64)>>,
}

pub(super) fn measure(work: &Work) -> Option<Box<dyn Section>> {
    let top = work.plan.top?;
    let place = |(row, value): (usize, f64)| (work.places[row], value);
    let crowded = work.sets.iter().filter_map(|set| {
        Some((set.name, set.potentials.as_ref()?.most_crowded(top).into_iter().map(place).collect()))
    });
    let counted = |distances: &[f64]| {
        let pairs = distances.iter().copied().enumerate().filter(|(row, _)| work.counts(*row));
        greatest(pairs.collect(), top).into_iter().map(place).collect()
    };
    let apart = work.distances.as_deref().map(counted);
    Some(Box::new(Offenders { crowded: crowded.collect(), apart }))
}

/// Those with the greatest values, the first of equal ones first.
fn greatest(mut rows: Vec<(usize, f64)>, top: usize) -> Vec<(usize, f64)> {
    let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if top < rows.len() {
        rows.select_nth_unstable_by(top, order);
        rows.truncate(top);
    }
    rows.sort_unstable_by(order);
    rows
}

impl Section for Offenders {
    fn json(&self, object: &mut Map<String, Value>) {
        let list = |rows: &[(usize, f64)], what: &str| -> Vec<Value> {
            rows.iter().map(|(row, value)| json!({"row": row, what: number(*value)})).collect()
        };
        let mut offenders = json!({"crowded": {}});
        for (name, rows) in &self.crowded {
            offenders["crowded"][name] = list(rows, "potential").into();
        }
        if let Some(rows) = &self.apart {
            offenders["apart"] = list(rows, "distance").into();
        }
        object.insert("offenders".into(), offenders);
    }

    fn text(&self) -> String {
        let lists = self.crowded.iter().map(|(name, rows)| (format!("crowded in {name}"), "potential", rows));
        let lists: Vec<_> = lists
            .chain(self.apart.iter().map(|rows| ("pairs apart".to_string(), "distance", rows)))
            .collect();
        let head: Vec<_> = lists.iter().flat_map(|(title, what, _)| [title.as_str(), what]).collect();
        let longest = lists.iter().map(|(.., rows)| rows.len()).max().unwrap_or(0);
        let line = |i: usize| {
            let cells = lists.iter().flat_map(|(.., rows)| match rows.get(i) {
                Some((row, value)) => [row.to_string(), decimal(*value)],
                None => [String::new(), String::new()],
            });
            cells.collect()
        };
        columns(&head, 0, &(0..longest).map(line).collect::<Vec<_>>())
            + "Rows, from 0, with the greatest log mean exp(-t|x-x'|^2) over all other rows; pairs with the greatest |x-y|.\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_come_first() {
        let rows: Vec<_> = [0.5, 2.0, 1.0, 2.0, 0.0].into_iter().enumerate().collect();
        assert_eq!(greatest(rows.clone(), 3), [(1, 2.0), (3, 2.0), (2, 1.0)]);
        assert_eq!(greatest(rows, 9).len(), 5);
    }
}
