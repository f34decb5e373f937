//! The column that holds the points.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, Type},
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};

use crate::{
    Fault,
    dtype::{Dtype, Scalar, excerpt},
    formats::columns::{Candidate, choose},
};

/// A column of lists of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Which of the file's columns.
    pub(super) index: usize,
    /// How a value is stored.
    pub(super) dtype: Dtype,
    /// What the numbers are.
    pub(super) numbers: &'static str,
    /// The definition level of a value that is there.
    pub(super) defined: u8,
    /// Whether the values of a list may be null.
    pub(super) nullable: bool,
}

impl Column {
    /// The column of this name, or the only one that may be the points.
    pub(super) fn find(schema: &SchemaDescriptor, wanted: Option<&str>) -> Result<Self, Fault> {
        let candidates = schema.columns().iter().enumerate().map(|(index, descriptor)| Candidate {
            name: name(descriptor),
            value: Self::of(index, descriptor),
        });
        choose(&candidates.collect::<Vec<_>>(), wanted)
    }

    fn of(index: usize, descriptor: &ColumnDescriptor) -> Option<Self> {
        if descriptor.max_rep_level() != 1 {
            return None;
        }
        let (dtype, numbers) = numbers(descriptor)?;
        let nullable = descriptor.self_type().get_basic_info().repetition() == Repetition::OPTIONAL;
        let defined = u8::try_from(descriptor.max_def_level()).ok()?;
        Some(Self { index, dtype, numbers, defined, nullable })
    }
}

/// What a person calls a column: `embedding`, not `embedding.list.element`.
fn name(descriptor: &ColumnDescriptor) -> String {
    let parts = descriptor.path().parts();
    let kept = match parts {
        [kept @ .., _, _] if descriptor.max_rep_level() > 0 && !kept.is_empty() => kept,
        all => all,
    };
    kept.join(".")
}

/// How numbers of a column are stored, if they are of a kind that is read.
fn numbers(descriptor: &ColumnDescriptor) -> Option<(Dtype, &'static str)> {
    let logical = descriptor.logical_type_ref();
    let scalar = match descriptor.physical_type() {
        Type::FLOAT => (Scalar::F32, "f32"),
        Type::DOUBLE => (Scalar::F64, "f64"),
        Type::FIXED_LEN_BYTE_ARRAY if matches!(logical, Some(LogicalType::Float16)) => (Scalar::F16, "f16"),
        // Each takes four bytes before it is compressed.
        Type::INT32 if descriptor.converted_type() == ConvertedType::INT_8 => (Scalar::I32, "int8"),
        _ => return None,
    };
    Some((Dtype::little(scalar.0), scalar.1))
}

impl Fault {
    /// An encoding of values that is not read.
    pub(super) fn encoding(encoding: parquet::basic::Encoding) -> Self {
        Self::Unsupported {
            format: super::NAME,
            found: excerpt(format!("values encoded as {encoding}").as_bytes()),
            cure: "save it again with pyarrow.parquet.write_table(table, path)",
        }
    }
}
