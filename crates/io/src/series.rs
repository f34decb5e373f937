//! Names with numbers in them: their natural order, and what is missing between two.

use std::cmp::Ordering;

/// A part of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    /// Digits.
    Number(&'a str),
    Text(&'a str),
}

impl<'a> Part<'a> {
    /// The first part of a name, and the rest.
    fn first(name: &'a str) -> Option<(Self, &'a str)> {
        let is_digit = |c: char| c.is_ascii_digit();
        let number = name.starts_with(is_digit);
        let end = name.find(|c| is_digit(c) != number).unwrap_or(name.len());
        let (part, rest) = name.split_at(end);
        match part {
            "" => None,
            digits if number => Some((Self::Number(digits), rest)),
            text => Some((Self::Text(text), rest)),
        }
    }
}

fn parts(mut name: &str) -> impl Iterator<Item = Part<'_>> {
    std::iter::from_fn(move || {
        let (part, rest) = Part::first(name)?;
        name = rest;
        Some(part)
    })
}

/// The order of two names in which numbers compare as numbers, of any length: emb_2 is before emb_10.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let natural = parts(a).map(key).cmp(parts(b).map(key));
    // emb_1 and emb_01 have one number.
    natural.then_with(|| a.cmp(b))
}

/// A number before a text, a shorter number before a longer one.
fn key(part: Part<'_>) -> (bool, usize, &str) {
    match part {
        Part::Number(digits) => {
            let digits = digits.trim_start_matches('0');
            (false, digits.len(), digits)
        }
        Part::Text(text) => (true, 0, text),
    }
}

/// The name that is missing between two which follow each other, where they differ in one number alone.
pub(crate) fn missing(before: &str, after: &str) -> Option<String> {
    let mut differ = parts(before).zip(parts(after)).enumerate().filter(|(_, (a, b))| a != b);
    let (index, (Part::Number(a), Part::Number(b))) = differ.next()? else { return None };
    if differ.next().is_some() || parts(before).count() != parts(after).count() {
        return None;
    }
    let next = a.parse::<u128>().ok()?.checked_add(1)?;
    if b.parse::<u128>().ok()? <= next {
        return None;
    }
    let next = format!("{next:0width$}", width = a.len());
    let name = parts(before).enumerate().map(|(at, part)| match part {
        Part::Number(_) if at == index => next.as_str(),
        Part::Number(text) | Part::Text(text) => text,
    });
    Some(name.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let sorted = [
            "",
            "1",
            "2.npy",
            "10.npy",
            "a",
            "a0/emb_9",
            "a00/emb_8",
            "a1/emb_3",
            "a1/emb_003",
            "a1/emb_20",
            "a10/emb_1",
            "b99999999999999999999999999999999999999998",
            "b99999999999999999999999999999999999999999",
            "b100000000000000000000000000000000000000000",
            "größe_2",
            "größe_10",
        ];
        // Equal numbers are in the order of their digits.
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare(a, b));
        for (a, b) in names.iter().zip(&names[1..]) {
            assert_eq!((compare(a, b), compare(b, a)), (Ordering::Less, Ordering::Greater), "{a} {b}");
        }
        let place = |name: &str| names.iter().position(|&n| n == name).unwrap();
        for (a, b) in
            [("1", "2.npy"), ("2.npy", "10.npy"), ("a0/emb_9", "a1/emb_3"), ("a1/emb_003", "a1/emb_20")]
        {
            assert!(place(a) < place(b), "{a} {b}");
        }
        assert!(place("a1/emb_20") < place("a10/emb_1") && place("größe_2") < place("größe_10"));
        assert!(place(sorted[12]) == place(sorted[11]) + 1 && place(sorted[13]) == place(sorted[12]) + 1);
    }

    #[test]
    fn what_is_missing_is_named_as_its_neighbours_are() {
        for (before, after, name) in [
            ("emb_0.npy", "emb_2.npy", Some("emb_1.npy")),
            ("emb_9.npy", "emb_11.npy", Some("emb_10.npy")),
            ("emb_009.npy", "emb_100.npy", Some("emb_010.npy")),
            ("emb_099", "emb_101", Some("emb_100")),
            ("x-00001-of-00003.npy", "x-00003-of-00003.npy", Some("x-00002-of-00003.npy")),
            ("emb_0", "emb_1", None),
            ("emb_1", "emb_01", None),
            ("emb_9", "emb_10", None),
            ("run1_9", "run3_0", None),
            ("emb_1", "emb_3.npy", None),
            ("emb_a", "emb_c", None),
            ("emb_1", "emb_1", None),
            ("emb_1", "emb_999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(missing(before, after).as_deref(), name, "{before} {after}");
        }
    }
}
