//! Which columns are the points.

use std::collections::HashMap;

use glob::Pattern;

use crate::{
    Fault,
    dtype::excerpt,
    formats::{
        columns::{Candidate, choose, listed, listed_near, no_scalars, same},
        text::{is_null, is_number},
    },
};

/// What the caller says of the columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// A column, or names and patterns of several.
    pub(super) name: Option<&'a str>,
    /// Columns that are no dimensions.
    pub(super) without: &'a [String],
}

/// The columns that are the points.
#[derive(Debug)]
pub(super) enum Choice {
    /// A number in each of the first so many.
    All(usize),
    /// A number in each, in the order of the file.
    Some(Vec<usize>),
    /// Lists of numbers.
    List(usize),
}

impl Choice {
    /// What the caller names: a column, or names and patterns with commas between them. Otherwise the only column of lists, or
    /// all columns but those that are to be left out, if they are numbers. `values` is the first row below the names.
    pub(super) fn of(
        names: &[String],
        values: &[Vec<u8>],
        Wanted { name: wanted, without }: Wanted<'_>,
        are_named: bool,
    ) -> Result<Self, Fault> {
        let is_text = |value: &[u8]| !is_null(value) && !is_number(value);
        let is_list =
            |column: &usize| values.get(*column).is_some_and(|value| value.trim_ascii().starts_with(b"["));
        if let Some(wanted) = wanted {
            let columns = named(names, wanted)?;
            let is_text =
                |column: &usize| values.get(*column).is_some_and(|value| is_text(value) && !is_list(column));
            // A pattern may fit more names than was meant.
            if wanted.contains(['*', '?', '[']) && columns.iter().any(is_text) {
                let name = |column: usize| names[column].as_str();
                let (text, others): (Vec<_>, Vec<_>) = columns.into_iter().partition(is_text);
                return Err(Fault::TextColumns {
                    columns: listed(text.into_iter().map(name)),
                    others: chosen(names, &others.into_iter().map(name).collect::<Vec<_>>()),
                });
            }
            return Ok(match columns.as_slice() {
                [list] if is_list(list) => Self::List(*list),
                _ => Self::Some(columns),
            });
        }
        if (0..names.len()).any(|column| is_list(&column)) {
            let candidates = names
                .iter()
                .enumerate()
                .map(|(column, name)| Candidate { name: name.clone(), value: Some(column).filter(is_list) });
            return choose(&candidates.collect::<Vec<_>>(), None).map(Self::List);
        }
        let is_left_out = |name: &String| without.contains(name);
        let text = names.iter().zip(values).filter(|(name, value)| is_text(value) && !is_left_out(name));
        let text = text.map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        if !text.is_empty() {
            // A name that was mistaken may be why a column of text is left.
            if let Some(mistaken) = without.iter().find(|left| !names.contains(left)) {
                return Err(no_scalars(mistaken, names.iter().map(String::as_str)));
            }
            let numbers = names.iter().zip(values).filter(|(_, value)| !is_text(value));
            let numbers = numbers.map(|(name, _)| name.as_str());
            let others = numbers.filter(|name| !without.iter().any(|left| left == name)).collect::<Vec<_>>();
            return Err(Fault::TextColumns {
                columns: listed(text.into_iter()),
                others: chosen(names, &others),
            });
        }
        // The rows of pandas have numbers, which are no dimension of the points.
        if are_named && names.first().is_some_and(String::is_empty) {
            return Err(Fault::Unnamed);
        }
        let columns: Vec<_> = (0..names.len()).filter(|&column| !is_left_out(&names[column])).collect();
        if are_named && columns.len() > 1 {
            let wrong = unlikely(names, &columns);
            if !wrong.is_empty() {
                return Err(no_dimension(names, &columns, &wrong));
            }
        }
        Ok(if columns.len() == names.len() { Self::All(names.len()) } else { Self::Some(columns) })
    }

    /// The columns, in the order of the file.
    pub(super) fn columns(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::All(count) => Box::new(0..*count),
            Self::Some(columns) => Box::new(columns.iter().copied()),
            Self::List(column) => Box::new([*column].into_iter()),
        }
    }
}

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
/// Columns of one stem and a number that are a series.
const LEAST_OF_SERIES: usize = 3;

/// Columns that are most likely no dimensions, of those that would be: by their names, or as the few that are not numbered where most are.
fn unlikely(names: &[String], columns: &[usize]) -> Vec<Unlikely> {
    let lower = |column: usize| names[column].trim().to_lowercase();
    let has = |name: &str| columns.iter().any(|&column| lower(column) == name);
    let stems: Vec<_> = columns.iter().map(|&column| stem_of_series(&names[column])).collect();
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    stems.iter().flatten().for_each(|stem| *sizes.entry(stem).or_default() += 1);
    let is_numbered =
        |stem: &Option<String>| stem.as_ref().is_some_and(|stem| sizes[&**stem] >= LEAST_OF_SERIES);
    let by_name = |column: usize| {
        let name = &*lower(column);
        // What is a coordinate beside its fellow is none beside others.
        let is_coordinate = name == "y" && has("x") || name == "weight" && (has("height") || has("width"));
        let is_of = |all: &[&str], endings: &[&str]| {
            all.contains(&name) || endings.iter().any(|ending| name.ends_with(ending))
        };
        if is_of(&NAMES_OF_ROWS, &ENDINGS_OF_ROWS) {
            return Some("has a name that programs give to the numbers or classes of rows");
        }
        (!is_coordinate && is_of(&NAMES_OF_FACTS, &ENDINGS_OF_FACTS))
            .then_some("has a name that programs give to scores, weights and times of rows")
    };
    let all = || columns.iter().copied().zip(&stems);
    let numbered = all().filter(|(_, stem)| is_numbered(stem)).count();
    let odd = all().filter(|(column, stem)| !is_numbered(stem) && by_name(*column).is_none()).count();
    let reason = |(column, stem): (usize, &Option<String>)| {
        let is_odd = numbered > odd && !is_numbered(stem);
        let of_series = is_odd.then_some("is not numbered as most others are");
        Some((column, by_name(column).or(of_series)?))
    };
    all().filter_map(reason).collect()
}

/// What the names of a series have in common: the name without its digits. None where it has none.
fn stem_of_series(name: &str) -> Option<String> {
    let stem: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
    (stem.len() < name.len()).then_some(stem)
}

/// Columns of numbers that are no dimensions of the points, among those that would be. The cure leaves them out.
pub(super) fn no_dimension(names: &[String], columns: &[usize], wrong: &[Unlikely]) -> Fault {
    let is_point = |column: &&usize| !wrong.iter().any(|(unlikely, _)| unlikely == *column);
    let others: Vec<_> = columns.iter().filter(is_point).map(|&column| names[column].as_str()).collect();
    let others = expression(names, &others);
    let others = others.map_or_else(|| ANY_EXAMPLE.to_owned(), |of| format!("such as {of}"));
    let (first, reason) = wrong.first().copied().unwrap_or_default();
    let more = wrong.get(1..).unwrap_or_default().iter().map(|&(column, _)| names[column].as_str());
    let more = match more.len() {
        0 => String::new(),
        1 => format!(", as is {}", listed(more)),
        _ => format!(", as are {}", listed(more)),
    };
    Fault::NoDimension {
        column: excerpt(names[first].as_bytes()).into(),
        reason,
        more: more.into(),
        others: others.into(),
    }
}

/// How to choose the points among some columns: those that are numbered, or have no names. Names that say nothing of which columns are the
/// points, such as `u` and `v`, are no example.
fn chosen(all: &[String], some: &[&str]) -> String {
    let numbered: Vec<_> =
        some.iter().copied().filter(|name| is_bare(name) || group(some, stem(name)).len() > 1).collect();
    let numbered = expression(all, &numbered).filter(|_| !numbered.is_empty());
    numbered.map_or_else(|| ANY_EXAMPLE.into(), |of| format!("such as {of}"))
}

/// How columns are chosen, where no example of these is known.
const ANY_EXAMPLE: &str = "as names a,b or a pattern 'x*' in quotes";

/// Names that are told at most.
const TOLD: usize = 8;

/// Whether a name needs no quotes in a shell.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// Whether a name is a number.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_digit())
}

/// A name without the number at its end.
fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The names that are a stem and a number.
fn group<'a>(names: &[&'a str], of: &str) -> Vec<&'a str> {
    names.iter().copied().filter(|name| stem(name) == of && name.len() > of.len()).collect()
}

/// Names and patterns that choose exactly some of all columns, with commas between them: what `--column` takes. None where that takes
/// more than a few, or names that a shell reads otherwise.
fn expression(all: &[String], some: &[&str]) -> Option<String> {
    if (1..=TOLD).contains(&some.len()) && some.iter().all(|name| is_bare(name)) {
        return Some(some.join(","));
    }
    let mut parts = Vec::new();
    let mut left: Vec<_> = some.to_vec();
    while let Some(&name) = left.first() {
        let (of, numbered) = (stem(name), group(some, stem(name)));
        let patterns = [format!("{of}*"), format!("{of}[0-9]*"), format!("{of}[1-9]*")];
        let fits = |pattern: &String| {
            let pattern = Pattern::new(pattern).ok()?;
            let matched: Vec<_> =
                all.iter().map(String::as_str).filter(|name| pattern.matches(name)).collect();
            let exact = matched.iter().all(|name| some.contains(name));
            (exact && numbered.iter().all(|name| matched.contains(name))).then_some(matched)
        };
        let found = patterns.iter().find_map(|pattern| Some((pattern, fits(pattern)?)));
        match found {
            Some((pattern, matched)) if numbered.len() > 1 && (of.is_empty() || is_plain(of)) => {
                parts.push(pattern.clone());
                left.retain(|name| !matched.contains(name));
            }
            _ if is_plain(name) || is_bare(name) => {
                parts.push(name.to_owned());
                left.remove(0);
            }
            _ => return None,
        }
    }
    let text = parts.join(",");
    let is_exact = || named(all, &text).is_ok_and(|columns| columns.len() == some.len());
    let quoted = if text.contains('*') { format!("'{text}'") } else { text.clone() };
    ((1..=TOLD).contains(&parts.len()) && is_exact()).then_some(quoted)
}

/// The column of a name, if there is one; a fault if there are several.
fn only(names: &[String], wanted: &str) -> Result<Option<usize>, Fault> {
    let mut columns = (0..names.len()).filter(|&column| names[column] == wanted);
    let first = columns.next();
    if columns.next().is_none() { Ok(first) } else { Err(same(wanted)) }
}

/// The columns that the caller names, in the order of the file.
fn named(names: &[String], wanted: &str) -> Result<Vec<usize>, Fault> {
    if let Some(column) = only(names, wanted)? {
        return Ok(vec![column]);
    }
    let mut columns = Vec::new();
    for part in wanted.split(',').map(str::trim) {
        if let Some(column) = only(names, part)? {
            columns.push(column);
            continue;
        }
        let pattern = Pattern::new(part).ok();
        let fits = |name: &str| pattern.as_ref().is_some_and(|pattern| pattern.matches(name));
        let before = columns.len();
        columns.extend(names.iter().enumerate().filter(|(_, name)| fits(name)).map(|(column, _)| column));
        if columns.len() == before {
            let columns =
                format!("its columns are {}", listed_near(Some(part), names.iter().map(String::as_str)));
            return Err(Fault::NoColumn { wanted: Some(excerpt(part.as_bytes())), columns });
        }
    }
    columns.sort_unstable();
    columns.dedup();
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_chosen_by_what_they_share() {
        let told = |all: &str, some: &str| {
            let all: Vec<_> = all.split(' ').map(String::from).collect();
            chosen(&all, &some.split(' ').filter(|name| !name.is_empty()).collect::<Vec<_>>())
        };
        assert_eq!(told("id text d0 d1 d2", "id d0 d1 d2"), "such as 'd*'");
        assert_eq!(told("id date d0 d1", "id d0 d1"), "such as 'd[0-9]*'");
        assert_eq!(told("id name u v", "id u v"), ANY_EXAMPLE);
        assert_eq!(told("name -a1 -a2", "-a1 -a2"), ANY_EXAMPLE);
        assert_eq!(told("name x,1 x,2", "x,1 x,2"), ANY_EXAMPLE);
        assert_eq!(told("name title", ""), ANY_EXAMPLE);
        assert_eq!(told("a 0 1 2", "0 1 2"), "such as 0,1,2");
        assert_eq!(told("t a0 a1 b0 b1", "a0 a1 b0 b1"), "such as 'a*,b*'");
    }

    /// What is told chooses all other columns, and none else.
    #[test]
    fn all_other_columns_are_chosen() {
        let numbered =
            |of: &'static str, numbers: std::ops::Range<usize>| numbers.map(move |i| format!("{of}{i}"));
        let cases: [(Vec<String>, &str); 7] = [
            (["id".into()].into_iter().chain(numbered("", 0..12)).collect(), "such as '[0-9]*'"),
            (numbered("", 0..12).collect(), "such as '[1-9]*'"),
            (
                ["id".into()].into_iter().chain(numbered("a", 0..6)).chain(numbered("b", 0..6)).collect(),
                "such as 'a*,b*'",
            ),
            (
                ["id".into(), "iou".into()].into_iter().chain(numbered("i", 0..4)).collect(),
                "such as iou,'i[0-9]*'",
            ),
            (
                ["id".into(), "x".into(), "y".into()].into_iter().chain(numbered("emb", 0..20)).collect(),
                "such as 'x,y,emb*'",
            ),
            (["id".into(), "label".into(), "u".into(), "v".into()].into(), "such as u,v"),
            (
                ["user_id".into(), "class".into()].into_iter().chain(numbered("d", 0..8)).collect(),
                "such as 'd*'",
            ),
        ];
        for (names, told) in cases {
            let all: Vec<_> = (0..names.len()).collect();
            let is_wrong = |name: &str| ["id", "label", "user_id", "class"].contains(&name);
            let wrong = all.iter().filter(|&&column| column == 0 || is_wrong(&names[column]));
            let wrong: Vec<_> = wrong.map(|&column| (column, "counts the rows")).collect();
            let Fault::NoDimension { others, .. } = no_dimension(&names, &all, &wrong) else {
                panic!("another fault");
            };
            let is_point = |column: &usize| !wrong.iter().any(|(other, _)| other == column);
            let wanted: Vec<_> = all.iter().copied().filter(is_point).collect();
            let expression = others.strip_prefix("such as ").expect("an example").replace('\'', "");
            assert_eq!(named(&names, &expression).expect("columns"), wanted, "{others}");
            assert_eq!(others.replace('\'', ""), told.replace('\'', ""));
        }
    }

    /// The odd ones among numbered columns, whatever they are called, and names of what is known of rows.
    #[test]
    fn columns_that_are_no_coordinates() {
        let numbered = |of: &str, count: usize| (0..count).map(|i| format!("{of}{i}")).collect::<Vec<_>>();
        let told = |names: &[String]| {
            let all: Vec<_> = (0..names.len()).collect();
            let wrong = unlikely(names, &all);
            wrong.into_iter().map(|(column, _)| names[column].clone()).collect::<Vec<_>>().join(" ")
        };
        for (series, others, wrong) in [
            (numbered("dim", 384), "popularity", "popularity"),
            (numbered("", 768), "norm lang", "norm lang"),
            (numbered("emb_", 3), "price", "price"),
            (numbered("f1_", 8), "f1_precision", "f1_precision"),
            (numbered("a", 4), "b0 b1 b2 c0", "c0"),
            // As many that are not numbered are no few.
            (numbered("a", 3), "u v w", ""),
            (numbered("a", 2), "u", ""),
            (vec![], "x y z", ""),
            (vec![], "width height", ""),
            (vec![], "height weight", ""),
            (vec![], "a b Score", "Score"),
            (vec![], "u v y", "y"),
            (vec![], "a b created_at timestamp", "created_at timestamp"),
            (vec![], "a b weight", "weight"),
            (vec![], "format chat", ""),
        ] {
            let names: Vec<_> = series.into_iter().chain(others.split(' ').map(String::from)).collect();
            assert_eq!(told(&names), wrong, "{others}");
        }
    }
}
