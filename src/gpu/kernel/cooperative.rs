//! Products by cooperative matrices, as WebGPU calls tensor cores: which an adapter has, and which grade keeps its word
//! for a set.

use std::ops::RangeInclusive;

use crate::precision::Precision;

/// Dimensions for which products of single halves are as exact as they should be: of fewer, rounding has too little to
/// average over, and of more, some devices cut off too much of the sums.
const DIMS_FOR_SINGLE_HALVES: RangeInclusive<usize> = 64..=1536;
/// The least coordinates of either set for the same.
const MIN_COORDINATES_FOR_SINGLE_HALVES: usize = 1 << 17;
/// Multiply-adds of halves that take as long as one in single precision, where matrices have units of their own. They
/// have more; but submissions that mix both are planned by the slower.
const MATRIX_SPEEDUP: f64 = 4.0;

/// Matrices of halves whose products are summed in single precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Matrices {
    Sixteen,
    Eight,
    EightOnMetal,
}

impl Matrices {
    /// What a device is made with that has them.
    pub(crate) const FEATURES: wgpu::Features = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
        .union(wgpu::Features::SHADER_F16)
        .union(wgpu::Features::SUBGROUP);

    /// Those of an adapter, the larger first.
    pub(crate) fn of(adapter: &wgpu::Adapter) -> Option<Self> {
        use wgpu::CooperativeScalarType as Scalar;
        if !adapter.features().contains(Self::FEATURES) {
            return None;
        }
        let offered = adapter.cooperative_matrix_properties();
        let has = |size: u32| {
            offered.iter().any(|p| {
                [p.m_size, p.n_size, p.k_size] == [size; 3]
                    && (p.ab_type, p.cr_type) == (Scalar::F16, Scalar::F32)
            })
        };
        match adapter.get_info().backend {
            wgpu::Backend::Metal => has(8).then_some(Self::EightOnMetal),
            _ if has(16) => Some(Self::Sixteen),
            _ => has(8).then_some(Self::Eight),
        }
    }

    /// Rows and columns of a matrix.
    pub(crate) fn side(self) -> usize {
        match self {
            Self::Sixteen => 16,
            Self::Eight | Self::EightOnMetal => 8,
        }
    }
}

/// A variant of the kernels that multiply by matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cooperative {
    pub(crate) matrices: Matrices,
    /// Coordinates are two halves each, and not one.
    pub(crate) split: bool,
}

impl Cooperative {
    /// The variant of a grade; none of single precision.
    pub(crate) fn new(matrices: Matrices, precision: Precision) -> Option<Self> {
        match precision {
            Precision::F32 => None,
            Precision::F16x2 => Some(Self { matrices, split: true }),
            Precision::F16 => Some(Self { matrices, split: false }),
        }
    }

    /// Whether it is exact enough for sets of unit rows, the smaller of so many. Elsewhere single precision is.
    pub(crate) fn keeps_its_word(self, rows: usize, dims: usize) -> bool {
        self.split
            || DIMS_FOR_SINGLE_HALVES.contains(&dims)
                && rows.saturating_mul(dims) >= MIN_COORDINATES_FOR_SINGLE_HALVES
    }

    /// Halves of a coordinate.
    pub(crate) fn parts(self) -> usize {
        if self.split { 2 } else { 1 }
    }

    /// Rows and columns of a tile: see `shaders/cooperative/tiles.wgsl`.
    pub(crate) fn tile(self) -> usize {
        self.matrices.side() * if self.split { 4 } else { 8 }
    }

    /// Rows of a panel with those that fill up its last tile.
    pub(crate) fn whole(self, rows: usize) -> usize {
        rows.next_multiple_of(self.tile())
    }

    /// Bytes of a panel's halves.
    pub(crate) fn bytes(self, rows: usize, dims: usize) -> u64 {
        let dims = dims.next_multiple_of(self.matrices.side());
        2 * (self.parts() * self.whole(rows)) as u64 * dims as u64
    }

    /// What a tile takes, in multiply-adds of single precision.
    pub(crate) fn cost(self, dims: usize) -> f64 {
        let products = if self.split { 3.0 } else { 1.0 };
        (self.tile() * self.tile() * dims) as f64 * products / MATRIX_SPEEDUP
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        error::Result,
        gpu::{
            block::pass::Pass,
            device::context::Context,
            kernel::tiling::Tiling,
            tests::{T, contexts_with_matrices, formula, last_row_error, results, unit, upload, values},
        },
        kernel::Kernel,
        pairs::Pairs,
        precision::Storage,
    };

    /// Ends within tiles and matrices, several panels of the small limits, and enough coordinates for single halves.
    const SIZES: [(usize, usize, usize); 2] = [(1025, 130, 1030), (641, 210, 700)];

    fn kernels(matrices: Matrices) -> [Cooperative; 2] {
        [false, true].map(|split| Cooperative { matrices, split })
    }

    fn compute(
        context: &Arc<Context>,
        pairs: Pairs<'_>,
        tiling: Tiling,
        cooperative: Cooperative,
    ) -> Result<(f64, f64, Vec<Vec<f32>>)> {
        let pass = Pass::with_tiling(context, pairs, Kernel::gaussian(T), tiling)?;
        results(&Pass { cooperative: Some(cooperative), ..pass })
    }

    #[test]
    fn every_kernel_computes_the_formula() -> Result<()> {
        let mut tried = 0;
        for (context, matrices) in contexts_with_matrices(false) {
            let kernels = kernels(matrices);
            tried += kernels.len();
            for (rows, dims, others) in SIZES {
                let (x, y) = (values(rows, dims, 1), values(others, dims, 2));
                let (on_x, on_y) =
                    (upload(&context, &x, dims, Storage::F32)?, upload(&context, &y, dims, Storage::F32)?);
                let (unit_x, unit_y) = (unit(&x, dims), unit(&y, dims));
                let length = x[x.len() - dims..].iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
                for (pairs, other) in
                    [(Pairs::Within(&on_x), None), (Pairs::Across(&on_x, &on_y), Some(&*unit_y))]
                {
                    let (want, gradient) = formula(&unit_x, other);
                    // The products with points have tiles of their own, larger or smaller.
                    for (&kernel, tiling) in kernels.iter().zip([Tiling::SMALL, Tiling::ALL[0]]) {
                        let (value, with_grad, got) = compute(&context, pairs, tiling, kernel)?;
                        let (value_off, gradient_off) =
                            if kernel.split { (1e-6, 3e-5) } else { (1e-5, 5e-3) };
                        let what = format!("{rows} × {dims}, {kernel:?}, across: {}", other.is_some());
                        assert!((value - want).abs() < value_off, "{what}: {value}, not {want}");
                        assert!((with_grad - want).abs() < value_off, "{what}: {with_grad}, not {want}");
                        let error = last_row_error(&got[0], &gradient, length);
                        assert!(
                            error < gradient_off,
                            "{what}: the last row of the gradient is {error:e} off"
                        );
                    }
                }
            }
        }
        assert!(tried > 0 || std::env::var_os("UNISPHERE_REQUIRE_COOPERATIVE").is_none(), "no matrices here");
        Ok(())
    }

    /// Against single precision, which others hold against the formula.
    #[test]
    fn pairs_of_one_number_do_not_count() -> Result<()> {
        for (context, matrices) in contexts_with_matrices(false) {
            let (rows, dims, _) = SIZES[0];
            let x = upload(&context, &values(rows, dims, 1), dims, Storage::F32)?;
            // Those pairs are the closest.
            let y: Vec<f32> = values(rows, dims, 1).iter().map(|v| 1.1 * v).collect();
            let y = upload(&context, &y, dims, Storage::F32)?;
            let pairs = Pairs::Unpaired(&x, &y);
            let (want, _, _) =
                results(&Pass::with_tiling(&context, pairs, Kernel::gaussian(T), Tiling::SMALL)?)?;
            for kernel in kernels(matrices) {
                let (value, with_grad, _) = compute(&context, pairs, Tiling::SMALL, kernel)?;
                for got in [value, with_grad] {
                    assert!((got - want).abs() < 1e-5, "{kernel:?}: {got}, not {want}");
                }
            }
        }
        Ok(())
    }

    /// Wherever an index ran out of range, the checks would put another value in its place.
    #[test]
    fn bounds_checks_change_nothing() -> Result<()> {
        for ((checked, matrices), (unchecked, _)) in
            contexts_with_matrices(true).iter().zip(&contexts_with_matrices(false))
        {
            for kernel in kernels(*matrices) {
                let (rows, dims, others) = SIZES[1];
                let (x, y) = (values(rows, dims, 3), values(others, dims, 4));
                let compute = |context: &Arc<Context>| {
                    let x = upload(context, &x, dims, Storage::F16)?;
                    let y = upload(context, &y, dims, Storage::F16)?;
                    compute(context, Pairs::Across(&x, &y), Tiling::SMALL, kernel)
                };
                assert_eq!(compute(checked)?, compute(unchecked)?, "{kernel:?}");
            }
        }
        Ok(())
    }
}
