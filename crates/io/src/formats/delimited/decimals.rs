//! Decimal commas, as spreadsheets of many countries write numbers: other separators would make numbers of them, twice as many.

use super::{fields::fields, head::Head};
use crate::{
    Fault,
    dtype::excerpt,
    formats::text::{Cursor, End, is_number},
    stored::Stored,
};

/// Rows that are looked at: the names, and numbers below them.
const ROWS: usize = 2;
/// Rows that are looked at where the comma separates fields too, as just some numbers show what they are.
const ROWS_OF_COMMAS: usize = 16;

/// Fails where the numbers of a row have decimal commas and other separators, with what writes them with points.
pub(super) fn check(stored: &Stored, start: u64) -> Result<(), Fault> {
    for separator in [b';', b'\t', b' '] {
        let mut rows = Cursor::new(stored, End::Record(separator), 0, start);
        for row in 0..ROWS {
            let Ok(Some((_, text))) = rows.next() else { break };
            if let Some(Found { number, has_points }) = of_row(text, separator) {
                let cure = if has_points { with_pandas(separator, row > 0, true) } else { WITH_SED.into() };
                return Err(Fault::DecimalCommas { found: number, cure });
            }
        }
    }
    Ok(())
}

/// The same of points between commas: numbers in quotes, or halves of numbers.
pub(super) fn check_between_commas(stored: &Stored, head: &Head) -> Result<(), Fault> {
    // What is taken for names may be numbers in quotes.
    let start = head.line_of_names.unwrap_or(head.start);
    let mut rows = Cursor::new(stored, End::Record(b','), 0, start);
    for row in 0..if head.separator == b',' { ROWS_OF_COMMAS } else { 0 } {
        let Ok(Some((_, text))) = rows.next() else { break };
        if let Some(Found { number, has_points }) = of_row(text, b',') {
            let cure = with_pandas(b',', row > 0 && head.is_named, has_points);
            return Err(Fault::DecimalCommas { found: number, cure });
        }
        if let Some(number) = between_commas(text) {
            return Err(Fault::DecimalCommas { found: number, cure: BETWEEN_COMMAS.into() });
        }
    }
    Ok(())
}

const WITH_SED: &str = "write a copy with points: sed 'y/,/./' FILE > COPY";
const BETWEEN_COMMAS: &str = "save it again with points; or, if each number has a comma, write a copy: \
     sed -E 's/([^,]+),([^,]+)(,|$)/\\1.\\2\\3/g' FILE > COPY";

/// The copy that pandas writes.
fn with_pandas(separator: u8, has_names: bool, has_thousands: bool) -> String {
    let separator = match separator {
        b'\t' => "\\t",
        b' ' => " ",
        b';' => ";",
        _ => ",",
    };
    let thousands = if has_thousands { ", thousands='.'" } else { "" };
    let (header, of_copy) = if has_names { ("", "") } else { (", header=None", ", header=False") };
    format!(
        "write a copy with points: pandas.read_csv('FILE', sep='{separator}', decimal=','{thousands}{header})\
         .to_csv('COPY', index=False{of_copy})"
    )
}

/// What a row has.
struct Found {
    /// A number with a decimal comma.
    number: String,
    /// Whether some have points too, between thousands.
    has_points: bool,
}

/// What a row has where all of its fields are numbers, some of them with a decimal comma.
fn of_row(row: &[u8], separator: u8) -> Option<Found> {
    let (mut found, mut count, mut with_commas) = (None, 0, 0);
    let (mut are_numbers, mut has_points) = (true, false);
    // Nothing here fails.
    let _ = fields(row, separator, |_, field| {
        let field = field.trim_ascii();
        count += 1;
        if let Some(comma) = field.iter().position(|&byte| byte == b',') {
            let (whole, fraction) = (&field[..comma], &field[comma + 1..]);
            are_numbers &= is_fraction(fraction) && is_whole(whole);
            has_points |= whole.contains(&b'.');
            with_commas += 1;
            found.get_or_insert_with(|| excerpt(field));
        } else {
            are_numbers &= is_number(field) || is_whole(field);
            has_points |= field.contains(&b'.');
        }
        Ok(())
    });
    // Behind a number of the row and a comma, spaces may separate those of a point.
    let is_sure = separator != b' ' || with_commas > 1;
    Some(Found { number: found.filter(|_| count > 1 && are_numbers && is_sure)?, has_points })
}

/// A number of a row whose fields are halves of numbers: whole, of which the second has no sign, and is no whole number by itself.
fn between_commas(row: &[u8]) -> Option<String> {
    let (mut count, mut are_halves, mut shows) = (0, true, None);
    let mut whole = Vec::new();
    // Nothing here fails.
    let _ = fields(row, b',', |column, field| {
        let field = field.trim_ascii();
        count += 1;
        if column % 2 == 0 {
            are_halves &= is_whole(field) && !field.is_empty();
            whole = field.to_vec();
        } else {
            are_halves &= is_fraction(field);
            let is_no_number = whole == b"-0"
                || field.len() > 1 && field[0] == b'0'
                || !field.iter().all(u8::is_ascii_digit);
            if is_no_number && shows.is_none() {
                shows = Some(excerpt(&[&whole[..], b",", field].concat()));
            }
        }
        Ok(())
    });
    shows.filter(|_| are_halves && count % 2 == 0)
}

/// Whether a text is what stands before a decimal comma: digits, which points may part into thousands.
fn is_whole(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut thousands = digits.split(|&byte| byte == b'.');
    let are_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    thousands.next().is_some_and(are_digits) && thousands.all(|part| part.len() == 3 && are_digits(part))
}

/// Whether a text is what stands behind a decimal comma: digits, and an exponent.
fn is_fraction(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit) && !text.contains(&b'.') && is_number(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_numbers_with_decimal_commas() {
        let found =
            |row: &str, separator| of_row(row.as_bytes(), separator).map(|of| (of.number, of.has_points));
        assert_eq!(found("1,5;-,25;3", b';'), Some(("1,5".into(), false)));
        assert_eq!(found("1.234,5;2;6.000.000,1", b';'), Some(("1.234,5".into(), true)));
        assert_eq!(found("\"0,126\",\"-0,132\"", b','), Some(("0,126".into(), false)));
        for none in ["1,5", "0,0.126 -0.132 0.5", "a;1,5", "1.5;2.5", "1,2,3;4", "12.34,5;1"] {
            assert!(found(none, b';').is_none() && found(none, b' ').is_none(), "{none}");
        }
    }

    #[test]
    fn fields_that_are_halves_of_numbers() {
        let found = |row: &str| between_commas(row.as_bytes());
        assert_eq!(found("0,126,-0,132").as_deref(), Some("-0,132"));
        assert_eq!(found("1,05,3,2").as_deref(), Some("1,05"));
        assert_eq!(found("1,5e-05,3,2").as_deref(), Some("1,5e-05"));
        for none in ["1,2,3,4", "0,126,3,132", "1,05,3", "1,05,3,-2", "1.5,05", "a,05", "-0,1,2", "7,0,8,0"] {
            assert!(found(none).is_none(), "{none}");
        }
    }
}
