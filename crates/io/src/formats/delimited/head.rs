//! The head of a delimited text: what separates its fields, what its columns are called, and where its first row begins.

use std::str;

use super::{decimals, fields::fields};
use crate::{
    Fault,
    formats::columns::{FEW, first_few},
    formats::text::{Cursor, End, MARK, is_list, is_null, is_number, spaced_numbers},
    read_at::ReadAt as _,
    stored::Stored,
};

/// More fields of a row than any point needs.
const MOST_FIELDS: usize = 1 << 20;

/// What separates fields, the likeliest first. Spaces may be several.
pub(super) const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b' '];

/// What the first two lines tell.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) separator: u8,
    /// Names of the columns: the first line, or their numbers where it has none.
    pub(super) names: Vec<String>,
    /// Whether the first line has the names.
    pub(super) is_named: bool,
    /// Where the line of the names begins, if it may be a row.
    pub(super) line_of_names: Option<u64>,
    /// Where the first row begins.
    pub(super) start: u64,
    /// The fields of the first row.
    pub(super) first: Vec<Vec<u8>>,
    /// What is to be said of a first line that may have names and is taken for a row.
    pub(super) guess: Option<String>,
}

impl Head {
    /// The head of a text; None where there is no row.
    pub(super) fn of(stored: &Stored) -> Result<Option<Self>, Fault> {
        let mut mark = [0; MARK.len()];
        let has_mark = stored.read_exact_at(&mut mark, 0).is_ok() && mark == MARK;
        let start = if has_mark { MARK.len() as u64 } else { 0 };
        decimals::check(stored, start)?;
        let separator = separator(stored, start);
        let mut records = Cursor::new(stored, End::Record(separator), 0, start);
        let mut next = || -> Result<_, Fault> {
            let Some((start, line)) = records.next()? else { return Ok(None) };
            Ok(Some((start, owned(line, separator)?)))
        };
        let Some((mut start, mut first)) = next()? else { return Ok(None) };
        let mut second = next()?;
        // numpy.savetxt marks the names of the columns as it marks comments.
        let mut is_marked = false;
        while let Some(bare) = without_mark(&first) {
            let Some((start_below, below)) = second else { break };
            is_marked = below.len() == bare.len();
            if is_marked {
                (first, second) = (bare, Some((start_below, below)));
                break;
            }
            (start, first) = (start_below, below);
            second = next()?;
        }
        let below = second.as_ref().map_or(&[][..], |(_, fields)| fields);
        if is_marked || are_names(&first, below, separator) {
            let names = first.iter().map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
            let names = names.collect();
            let line_of_names = (!is_marked).then_some(start);
            let head = |(start, first)| Self {
                separator,
                names,
                is_named: true,
                line_of_names,
                start,
                first,
                guess: None,
            };
            Ok(second.map(head))
        } else {
            let guess = second.as_ref().and_then(|_| guess(&first, separator));
            let names = (0..first.len()).map(|column| column.to_string()).collect();
            Ok(Some(Self { separator, names, is_named: false, line_of_names: None, start, first, guess }))
        }
    }
}

/// What separates the fields of the first row that is no comment: what makes the most of them, the first of equals. Spaces are within
/// fields where anything else makes two.
fn separator(stored: &Stored, start: u64) -> u8 {
    let (mut most, mut best, mut has_list) = (0, SEPARATORS[0], false);
    for separator in SEPARATORS {
        let mut rows = Cursor::new(stored, End::Record(separator), 0, start);
        // With another separator, a quote may begin no field, and not be closed.
        let Some((count, is_beside_list)) = first_fields(&mut rows, separator) else { continue };
        // What separates the numbers within a list separates no fields.
        let is_better = count > most && (separator != b' ' || most < 2);
        if is_beside_list && !has_list || is_beside_list == has_list && is_better {
            (most, best, has_list) = (count, separator, is_beside_list);
        }
    }
    best
}

/// The number of fields of the first row that is no comment, or of the last comment where all are, and whether one is a whole list; None
/// where there is no row.
fn first_fields(rows: &mut Cursor<'_, Stored>, separator: u8) -> Option<(usize, bool)> {
    let mut found = None;
    while let Ok(Some((_, row))) = rows.next() {
        found = Some(count(row, separator));
        if !row.trim_ascii_start().starts_with(b"#") {
            break;
        }
    }
    found
}

/// The number of fields of a row, and whether one of several is a list from its beginning to its end.
fn count(row: &[u8], separator: u8) -> (usize, bool) {
    let (mut count, mut has_list) = (0, false);
    // Nothing here fails.
    let _ = fields(row, separator, |_, field| {
        let field = field.trim_ascii();
        count += 1;
        has_list |= is_list(field) && matches!(field.last(), Some(b']' | b'}' | b')'));
        Ok(())
    });
    (count, has_list && count > 1)
}

/// The fields of the first line, or the one below it, which must not be too many to keep.
fn owned(line: &[u8], separator: u8) -> Result<Vec<Vec<u8>>, Fault> {
    let mut owned = Vec::new();
    fields(line, separator, |column, field| {
        if column == MOST_FIELDS {
            return Err(Fault::ManyFields { limit: MOST_FIELDS });
        }
        owned.push(field.to_vec());
        Ok(())
    })?;
    Ok(owned)
}

/// The fields of a line that begins with #, without it; None of any other.
fn without_mark(fields: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let (first, others) = fields.split_first()?;
    let bare = first.trim_ascii().strip_prefix(b"#")?.trim_ascii().to_vec();
    Some(Some(bare).filter(|bare| !bare.is_empty()).into_iter().chain(others.iter().cloned()).collect())
}

/// Whether the first line has the names of the columns. Either mistake would be made in silence: a point taken for names is lost, and
/// names taken for a point are one too many. Numbers are names where they count, and where the row below has a fraction.
fn are_names(first: &[Vec<u8>], below: &[Vec<u8>], separator: u8) -> bool {
    if first.iter().any(|field| is_name(field)) {
        return !first.iter().any(|field| is_fraction(field));
    }
    // pandas writes nothing above its index.
    let has_index = first.first().is_some_and(Vec::is_empty);
    let names = if has_index { &first[1..] } else { first };
    let numbers = values(names);
    if do_count_all(&numbers, names.len()) || are_counted_again(names) {
        return true;
    }
    // It calls the only column of a series 0.
    let is_series = has_index && matches!(names, [name] if name.trim_ascii() == b"0");
    if is_series && below.first().is_some_and(|index| !index.is_empty()) {
        return true;
    }
    let has_fraction = |value: f64| value.is_finite() && value.fract() != 0.0;
    let is_above_points = values(below).into_iter().any(has_fraction)
        || below.iter().any(|field| is_fraction(field)) && !names.iter().any(|field| is_fraction(field));
    numbers.len() == names.len() && do_count(&numbers, separator) && (has_index || is_above_points)
}

/// Whether numbers are 0, 1, 2, … and more than a point would be by chance.
fn do_count_all(numbers: &[f64], fields: usize) -> bool {
    numbers.len() == fields
        && fields >= LEAST_IN_ORDER
        && numbers.iter().zip(0..).all(|(&value, column)| value == f64::from(column))
}

/// Whether fields are the names that pandas gives to columns of numbers that come again: 0, 1, 2, 0.1, 1.1, 2.1.
fn are_counted_again(fields: &[Vec<u8>]) -> bool {
    let is = |field: &Vec<u8>, text: String| field.trim_ascii() == text.as_bytes();
    let count = fields.iter().zip(0..).take_while(|&(field, column)| is(field, column.to_string())).count();
    if !(LEAST_IN_SUCCESSION..fields.len()).contains(&count) {
        return false;
    }
    // The same columns once more, and so on.
    let again = |(place, field): (usize, &Vec<u8>)| is(field, format!("{}.{}", place % count, place / count));
    fields.iter().enumerate().skip(count).all(again)
}

/// What is to be said of a first line of numbers that count, above whole numbers: either may be meant.
fn guess(first: &[Vec<u8>], separator: u8) -> Option<String> {
    let numbers = values(first);
    let may_be_names = numbers.len() == first.len() && numbers.len() > 1 && do_count(&numbers, separator);
    may_be_names.then(|| {
        let told = first_few(first.iter().map(|field| field.trim_ascii()));
        let more = if first.len() > FEW { ", …" } else { "" };
        format!(
            "takes its first line, {told}{more}, for a point; if it has the names of the columns, delete it, or write names that are no numbers"
        )
    })
}

/// The numbers among some fields.
fn values(fields: &[Vec<u8>]) -> Vec<f64> {
    fields.iter().filter_map(|field| str::from_utf8(field.trim_ascii()).ok()?.parse().ok()).collect()
}

/// Numbers of a line that are no chance where each is greater than the one before.
const LEAST_IN_ORDER: usize = 8;
/// The same where each is the next.
const LEAST_IN_SUCCESSION: usize = 3;

/// Whether numbers are such as count columns: 0, 1, 2, … or 1, 2, 3, …, as programs call columns without names, once or several times;
/// some others in succession, up or down; or several in order, of which some were left out. Two say so in CSV alone.
fn do_count(numbers: &[f64], separator: u8) -> bool {
    let (Some(&first), count) = (numbers.first(), numbers.len()) else { return false };
    let is_whole = numbers.iter().all(|value| value.fract() == 0.0 && *value >= 0.0);
    let all = |is: fn(f64) -> bool| numbers.windows(2).all(|two| is(two[1] - two[0]));
    let is_from_start = separator == b',' && (first == 0.0 || first == 1.0);
    let least_in_succession = if is_from_start { 2 } else { LEAST_IN_SUCCESSION };
    let is_in_succession =
        all(|step| step == 1.0) || count >= LEAST_IN_SUCCESSION && all(|step| step == -1.0);
    // Columns of several frames side by side count each by themselves: 0, 1, 2, 0, 1, 2; or a long one has others beside it.
    let runs: Vec<_> = numbers.chunk_by(|one, next| *next == one + 1.0).collect();
    let do_begin_alike = runs.iter().all(|run| run.first() == Some(&first));
    let length = runs[0].len();
    let are_equal = length >= LEAST_IN_SUCCESSION && runs.iter().all(|run| run.len() == length);
    let do_repeat = is_from_start && do_begin_alike && (are_equal || length >= LEAST_IN_ORDER);
    is_whole
        && (do_repeat
            || is_in_succession && count >= least_in_succession
            || count >= LEAST_IN_ORDER && all(|step| step > 0.0))
}

/// Whether a field of the first line is a name: neither a number, nor a list of them, nor a missing value.
fn is_name(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    !is_null(field) && !is_list(field) && !is_number(field) && spaced_numbers(field).is_none()
}

/// Whether a field is a number with a fraction or an exponent.
fn is_fraction(field: &[u8]) -> bool {
    is_number(field) && field.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}
