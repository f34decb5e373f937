//! Squared MMD of positive pairs, from blocks that are drawn as those of uniformity are.
//!
//! With φ the map to the kernel's space and δ_p = Σ φ(xᵢ) − φ(yᵢ) over the rows of panel p, the sum over i in p and j in q of
//! h(i, j) = k(xᵢ, xⱼ) + k(yᵢ, yⱼ) − k(xᵢ, yⱼ) − k(yᵢ, xⱼ) is ⟨δ_p, δ_q⟩. It is at most ‖δ_p‖‖δ_q‖ in size (Cauchy and Schwarz),
//! and of either sign.

use unisphere::{Alignment, Engine, Points, Uniformity, unordered_pairs};

use super::{
    blocks::{Blocks, Side},
    rounding::{Measure, Rounding},
    sums::BlockSums,
};
use crate::{error::Result, panels::Panels};

/// Part of the sums that make up a norm by which it may be too small, at least: a panel has so few rows that rounding is not
/// averaged over many.
const ERROR_OF_NORM: f64 = 1e-5;

/// Sums of h over blocks, from those within x, within y, and across both.
pub(crate) struct PairSums<'a> {
    pub(crate) x: &'a dyn BlockSums,
    pub(crate) y: &'a dyn BlockSums,
    pub(crate) across: &'a dyn BlockSums,
}

impl BlockSums for PairSums<'_> {
    fn sums(&self, blocks: &[(usize, usize)]) -> Result<Vec<f64>> {
        let mirrored: Vec<_> = blocks.iter().map(|&(p, q)| (q, p)).collect();
        let (x, y) = (self.x.sums(blocks)?, self.y.sums(blocks)?);
        let (xy, yx) = (self.across.sums(blocks)?, self.across.sums(&mirrored)?);
        let h = |i: usize| (x[i] - xy[i]) + (y[i] - yx[i]);
        Ok((0..blocks.len()).map(h).collect())
    }

    fn blocks_at_once(&self) -> usize {
        self.across.blocks_at_once()
    }

    fn kernels(&self) -> u64 {
        KERNELS
    }
}

/// Kernels in h.
pub(crate) const KERNELS: u64 = 4;

/// What is summed of every panel with itself, before any block is drawn.
pub(crate) struct Diagonals {
    panels: Panels,
    /// Σ k(xᵢ, xⱼ) over the pairs i < j within each panel.
    x: Vec<f64>,
    y: Vec<f64>,
    /// Σ k(xᵢ, yⱼ) over all pairs within each panel.
    across: Vec<f64>,
    /// Σ k(xᵢ, yᵢ) over all rows.
    paired: f64,
}

impl Diagonals {
    pub(crate) fn new(
        panels: Panels,
        [x, y]: [Vec<f64>; 2],
        across: &dyn BlockSums,
        paired: f64,
    ) -> Result<Self> {
        let diagonal: Vec<_> = (0..panels.count()).map(|panel| (panel, panel)).collect();
        Ok(Self { panels, x, y, across: across.sums(&diagonal)?, paired })
    }

    pub(crate) fn panels(&self) -> Panels {
        self.panels
    }

    /// Blocks of h, whose kernels have errors of this arithmetic.
    pub(crate) fn blocks<'a>(&self, sums: &'a PairSums<'_>, rounding: Rounding) -> Blocks<'a> {
        Blocks::signed(sums, self.side(rounding), KERNELS * self.pairs())
    }

    /// Panels and the norms of their δ.
    fn side(&self, rounding: Rounding) -> Side {
        let (mut norms, mut total) = (Vec::with_capacity(self.panels.count()), 0.0);
        for panel in 0..self.panels.count() {
            let own = 2.0 * (self.x[panel] + self.y[panel] + self.panels.len(panel) as f64);
            let across = 2.0 * self.across[panel];
            let square = own - across;
            let pairs = 4.0 * (self.panels.len(panel) as f64).powi(2);
            let error = ERROR_OF_NORM.max(4.0 * rounding.at(((own + across) / pairs).ln()));
            norms.push((square.max(0.0) + error * (own + across)).sqrt());
            total += square;
        }
        // h(i, i) = 2 − 2 k(xᵢ, yᵢ) is in the norms, and not in the value.
        let of_rows = 2.0 * (self.panels.rows as f64 - self.paired);
        Side::with_norms(self.panels, norms, 0.5 * (total - of_rows))
    }

    /// Pairs i < j within the panels.
    fn pairs(&self) -> u64 {
        (0..self.panels.count()).map(|panel| unordered_pairs(self.panels.len(panel))).sum()
    }

    /// The mean of h, with the largest error that the arithmetic of its kernels can have.
    pub(crate) fn measure(&self, rounding: Rounding) -> Measure {
        let norm = |(panel, within): (usize, &f64)| (2.0 * within + self.panels.len(panel) as f64).sqrt();
        let of_set = |within: &[f64]| within.iter().enumerate().map(norm).sum::<f64>().powi(2);
        let pairs = 2.0 * unordered_pairs(self.panels.rows) as f64;
        // 2 k(x, y) is at most k(x, x′) + k(y, y′) on average.
        let most = 2.0 * (of_set(&self.x) + of_set(&self.y)) / pairs;
        Measure::Difference { error: most * rounding.at(most.ln()) }
    }
}

/// The mean of the kernel over the pairs of some points.
pub(crate) fn kernel(engine: &Engine, some: &Points, t: f64) -> Result<f64> {
    Ok(engine.uniformity(some, Uniformity::new(t))?.exp())
}

/// Σ k(xᵢ, yᵢ) over the rows of two sets.
pub(crate) fn paired(engine: &Engine, x: &Points, y: &Points, t: f64) -> Result<f64> {
    let distances = engine.value(Alignment::distances(x, y))?;
    Ok(distances.into_iter().map(|distance| (-t * distance * distance).exp()).sum())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    use unisphere::{Embeddings, Scaling, SquaredMmd};

    use super::*;
    use crate::estimate::{
        streamed::{Streamed, bytes_of_rows},
        sums::{Held, within},
    };

    /// Pairs of all kinds: independent, close, equal but for one row, of two clusters, and with copies.
    fn pairs(rng: &mut ChaCha8Rng, rows: usize, dims: usize) -> Vec<(&'static str, Vec<f32>, Vec<f32>)> {
        let mut noise = |size: f32| (0..rows * dims).map(|_| size * rng.random_range(-1.0..1.0)).collect();
        let (x, y, little): (Vec<f32>, Vec<f32>, Vec<f32>) = (noise(1.0), noise(1.0), noise(0.05));
        let close = x.iter().zip(&little).map(|(x, little)| x + little).collect();
        let mut one_other = x.clone();
        one_other[..dims].copy_from_slice(&y[..dims]);
        let cluster =
            |at: usize| little.iter().enumerate().map(move |(i, v)| v + f32::from(u8::from(i % dims == at)));
        let copies = (0..rows * dims).map(|i| x[i % (7 * dims)]).collect();
        vec![
            ("independent", x.clone(), y.clone()),
            ("close", x.clone(), close),
            ("equal but for a row", x.clone(), one_other),
            ("two clusters", cluster(0).collect(), cluster(1).collect()),
            ("copies", copies, y),
        ]
    }

    #[test]
    fn blocks_lie_within_their_bounds_and_hold_every_pair_once() -> Result<()> {
        let (engine, mut rng) = (Engine::cpu(), ChaCha8Rng::seed_from_u64(5));
        let (rows, dims) = (203, 6);
        for (name, x, y) in pairs(&mut rng, rows, dims) {
            let upload = |values| engine.upload_owned(Embeddings::new(values, rows, dims)?);
            let (x, y) = (upload(x)?, upload(y)?);
            for (t, panel_rows) in [(0.5, 16), (2.0, 7), (5.0, 32)] {
                let panels = Panels { rows, panel_rows };
                let held = |left, right: Option<_>| Held {
                    engine: &engine,
                    t,
                    left: (left, panels),
                    right: right.map(|right| (right, panels)),
                };
                let (of_x, of_y, across) = (held(&x, None), held(&y, None), held(&x, Some(&y)));
                let sums = PairSums { x: &of_x, y: &of_y, across: &across };
                let within = [within(&engine, t, &x, panels)?, within(&engine, t, &y, panels)?];
                let diagonals = Diagonals::new(panels, within, &across, paired(&engine, &x, &y, t)?)?;
                let side = diagonals.side(Rounding::of(&engine, Scaling::Unit, t));
                let all: Vec<_> = (0..panels.count()).flat_map(|q| (0..q).map(move |p| (p, q))).collect();
                let of_blocks = sums.sums(&all)?;
                for (&(p, q), sum) in all.iter().zip(&of_blocks) {
                    let bound = side.norm(p) * side.norm(q);
                    assert!(sum.abs() <= bound, "{name}, t = {t}: {sum} and {bound}");
                }
                let mean = (side.within() + of_blocks.iter().sum::<f64>()) / unordered_pairs(rows) as f64;
                let value = engine.value(SquaredMmd::new(t).unpaired(&x, &y))?;
                assert!((mean - value).abs() < 2e-6, "{name}, t = {t}: {mean} and {value}");
            }
        }
        Ok(())
    }

    #[test]
    fn sets_in_chunks_keep_their_pairs() -> Result<()> {
        let (engine, mut rng) = (Engine::cpu(), ChaCha8Rng::seed_from_u64(6));
        let (rows, dims, t, panel_rows) = (203, 6, 2.0, 8);
        let folder = tempfile::tempdir().expect("a folder");
        for (name, x, y) in pairs(&mut rng, rows, dims) {
            let file = |set: &str, values: &[f32]| {
                let path = folder.path().join(set);
                let wide: Vec<_> = values.iter().copied().map(f64::from).collect();
                unisphere_io::write(&path, &wide, dims)?;
                unisphere_io::File::open(path)
            };
            let (file_x, file_y) = (file("x.npy", &x)?, file("y.npy", &y)?);
            // Chunks of 32 rows, and one of 11.
            let streamed =
                |set| Streamed::new(&engine, set, Scaling::Unit, 3, panel_rows, 8 * bytes_of_rows(32, dims));
            let (x, y) = (streamed(&file_x), streamed(&file_y));
            let (of_x, of_y, across) = (x.at(t, None), y.at(t, None), x.at(t, Some(&y)));
            let sums = PairSums { x: &of_x, y: &of_y, across: &across };
            let within = [x.within(t)?, y.within(t)?];
            let diagonals = Diagonals::new(x.panels(), within, &across, x.paired(&y, t)?)?;
            let side = diagonals.side(Rounding::of(&engine, Scaling::Unit, t));
            let panels = x.panels().count();
            let all: Vec<_> = (0..panels).flat_map(|q| (0..q).map(move |p| (p, q))).collect();
            let total = side.within() + sums.sums(&all)?.iter().sum::<f64>();
            let upload = |file: &unisphere_io::File| {
                Ok::<_, crate::Error>(engine.upload_owned(file.embeddings(Scaling::Unit)?)?)
            };
            let value = engine.value(SquaredMmd::new(t).unpaired(&upload(&file_x)?, &upload(&file_y)?))?;
            let mean = total / unordered_pairs(rows) as f64;
            assert!((mean - value).abs() < 2e-6, "{name}: {mean} and {value}");
        }
        Ok(())
    }
}
