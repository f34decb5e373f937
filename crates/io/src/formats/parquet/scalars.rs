//! One column of scalars, a value each.

use std::{fmt, str};

use parquet::{
    basic::{ConvertedType, LogicalType, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::DataType,
    file::{
        metadata::ParquetMetaData,
        reader::{FileReader, SerializedFileReader},
    },
    schema::types::ColumnDescriptor,
};

use super::{NAME, chunks::Chunks, damaged, fault};
use crate::{
    Fault,
    dtype::Number,
    formats::{
        columns::{Candidate, choose_scalars},
        fence::fenced,
    },
    scalars::{Cell, Scalars, Take},
};

/// Values that are decoded at once.
const BATCH: usize = 1024;

/// What the integers or the bytes of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Text,
    /// Truth values and floats.
    Plain,
}

/// A column of scalars.
pub(super) struct Values {
    reader: SerializedFileReader<Chunks>,
    index: usize,
    kind: Kind,
    rows: usize,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values(column {}, {} rows)", self.index, self.rows)
    }
}

impl Values {
    /// Finds the column in the schema.
    pub(super) fn open(chunks: Chunks, wanted: Option<&str>) -> Result<Self, Fault> {
        let reader = SerializedFileReader::new(chunks).map_err(fault)?;
        let metadata: &ParquetMetaData = reader.metadata();
        let columns = metadata.file_metadata().schema_descr().columns();
        let candidates = columns.iter().enumerate().map(|(index, descriptor)| Candidate {
            name: descriptor.path().parts().join("."),
            value: kind(descriptor).map(|kind| (index, kind)),
        });
        let (index, kind) = choose_scalars(&candidates.collect::<Vec<_>>(), wanted)?;
        let rows = usize::try_from(metadata.file_metadata().num_rows()).ok();
        let rows = rows.ok_or_else(|| damaged("an impossible number of rows"))?;
        if rows == 0 {
            return Err(Fault::NoNumbers);
        }
        Ok(Self { reader, index, kind, rows })
    }
}

/// What a column holds, if it has one value a row of a kind that is read.
fn kind(descriptor: &ColumnDescriptor) -> Option<Kind> {
    if descriptor.max_rep_level() != 0 {
        return None;
    }
    match (descriptor.physical_type(), descriptor.logical_type_ref(), descriptor.converted_type()) {
        (Type::BOOLEAN | Type::FLOAT | Type::DOUBLE, ..) => Some(Kind::Plain),
        (Type::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum), _) => Some(Kind::Text),
        (Type::BYTE_ARRAY, None, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM) => {
            Some(Kind::Text)
        }
        (Type::INT32 | Type::INT64, None, ConvertedType::NONE) => Some(Kind::Signed),
        (Type::INT32 | Type::INT64, Some(LogicalType::Integer(integer)), _) => {
            Some(if integer.is_signed { Kind::Signed } else { Kind::Unsigned })
        }
        (
            Type::INT32 | Type::INT64,
            _,
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64,
        ) => Some(Kind::Signed),
        (
            Type::INT32 | Type::INT64,
            _,
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64,
        ) => Some(Kind::Unsigned),
        _ => None,
    }
}

impl Scalars for Values {
    fn rows(&self) -> usize {
        self.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        let (kind, mut row) = (self.kind, 0);
        for group in 0..self.reader.num_row_groups() {
            let reader = fenced(NAME, || {
                let group = self.reader.get_row_group(group).map_err(fault)?;
                group.get_column_reader(self.index).map_err(fault)
            })?;
            let rows = &mut row;
            match reader {
                ColumnReader::BoolColumnReader(reader) => {
                    read(reader, rows, take, |&value| Cell::Number(Number::Unsigned(value.into())))
                }
                ColumnReader::Int32ColumnReader(reader) => read(reader, rows, take, |&value| {
                    Cell::Number(match kind {
                        Kind::Unsigned => Number::Unsigned((value as u32).into()),
                        _ => Number::Signed(value.into()),
                    })
                }),
                ColumnReader::Int64ColumnReader(reader) => read(reader, rows, take, |&value| {
                    Cell::Number(match kind {
                        Kind::Unsigned => Number::Unsigned(value as u64),
                        _ => Number::Signed(value),
                    })
                }),
                ColumnReader::FloatColumnReader(reader) => {
                    read(reader, rows, take, |&value| Cell::Number(Number::Float(value.into())))
                }
                ColumnReader::DoubleColumnReader(reader) => {
                    read(reader, rows, take, |&value| Cell::Number(Number::Float(value)))
                }
                ColumnReader::ByteArrayColumnReader(reader) => try_read(reader, rows, take, |row, value| {
                    Ok(Cell::text(str::from_utf8(value.data()).map_err(|_| Fault::NotUtf8 { row })?))
                }),
                _ => Err(damaged("a column that is not what its schema says")),
            }?;
        }
        if row == self.rows { Ok(()) } else { Err(damaged("row groups of other rows than the file has")) }
    }
}

fn read<T: DataType>(
    reader: ColumnReaderImpl<T>,
    row: &mut usize,
    take: Take<'_>,
    cell: impl Fn(&T::T) -> Cell<'_>,
) -> Result<(), Fault> {
    try_read(reader, row, take, |_, value| Ok(cell(value)))
}

/// Gives the values of a row group to `take`. `row` is the first one's, and that behind the last one afterwards.
fn try_read<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    row: &mut usize,
    take: Take<'_>,
    cell: impl for<'a> Fn(usize, &'a T::T) -> Result<Cell<'a>, Fault>,
) -> Result<(), Fault> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        values.clear();
        let decoded =
            fenced(NAME, || reader.read_records(BATCH, Some(&mut levels), None, &mut values).map_err(fault));
        let (records, present, _) = decoded?;
        if records == 0 {
            return Ok(());
        }
        // A column that requires its values has no levels.
        let defined = levels.iter().copied().max().unwrap_or_default();
        let mut next = values.iter();
        for place in 0..records {
            let is_there = present == records || present > 0 && levels.get(place) == Some(&defined);
            match if is_there { next.next() } else { None } {
                Some(value) => take(*row, cell(*row, value)?)?,
                None => take(*row, Cell::Missing)?,
            }
            *row += 1;
        }
    }
}
