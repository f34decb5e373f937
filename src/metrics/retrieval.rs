//! Retrieval: how far in front the positive of a row stands among all rows of the other set.

use super::{
    check::{at_least, row_by_row},
    labelled_pairs::LabelledPairs,
};
use crate::{
    error::{Error, Result},
    pending::{Pending, offload, on_the_pool},
    points::{Points, Positives, Rank, ranks},
    request::{Metric, Run, Sealed},
};

/// Retrieval between two sets, both ways: the rank of each row's positive among all rows of the other set, by their inner product,
/// which is the cosine of unit rows. Positives are rows of one number, or of one label.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retrieval {
    /// Rows of x look for theirs among all rows of y.
    pub x_to_y: Ranks,
    /// Rows of y look for theirs among all rows of x.
    pub y_to_x: Ranks,
}

/// The rank of the positive of every row, in the order of the rows.
///
/// A positive with `above` candidates above it and `ties` as similar as it may stand anywhere from `above` + 1 to
/// `above` + `ties` + 1. Unless a method says otherwise, its numbers are the mean over all orders of the candidates that tie: where
/// all points are equal, they are those of chance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranks(Vec<Rank>);

/// A request for the ranks of all positives, both ways.
///
/// They are counted on the host, in f64, whatever the device: exactly for the points as the device stores them, so that ties are
/// ties. All n·m pairs are gone through.
#[derive(Clone, Copy, Debug)]
pub struct RetrievalOver<'a> {
    x: &'a Points,
    y: &'a Points,
    /// The pairs by label; None of those by number.
    labelled: Option<&'a LabelledPairs>,
}

impl Retrieval {
    /// The ranks of the pairs of x (n, d) and y (n, d), row by row. One row is needed.
    pub fn paired<'a>(x: &'a Points, y: &'a Points) -> RetrievalOver<'a> {
        RetrievalOver { x, y, labelled: None }
    }

    /// The ranks of x (n, d) and y (m, d), where rows of one label are positives: five captions of an image, say. The rank of a row
    /// is that of its best positive; its other positives are not counted as candidates before it or beside it. So recall@k is the
    /// share of rows that have a positive among the k most similar candidates.
    ///
    /// # Errors
    ///
    /// The request fails with [`Error::Labels`] unless there is one label per row, and every label is in both sets.
    pub fn labelled<'a>(x: &'a Points, y: &'a Points, pairs: &'a LabelledPairs) -> RetrievalOver<'a> {
        RetrievalOver { x, y, labelled: Some(pairs) }
    }
}

impl RetrievalOver<'_> {
    fn check(&self) -> Result<()> {
        let Some(pairs) = self.labelled else {
            return row_by_row("retrieval pairs row i of one set with row i of the other", self.x, self.y);
        };
        pairs.check(self.x, self.y)?;
        let [of_x, of_y] = pairs.without_positive();
        for (set, other, row) in [("x", "y", of_x), ("y", "x", of_y)] {
            if let Some(row) = row {
                let problem =
                    format!("of {set}: no row of {other} has that of row {row}; leave such rows out");
                return Err(Error::Labels { problem });
            }
        }
        Ok(())
    }
}

impl Sealed for RetrievalOver<'_> {}

impl Metric for RetrievalOver<'_> {
    type Value = Retrieval;

    fn pairs(&self) -> u64 {
        (self.x.rows() as u64).saturating_mul(self.y.rows() as u64)
    }

    fn measure<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, Retrieval> {
        Box::pin(async move {
            let Self { x, y, .. } = *self;
            self.check()?;
            at_least("retrieval", x, 1)?;
            at_least("retrieval", y, 1)?;
            let classes = self.labelled.map(|pairs| [pairs.of_x.clone(), pairs.of_y.clone()]);
            let (x, y) = (on.backend.on_host(x, on.watch).await?, on.backend.on_host(y, on.watch).await?);
            let watch = on.watch.clone();
            let [of_x, of_y] = offload(on_the_pool, move || {
                let positives = match &classes {
                    Some([of_x, of_y]) => Positives::SameClass([of_x, of_y]),
                    None => Positives::SameRow,
                };
                ranks(&*x, &*y, positives, &watch)
            })
            .await?;
            Ok(Retrieval { x_to_y: Ranks(of_x), y_to_x: Ranks(of_y) })
        })
    }
}

impl Rank {
    /// The rank where the positive comes first among those that tie; 1 is the best.
    pub fn best(self) -> u64 {
        self.above + 1
    }

    /// The rank where it comes last among them.
    pub fn worst(self) -> u64 {
        self.above + self.ties + 1
    }

    /// The mean of both, its mid-rank.
    pub fn mid(self) -> f64 {
        1.0 + self.above as f64 + self.ties as f64 / 2.0
    }

    /// The probability that the positive is among the first k, over all orders of those that tie.
    fn found(self, k: u64) -> f64 {
        let places = self.ties + 1;
        k.saturating_sub(self.above).min(places) as f64 / places as f64
    }

    /// The mean of 1 / rank over all orders of those that tie.
    fn reciprocal(self) -> f64 {
        let terms = match self.ties {
            0..MANY => (self.best()..=self.worst()).map(|rank| 1.0 / rank as f64).sum(),
            _ => harmonic(self.worst()) - harmonic(self.above),
        };
        terms / (self.ties + 1) as f64
    }
}

impl Ranks {
    /// The rank of each row's positive.
    pub fn rows(&self) -> &[Rank] {
        &self.0
    }

    /// Recall@k: the share of rows whose positive is among the k most similar candidates.
    pub fn recall(&self, k: u64) -> f64 {
        self.mean_of(|rank| rank.found(k))
    }

    /// Recall@k where the positive comes last among those that tie: the least that an order can give.
    pub fn least_recall(&self, k: u64) -> f64 {
        self.mean_of(|rank| f64::from(rank.worst() <= k))
    }

    /// Recall@k where the positive comes first among those that tie, as it does where ties are not heeded.
    pub fn greatest_recall(&self, k: u64) -> f64 {
        self.mean_of(|rank| f64::from(rank.best() <= k))
    }

    /// The mean rank of the positives: 1 is the best, and (n + 1) / 2 is chance among n candidates of which one is right.
    pub fn mean(&self) -> f64 {
        self.mean_of(Rank::mid)
    }

    /// The median of the positives' mid-ranks; of an even number of rows, the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let mut ranks: Vec<_> = self.0.iter().map(|rank| rank.mid()).collect();
        if ranks.is_empty() {
            return f64::NAN;
        }
        let half = ranks.len() / 2;
        let (below, &mut upper, _) = ranks.select_nth_unstable_by(half, f64::total_cmp);
        match self.0.len() % 2 {
            0 => (below.iter().copied().fold(0.0, f64::max) + upper) / 2.0,
            _ => upper,
        }
    }

    /// The mean reciprocal rank of the positives (MRR), from 0 to 1, the best.
    pub fn mean_reciprocal(&self) -> f64 {
        self.mean_of(Rank::reciprocal)
    }

    /// The number of rows whose positive ties with other candidates.
    pub fn tied(&self) -> usize {
        self.0.iter().filter(|rank| rank.ties > 0).count()
    }

    fn mean_of(&self, of: impl Fn(Rank) -> f64) -> f64 {
        self.0.iter().map(|&rank| of(rank)).sum::<f64>() / self.0.len() as f64
    }
}

/// Terms that take longer to add up than their sum takes by its expansion, which is exact to 1e-15 from here on.
const MANY: u64 = 64;
/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// Σ 1/k for k from 1 to n.
fn harmonic(n: u64) -> f64 {
    if n < MANY {
        return (1..=n).map(|k| 1.0 / k as f64).sum();
    }
    let n = n as f64;
    let square = (n * n).recip();
    n.ln() + EULER + 0.5 / n - square * (1.0 / 12.0 - square * (1.0 / 120.0 - square / 252.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_as_the_mean_over_their_orders() {
        let ranks =
            Ranks(vec![Rank { above: 0, ties: 0 }, Rank { above: 3, ties: 3 }, Rank { above: 9, ties: 0 }]);
        assert_eq!([1, 5, 10].map(|k| ranks.recall(k) * 3.0), [1.0, 1.5, 3.0]);
        assert_eq!([1, 5, 10].map(|k| ranks.least_recall(k) * 3.0), [1.0, 1.0, 3.0]);
        assert_eq!([1, 5, 10].map(|k| ranks.greatest_recall(k) * 3.0), [1.0, 2.0, 3.0]);
        assert_eq!((ranks.mean(), ranks.median(), ranks.tied()), (16.5 / 3.0, 5.5, 1));
        let reciprocal = 1.0 + (1.0 / 4.0 + 1.0 / 5.0 + 1.0 / 6.0 + 1.0 / 7.0) / 4.0 + 0.1;
        assert!((ranks.mean_reciprocal() - reciprocal / 3.0).abs() < 1e-15);
    }

    #[test]
    fn many_ties_have_the_sum_of_their_terms() {
        for (above, ties) in [(0, 64), (3, 1000), (70, 99_999)] {
            let sum: f64 = (above + 1..=above + ties + 1).map(|k| 1.0 / k as f64).sum();
            let want = sum / (ties + 1) as f64;
            assert!((Rank { above, ties }.reciprocal() / want - 1.0).abs() < 1e-13, "{above}, {ties}");
        }
    }

    #[test]
    fn an_even_number_of_ranks_has_its_median_between_two() {
        let rank = |above| Rank { above, ties: 0 };
        assert_eq!(Ranks(vec![rank(7), rank(0), rank(2), rank(1)]).median(), 2.5);
        assert!(Ranks::default().median().is_nan());
    }
}
