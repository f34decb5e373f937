//! Blocks of two panels, drawn in proportion to a bound of their sums, and those sums as parts of the bound.

use std::collections::{HashMap, HashSet};

use rand::{RngExt, rngs::ChaCha8Rng};

use super::{copies::Copies, sums::BlockSums};
use crate::{error::Result, panels::Panels};

/// Blocks of two panels up to which sums are kept for those that are drawn again.
const MAX_BLOCKS_KEPT: usize = 1 << 20;

/// Panels of a set, and the norm of each: the root of the sum of the kernel over the panel with itself, diagonal included.
#[derive(Debug)]
pub(crate) struct Side {
    panels: Panels,
    norms: Vec<f64>,
    /// Sums of the norms up to each panel, and with it.
    cumulative: Vec<f64>,
    /// Σ k(x, y) over the pairs i < j within each panel.
    within: Vec<f64>,
}

impl Side {
    /// Panels of two rows and more, given Σ k(x, y) over the pairs i < j within each.
    pub(crate) fn new(panels: Panels, within: Vec<f64>) -> Self {
        let norm = |(panel, within): (usize, &f64)| (2.0 * within + panels.len(panel) as f64).sqrt();
        let norms: Vec<_> = within.iter().enumerate().map(norm).collect();
        let add = |sum: &mut f64, norm: &f64| {
            *sum += norm;
            Some(*sum)
        };
        let cumulative = norms.iter().scan(0.0, add).collect();
        Self { panels, norms, cumulative, within }
    }

    /// Σ k(x, y) over the pairs i < j that lie within a panel.
    pub(crate) fn within(&self) -> f64 {
        self.within.iter().sum()
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
    /// Sums that are known, by panels; empty where there are so many blocks that few are drawn twice.
    known: HashMap<(usize, usize), f64>,
    pairs: u64,
}

impl<'a> Blocks<'a> {
    /// Blocks of one set, whose copies are counted where they are known.
    pub(crate) fn within(sums: &'a dyn BlockSums, x: Side, copies: Option<Copies>) -> Self {
        let (right, known, pairs) = (None, HashMap::new(), x.pairs());
        Self { sums, left: x, right, copies, known, pairs }
    }

    pub(crate) fn across(sums: &'a dyn BlockSums, x: Side, y: Side) -> Self {
        let (known, pairs) = (HashMap::new(), x.pairs() + y.pairs());
        Self { sums, left: x, right: Some(y), copies: None, known, pairs }
    }

    /// Number of pairs that were summed.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Part of the sum over all ordered pairs that no block is needed for: pairs within a panel, and copies.
    pub(crate) fn exact_part(&self) -> f64 {
        let copies = self.copies.as_ref().map_or(0, Copies::across);
        match self.right {
            None => 2.0 * (self.left.within() + copies as f64),
            Some(_) => 0.0,
        }
    }

    /// Sum of the bounds of all blocks: what a mean part of the bound is to be multiplied by.
    pub(crate) fn bound(&self) -> f64 {
        let total = self.left.total();
        match &self.right {
            Some(right) => total * right.total(),
            None => total * total - self.left.norms.iter().map(|norm| norm * norm).sum::<f64>(),
        }
    }

    /// Sums of so many blocks, drawn independently, each as a part of its bound.
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

    /// A known sum as a part of its bound.
    fn part(&self, (p, q): (usize, usize)) -> f64 {
        let right = self.right.as_ref().unwrap_or(&self.left);
        let bound = self.left.norms[p] * right.norms[q];
        let copies = self.copies.as_ref().map_or(0.0, |copies| copies.between(p, q) as f64);
        // Rounding alone leads out of [0, 1].
        ((self.known[&(p, q)] - copies) / bound).clamp(0.0, 1.0)
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
        self.pairs += new.iter().map(pairs).sum::<u64>();
        self.known.extend(new.into_iter().zip(sums));
        Ok(())
    }
}
