//! Blocks of two panels, drawn in proportion to a bound of their sums, and those sums as parts of the bound.

use std::collections::{HashMap, HashSet};

use rand::{RngExt, rngs::ChaCha8Rng};

use super::{copies::Copies, sums::BlockSums};
use crate::{error::Result, panels::Panels};

/// Blocks of two panels up to which sums are kept for those that are drawn again.
const MAX_BLOCKS_KEPT: usize = 1 << 20;

/// Panels of a set, and the norm of each: the root of the sum over the panel with itself, diagonal included.
#[derive(Debug)]
pub(crate) struct Side {
    panels: Panels,
    norms: Vec<f64>,
    /// Sums of the norms up to each panel, and with it.
    cumulative: Vec<f64>,
    /// The sum over the pairs i < j that lie within a panel.
    within: f64,
}

impl Side {
    /// Panels of two rows and more, given Σ k(x, y) over the pairs i < j within each.
    pub(crate) fn new(panels: Panels, within: Vec<f64>) -> Self {
        let norm = |(panel, within): (usize, &f64)| (2.0 * within + panels.len(panel) as f64).sqrt();
        let norms = within.iter().enumerate().map(norm).collect();
        Self::with_norms(panels, norms, within.iter().sum())
    }

    /// Panels of these norms, given the sum over the pairs i < j that lie within a panel.
    pub(crate) fn with_norms(panels: Panels, norms: Vec<f64>, within: f64) -> Self {
        let add = |sum: &mut f64, norm: &f64| {
            *sum += norm;
            Some(*sum)
        };
        let cumulative = norms.iter().scan(0.0, add).collect();
        Self { panels, norms, cumulative, within }
    }

    /// The sum over the pairs i < j that lie within a panel.
    #[cfg(test)]
    pub(crate) fn within(&self) -> f64 {
        self.within
    }

    #[cfg(test)]
    pub(crate) fn norm(&self, panel: usize) -> f64 {
        self.norms[panel]
    }

    /// Pairs that were summed for the norms.
    pub(crate) fn pairs(&self) -> u64 {
        (0..self.panels.count()).map(|panel| unisphere::unordered_pairs(self.panels.len(panel))).sum()
    }

    fn total(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// A panel, drawn in proportion to its norm.
    fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        let at = rng.random::<f64>() * self.total();
        self.cumulative.partition_point(|&sum| sum <= at).min(self.norms.len() - 1)
    }
}

/// Blocks of two panels: of one set, ordered and without a panel and itself; or one of each of two sets.
pub(crate) struct Blocks<'a> {
    sums: &'a dyn BlockSums,
    left: Side,
    right: Option<Side>,
    copies: Option<Copies>,
    /// Whether sums may be negative: a bound is one of their size then.
    signed: bool,
    /// Sums that are known, by panels; empty where there are so many blocks that few are drawn twice.
    known: HashMap<(usize, usize), f64>,
    pairs: u64,
}

impl<'a> Blocks<'a> {
    /// Blocks of one set, whose copies are counted where they are known.
    pub(crate) fn within(sums: &'a dyn BlockSums, x: Side, copies: Option<Copies>) -> Self {
        let (right, known, pairs) = (None, HashMap::new(), x.pairs());
        Self { sums, left: x, right, copies, signed: false, known, pairs }
    }

    /// Blocks of one set whose sums may be negative, for which so many pairs were summed already.
    pub(crate) fn signed(sums: &'a dyn BlockSums, x: Side, pairs: u64) -> Self {
        Self { pairs, signed: true, ..Self::within(sums, x, None) }
    }

    pub(crate) fn across(sums: &'a dyn BlockSums, x: Side, y: Side) -> Self {
        let (known, pairs) = (HashMap::new(), x.pairs() + y.pairs());
        Self { sums, left: x, right: Some(y), copies: None, signed: false, known, pairs }
    }

    /// Number of pairs that were summed.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Part of the sum over all ordered pairs that no block is needed for: pairs within a panel, and copies.
    fn exact_part(&self) -> f64 {
        let copies = self.copies.as_ref().map_or(0, Copies::across);
        match self.right {
            None => 2.0 * (self.left.within + copies as f64),
            Some(_) => 0.0,
        }
    }

    /// The least that the sum over all ordered pairs can be.
    pub(crate) fn least(&self) -> f64 {
        self.exact_part() - if self.signed { self.bound() } else { 0.0 }
    }

    /// How far above that it can be.
    pub(crate) fn range(&self) -> f64 {
        self.bound() * if self.signed { 2.0 } else { 1.0 }
    }

    /// Sum of the bounds of all blocks.
    fn bound(&self) -> f64 {
        let total = self.left.total();
        match &self.right {
            Some(right) => total * right.total(),
            None => total * total - self.left.norms.iter().map(|norm| norm * norm).sum::<f64>(),
        }
    }

    /// Sums of so many blocks, drawn independently, each as a part of its range.
    pub(crate) fn draw(&mut self, rng: &mut ChaCha8Rng, count: usize) -> Result<Vec<f64>> {
        let mut parts = Vec::with_capacity(count);
        while parts.len() < count {
            let at_once = self.sums.blocks_at_once().min(count - parts.len());
            let drawn: Vec<_> = (0..at_once).map(|_| self.draw_one(rng)).collect();
            self.compute(&drawn)?;
            parts.extend(drawn.iter().map(|&block| self.part(block)));
            if self.count() > MAX_BLOCKS_KEPT {
                self.known.clear();
            }
        }
        Ok(parts)
    }

    /// A known sum as a part of its range.
    fn part(&self, (p, q): (usize, usize)) -> f64 {
        let right = self.right.as_ref().unwrap_or(&self.left);
        let bound = self.left.norms[p] * right.norms[q];
        let copies = self.copies.as_ref().map_or(0.0, |copies| copies.between(p, q) as f64);
        let of_bound = (self.known[&(p, q)] - copies) / bound;
        let of_range = if self.signed { 0.5 + 0.5 * of_bound } else { of_bound };
        // Rounding alone leads out of [0, 1].
        of_range.clamp(0.0, 1.0)
    }

    /// Number of blocks that can be drawn.
    fn count(&self) -> usize {
        let left = self.left.norms.len();
        self.right.as_ref().map_or(left * (left - 1) / 2, |right| left * right.norms.len())
    }

    /// Two panels; of one set, the first of them first: their sum is the same the other way round.
    fn draw_one(&self, rng: &mut ChaCha8Rng) -> (usize, usize) {
        match &self.right {
            Some(right) => (self.left.draw(rng), right.draw(rng)),
            None => loop {
                let (p, q) = (self.left.draw(rng), self.left.draw(rng));
                if p != q {
                    break (p.min(q), p.max(q));
                }
            },
        }
    }

    /// Sums the blocks that are not known yet.
    fn compute(&mut self, drawn: &[(usize, usize)]) -> Result<()> {
        let right = self.right.as_ref().unwrap_or(&self.left);
        let mut asked = HashSet::new();
        let mut new: Vec<_> = drawn
            .iter()
            .filter(|&block| !self.known.contains_key(block) && asked.insert(*block))
            .copied()
            .collect();
        // Blocks that follow each other share a panel, which the cache then holds.
        new.sort_unstable();
        let sums = self.sums.sums(&new)?;
        let pairs = |&(p, q): &(usize, usize)| (self.left.panels.len(p) * right.panels.len(q)) as u64;
        self.pairs += self.sums.kernels() * new.iter().map(pairs).sum::<u64>();
        self.known.extend(new.into_iter().zip(sums));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use unisphere::{Embeddings, Engine, Scaling, Uniformity};

    use super::*;
    use crate::estimate::sums::{Held, within};

    /// Sets of all kinds: even, in clusters, with copies, all equal, in file order, and raw ones.
    fn sets() -> Vec<(&'static str, Vec<f32>, usize, Scaling)> {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut noise = |count: usize| (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
        let rows = 300;
        let even = noise(rows * 5);
        let clusters: Vec<_> =
            (0..rows * 5).map(|i| even[i] * 0.1 + ((i / 5 / 30 + i % 5) % 5) as f32).collect();
        let copies: Vec<_> = (0..rows * 5).map(|i| even[i % 100]).collect();
        let raw: Vec<_> = even.iter().map(|v| v * 3.0).collect();
        vec![
            ("even", even, 5, Scaling::Unit),
            ("clusters", clusters, 5, Scaling::Unit),
            ("copies", copies, 5, Scaling::Unit),
            ("equal", vec![1.0; rows * 5], 5, Scaling::Unit),
            ("raw", raw, 5, Scaling::Raw),
        ]
    }

    #[test]
    fn no_sum_is_above_its_bound() -> Result<()> {
        let engine = Engine::cpu();
        for (name, values, dims, scaling) in sets() {
            let rows = values.len() / dims;
            let x = engine.upload_owned(Embeddings::with_scaling(values, rows, dims, scaling)?)?;
            for (t, panel_rows) in [(0.5, 7), (2.0, 16), (5.0, 32), (20.0, 9)] {
                let panels = Panels { rows, panel_rows };
                let side = Side::new(panels, within(&engine, t, &x, panels)?);
                let pairs: Vec<_> = (0..panels.count()).flat_map(|q| (0..q).map(move |p| (p, q))).collect();
                let held = Held { engine: &engine, t, left: (&x, panels), right: None };
                let sums = held.sums(&pairs)?;
                for (&(p, q), sum) in pairs.iter().zip(&sums) {
                    let bound = side.norms[p] * side.norms[q];
                    assert!(sum * sum <= bound * bound * (1.0 + 1e-6), "{name}, t = {t}: {sum} and {bound}");
                }
                // Panels and blocks hold every pair once.
                let total = side.within() + sums.iter().sum::<f64>();
                let mean = (total / unisphere::unordered_pairs(rows) as f64).ln();
                let value = engine.uniformity(&x, Uniformity::new(t))?;
                assert!(
                    (mean - value).abs() < 1e-5 * value.abs().max(1.0),
                    "{name}, t = {t}: {mean} and {value}"
                );
            }
        }
        Ok(())
    }
}
