//! Columns of several series, which may be a set each: what tells them, and how each is chosen.

use std::collections::HashMap;

use super::{
    names::{expression, of_ending},
    unlikely::{LEAST_OF_SERIES, stem, stem_of_series},
};
use crate::formats::columns::listed;

/// Series at most: a table of more has names that say nothing of sets, and each is looked for among all others.
const MAX_SERIES: usize = 64;
/// Names of coordinates.
const COORDINATES: [char; 6] = ['u', 'v', 'w', 'x', 'y', 'z'];

/// What is said of columns that are several series, which may be a set each.
pub(super) fn may_be_several(names: &[String], chosen: &[usize]) -> Option<String> {
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
        let counts = || series.iter().map(Vec::len);
        format!("{} to {} columns", counts().min()?, counts().max()?)
    };
    let patterns: Option<Vec<_>> = series.iter().map(|columns| pattern(names, columns)).collect();
    let every = if all == names.len() { Some("*".to_owned()) } else { patterns.map(|of| of.join(",")) };
    let or_one = every.map(|every| format!(", and are they one, say so with --column '{every}'"));
    Some(format!(
        "takes the {} series that begin with {}, of {columns}, for one set of {all} dimensions; {cure}{}",
        series.len(),
        listed(begin.into_iter()),
        or_one.unwrap_or_default()
    ))
}

fn are_equal(series: &[Vec<usize>]) -> bool {
    series.windows(2).all(|two| two[0].len() == two[1].len())
}

/// The option that names two series of equally many columns as two sets.
fn two_sets(names: &[String], series: &[Vec<usize>]) -> Option<String> {
    let [x, y] = series else { return None };
    if !are_equal(series) {
        return None;
    }
    let (x, y) = (pattern(names, x)?, pattern(names, y)?);
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
/// all of their numbers, `0_x`. Where coordinates are in turn, x0, y0, x1, y1, all columns are points of one set.
fn several_series(names: &[String], columns: &[usize]) -> Vec<Vec<usize>> {
    let lower = |column: usize| names[column].trim().to_lowercase();
    let before_number = |column: usize| {
        let name = lower(column);
        Some(stem(&name).to_owned()).filter(|stem| *stem != name)
    };
    let grouped =
        grouped(before_number, columns).or_else(|| grouped(|column| stem_of_series(&lower(column)), columns));
    let Some(Grouped { series, in_turn }) = grouped else { return Vec::new() };
    let stem_of = |columns: &Vec<usize>| before_number(*columns.first()?);
    if in_turn && have_coordinates(series.iter().filter_map(stem_of)) { Vec::new() } else { series }
}

/// Columns of one stem each.
struct Grouped {
    series: Vec<Vec<usize>>,
    /// Whether columns of another stand between those of one.
    in_turn: bool,
}

/// Columns grouped by their stem; none unless all are of series, of which there are two at least.
fn grouped(stem: impl Fn(usize) -> Option<String>, columns: &[usize]) -> Option<Grouped> {
    let mut series: Vec<(String, Vec<usize>)> = Vec::new();
    let (mut pieces, mut before) = (0, None);
    for &column in columns {
        let stem = stem(column)?;
        let at = series.iter().position(|(of, _)| *of == stem).unwrap_or(series.len());
        if at == MAX_SERIES {
            return None;
        }
        if at == series.len() {
            series.push((stem, Vec::new()));
        }
        series[at].1.push(column);
        pieces += usize::from(before != Some(at));
        before = Some(at);
    }
    let are_long = series.iter().all(|(_, columns)| columns.len() >= LEAST_OF_SERIES);
    let in_turn = pieces > series.len();
    let series: Vec<_> = series.into_iter().map(|(_, columns)| columns).collect();
    (series.len() > 1 && are_long).then_some(Grouped { series, in_turn })
}

/// Whether two stems differ in the name of a coordinate alone: `left_x_` and `left_y_`, but not `view1_` and `view2_`.
fn have_coordinates(mut stems: impl Iterator<Item = String>) -> bool {
    let is_sign = |c: char| !c.is_alphanumeric();
    let mut coordinates: HashMap<String, char> = HashMap::new();
    let is_second = |stem: String| {
        let name = stem.trim_end_matches(is_sign);
        let Some(rest) = name.strip_suffix(COORDINATES) else { return false };
        let coordinate = name.chars().last().unwrap_or_default();
        (rest.is_empty() || rest.ends_with(is_sign))
            && coordinates.insert(rest.to_owned(), coordinate).is_some_and(|other| other != coordinate)
    };
    stems.any(is_second)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{names::named, tests::header},
        *,
    };

    /// The cure of two sets names exactly the columns of either series.
    #[test]
    fn two_sets_are_named_column_by_column() {
        for (text, x, y) in [
            ("a0..2,b0..2", "a0..2", "b0..2"),
            ("a0,b0,a1,b1,a2,b2", "a0..2", "b0..2"),
            ("id,img_0..3,txt_0..3", "img_0..3", "txt_0..3"),
            ("0..2,r0..2", "0..2", "r0..2"),
            ("l1_0..2,l2_0..2,label", "l1_0..2", "l2_0..2"),
            ("view1_0,view2_0,view1_1,view2_1,view1_2,view2_2", "view1_0..2", "view2_0..2"),
            ("0_x,0_y,1_x,1_y,2_x,2_y", "0..2_x", "0..2_y"),
            ("e0..2_img,id,e0..2_txt", "e0..2_img", "e0..2_txt"),
            ("dim0..2_x,dim0..2_y", "dim0..2_x", "dim0..2_y"),
        ] {
            let names = header(text);
            let is_point = |name: &str| !["id", "label"].contains(&name);
            let columns: Vec<_> = (0..names.len()).filter(|&column| is_point(&names[column])).collect();
            let told = may_be_several(&names, &columns).expect("two series");
            let expressions = told.split("--columns '").nth(1).and_then(|told| told.split('\'').next());
            let expressions = expressions.unwrap_or_else(|| panic!("{text}: {told}"));
            let between = if expressions.contains(';') { ';' } else { ',' };
            let sets: Vec<_> = expressions.split(between).collect();
            assert_eq!(sets.len(), 2, "{told}");
            for (set, wanted) in sets.into_iter().zip([x, y]) {
                let named: Vec<_> =
                    named(&names, set).expect("columns").into_iter().map(|column| &names[column]).collect();
                assert_eq!(named, header(wanted).iter().collect::<Vec<_>>(), "{text}: {told}");
            }
            // What says that they are one takes no other column.
            let all = told.split("--column ").nth(1).expect("all").replace('\'', "");
            assert_eq!(named(&names, &all).expect("columns"), columns, "{text}: {told}");
        }
    }

    #[test]
    fn tables_of_very_many_series_say_nothing_of_sets() {
        let names = |series: usize| {
            let of = |series: usize| (0..3).map(move |i| format!("s{series}_{i}"));
            (0..series).flat_map(of).collect::<Vec<_>>()
        };
        for (series, is_told) in [(MAX_SERIES, true), (MAX_SERIES + 1, false)] {
            let names = names(series);
            let all: Vec<_> = (0..names.len()).collect();
            assert_eq!(may_be_several(&names, &all).is_some(), is_told, "{series} series");
        }
    }
}
