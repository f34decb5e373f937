//! The contrastive loss of groups of anchors over some of their candidates.
//!
//! Rows lie in a random order, and a group is a run of them: a group's anchors share what they are compared with, so that their
//! products are made by the block. The negatives within the group are summed in full. Of those outside, M, a run of c stands for
//! all of them, times M/c: f(c) is the mean over the anchors of log(e^positive + Σ within + M/c Σ of the run) − positive. Its
//! expectation over the start of the run is biased for few candidates and exact for c = M.

use std::ops::Range;

use rayon::prelude::*;
use unisphere::{Candidates, Contrastive, DeviceKind, Engine, Metric as _, PairBlock, Points};

use crate::{error::Result, panels::Panels};

/// Candidates that are summed at a time, which bounds the memory of a run.
const CANDIDATES_AT_ONCE: usize = 1 << 14;

/// Candidates of a block that is too small for several cores.
const CANDIDATES_OF_SMALL_BLOCK: usize = 2048;
/// Small blocks that a thread takes at a time.
const BLOCKS_OF_THREAD: usize = 64;

/// Pairs in a random order, cut into groups of anchors.
#[derive(Debug)]
pub(crate) struct Groups<'a> {
    engine: &'a Engine,
    metric: Contrastive,
    panels: Panels,
    sides: Vec<Side<'a>>,
    /// Of every positive pair.
    logits: Vec<f64>,
    /// Products that all candidates take: both ways share them.
    products_of_all: u64,
}

/// Sets of negatives, of all kinds of anchors together.
fn sets(candidates: Candidates) -> u64 {
    match candidates {
        Candidates::OneWay => 1,
        Candidates::Views => 4,
        _ => 2,
    }
}

/// Anchors with their negatives, of so many pairs.
pub(super) fn anchors_with_negatives(candidates: Candidates, rows: usize) -> u64 {
    sets(candidates) * rows as u64 * rows.saturating_sub(1) as u64
}

/// Anchors, and where their negatives are.
#[derive(Debug)]
struct Side<'a> {
    anchors: &'a Points,
    others: Vec<&'a Points>,
    /// Log sum of every anchor over the negatives within its group.
    within: Vec<f64>,
}

/// Candidates outside of a group, in the order in which they follow it, round and round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) count: usize,
}

impl<'a> Groups<'a> {
    /// Sums what is within the groups. Row i of x and row i of y are a pair.
    pub(crate) fn new(
        engine: &'a Engine,
        metric: Contrastive,
        [x, y]: [&'a Points; 2],
        panels: Panels,
    ) -> Result<Self> {
        let products = engine.value(Contrastive::products(x, y))?;
        let side = |anchors, others| Side { anchors, others, within: Vec::new() };
        let sides = match metric.candidates {
            Candidates::OneWay => vec![side(x, vec![y])],
            Candidates::Views => vec![side(x, vec![y, x]), side(y, vec![x, y])],
            _ => vec![side(x, vec![y]), side(y, vec![x])],
        };
        let logits = products.into_iter().map(|product| product / metric.tau).collect();
        let products_of_all = metric.paired(x, y).pairs();
        let mut groups = Self { engine, metric, panels, sides, logits, products_of_all };
        let blocks: Vec<_> = (0..panels.count()).map(|group| panels.range(group)).collect();
        let blocks: Vec<_> = blocks.into_iter().map(|rows| PairBlock { cols: rows.clone(), rows }).collect();
        for side in 0..groups.sides.len() {
            groups.sides[side].within = groups.sums(&groups.sides[side], &blocks)?.concat();
        }
        Ok(groups)
    }

    pub(crate) fn panels(&self) -> Panels {
        self.panels
    }

    /// Products that all candidates take: both ways share them.
    pub(crate) fn products_of_all(&self) -> u64 {
        self.products_of_all
    }

    /// Products that the sums within all groups have taken.
    pub(crate) fn products_within(&self) -> u64 {
        let of_group = |group| (self.panels.len(group) as u64).pow(2);
        self.sets() * (0..self.panels.count()).map(of_group).sum::<u64>()
    }

    /// Products of a group with so many candidates.
    pub(crate) fn products(&self, group: usize, count: usize) -> u64 {
        self.sets() * self.panels.len(group) as u64 * count as u64
    }

    fn sets(&self) -> u64 {
        sets(self.metric.candidates)
    }

    /// Number of candidates outside of a group.
    pub(crate) fn outside(&self, group: usize) -> usize {
        self.panels.rows - self.panels.len(group)
    }

    /// For each pair of each of some groups, the losses of its anchors over what their runs hold together, on average, less those
    /// over either of two halves, where there are two.
    pub(crate) fn losses(&self, draws: &[(usize, Vec<Run>)]) -> Result<Vec<Vec<f64>>> {
        let blocks: Vec<_> = draws
            .iter()
            .flat_map(|(group, runs)| {
                let rows = self.panels.range(*group);
                let cols = runs.iter().flat_map(|&run| self.ranges(*group, run));
                cols.map(|cols| PairBlock { rows: rows.clone(), cols }).collect::<Vec<_>>()
            })
            .collect();
        let mut losses: Vec<_> = draws.iter().map(|(group, _)| vec![0.0; self.panels.len(*group)]).collect();
        for side in &self.sides {
            let mut sums = self.sums(side, &blocks)?.into_iter();
            for ((group, runs), losses) in draws.iter().zip(&mut losses) {
                let each: Vec<_> = runs
                    .iter()
                    .map(|&run| joined(sums.by_ref().take(self.ranges(*group, run).count())))
                    .collect();
                self.add(side, *group, runs, &each, losses);
            }
        }
        Ok(losses)
    }

    /// Adds the losses of a group's anchors on one side, given their log sums over each run.
    fn add(&self, side: &Side<'_>, group: usize, runs: &[Run], sums: &[Vec<f64>], losses: &mut [f64]) {
        let outside = self.outside(group) as f64;
        let weight = 1.0 / self.sides.len() as f64;
        let count: usize = runs.iter().map(|run| run.count).sum();
        for ((place, row), loss) in self.panels.range(group).enumerate().zip(losses) {
            let (logit, within) = (self.logits[row], side.within[row]);
            let of = |sum: f64, count: usize| {
                let scaled = sum + (outside / count as f64).ln();
                log_add(log_add(logit, within), scaled) - logit
            };
            let whole = sums.iter().map(|sum| sum[place]).fold(f64::NEG_INFINITY, log_add);
            let halves = match (sums, runs) {
                ([a, b, ..], [of_a, of_b, ..]) => 0.5 * (of(a[place], of_a.count) + of(b[place], of_b.count)),
                _ => 0.0,
            };
            *loss += weight * (of(whole, count) - halves);
        }
    }

    /// The log sums of the anchors of one side over blocks of each of their sets of negatives.
    fn sums(&self, side: &Side<'_>, blocks: &[PairBlock]) -> Result<Vec<Vec<f64>>> {
        let of_set = |others: &&Points| self.sums_of_set(side.anchors, others, blocks);
        let each = side.others.iter().map(of_set).collect::<Result<Vec<_>>>()?;
        let mut each: Vec<_> = each.into_iter().map(Vec::into_iter).collect();
        Ok((0..blocks.len()).map(|_| joined(each.iter_mut().filter_map(Iterator::next))).collect())
    }

    /// The same over one of the sets. Small blocks keep a core each busy better than all cores together.
    fn sums_of_set(&self, anchors: &Points, others: &Points, blocks: &[PairBlock]) -> Result<Vec<Vec<f64>>> {
        let value = |blocks| self.engine.value(self.metric.log_sums_of_blocks(anchors, others, blocks));
        let are_small = blocks.iter().all(|block| block.cols.len() < CANDIDATES_OF_SMALL_BLOCK);
        if self.engine.device().kind != DeviceKind::Cpu || !are_small {
            return Ok(value(blocks)?);
        }
        let parts = blocks.par_chunks(BLOCKS_OF_THREAD).map(value).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.concat())
    }

    /// The rows of a run.
    fn ranges(&self, group: usize, run: Run) -> impl Iterator<Item = Range<usize>> {
        let (n, outside, end) = (self.panels.rows, self.outside(group), self.panels.range(group).end);
        let stop = run.start + run.count;
        // The first part lies before the group comes round again, and each part may pass the last row.
        let parts = [run.start..stop.min(outside), 0..stop.saturating_sub(outside)];
        let placed = parts.into_iter().flat_map(move |part| {
            let passes = (n - end).clamp(part.start, part.end);
            let after = |of: Range<usize>| of.start + end..of.end + end;
            let before = |of: Range<usize>| of.start + end - n..of.end + end - n;
            let first = after(part.start..passes);
            [first, if passes < part.end { before(passes..part.end) } else { 0..0 }]
        });
        placed.filter(|range| !range.is_empty()).flat_map(in_pieces)
    }
}

/// A range, as many rows at a time as are summed at once.
fn in_pieces(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(CANDIDATES_AT_ONCE).map(move |start| start..end.min(start + CANDIDATES_AT_ONCE))
}

/// Log sums of the same anchors, together.
fn joined(mut sums: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let first = sums.next().unwrap_or_default();
    sums.fold(first, |mut all, more| {
        all.iter_mut().zip(more).for_each(|(sum, more)| *sum = log_add(*sum, more));
        all
    })
}

/// log(eᵃ + eᵇ); −∞ is the log of nothing.
fn log_add(a: f64, b: f64) -> f64 {
    let (more, less) = if a > b { (a, b) } else { (b, a) };
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}
