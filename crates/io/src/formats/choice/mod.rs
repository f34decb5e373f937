//! Which columns of a table are the points, whatever its format, and what chooses them: by [`unlikely`] names, and by a
//! [`survey`] of values.

mod names;
#[cfg(feature = "parquet")]
mod pandas;
mod sets;
mod survey;
mod unlikely;

use std::collections::HashSet;

use crate::{
    Fault,
    dtype::excerpt,
    formats::columns::{Candidate, choose, listed, no_scalars},
};
use names::{ANY_EXAMPLE, example, exclusion, is_expression, leaves_out_only, named, numbered, with_example};
pub(crate) use names::{all_but_last, is_wanted};
#[cfg(feature = "parquet")]
pub(crate) use pandas::{PANDAS, without_index};
use sets::or_two_sets;
pub(crate) use survey::Survey;
pub(crate) use unlikely::number_behind;
use unlikely::{LEAST_LEFT, Unlikely, unlikely};

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
        let mut seen = HashSet::new();
        if are_named && let Some(&again) = numbers.iter().find(|&&column| !seen.insert(&names[column])) {
            return Err(repeated(names, &numbers, &names[again]));
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
                others: names::chosen(names, &others.into_iter().map(name).collect::<Vec<_>>()),
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

/// Several columns of one name among those that would be the dimensions. The cure takes these, where names can say so.
fn repeated(names: &[String], numbers: &[usize], name: &str) -> Fault {
    let some: Vec<_> = numbers.iter().map(|&column| names[column].as_str()).collect();
    let has_index = names.first().is_some_and(String::is_empty);
    let all = if numbers.len() == names.len() { Some("'*'".to_owned()) } else { exclusion(names, &some) };
    let or_else = match all {
        _ if has_index => " and without its index, in pandas with index=False".into(),
        Some(all) => format!(", or take them and all others for one set with --column {all}"),
        None => String::new(),
    };
    Fault::RepeatedColumns { name: excerpt(name.as_bytes()), or_else }
}

/// Columns of numbers that are no dimensions of the points, among those that would be. The cure leaves them out.
fn no_dimension(names: &[String], columns: &[usize], wrong: &[Unlikely]) -> Fault {
    let wrong_columns: HashSet<_> = wrong.iter().map(|&(column, _)| column).collect();
    let is_point = |column: &usize| !wrong_columns.contains(column);
    let points: Vec<_> = columns.iter().copied().filter(is_point).collect();
    let others: Vec<_> = points.iter().map(|&column| names[column].as_str()).collect();
    let others = example(names, &others).filter(|_| others.len() >= LEAST_LEFT);
    let others = others.map(|of| of + &or_two_sets(names, &points));
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
    let places: Vec<_> =
        numbers.iter().copied().filter(|&column| chosen.contains(names[column].as_str())).collect();
    let example = example + &or_two_sets(names, &places);
    let left = numbers.iter().map(|&column| names[column].as_str());
    let left: Vec<_> = left.filter(|name| !chosen.contains(name)).collect();
    if left.is_empty() {
        example
    } else {
        format!("{example}, which leaves out {}", listed(left.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::{names::chosen, *};

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
                "such as 'a*,b*' for one set or --columns 'a*,b*' for two",
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
            let example = others.split(" for one set").next().expect("an example");
            let expression = example.strip_prefix("such as ").expect("an example").replace('\'', "");
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
    pub(super) fn header(text: &str) -> Vec<String> {
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
            (
                "id,a0..2,b0..2",
                "such as 'a*,b*' for one set or --columns 'a*,b*' for two, which leaves out id",
            ),
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
