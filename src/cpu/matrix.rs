//! Matrices, and the squared distances that fill them.

use std::any::Any;

use pulp::Simd;
use rayon::prelude::*;

use super::{
    kernel::Difference,
    level::{Job, Level},
    pack::{Pool, Scratch},
    points::Rows,
    sets::Sets,
    tile::width,
    walk::{Close, Visit, walk},
};
use crate::{
    error::{Error, Result},
    points::{Matrix, MatrixStorage, own},
    schedule::{Block, panels},
};

/// A matrix in memory, row-major.
struct Values(Vec<f32>);

impl MatrixStorage for Values {
    fn read(&self) -> Result<Vec<f32>> {
        Ok(self.0.clone())
    }
}

pub(super) fn matrix(values: Vec<f32>, rows: usize, cols: usize) -> Matrix {
    Matrix { rows, cols, storage: Box::new(Values(values)) }
}

/// The values of a matrix that this backend has made.
pub(super) fn values(matrix: &Matrix) -> Result<&[f32]> {
    own::<Values>(&*matrix.storage).map(|values| &*values.0)
}

pub(super) fn into_values(matrix: Matrix) -> Result<Vec<f32>> {
    let storage: Box<dyn Any> = matrix.storage;
    storage.downcast::<Values>().map(|values| values.0).map_err(|_| Error::OtherDevice)
}

/// Zeros for a matrix, or the error that says how much memory is missing.
pub(super) fn zeros(rows: usize, cols: usize) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    let reserved = rows.checked_mul(cols).map(|len| values.try_reserve_exact(len).map(|()| len));
    let Some(Ok(len)) = reserved else {
        return Err(Error::OutOfMemory { context: format!("a matrix of {rows} × {cols}") });
    };
    values.resize(len, 0.0);
    Ok(values)
}

/// How many rows on either side a thread takes at a time.
const PANEL: usize = 96;

/// ‖xᵢ−yⱼ‖² for every pair.
pub(super) fn squared_distances(level: Level, x: &Rows, y: &Rows) -> Result<Matrix> {
    let (n, m) = (x.len(), y.len());
    let mut out = zeros(n, m)?;
    let pool = Pool::new();
    let rows = out.par_chunks_mut((PANEL * m).max(1)).zip(panels(n, PANEL).collect::<Vec<_>>());
    rows.for_each(|(out, cols)| {
        pool.with(|scratch| {
            for rows in panels(m, PANEL) {
                // The vectors of a tile run along its left side, and the rows of the matrix along y.
                let block = Block { rows, cols: cols.clone(), diagonal: false };
                level.run(Distances { sets: Sets::two(y, x), block, scratch, out });
            }
        });
    });
    Ok(matrix(out, n, m))
}

struct Distances<'a> {
    sets: Sets<'a>,
    block: Block,
    scratch: &'a mut Scratch<f64>,
    out: &'a mut [f32],
}

impl Job for Distances<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const SIDE: usize>(self, simd: S) {
        let mut writer = Writer { block: &self.block, row_len: self.sets.x.len(), out: self.out };
        walk::<S, Difference, SIDE>(simd, self.sets, &self.block, self.scratch, &mut writer);
    }
}

struct Writer<'a> {
    block: &'a Block,
    row_len: usize,
    out: &'a mut [f32],
}

impl Visit<Difference> for Writer<'_> {
    #[inline(always)]
    fn visit<S: Simd, const SIDE: usize>(&mut self, simd: S, tile: &Close<S, Difference, SIDE>) {
        let (i, j) = tile.at;
        let count = width::<S, f64>().min(self.block.rows.len() - i);
        let rows = self.out.chunks_exact_mut(self.row_len).skip(j);
        for (out, close) in rows.zip(&tile.closeness) {
            let out = &mut out[self.block.rows.start + i..][..count];
            for (out, close) in out.chunks_mut(S::F64_LANES).zip(close) {
                let mut lanes = [0.0; 16];
                simd.partial_store_f64s(&mut lanes[..S::F64_LANES], *close);
                for (out, lane) in out.iter_mut().zip(lanes) {
                    *out = lane.abs() as f32;
                }
            }
        }
    }
}
