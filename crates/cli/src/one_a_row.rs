//! Columns of a text whose first line is one of values, and no header.

use std::{collections::HashSet, path::Path};

use unisphere_io::Column;

use crate::{interrupt, reading::is_stream};

/// Lines that are looked at, such as for one like the first.
const LINES: usize = 10_000;
/// The characters of a line that are looked at.
const CHARACTERS: usize = 64;
/// Columns that are looked at.
const COLUMNS: usize = 16;

/// The columns of a file by their numbers, with their first line as a value; None where the name of one is such a number, so that its
/// first line is none. There are none of a pipe.
fn numbered(path: &Path) -> Vec<Option<Vec<String>>> {
    if is_stream(path) {
        return Vec::new();
    }
    let column = |number: usize| Column::open_named(path, Some(&number.to_string())).ok();
    let columns: Vec<_> =
        interrupt::leaving_at_once(|| (0..COLUMNS).map_while(column).collect()).unwrap_or_default();
    let rows = columns.iter().map(Column::rows).max().unwrap_or_default();
    let lines = |column: &Column| (column.rows() == rows).then(|| first_lines(column));
    columns.iter().map(lines).collect()
}

/// The first lines of a column; none where they cannot be read.
pub(crate) fn first_lines(column: &Column) -> Vec<String> {
    let lines: Vec<_> = (0..column.rows().min(LINES)).collect();
    column.excerpts(&lines, CHARACTERS).unwrap_or_default()
}

/// Whether the first of some lines is among the others.
pub(crate) fn does_first_come_again(lines: &[String]) -> bool {
    lines.split_first().is_some_and(|(first, others)| others.contains(first))
}

/// A line of names, such as `id,label`, for lines that never come again and are rows of a table: `a.jpg,1`. The column called label is
/// the last one whose values do come again.
pub(crate) fn names_of_rows(lines: &[String]) -> Option<String> {
    let all: HashSet<_> = lines.iter().collect();
    if all.len() < lines.len() {
        return None;
    }
    let separates = |separator: &char| {
        let counts: HashSet<_> = lines.iter().map(|line| line.matches(*separator).count()).collect();
        // Behind the commas of a sentence or an address there are spaces.
        let has_spaces = lines.iter().any(|line| line.contains(&format!("{separator} ")));
        counts.len() == 1 && !counts.contains(&0) && !has_spaces
    };
    let names = |separator: char| {
        let comes_again = |column: &usize| {
            let values: HashSet<_> = lines.iter().map(|line| line.split(separator).nth(*column)).collect();
            values.len() < lines.len()
        };
        let last = lines.first()?.matches(separator).count();
        let label = (0..=last).rev().find(comes_again)?;
        let names = (0..=last).map(|column| match column {
            _ if column == label => "label".into(),
            _ if last == 1 => "id".into(),
            _ => format!("c{column}"),
        });
        Some(names.collect::<Vec<String>>().join(&separator.to_string()))
    };
    [',', '\t', ';'].into_iter().filter(separates).find_map(names)
}

/// The number of the only column whose first value comes again, as labels do and names of columns do not.
pub(crate) fn column_of_labels(path: &Path) -> Option<usize> {
    only(numbered(path).iter().map(|of| of.as_ref().is_some_and(|lines| does_first_come_again(lines))))
}

/// What makes a value of the name of a column, which `option` names.
pub(crate) fn cure_of_name(column: &Column, option: &str) -> String {
    let columns = numbered(column.path());
    if columns.len() < 2 {
        return "call the file .txt".into();
    }
    // The first line is its name.
    let mut lines = first_lines(column);
    lines.truncate(LINES - 1);
    let is_this = |of: &Option<Vec<String>>| of.as_ref().is_some_and(|of| of.get(1..) == Some(&lines));
    match only(columns.iter().map(is_this)) {
        Some(number) => format!("name the column by its number, from 0: {option} {number}"),
        None => "write a line of names above it, such as id,label".into(),
    }
}

/// The place of the only one that is so.
fn only(are_so: impl Iterator<Item = bool>) -> Option<usize> {
    let mut found = are_so.enumerate().filter(|(_, is_so)| *is_so);
    let (place, _) = found.next()?;
    found.next().is_none().then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_rows_of_a_table() {
        let names =
            |lines: &[&str]| names_of_rows(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(&["a.jpg,1", "b.jpg,0", "c.jpg,1"]).as_deref(), Some("id,label"));
        assert_eq!(names(&["1\ta,a", "0\tb,b", "1\tc,c"]).as_deref(), Some("label\tid"));
        assert_eq!(names(&["a,1,u", "b,0,v", "c,1,w"]).as_deref(), Some("c0,label,c2"));
        for none in [
            &["Salem, OR", "Portland, OR", "Paris, France"][..],
            &["a;1", "b;2"],
            &["a,1", "a,1"],
            &["a,1", "b", "c,1"],
            &["a,1"],
            &[],
        ] {
            assert_eq!(names(none), None, "{none:?}");
        }
    }
}
