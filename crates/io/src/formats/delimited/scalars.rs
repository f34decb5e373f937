//! One column of a delimited text, a value each.

use std::str;

use super::{fields::fields, head::Head};
use crate::{
    Fault,
    formats::{
        Input,
        columns::{Candidate, choose_scalars},
        text::{Cursor, End},
    },
    scalars::{Cell, Scalars, Take},
    stored::Stored,
};

/// A column of a text, whatever its fields are.
#[derive(Debug)]
pub(super) struct Field {
    stored: Stored,
    separator: u8,
    /// Where the first row below the names begins.
    start: u64,
    /// How many fields a row has, and which of them is the column.
    fields: usize,
    column: usize,
    rows: usize,
}

impl Field {
    /// Finds the column and counts the rows. The first line has the names of the columns, unless it is of numbers, or the column is
    /// wanted by its number, and none is called so: then it is a row.
    pub(super) fn open(input: Input, wanted: Option<&str>) -> Result<Self, Fault> {
        let (stored, _) = input.whole()?;
        let head = Head::of(&stored)?.ok_or(Fault::NoNumbers)?;
        let Head { separator, names, line_of_names, start, .. } = head;
        let fields = names.len();
        let number = wanted.filter(|wanted| !names.iter().any(|name| name == wanted));
        let number = number.and_then(|wanted| wanted.parse::<usize>().ok()).filter(|&number| number < fields);
        let (column, start) = if let (Some(column), Some(line_of_names)) = (number, line_of_names) {
            (column, line_of_names)
        } else {
            let candidates = names.into_iter().enumerate();
            let candidates = candidates.map(|(column, name)| Candidate { name, value: Some(column) });
            (choose_scalars(&candidates.collect::<Vec<_>>(), wanted)?, start)
        };
        let mut rows = 0;
        let mut records = Cursor::new(&stored, End::Record(separator), 0, start);
        while records.next()?.is_some() {
            // Where a row is one field, a blank one is a field that is missing, and not a space between rows.
            if fields == 1 && records.blank() > 0 {
                return Err(Fault::NullRow { row: rows });
            }
            rows += 1;
        }
        Ok(Self { stored, separator, start, fields, column, rows })
    }
}

impl Scalars for Field {
    fn rows(&self) -> usize {
        self.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        let mut records = Cursor::new(&self.stored, End::Record(self.separator), 0, self.start);
        for row in 0..self.rows {
            let (_, line) = records.next()?.ok_or(Fault::Changed)?;
            let mut found = 0;
            fields(line, self.separator, |column, field| {
                found = column + 1;
                if column != self.column {
                    return Ok(());
                }
                take(row, Cell::text(str::from_utf8(field).map_err(|_| Fault::NotUtf8 { row })?))
            })?;
            if found != self.fields {
                return Err(Fault::Fields { row, found, fields: self.fields });
            }
        }
        Ok(())
    }
}
