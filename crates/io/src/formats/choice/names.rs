//! Names and patterns that say which columns are meant: what chooses them, and how a cure says some of them.

use std::collections::HashSet;

use glob::Pattern;

use super::unlikely::{Series, stem};
use crate::{
    Fault,
    dtype::excerpt,
    formats::columns::{listed_near, same},
};

/// How to choose the points among some columns: those that are numbered, or have no names. Names that say nothing of which columns are the
/// points, such as `u` and `v`, are no example.
pub(super) fn chosen(all: &[String], some: &[&str]) -> String {
    example(all, &numbered(some)).unwrap_or_else(|| ANY_EXAMPLE.into())
}

/// The names of a series among some, and those that are numbers.
pub(super) fn numbered<'a>(some: &[&'a str]) -> Vec<&'a str> {
    let series = Series::of(some.iter().copied());
    some.iter().copied().filter(|name| is_bare(name) || series.size(name) > 1).collect()
}

/// What chooses exactly these columns, as an example.
pub(super) fn example(all: &[String], columns: &[&str]) -> Option<String> {
    let of = expression(all, columns).or_else(|| exclusion(all, columns));
    of.filter(|_| !columns.is_empty()).map(|of| format!("such as {of}"))
}

/// How to choose all columns but the last, as an example.
pub(crate) fn all_but_last(all: &[String]) -> String {
    let others: Vec<_> =
        all.split_last().map_or(&[][..], |(_, others)| others).iter().map(String::as_str).collect();
    example(all, &others).unwrap_or_else(|| ANY_EXAMPLE.into())
}

/// What chooses all columns but those that are not among some.
pub(super) fn exclusion(all: &[String], some: &[&str]) -> Option<String> {
    let some: HashSet<_> = some.iter().copied().collect();
    let left_out: Vec<_> = all.iter().map(String::as_str).filter(|name| !some.contains(name)).collect();
    let is_sayable = |name: &&str| is_plain(name) || is_bare(name);
    let is_sayable = left_out.iter().all(is_sayable) && (1..=TOLD).contains(&left_out.len());
    is_sayable.then(|| {
        format!("'{}'", left_out.iter().map(|name| format!("!{name}")).collect::<Vec<_>>().join(","))
    })
}

/// How columns are chosen, where no example of these is known.
pub(super) const ANY_EXAMPLE: &str = "as names a,b or a pattern 'x*' in quotes";

/// Names that are told at most.
const TOLD: usize = 8;

/// Whether a shell reads a name as it is, in single quotes at least.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-. []".contains(c))
}

/// Whether a name is a number.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_digit())
}

/// The names that are a stem and a number.
fn group<'a>(names: &[&'a str], of: &str) -> Vec<&'a str> {
    names.iter().copied().filter(|name| stem(name) == of && name.len() > of.len()).collect()
}

/// Names and patterns that choose exactly some of all columns, with commas between them: what `--column` takes. None where that takes
/// more than a few, or names that a shell reads otherwise.
pub(super) fn expression(all: &[String], some: &[&str]) -> Option<String> {
    if (1..=TOLD).contains(&some.len()) && some.iter().all(|name| is_bare(name)) {
        return Some(some.join(","));
    }
    let wanted: HashSet<_> = some.iter().copied().collect();
    let mut parts = Vec::new();
    let mut left: Vec<_> = some.to_vec();
    while let Some(&name) = left.first() {
        let (of, numbered) = (stem(name), group(some, stem(name)));
        let sign = Pattern::escape(of);
        let patterns = [format!("{sign}*"), format!("{sign}[0-9]*"), format!("{sign}[1-9]*")];
        let fits = |pattern: &String| {
            let pattern = Pattern::new(pattern).ok()?;
            let is_exact =
                all.iter().filter(|name| pattern.matches(name)).all(|name| wanted.contains(&**name));
            (is_exact && numbered.iter().all(|name| pattern.matches(name))).then_some(pattern)
        };
        match patterns.iter().find_map(fits) {
            Some(pattern) if numbered.len() > 1 && (of.is_empty() || is_plain(of)) => {
                parts.push(pattern.as_str().to_owned());
                left.retain(|name| !pattern.matches(name));
            }
            _ if is_plain(name) || is_bare(name) => {
                parts.push(name.to_owned());
                left.remove(0);
            }
            _ => return None,
        }
        if parts.len() > TOLD {
            return None;
        }
    }
    let text = parts.join(",");
    let columns = named(all, &text).ok()?;
    let is_exact =
        columns.len() == some.len() && columns.iter().all(|&column| wanted.contains(&*all[column]));
    let quoted = if text.contains(['*', ' ', '[']) { format!("'{text}'") } else { text };
    (!parts.is_empty() && is_exact).then_some(quoted)
}

/// The pattern of exactly these columns by what is behind their last numbers: `*_x` of `0_x, 1_x` and `*_img` of `e0_img, e1_img`.
pub(super) fn of_ending(all: &[String], some: &[&str]) -> Option<String> {
    let ending = some.first()?.rsplit(|c: char| c.is_ascii_digit()).next()?;
    let pattern = format!("*{ending}");
    let fits = named(all, &pattern).ok()?;
    let is_exact =
        fits.len() == some.len() && fits.iter().all(|&column| some.contains(&all[column].as_str()));
    (is_exact && !ending.is_empty() && ending.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)))
        .then_some(pattern)
}

/// The column of a name, if there is one; a fault if there are several.
fn only(names: &[String], wanted: &str) -> Result<Option<usize>, Fault> {
    let mut columns = (0..names.len()).filter(|&column| names[column] == wanted);
    let first = columns.next();
    if columns.next().is_none() { Ok(first) } else { Err(same(wanted)) }
}

/// Whether a column of this name would be among what the caller says; any is, where they say nothing.
pub(crate) fn is_wanted(name: &str, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    let fits = |part: &str| part == name || Pattern::new(part).is_ok_and(|pattern| pattern.matches(name));
    let parts = || wanted.split(',').map(str::trim);
    let is_left_out = parts().filter_map(|part| part.strip_prefix('!')).any(fits);
    let mut chosen = parts().filter(|part| !part.starts_with('!')).peekable();
    !is_left_out && (chosen.peek().is_none() || chosen.any(fits))
}

/// Whether a text names no columns but those that are left out.
pub(super) fn leaves_out_only(names: &[String], wanted: &str) -> Result<bool, Fault> {
    Ok(wanted.split(',').all(|part| part.trim().starts_with('!')) && only(names, wanted)?.is_none())
}

/// Whether a text may stand for more columns than it names.
pub(super) fn is_expression(wanted: &str) -> bool {
    wanted.contains(['*', '?', '[', '!'])
}

/// The columns that the caller names, in the order of the file: those of names and patterns but for those behind `!`, or all of the others.
pub(super) fn named(names: &[String], wanted: &str) -> Result<Vec<usize>, Fault> {
    if let Some(column) = only(names, wanted)? {
        return Ok(vec![column]);
    }
    let (mut columns, mut left_out, mut has_names) = (Vec::new(), HashSet::new(), false);
    for part in wanted.split(',').map(str::trim) {
        match part.strip_prefix('!') {
            Some(other) if only(names, part)?.is_none() => left_out.extend(fitting(names, other)?),
            _ => {
                has_names = true;
                columns.extend(fitting(names, part)?);
            }
        }
    }
    if !has_names {
        columns.extend(0..names.len());
    }
    columns.retain(|column| !left_out.contains(column));
    columns.sort_unstable();
    columns.dedup();
    let columns_left = if columns.is_empty() { None } else { Some(columns) };
    columns_left.ok_or_else(|| no_such_column(names, wanted))
}

/// The column of a name, or all that a pattern fits.
fn fitting(names: &[String], part: &str) -> Result<Vec<usize>, Fault> {
    if let Some(column) = only(names, part)? {
        return Ok(vec![column]);
    }
    let pattern = Pattern::new(part).ok();
    let fits = |name: &str| pattern.as_ref().is_some_and(|pattern| pattern.matches(name));
    let columns: Vec<_> = (0..names.len()).filter(|&column| fits(&names[column])).collect();
    if columns.is_empty() { Err(no_such_column(names, part)) } else { Ok(columns) }
}

fn no_such_column(names: &[String], wanted: &str) -> Fault {
    let columns = format!("its columns are {}", listed_near(Some(wanted), names.iter().map(String::as_str)));
    Fault::NoColumn { wanted: Some(excerpt(wanted.as_bytes())), columns, example: Box::default() }
}

/// The same fault with the columns that are most likely the points as its example.
pub(super) fn with_example(fault: Fault, names: &[String]) -> Fault {
    let all: Vec<_> = names.iter().map(String::as_str).collect();
    let numbered = numbered(&all);
    match fault {
        Fault::NoColumn { wanted, columns, .. } if !numbered.is_empty() => {
            let example = expression(names, &numbered).or_else(|| exclusion(names, &numbered));
            let example = example.unwrap_or_default().trim_matches('\'').into();
            Fault::NoColumn { wanted, columns, example }
        }
        other => other,
    }
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
        assert_eq!(told("name -a1 -a2", "-a1 -a2"), "such as '!name'");
        assert_eq!(told("name x,1 x,2", "x,1 x,2"), "such as '!name'");
        assert_eq!(told("na,me -a1 -a2", "-a1 -a2"), ANY_EXAMPLE);
        assert_eq!(told("name title", ""), ANY_EXAMPLE);
        assert_eq!(told("a 0 1 2", "0 1 2"), "such as 0,1,2");
        assert_eq!(told("t a0 a1 b0 b1", "a0 a1 b0 b1"), "such as 'a*,b*'");
    }
}
