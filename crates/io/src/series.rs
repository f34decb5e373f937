//! Names with numbers in them: their natural order, and what keeps them from being one series.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    path::is_separator,
};

/// What keeps names from being one series. Places are those of the names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// This one differs from the first in more than numbers.
    Mixed(usize),
    /// This one has the same numbers as the one before.
    Twin(usize),
    /// This one has another total than the first.
    Total(usize),
    /// A name that is not there, and the total of the others where they have one.
    Missing { name: String, total: Option<u128> },
    /// This one is beyond the total.
    Extra { place: usize, total: u128 },
}

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
pub fn natural_order(a: &str, b: &str) -> Ordering {
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

/// The first flaw of names in natural order.
pub(crate) fn flaw(names: &[impl AsRef<str>]) -> Option<Flaw> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let &first = names.first()?;
    if let Some(place) = names.iter().position(|name| !texts(name).eq(texts(first))) {
        return Some(Flaw::Mixed(place));
    }
    if let Some(before) =
        names.windows(2).position(|pair| parts(pair[0]).map(key).eq(parts(pair[1]).map(key)))
    {
        return Some(Flaw::Twin(before + 1));
    }
    let total = total_part(first).and_then(|part| Some((part, number(first, part)?)));
    match total {
        Some((part, total)) => flaw_of_total(&names, part, total),
        None => gap(&names).map(|name| Flaw::Missing { name, total: None }),
    }
}

/// A name without the digits of its numbers.
fn texts(name: &str) -> impl Iterator<Item = Option<&str>> {
    parts(name).map(|part| match part {
        Part::Number(_) => None,
        Part::Text(text) => Some(text),
    })
}

/// The number that a part of a name is, unless it is beyond 128 bits.
fn number(name: &str, part: usize) -> Option<u128> {
    match parts(name).nth(part)? {
        Part::Number(digits) => digits.parse().ok(),
        Part::Text(_) => None,
    }
}

/// The name with another number in this part, of as many digits at least.
fn with_number(name: &str, part: usize, number: u128) -> String {
    let mut renamed = String::with_capacity(name.len() + 1);
    for (index, old) in parts(name).enumerate() {
        match old {
            Part::Number(digits) if index == part => {
                renamed += &format!("{number:0width$}", width = digits.len())
            }
            Part::Number(text) | Part::Text(text) => renamed += text,
        }
    }
    renamed
}

/// The part of a name that is its total: 3 in x-1-of-3.npy and in x_1_of_3.npy. Directories have none, because a whole set
/// may be in one.
fn total_part(name: &str) -> Option<usize> {
    let parts: Vec<_> = parts(name).collect();
    let is_total =
        |three: &[Part<'_>]| matches!(three, [Part::Number(_), Part::Text("-of-" | "_of_"), Part::Number(_)]);
    let total = parts.windows(3).rposition(is_total)? + 2;
    let in_directory =
        parts[total..].iter().any(|part| matches!(part, Part::Text(text) if text.contains(is_separator)));
    (!in_directory).then_some(total)
}

/// The first flaw of names that have a total in this part: from 0 or 1, they are as many as it says.
fn flaw_of_total(names: &[&str], part: usize, total: u128) -> Option<Flaw> {
    if let Some(place) = names.iter().position(|name| number(name, part) != Some(total)) {
        return Some(Flaw::Total(place));
    }
    // The number is two parts before the total.
    let part = part - 2;
    let there: BTreeSet<_> = names.iter().filter_map(|name| number(name, part)).collect();
    // Without 0, the last is missing rather than the first: a program that stops early leaves the last ones out.
    let start = u128::from(!there.contains(&0));
    let expected = start..start.saturating_add(total);
    if let Some(missing) = expected.clone().find(|number| !there.contains(number)) {
        return Some(Flaw::Missing { name: with_number(names[0], part, missing), total: Some(total) });
    }
    let mut seen = BTreeSet::new();
    let is_extra = |name: &&str| {
        number(name, part).is_none_or(|number| !expected.contains(&number) || !seen.insert(number))
    };
    let place = names.iter().position(is_extra)?;
    Some(Flaw::Extra { place, total })
}

/// Where two names differ, in one number alone.
struct Difference {
    part: usize,
    before: u128,
    after: u128,
}

impl Difference {
    fn between(before: &str, after: &str) -> Option<Self> {
        let mut differ = parts(before).zip(parts(after)).enumerate().filter(|(_, (a, b))| key(*a) != key(*b));
        let (part, _) = differ.next()?;
        if differ.next().is_some() {
            return None;
        }
        Some(Self { part, before: number(before, part)?, after: number(after, part)? })
    }
}

/// The number of each name in which they all differ, where all else of them is the same; None of one name.
pub fn numbers_apart(names: &[&str]) -> Option<Vec<u128>> {
    let (first, others) = names.split_first()?;
    if others.iter().any(|name| !texts(name).eq(texts(first))) {
        return None;
    }
    let is_twin = |name: &&&str| parts(name).map(key).eq(parts(first).map(key));
    let others = others.iter().filter(|name| !is_twin(name));
    let mut differences = others.map(|name| Difference::between(first, name));
    let part = differences.next()??.part;
    let is_other = |difference: Option<Difference>| difference.is_none_or(|of| of.part != part);
    if differences.any(is_other) {
        return None;
    }
    names.iter().map(|name| number(name, part)).collect()
}

/// Whether two names differ in one number alone.
pub(crate) fn differ_in_one_number(a: &str, b: &str) -> bool {
    texts(a).eq(texts(b)) && Difference::between(a, b).is_some()
}

/// The first name that is missing between two neighbours.
fn gap(names: &[&str]) -> Option<String> {
    let between = |pair: &[&str]| Difference::between(pair[0], pair[1]);
    let differences: Vec<_> = names.windows(2).map(between).collect();
    let steps = steps(differences.iter().flatten());
    names.iter().zip(&differences).find_map(|(name, difference)| {
        let &Difference { part, before, after } = difference.as_ref()?;
        let next = before.checked_add(*steps.get(&part)?)?;
        (next < after).then(|| with_number(name, part, next))
    })
}

/// The step of each part: the smallest difference, or 1 where there is but one, which may be a gap.
fn steps<'a>(differences: impl Iterator<Item = &'a Difference>) -> BTreeMap<usize, u128> {
    let mut sizes = BTreeMap::<usize, Vec<u128>>::new();
    for difference in differences {
        sizes.entry(difference.part).or_default().push(difference.after.saturating_sub(difference.before));
    }
    let step = |sizes: &[u128]| if sizes.len() == 1 { 1 } else { sizes.iter().copied().min().unwrap_or(1) };
    sizes.into_iter().map(|(part, sizes)| (part, step(&sizes))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_natural_order() {
        let mut names = ["b2", "a10", "a9", "a", "a9b1", "10", "9"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["9", "10", "a", "a9", "a9b1", "a10", "b2"]);
    }

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
        names.sort_by(|a, b| natural_order(a, b));
        for (a, b) in names.iter().zip(&names[1..]) {
            assert_eq!(
                (natural_order(a, b), natural_order(b, a)),
                (Ordering::Less, Ordering::Greater),
                "{a} {b}"
            );
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

    fn missing(name: &str) -> Option<Flaw> {
        Some(Flaw::Missing { name: name.into(), total: None })
    }

    #[test]
    fn names_of_one_series_differ_in_numbers_alone() {
        let cases: [(&[&str], _); 13] = [
            (&[], None),
            (&["emb.npy"], None),
            (&["emb_7.npy"], None),
            (&["d0/emb_0", "d0/emb_1", "d1/emb_0", "d1/emb_1"], None),
            (&["emb_08", "emb_9", "emb_10"], None),
            (&["emb_0", "emb_1", "img_0"], Some(Flaw::Mixed(2))),
            (&["e_0", "e_1", "e_final"], Some(Flaw::Mixed(2))),
            (&["emb", "emb_0"], Some(Flaw::Mixed(1))),
            (&["emb_1", "emb_2.npy"], Some(Flaw::Mixed(1))),
            (&["1a", "a1"], Some(Flaw::Mixed(1))),
            (&["emb_01", "emb_1"], Some(Flaw::Twin(1))),
            (&["emb_0", "emb_1", "emb_0001"], Some(Flaw::Twin(2))),
            (&["a1/emb_02", "a01/emb_2"], Some(Flaw::Twin(1))),
        ];
        for (names, expected) in cases {
            assert_eq!(flaw(names), expected, "{names:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named_as_its_neighbours_are() {
        for (before, after, name) in [
            ("emb_0.npy", "emb_2.npy", Some("emb_1.npy")),
            ("emb_9.npy", "emb_11.npy", Some("emb_10.npy")),
            ("emb_009.npy", "emb_100.npy", Some("emb_010.npy")),
            ("emb_099", "emb_101", Some("emb_100")),
            ("a1/emb_1", "a01/emb_3", Some("a1/emb_2")),
            ("d0/emb_5", "d2/emb_5", Some("d1/emb_5")),
            ("emb_0", "emb_1", None),
            ("emb_9", "emb_10", None),
            ("run1_9", "run3_0", None),
            ("emb_1", "emb_999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(flaw(&[before, after]), name.and_then(missing), "{before} {after}");
        }
    }

    #[test]
    fn a_gap_is_larger_than_the_step() {
        let cases: [(&[&str], _); 10] = [
            (&["c_1000", "c_2000", "c_3000"], None),
            (&["c_1000", "c_2000", "c_3000", "c_5000"], missing("c_4000")),
            (&["c_1000", "c_4000", "c_5000", "c_6000"], missing("c_2000")),
            (&["c_0000", "c_0500", "c_1500"], missing("c_1000")),
            (&["c_0", "c_4096", "c_9000"], missing("c_8192")),
            (&["c_3", "c_4", "c_6"], missing("c_5")),
            (&["c_1000", "c_2000"], missing("c_1001")),
            // Each number of a name has a step of its own.
            (&["c_10/e_0", "c_10/e_1", "c_20/e_1", "c_30/e_1"], None),
            (&["c_10/e_0", "c_20/e_0", "c_20/e_1", "c_30/e_1", "c_50/e_1"], missing("c_40/e_1")),
            (&["d0/e_0", "d0/e_2", "d1/e_0"], missing("d0/e_1")),
        ];
        for (names, expected) in cases {
            assert_eq!(flaw(names), expected, "{names:?}");
        }
    }

    #[test]
    fn names_with_a_total_are_as_many() {
        let missing = |name: &str, total| Some(Flaw::Missing { name: name.into(), total: Some(total) });
        let extra = |place, total| Some(Flaw::Extra { place, total });
        let cases: [(&[&str], _); 19] = [
            (&["x-0-of-2", "x-1-of-2"], None),
            (&["x_1_of_2", "x_2_of_2"], None),
            (&["x-00001-of-00001.npy"], None),
            (&["x-2024-1-of-2", "x-2025-0-of-2"], None),
            (&["x-1-of-3", "x-3-of-3"], missing("x-2-of-3", 3)),
            (&["x-00000-of-00003.npy", "x-00001-of-00003.npy"], missing("x-00002-of-00003.npy", 3)),
            (&["x_2_of_3", "x_3_of_3"], missing("x_1_of_3", 3)),
            (&["x-1-of-3", "x-2-of-3"], missing("x-3-of-3", 3)),
            (&["x-0-of-2"], missing("x-1-of-2", 2)),
            (&["x-0-of-99999999999999999999"], missing("x-1-of-99999999999999999999", 99999999999999999999)),
            (&["x-0-of-2", "x-1-of-3"], Some(Flaw::Total(1))),
            (&["x-0-of-2", "x-1-of-02"], None),
            (&["x-0-of-2", "x-1-of-2", "x-2-of-2"], extra(2, 2)),
            (&["a1/x-0-of-2", "a1/x-1-of-2", "a2/x-0-of-2"], extra(2, 2)),
            (&["x-1-of-0"], extra(0, 0)),
            // What looks like a total and is none.
            (&["best_of_5_e_0", "best_of_5_e_1"], None),
            (&["1-of-9/e_0", "1-of-9/e_1"], None),
            (&["x-1-off-9", "x-2-off-9"], None),
            (&["x-1-of-999999999999999999999999999999999999999999"], None),
        ];
        for (names, expected) in cases {
            assert_eq!(flaw(names), expected, "{names:?}");
        }
    }

    #[test]
    fn steps_are_the_one_number_that_differs() {
        for (names, steps) in [
            (&["ck/step_10.npy", "ck/step_9.npy", "ck/step_100.npy"][..], Some(vec![10, 9, 100])),
            (&["v2-5.f16bin", "v2-7.f16bin"], Some(vec![5, 7])),
            (&["run/007", "run/12"], Some(vec![7, 12])),
            (&["3", "1"], Some(vec![3, 1])),
            (&["a7", "a007", "a12"], Some(vec![7, 7, 12])),
            (&["a7", "a007"], None),
            (&["a1-b2", "a2-b3"], None),
            (&["a1", "b2"], None),
            (&["a", "a1"], None),
            (&["a1"], None),
            (&[], None),
        ] {
            assert_eq!(numbers_apart(names), steps, "{names:?}");
        }
    }
}
