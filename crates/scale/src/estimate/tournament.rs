//! Uniformity from rounds of a tournament, with an interval that is simulated, not proven.
//!
//! Every row is once in a round, so that what a row has in common with all others cancels, and a round spreads about as its pairs
//! would if they were independent (an equireplicate design: Blom 1976; the panel that meets itself and the one that meets a short
//! last panel have fewer pairs a row). The bar is the larger of two: that of the variance of a pair, which the sums at t and 2t
//! tell, and Student's t between rounds.
//!
//! Neither sees what no pair has shown. A part p of the pairs is missed by M drawn ones with a probability of about exp(−pM). So
//! the upper end allows for the largest part that is missed with half of the risk, −log(risk/2)/M of the pairs, or 3.7/M at 95 %,
//! and for the largest kernel of these, 1. And where few of the pairs that were seen make most of the variance, it is not known:
//! below a hundred effective ones, (Σ k²)²/Σ k⁴, nothing is promised. Copies are counted, not drawn.
//!
//! Bars and allowance do not share the risk between them, and that three stages may each be the last is not corrected for: that
//! the interval holds often enough is simulated. No correction is made for the pairs of a finite set: bars are those of a set of any
//! size, and a little too wide.

use unisphere::LogSumExp;

use super::{
    interval::Method,
    rounds::{Round, Rounds},
    stages::{Fallback, Found, MAX_SHARE, Plan},
    student::quantile,
};
use crate::error::Result;

/// Rounds of the first stage: the fewest that tell how they spread.
const PILOT: usize = 16;
/// Stages: the pilot, a second that should do, and a third where that fell just short.
const STAGES: usize = 3;
/// Rounds beyond what the stage before says, since it is uncertain itself.
const SAFETY: f64 = 1.1;
/// Pairs behind a variance, below which it is not taken for known.
const LEAST_EFFECTIVE_PAIRS: f64 = 100.0;

impl Plan {
    /// The value by rounds, from all pairs at once where the first stage would be about as dear. Where the rounds that may be drawn
    /// promise nothing that is narrow enough, all the others are summed too.
    pub(crate) fn find_by_rounds(
        &self,
        rounds: &mut Rounds<'_>,
        exact: impl FnOnce() -> Result<f64>,
    ) -> Result<Found> {
        let most = (MAX_SHARE * rounds.count() as f64) as usize;
        if most < PILOT {
            return Ok(Found::exact(exact()?, self));
        }
        if rounds.copies() == self.count.pairs {
            return Ok(Found::exact(0.0, self));
        }
        let found = self.stages_of_rounds(rounds, most)?;
        if self.fallback != Fallback::AllPairs || found.half_width() <= self.tolerance {
            return Ok(found);
        }
        self.warn_of_all_pairs();
        Ok(Found::exact(rounds.log_mean_of_all()?, self))
    }

    fn stages_of_rounds(&self, rounds: &mut Rounds<'_>, most: usize) -> Result<Found> {
        let whole = Whole { pairs: self.count.pairs, copies: rounds.copies() };
        let mut count = PILOT;
        let mut stage = 1;
        loop {
            rounds.draw(count)?;
            let seen = Seen::of(rounds.drawn());
            let found = seen.found(self, whole, rounds.drawn());
            if stage == STAGES || count == most || found.half_width() <= self.tolerance {
                return Ok(found);
            }
            let is_enough = |count: usize| {
                let ends = seen.after(count as f64).ends(self.confidence, whole);
                ends.is_some_and(|ends| half_width(self.widened(ends)) <= self.tolerance)
            };
            let needed = (SAFETY * least(count, most, is_enough) as f64).ceil() as usize;
            if needed > most && self.fallback != Fallback::LargestSample {
                return Ok(found);
            }
            count = needed.min(most);
            stage += 1;
        }
    }
}

fn half_width([low, high]: [f64; 2]) -> f64 {
    0.5 * (high - low)
}

/// The least count above `few` that is enough, up to `most`; one more where that is not.
fn least(few: usize, most: usize, is_enough: impl Fn(usize) -> bool) -> usize {
    let (mut few, mut enough) = (few, most + 1);
    while enough - few > 1 {
        let between = few + (enough - few) / 2;
        *if is_enough(between) { &mut enough } else { &mut few } = between;
    }
    enough
}

/// What rounds tell of the kernel of pairs that are no copies. Variances are relative to the square of its mean.
#[derive(Clone, Copy, Debug)]
struct Seen {
    rounds: f64,
    pairs: f64,
    /// The log of the mean.
    log_mean: f64,
    /// The variance of the kernel of a pair.
    of_pair: f64,
    /// The variance of the mean of a round.
    of_round: f64,
    /// Pairs that make most of the sum of squares.
    effective: f64,
}

impl Seen {
    fn of(drawn: &[Round]) -> Self {
        let rounds = drawn.len() as f64;
        let pairs = drawn.iter().map(|round| round.distinct).sum::<u64>() as f64;
        let sum = |power: usize| drawn.iter().map(|round| round.powers[power]).collect::<LogSumExp>().log();
        let [first, second, fourth] = [0, 1, 2].map(sum);
        // Of a ratio of sums, as rounds have a little more and less of pairs.
        let off = |round: &Round| {
            (round.powers[0].log() - first).exp() * rounds - round.distinct as f64 * rounds / pairs
        };
        Self {
            rounds,
            pairs,
            // Where copies alone were drawn, nothing is known of the others.
            log_mean: if pairs > 0.0 { first - pairs.ln() } else { f64::NEG_INFINITY },
            of_pair: (second - 2.0 * first + pairs.ln()).exp_m1().max(0.0),
            of_round: drawn.iter().map(|round| off(round).powi(2)).sum::<f64>() / (rounds - 1.0),
            effective: (2.0 * second - fourth).exp(),
        }
    }

    /// What so many rounds would tell, if those to come are as those that were drawn.
    fn after(self, rounds: f64) -> Self {
        let times = rounds / self.rounds;
        Self { rounds, pairs: times * self.pairs, effective: times * self.effective, ..self }
    }

    /// The larger of both bars, as a part of the mean.
    fn bar(&self, confidence: f64) -> f64 {
        let of_pairs = quantile(confidence, f64::INFINITY) * (self.of_pair / self.pairs).sqrt();
        let of_rounds = quantile(confidence, self.rounds - 1.0) * (self.of_round / self.rounds).sqrt();
        of_pairs.max(of_rounds)
    }

    /// The part of the pairs that no drawn pair may have shown: with the rest of the risk, it is not larger.
    fn unseen(&self, confidence: f64) -> f64 {
        (-(0.5 * (1.0 - confidence)).ln() / self.pairs).min(1.0)
    }

    /// Ends of the interval; none where too few pairs have made the variance.
    fn ends(&self, confidence: f64, whole: Whole) -> Option<[f64; 2]> {
        // Of a kernel of 0 everywhere, nothing is known.
        if self.effective.is_nan() || self.effective < LEAST_EFFECTIVE_PAIRS {
            return None;
        }
        let bar = self.bar(confidence);
        let low = self.value(whole, (1.0 - bar).max(0.0), 0.0);
        Some([low, self.value(whole, 1.0 + bar, self.unseen(confidence))])
    }

    /// Bounds that hold whatever the other pairs are: their kernel is from 0 to 1.
    fn bounds(&self, whole: Whole) -> [f64; 2] {
        let part = self.pairs / whole.distinct();
        [self.value(whole, part, 0.0), self.value(whole, part, 1.0 - part)]
    }

    /// The log mean over all pairs, if those that are no copies have so many times the mean that was seen, and beside it a part of
    /// them has the kernel 1.
    fn value(&self, whole: Whole, times: f64, ones: f64) -> f64 {
        let seen = LogSumExp { max: self.log_mean, sum: times * whole.distinct() };
        let ones = LogSumExp { max: 0.0, sum: ones * whole.distinct() + whole.copies as f64 };
        seen.combine(ones).log_mean(whole.pairs)
    }

    fn found(&self, plan: &Plan, whole: Whole, drawn: &[Round]) -> Found {
        let [least, most] = self.bounds(whole);
        let ends = self.ends(plan.confidence, whole);
        let ends = ends.map_or([least, most], |[low, high]| [low.max(least), high.min(most)]);
        let [low, high] = plan.widened(ends);
        Found {
            value: self.value(whole, 1.0, 0.0),
            low,
            high,
            method: Method::TournamentRounds,
            blocks: drawn.iter().map(|round| round.blocks).sum(),
            pairs: drawn.iter().map(|round| round.pairs).sum(),
        }
    }
}

/// Pairs of a set, and how many of them are copies.
#[derive(Clone, Copy, Debug)]
struct Whole {
    pairs: u64,
    copies: u64,
}

impl Whole {
    /// Pairs that are no copies.
    fn distinct(self) -> f64 {
        (self.pairs - self.copies) as f64
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    use unisphere::{Embeddings, Engine, Uniformity};

    use super::*;
    use crate::{
        estimate::{copies::Copies, shuffled::in_random_order},
        panels::Panels,
    };

    #[test]
    fn the_least_count_that_is_enough_is_found() {
        for most in [17, 18, 40] {
            for enough in 17..=most + 1 {
                assert_eq!(least(16, most, |count| count >= enough), enough);
            }
        }
    }

    /// Rounds that seldom meet a close pair have bars that miss the value, both kinds alike. What was not seen, and the pairs that are
    /// behind a variance, save the promise.
    #[test]
    fn bars_alone_miss_what_few_pairs_hold() -> Result<()> {
        let (rows, dims, t, confidence) = (1024, 96, 5.0, 0.95);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut values: Vec<f32> = (0..rows * dims).map(|_| rng.random_range(-1.0..1.0)).collect();
        for pair in 0..10 {
            values.copy_within(pair * dims..(pair + 1) * dims, (500 + pair) * dims);
            values[(500 + pair) * dims] += 0.01;
        }
        let engine = Engine::cpu();
        let x = || Embeddings::new(values.as_slice(), rows, dims);
        let exact = engine.uniformity(&engine.upload(&x()?)?, Uniformity::new(t))?;
        let panels = Panels { rows, panel_rows: 2 };
        let whole = Whole { pairs: unisphere::unordered_pairs(rows), copies: 0 };
        let (mut held_by_bars, mut promises, mut held, seeds) = (0, 0, 0, 20);
        for seed in 0..seeds {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let points = engine.upload_owned(in_random_order(x()?, &mut rng)?)?;
            let mut rounds = Rounds::new(&engine, t, &points, panels, Copies::new(panels, &[]), &mut rng);
            rounds.draw(PILOT)?;
            let seen = Seen::of(rounds.drawn());
            let off = (exact - seen.log_mean).exp_m1().abs();
            held_by_bars += u32::from(off <= seen.bar(confidence));
            if let Some([low, high]) = seen.ends(confidence, whole) {
                promises += 1;
                held += u32::from(low <= exact && exact <= high);
            }
        }
        assert!(2 * held_by_bars < seeds as u32, "bars alone hold {held_by_bars} of {seeds}");
        assert!(promises > 5 && held == promises, "{held} of {promises} promises are right, of {seeds}");
        Ok(())
    }
}
