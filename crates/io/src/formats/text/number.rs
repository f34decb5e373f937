//! Numbers of decimal text.

use std::str;

use crate::{Fault, dtype::excerpt};

/// What takes the text of each number.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Fault>;

/// Whether a text is a number, `nan` and `inf` among them.
pub(crate) fn is_number(text: &[u8]) -> bool {
    parsed::<f64>(text).is_some()
}

/// Whether a text stands for a value that is missing, as pandas reads it.
pub(crate) fn is_null(text: &[u8]) -> bool {
    const NULLS: [&[u8]; 7] = [b"", b"null", b"none", b"na", b"n/a", b"<na>", b"-"];
    NULLS.iter().any(|null| text.trim_ascii().eq_ignore_ascii_case(null))
}

/// The number that a text is, rounded once to the nearest of its type.
pub(super) fn parsed<T: str::FromStr>(text: &[u8]) -> Option<T> {
    str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

/// The number at a place of a row.
pub(super) fn number<T: str::FromStr>(text: &[u8], row: usize, dim: usize) -> Result<T, Fault> {
    parsed(text).ok_or_else(|| {
        if is_null(text) {
            Fault::NullValue { row, dim }
        } else {
            Fault::NotNumber { row, dim, found: excerpt(text.trim_ascii()) }
        }
    })
}

/// What Python writes before a list that is an array or a tensor.
const ARRAYS: [&[u8]; 5] = [b"array", b"np.array", b"numpy.array", b"tensor", b"torch.tensor"];

/// What encloses a tuple of Python and an array of PostgreSQL, before and behind.
const ENCLOSING: [(&[u8], &[u8]); 2] = [(b"(", b")"), (b"{", b"}")];

/// Whether a text begins as a list of numbers does, or as an array, a tensor or a tuple of them.
pub(crate) fn is_list(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let has_number = |(before, _): (&[u8], _)| text.strip_prefix(before).is_some_and(begins_with_number);
    text.starts_with(b"[") || ENCLOSING.into_iter().any(has_number) || of_array(text).is_some()
}

fn begins_with_number(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| matches!(byte, b',' | b' ' | b')' | b'}')).unwrap_or(text.len());
    is_number(&text[..end]) || SCALARS.iter().any(|name| text.starts_with(name))
}

/// What numpy writes before a number of its own: `np.float32(1.5)`.
const SCALARS: [&[u8]; 2] = [b"np.float", b"numpy.float"];

/// A number without what numpy writes around it.
fn bare(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let of_numpy = || {
        let behind = SCALARS.iter().find_map(|name| text.strip_prefix(*name))?;
        let (_, number) = behind.split_at_checked(memchr::memchr(b'(', behind)? + 1)?;
        number.strip_suffix(b")")
    };
    of_numpy().unwrap_or(text)
}

/// Numbers that are a point without brackets: fewer may be a date, a time, a box or a number of a telephone.
const LEAST_WITHOUT_BRACKETS: usize = 8;

/// How many numbers a text is that has spaces between them; None where it has anything else, or few.
pub(crate) fn spaced_numbers(text: &[u8]) -> Option<usize> {
    let mut count = 0;
    let are_numbers = spaced(text).inspect(|_| count += 1).all(is_number);
    Some(count).filter(|&count| are_numbers && count >= LEAST_WITHOUT_BRACKETS)
}

/// What spaces separate.
fn spaced(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace).filter(|number| !number.is_empty())
}

/// The list of an array: `array([1, 2], dtype=float32)`.
fn of_array(text: &[u8]) -> Option<&[u8]> {
    let rest = ARRAYS.iter().find_map(|name| text.strip_prefix(*name)?.strip_prefix(b"("))?;
    rest.trim_ascii_start().starts_with(b"[").then_some(rest)
}

/// What is between the brackets of a list, an array, a tensor or a tuple.
fn inner(text: &[u8]) -> Option<&[u8]> {
    if let Some(list) = of_array(text) {
        // Behind the list, the dtype or the device may be told.
        let end = memchr::memchr(b']', list)?;
        let behind = list[end + 1..].trim_ascii().strip_suffix(b")")?.trim_ascii();
        return if behind.is_empty() || behind.starts_with(b",") {
            list[..end].trim_ascii_start().strip_prefix(b"[")
        } else {
            None
        };
    }
    for (before, behind) in ENCLOSING {
        if let Some(tuple) = text.strip_prefix(before).filter(|inner| begins_with_number(inner)) {
            let tuple = tuple.strip_suffix(behind)?.trim_ascii();
            // That of one number has a comma behind it.
            return Some(tuple.strip_suffix(b",").unwrap_or(tuple));
        }
    }
    text.strip_prefix(b"[")?.strip_suffix(b"]")
}

/// Gives the numbers of a list `[1, 2.5, -3e-2]` to `each`. Commas or spaces separate them.
pub(crate) fn list(text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
    let text = text.trim_ascii();
    let Some(inner) = inner(text) else {
        return Err(match text {
            b"" | b"null" | b"None" => Fault::NullRow { row },
            text => Fault::NoList { row, found: excerpt(text) },
        });
    };
    let inner = inner.trim_ascii();
    if inner.is_empty() {
        return Err(Fault::NullRow { row });
    }
    if memchr::memchr(b',', inner).is_some() {
        inner.split(|&byte| byte == b',').map(bare).try_for_each(each)
    } else {
        // As numpy shows an array.
        spaced(inner).map(bare).try_for_each(each)
    }
}

/// The same of a field of a table, where spaces may separate numbers without brackets.
pub(crate) fn cell(text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
    if spaced_numbers(text).is_some() { spaced(text).try_for_each(each) } else { list(text, row, each) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_once() {
        // Just above the middle of two neighbours of f32; in f64 it is the middle, which would go down to the even one.
        let text = b"1.00000005960464477540";
        assert_eq!(parsed::<f32>(text), Some(1.0 + f32::EPSILON));
        assert_eq!(parsed::<f64>(text).map(|value| value as f32), Some(1.0));
        assert_eq!(parsed::<f32>(b" -3e-2 "), Some(-0.03));
        assert!(
            parsed::<f32>(b"NaN").is_some_and(f32::is_nan)
                && parsed::<f32>(b"-inf") == Some(f32::NEG_INFINITY)
        );
        assert!(["", "1,5", "0x10", "1_000", "١"].iter().all(|text| !is_number(text.as_bytes())));
    }

    #[test]
    fn numbers_with_spaces_and_no_brackets() {
        let mut found = Vec::new();
        let mut each = |text: &[u8]| number::<f64>(text, 4, 0).map(|value| found.push(value));
        cell(b" 1.0  2.5 -3e-2 1 1 1 1 1", 4, &mut each).unwrap();
        cell(b"[4, 5]", 4, &mut each).unwrap();
        cell(b"{6,7.5}", 4, &mut each).unwrap();
        assert_eq!(found, [1.0, 2.5, -0.03, 1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 5.0, 6.0, 7.5]);
        for text in ["1 2", "2020 01 02 03 04 05", "1", "", "1 2 3 4 5 6 7 x", "1,2,3,4,5,6,7,8"] {
            assert!(spaced_numbers(text.as_bytes()).is_none(), "{text}");
        }
        let none = &mut |_: &[u8]| Ok(());
        assert!(matches!(cell(b"1 2", 4, none), Err(Fault::NoList { row: 4, .. })));
    }

    #[test]
    fn lists_with_commas_and_without() {
        let numbers = |text: &str| {
            let mut numbers = Vec::new();
            let mut each =
                |text: &[u8]| number::<f64>(text, 4, numbers.len()).map(|value| numbers.push(value));
            list(text.as_bytes(), 4, &mut each).map(|()| numbers)
        };
        assert_eq!(numbers(" [1, 2.5,-3e-2 ] ").unwrap(), [1.0, 2.5, -0.03]);
        assert_eq!(numbers("[ 1.   2.5\n 3.]").unwrap(), [1.0, 2.5, 3.0]);
        // As Python shows tuples, arrays and tensors.
        for text in [
            "(1.0, 2.5)",
            "array([1. , 2.5])",
            "np.array([1, 2.5], dtype=float32)",
            "tensor([1.0000, 2.5000])",
            "tensor([1.0, 2.5], device='cuda:0', grad_fn=<X>)",
            "torch.tensor( [1,\n 2.5] )",
        ] {
            assert!(is_list(text.as_bytes()), "{text}");
            assert_eq!(numbers(text).unwrap(), [1.0, 2.5], "{text}");
        }
        // As numpy 2 shows its own numbers, and PostgreSQL its arrays.
        for text in ["{1,2.5}", "{ 1.0, 2.5 }", "(np.float32(1.0), np.float32(2.5))"] {
            assert!(is_list(text.as_bytes()), "{text}");
            assert_eq!(numbers(text).unwrap(), [1.0, 2.5], "{text}");
        }
        assert_eq!(numbers("[np.float64(1), numpy.float16( 2.5 )]").unwrap(), [1.0, 2.5]);
        assert_eq!(numbers("(2.5,)").unwrap(), [2.5]);
        for text in ["(see page 3)", "()", "{}", "{\"a\": 1}", "{a}", "arrays", "array(1)", "tensor", "(x)"] {
            assert!(!is_list(text.as_bytes()), "{text}");
        }
        for text in ["[np.float32(1.0, 2]", "[np.float32 1.0, 2]", "[np.floats(), 2]", "(np.float32[1), 2)"] {
            assert!(
                matches!(numbers(text), Err(Fault::NotNumber { .. } | Fault::NullValue { .. })),
                "{text}"
            );
        }
        assert!(matches!(numbers("{1, 2"), Err(Fault::NoList { row: 4, .. })));
        assert!(matches!(numbers("1 2 3"), Err(Fault::NoList { row: 4, .. })));
        assert!(matches!(numbers("tensor([1, 2"), Err(Fault::NoList { row: 4, .. })));
        assert!(matches!(numbers("array([1, 2]; x)"), Err(Fault::NoList { row: 4, .. })));
        assert!(matches!(numbers("[1,,2]"), Err(Fault::NullValue { row: 4, dim: 1 })));
        assert!(matches!(numbers("[1,x]"), Err(Fault::NotNumber { row: 4, dim: 1, .. })));
        assert!(matches!(numbers("[]"), Err(Fault::NullRow { row: 4 })));
        assert!(matches!(numbers("null"), Err(Fault::NullRow { row: 4 })));
        assert!(matches!(numbers("[1, 2"), Err(Fault::NoList { row: 4, .. })));
    }
}
