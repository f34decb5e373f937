//! Columns of several series, which may be a set each: what tells them, and how each is chosen.

use std::collections::HashSet;

use super::{
    names::{expression, of_ending},
    unlikely::{LEAST_OF_SERIES, stem, stem_of_series},
};
use crate::formats::columns::listed;

/// More series than this are not taken for sets.
const MOST_SERIES: usize = 64;
/// Names of coordinates.
const COORDINATES: [char; 6] = ['u', 'v', 'w', 'x', 'y', 'z'];

/// What is said of columns that are several series, which may be a set each.
pub(super) fn side_by_side(names: &[String], chosen: &[usize]) -> Option<String> {
    let series = several_series(names, chosen);
    let (first, all) = (series.first()?, chosen.len());
    let cure = match (two_sets(names, &series), pattern(names, first)) {
        (Some(sets), _) => format!("are they two sets, name them with {sets}"),
        (None, Some(x)) => format!("is each a set, choose one with --column '{x}'"),
        (None, None) => "are they sets of their own, save each in a file".into(),
    };
    let begin: Vec<_> = series.iter().filter_map(|columns| Some(names[*columns.first()?].as_str())).collect();
    let columns = if are_equal(&series) {
        format!("{} columns each", first.len())
    } else {
        let counts: Vec<_> = series.iter().map(|columns| columns.len().to_string()).collect();
        format!("{} columns", listed(counts.iter().map(String::as_str)))
    };
    Some(format!(
        "takes the {} series that begin with {}, of {columns}, for one set of {all} dimensions; {cure}, and are they one, say so with \
         --column '*'",
        series.len(),
        listed(begin.into_iter()),
    ))
}

fn are_equal(series: &[Vec<usize>]) -> bool {
    series.windows(2).all(|two| two[0].len() == two[1].len())
}

/// The option that names two series of equally many columns as two sets.
fn two_sets(names: &[String], series: &[Vec<usize>]) -> Option<String> {
    let [x, y] = series else { return None };
    let (x, y) = are_equal(series).then(|| Some((pattern(names, x)?, pattern(names, y)?)))??;
    let between = if x.contains(',') || y.contains(',') { ';' } else { ',' };
    Some(format!("--columns '{x}{between}{y}'"))
}

/// An expression for exactly these columns, without quotes.
fn pattern(names: &[String], columns: &[usize]) -> Option<String> {
    let columns: Vec<_> = columns.iter().map(|&column| names[column].as_str()).collect();
    let of = expression(names, &columns).or_else(|| of_ending(names, &columns))?;
    Some(of.trim_matches('\'').to_owned())
}

/// What is said beside an example of points that may be two sets; else nothing.
pub(super) fn or_two_sets(names: &[String], points: &[usize]) -> String {
    let sets = two_sets(names, &several_series(names, points));
    sets.map_or_else(String::new, |sets| format!(" for one set or {sets} for two"))
}

/// Series of columns, two or more, if all columns are of such: of names that differ in the number at their end, `layer1_0`, or else in
/// all of their numbers, `0_x`. Coordinates in turn, x0, y0, x1, y1, are points of one set and no series.
fn several_series(names: &[String], columns: &[usize]) -> Vec<Vec<usize>> {
    let lower = |column: usize| names[column].trim().to_lowercase();
    let before_number = |column: usize| {
        let name = lower(column);
        Some(stem(&name).to_owned()).filter(|stem| *stem != name)
    };
    let of_ends = series_by(before_number, columns);
    if of_ends.is_empty() { series_by(|column| stem_of_series(&lower(column)), columns) } else { of_ends }
}

/// The same by what the names of a series have in common.
fn series_by(stem: impl Fn(usize) -> Option<String>, columns: &[usize]) -> Vec<Vec<usize>> {
    let mut series: Vec<(String, Vec<usize>)> = Vec::new();
    let mut pieces = 0;
    for &column in columns {
        let Some(stem) = stem(column) else { return Vec::new() };
        if series.last().is_none_or(|(last, _)| *last != stem) {
            pieces += 1;
        }
        if let Some((_, columns)) = series.iter_mut().find(|(of, _)| *of == stem) {
            columns.push(column);
        } else if series.len() < MOST_SERIES {
            series.push((stem, vec![column]));
        } else {
            return Vec::new();
        }
    }
    let are_long = series.iter().all(|(_, columns)| columns.len() >= LEAST_OF_SERIES);
    let in_turn = pieces > series.len();
    let stems = || series.iter().map(|(stem, _)| stem.as_str());
    if series.len() < 2 || !are_long || in_turn && are_coordinates(stems()) {
        return Vec::new();
    }
    series.into_iter().map(|(_, columns)| columns).collect()
}

/// Whether stems differ in the name of a coordinate alone.
fn are_coordinates<'a>(stems: impl Iterator<Item = &'a str>) -> bool {
    let parts = stems.map(|stem| {
        let before = stem.trim_end_matches(|c: char| !c.is_alphabetic());
        before.strip_suffix(COORDINATES).map(|before| before.trim_end_matches(|c: char| !c.is_alphabetic()))
    });
    let parts: Option<HashSet<_>> = parts.collect();
    parts.is_some_and(|parts| parts.len() == 1)
}
