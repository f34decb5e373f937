//! Rows, copied into the order in which kernels read them.

use std::sync::{Mutex, PoisonError};

use super::float::Float;

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
}

/// One thread's memory for a block.
#[derive(Default)]
pub(super) struct Scratch<T> {
    pub(super) left: Buffer<T>,
    pub(super) excess: Buffer<T>,
    pub(super) right: Buffer<T>,
    pub(super) weights: Buffer<T>,
    pub(super) turned: Buffer<T>,
}

/// Scratch that threads lend each other.
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

/// Interleaves up to `width` rows, each times its factor: out[k · width + r] = row r [k]. Rows that are not
/// there are zeros.
#[inline(always)]
pub(super) fn interleave<'a, U: Copy + Into<T> + 'a, T: Float>(
    out: &mut [T],
    width: usize,
    count: usize,
    row: impl Fn(usize) -> (&'a [U], T),
) {
    // Four rows at a time: few enough streams for any cache, and enough for whole vectors.
    let mut r = 0;
    let row = |r: usize| if r < count { row(r) } else { (row(0).0, T::default()) };
    while r + 4 <= width {
        let ((a, sa), (b, sb), (c, sc), (d, sd)) = (row(r), row(r + 1), row(r + 2), row(r + 3));
        let rows = a.iter().zip(b).zip(c.iter().zip(d));
        for (out, ((&a, &b), (&c, &d))) in out.chunks_exact_mut(width).zip(rows) {
            let four = [a.into() * sa, b.into() * sb, c.into() * sc, d.into() * sd];
            out[r..r + 4].copy_from_slice(&four);
        }
        r += 4;
    }
    for r in r..width {
        let (row, scale) = row(r);
        for (out, &v) in out.chunks_exact_mut(width).zip(row) {
            out[r] = v.into() * scale;
        }
    }
}
