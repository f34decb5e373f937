//! A value of all rows, and the same without each row in turn: what the jackknife takes.

use unisphere::{Alignment, Potentials};

use super::student;
use crate::{
    estimate::Measured,
    maybe::{Absent, Maybe, finite},
};

/// A value of n rows or pairs, and the n values without each of them in turn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LeaveOneOut {
    /// The value of all.
    pub value: f64,
    /// The value without row i, for every i: n of them.
    pub without: Vec<f64>,
}

impl LeaveOneOut {
    /// Uniformity of n ≥ 3 rows. With S the sum of exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j, and rᵢ that over the pairs of row i,
    ///
    /// U₍₋ᵢ₎ = log((S − rᵢ) / C(n−1, 2)) = U + log(1 − rᵢ/S) + log(n/(n−2)),
    ///
    /// where rᵢ/S is twice the share of row i in the sum of all potentials. Takes O(n).
    ///
    /// # Errors
    ///
    /// [`Absent`] for fewer than three rows, and where the pairs of one row are the whole sum in double precision.
    pub fn of_uniformity(potentials: &Potentials) -> Maybe<Self> {
        let logs = potentials.logs();
        let n = logs.len() as f64;
        if logs.len() < 3 {
            return Err(Absent::because("it takes three rows or more"));
        }
        let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|log| (log - greatest).exp()).sum();
        let value = potentials.uniformity();
        let fewer_pairs = (2.0 / (n - 2.0)).ln_1p();
        let without = |log: &f64| {
            let share = 2.0 * (log - greatest).exp() / total;
            value + (-share).ln_1p() + fewer_pairs
        };
        Self::finite(value, logs.iter().map(without).collect())
    }

    /// Alignment of n ≥ 2 pairs at these distances: A₍₋ᵢ₎ = (nA − ‖xᵢ−yᵢ‖^α) / (n−1).
    ///
    /// # Errors
    ///
    /// [`Absent`] for fewer than two pairs, and for a power that double precision cannot hold.
    pub fn of_alignment(metric: Alignment, distances: &[f64]) -> Maybe<Self> {
        let n = distances.len() as f64;
        if distances.len() < 2 {
            return Err(Absent::because("it takes two pairs or more"));
        }
        let value = metric.estimate(distances).value;
        let without = |distance: &f64| value + (value - distance.powf(metric.alpha)) / (n - 1.0);
        Self::finite(value, distances.iter().map(without).collect())
    }

    /// The mean of two values of the same rows, such as the uniformities of x and y.
    ///
    /// # Errors
    ///
    /// [`Absent`] where they have different numbers of rows.
    pub fn mean(&self, other: &Self) -> Maybe<Self> {
        if self.without.len() != other.without.len() {
            return Err(DIFFERENT_ROWS);
        }
        let without = self.without.iter().zip(&other.without).map(|(a, b)| (a + b) / 2.0);
        Ok(Self { value: (self.value + other.value) / 2.0, without: without.collect() })
    }

    /// The value with its standard error by the jackknife, √((n−1)/n · Σ(V₍₋ᵢ₎ − mean)²), and a 95 % interval by Student's t
    /// distribution with n − 1 degrees of freedom (Efron & Stein 1981, *The jackknife estimate of variance*).
    pub fn estimate(&self) -> Measured {
        let error = standard_error(self.without.iter().copied());
        let reach = student::quantile_97_5(self.without.len()) * error;
        Measured {
            value: self.value,
            standard_error: finite(error),
            low: finite(self.value - reach),
            high: finite(self.value + reach),
        }
    }

    fn finite(value: f64, without: Vec<f64>) -> Maybe<Self> {
        if !value.is_finite() {
            return Err(Absent::OVERFLOW);
        }
        match without.iter().all(|value| value.is_finite()) {
            true => Ok(Self { value, without }),
            false => Err(Absent::because("without one of its rows, nothing is left of the sum")),
        }
    }
}

/// Why values of two models cannot be held against each other row by row.
pub(super) const DIFFERENT_ROWS: Absent =
    Absent::because("they have different numbers of rows, and a paired difference is over the same rows");

/// The jackknife's standard error of values, each without one row.
pub(super) fn standard_error(without: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let n = without.len() as f64;
    let mean = without.clone().sum::<f64>() / n;
    let squares: f64 = without.map(|value| (value - mean).powi(2)).sum();
    ((n - 1.0) / n * squares).sqrt()
}

#[cfg(test)]
mod tests {
    use unisphere::Uniformity;

    use super::*;

    const T: f64 = 1.5;

    /// Rows of the plane, some of which are crowded.
    fn rows(n: usize) -> Vec<[f64; 2]> {
        let row = |i: usize| [(i * i % 17) as f64 / 9.0, (i * 7 % 5) as f64 / 4.0];
        (0..n).map(row).collect()
    }

    fn kernel(a: [f64; 2], b: [f64; 2]) -> f64 {
        (-T * ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2))).exp()
    }

    /// log of the mean over all pairs, by loops over them.
    fn uniformity(rows: &[[f64; 2]]) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (i, &a) in rows.iter().enumerate() {
            for &b in &rows[..i] {
                sum += kernel(a, b);
                pairs += 1.0;
            }
        }
        f64::ln(sum / pairs)
    }

    fn potentials(rows: &[[f64; 2]]) -> Potentials {
        let others = |i| rows.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, &row)| row);
        let log_sum = |i| others(i).map(|other| kernel(rows[i], other)).sum::<f64>().ln();
        Potentials::of_log_sums(Uniformity { t: T }, (0..rows.len()).map(log_sum).collect()).unwrap()
    }

    fn without<T: Copy>(values: &[T], i: usize) -> Vec<T> {
        [&values[..i], &values[i + 1..]].concat()
    }

    #[test]
    fn each_value_is_that_of_the_other_rows() {
        for n in [3, 4, 23] {
            let rows = rows(n);
            let found = LeaveOneOut::of_uniformity(&potentials(&rows)).unwrap();
            assert!((found.value - uniformity(&rows)).abs() < 1e-14);
            for (i, found) in found.without.iter().enumerate() {
                let expected = uniformity(&without(&rows, i));
                assert!((found - expected).abs() < 1e-13, "{n}, {i}: {found} for {expected}");
            }
            let distances: Vec<_> = rows.iter().map(|row| row[0] + row[1]).collect();
            let found = LeaveOneOut::of_alignment(Alignment { alpha: 3.0 }, &distances).unwrap();
            for (i, found) in found.without.iter().enumerate() {
                let rest = without(&distances, i);
                let expected = rest.iter().map(|value| value.powi(3)).sum::<f64>() / rest.len() as f64;
                assert!((found - expected).abs() < 1e-13, "{n}, {i}: {found} for {expected}");
            }
        }
    }

    /// The jackknife of a mean is its standard error, of which the library has its own formula.
    #[test]
    fn the_error_of_a_mean_is_that_of_the_library() {
        let distances = [0.3, 1.0, 0.7, 0.0, 1.9, 0.4];
        let metric = Alignment { alpha: 2.0 };
        let found = LeaveOneOut::of_alignment(metric, &distances).unwrap().estimate();
        let expected = metric.estimate(&distances);
        for (found, expected) in
            [(found.standard_error.unwrap(), expected.standard_error), (found.high.unwrap(), expected.high)]
        {
            assert!((found / expected - 1.0).abs() < 1e-8, "{found} for {expected}");
        }
    }

    #[test]
    fn what_is_undefined_says_why() {
        let refused = |rows: &[[f64; 2]]| LeaveOneOut::of_uniformity(&potentials(rows)).unwrap_err().reason();
        assert!(refused(&rows(2)).contains("three rows"));
        // Beside that of the first pair, what the far row adds is below the last digit.
        assert!(refused(&[[0.0, 0.0], [1.0, 0.0], [19.0, 0.0]]).contains("nothing is left"));
        assert!(LeaveOneOut::of_alignment(Alignment::default(), &[1.0]).is_err());
        assert_eq!(LeaveOneOut::of_alignment(Alignment { alpha: 300.0 }, &[1e9, 1.0]), Err(Absent::OVERFLOW));
    }
}
