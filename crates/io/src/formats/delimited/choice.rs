//! Which columns are the points.

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
        let of_rows: Vec<_> = columns.iter().copied().filter(|&column| is_of_rows(&names[column])).collect();
        if are_named && columns.len() > 1 && !of_rows.is_empty() {
            let reason = "has a name that programs give to the numbers or classes of rows";
            return Err(no_dimension(names, &columns, &of_rows, reason));
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

/// Names of columns that number or class the rows, as programs write them beside points.
const NAMES_OF_ROWS: [&str; 11] =
    ["class", "cluster", "group", "id", "idx", "index", "label", "labels", "row", "target", "unnamed: 0"];

fn is_of_rows(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    NAMES_OF_ROWS.contains(&&*name) || name.ends_with("_id")
}

/// Columns of numbers that are no dimensions of the points, among those that would be. The cure leaves them out, and those whose names are of
/// rows.
pub(super) fn no_dimension(
    names: &[String],
    columns: &[usize],
    wrong: &[usize],
    reason: &'static str,
) -> Fault {
    let is_point = |&&column: &&usize| !wrong.contains(&column) && !is_of_rows(&names[column]);
    let others: Vec<_> = columns.iter().filter(is_point).map(|&column| names[column].as_str()).collect();
    let others = expression(names, &others).map_or_else(|| ANY_EXAMPLE.into(), |of| format!("such as {of}"));
    let column = wrong.first().map_or("", |&column| &names[column]);
    Fault::NoDimension { column: excerpt(column.as_bytes()), reason, others }
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
            let wrong = [0];
            let Fault::NoDimension { others, .. } = no_dimension(&names, &all, &wrong, "counts the rows")
            else {
                panic!("another fault");
            };
            let wanted: Vec<_> = (1..names.len()).filter(|&column| !is_of_rows(&names[column])).collect();
            let expression = others.strip_prefix("such as ").expect("an example").replace('\'', "");
            assert_eq!(named(&names, &expression).expect("columns"), wanted, "{others}");
            assert_eq!(others.replace('\'', ""), told.replace('\'', ""));
        }
    }
}
