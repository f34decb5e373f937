//! One column of scalars, a value each.

use std::fmt;

use arrow_array::{
    Array, BooleanArray, LargeStringArray, PrimitiveArray, StringArray, StringViewArray,
    types::{
        ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_ipc::reader::FileDecoder;
use arrow_schema::DataType;

use super::{
    NAME, damaged, fault,
    messages::{Batch, Messages},
};
use crate::{
    Fault,
    dtype::{Number, excerpt},
    formats::{
        columns::{Candidate, choose_scalars},
        fence::fenced,
    },
    scalars::{Cell, Scalars, Take},
    stored::Stored,
};

/// A column of scalars.
pub(super) struct Values {
    stored: Stored,
    decoder: FileDecoder,
    batches: Vec<Batch>,
    rows: usize,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({} in {} record batches)", self.rows, self.batches.len())
    }
}

impl Values {
    /// Finds the column in the schema.
    pub(super) fn open(stored: Stored, length: u64, wanted: Option<&str>) -> Result<Self, Fault> {
        let messages = Messages::read(&stored, length)?;
        let candidates = messages.schema.fields().iter().enumerate().map(|(index, field)| Candidate {
            name: field.name().clone(),
            value: is_scalar(field.data_type()).then_some(index),
        });
        let candidates = candidates.collect::<Vec<_>>();
        if let Some(categories) = messages.schema.fields().iter().find(|field| {
            matches!(field.data_type(), DataType::Dictionary(..))
                && wanted
                    .map_or(candidates.iter().all(|other| other.value.is_none()), |name| name == field.name())
        }) {
            return Err(Fault::Unsupported {
                format: NAME,
                found: format!("categories in the column '{}'", excerpt(categories.name().as_bytes())),
                cure: "save it with pyarrow.parquet.write_table, or the column as text",
            });
        }
        let column = choose_scalars(&candidates, wanted)?;
        let (decoder, batches) = (messages.decoder(vec![column]), messages.batches);
        let rows = batches.iter().try_fold(0usize, |rows, batch| rows.checked_add(batch.rows));
        match rows.ok_or_else(|| damaged("an impossible number of rows"))? {
            0 => Err(Fault::NoNumbers),
            rows => Ok(Self { stored, decoder, batches, rows }),
        }
    }
}

/// Whether a column has one value a row of a kind that is read.
fn is_scalar(column: &DataType) -> bool {
    use DataType::{
        Boolean, Float16, Float32, Float64, Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32,
        UInt64, Utf8, Utf8View,
    };
    matches!(
        column,
        Boolean
            | Float16
            | Float32
            | Float64
            | Int8
            | Int16
            | Int32
            | Int64
            | UInt8
            | UInt16
            | UInt32
            | UInt64
            | Utf8
            | LargeUtf8
            | Utf8View
    )
}

impl Scalars for Values {
    fn rows(&self) -> usize {
        self.rows
    }

    fn each(&self, take: Take<'_>) -> Result<(), Fault> {
        let mut row = 0;
        for batch in &self.batches {
            let column = fenced(NAME, || {
                let (block, bytes) = batch.read(&self.stored)?;
                let decoded = self.decoder.read_record_batch(&block, &bytes).map_err(fault)?;
                let decoded = decoded.filter(|decoded| decoded.num_rows() == batch.rows);
                let column = decoded.and_then(|decoded| decoded.columns().first().cloned());
                column.ok_or_else(|| damaged("a record batch that contradicts its header"))
            })?;
            let cells =
                Cells::of(&*column).ok_or_else(|| damaged("a column that is not what its schema says"))?;
            for place in 0..batch.rows {
                take(row, if column.is_valid(place) { cells.at(place) } else { Cell::Missing })?;
                row += 1;
            }
        }
        Ok(())
    }
}

/// The values of a record batch, by their place in it.
struct Cells<'a>(Box<dyn Fn(usize) -> Cell<'a> + 'a>);

impl<'a> Cells<'a> {
    fn of(column: &'a dyn Array) -> Option<Self> {
        let signed = numbers::<Int8Type>(column, |value| Number::Signed(value.into()))
            .or_else(|| numbers::<Int16Type>(column, |value| Number::Signed(value.into())))
            .or_else(|| numbers::<Int32Type>(column, |value| Number::Signed(value.into())))
            .or_else(|| numbers::<Int64Type>(column, Number::Signed));
        let unsigned = || {
            numbers::<UInt8Type>(column, |value| Number::Unsigned(value.into()))
                .or_else(|| numbers::<UInt16Type>(column, |value| Number::Unsigned(value.into())))
                .or_else(|| numbers::<UInt32Type>(column, |value| Number::Unsigned(value.into())))
                .or_else(|| numbers::<UInt64Type>(column, Number::Unsigned))
        };
        let floats = || {
            numbers::<Float16Type>(column, |value| Number::Float(value.to_f64()))
                .or_else(|| numbers::<Float32Type>(column, |value| Number::Float(value.into())))
                .or_else(|| numbers::<Float64Type>(column, Number::Float))
        };
        let any = column.as_any();
        let truths = || {
            let column = any.downcast_ref::<BooleanArray>()?;
            Some(Self(Box::new(|place| Cell::Number(Number::Unsigned(column.value(place).into())))))
        };
        let text = || {
            let small = any.downcast_ref::<StringArray>();
            let small = small.map(|column| Self(Box::new(|place| Cell::text(column.value(place)))));
            let large = any.downcast_ref::<LargeStringArray>();
            let large = large.map(|column| Self(Box::new(|place| Cell::text(column.value(place)))));
            let views = any.downcast_ref::<StringViewArray>();
            let views = views.map(|column| Self(Box::new(|place| Cell::text(column.value(place)))));
            small.or(large).or(views)
        };
        signed.or_else(unsigned).or_else(floats).or_else(truths).or_else(text)
    }

    fn at(&self, place: usize) -> Cell<'a> {
        (self.0)(place)
    }
}

/// The numbers of a column, if they are of this type.
fn numbers<'a, T: ArrowPrimitiveType>(
    column: &'a dyn Array,
    number: impl Fn(T::Native) -> Number + 'a,
) -> Option<Cells<'a>> {
    let column = column.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    Some(Cells(Box::new(move |place| Cell::Number(number(column.value(place))))))
}
