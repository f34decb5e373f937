//! Which of a file's arrays holds the points.

use crate::{Fault, Reading, dtype::excerpt};

/// Names that a message lists; a file may have thousands.
const LISTED: usize = 8;

/// An array that a file names, and its shape.
pub(crate) struct Array<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: Vec<u64>,
}

/// The array of this name, or the only matrix; where views are asked for, the only array of three axes, if there is one. `option` is how a user
/// names one.
pub(crate) fn choose(
    arrays: &[Array<'_>],
    wanted: Option<&str>,
    reading: &Reading,
    option: &'static str,
) -> Result<usize, Fault> {
    let missing = || Fault::NoArray {
        wanted: wanted.map(|name| excerpt(name.as_bytes())),
        arrays: listed_near(wanted, arrays.iter().map(|array| array.name)),
        option,
    };
    if let Some(wanted) = wanted {
        return arrays.iter().position(|array| array.name == wanted).ok_or_else(missing);
    }
    let of = |axes| (0..arrays.len()).filter(|&at| arrays[at].shape.len() == axes).collect::<Vec<_>>();
    let of_views = if reading.views { of(3) } else { Vec::new() };
    let matrices = if of_views.is_empty() { of(2) } else { of_views };
    match matrices.as_slice() {
        [only] => Ok(*only),
        [] => Err(missing()),
        several => {
            let arrays = listed(several.iter().map(|&index| arrays[index].name));
            Err(Fault::ManyArrays { arrays, option })
        }
    }
}

/// The same, of many those that are most like the name that was asked for.
pub(crate) fn listed_near<'a>(wanted: Option<&str>, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.collect();
    if let Some(wanted) = wanted.filter(|_| names.len() > LISTED) {
        // Equal ones stay in their order.
        names.sort_by_cached_key(|name| distance(wanted, name));
    }
    listed(names.into_iter())
}

/// How many characters of a name are to be put in, taken out or replaced to make another of it, whatever their case. Of long names the
/// beginnings.
fn distance(a: &str, b: &str) -> usize {
    const COMPARED: usize = 64;
    let letters = |name: &str| name.to_lowercase().chars().take(COMPARED).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, of_b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(of_a != of_b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Names in a row, the first of many, safe to print.
pub(crate) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let mut text = names.take(LISTED).map(|name| excerpt(name.as_bytes())).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}

/// Names that stand for all.
pub(crate) const FEW: usize = 4;

/// The first few names in a row, safe to print.
pub(crate) fn first_few<'a>(names: impl Iterator<Item = &'a [u8]>) -> String {
    names.take(FEW).map(excerpt).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_names() {
        for (a, b, wanted) in [
            ("label", "label", 0),
            ("lable", "label", 2),
            ("Label", "label", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (wanted, wanted), "{a} and {b}");
        }
    }

    #[test]
    fn the_nearest_of_many_names_come_first() {
        let all: Vec<String> = (0..500).map(|d| format!("dim_{d}")).chain(["label".into()]).collect();
        let names = || all.iter().map(String::as_str);
        assert!(listed_near(Some("lable"), names()).starts_with("label, dim_0, "));
        assert!(listed_near(Some("dim_77x"), names()).starts_with("dim_77, "));
        assert!(listed_near(None, names()).starts_with("dim_0, dim_1, "));
        assert_eq!(listed_near(Some("c"), ["a", "c1"].into_iter()), "a, c1");
    }
}
