//! Columns of numbers that are most likely no dimensions of the points: what tells them, and the series that the others are.

use std::collections::{HashMap, HashSet};

/// A column that is most likely no dimension of the points, and what tells it.
pub(super) type Unlikely = (usize, &'static str);

/// Names of columns that number or class the rows, as programs write them beside points.
const NAMES_OF_ROWS: [&str; 19] = [
    "category",
    "class",
    "classes",
    "cluster",
    "fold",
    "group",
    "id",
    "ids",
    "idx",
    "index",
    "label",
    "labels",
    "row",
    "row_number",
    "rowid",
    "split",
    "target",
    "targets",
    "unnamed: 0",
];
/// Their endings, behind a name of what they number.
const ENDINGS_OF_ROWS: [&str; 5] = ["_class", "_id", "_idx", "_index", "_label"];
/// Names of columns that say something else of the rows: how good, how much or when they are.
const NAMES_OF_FACTS: [&str; 18] = [
    "confidence",
    "date",
    "datetime",
    "epoch",
    "rank",
    "rating",
    "score",
    "scores",
    "similarity",
    "step",
    "text",
    "time",
    "timestamp",
    "weight",
    "weights",
    "y",
    "y_pred",
    "y_true",
];
const ENDINGS_OF_FACTS: [&str; 6] = ["_at", "_date", "_score", "_time", "_timestamp", "_weight"];
/// Those of both that may also be measured, and are dimensions beside few others.
const NAMES_OF_MEASURES: [&str; 4] = ["index", "time", "weight", "weights"];
const ENDINGS_OF_MEASURES: [&str; 3] = ["_index", "_time", "_weight"];
/// Names of lengths, which a weight is measured with.
const LENGTHS: [&str; 3] = ["height", "length", "width"];
/// Columns of one stem and a number that are a series.
pub(super) const LEAST_OF_SERIES: usize = 3;
/// Columns beside which one that may be measured is most likely none of the points.
const LEAST_BESIDE_MEASURES: usize = 3;
/// A series of so many times fewer columns than the largest is beside the points.
const MINOR: usize = 4;
/// Columns that are left at least: a single one is no cure.
pub(super) const LEAST_LEFT: usize = 2;

/// Columns that are most likely no dimensions, of those that would be: by their names, or as the few that are not numbered where most are.
pub(super) fn unlikely(names: &[String], columns: &[usize]) -> Vec<Unlikely> {
    let lower: Vec<_> = columns.iter().map(|&column| names[column].trim().to_lowercase()).collect();
    let series = Series::of(lower.iter().map(String::as_str));
    let sizes: Vec<_> = lower.iter().map(|name| series.size(name)).collect();
    let has = |is: &dyn Fn(&str) -> bool| lower.iter().any(|name| is(name));
    // An ending that half of the columns share says nothing of one.
    let is_shared =
        |ending: &str| 2 * lower.iter().filter(|name| name.ends_with(ending)).count() >= lower.len();
    let endings: HashSet<_> = [&ENDINGS_OF_ROWS[..], &ENDINGS_OF_FACTS].concat().into_iter().collect();
    let telling: HashSet<_> = endings.into_iter().filter(|ending| !is_shared(ending)).collect();
    let is_of = |name: &str, all: &[&str], endings: &[&str]| {
        all.contains(&name) || endings.iter().any(|ending| telling.contains(ending) && name.ends_with(ending))
    };
    let by_name = |(name, size): (&str, usize)| {
        if size >= LEAST_OF_SERIES {
            return None;
        }
        // What is a coordinate beside its fellow is none beside others.
        let is_coordinate =
            name == "y" && has(&is_fellow_of_y) || name == "weight" && has(&|name| LENGTHS.contains(&name));
        if is_of(name, &NAMES_OF_ROWS, &ENDINGS_OF_ROWS) {
            return Some("has a name that programs give to the numbers or classes of rows");
        }
        (!is_coordinate && is_of(name, &NAMES_OF_FACTS, &ENDINGS_OF_FACTS))
            .then_some("has a name that programs give to scores, weights and times of rows")
    };
    let all = || lower.iter().map(String::as_str).zip(sizes.iter().copied());
    let told: Vec<_> = all().map(by_name).collect();
    let numbered = sizes.iter().filter(|&&size| size > 1).count();
    let odd = sizes.iter().zip(&told).filter(|&(&size, told)| size <= 1 && told.is_none()).count();
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let has_series = numbered > odd && largest >= LEAST_OF_SERIES;
    let reason = |((column, &size), told): ((usize, &usize), &Option<&'static str>)| {
        let is_odd = has_series && size <= 1;
        let of_series = is_odd.then_some("is not numbered as most others are");
        let of_minor =
            (has_series && MINOR * size <= largest).then_some("is of a smaller series than most others");
        Some((column, told.or(of_series).or(of_minor)?))
    };
    let mut wrong: Vec<Unlikely> = (0..lower.len()).zip(&sizes).zip(&told).filter_map(reason).collect();
    if lower.len() - wrong.len() < LEAST_BESIDE_MEASURES {
        wrong.retain(|&(column, _)| !is_of(&lower[column], &NAMES_OF_MEASURES, &ENDINGS_OF_MEASURES));
    }
    if lower.len() - wrong.len() < LEAST_LEFT {
        wrong.clear();
    }
    wrong.into_iter().map(|(column, reason)| (columns[column], reason)).collect()
}

/// Columns whose names are longer than the single letters that most of them have: `year` beside u, v and w.
pub(super) fn beside_letters(names: &[String], columns: &[usize]) -> Vec<usize> {
    let is_letter = |column: &usize| {
        let mut letters = names[*column].trim().chars();
        letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
    };
    let (letters, others): (Vec<_>, Vec<_>) = columns.iter().copied().partition(is_letter);
    if letters.len() > others.len() { others } else { Vec::new() }
}

/// Whether a column is one that y is a coordinate with: x, z, another letter, or what begins with x.
fn is_fellow_of_y(name: &str) -> bool {
    name.starts_with('x') || name != "y" && name.len() == 1 && name.starts_with(char::is_alphabetic)
}

/// Signs between the stem of a series and a number; none may be there.
const BEFORE_NUMBERS: [&str; 5] = ["", ".", "_", "-", " "];

/// Columns whose names differ only in their numbers, whatever their case. A name that lacks only the number is the first of
/// them, as in `d,d.1,d.2`.
pub(super) struct Series {
    /// How many columns have a name without its digits.
    stems: HashMap<String, usize>,
    /// How many have a name without the number at its end.
    numbered: HashMap<String, usize>,
    names: HashSet<String>,
}

impl Series {
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut series = Self { stems: HashMap::new(), numbered: HashMap::new(), names: HashSet::new() };
        for name in names.map(|name| name.trim().to_lowercase()) {
            if let Some(stem) = stem_of_series(&name) {
                *series.stems.entry(stem).or_default() += 1;
            }
            if stem(&name) != name {
                *series.numbered.entry(stem(&name).to_owned()).or_default() += 1;
            }
            series.names.insert(name);
        }
        series
    }

    /// How many columns are in the series of one of them; 1 or 0 where it is in none.
    pub(super) fn size(&self, name: &str) -> usize {
        let name = name.trim().to_lowercase();
        let of = stem(&name);
        let first = of.strip_suffix(['.', '_', '-', ' ']).unwrap_or(of);
        let has_first =
            of != name && !first.is_empty() && self.names.contains(first) && !self.is_beside_first(first);
        let of_number = stem_of_series(&name).map_or(0, |stem| self.stems.get(&stem).copied().unwrap_or(0));
        let behind =
            |sign: &&str| self.numbered.get(&format!("{name}{sign}")).copied().filter(|_| !name.is_empty());
        let of_first =
            BEFORE_NUMBERS.iter().filter_map(behind).max().filter(|_| !self.is_beside_first(&name));
        let of_first = of_first.map_or(0, |count| count + 1);
        of_first.max(of_number + usize::from(has_first))
    }

    /// Whether a name that has no number is none of its series: the series has its number 0, or x and y are beside it.
    fn is_beside_first(&self, name: &str) -> bool {
        let is_plane = ["x", "y"].contains(&name) && ["x", "y"].iter().all(|name| self.names.contains(*name));
        is_plane || BEFORE_NUMBERS.iter().any(|sign| self.names.contains(&format!("{name}{sign}0")))
    }
}

/// What the names of a series have in common: the name without its digits. None where it has none.
pub(super) fn stem_of_series(name: &str) -> Option<String> {
    let stem: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
    (stem.len() < name.len()).then_some(stem)
}

/// The number at the end of a name, which may be in brackets; None where it has none.
pub(crate) fn number_behind(name: &str) -> Option<u64> {
    name[stem(name).len()..].trim_end_matches(']').parse().ok()
}

/// A name without the number at its end, which may be in brackets.
pub(super) fn stem(name: &str) -> &str {
    let inner = name.strip_suffix(']').unwrap_or(name);
    let of = inner.trim_end_matches(|c: char| c.is_ascii_digit());
    if of.len() < inner.len() { of } else { name }
}
