//! Rows, copied into the order in which kernels read them.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{
    float::Float,
    tile::{Part, SHORT},
};

/// Memory that is used again and again.
#[derive(Default)]
pub(super) struct Buffer<T>(Vec<T>);

impl<T: Float> Buffer<T> {
    /// So many values of whatever was there, from the start of a cache line on.
    pub(super) fn take(&mut self, len: usize) -> &mut [T] {
        let line = 64 / size_of::<T>();
        if self.0.len() < len + line {
            self.0.resize(len + line, T::default());
        }
        let start = self.0.as_ptr().align_offset(64).min(line);
        &mut self.0[start..start + len]
    }

    /// Whether nothing was ever taken.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same as arrays.
    pub(super) fn arrays<const LEN: usize>(&mut self, count: usize) -> &mut [[T; LEN]] {
        self.take(count * LEN).as_chunks_mut().0
    }
}

/// One thread's memory for a block.
#[derive(Default)]
pub(super) struct Scratch<T> {
    /// The interleaved rows on the left of the last block, which they are, since the next often has the same,
    /// and how many panels of them are done.
    pub(super) left: Buffer<T>,
    pub(super) left_rows: Range<usize>,
    pub(super) left_done: usize,
    pub(super) margins: Buffer<T>,
    pub(super) right: Buffer<T>,
    pub(super) weights: Buffer<T>,
    pub(super) strip: Buffer<T>,
    /// For what double precision has to do first.
    pub(super) double: Option<Box<Scratch<f64>>>,
}

/// Scratch that threads lend each other, for the blocks of one pair of sets.
pub(super) struct Pool<T>(Mutex<Vec<Scratch<T>>>);

impl<T: Float> Pool<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Scratch<T>) -> R) -> R {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = lock().pop().unwrap_or_default();
        let result = work(&mut scratch);
        lock().push(scratch);
        result
    }
}

/// Copies `count` of `SIDE` rows, each times its factor. Rows that are not there are zeros.
#[inline(always)]
pub(super) fn copy<'a, T: Float, const SIDE: usize>(
    out: &mut [[Part<T>; SIDE]],
    count: usize,
    row: impl Fn(usize) -> (&'a [f32], T),
) {
    for r in 0..SIDE {
        if r >= count {
            out.iter_mut().for_each(|out| out[r].fill(T::default()));
            continue;
        }
        let (row, scale) = row(r);
        for (out, row) in out.iter_mut().zip(row.chunks(SHORT)) {
            out[r].iter_mut().zip(row).for_each(|(out, &v)| *out = T::from(v) * scale);
        }
    }
}

/// Interleaves up to `width` rows, each times its factor: out[k · width + r] = row r [k]. Rows that are not
/// there are zeros.
#[inline(always)]
pub(super) fn interleave<'a, U: Copy + Into<T> + 'a, T: Float>(
    out: &mut [T],
    width: usize,
    count: usize,
    row: impl Fn(usize) -> (&'a [U], T),
) {
    let row = |r: usize| if r < count { row(r) } else { (row(0).0, T::default()) };
    let fours = width / FOUR * FOUR;
    for r in (0..fours).step_by(FOUR) {
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
const FOUR: usize = 4;

/// Interleaves four rows at the front of `out`.
///
/// Never inlined, and so compiled for the base instruction set: where there is a scatter, compilers take it,
/// and it is many times slower than transposing.
#[inline(never)]
fn interleave_four<U: Copy + Into<T>, T: Float>(out: &mut [T], width: usize, rows: [(&[U], T); FOUR]) {
    let scales = rows.map(|(_, scale)| scale);
    let len = rows[0].0.len();
    let [a, b, c, d] = rows.map(|(row, _)| row[..len].as_chunks::<FOUR>());
    let mut out = out.chunks_mut(width);
    for (((a, b), c), d) in a.0.iter().zip(b.0).zip(c.0).zip(d.0) {
        for k in 0..FOUR {
            if let Some(out) = out.next() {
                let four = [a[k].into(), b[k].into(), c[k].into(), d[k].into()];
                out[..FOUR].copy_from_slice(&std::array::from_fn::<_, FOUR, _>(|i| four[i] * scales[i]));
            }
        }
    }
    for ((((&a, &b), &c), &d), out) in a.1.iter().zip(b.1).zip(c.1).zip(d.1).zip(out) {
        let four = [a.into(), b.into(), c.into(), d.into()];
        out[..FOUR].copy_from_slice(&std::array::from_fn::<_, FOUR, _>(|i| four[i] * scales[i]));
    }
}

/// Calls values into the cache that are going to be read.
#[inline(always)]
pub(super) fn prefetch<T>(values: &[T]) {
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
