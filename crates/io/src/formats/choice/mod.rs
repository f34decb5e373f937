//! Which columns of a table are the points, whatever its format, and what chooses them: by [`unlikely`] names, and by a
//! [`survey`] of values.

#[cfg(feature = "parquet")]
mod pandas;
mod survey;
mod unlikely;

use std::collections::HashSet;

use glob::Pattern;

use crate::{
    Fault,
    dtype::excerpt,
    formats::columns::{Candidate, choose, listed, listed_near, no_scalars, same},
};
#[cfg(feature = "parquet")]
pub(crate) use pandas::{PANDAS, without_index};
pub(crate) use survey::Survey;
use unlikely::{LEAST_LEFT, Series, Unlikely, stem, unlikely};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    /// Lists of numbers.
    List,
    /// Text, dates and whatever else has one value a row that is no number.
    Text,
    /// Lists and structures that are not read.
    Nested,
}

/// The columns of a table.
#[derive(Debug)]
pub(crate) struct Columns<'a> {
    pub(crate) names: &'a [String],
    /// One of each name. In text they are those of the first row.
    pub(crate) kinds: &'a [Kind],
    /// Whether the file gives the names, or they are the columns' numbers.
    pub(crate) are_named: bool,
    /// Whether the file says what its columns hold, so that none that is no number can be read.
    pub(crate) are_typed: bool,
}

/// What the caller says of the columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// A column, or names and patterns of several.
    pub(crate) name: Option<&'a str>,
    /// Columns that are no dimensions.
    pub(crate) without: &'a [String],
}

/// The columns that are the points.
#[derive(Debug)]
pub(crate) enum Choice {
    /// A number in each of the first so many.
    All(usize),
    /// A number in each, in the order of the file.
    Some(Vec<usize>),
    /// Lists of numbers.
    List(usize),
}

impl Choice {
    /// What the caller names: a column, or names and patterns with commas between them. Otherwise the only column of lists, or
    /// all columns but those that are to be left out, if they are numbers.
    pub(crate) fn of(columns: &Columns<'_>, wanted: Wanted<'_>) -> Result<Self, Fault> {
        if let Some(name) = wanted.name {
            return Self::named(columns, name);
        }
        let &Columns { names, kinds, are_named, .. } = columns;
        let of_kind = |kind| (0..names.len()).filter(move |&column| kinds.get(column) == Some(&kind));
        let left_out: HashSet<_> = wanted.without.iter().map(String::as_str).collect();
        let is_left_out = |column: &usize| left_out.contains(names[*column].as_str());
        let numbers: Vec<_> = of_kind(Kind::Number).filter(|column| !is_left_out(column)).collect();
        let has = |kind| of_kind(kind).next().is_some();
        // Lists that are not read are most likely the points, unless numbered columns are; and a single number is none.
        let of_numbers = || numbers.iter().map(|&column| names[column].as_str()).collect::<Vec<_>>();
        let is_of_lists = has(Kind::List) || has(Kind::Nested) && numbered(&of_numbers()).is_empty();
        if is_of_lists || columns.are_typed && numbers.len() < 2 {
            return columns.list(None);
        }
        let text = (0..names.len()).filter(|column| kinds.get(*column) != Some(&Kind::Number));
        let text: Vec<_> =
            text.filter(|column| !is_left_out(column)).map(|column| names[column].as_str()).collect();
        if !text.is_empty() {
            // A name that was mistaken may be why a column of text is left.
            if let Some(mistaken) = wanted.without.iter().find(|left| !names.contains(left)) {
                return Err(no_scalars(mistaken, names.iter().map(String::as_str)));
            }
            let others = beside_text(names, &numbers);
            return Err(Fault::TextColumns { columns: listed(text.into_iter()), others });
        }
        // The rows of pandas have numbers, which are no dimension of the points.
        if are_named && names.first().is_some_and(String::is_empty) && !is_left_out(&0) {
            let named: Vec<_> = numbers.iter().copied().filter(|&column| column > 0).collect();
            return Err(Fault::Unnamed { others: beside_text(names, &named) });
        }
        if are_named && numbers.len() > 1 {
            let wrong = unlikely(names, &numbers);
            if !wrong.is_empty() {
                return Err(no_dimension(names, &numbers, &wrong));
            }
        }
        Ok(if numbers.len() == names.len() { Self::All(names.len()) } else { Self::Some(numbers) })
    }

    /// What the caller names.
    fn named(columns: &Columns<'_>, wanted: &str) -> Result<Self, Fault> {
        let &Columns { names, kinds, are_typed, .. } = columns;
        let is_of = |column: usize, kind| kinds.get(column) == Some(&kind);
        let has_lists = kinds.contains(&Kind::List);
        let chosen = match named(names, wanted) {
            Err(Fault::NoColumn { .. }) if has_lists => return columns.list(Some(wanted)),
            chosen => chosen.map_err(|fault| with_example(fault, names))?,
        };
        match chosen.as_slice() {
            [list] if is_of(*list, Kind::List) => return Ok(Self::List(*list)),
            // One value a row is no point where others are lists.
            [one] if are_typed && (has_lists || !is_of(*one, Kind::Number)) => {
                return columns.list(Some(wanted));
            }
            _ => {}
        }
        // Who only leaves columns out says nothing of the others.
        if columns.are_named && leaves_out_only(names, wanted)? {
            let wrong = unlikely(names, &chosen);
            if chosen.len() > 1
                && !wrong.is_empty()
                && chosen.iter().all(|&column| is_of(column, Kind::Number))
            {
                return Err(no_dimension(names, &chosen, &wrong));
            }
        }
        let is_text = |column: &usize| is_of(*column, Kind::Text) || is_of(*column, Kind::Nested);
        let is_other = |column: &usize| is_text(column) || are_typed && is_of(*column, Kind::List);
        // A pattern may fit more names than was meant.
        if (are_typed || is_expression(wanted)) && chosen.iter().any(is_other) {
            let name = |column: usize| names[column].as_str();
            let (text, others): (Vec<_>, Vec<_>) = chosen.into_iter().partition(is_other);
            return Err(Fault::TextColumns {
                columns: listed(text.into_iter().map(name)),
                others: self::chosen(names, &others.into_iter().map(name).collect::<Vec<_>>()),
            });
        }
        Ok(Self::Some(chosen))
    }

    /// The columns, in the order of the file.
    pub(crate) fn columns(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::All(count) => Box::new(0..*count),
            Self::Some(columns) => Box::new(columns.iter().copied()),
            Self::List(column) => Box::new([*column].into_iter()),
        }
    }
}

impl Columns<'_> {
    /// The column of lists of this name, or the only one.
    fn list(&self, wanted: Option<&str>) -> Result<Choice, Fault> {
        let of_lists = self.names.iter().zip(self.kinds).enumerate().map(|(column, (name, kind))| {
            Candidate { name: name.clone(), value: Some(column).filter(|_| *kind == Kind::List) }
        });
        choose(&of_lists.collect::<Vec<_>>(), wanted).map(Choice::List)
    }
}

/// Columns of numbers that are no dimensions of the points, among those that would be. The cure leaves them out.
fn no_dimension(names: &[String], columns: &[usize], wrong: &[Unlikely]) -> Fault {
    let wrong_columns: HashSet<_> = wrong.iter().map(|&(column, _)| column).collect();
    let is_point = |column: &&usize| !wrong_columns.contains(*column);
    let others: Vec<_> = columns.iter().filter(is_point).map(|&column| names[column].as_str()).collect();
    let others = example(names, &others).filter(|_| others.len() >= LEAST_LEFT);
    let others = others.unwrap_or_else(|| ANY_EXAMPLE.to_owned());
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

/// How to choose the points among the columns of numbers of a table that has others too, and what that leaves out of them.
fn beside_text(names: &[String], numbers: &[usize]) -> String {
    let wrong: HashSet<_> = unlikely(names, numbers).into_iter().map(|(column, _)| column).collect();
    let points = numbers.iter().filter(|column| !wrong.contains(*column));
    let points: Vec<_> = points.map(|&column| names[column].as_str()).collect();
    let numbered = numbered(&points);
    let Some(example) = example(names, &numbered) else { return ANY_EXAMPLE.into() };
    let chosen: HashSet<_> = numbered.into_iter().collect();
    let left = numbers.iter().map(|&column| names[column].as_str());
    let left: Vec<_> = left.filter(|name| !chosen.contains(name)).collect();
    if left.is_empty() {
        example
    } else {
        format!("{example}, which leaves out {}", listed(left.into_iter()))
    }
}

/// How to choose the points among some columns: those that are numbered, or have no names. Names that say nothing of which columns are the
/// points, such as `u` and `v`, are no example.
fn chosen(all: &[String], some: &[&str]) -> String {
    example(all, &numbered(some)).unwrap_or_else(|| ANY_EXAMPLE.into())
}

/// The names of a series among some, and those that are numbers.
fn numbered<'a>(some: &[&'a str]) -> Vec<&'a str> {
    let series = Series::of(some.iter().copied());
    some.iter().copied().filter(|name| is_bare(name) || series.size(name) > 1).collect()
}

/// What chooses exactly these columns, as an example.
fn example(all: &[String], columns: &[&str]) -> Option<String> {
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
fn exclusion(all: &[String], some: &[&str]) -> Option<String> {
    let some: HashSet<_> = some.iter().copied().collect();
    let left_out: Vec<_> = all.iter().map(String::as_str).filter(|name| !some.contains(name)).collect();
    let is_sayable = |name: &&str| is_plain(name) || is_bare(name);
    let is_sayable = left_out.iter().all(is_sayable) && (1..=TOLD).contains(&left_out.len());
    is_sayable.then(|| {
        format!("'{}'", left_out.iter().map(|name| format!("!{name}")).collect::<Vec<_>>().join(","))
    })
}

/// How columns are chosen, where no example of these is known.
const ANY_EXAMPLE: &str = "as names a,b or a pattern 'x*' in quotes";

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
fn expression(all: &[String], some: &[&str]) -> Option<String> {
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
fn leaves_out_only(names: &[String], wanted: &str) -> Result<bool, Fault> {
    Ok(wanted.split(',').all(|part| part.trim().starts_with('!')) && only(names, wanted)?.is_none())
}

/// Whether a text may stand for more columns than it names.
fn is_expression(wanted: &str) -> bool {
    wanted.contains(['*', '?', '[', '!'])
}

/// The columns that the caller names, in the order of the file: those of names and patterns but for those behind `!`, or all of the others.
fn named(names: &[String], wanted: &str) -> Result<Vec<usize>, Fault> {
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
fn with_example(fault: Fault, names: &[String]) -> Fault {
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
            (vec![], "up down y", "y"),
            (vec![], "a b created_at timestamp", "created_at timestamp"),
            (vec![], "a b c weight", "weight"),
            (vec![], "format chat", ""),
        ] {
            let names: Vec<_> = series.into_iter().chain(others.split(' ').map(String::from)).collect();
            assert_eq!(told(&names), wrong, "{others}");
        }
    }

    /// A header such as `id,d0..2`, which is `id,d0,d1,d2`.
    fn header(text: &str) -> Vec<String> {
        let digits = |c: char| c.is_ascii_digit();
        let several = |part: &str| match part.split_once("..") {
            Some((before, behind)) => {
                let of = before.trim_end_matches(digits);
                let end = behind.trim_start_matches(digits);
                let first: usize = before[of.len()..].parse().expect("the first number");
                let last: usize = behind[..behind.len() - end.len()].parse().expect("the last number");
                (first..=last).map(|number| format!("{of}{number}{end}")).collect()
            }
            None => vec![part.to_owned()],
        };
        text.split(',').flat_map(several).collect()
    }

    /// Headers, the columns that are refused, and what chooses exactly the others.
    #[test]
    fn columns_that_are_refused_and_their_cures() {
        for (text, refused, cure) in [
            // Numbers, classes and scores of rows.
            ("id,emb_0..63", "id", "'emb_*'"),
            ("id,x,y", "id", "x,y"),
            ("x,y,label", "label", "x,y"),
            ("u,v,w,class", "class", "u,v,w"),
            ("target,u,v,w", "target", "u,v,w"),
            ("u,v,timestamp,w", "timestamp", "u,v,w"),
            ("user_id,item_id,u,v,w", "user_id,item_id", "u,v,w"),
            ("dim_0..7,score", "score", "'dim_*'"),
            ("weight,dim_0..7", "weight", "'dim_*'"),
            ("index,u,v,w", "index", "u,v,w"),
            ("y,emb_0..63", "y", "'emb_*'"),
            ("y,x0..63", "y", "'x*'"),
            ("label,label_0..9", "label", "'label_*'"),
            ("x,x_0..9", "x", "'x_*'"),
            ("x,y,x0..15", "x,y", "'x[0-9]*'"),
            ("x,y,x1..16", "x,y", "'x[0-9]*'"),
            // Few that are in no series, where most are.
            ("x,y,emb_0..63", "x,y", "'emb_*'"),
            ("lat,lon,emb_0..63", "lat,lon", "'emb_*'"),
            ("x_1,y_1,emb_0..63", "x_1,y_1", "'emb_*'"),
            ("id,a0..63,b0,b1", "id,b0,b1", "'a*'"),
            ("id,dim_0..3,Dim_4", "id", "'dim_*,Dim_4'"),
            // Small series beside a large one.
            ("emb_0..2_weight,dim_0..63", "emb_0_weight,emb_1_weight,emb_2_weight", "'dim_*'"),
            ("a0..63,b0,b1", "b0,b1", "'a*'"),
            ("user_0,user_1,item_0..63", "user_0,user_1", "'item_*'"),
            ("umap_0..2,dim_0..127", "umap_0,umap_1,umap_2", "'dim_*'"),
            ("dim_0..127,hit@1,hit@5,hit@10", "hit@1,hit@5,hit@10", "'dim_*'"),
            // Names that are only read in quotes, and signs of patterns.
            ("id,emb.0..63", "id", "'emb.*'"),
            ("id,emb 0..63", "id", "'emb *'"),
            ("id,emb[0..63]", "id", "'emb[[]*'"),
            ("id,the first,the second", "id", "'the first,the second'"),
            ("id,a.b,c.d", "id", "a.b,c.d"),
            ("id,a[x],b", "id", "'a[x],b'"),
            // The first of a series has no number.
            ("id,d,d.1..383", "id", "'d,d.*'"),
            ("date,d,d.1..383", "date", "'d,d.*'"),
            ("id,feature,feature_1..63", "id", "'feature,feature_*'"),
            ("price,x,x_1..9", "price", "'x,x_*'"),
            ("d,d.1..383", "", ""),
            ("feature,feature_1..63", "", ""),
            ("x,x_1..9", "", ""),
            ("x,x-1..9", "", ""),
            ("x,x 1..9", "", ""),
            ("X,x1..9", "", ""),
            ("time,time.1..5", "", ""),
            ("d0,d0.1..5", "", ""),
            // Endings of all or half of the columns.
            ("joy_score,anger_score,fear_score", "", ""),
            ("start_time,end_time", "", ""),
            ("Body_Weight,Body_Height", "", ""),
            ("refractive_index,density", "", ""),
            ("a_score,b_time,c_date", "", ""),
            // Series, whatever their names.
            ("emb_0..63_weight", "", ""),
            ("0..5_time", "", ""),
            ("f_1..8_score", "", ""),
            ("x0..15,y0..15", "", ""),
            ("text_0..31,image_0..63", "", ""),
            ("x_1,y_1,z_1,x_2,y_2,z_2,x_3,y_3", "", ""),
            ("dim_0..3,Dim_4", "", ""),
            ("text_0..7", "", ""),
            ("y_0..7", "", ""),
            ("target_0..7", "", ""),
            ("PC1..8", "", ""),
            ("t-SNE 1,t-SNE 2", "", ""),
            ("0..9", "", ""),
            // Coordinates that are measured.
            ("x,y,z", "", ""),
            ("y,z", "", ""),
            ("x_pos,y", "", ""),
            ("u,y", "", ""),
            ("width,height", "", ""),
            ("length,weight", "", ""),
            ("length,width,height,weight", "", ""),
            ("u,v,weight", "", ""),
            ("body_mass_index,height", "", ""),
            ("body_mass_index,height,age", "", ""),
            // A single column is no cure.
            ("id,u", "", ""),
            ("id,label,u", "", ""),
            ("id,label", "", ""),
        ] {
            let names = header(text);
            let all: Vec<_> = (0..names.len()).collect();
            let wrong = unlikely(&names, &all);
            let told: Vec<_> = wrong.iter().map(|&(column, _)| names[column].as_str()).collect();
            assert_eq!(told.join(","), refused, "{text}");
            if wrong.is_empty() {
                continue;
            }
            let Fault::NoDimension { others, .. } = no_dimension(&names, &all, &wrong) else {
                panic!("another fault");
            };
            assert_eq!(*others, format!("such as {cure}"), "{text}");
            let is_point = |column: &usize| !wrong.iter().any(|(other, _)| other == column);
            let points: Vec<_> = all.iter().copied().filter(is_point).collect();
            assert_eq!(named(&names, cure.trim_matches('\'')).expect("columns"), points, "{text}");
        }
    }

    /// Columns of text beside a series whose first has no number, or another case.
    #[test]
    fn all_of_a_series_are_chosen() {
        for (text, some, told) in [
            ("name,d,d.1..3", "d,d.1..3", "such as 'd,d.*'"),
            ("date,d,d.1..3", "d,d.1..3", "such as 'd,d.*'"),
            ("name,dim_0..3,Dim_4", "dim_0..3,Dim_4", "such as 'dim_*,Dim_4'"),
            ("name,emb[0..3]", "emb[0..3]", "such as 'emb[[]*'"),
        ] {
            let some = header(some);
            let some: Vec<_> = some.iter().map(String::as_str).collect();
            assert_eq!(chosen(&header(text), &some), told, "{text}");
        }
    }

    /// Columns of numbers beside text: the example is of the points, and says what it leaves out.
    #[test]
    fn an_example_beside_text_says_what_it_leaves_out() {
        for (text, told) in [
            ("d0..3", "such as 'd*'"),
            ("id,d0..3", "such as 'd*', which leaves out id"),
            ("x,y,x0..15", "such as 'x[0-9]*', which leaves out x, y"),
            ("length,age,q4..15", "such as 'q*', which leaves out length, age"),
            ("umap_0..2,0..99", "such as '[0-9]*', which leaves out umap_0, umap_1, umap_2"),
            ("u,v", ANY_EXAMPLE),
        ] {
            let names = header(text);
            assert_eq!(beside_text(&names, &(0..names.len()).collect::<Vec<_>>()), told, "{text}");
        }
    }

    /// One column beside those that count the rows is no example.
    #[test]
    fn a_single_column_is_no_cure() {
        let Fault::NoDimension { others, .. } =
            no_dimension(&header("n,u"), &[0, 1], &[(0, "counts the rows")])
        else {
            panic!("another fault");
        };
        assert_eq!(*others, *ANY_EXAMPLE);
    }
}
