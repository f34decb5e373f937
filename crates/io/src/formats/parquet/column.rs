//! The column that holds the points.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, Type},
    schema::types::{ColumnDescriptor, SchemaDescriptor, Type as Node},
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
            value: Self::of(index, descriptor).filter(|_| is_list(schema, index)),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::schema::parser::parse_message_type;

    use super::*;

    fn found(fields: &str, wanted: Option<&str>) -> Result<usize, Fault> {
        let schema = parse_message_type(&format!("message schema {{ {fields} }}")).unwrap();
        Column::find(&SchemaDescriptor::new(Arc::new(schema)), wanted).map(|column| column.index)
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
            assert_eq!(found(fields, None).unwrap(), 0, "{fields}");
        }
    }

    #[test]
    fn maps_and_structures_are_no_lists() {
        for fields in [
            "optional group v (MAP) { repeated group key_value { required binary key (UTF8); optional float value; } }",
            "optional group v (MAP) { repeated group key_value { required float key; } }",
            "optional group v (LIST) { repeated group list { optional group element { optional float a; } } }",
            "optional group v (LIST) { repeated group list { optional float a; optional float b; } }",
            "optional float v;",
        ] {
            assert!(matches!(found(fields, None), Err(Fault::NoColumn { .. })), "{fields}");
            // It is not in the way of a list.
            assert!(found(&format!("{fields} repeated float w;"), None).is_ok(), "{fields}");
        }
    }

    #[test]
    fn one_name_of_two_lists_is_a_fault() {
        let twice = format!("{LIST} {LIST}");
        assert!(matches!(found(&twice, Some("v")), Err(Fault::SameColumns { .. })));
        assert!(matches!(found(&twice, None), Err(Fault::ManyColumns { .. })));
    }
}
