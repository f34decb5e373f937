//! The values: read in chunks, decoded, and put in row-major order; by several threads where they are many.

use std::ops::Range;

use rayon::prelude::*;

use crate::{Fault, header::Header, read_at::ReadAt};

/// How many bytes of a file in C order a thread reads at once, which the cache holds.
const CHUNK_BYTES: usize = 64 << 10;

/// Columns of a tile in Fortran order: as many as a cache line of a row of f32 holds.
const WIDTH: usize = 16;

/// Rows of a tile: so many that a column's piece is worth a call of the system, and no power of two, so that the
/// pieces do not compete for the same lines of the cache.
const HEIGHT: usize = 4096 + 16;

/// The fewest values that several threads read: about a millisecond for one.
pub(crate) const MIN_VALUES_FOR_THREADS: usize = 512 << 10;

/// A vector of zeros, if there is memory for it.
pub(crate) fn zeros(rows: usize, dims: usize) -> Result<Vec<f32>, Fault> {
    let bytes = (rows as u128 * dims as u128).saturating_mul(size_of::<f32>() as u128);
    let mut values = Vec::new();
    match rows.checked_mul(dims) {
        Some(count) if values.try_reserve_exact(count).is_ok() => {
            if count < MIN_VALUES_FOR_THREADS {
                values.resize(count, 0.0);
            } else {
                // The first write to memory is what takes long.
                values.par_extend(rayon::iter::repeat_n(0.0, count));
            }
            Ok(values)
        }
        _ => Err(Fault::Memory { bytes }),
    }
}

/// Reads some rows of a file to `into`, which has as many values as they: the nearest f32, row-major.
pub(crate) fn read<R: ReadAt + ?Sized>(
    reader: &R,
    header: &Header,
    rows: Range<usize>,
    into: &mut [f32],
) -> Result<(), Fault> {
    check_range(&rows, header.rows, header.dims, into.len())?;
    if header.fortran {
        let read = |buffers: &mut Tile, (index, tile): (usize, &mut [f32])| {
            buffers.read(reader, header, rows.start + index * HEIGHT, tile)
        };
        chunks(into, HEIGHT * header.dims, Tile::default, read)
    } else {
        let size = header.dtype.float.size();
        let values = CHUNK_BYTES / size;
        let start = header.offset(rows.start, 0);
        let read = |bytes: &mut Vec<u8>, (index, chunk): (usize, &mut [f32])| {
            bytes.resize(chunk.len() * size, 0);
            reader.read_exact_at(bytes, start + (index * CHUNK_BYTES) as u64)?;
            header.dtype.decode(bytes, chunk);
            Ok(())
        };
        chunks(into, values, Vec::new, read)
    }
}

/// Fails unless the rows are among those of a set, and `values` is how many values they have.
pub(crate) fn check_range(rows: &Range<usize>, of: usize, dims: usize, values: usize) -> Result<(), Fault> {
    let Range { start, end } = *rows;
    if start > end || end > of {
        return Err(Fault::NoSuchRows { start, end, rows: of });
    }
    if (end - start).checked_mul(dims) != Some(values) {
        return Err(Fault::Buffer { values, rows: end - start, dims });
    }
    Ok(())
}

/// Fills each chunk of so many values, in several threads where it pays. A thread keeps its buffers.
fn chunks<B>(
    into: &mut [f32],
    chunk: usize,
    buffers: impl Fn() -> B + Sync + Send,
    fill: impl Fn(&mut B, (usize, &mut [f32])) -> Result<(), Fault> + Sync + Send,
) -> Result<(), Fault> {
    if into.len() < MIN_VALUES_FOR_THREADS {
        let mut buffers = buffers();
        return into.chunks_mut(chunk).enumerate().try_for_each(|chunk| fill(&mut buffers, chunk));
    }
    into.par_chunks_mut(chunk).enumerate().try_for_each_init(buffers, fill)
}

/// Buffers of a thread that reads Fortran order.
#[derive(Default)]
struct Tile {
    bytes: Vec<u8>,
    /// WIDTH columns, one after another.
    columns: Vec<f32>,
}

impl Tile {
    /// Reads whole rows from `top` on.
    fn read<R: ReadAt + ?Sized>(
        &mut self,
        reader: &R,
        header: &Header,
        top: usize,
        into: &mut [f32],
    ) -> Result<(), Fault> {
        let &Header { dtype, dims, .. } = header;
        let height = into.len() / dims;
        self.bytes.resize(height * dtype.float.size(), 0);
        self.columns.resize(height * dims.min(WIDTH), 0.0);
        for left in (0..dims).step_by(WIDTH) {
            let width = WIDTH.min(dims - left);
            for (dim, column) in (left..left + width).zip(self.columns.chunks_exact_mut(height)) {
                reader.read_exact_at(&mut self.bytes, header.offset(top, dim))?;
                dtype.decode(&self.bytes, column);
            }
            for (row, point) in into.chunks_exact_mut(dims).enumerate() {
                for (column, value) in point[left..left + width].iter_mut().enumerate() {
                    *value = self.columns[column * height + row];
                }
            }
        }
        Ok(())
    }
}

/// One value as it is stored, which f64 holds exactly.
pub(crate) fn stored<R: ReadAt + ?Sized>(
    reader: &R,
    header: &Header,
    row: usize,
    dim: usize,
) -> Result<f64, Fault> {
    if row >= header.rows || dim >= header.dims {
        return Err(Fault::NoSuchRows { start: row, end: row.saturating_add(1), rows: header.rows });
    }
    let mut bytes = [0; 8];
    let bytes = &mut bytes[..header.dtype.float.size()];
    reader.read_exact_at(bytes, header.offset(row, dim))?;
    Ok(header.dtype.f64(bytes))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn more_memory_than_there_is_is_an_error() {
        for (rows, dims) in [(1 << 61, 1), (usize::MAX, 1), (usize::MAX, usize::MAX)] {
            let wanted = (rows as u128 * dims as u128).saturating_mul(4);
            assert!(matches!(zeros(rows, dims), Err(Fault::Memory { bytes }) if bytes == wanted));
        }
    }

    /// Bytes of which a disk gives a few at a time, and then an error.
    struct Failing {
        bytes: Vec<u8>,
        fails_at: u64,
    }

    impl ReadAt for Failing {
        fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            let few = into.len().min(1000);
            if offset % 3 == 1 && few > 1 {
                return self.bytes.as_slice().read_at(&mut into[..1], offset);
            }
            if offset + few as u64 > self.fails_at {
                return Err(io::Error::other("a bad sector"));
            }
            self.bytes.as_slice().read_at(&mut into[..few], offset)
        }
    }

    #[test]
    fn a_disk_that_fails_half_way_is_an_error_and_one_that_gives_little_is_none() {
        let (rows, dims) = (1 << 16, 9);
        for fortran in [false, true] {
            let header = format!(
                "{{'descr': '<f4', 'fortran_order': {}, 'shape': ({rows}, {dims})}}",
                if fortran { "True" } else { "False" }
            );
            let length = (header.len() as u16).to_le_bytes();
            let values = (0..rows * dims).flat_map(|value| (value as f32).to_le_bytes()).collect::<Vec<_>>();
            let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &values].concat();
            let header = Header::read(&mut bytes.as_slice(), Some(bytes.len() as u64)).unwrap();
            let whole = bytes.len() as u64;
            let mut into = vec![0.0; rows * dims];
            read(&Failing { bytes: bytes.clone(), fails_at: whole }, &header, 0..rows, &mut into).unwrap();
            let at = |row: usize, dim: usize| if fortran { dim * rows + row } else { row * dims + dim };
            assert!((0..rows * dims).all(|i| into[i] == at(i / dims, i % dims) as f32));
            let fault =
                read(&Failing { bytes, fails_at: whole / 2 }, &header, 0..rows, &mut into).unwrap_err();
            assert!(matches!(fault, Fault::Io(_)) && fault.to_string().contains("a bad sector"), "{fault}");
        }
    }
}
