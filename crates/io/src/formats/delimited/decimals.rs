//! Decimal commas, as spreadsheets of many countries write numbers: other separators would make numbers of them, twice as many.

use super::fields::fields;
use crate::{
    Fault,
    dtype::excerpt,
    formats::text::{Cursor, End, is_number},
    stored::Stored,
};

/// Rows in which decimal commas show: the names, and numbers below them.
const ROWS: usize = 2;
/// Rows that tell what else the numbers have.
const ROWS_THAT_TELL: usize = 16;

/// Fails where the numbers of a row have decimal commas and other separators, with what writes them with points.
pub(super) fn check(stored: &Stored, start: u64) -> Result<(), Fault> {
    for separator in [b';', b'\t', b' '] {
        let Some(found) = look(stored, start, separator, ROWS) else { continue };
        // Points that part no thousands are decimal points of other numbers, and stay.
        let cure = match found {
            Found { may_be_thousands: true, .. } => THOUSANDS_OR_DECIMALS.into(),
            Found { has_thousands: true, has_points: false, .. } => found.with_pandas(separator),
            _ => WITH_SED.into(),
        };
        return Err(Fault::DecimalCommas { found: found.number, cure });
    }
    Ok(())
}

/// The same of points beside columns of text.
pub(super) fn check_beside_text(stored: &Stored) -> Result<(), Fault> {
    for separator in [b';', b'\t'] {
        let mut rows = Cursor::new(stored, End::Record(separator), 0, 0);
        for _ in 0..ROWS {
            let Ok(Some((_, text))) = rows.next() else { break };
            if let Some(found) = beside_text(text, separator) {
                return Err(Fault::DecimalCommas { found, cure: WITH_SED.into() });
            }
        }
    }
    Ok(())
}

/// A number with a decimal comma of a row that has two at least, and as many as texts without a comma, of which it has one, and nothing
/// with a point.
fn beside_text(row: &[u8], separator: u8) -> Option<String> {
    let (mut with_commas, mut texts, mut is_so, mut found) = (0, 0, true, None);
    // Nothing here fails.
    let _ = fields(row, separator, |_, field| {
        let field = field.trim_ascii();
        match at_comma(field) {
            Some(parts) if is_decimal(parts) => {
                with_commas += 1;
                found.get_or_insert_with(|| excerpt(field));
            }
            Some(_) => is_so = false,
            None if is_number(field) => is_so &= !field.contains(&b'.'),
            None => texts += 1,
        }
        Ok(())
    });
    found.filter(|_| is_so && texts > 0 && with_commas >= 2.max(texts))
}

/// The same of points between commas, whose first line, of names or not, and first row begin at these bytes: numbers in quotes; and where
/// nothing chooses the columns, halves of numbers.
pub(super) fn check_between_commas(
    stored: &Stored,
    start: u64,
    start_of_rows: u64,
    is_chosen: bool,
) -> Result<(), Fault> {
    if let Some(found) = look(stored, start, b',', ROWS_THAT_TELL) {
        let mut cure = found.with_pandas(b',');
        if found.may_be_thousands {
            cure += ", or with thousands=',' in the place of decimal=',' where commas part thousands";
        }
        return Err(Fault::DecimalCommas { found: found.number, cure });
    }
    match halves(stored, start_of_rows).filter(|_| !is_chosen) {
        Some(found) => Err(Fault::DecimalCommas { found, cure: BETWEEN_COMMAS.into() }),
        None => Ok(()),
    }
}

const WITH_SED: &str = "write a copy with points: sed 'y/,/./' FILE > COPY";
const THOUSANDS_OR_DECIMALS: &str = "write a copy: where commas part thousands, sed 's/,//g' FILE > COPY; and where they are decimal, \
     sed 'y/,/./' FILE > COPY";
const BETWEEN_COMMAS: &str = "save it again with points; or, if each number has a comma, write a copy: \
     sed -E 's/([^,]+),([^,]+)(,|$)/\\1.\\2\\3/g' FILE > COPY";

/// What rows have whose fields are all numbers, some of them with a decimal comma.
struct Found {
    /// A number with a comma.
    number: String,
    /// Whether the first row has names.
    has_names: bool,
    /// Whether points part thousands: 1.234,5.
    has_thousands: bool,
    /// Whether there are other points.
    has_points: bool,
    /// Whether each comma may part thousands: 1,234.
    may_be_thousands: bool,
}

impl Found {
    /// The copy that pandas writes.
    fn with_pandas(&self, separator: u8) -> String {
        let separator = match separator {
            b'\t' => "\\t",
            b' ' => " ",
            b';' => ";",
            _ => ",",
        };
        let thousands = if self.has_thousands { ", thousands='.'" } else { "" };
        let (header, of_copy) = if self.has_names { ("", "") } else { (", header=None", ", header=False") };
        format!(
            "write a copy with points: pandas.read_csv('FILE', sep='{separator}', decimal=','{thousands}{header})\
             .to_csv('COPY', index=False{of_copy})"
        )
    }
}

/// What the first rows have together, if one of the first few has it.
fn look(stored: &Stored, start: u64, separator: u8, few: usize) -> Option<Found> {
    let mut rows = Cursor::new(stored, End::Record(separator), 0, start);
    let (mut all, mut has_names): (Option<Found>, _) = (None, false);
    for row in 0..ROWS_THAT_TELL {
        if all.is_none() && row == few {
            return None;
        }
        let Ok(Some((_, text))) = rows.next() else { break };
        has_names |= row == 0 && has_name(text, separator);
        if let Some(found) = of_row(text, separator) {
            let all = all.get_or_insert(Found { has_names, may_be_thousands: true, ..found });
            all.has_thousands |= found.has_thousands;
            all.has_points |= found.has_points;
            all.may_be_thousands &= found.may_be_thousands;
        }
    }
    all
}

/// What a row has where all of its fields are numbers, some of them with a decimal comma.
fn of_row(row: &[u8], separator: u8) -> Option<Found> {
    let mut found = Found {
        number: String::new(),
        has_names: false,
        has_thousands: false,
        has_points: false,
        may_be_thousands: true,
    };
    let (mut count, mut with_commas, mut are_numbers) = (0, 0, true);
    // Nothing here fails.
    let _ = fields(row, separator, |_, field| {
        let field = field.trim_ascii();
        let has_point = field.contains(&b'.');
        count += 1;
        if let Some(parts) = at_comma(field) {
            are_numbers &= is_decimal(parts);
            found.may_be_thousands &= is_thousands(parts);
            found.has_thousands |= has_point;
            with_commas += 1;
            if with_commas == 1 {
                found.number = excerpt(field);
            }
        } else {
            are_numbers &= is_number(field) || is_whole(field);
            found.has_thousands |= has_point && is_whole(field);
            found.has_points |= has_point && !is_whole(field);
        }
        Ok(())
    });
    // Spaces may also separate the numbers of a point in one field of a row with commas.
    let is_sure = separator != b' ' || 4 * with_commas >= 3 * count;
    (with_commas > 0 && count > 1 && are_numbers && is_sure).then_some(found)
}

/// Whether a row has a field that is no number, whatever its commas and points mean.
fn has_name(row: &[u8], separator: u8) -> bool {
    let mut has_name = false;
    // Nothing here fails.
    let _ = fields(row, separator, |_, field| {
        let field = field.trim_ascii();
        let is_decimal = at_comma(field).is_some_and(is_decimal);
        has_name |= !(field.is_empty() || is_number(field) || is_whole(field) || is_decimal);
        Ok(())
    });
    has_name
}

/// A number of rows whose fields are halves of numbers: whole, the second of two without a sign. All rows that tell are such, and in
/// half of them some number is none in two: −0, or digits that begin with 0 or have an exponent.
fn halves(stored: &Stored, start: u64) -> Option<String> {
    let mut rows = Cursor::new(stored, End::Record(b','), 0, start);
    let (mut count, mut showing, mut number) = (0, 0, None);
    while count < ROWS_THAT_TELL {
        let Ok(Some((_, text))) = rows.next() else { break };
        count += 1;
        if let Some(shown) = halves_of_row(text)? {
            showing += 1;
            number.get_or_insert(shown);
        }
    }
    number.filter(|_| 2 * showing >= count)
}

/// The first number of a row of halves that is none in two; None of other rows.
fn halves_of_row(row: &[u8]) -> Option<Option<String>> {
    let (mut count, mut are_halves, mut shown) = (0, true, None);
    let mut whole = Vec::new();
    // Nothing here fails.
    let _ = fields(row, b',', |column, field| {
        let field = field.trim_ascii();
        count += 1;
        if column % 2 == 0 {
            are_halves &= is_whole(field) && !field.contains(&b'.') && !field.is_empty();
            whole = field.to_vec();
        } else {
            are_halves &= is_fraction(field);
            let is_whole_number =
                field.iter().all(u8::is_ascii_digit) && (field.len() < 2 || field[0] != b'0');
            if shown.is_none() && (whole == b"-0" || !is_whole_number) {
                shown = Some(excerpt(&[&whole[..], b",", field].concat()));
            }
        }
        Ok(())
    });
    (are_halves && count % 2 == 0).then_some(shown)
}

/// What is before the first comma of a field, and behind it.
fn at_comma(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = field.iter().position(|&byte| byte == b',')?;
    Some((&field[..comma], &field[comma + 1..]))
}

/// Whether what is around a comma makes a number, if the comma is decimal.
fn is_decimal((whole, fraction): (&[u8], &[u8])) -> bool {
    is_whole(whole) && is_fraction(fraction)
}

/// Whether a text is what stands before a decimal comma: digits, which points may part into thousands.
fn is_whole(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut groups = digits.split(|&byte| byte == b'.');
    let are_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let first = groups.next().unwrap_or_default();
    let mut is_parted = false;
    let are_thousands = groups.all(|part| {
        is_parted = true;
        part.len() == 3 && are_digits(part)
    });
    are_digits(first) && are_thousands && (!is_parted || is_first_of_thousands(first))
}

/// Whether 1,234 may be meant for a thousand and more.
fn is_thousands((whole, fraction): (&[u8], &[u8])) -> bool {
    let digits = whole.strip_prefix(b"-").unwrap_or(whole);
    is_first_of_thousands(digits) && fraction.len() == 3 && fraction.iter().all(u8::is_ascii_digit)
}

fn is_first_of_thousands(digits: &[u8]) -> bool {
    (1..=3).contains(&digits.len()) && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit)
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
        let found = |row: &str, separator| {
            let of = of_row(row.as_bytes(), separator)?;
            Some((of.number, of.has_thousands, of.has_points, of.may_be_thousands))
        };
        let plain = |number: &str| Some((number.to_owned(), false, false, false));
        assert_eq!(found("1,5;-,25;3", b';'), plain("1,5"));
        assert_eq!(found("\"0,126\",\"-0,132\"", b','), plain("0,126"));
        assert_eq!(found("1,5 0 2,5 3,5", b' '), plain("1,5"));
        assert_eq!(found("1.234,5;2;6.000.000,1", b';'), Some(("1.234,5".into(), true, false, false)));
        assert_eq!(found("1,5;2.75;0.250", b';'), Some(("1,5".into(), false, true, false)));
        assert_eq!(found("\"1,234\",5,\"-12,678\"", b','), Some(("1,234".into(), false, false, true)));
        for none in ["1,5", "0,0.126 -0.132 0.5", "0,70 80 82,1", "a;1,5", "1.5;2.5", "1,2,3;4", "12.34,5;1"]
        {
            assert!(found(none, b';').is_none() && found(none, b' ').is_none(), "{none}");
        }
        assert!(has_name(b"d0;d1", b';') && has_name(b"1,5;x", b';'));
        assert!(!has_name(b"1;2,5;1.234,5;;-0,1", b';'));
    }

    #[test]
    fn numbers_with_decimal_commas_beside_text() {
        let found = |row: &str| beside_text(row.as_bytes(), b';');
        assert_eq!(found("x;0,5;-1,5").as_deref(), Some("0,5"));
        assert_eq!(found("a;7;0,5;-1,5;b").as_deref(), Some("0,5"));
        for none in ["0,5;1,5", "x;0,5", "x;0,5;1.5;2,5", "a, b;0,5;1,5", "a;b;c;0,5;1,5", "a;b", "[0,5;0,5]"]
        {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn fields_that_are_halves_of_numbers() {
        let found = |row: &str| halves_of_row(row.as_bytes());
        for (row, number) in [("0,126,-0,132", "-0,132"), ("1,05,3,2", "1,05"), ("1,5e-05,3,2", "1,5e-05")] {
            assert_eq!(found(row), Some(Some(number.to_owned())));
        }
        for row in ["1,2,3,4", "0,126,3,132", "7,0,8,0"] {
            assert_eq!(found(row), Some(None), "{row}");
        }
        for none in ["1,05,3", "1,05,3,-2", "1.5,05", "a,05", "-0,1,2"] {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
