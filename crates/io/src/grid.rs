//! Values of one dtype at even steps of a file: read in chunks, decoded, and put in row-major order; by several threads where
//! they are many.

use std::ops::Range;

use half::f16;
use rayon::prelude::*;

use crate::{
    Fault,
    dtype::{ByteOrder, Dtype, Scalar},
    memory::MIN_VALUES_FOR_THREADS,
    read_at::ReadAt,
    stored::Stored,
    table::{Table, check_place, check_range, narrowed},
};

/// How many bytes of a file in C order a thread reads at once, which the cache holds.
const CHUNK_BYTES: usize = 64 << 10;

/// Columns of a tile in Fortran order: as many as a cache line of a row of f32 holds.
const WIDTH: usize = 16;

/// Rows of a tile: so many that a column's piece is worth a call of the system, and no power of two, so that the
/// pieces do not compete for the same lines of the cache.
const HEIGHT: usize = 4096 + 16;

/// Where the values of a file are and how they lie there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) dtype: Dtype,
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    /// Of an array (n, views, d): how many rows one after another are views of the same thing.
    pub(crate) views: Option<usize>,
    /// Bytes before the first value.
    pub(crate) start: u64,
    /// Bytes from a value to the same dimension of the next row.
    row_step: u64,
    /// Bytes from a value to the next dimension of its row.
    dim_step: u64,
    /// Whether each row begins with its dimensions, as [`Count`].
    counted: bool,
}

/// How the dimensions of a row are written before it: the least significant byte first.
type Count = u32;

/// Bytes of a [`Count`].
pub(crate) const COUNT_BYTES: usize = size_of::<Count>();

impl Grid {
    /// Row after row.
    pub(crate) fn of_rows(dtype: Dtype, rows: usize, dims: usize, start: u64) -> Self {
        let dim_step = dtype.size() as u64;
        let row_step = dims as u64 * dim_step;
        Self { dtype, rows, dims, views: None, start, row_step, dim_step, counted: false }
    }

    /// Row after row from the beginning of a file, with its dimensions before each.
    pub(crate) fn of_counted_rows(dtype: Dtype, rows: usize, dims: usize) -> Self {
        let grid = Self::of_rows(dtype, rows, dims, COUNT_BYTES as u64);
        Self { row_step: grid.row_step + COUNT_BYTES as u64, counted: true, ..grid }
    }

    /// Column after column.
    pub(crate) fn of_columns(dtype: Dtype, rows: usize, dims: usize, start: u64) -> Self {
        // The columns of one row are its values.
        if rows == 1 {
            return Self::of_rows(dtype, rows, dims, start);
        }
        let row_step = dtype.size() as u64;
        let dim_step = rows as u64 * row_step;
        Self { dtype, rows, dims, views: None, start, row_step, dim_step, counted: false }
    }

    /// The same, its rows so many views of a thing each.
    pub(crate) fn of_views(self, views: Option<usize>) -> Self {
        Self { views, ..self }
    }

    /// The same, with so many bytes before the first value.
    pub(crate) fn at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// Bytes of all values.
    pub(crate) fn bytes(&self) -> u64 {
        self.rows as u64 * self.dims as u64 * self.dtype.size() as u64
    }

    /// Where a value is, in bytes from the beginning of the file.
    fn offset(&self, row: usize, dim: usize) -> u64 {
        self.start + row as u64 * self.row_step + dim as u64 * self.dim_step
    }

    /// Whether the values of a row are neighbours.
    fn has_whole_rows(&self) -> bool {
        self.dim_step == self.dtype.size() as u64
    }

    /// Reads some rows to `into`, which has as many values as they: the nearest f32, row-major.
    pub(crate) fn read<R: ReadAt + ?Sized>(
        &self,
        reader: &R,
        rows: Range<usize>,
        into: &mut [f32],
    ) -> Result<(), Fault> {
        check_range(&rows, self.rows, self.dims, into.len())?;
        if !self.has_whole_rows() {
            let read = |buffers: &mut Tile, (index, tile): (usize, &mut [f32])| {
                buffers.read(reader, self, rows.start + index * HEIGHT, tile)
            };
            chunks(into, HEIGHT * self.dims, Tile::default, read)
        } else if !self.counted {
            let values = CHUNK_BYTES / self.dtype.size();
            let start = self.offset(rows.start, 0);
            let read = |bytes: &mut Vec<u8>, (index, chunk): (usize, &mut [f32])| {
                bytes.resize(chunk.len() * self.dtype.size(), 0);
                reader.read_exact_at(bytes, start + (index * CHUNK_BYTES) as u64)?;
                self.dtype.decode(bytes, chunk);
                Ok(())
            };
            chunks(into, values, Vec::new, read)
        } else {
            let height = (CHUNK_BYTES / self.row_step as usize).max(1);
            let read = |bytes: &mut Vec<u8>, (index, chunk): (usize, &mut [f32])| {
                self.read_counted(reader, rows.start + index * height, bytes, chunk)
            };
            chunks(into, height * self.dims, Vec::new, read)
        }
    }

    /// Whether rows lie one after another as f16 in this machine's order of bytes.
    fn is_plain_half(&self) -> bool {
        let dtype = Dtype { scalar: Scalar::F16, order: ByteOrder::NATIVE };
        self.dtype == dtype && self.has_whole_rows() && !self.counted
    }

    /// Reads some rows of such a grid, `into` having as many values as they.
    fn read_plain_half<R: ReadAt + ?Sized>(
        &self,
        reader: &R,
        rows: Range<usize>,
        into: &mut [f16],
    ) -> Result<(), Fault> {
        check_range(&rows, self.rows, self.dims, into.len())?;
        let mut bytes = vec![0; CHUNK_BYTES.min(size_of_val(into))];
        let chunks = into.chunks_mut(CHUNK_BYTES / size_of::<f16>());
        chunks.zip((self.offset(rows.start, 0)..).step_by(CHUNK_BYTES)).try_for_each(|(chunk, start)| {
            let bytes = &mut bytes[..size_of_val(chunk)];
            reader.read_exact_at(bytes, start)?;
            let values = bytes.as_chunks().0;
            chunk.iter_mut().zip(values).for_each(|(into, &value)| *into = f16::from_ne_bytes(value));
            Ok(())
        })
    }

    /// Reads whole rows from `top` on, and checks that each has as many dimensions as all.
    fn read_counted<R: ReadAt + ?Sized>(
        &self,
        reader: &R,
        top: usize,
        bytes: &mut Vec<u8>,
        into: &mut [f32],
    ) -> Result<(), Fault> {
        let (height, step) = (into.len() / self.dims, self.row_step as usize);
        bytes.resize(height * step, 0);
        reader.read_exact_at(bytes, self.offset(top, 0) - COUNT_BYTES as u64)?;
        for (index, (point, stored)) in
            into.chunks_exact_mut(self.dims).zip(bytes.chunks_exact(step)).enumerate()
        {
            self.dtype.decode(self.values_of(top + index, stored)?, point);
        }
        Ok(())
    }

    /// The values of a row that begins with how many they are.
    fn values_of<'a>(&self, row: usize, stored: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (count, values) = stored.split_at(COUNT_BYTES);
        if !count.iter().eq(&(self.dims as Count).to_le_bytes()) {
            let found = count.iter().rev().fold(0, |count, &byte| count << 8 | Count::from(byte));
            return Err(Fault::RowWidth { row, found: found as usize, dims: self.dims });
        }
        Ok(values)
    }

    /// The same in f64.
    fn read_wide<R: ReadAt + ?Sized>(
        &self,
        reader: &R,
        rows: Range<usize>,
        into: &mut [f64],
    ) -> Result<(), Fault> {
        check_range(&rows, self.rows, self.dims, into.len())?;
        if self.has_whole_rows() {
            let mut bytes = vec![0; rows.len() * self.row_step as usize];
            let before = if self.counted { COUNT_BYTES as u64 } else { 0 };
            reader.read_exact_at(&mut bytes, self.offset(rows.start, 0) - before)?;
            let stored = bytes.chunks_exact(self.row_step as usize);
            return rows.zip(stored).zip(into.chunks_exact_mut(self.dims)).try_for_each(
                |((row, stored), into)| {
                    let values = if self.counted { self.values_of(row, stored)? } else { stored };
                    self.dtype.decode_wide(values, into);
                    Ok(())
                },
            );
        }
        let mut bytes = vec![0; rows.len() * self.dtype.size()];
        let mut column = vec![0.0; rows.len()];
        (0..self.dims).try_for_each(|dim| {
            reader.read_exact_at(&mut bytes, self.offset(rows.start, dim))?;
            self.dtype.decode_wide(&bytes, &mut column);
            let places = into.iter_mut().skip(dim).step_by(self.dims);
            places.zip(&column).for_each(|(into, value)| *into = *value);
            Ok(())
        })
    }

    /// One value as it is stored, which f64 holds exactly unless it is an integer beyond 2⁵³.
    pub(crate) fn stored<R: ReadAt + ?Sized>(
        &self,
        reader: &R,
        row: usize,
        dim: usize,
    ) -> Result<f64, Fault> {
        check_place(row, dim, self.rows, self.dims)?;
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..self.dtype.size()];
        reader.read_exact_at(bytes, self.offset(row, dim))?;
        Ok(self.dtype.number(bytes).f64())
    }
}

/// A grid and what its values are stored in.
#[derive(Debug)]
pub(crate) struct GridOf {
    pub(crate) grid: Grid,
    pub(crate) stored: Stored,
}

impl Table for GridOf {
    fn rows(&self) -> usize {
        self.grid.rows
    }

    fn dims(&self) -> usize {
        self.grid.dims
    }

    fn views(&self) -> Option<usize> {
        self.grid.views
    }

    fn dtype(&self) -> String {
        self.grid.dtype.to_string()
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(self.grid.dtype.scalar)
    }

    fn bytes(&self) -> u64 {
        self.grid.bytes()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.stored.bytes_in_memory()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        self.grid.read(&self.stored, rows, into)
    }

    fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<(), Fault> {
        if self.grid.is_plain_half() {
            return self.grid.read_plain_half(&self.stored, rows, into);
        }
        narrowed(into, |fault| fault, |values| self.read(rows, values))
    }

    fn read_wide(&self, rows: Range<usize>, into: &mut [f64]) -> Result<(), Fault> {
        self.grid.read_wide(&self.stored, rows, into)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        self.grid.stored(&self.stored, row, dim)
    }
}

/// Fills each chunk of so many values, in several threads where it pays. A thread keeps its buffers.
pub(crate) fn chunks<B>(
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
        grid: &Grid,
        top: usize,
        into: &mut [f32],
    ) -> Result<(), Fault> {
        let &Grid { dtype, dims, .. } = grid;
        let height = into.len() / dims;
        self.bytes.resize(height * dtype.size(), 0);
        self.columns.resize(height * dims.min(WIDTH), 0.0);
        for left in (0..dims).step_by(WIDTH) {
            let width = WIDTH.min(dims - left);
            for (dim, column) in (left..left + width).zip(self.columns.chunks_exact_mut(height)) {
                reader.read_exact_at(&mut self.bytes, grid.offset(top, dim))?;
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

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
            let whole = bytes.len() as u64;
            let reading = crate::Reading::new();
            let grid =
                crate::formats::npy::header::grid(&mut bytes.as_slice(), Some(whole), &reading).unwrap();
            let mut into = vec![0.0; rows * dims];
            grid.read(&Failing { bytes: bytes.clone(), fails_at: whole }, 0..rows, &mut into).unwrap();
            let at = |row: usize, dim: usize| if fortran { dim * rows + row } else { row * dims + dim };
            assert!((0..rows * dims).all(|i| into[i] == at(i / dims, i % dims) as f32));
            let fault = grid.read(&Failing { bytes, fails_at: whole / 2 }, 0..rows, &mut into).unwrap_err();
            assert!(matches!(fault, Fault::Io(_)) && fault.to_string().contains("a bad sector"), "{fault}");
        }
    }
}
