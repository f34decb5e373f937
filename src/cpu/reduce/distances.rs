//! Matrix of all squared distances.

use pulp::Simd;
use rayon::prelude::*;

use crate::{
    cpu::{
        block::{
            formula::Difference,
            mainloop::{Accumulators, Epilogue, mainloop},
            microkernel::width,
            pack::{Packed, Pool},
        },
        matrix::matrix,
        pairs::PairSet,
        points::Rows,
        simd::isa::{Isa, Job},
        spare::zeros,
    },
    error::Result,
    points::Matrix,
    schedule::{Block, panels},
};

/// Rows on either side that a thread takes at a time.
const ROWS_PER_PANEL: usize = 96;

/// Squared distances ‖xᵢ−yⱼ‖² of every pair.
pub(crate) fn squared_distances(isa: Isa, x: &Rows, y: &Rows) -> Result<Matrix> {
    let (n, m) = (x.len(), y.len());
    let mut out = zeros(n, m)?;
    let pool = Pool::new();
    let rows =
        out.par_chunks_mut((ROWS_PER_PANEL * m).max(1)).zip(panels(n, ROWS_PER_PANEL).collect::<Vec<_>>());
    rows.for_each(|(out, cols)| {
        pool.with(|scratch| {
            for rows in panels(m, ROWS_PER_PANEL) {
                // The vectors of a tile run along its left side, and the rows of the matrix along y.
                let block = Block { rows, cols: cols.clone(), diagonal: false };
                let (pairs, packed) = (PairSet::Across(y, x), &mut scratch.packed);
                isa.run(Distances { pairs, block, packed, out });
            }
        });
    });
    Ok(matrix(out, n, m))
}

struct Distances<'a> {
    pairs: PairSet<'a>,
    block: Block,
    packed: &'a mut Packed<f64>,
    out: &'a mut [f32],
}

impl Job for Distances<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let row_len = self.pairs.left().len();
        let mut writer = DistanceWriter { block: &self.block, row_len, out: self.out };
        mainloop::<S, Difference, SIDE>(simd, self.pairs, &self.block, self.packed, &mut writer);
    }
}

struct DistanceWriter<'a> {
    block: &'a Block,
    row_len: usize,
    out: &'a mut [f32],
}

impl Epilogue<Difference> for DistanceWriter<'_> {
    #[inline(always)]
    fn apply<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Accumulators<S, Difference, SIDE>) {
        let (i, j) = tile.at;
        let count = width::<S, f64>().min(self.block.rows.len() - i);
        let rows = self.out.chunks_exact_mut(self.row_len).skip(j);
        for (out, similarity) in rows.zip(&tile.similarities) {
            let out = &mut out[self.block.rows.start + i..][..count];
            for (out, similarity) in out.chunks_mut(S::F64_LANES).zip(similarity) {
                let mut lanes = [0.0; 16];
                simd.partial_store_f64s(&mut lanes[..S::F64_LANES], *similarity);
                for (out, lane) in out.iter_mut().zip(lanes) {
                    *out = lane.abs() as f32;
                }
            }
        }
    }
}
