//! safetensors: a header of JSON, and tensors one after another, row-major and little-endian.

use std::path::Path;

use safetensors::{
    Dtype as Stated,
    tensor::{Metadata, TensorInfo},
};

use super::{
    Format, Input, NameOption,
    arrays::{Array, choose},
    fence::fenced,
    npy::header,
};
use crate::{
    Fault, Reading,
    dtype::{Dtype, Scalar, excerpt},
    grid::{Grid, GridOf},
    read_at::ReadAt,
    stored::Stored,
    table::Table,
};

/// Bytes before the header: its length, as u64.
const PREFIX: u64 = 8;

/// The longest header that is read. The tensors of a large model take less than a tenth of it. Its decoder asks for up to 64
/// times its length.
const LONGEST: u64 = 4 << 20;

const NAME: &str = "safetensors";

/// `.safetensors`.
pub(crate) struct Safetensors;

impl Format for Safetensors {
    fn recognises(&self, head: &[u8], path: &Path) -> bool {
        let named = path.extension().is_some_and(|extension| extension == NAME);
        named || matches!(head, [_, _, _, _, 0, 0, 0, 0, b'{', b'"' | b' ' | b'}', ..])
    }

    fn name_option(&self) -> Option<NameOption> {
        Some(NameOption::Tensor)
    }

    fn takes_dtype(&self) -> bool {
        true
    }

    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        let (stored, length) = input.whole()?;
        let (tensors, start) = header(&stored, length)?;
        let name = chosen(&tensors, reading)?;
        let tensor = tensors.info(&name).ok_or_else(|| damaged("it lost a tensor"))?;
        let dtype = dtype(tensor)?.told(reading.dtype)?;
        let (stated, views) = header::views(&shape(tensor), reading)?;
        let (rows, dims) = header::points(&stated)?;
        let bytes = rows.checked_mul(dims).and_then(|count| count.checked_mul(dtype.size() as u64));
        // The header says both the shape and the bytes, which its decoder has compared.
        let (from, to) = tensor.data_offsets;
        let (Some(true), Ok(rows), Ok(dims)) =
            (bytes.map(|bytes| bytes == (to - from) as u64), rows.try_into(), dims.try_into())
        else {
            return Err(Fault::Huge { rows, dims });
        };
        let grid = Grid::of_rows(dtype, rows, dims, start + from as u64).of_views(views);
        Ok(Box::new(GridOf { grid, stored }))
    }
}

/// What a header says of its tensors, which fill the rest of the file; and the byte at which they begin.
fn header(stored: &Stored, length: u64) -> Result<(Metadata, u64), Fault> {
    let mut prefix = [0; PREFIX as usize];
    if length < PREFIX {
        return Err(Fault::HeaderCut { length });
    }
    stored.read_exact_at(&mut prefix, 0)?;
    let claimed = u64::from_le_bytes(prefix);
    if claimed > LONGEST {
        return Err(damaged(&format!("its header claims {claimed} bytes, and {LONGEST} are the most")));
    }
    let start = PREFIX + claimed;
    if start > length {
        return Err(Fault::HeaderCut { length });
    }
    let mut text = vec![0; claimed as usize];
    stored.read_exact_at(&mut text, PREFIX)?;
    let tensors: Metadata = fenced(NAME, || {
        serde_json::from_slice(&text).map_err(|error| damaged(&excerpt(error.to_string().as_bytes())))
    })?;
    let claimed = start.saturating_add(tensors.data_len() as u64);
    if claimed != length {
        return Err(Fault::Length { found: length, claimed });
    }
    Ok((tensors, start))
}

/// The name of the tensor that was asked for, or of the only matrix.
fn chosen(tensors: &Metadata, reading: &Reading) -> Result<String, Fault> {
    let mut names = tensors.offset_keys();
    let shape = |name| tensors.info(name).map(shape).unwrap_or_default();
    let arrays: Vec<_> = names.iter().map(|name| Array { name, shape: shape(name) }).collect();
    let index = choose(&arrays, reading.tensor.as_deref(), reading, "--tensor")?;
    Ok(names.swap_remove(index))
}

fn shape(tensor: &TensorInfo) -> Vec<u64> {
    tensor.shape.iter().map(|&size| size as u64).collect()
}

fn dtype(tensor: &TensorInfo) -> Result<Dtype, Fault> {
    let scalar = match tensor.dtype {
        Stated::BOOL => Scalar::Bool,
        Stated::I8 => Scalar::I8,
        Stated::U8 => Scalar::U8,
        Stated::I16 => Scalar::I16,
        Stated::U16 => Scalar::U16,
        Stated::I32 => Scalar::I32,
        Stated::U32 => Scalar::U32,
        Stated::I64 => Scalar::I64,
        Stated::U64 => Scalar::U64,
        Stated::F16 => Scalar::F16,
        Stated::BF16 => Scalar::BF16,
        Stated::F32 => Scalar::F32,
        Stated::F64 => Scalar::F64,
        Stated::F8_E4M3 => Scalar::F8E4M3,
        Stated::F8_E5M2 => Scalar::F8E5M2,
        other => {
            let found = format!("values of dtype {other:?}");
            return Err(Fault::Unsupported { format: NAME, found, cure: "save x.float()" });
        }
    };
    Ok(Dtype::little(scalar))
}

fn damaged(problem: &str) -> Fault {
    Fault::Damaged { format: NAME, problem: problem.into() }
}
