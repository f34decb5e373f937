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
        let is_list =
            |column: &usize| values.get(*column).is_some_and(|value| value.trim_ascii().starts_with(b"["));
        if let Some(wanted) = wanted {
            let columns = named(names, wanted)?;
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
        let is_text = |value: &[u8]| !is_null(value) && !is_number(value);
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
        if are_named
            && columns.len() > 1
            && let Some(&of_rows) = columns.iter().find(|&&column| is_of_rows(&names[column]))
        {
            return Err(no_dimension(names, &columns, of_rows, "is called so"));
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
const NAMES_OF_ROWS: [&str; 7] = ["id", "idx", "index", "label", "labels", "row", "unnamed: 0"];

fn is_of_rows(name: &str) -> bool {
    NAMES_OF_ROWS.contains(&name.trim().to_lowercase().as_str())
}

/// A column of numbers that is no dimension of the points, among those that would be.
pub(super) fn no_dimension(
    names: &[String],
    columns: &[usize],
    column: usize,
    reason: &'static str,
) -> Fault {
    let others = columns.iter().filter(|&&other| other != column).map(|&other| names[other].as_str());
    let others = others.collect::<Vec<_>>();
    let is_bare = |name: &&str| name.chars().all(|c| c.is_ascii_digit());
    // All but the first of columns that have no names.
    let are_rest = column == 0 && others.len() + 1 == names.len() && others.iter().all(is_bare);
    let others = match example(names, &others) {
        Some(example) => example,
        None if are_rest => "such as '[1-9]*'".into(),
        None if others.len() <= TOLD && others.iter().all(|name| is_plain(name)) => {
            format!("such as {}", others.join(","))
        }
        None => ANY_EXAMPLE.into(),
    };
    Fault::NoDimension { column: excerpt(names[column].as_bytes()), reason, others }
}

/// How to choose some of the columns: by a pattern, where numbered names are theirs alone, or by their numbers, where they have no names.
/// Names that say nothing of which columns are the points, such as `id` beside `u` and `v`, are no example.
fn chosen(all: &[String], some: &[&str]) -> String {
    example(all, some).unwrap_or_else(|| ANY_EXAMPLE.into())
}

/// How columns are chosen, where no example of these is known.
const ANY_EXAMPLE: &str = "as names a,b or a pattern x*";

/// Names that are told at most.
const TOLD: usize = 8;

/// Whether a name needs no quotes in a shell.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

fn example(all: &[String], some: &[&str]) -> Option<String> {
    let stem = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let is_bare = |name: &str| name.chars().all(|c| c.is_ascii_digit());
    let numbered = |of: &str| some.iter().filter(|name| stem(name) == of && name.len() > of.len()).count();
    let stems = some.iter().map(|name| stem(name)).filter(|of| is_plain(of));
    let longest = stems.max_by_key(|of| numbered(of)).filter(|of| numbered(of) > 1);
    if let Some(of) = longest {
        let fits = |name: &&String| name.starts_with(&of);
        if all.iter().filter(fits).count() == numbered(&of) {
            return Some(format!("such as '{of}*'"));
        }
    }
    ((1..=TOLD).contains(&some.len()) && some.iter().all(|name| is_bare(name)))
        .then(|| format!("such as {}", some.join(",")))
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
        assert_eq!(told("id date d0 d1", "id d0 d1"), "as names a,b or a pattern x*");
        assert_eq!(told("id name u v", "id u v"), "as names a,b or a pattern x*");
        assert_eq!(told("name -a1 -a2", "-a1 -a2"), "as names a,b or a pattern x*");
        assert_eq!(told("name x,1 x,2", "x,1 x,2"), "as names a,b or a pattern x*");
        assert_eq!(told("name title", ""), "as names a,b or a pattern x*");
        assert_eq!(told("a 0 1 2", "0 1 2"), "such as 0,1,2");
    }
}
