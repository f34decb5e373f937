//! A block of pairs, tile by tile.

use std::array;

use pulp::Simd;

use super::{
    float::Float,
    kernel::{Kernel, Vector},
    pack::{Scratch, copy, interleave, prefetch},
    sets::Sets,
    tile::{SHORT, Tile, sums, width},
};
use crate::schedule::Block;

/// The closeness of every pair of a tile.
pub(super) struct Close<S: Simd, K: Kernel, const SIDE: usize> {
    /// Where the tile starts in its block, on the left and on the right.
    pub(super) at: (usize, usize),
    pub(super) closeness: Tile<S, K::Real, SIDE>,
    /// Where not all pairs count, those that do.
    pub(super) part: Option<Part<SIDE>>,
}

/// The pairs of a tile that count.
#[derive(Clone, Copy)]
pub(super) struct Part<const SIDE: usize> {
    /// For each row on the right, how many on the left, from the first on.
    counts: [usize; SIDE],
    /// But for the row on the left that has the number of the first on the right, and so on.
    equal: Option<isize>,
}

impl<const SIDE: usize> Part<SIDE> {
    /// Of the tile at (i, j); none where all pairs count.
    #[inline(always)]
    pub(super) fn of(sets: Sets<'_>, block: &Block, (i, j): (usize, usize), width: usize) -> Option<Self> {
        let (rows, cols) = (block.rows.len(), block.cols.len());
        let equal = (block.cols.start + j) as isize - (block.rows.start + i) as isize;
        let equal = (sets.distinct && -(SIDE as isize) < equal && equal < width as isize).then_some(equal);
        let whole = i + width <= rows && j + SIDE <= cols && !(block.diagonal && i + width > j);
        (!whole || equal.is_some()).then(|| {
            let counts = array::from_fn(|r| {
                let end = if block.diagonal { rows.min(j + r) } else { rows };
                if j + r < cols { end.saturating_sub(i) } else { 0 }
            });
            Self { counts, equal }
        })
    }
}

impl<S: Simd, K: Kernel, const SIDE: usize> Close<S, K, SIDE> {
    /// `vector` where pairs count, else `other`.
    #[inline(always)]
    pub(super) fn counted(
        &self,
        simd: S,
        (right, half): (usize, usize),
        vector: Vector<S, K>,
        other: Vector<S, K>,
    ) -> Vector<S, K> {
        let Some(Part { counts, equal }) = self.part else { return vector };
        let lanes = K::Real::lanes::<S>();
        let count = counts[right].saturating_sub(half * lanes).min(lanes);
        let vector = K::Real::between(simd, 0..count, vector, other);
        match equal.map(|equal| equal + right as isize - (half * lanes) as isize) {
            Some(lane) if (0..lanes as isize).contains(&lane) => {
                let lane = lane as usize;
                K::Real::between(simd, lane..lane + 1, other, vector)
            }
            _ => vector,
        }
    }
}

/// What is done with the tiles of a block.
pub(super) trait Visit<K: Kernel> {
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, K, SIDE>);
}

/// Visits all tiles of `block` that hold a pair which counts.
#[inline(always)]
pub(super) fn walk<S: Simd, K: Kernel, const SIDE: usize>(
    simd: S,
    sets: Sets<'_>,
    block: &Block,
    scratch: &mut Scratch<K::Real>,
    visitor: &mut impl Visit<K>,
) {
    let (left, right) = (sets.x, sets.right());
    let (rows, cols) = (block.rows.len(), block.cols.len());
    let width = width::<S, K::Real>();
    let dims = left.dims();
    let panels = rows.div_ceil(width);

    if scratch.left_rows != block.rows {
        (scratch.left_rows, scratch.left_done) = (block.rows.clone(), 0);
    }
    let interleaved = scratch.left.take(panels * width * dims);
    let margins = scratch.margins.take(panels * width);
    let of_left = K::margins(left, block.rows.clone());
    margins[..of_left.len()].copy_from_slice(of_left);
    margins[of_left.len()..].fill(K::Real::default());
    let margins = K::Real::vectors::<S>(margins).as_chunks::<2>().0;
    let of_right = K::margins(right, block.cols.clone());

    let group = scratch.right.arrays(SIDE * dims.div_ceil(SHORT)).as_chunks_mut().0;
    for j in (0..cols).step_by(SIDE) {
        let first = block.cols.start + j;
        copy(group, cols - j, |r| (right.row(first + r), right.scale_of(first + r)));
        let of_right: [_; SIDE] =
            array::from_fn(|r| K::Real::splat(simd, of_right.get(j + r).copied().unwrap_or_default()));
        for ((i, panel), margins) in
            (0..rows).step_by(width).zip(interleaved.chunks_exact_mut(width * dims)).zip(margins)
        {
            if block.diagonal && i + 1 >= j + SIDE {
                break;
            }
            if scratch.left_done == i / width {
                let first = block.rows.start + i;
                interleave(panel, width, rows - i, |r| (left.row(first + r), left.scale_of(first + r)));
                scratch.left_done += 1;
                for row in (first + width..block.rows.end).take(width) {
                    prefetch(left.row(row));
                }
            }
            // The next rows come from far: some of them for each tile, while it computes.
            for row in (first + SIDE..block.cols.end).take(SIDE).skip(i / width).step_by(panels) {
                prefetch(right.row(row));
            }
            let mut closeness = sums::<S, K::Real, K::Term, _, SIDE>(simd, panel, &*group);
            for (close, right) in closeness.iter_mut().zip(of_right) {
                close[0] = K::closeness(simd, close[0], margins[0], right);
                close[1] = K::closeness(simd, close[1], margins[1], right);
            }
            let part = Part::of(sets, block, (i, j), width);
            visitor.visit(simd, &Close { at: (i, j), closeness, part });
        }
    }
}
