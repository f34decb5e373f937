//! Rows of text: found by their number, and parsed each by itself.
//!
//! Text has no offsets of rows. When a file is opened, one pass over it counts them and keeps where some of them begin; a
//! range of rows is then parsed from the nearest of these, a large one by several threads. What is in memory is these places,
//! at most 1 MiB, and for each thread a buffer that holds the longest row.

mod cursor;
mod number;
mod one_a_line;
mod table;

use std::fmt::Debug;

use crate::Fault;

pub(crate) use cursor::{Cursor, End};
pub(crate) use number::{Each, cell, is_list, is_null, is_number, list, spaced_numbers};
pub(crate) use one_a_line::OneALine;
pub(crate) use table::Rows;

/// How a row of text holds numbers.
pub(crate) trait Row: Debug + Send + Sync {
    /// Where a row ends.
    fn end(&self) -> End;

    /// Gives the numbers of a row to `each`, in order, as the text of each. Faults name `row`.
    ///
    /// # Errors
    ///
    /// Those of the row's syntax, and those of `each`.
    fn numbers(&self, text: &[u8], row: usize, each: Each<'_>) -> Result<(), Fault>;

    /// Fails if the file must have another number of rows.
    fn check_rows(&self, rows: usize) -> Result<(), Fault> {
        let _ = rows;
        Ok(())
    }
}

/// The text behind a byte order mark.
pub(crate) fn after_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(MARK).unwrap_or(head)
}

/// The byte order mark of UTF-8.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the first bytes of a file may be rows of text: in UTF-8, and neither a page of the web nor a pointer of Git LFS.
pub(crate) fn may_be_text(head: &[u8]) -> bool {
    !head.is_empty()
        && crate::foreign::is_text(head)
        && !crate::foreign::is_page(head)
        && !head.starts_with(b"version https://git-lfs")
}

/// The first row that is not blank, of the first bytes, if all of it is there or they are all there are.
pub(crate) fn first_row(head: &[u8]) -> &[u8] {
    rows(head).next().unwrap_or_default()
}

/// The rows that are not blank, of the first bytes; the last may be cut.
pub(crate) fn rows(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = after_mark(head).split(|&byte| byte == b'\n');
    lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}
