//! The header: magic, version, length, text; and the shape that it claims, held against the file's length. A pipe has none,
//! and its header is taken at its word.

use std::io::Read;

use super::literal;
use crate::{Fault, Reading, dtype::Dtype, foreign, grid::Grid};

pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// What numpy reads by default (`max_header_size`); a matrix of floats needs 118.
const LONGEST: u32 = 10_000;

/// As many first bytes as every file has.
const SHORTEST: u64 = 16;

/// Reads a header from the beginning of a file of `length` bytes, or of a pipe, of which no byte behind it is read.
pub(crate) fn grid(reader: &mut impl Read, length: Option<u64>, reading: &Reading) -> Result<Grid, Fault> {
    let (text, start) = text(reader, length)?;
    let literal::Fields { descr, fortran, shape } = literal::fields(&text)?;
    let dtype = Dtype::of_points(descr, reading.dtype)?;
    let (shape, views) = views(&shape, reading)?;
    let (rows, dims) = points(&shape)?;
    let (rows, dims) = held(rows, dims, dtype.size(), start, length)?;
    match (fortran, views) {
        (false, views) => Ok(Grid::of_rows(dtype, rows, dims, start).of_views(views)),
        (true, None) => Ok(Grid::of_columns(dtype, rows, dims, start)),
        (true, Some(_)) => Err(Fault::Unsupported {
            format: "NumPy",
            found: "three axes in Fortran order".into(),
            cure: "save numpy.ascontiguousarray(x)",
        }),
    }
}

/// A shape, and how many views it has: (n, views, d) is (n · views, d) where views are asked for.
pub(crate) fn views(shape: &[u64], reading: &Reading) -> Result<(Vec<u64>, Option<usize>), Fault> {
    let &[rows, views, dims] = shape else { return Ok((shape.into(), None)) };
    if !reading.views {
        return Ok((shape.into(), None));
    }
    match (rows.checked_mul(views), views.try_into()) {
        (Some(points), Ok(views)) => Ok((vec![points, dims], Some(views))),
        _ => Err(Fault::Huge { rows, dims: views }),
    }
}

/// The rows and dimensions of a shape: those of a matrix, or one dimension where it has one axis.
pub(crate) fn points(shape: &[u64]) -> Result<(u64, u64), Fault> {
    let (rows, dims) = match *shape {
        [rows] => (rows, 1),
        [rows, dims] => (rows, dims),
        _ => return Err(Fault::NotMatrix { shape: shape.into() }),
    };
    if rows == 0 || dims == 0 { Err(Fault::Empty { rows, dims }) } else { Ok((rows, dims)) }
}

/// rows × dims values of so many bytes, if they are what a file of `length` bytes holds from `start` on, or could be what
/// a pipe holds.
pub(crate) fn held(
    rows: u64,
    dims: u64,
    size: usize,
    start: u64,
    length: Option<u64>,
) -> Result<(usize, usize), Fault> {
    let huge = Fault::Huge { rows, dims };
    let bytes = rows.checked_mul(dims).and_then(|count| count.checked_mul(size as u64));
    let Some(claimed) = bytes.and_then(|bytes| bytes.checked_add(start)) else { return Err(huge) };
    if let Some(found) = length
        && found != claimed
    {
        return Err(Fault::Length { found, claimed });
    }
    match (rows.try_into(), dims.try_into()) {
        (Ok(rows), Ok(dims)) => Ok((rows, dims)),
        _ => Err(huge),
    }
}

/// The text of the header, and the byte at which it ends.
pub(crate) fn text(reader: &mut impl Read, length: Option<u64>) -> Result<(Vec<u8>, u64), Fault> {
    let mut head = Vec::new();
    reader.take(SHORTEST).read_to_end(&mut head)?;
    if head.is_empty() && length.is_none() {
        return Err(Fault::PipeEmpty);
    }
    // A pipe is as long as what was read when it ended.
    let cut = Fault::HeaderCut { length: length.unwrap_or(head.len() as u64) };
    let Some(rest) = head.strip_prefix(MAGIC) else {
        if MAGIC.starts_with(&head) {
            return Err(cut);
        }
        reader.take(foreign::DECIDING).read_to_end(&mut head)?;
        return Err(foreign::recognise(&head));
    };
    let (start, claimed) = match *rest {
        [1, 0, a, b, ..] => (10, u16::from_le_bytes([a, b]).into()),
        [2 | 3, 0, a, b, c, d, ..] => (12, u32::from_le_bytes([a, b, c, d])),
        [] | [1..=3] | [1..=3, 0, ..] => return Err(cut),
        [major, ref rest @ ..] => {
            return Err(Fault::Version { major, minor: rest.first().copied().unwrap_or_default() });
        }
    };
    if claimed > LONGEST {
        return Err(Fault::HeaderLength { length: claimed, limit: LONGEST });
    }
    let end = start + u64::from(claimed);
    if length.is_some_and(|length| end > length) {
        return Err(cut);
    }
    reader.take(end.saturating_sub(head.len() as u64)).read_to_end(&mut head)?;
    match head.get(start as usize..end as usize) {
        Some(text) => Ok((text.to_vec(), end)),
        None if length.is_none() => Err(Fault::HeaderCut { length: head.len() as u64 }),
        None => Err(Fault::Changed),
    }
}
