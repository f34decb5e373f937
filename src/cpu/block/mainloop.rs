//! Mainloop: the similarities of a block of pairs, tile by tile, each tile given to an epilogue.
//!
//! ```text
//! mainloop(pairs, block, epilogue):
//!     for each group of SIDE rows on the right:                    # j
//!         pack the group: each row times its factor to unit length
//!         for each panel of `width` rows on the left:              # i
//!             stop at the diagonal, below which no pair counts
//!             interleave the panel, unless an earlier group or block did
//!             sums[r][i]         = Σₖ term(left[i][k], right[r][k])          # the microkernel, in registers
//!             similarities[r][i] = F::similarity(sums[r][i], terms of both rows)
//!             epilogue.apply(similarities, the pairs among them that count)
//! ```
//!
//! The left side is packed once for all groups and kept from block to block, the right side a group at a time: that is 4 %
//! of a value's time in 768 dimensions, which does not pay for points stored in packed form as well. The epilogue
//! turns each tile into a sum, a row of a table or a gradient's weights; the next tile takes its place.

use std::{array, ops::Range};

use pulp::Simd;

use crate::{
    cpu::{
        block::{
            formula::{Formula, Vector},
            microkernel::{Tile, microkernel, width},
            pack::{DIMS_PER_PARTIAL_SUM, DimsSegment, Packed, copy, interleave},
        },
        pairs::PairSet,
        points::Rows,
        simd::{
            float::Float,
            isa::{Part, call},
        },
    },
    schedule::Block,
};

/// Accumulators of a tile: the similarity of every pair of it.
pub(crate) struct Accumulators<S: Simd, F: Formula, const SIDE: usize> {
    /// Start of the tile in its block, on the left and on the right.
    pub(crate) at: (usize, usize),
    pub(crate) similarities: Tile<S, F::Real, SIDE>,
    /// Pairs that count; `None` where all do.
    pub(crate) counted: Option<CountedPairs<SIDE>>,
}

/// Pairs of a tile that count.
#[derive(Clone, Copy)]
pub(crate) struct CountedPairs<const SIDE: usize> {
    /// Number of rows on the left, from the first on, for each row on the right.
    counts: [usize; SIDE],
    /// Position on the left of the row with the number of the first on the right, which is left out, and so on.
    equal: Option<isize>,
}

impl<const SIDE: usize> CountedPairs<SIDE> {
    /// Counted pairs of the tile at (i, j); `None` where all pairs count.
    #[inline(always)]
    pub(crate) fn of(
        pairs: PairSet<'_>,
        block: &Block,
        (i, j): (usize, usize),
        width: usize,
    ) -> Option<Self> {
        let (rows, cols) = (block.rows.len(), block.cols.len());
        let equal = (block.cols.start + j) as isize - (block.rows.start + i) as isize;
        let equal =
            (pairs.is_unpaired() && -(SIDE as isize) < equal && equal < width as isize).then_some(equal);
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

impl<S: Simd, F: Formula, const SIDE: usize> Accumulators<S, F, SIDE> {
    /// Lanes of `vector`, which belongs to row `right` and one half of the left side, where pairs count; of `other` elsewhere.
    #[inline(always)]
    pub(crate) fn counted(
        &self,
        simd: S,
        right: usize,
        half: usize,
        vector: Vector<S, F>,
        other: Vector<S, F>,
    ) -> Vector<S, F> {
        let Some(CountedPairs { counts, equal }) = self.counted else { return vector };
        let lanes = F::Real::lanes::<S>();
        let count = counts[right].saturating_sub(half * lanes).min(lanes);
        let vector = F::Real::between(simd, 0..count, vector, other);
        match equal.map(|equal| equal + right as isize - (half * lanes) as isize) {
            Some(lane) if (0..lanes as isize).contains(&lane) => {
                let lane = lane as usize;
                F::Real::between(simd, lane..lane + 1, other, vector)
            }
            _ => vector,
        }
    }
}

/// Epilogue: what is done with the similarities of each tile.
pub(crate) trait Epilogue<F: Formula> {
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, F, SIDE>);
}

/// Applies the epilogue to all tiles of `block` that hold a pair which counts.
#[inline(always)]
pub(crate) fn mainloop<S: Simd, F: Formula, const SIDE: usize>(
    simd: S,
    pairs: PairSet<'_>,
    block: &Block,
    packed: &mut Packed<F::Real>,
    epilogue: &mut impl Epilogue<F>,
) {
    call(simd, Mainloop::<_, F, SIDE> { pairs, block, packed, epilogue });
}

struct Mainloop<'a, E, F: Formula, const SIDE: usize> {
    pairs: PairSet<'a>,
    block: &'a Block,
    packed: &'a mut Packed<F::Real>,
    epilogue: &'a mut E,
}

impl<S: Simd, E: Epilogue<F>, F: Formula, const SIDE: usize> Part<S> for Mainloop<'_, E, F, SIDE> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let Self { pairs, block, packed, epilogue } = self;
        let (left, right) = (pairs.left(), pairs.right());
        let (rows, cols) = (block.rows.len(), block.cols.len());
        let width = width::<S, F::Real>();
        let dims = left.dims();
        let panels = rows.div_ceil(width);

        if packed.left_rows != block.rows {
            (packed.left_rows, packed.left_done) = (block.rows.clone(), 0);
        }
        let interleaved = packed.left.take(panels * width * dims);
        let row_terms = packed.row_terms.take(panels * width);
        F::row_terms(left, block.rows.clone(), row_terms);
        let row_terms = F::Real::vectors::<S>(row_terms).as_chunks().0;

        let zero = F::Real::splat(simd, F::Real::default());
        let mut tile = Accumulators { at: (0, 0), similarities: [[zero; 2]; SIDE], counted: None };
        let group = packed.right.arrays(SIDE * dims.div_ceil(DIMS_PER_PARTIAL_SUM)).as_chunks_mut().0;
        for j in (0..cols).step_by(SIDE) {
            let first = block.cols.start + j;
            let here = first..block.cols.end.min(first + SIDE);
            let right_terms = call(simd, PackGroup::<F, SIDE> { right, here, group, wide: &mut packed.wide });
            for ((i, panel), left_terms) in
                (0..rows).step_by(width).zip(interleaved.chunks_exact_mut(width * dims)).zip(row_terms)
            {
                if block.diagonal && i + 1 >= j + SIDE {
                    break;
                }
                if packed.left_done == i / width {
                    let first = block.rows.start + i;
                    let here = first..block.rows.end.min(first + width);
                    call(simd, PackPanel { left, here, panel, wide: &mut packed.wide });
                    packed.left_done += 1;
                    for row in (first + width..block.rows.end).take(width) {
                        left.prefetch(row);
                    }
                }
                // The next rows come from far: some of them for each tile, while it computes.
                for row in (first + SIDE..block.cols.end).take(SIDE).skip(i / width).step_by(panels) {
                    right.prefetch(row);
                }
                let out = &mut tile.similarities;
                call(
                    simd,
                    TileSides::<S, F, SIDE> { panel, group, left_terms, right_terms: &right_terms, out },
                );
                (tile.at, tile.counted) = ((i, j), CountedPairs::of(pairs, block, (i, j), width));
                epilogue.apply(simd, &tile);
            }
        }
    }
}

/// Packs a group of rows on the right; returns their row terms.
struct PackGroup<'a, F: Formula, const SIDE: usize> {
    right: &'a Rows,
    here: Range<usize>,
    group: &'a mut [[DimsSegment<F::Real>; SIDE]],
    wide: &'a mut Vec<f32>,
}

impl<S: Simd, F: Formula, const SIDE: usize> Part<S> for PackGroup<'_, F, SIDE> {
    type Output = [F::Real; SIDE];

    #[inline(always)]
    fn run(self, _: S) -> [F::Real; SIDE] {
        let Self { right, here: range, group, wide } = self;
        let here = right.rows_at(range.clone(), wide);
        copy(group, range.len(), |r| (here.row(r), right.scale_of(range.start + r)));
        let mut terms = [F::Real::default(); SIDE];
        F::row_terms(right, range, &mut terms);
        terms
    }
}

/// Interleaves the rows of a panel on the left.
struct PackPanel<'a, T> {
    left: &'a Rows,
    here: Range<usize>,
    panel: &'a mut [T],
    wide: &'a mut Vec<f32>,
}

impl<S: Simd, T: Float> Part<S> for PackPanel<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self, _: S) {
        let Self { left, here: range, panel, wide } = self;
        let here = left.rows_at(range.clone(), wide);
        interleave(panel, width::<S, T>(), range.len(), |r| (here.row(r), left.scale_of(range.start + r)));
    }
}

/// Rows on both sides of a tile, the row terms of each, and the place for the similarities.
struct TileSides<'a, S: Simd, F: Formula, const SIDE: usize> {
    panel: &'a [F::Real],
    group: &'a [[DimsSegment<F::Real>; SIDE]],
    left_terms: &'a [Vector<S, F>; 2],
    right_terms: &'a [F::Real; SIDE],
    out: &'a mut Tile<S, F::Real, SIDE>,
}

impl<S: Simd, F: Formula, const SIDE: usize> Part<S> for TileSides<'_, S, F, SIDE> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let Self { panel, group, left_terms, right_terms, out } = self;
        let sums = microkernel::<S, F::Real, F::Term, _, SIDE>(simd, panel, group);
        for ((out, sums), &right) in out.iter_mut().zip(sums).zip(right_terms) {
            let right = F::Real::splat(simd, right);
            out[0] = F::similarity(simd, sums[0], left_terms[0], right);
            out[1] = F::similarity(simd, sums[1], left_terms[1], right);
        }
    }
}
