//! The values: read in chunks, decoded, and put in row-major order.

use std::io::{Read, Seek, SeekFrom};

use crate::{Fault, Float, header::Header};

/// How many values are read at once in C order: 64 KiB to 256 KiB, which the cache holds.
const CHUNK: usize = 32 << 10;

/// Columns of a tile in Fortran order: as many as a cache line of a row of f32 holds.
const WIDTH: usize = 16;

/// Rows of a tile: so many that a column's piece is worth a seek, and no power of two, so that the pieces do
/// not compete for the same lines of the cache.
const HEIGHT: usize = 4096 + 16;

/// The rows × dims values, row-major.
pub(crate) fn read(reader: &mut (impl Read + Seek), header: &Header) -> Result<Vec<f32>, Fault> {
    let mut values = reserve(header.count())?;
    if header.fortran {
        values.resize(header.rows * header.dims, 0.0);
        read_fortran(reader, header, &mut values)?;
    } else {
        read_c(reader, header, &mut values)?;
    }
    Ok(values)
}

fn reserve(count: u64) -> Result<Vec<f32>, Fault> {
    let bytes = u128::from(count) * size_of::<f32>() as u128;
    let mut values = Vec::new();
    match usize::try_from(count).map(|count| values.try_reserve_exact(count)) {
        Ok(Ok(())) => Ok(values),
        _ => Err(Fault::Memory { bytes }),
    }
}

fn read_c(reader: &mut (impl Read + Seek), header: &Header, values: &mut Vec<f32>) -> Result<(), Fault> {
    let count = header.rows * header.dims;
    let size = header.dtype.float.size();
    let mut buffer = vec![0; count.min(CHUNK) * size];
    reader.seek(SeekFrom::Start(header.offset(0, 0)))?;
    while values.len() < count {
        let chunk = &mut buffer[..(count - values.len()).min(CHUNK) * size];
        reader.read_exact(chunk)?;
        header.dtype.decode(chunk, values);
    }
    Ok(())
}

fn read_fortran(reader: &mut (impl Read + Seek), header: &Header, values: &mut [f32]) -> Result<(), Fault> {
    let &Header { dtype, rows, dims, .. } = header;
    let mut buffer = vec![0; rows.min(HEIGHT) * dtype.float.size()];
    let mut tile = Vec::with_capacity(rows.min(HEIGHT) * dims.min(WIDTH));
    for top in (0..rows).step_by(HEIGHT) {
        let height = HEIGHT.min(rows - top);
        let piece = &mut buffer[..height * dtype.float.size()];
        for left in (0..dims).step_by(WIDTH) {
            let width = WIDTH.min(dims - left);
            tile.clear();
            for dim in left..left + width {
                reader.seek(SeekFrom::Start(header.offset(top, dim)))?;
                reader.read_exact(piece)?;
                dtype.decode(piece, &mut tile);
            }
            for row in 0..height {
                let points = &mut values[(top + row) * dims + left..][..width];
                for (column, value) in points.iter_mut().enumerate() {
                    *value = tile[column * height + row];
                }
            }
        }
    }
    Ok(())
}

/// Fails where a value that is not finite as f32 is finite in the file.
pub(crate) fn check_overflow(
    reader: &mut (impl Read + Seek),
    header: &Header,
    row: usize,
    dim: usize,
) -> Result<(), Fault> {
    if header.dtype.float != Float::F64 {
        return Ok(());
    }
    let mut bytes = [0; 8];
    reader.seek(SeekFrom::Start(header.offset(row, dim)))?;
    reader.read_exact(&mut bytes)?;
    let value = header.dtype.order.f64(bytes);
    if value.is_finite() { Err(Fault::Overflow { row, dim, value }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_memory_than_there_is_is_an_error() {
        for count in [1 << 61, u64::MAX] {
            assert!(matches!(reserve(count), Err(Fault::Memory { bytes }) if bytes == u128::from(count) * 4));
        }
    }
}
