//! Fields of a line.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use crate::Fault;

/// Gives each field and its number to `take`, without the quotes around it. Where spaces separate fields, several are one.
pub(super) fn fields(
    line: &[u8],
    separator: u8,
    mut take: impl FnMut(usize, &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if separator == b' ' {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        return words.enumerate().try_for_each(|(column, word)| take(column, word));
    }
    if memchr(b'"', line).is_none() {
        let mut start = 0;
        for (column, end) in memchr_iter(separator, line).chain([line.len()]).enumerate() {
            take(column, &line[start..end])?;
            start = end + 1;
        }
        return Ok(());
    }
    let mut rest = Some(line);
    let mut column = 0;
    while let Some(line) = rest {
        let (field, behind) = quoted(line, separator);
        take(column, &field)?;
        rest = behind;
        column += 1;
    }
    Ok(())
}

/// The first field of a line, and the line behind it, where one comes.
fn quoted(line: &[u8], separator: u8) -> (Cow<'_, [u8]>, Option<&[u8]>) {
    let Some(text) = line.strip_prefix(b"\"") else {
        return match memchr(separator, line) {
            Some(end) => (Cow::Borrowed(&line[..end]), Some(&line[end + 1..])),
            None => (Cow::Borrowed(line), None),
        };
    };
    let mut field = Vec::new();
    let mut rest = text;
    loop {
        let Some(end) = memchr(b'"', rest) else {
            field.extend_from_slice(rest);
            return (Cow::Owned(field), None);
        };
        field.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest {
            // Two quotes are one of the text.
            [b'"', more @ ..] => {
                field.push(b'"');
                rest = more;
            }
            _ => {
                // What comes between the quote and the separator is text of the field too.
                let end = memchr(separator, rest);
                field.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
                return (Cow::Owned(field), end.map(|end| &rest[end + 1..]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str, separator: u8) -> Vec<String> {
        let mut all = Vec::new();
        fields(line.as_bytes(), separator, |column, field| {
            assert_eq!(column, all.len());
            all.push(String::from_utf8_lossy(field).into_owned());
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn quotes_and_separators() {
        assert_eq!(all("1,2,,3", b','), ["1", "2", "", "3"]);
        assert_eq!(all("a;\"b;c\";", b';'), ["a", "b;c", ""]);
        assert_eq!(all("\"[1, 2]\",\"say \"\"x\"\"\",z", b','), ["[1, 2]", "say \"x\"", "z"]);
        assert_eq!(all("5\" pipe,1", b','), ["5\" pipe", "1"]);
        assert_eq!(all("  1.0   2.0 ", b' '), ["1.0", "2.0"]);
        assert_eq!(all("", b','), [""]);
    }
}
