//! Rows that are equal, and rows that nearly are.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use unisphere::ClosePairs;

use super::{
    section::{Section, number},
    work::Work,
};
use crate::{
    exit::Failure,
    text::{columns, count, digits, plain},
};

/// Groups and pairs that JSON lists at most.
const LISTED: usize = 1000;

/// Those that are printed.
const SHOWN: usize = 3;

struct Duplicates {
    distance: f64,
    sets: Vec<(&'static str, Vec<Vec<usize>>, ClosePairs)>,
}

pub(super) fn measure(work: &mut Work) -> Result<Option<Box<dyn Section>>, Failure> {
    let Some(distance) = work.plan.near else { return Ok(None) };
    let mut sets = Vec::new();
    for set in &work.sets {
        let what = format!("close pairs of {}", set.name);
        let mut close = work
            .session
            .within(&what, &set.points, |engine| engine.close_pairs(&set.points, distance, LISTED))?;
        for (i, j, _) in &mut close.pairs {
            (*i, *j) = (work.places[*i], work.places[*j]);
        }
        let place = |group: &Vec<usize>| group.iter().map(|&row| work.places[row]).collect();
        sets.push((set.name, set.equal.iter().map(place).collect(), close));
    }
    Ok(Some(Box::new(Duplicates { distance, sets })))
}

/// Rows that a set could do without.
fn spare(groups: &[Vec<usize>]) -> usize {
    groups.iter().map(|group| group.len() - 1).sum()
}

impl Section for Duplicates {
    fn json(&self, object: &mut Map<String, Value>) {
        let mut duplicates = json!({"distance": number(self.distance)});
        for (name, equal, close) in &self.sets {
            let pairs = close.pairs.iter().map(|(i, j, distance)| json!([i, j, number(*distance)]));
            duplicates[name] = json!({
                "equal_rows": spare(equal),
                "groups": equal.len(),
                "equal": equal.iter().take(LISTED).collect::<Vec<_>>(),
                "close_pairs": close.count,
                "close": pairs.collect::<Vec<_>>(),
            });
        }
        object.insert("duplicates".into(), duplicates);
    }

    fn text(&self) -> String {
        let row = |(name, equal, close): &(&str, Vec<Vec<usize>>, ClosePairs)| {
            vec![(*name).to_string(), count(spare(equal) as u64), count(close.count)]
        };
        let rows: Vec<_> = self.sets.iter().map(row).collect();
        let head = format!("pairs within {}", plain(self.distance));
        let examples = self.sets.iter().map(|(name, equal, close)| examples(name, equal, close));
        columns(&["duplicates", "equal rows", &head], 1, &rows)
            + &examples.collect::<String>()
            + "Equal rows: those beyond the first of each kind, equal in every value as f32, unscaled. Rows are counted from 0.\n"
    }
}

/// The first of each sort, on one line.
fn examples(name: &str, equal: &[Vec<usize>], close: &ClosePairs) -> String {
    let groups = equal.iter().take(SHOWN).map(|group| {
        let rows: Vec<_> = group.iter().take(SHOWN).map(usize::to_string).collect();
        rows.join(" = ") + if group.len() > SHOWN { " = ..." } else { "" }
    });
    let group_of: HashMap<usize, usize> =
        equal.iter().enumerate().flat_map(|(i, group)| group.iter().map(move |&row| (row, i))).collect();
    let named = |i: &usize, j: &usize| group_of.get(i).is_some_and(|group| group_of.get(j) == Some(group));
    let apart = close.pairs.iter().filter(|(i, j, _)| !named(i, j)).take(SHOWN);
    let pairs = apart.map(|(i, j, distance)| format!("{i} ~ {j} ({})", digits(*distance)));
    let first: Vec<_> = groups.chain(pairs).collect();
    if first.is_empty() { String::new() } else { format!("{name}: {}\n", first.join(", ")) }
}
