//! Rounds of a tournament of panels: a round has every row once, and all rounds together have every pair once.

use rand::{rngs::ChaCha8Rng, seq::SliceRandom};
use unisphere::{Engine, LogSumExp, PairBlock, Points, Uniformity};

use super::copies::Copies;
use crate::{error::Result, panels::Panels};

/// Powers of the kernel that are summed: at t, exp(−t‖x−y‖²) to the power of k is what it is at kt.
const POWERS: [f64; 3] = [1.0, 2.0, 4.0];
/// Blocks that are summed at a time, which bounds the memory of a stage.
const BLOCKS_AT_ONCE: usize = 1 << 16;

/// All rounds of one set, of which some were summed.
pub(crate) struct Rounds<'a> {
    engine: &'a Engine,
    t: f64,
    points: &'a Points,
    panels: Panels,
    copies: Copies,
    /// The numbers of all rounds, in the order in which they are drawn.
    order: Vec<usize>,
    drawn: Vec<Round>,
    /// Σ k(x, y) over every round by its number: copies too, and nothing where it was not summed yet.
    totals: Vec<LogSumExp>,
}

/// What was drawn in a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) blocks: u64,
    pub(crate) pairs: u64,
    /// Pairs whose rows are no copies of each other.
    pub(crate) distinct: u64,
    /// Over these pairs, Σ k, Σ k² and Σ k⁴.
    pub(crate) powers: [LogSumExp; 3],
}

impl<'a> Rounds<'a> {
    /// Rounds of points that are in a random order, given the copies among them.
    pub(crate) fn new(
        engine: &'a Engine,
        t: f64,
        points: &'a Points,
        panels: Panels,
        copies: Copies,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        // As many rounds as panels.
        let mut order: Vec<_> = (0..panels.count()).collect();
        order.shuffle(rng);
        let totals = vec![LogSumExp::EMPTY; order.len()];
        Self { engine, t, points, panels, copies, order, drawn: Vec::new(), totals }
    }

    pub(crate) fn count(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn drawn(&self) -> &[Round] {
        &self.drawn
    }

    /// Pairs of copies in the whole set, whose kernel is 1.
    pub(crate) fn copies(&self) -> u64 {
        self.copies.all()
    }

    /// Sums rounds until so many are drawn.
    pub(crate) fn draw(&mut self, count: usize) -> Result<()> {
        while self.drawn.len() < count {
            let next = self.drawn.len()..count.min(self.drawn.len() + self.at_once());
            let numbers = self.order[next].to_vec();
            let blocks = self.blocks(&numbers);
            let [first, second, fourth] = POWERS.map(|power| self.sums(&blocks, power));
            let sums = [first?, second?, fourth?];
            let mut start = 0;
            for &number in &numbers {
                let end = start + blocks_of_round(number, self.panels.count()).count();
                let of_round = sums.each_ref().map(|sums| &sums[start..end]);
                self.totals[number] = of_round[0].iter().copied().collect();
                self.drawn.push(self.round(&blocks[start..end], of_round));
                start = end;
            }
        }
        Ok(())
    }

    /// The log mean of the kernel over all pairs, of which those that were not drawn are summed now. Rounds are merged in the order
    /// of their numbers: the bits do not depend on which were drawn.
    pub(crate) fn log_mean_of_all(&mut self) -> Result<f64> {
        for start in (self.drawn.len()..self.count()).step_by(self.at_once()) {
            let numbers = self.order[start..self.count().min(start + self.at_once())].to_vec();
            let mut sums = self.sums(&self.blocks(&numbers), 1.0)?.into_iter();
            for number in numbers {
                let blocks = blocks_of_round(number, self.panels.count()).count();
                self.totals[number] = sums.by_ref().take(blocks).collect();
            }
        }
        let total: LogSumExp = self.totals.iter().copied().collect();
        // No exponent is above 0, but rounding may lift a mean of near 1 by its last digit.
        Ok(total.log_mean(unisphere::unordered_pairs(self.panels.rows)).min(0.0))
    }

    fn at_once(&self) -> usize {
        (2 * BLOCKS_AT_ONCE / self.count().max(1)).max(1)
    }

    /// Blocks of some rounds, which have pairs: a panel of one row has none with itself.
    fn blocks(&self, rounds: &[usize]) -> Vec<(usize, usize)> {
        rounds.iter().flat_map(|&round| blocks_of_round(round, self.panels.count())).collect()
    }

    /// Sums over blocks of a power of the kernel.
    fn sums(&self, blocks: &[(usize, usize)], power: f64) -> Result<Vec<LogSumExp>> {
        let block =
            |&(p, q): &(usize, usize)| PairBlock { rows: self.panels.range(p), cols: self.panels.range(q) };
        let blocks: Vec<_> = blocks.iter().map(block).collect();
        Ok(self.engine.value(Uniformity::new(power * self.t).blocks_within(self.points, &blocks))?)
    }

    /// A round, given the sums over its blocks of every power.
    fn round(&self, blocks: &[(usize, usize)], sums: [&[LogSumExp]; 3]) -> Round {
        let copies: Vec<_> = blocks.iter().map(|&(p, q)| self.copies.in_block(p, q)).collect();
        let pairs = blocks.iter().map(|&(p, q)| self.panels.pairs(p, q)).sum();
        let without_copies = |sums: &[LogSumExp]| {
            let others = sums.iter().zip(&copies).map(|(&sum, &copies)| without(sum, copies));
            others.collect::<LogSumExp>()
        };
        Round {
            blocks: blocks.len() as u64,
            pairs,
            distinct: pairs - copies.iter().sum::<u64>(),
            powers: sums.map(without_copies),
        }
    }
}

/// The two panels of each block of a round: those whose numbers add up to that of the round, modulo their count. Every panel is in
/// one block of each round, and every two panels, or one with itself, meet in one round.
fn blocks_of_round(round: usize, panels: usize) -> impl Iterator<Item = (usize, usize)> {
    let opponent = move |panel| (round + panels - panel) % panels;
    (0..panels).map(move |panel| (panel, opponent(panel))).filter(|(p, q)| p <= q)
}

/// A sum without some of its terms, each of which is 1.
fn without(sum: LogSumExp, ones: u64) -> LogSumExp {
    match ones {
        0 => sum,
        // Rounding alone leads below 0.
        _ => LogSumExp { max: 0.0, sum: (sum.log().exp() - ones as f64).max(0.0) },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::{RngExt, SeedableRng};
    use unisphere::{Embeddings, Scaling};

    use super::*;

    #[test]
    fn a_round_has_every_panel_once_and_all_rounds_have_every_block_once() {
        for panels in 1..12 {
            let mut met = HashSet::new();
            for round in 0..panels {
                let mut there = HashSet::new();
                for (p, q) in blocks_of_round(round, panels) {
                    assert!(p <= q && q < panels && met.insert((p, q)), "{p} and {q} of {panels}");
                    assert!(there.insert(p) && (p == q || there.insert(q)), "{p} or {q} of {panels} twice");
                }
                assert_eq!(there.len(), panels);
            }
            assert_eq!(met.len(), panels * (panels + 1) / 2);
        }
    }

    /// Rows of three numbers on a grid, many of which are equal.
    fn rows(count: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        (0..3 * count).map(|_| f32::from(rng.random_range(0..3u8)) * 0.5).collect()
    }

    #[test]
    fn rounds_together_are_all_pairs_whatever_was_drawn_first() -> Result<()> {
        let (engine, t) = (Engine::cpu(), 0.7);
        for (count, panel_rows) in [(50, 7), (49, 7), (43, 6), (31, 1), (10, 4), (5, 5), (2, 9)] {
            let values = rows(count);
            let x = || Embeddings::with_scaling(values.as_slice(), count, 3, Scaling::Raw);
            let (classes, points) = (x()?.duplicates()?, engine.upload_owned(x()?)?);
            let panels = Panels { rows: count, panel_rows };
            let start = |seed| {
                let copies = Copies::new(panels, &classes);
                Rounds::new(&engine, t, &points, panels, copies, &mut ChaCha8Rng::seed_from_u64(seed))
            };
            // Pairs one by one: equal rows apart.
            let (mut pairs, mut sum, mut equal, mut sums) = (0, 0.0, 0, [0.0; 3]);
            for j in 0..count {
                for i in 0..j {
                    let off = |dim: usize| f64::from(values[3 * i + dim] - values[3 * j + dim]).powi(2);
                    let square = off(0) + off(1) + off(2);
                    (pairs, sum) = (pairs + 1, sum + (-t * square).exp());
                    if square == 0.0 {
                        equal += 1;
                    } else {
                        [1.0, 2.0, 4.0]
                            .iter()
                            .zip(&mut sums)
                            .for_each(|(k, sum)| *sum += (-t * k * square).exp());
                    }
                }
            }
            let what = format!("{count} rows in panels of {panel_rows}");
            let mut all = start(1);
            all.draw(panels.count())?;
            assert_eq!(all.drawn().iter().map(|round| round.pairs).sum::<u64>(), pairs, "{what}");
            assert_eq!(all.drawn().iter().map(|round| round.distinct).sum::<u64>(), pairs - equal, "{what}");
            assert_eq!(all.copies(), equal, "{what}");
            for (power, want) in sums.into_iter().enumerate() {
                let found: LogSumExp = all.drawn().iter().map(|round| round.powers[power]).collect();
                let found = found.log().exp();
                assert!((found - want).abs() < 1e-5 * sum, "{what}: {found} and {want}");
            }
            // The end is the same for any part that was drawn before, in any order.
            let value = all.log_mean_of_all()?;
            assert!((value - (sum / pairs as f64).ln()).abs() < 1e-6, "{what}: {value}");
            for (seed, drawn) in [(1, 0), (2, 0), (2, panels.count() / 2), (3, 1)] {
                let mut some = start(seed);
                some.draw(drawn)?;
                assert_eq!(some.log_mean_of_all()?.to_bits(), value.to_bits(), "{what}, {drawn} drawn");
            }
        }
        Ok(())
    }
}
