//! Packing: rows copied into the order in which the microkernel reads them, and the memory for that.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use crate::cpu::simd::float::Float;

/// Dimensions in a partial sum, which then joins the total: short sums round less.
pub(crate) const DIMS_PER_PARTIAL_SUM: usize = 64;

/// Dimensions of a row for one partial sum, and a cache line more: rows a power of two apart would crowd into the same few
/// places of a cache.
pub(crate) type DimsSegment<T> = [T; DIMS_PER_PARTIAL_SUM + 16];

/// Memory that is used again and again.
#[derive(Default)]
pub(crate) struct Buffer<T>(Vec<T>);

impl<T: Float> Buffer<T> {
    /// Slice of `len` values with any content, aligned to a cache line.
    pub(crate) fn take(&mut self, len: usize) -> &mut [T] {
        let line = 64 / size_of::<T>();
        if !self.has_room(len) {
            self.0.resize(len + line, T::default());
        }
        let start = self.0.as_ptr().align_offset(64).min(line);
        &mut self.0[start..start + len]
    }

    /// One that holds `len` values: zeros that nobody wrote are pages that nobody touched.
    fn with_room(len: usize) -> Self {
        Self(vec![T::default(); len + 64 / size_of::<T>()])
    }

    /// Whether it holds `len` values without growing.
    fn has_room(&self, len: usize) -> bool {
        self.0.len() >= len + 64 / size_of::<T>()
    }

    /// Whether nothing was ever taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Arrays with any content, aligned to a cache line.
    pub(crate) fn arrays<const LEN: usize>(&mut self, count: usize) -> &mut [[T; LEN]] {
        self.take(count * LEN).as_chunks_mut().0
    }
}

/// Packed rows of a block.
#[derive(Default)]
pub(crate) struct Packed<T> {
    /// Interleaved rows on the left of the last block, which the next block often shares.
    pub(crate) left: Buffer<T>,
    /// Rows that `left` holds.
    pub(crate) left_rows: Range<usize>,
    /// Number of panels of `left` that are packed.
    pub(crate) left_done: usize,
    /// Row terms of the rows on the left.
    pub(crate) row_terms: Buffer<T>,
    /// Rows on the right of one row of tiles.
    pub(crate) right: Buffer<T>,
    /// Rows in half precision as f32, before they are packed.
    pub(crate) wide: Vec<f32>,
    /// Scratch for weights that are computed in f64 and rounded.
    pub(crate) in_f64: Option<Box<Scratch<f64>>>,
}

/// Memory of one thread for a block, by shape.
#[derive(Default)]
pub(crate) struct Scratch<T> {
    pub(crate) packed: Packed<T>,
    /// One value per pair of the block.
    pub(crate) table: Buffer<T>,
    /// A strip of columns of the rows on one side.
    pub(crate) columns: Buffer<T>,
    /// Values per row on the left.
    pub(crate) left_values: Buffer<T>,
    /// Values per row on the right.
    pub(crate) right_values: Buffer<T>,
}

/// Scratch that threads lend each other, for the blocks of one set of pairs.
pub(crate) struct Pool<T>(Mutex<Vec<Scratch<T>>>);

impl<T: Float> Pool<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Scratch<T>) -> R) -> R {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = lock().pop().unwrap_or_default();
        let result = work(&mut scratch);
        lock().push(scratch);
        result
    }
}

/// Memory that calls leave behind for the next: fresh pages take as long as the work on few points.
pub(crate) static SPARE: Spare = Spare(Mutex::new(Vec::new()));

/// See [`SPARE`].
pub(crate) struct Spare(Mutex<Vec<Buffer<f64>>>);

impl Spare {
    /// Most bytes that a call leaves behind: those of two sets of 1024 rows in f64.
    const MAX_BYTES: usize = 32 << 20;
    /// Most calls that leave some behind.
    const MAX_COUNT: usize = 4;

    /// Runs work with `len` values of any content, aligned to a cache line.
    pub(crate) fn with<T: Float, R>(&self, len: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let len_in_f64 = (len * size_of::<T>()).div_ceil(size_of::<f64>());
        let spare = lock().pop().filter(|memory| memory.has_room(len_in_f64));
        let mut memory = spare.unwrap_or_else(|| Buffer::with_room(len_in_f64));
        let values = memory.take(len_in_f64);
        if cfg!(test) {
            // NaN in either precision: whoever reads what nobody wrote is found out.
            values.fill(f64::from_bits(u64::MAX));
        }
        let result = work(&mut bytemuck::cast_slice_mut(values)[..len]);
        let mut spare = lock();
        if size_of_val(&*memory.0) <= Self::MAX_BYTES && spare.len() < Self::MAX_COUNT {
            spare.push(memory);
        }
        result
    }
}

/// Copies `count` of `SIDE` rows, each times its factor. Missing rows are zeros.
#[inline(always)]
pub(crate) fn copy<'a, T: Float, const SIDE: usize>(
    out: &mut [[DimsSegment<T>; SIDE]],
    count: usize,
    row: impl Fn(usize) -> (&'a [f32], T),
) {
    for r in 0..SIDE {
        if r >= count {
            out.iter_mut().for_each(|out| out[r].fill(T::default()));
            continue;
        }
        let (row, scale) = row(r);
        for (out, row) in out.iter_mut().zip(row.chunks(DIMS_PER_PARTIAL_SUM)) {
            out[r].iter_mut().zip(row).for_each(|(out, &v)| *out = T::from(v) * scale);
        }
    }
}

/// Interleaves up to `width` rows, each times its factor: out[k · width + r] = row r [k]. Missing rows are zeros.
#[inline(always)]
pub(crate) fn interleave<'a, U: Copy + Into<T> + 'a, T: Float>(
    out: &mut [T],
    width: usize,
    count: usize,
    row: impl Fn(usize) -> (&'a [U], T),
) {
    let row = |r: usize| if r < count { row(r) } else { (row(0).0, T::default()) };
    let fours = width / ROWS_INTERLEAVED * ROWS_INTERLEAVED;
    for r in (0..fours).step_by(ROWS_INTERLEAVED) {
        interleave_four(&mut out[r..], width, std::array::from_fn(|i| row(r + i)));
    }
    for r in fours..width {
        let (row, scale) = row(r);
        for (out, &v) in out.chunks_exact_mut(width).zip(row) {
            out[r] = v.into() * scale;
        }
    }
}

/// Rows interleaved at a time: few enough streams for any cache, and square blocks that registers transpose.
const ROWS_INTERLEAVED: usize = 4;

/// Interleaves four rows at the front of `out`.
///
/// Never inlined, and so compiled for the base instruction set: where there is a scatter, compilers take it,
/// and it is many times slower than transposing.
#[inline(never)]
fn interleave_four<U: Copy + Into<T>, T: Float>(
    out: &mut [T],
    width: usize,
    rows: [(&[U], T); ROWS_INTERLEAVED],
) {
    let scales = rows.map(|(_, scale)| scale);
    let len = rows[0].0.len();
    let [a, b, c, d] = rows.map(|(row, _)| row[..len].as_chunks::<ROWS_INTERLEAVED>());
    let four = |values: [U; ROWS_INTERLEAVED]| {
        std::array::from_fn::<_, ROWS_INTERLEAVED, _>(|i| values[i].into() * scales[i])
    };
    let mut out = out.chunks_mut(width);
    for (((a, b), c), d) in a.0.iter().zip(b.0).zip(c.0).zip(d.0) {
        for k in 0..ROWS_INTERLEAVED {
            if let Some(out) = out.next() {
                out[..ROWS_INTERLEAVED].copy_from_slice(&four([a[k], b[k], c[k], d[k]]));
            }
        }
    }
    for ((((&a, &b), &c), &d), out) in a.1.iter().zip(b.1).zip(c.1).zip(d.1).zip(out) {
        out[..ROWS_INTERLEAVED].copy_from_slice(&four([a, b, c, d]));
    }
}

/// Calls values that will be read soon into the cache.
#[inline(always)]
pub(crate) fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let line = |values: &[T]| {
            // SAFETY: the instruction is part of SSE, which every x86-64 has, and it accesses no memory.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().cast()) }
        };
        values.chunks(64 / size_of::<T>()).for_each(line);
        // Values seldom start where a cache line does.
        line(&values[values.len().saturating_sub(1)..]);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
