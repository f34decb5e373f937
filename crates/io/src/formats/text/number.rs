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

/// Gives the numbers of a list `[1, 2.5, -3e-2]` to `each`. Commas or spaces separate them.
pub(crate) fn list(text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault> {
    let text = text.trim_ascii();
    let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
    let Some(inner) = inner else {
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
        inner.split(|&byte| byte == b',').try_for_each(each)
    } else {
        // As numpy shows an array.
        inner.split(u8::is_ascii_whitespace).filter(|number| !number.is_empty()).try_for_each(each)
    }
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
    fn lists_with_commas_and_without() {
        let numbers = |text: &str| {
            let mut numbers = Vec::new();
            let mut each =
                |text: &[u8]| number::<f64>(text, 4, numbers.len()).map(|value| numbers.push(value));
            list(text.as_bytes(), 4, &mut each).map(|()| numbers)
        };
        assert_eq!(numbers(" [1, 2.5,-3e-2 ] ").unwrap(), [1.0, 2.5, -0.03]);
        assert_eq!(numbers("[ 1.   2.5\n 3.]").unwrap(), [1.0, 2.5, 3.0]);
        assert!(matches!(numbers("[1,,2]"), Err(Fault::NullValue { row: 4, dim: 1 })));
        assert!(matches!(numbers("[1,x]"), Err(Fault::NotNumber { row: 4, dim: 1, .. })));
        assert!(matches!(numbers("[]"), Err(Fault::NullRow { row: 4 })));
        assert!(matches!(numbers("null"), Err(Fault::NullRow { row: 4 })));
        assert!(matches!(numbers("[1, 2"), Err(Fault::NoList { row: 4, .. })));
    }
}
