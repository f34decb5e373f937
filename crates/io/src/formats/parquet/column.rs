//! The columns that hold the points.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, Type},
    schema::types::{ColumnDescriptor, SchemaDescriptor, Type as Node},
};

use crate::{
    Fault,
    dtype::{Dtype, Scalar, excerpt},
    formats::choice::Kind,
};

/// A column of lists of numbers, or of one number a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Which of the file's columns.
    pub(super) index: usize,
    /// How a value is stored.
    pub(super) dtype: Dtype,
    /// What the numbers are.
    pub(super) numbers: Numbers,
    /// Whether a row is a list of them.
    pub(super) has_lists: bool,
    /// The definition level of a value that is there.
    pub(super) defined: u8,
    /// Whether the values of a list may be null.
    pub(super) nullable: bool,
}

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) name: &'static str,
    /// Of how many bits they are, which may be fewer than they are stored in.
    pub(super) scalar: Scalar,
}

impl Column {
    /// What is known of a column of the file: what it holds, and how it is read where these are numbers.
    pub(super) fn of(schema: &SchemaDescriptor, index: usize) -> (Kind, Option<Self>) {
        let descriptor = &schema.columns()[index];
        let found = Self::of_numbers(index, descriptor);
        match (descriptor.max_rep_level(), found) {
            (0, Some(column)) => (Kind::Number, Some(column)),
            (0, None) => (Kind::Text, None),
            (1, Some(column)) if column.is_of_lists() && is_list(schema, index) => (Kind::List, Some(column)),
            _ => (Kind::Nested, None),
        }
    }

    fn of_numbers(index: usize, descriptor: &ColumnDescriptor) -> Option<Self> {
        let (dtype, numbers) = numbers(descriptor)?;
        let nullable = descriptor.self_type().get_basic_info().repetition() == Repetition::OPTIONAL;
        let defined = u8::try_from(descriptor.max_def_level()).ok()?;
        let has_lists = descriptor.max_rep_level() > 0;
        Some(Self { index, dtype, numbers, has_lists, defined, nullable })
    }

    /// Whether its numbers are such as are read of lists: floats, and codes of 8 bits.
    fn is_of_lists(&self) -> bool {
        matches!(self.numbers.scalar, Scalar::F16 | Scalar::F32 | Scalar::F64 | Scalar::I8)
    }
}

/// Whether a column is the numbers of a list, and neither those of a map nor a field of the structures in a list.
fn is_list(schema: &SchemaDescriptor, index: usize) -> bool {
    let mut nodes = vec![schema.get_column_root(index)];
    for part in schema.column(index).path().parts().iter().skip(1) {
        let Some(node) = nodes.last().and_then(|node| child(node, part)) else { return false };
        nodes.push(node);
    }
    let is_repeated = |node: &Node| {
        let info = node.get_basic_info();
        info.has_repetition() && info.repetition() == Repetition::REPEATED
    };
    let holds_leaf = |node: &Node| is_repeated(node) && node.get_fields().len() == 1;
    match nodes.as_slice() {
        // Numbers that are repeated without a group.
        [.., leaf] if is_repeated(leaf) => true,
        [.., outer, list, _] => holds_leaf(list) && !is_map(outer),
        [list, _] => holds_leaf(list),
        _ => false,
    }
}

/// The field of this name, where a node is a group.
fn child<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let fields = if node.is_group() { node.get_fields() } else { &[] };
    fields.iter().map(|field| &**field).find(|field| field.name() == name)
}

/// Whether a group is a map. One of keys only would pass for a list.
fn is_map(node: &Node) -> bool {
    matches!(node.get_basic_info().converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE)
}

/// What a person calls a column: `embedding`, not `embedding.list.element`.
pub(super) fn name(descriptor: &ColumnDescriptor) -> String {
    let parts = descriptor.path().parts();
    let kept = match parts {
        [kept @ .., _, _] if descriptor.max_rep_level() > 0 && !kept.is_empty() => kept,
        all => all,
    };
    kept.join(".")
}

/// How numbers of a column are stored, if they are of a kind that is read.
fn numbers(descriptor: &ColumnDescriptor) -> Option<(Dtype, Numbers)> {
    let logical = descriptor.logical_type_ref();
    let (stored, numbers) = match descriptor.physical_type() {
        Type::FLOAT => (Scalar::F32, Numbers { name: "f32", scalar: Scalar::F32 }),
        Type::DOUBLE => (Scalar::F64, Numbers { name: "f64", scalar: Scalar::F64 }),
        Type::FIXED_LEN_BYTE_ARRAY if matches!(logical, Some(LogicalType::Float16)) => {
            (Scalar::F16, Numbers { name: "f16", scalar: Scalar::F16 })
        }
        Type::INT32 | Type::INT64 => integers(descriptor)?,
        _ => return None,
    };
    Some((Dtype::little(stored), numbers))
}

/// How integers are stored, each in four bytes or in eight before they are compressed, and what they are. Dates, times and decimals
/// are none.
fn integers(descriptor: &ColumnDescriptor) -> Option<(Scalar, Numbers)> {
    let is_long = descriptor.physical_type() == Type::INT64;
    let (signed, unsigned) = if is_long { (Scalar::I64, Scalar::U64) } else { (Scalar::I32, Scalar::U32) };
    let (stored, name, scalar) = match descriptor.converted_type() {
        ConvertedType::INT_8 => (signed, "int8", Scalar::I8),
        ConvertedType::INT_16 => (signed, "int16", Scalar::I16),
        ConvertedType::INT_32 => (signed, "int32", Scalar::I32),
        ConvertedType::INT_64 => (signed, "int64", Scalar::I64),
        ConvertedType::UINT_8 => (unsigned, "uint8", Scalar::U8),
        ConvertedType::UINT_16 => (unsigned, "uint16", Scalar::U16),
        ConvertedType::UINT_32 => (unsigned, "uint32", Scalar::U32),
        ConvertedType::UINT_64 => (unsigned, "uint64", Scalar::U64),
        ConvertedType::NONE if descriptor.logical_type_ref().is_none() => {
            (signed, if is_long { "int64" } else { "int32" }, signed)
        }
        _ => return None,
    };
    Some((stored, Numbers { name, scalar }))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// What the columns of a schema hold.
    fn kinds(fields: &str) -> Vec<Kind> {
        let schema = parse_message_type(&format!("message schema {{ {fields} }}")).unwrap();
        let schema = SchemaDescriptor::new(Arc::new(schema));
        (0..schema.num_columns()).map(|index| Column::of(&schema, index).0).collect()
    }

    const LIST: &str = "optional group v (LIST) { repeated group list { optional float element; } }";

    #[test]
    fn lists_of_every_layout() {
        for fields in [
            LIST,
            "required group v (LIST) { repeated group bag { required float array_element; } }",
            "optional group v (LIST) { repeated float array; }",
            "repeated float v;",
            "optional group s { optional group v (LIST) { repeated group list { optional float element; } } }",
        ] {
            assert_eq!(kinds(fields), [Kind::List], "{fields}");
        }
    }

    #[test]
    fn maps_and_structures_are_no_lists() {
        for fields in [
            "optional group v (MAP) { repeated group key_value { required binary key (UTF8); optional float value; } }",
            "optional group v (MAP) { repeated group key_value { required float key; } }",
            "optional group v (LIST) { repeated group list { optional group element { optional float a; } } }",
            "optional group v (LIST) { repeated group list { optional float a; optional float b; } }",
        ] {
            let kinds = kinds(fields);
            assert!(!kinds.contains(&Kind::List) && kinds.contains(&Kind::Nested), "{fields}: {kinds:?}");
        }
    }

    #[test]
    fn one_value_a_row_is_a_number_or_not() {
        for (field, kind) in [
            ("optional float v;", Kind::Number),
            ("required double v;", Kind::Number),
            ("optional fixed_len_byte_array(2) v (FLOAT16);", Kind::Number),
            ("optional int32 v (INTEGER(8,false));", Kind::Number),
            ("optional int64 v;", Kind::Number),
            ("optional group s { optional float v; }", Kind::Number),
            ("optional int32 v (DATE);", Kind::Text),
            ("optional int64 v (TIMESTAMP(MICROS,true));", Kind::Text),
            ("optional int64 v (DECIMAL(10,2));", Kind::Text),
            ("optional boolean v;", Kind::Text),
            ("optional binary v (UTF8);", Kind::Text),
        ] {
            assert_eq!(kinds(field), [kind], "{field}");
        }
    }
}
