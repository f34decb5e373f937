//! Betting interval: for the mean of independent draws from [0, 1], whatever their distribution.
//!
//! Waudby-Smith & Ramdas 2023, *Estimating means of bounded random variables by betting*, JRSS B 86: the hedged capital of
//! §4.2, with bets for a fixed number of draws.

/// What is believed of the draws before the first is seen. It makes the interval wider or narrower, never wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Belief {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl Belief {
    /// What may be believed of any draws.
    pub(crate) const NONE: Self = Self { mean: 0.5, variance: 0.25 };
}

/// Part of the capital that a bet may lose.
const MAX_LOSS: f64 = 0.75;
/// Variance below which bets no longer grow.
const MIN_VARIANCE: f64 = 1e-12;
/// Halvings of [0, 1] in the search for an end.
const HALVINGS: usize = 60;
/// Factors that are multiplied before the log is taken: none is below 1 − [`MAX_LOSS`] or above 1e8.
const FACTORS_PER_LOG: usize = 16;

/// Interval that holds the mean with probability 1 − `alpha`, from draws in the order in which they were made.
pub(crate) fn interval(draws: &[f64], alpha: f64, belief: Belief) -> [f64; 2] {
    let needed = (2.0 / alpha).ln();
    let bets = bets(draws, needed, belief);
    let mirrored: Vec<_> = draws.iter().map(|x| 1.0 - x).collect();
    let ends = rayon::join(|| lower_end(draws, &bets, needed), || lower_end(&mirrored, &bets, needed));
    [ends.0, 1.0 - ends.1]
}

/// Bet on each draw, from what the draws before it were.
fn bets(draws: &[f64], needed: f64, belief: Belief) -> Vec<f64> {
    let count = draws.len() as f64;
    let (mut seen, mut sum, mut squares) = (1.0, belief.mean, belief.variance);
    let bet = |&x: &f64| {
        let bet = (2.0 * needed / (count * (squares / seen).max(MIN_VARIANCE))).sqrt();
        seen += 1.0;
        sum += x;
        squares += (x - sum / seen).powi(2);
        bet
    };
    draws.iter().map(bet).collect()
}

/// Least mean that the bets on a greater one do not refute: their log capital falls as the mean grows.
fn lower_end(draws: &[f64], bets: &[f64], needed: f64) -> f64 {
    let (mut refuted, mut left) = (0.0, 1.0);
    if log_capital(draws, bets, refuted) < needed {
        return refuted;
    }
    for _ in 0..HALVINGS {
        let mean = 0.5 * (refuted + left);
        *if log_capital(draws, bets, mean) < needed { &mut left } else { &mut refuted } = mean;
    }
    refuted
}

/// Log capital of bets that draws lie above a mean.
fn log_capital(draws: &[f64], bets: &[f64], mean: f64) -> f64 {
    let most = MAX_LOSS / mean;
    let product = |(draws, bets): (&[f64], &[f64])| {
        let factors = draws.iter().zip(bets).map(|(x, bet)| 1.0 + bet.min(most) * (x - mean));
        factors.product::<f64>().ln()
    };
    draws.chunks(FACTORS_PER_LOG).zip(bets.chunks(FACTORS_PER_LOG)).map(product).sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    /// Draws of a kind, and their mean.
    fn draws(rng: &mut ChaCha8Rng, kind: usize, count: usize) -> (Vec<f64>, f64) {
        let uniform = |rng: &mut ChaCha8Rng| rng.random::<f64>();
        let one = |rng: &mut ChaCha8Rng| match kind {
            0 => uniform(rng),
            1 => f64::from(uniform(rng) < 0.01),
            2 => 0.8 + 0.01 * (uniform(rng) - 0.5),
            _ => uniform(rng).powi(8),
        };
        let mean = [0.5, 0.01, 0.8, 1.0 / 9.0][kind];
        ((0..count).map(|_| one(rng)).collect(), mean)
    }

    #[test]
    fn intervals_hold_the_mean_as_often_as_promised() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for kind in 0..4 {
            let mut held = 0;
            for _ in 0..300 {
                let (draws, mean) = draws(&mut rng, kind, 500);
                let [low, high] = interval(&draws, 0.05, Belief::NONE);
                held += usize::from(low <= mean && mean <= high);
            }
            // 285 are expected at the least; 15 fewer are four standard deviations away.
            assert!(held >= 270, "kind {kind}: {held} of 300");
        }
    }

    #[test]
    fn widths_are_1_4_times_those_of_the_normal_interval() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (draws, mean) = draws(&mut rng, 0, 20_000);
        let [low, high] = interval(&draws, 0.05, Belief::NONE);
        let normal = 2.0 * 1.96 * (1.0f64 / 12.0).sqrt() / 20_000f64.sqrt();
        assert!(low < mean && mean < high && high - low < 1.45 * normal, "{low} to {high}");
    }

    #[test]
    fn few_draws_and_equal_ones_promise_little() {
        let [low, high] = interval(&[], 0.05, Belief::NONE);
        assert_eq!([low, high], [0.0, 1.0]);
        let [low, high] = interval(&[1.0; 100], 0.05, Belief::NONE);
        assert!(low > 0.9 && low < 0.99 && high == 1.0, "{low} to {high}");
        let [low, high] = interval(&[0.0; 100], 0.05, Belief { mean: 0.0, variance: 0.0 });
        // Nothing of 100 draws: up to 3 of 100 may be something, as the rule of three says.
        assert!(low == 0.0 && high > 0.03, "{low} to {high}");
    }
}
