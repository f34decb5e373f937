//! Lists of numbers of a record batch.

use std::ops::Range;

use arrow_array::{
    Array, FixedSizeListArray, Float16Array, Float32Array, Float64Array, Int8Array, LargeListArray, ListArray,
};
use arrow_schema::DataType;
use half::slice::HalfFloatSliceExt;

use super::damaged;
use crate::{Fault, dtype::Scalar};

/// What a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    F16,
    F32,
    F64,
    Int8,
}

/// What the lists of a column hold, if it has lists of numbers that are read.
pub(super) fn numbers(column: &DataType) -> Option<Numbers> {
    let (DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) = column else {
        return None;
    };
    Some(match item.data_type() {
        DataType::Float16 => Numbers::F16,
        DataType::Float32 => Numbers::F32,
        DataType::Float64 => Numbers::F64,
        DataType::Int8 => Numbers::Int8,
        _ => return None,
    })
}

impl Numbers {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Int8 => "int8",
        }
    }

    pub(super) fn scalar(self) -> Scalar {
        match self {
            Self::F16 => Scalar::F16,
            Self::F32 => Scalar::F32,
            Self::F64 => Scalar::F64,
            Self::Int8 => Scalar::I8,
        }
    }
}

/// The lists of a column.
enum Lists<'a> {
    Small(&'a ListArray),
    Large(&'a LargeListArray),
    Fixed(&'a FixedSizeListArray),
}

impl<'a> Lists<'a> {
    fn of(column: &'a dyn Array) -> Result<Self, Fault> {
        let any = column.as_any();
        let small = any.downcast_ref().map(Self::Small);
        let large = || any.downcast_ref().map(Self::Large);
        let fixed = || any.downcast_ref().map(Self::Fixed);
        small
            .or_else(large)
            .or_else(fixed)
            .ok_or_else(|| damaged("a column that is not what its schema says"))
    }

    /// The values of all lists.
    fn values(&self) -> &'a dyn Array {
        match self {
            Self::Small(lists) => lists.values(),
            Self::Large(lists) => lists.values(),
            Self::Fixed(lists) => lists.values(),
        }
    }

    /// Which of the values a row has; none where it is null.
    fn row(&self, row: usize) -> Range<usize> {
        match self {
            Self::Small(lists) if lists.is_valid(row) => {
                lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize
            }
            Self::Large(lists) if lists.is_valid(row) => {
                lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize
            }
            Self::Fixed(lists) if lists.is_valid(row) => {
                let start = lists.value_offset_at(row);
                start..start + lists.value_length() as usize
            }
            _ => 0..0,
        }
    }
}

/// Values of the first row.
pub(super) fn width(column: &dyn Array) -> Result<usize, Fault> {
    let width = Lists::of(column)?.row(0).len();
    if width == 0 { Err(Fault::NullRow { row: 0 }) } else { Ok(width) }
}

/// Reads rows, of which each must have `dims` values. Faults name rows of the batch.
pub(super) fn read(
    column: &dyn Array,
    rows: Range<usize>,
    dims: usize,
    into: &mut [f32],
) -> Result<(), Fault> {
    let lists = Lists::of(column)?;
    let values = lists.values();
    for (row, into) in rows.zip(into.chunks_exact_mut(dims)) {
        convert(values, checked(&lists, row, dims)?, into)?;
    }
    Ok(())
}

/// The same, each value the nearest f64.
pub(super) fn read_wide(
    column: &dyn Array,
    rows: Range<usize>,
    dims: usize,
    into: &mut [f64],
) -> Result<(), Fault> {
    let lists = Lists::of(column)?;
    let doubles = lists.values().as_any().downcast_ref::<Float64Array>();
    let mut narrow = vec![0.0; dims];
    for (row, into) in rows.zip(into.chunks_exact_mut(dims)) {
        let range = checked(&lists, row, dims)?;
        if let Some(values) = doubles {
            into.copy_from_slice(&values.values()[range]);
            continue;
        }
        // All others are exact in f32.
        convert(lists.values(), range, &mut narrow)?;
        into.iter_mut().zip(&narrow).for_each(|(into, &value)| *into = value.into());
    }
    Ok(())
}

/// One value as it is stored.
pub(super) fn stored(column: &dyn Array, row: usize, dim: usize, dims: usize) -> Result<f64, Fault> {
    let lists = Lists::of(column)?;
    let at = checked(&lists, row, dims)?.start + dim;
    let any = lists.values().as_any();
    if let Some(values) = any.downcast_ref::<Float64Array>() {
        return Ok(values.value(at));
    }
    // All others are exact in f32.
    let mut value = [0.0];
    convert(lists.values(), at..at + 1, &mut value)?;
    Ok(value[0].into())
}

/// The values of a row that is there, of this width, and has no nulls.
fn checked(lists: &Lists<'_>, row: usize, dims: usize) -> Result<Range<usize>, Fault> {
    let range = lists.row(row);
    if range.is_empty() {
        return Err(Fault::NullRow { row });
    }
    if range.len() != dims {
        return Err(Fault::RowWidth { row, found: range.len(), dims });
    }
    let nulls = lists.values().nulls().filter(|nulls| nulls.null_count() > 0);
    match nulls.and_then(|nulls| range.clone().position(|value| nulls.is_null(value))) {
        Some(dim) => Err(Fault::NullValue { row, dim }),
        None => Ok(range),
    }
}

/// The nearest f32 to each of some values.
fn convert(values: &dyn Array, range: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
    let any = values.as_any();
    if let Some(values) = any.downcast_ref::<Float32Array>() {
        into.copy_from_slice(&values.values()[range]);
    } else if let Some(values) = any.downcast_ref::<Float16Array>() {
        values.values()[range].convert_to_f32_slice(into);
    } else if let Some(values) = any.downcast_ref::<Float64Array>() {
        into.iter_mut().zip(&values.values()[range]).for_each(|(into, &value)| *into = value as f32);
    } else if let Some(values) = any.downcast_ref::<Int8Array>() {
        into.iter_mut().zip(&values.values()[range]).for_each(|(into, &value)| *into = value.into());
    } else {
        return Err(damaged("values that are not what the schema says"));
    }
    Ok(())
}
