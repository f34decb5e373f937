//! Which column of a file holds the points.

pub(crate) use super::arrays::{FEW, first_few, listed, listed_near};
use crate::{Fault, dtype::excerpt, error::CHOOSE_SCALARS};

/// A column of a file, and what it is if it may be the points.
pub(crate) struct Candidate<T> {
    pub(crate) name: String,
    pub(crate) value: Option<T>,
}

/// The column of this name, or the only one that may be the points.
pub(crate) fn choose<T: Copy>(columns: &[Candidate<T>], wanted: Option<&str>) -> Result<T, Fault> {
    let may_be = columns.iter().filter_map(|column| Some((&column.name, column.value?))).collect::<Vec<_>>();
    if let Some(wanted) = wanted {
        let mut found = may_be.iter().filter(|(name, _)| *name == wanted);
        let first = found.next().ok_or_else(|| missing(Some(wanted), columns, &may_be))?;
        return if found.next().is_none() { Ok(first.1) } else { Err(same(wanted)) };
    }
    match may_be.as_slice() {
        [(_, only)] => Ok(*only),
        [] => Err(missing(None, columns, &may_be)),
        several => Err(Fault::ManyColumns { columns: listed(several.iter().map(|(name, _)| name.as_str())) }),
    }
}

/// Several columns of one name, of which none is more likely than the others.
pub(crate) fn same(name: &str) -> Fault {
    Fault::SameColumns { name: excerpt(name.as_bytes()) }
}

fn missing<T: Copy>(wanted: Option<&str>, columns: &[Candidate<T>], may_be: &[(&String, T)]) -> Fault {
    let all = || listed_near(wanted, columns.iter().map(|column| column.name.as_str()));
    let columns = match may_be {
        [] if columns.is_empty() => "it has no columns; check the program that saved it".into(),
        [] => format!("its columns are {}; save a column of lists of float32", all()),
        some => {
            let names = some.iter().map(|(name, _)| name.as_str());
            format!("choose one of {} with --column", listed_near(wanted, names))
        }
    };
    let example = may_be.first().map_or("", |(name, _)| name).into();
    Fault::NoColumn { wanted: wanted.map(|name| excerpt(name.as_bytes())), columns, example }
}

/// The column of this name, or the only one, of those that have one value a row. The index of a data frame is none where it has no name.
pub(crate) fn choose_scalars<T: Copy>(columns: &[Candidate<T>], wanted: Option<&str>) -> Result<T, Fault> {
    let named = columns.iter().filter(|column| !is_nameless_index(&column.name));
    if let (None, [only]) = (wanted, named.filter_map(|column| column.value).collect::<Vec<_>>().as_slice()) {
        return Ok(*only);
    }
    choose(columns, wanted).map_err(|fault| match fault {
        Fault::NoColumn { wanted: name, .. } => {
            let can_be = columns.iter().filter(|column| column.value.is_some());
            let names = can_be.map(|column| column.name.as_str()).collect::<Vec<_>>();
            let columns = match names.as_slice() {
                [] => "save a column of labels or numbers in it".into(),
                some => one_of(wanted, some.iter().copied()),
            };
            Fault::NoScalars { wanted: name, columns }
        }
        Fault::ManyColumns { columns } => Fault::ManyScalars { columns },
        other => other,
    })
}

/// Names that pandas gives to an index without one: `__index_level_0__`.
pub(crate) const NAMELESS: &str = "__index_level_";

/// Whether a column is called as the index of a data frame that has no name is: in CSV not at all, or as pandas calls that once it has
/// read it.
fn is_nameless_index(name: &str) -> bool {
    name.is_empty() || name == "Unnamed: 0" || name.starts_with(NAMELESS)
}

/// No column of one value a row has this name, but these there are.
pub(crate) fn no_scalars<'a>(wanted: &str, names: impl ExactSizeIterator<Item = &'a str>) -> Fault {
    Fault::NoScalars { wanted: Some(excerpt(wanted.as_bytes())), columns: one_of(Some(wanted), names) }
}

fn one_of<'a>(wanted: Option<&str>, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    format!("name one of {} with {CHOOSE_SCALARS}", listed_near(wanted, names))
}
