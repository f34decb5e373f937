//! Gradient of the matrix of squared distances.

use pulp::Simd;

use crate::{
    cpu::{
        block::{pack::Packed, table::Table},
        gradient::{accumulate::accumulate, finish::finish, weights::WeightsInTiles},
        matrix::Values,
        pairs::PairSet,
        points::Rows,
        simd::isa::Isa,
    },
    error::{Error, Result},
    points::Matrix,
    schedule::Block,
};

/// Gradients of Σ uᵢⱼ‖xᵢ−yⱼ‖² for x and y.
pub(crate) fn squared_distances_grad(
    isa: Isa,
    x: &Rows,
    y: &Rows,
    upstream: &Values,
) -> Result<(Matrix, Matrix)> {
    let weights = GivenWeights { values: upstream.as_slice(), row_len: y.len() };
    let pairs = PairSet::Across(x, y);
    let centre = pairs.centre();
    let sums = accumulate(isa, pairs, &weights, &centre, &|_| Ok(()))?;
    let on_y = sums.on_y.ok_or_else(|| Error::missing("the second gradient"))?;
    let x = finish(x, sums.on_x, &centre, -2.0, None)?.gradient;
    Ok((x, finish(y, on_y, &centre, -2.0, None)?.gradient))
}

/// Weights that the caller gives, row-major.
struct GivenWeights<'a> {
    values: &'a [f32],
    row_len: usize,
}

impl WeightsInTiles<f64> for GivenWeights<'_> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        _: S,
        _: PairSet<'_>,
        block: &Block,
        _: &mut Packed<f64>,
        out: &mut Table<'_, f64>,
    ) {
        out.fill(0.0);
        for (i, row) in block.rows.clone().enumerate() {
            let row = &self.values[row * self.row_len..][block.cols.clone()];
            for (out, &value) in out.from(i, 0, row.len()).zip(row) {
                out[0] = value.into();
            }
        }
    }
}
