//! The difference of two models over the same rows.

use super::{
    LeaveOneOut,
    leave_one_out::{DIFFERENT_ROWS, standard_error},
    student,
};
use crate::maybe::{Absent, Maybe};

/// The difference of one value between two models over the same rows, with its uncertainty. Below 0, the first model's value is
/// the lower one, which is the better of alignment and of uniformity alike.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PairedDifference {
    /// The first model's value less the second's.
    pub value: f64,
    /// Its standard error, by the jackknife.
    pub standard_error: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often a difference of this size or more comes by chance where there is none, two-sided; of this comparison alone.
    pub p_value: f64,
}

/// Rounding of a leave-one-out value, as a part of it.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

impl PairedDifference {
    /// The difference D = a − b over n rows, by the jackknife: row i is left out of both models at once, so that what rows have in
    /// common in both cancels, which two intervals side by side would count twice.
    ///
    /// With D₍₋ᵢ₎ = a₍₋ᵢ₎ − b₍₋ᵢ₎, the standard error is s = √((n−1)/n · Σ(D₍₋ᵢ₎ − mean)²), the interval D ± t₀.₉₇₅ s, and the p-value
    /// P(|T| ≥ |D|/s), where T has Student's t distribution with n − 1 degrees of freedom. Of a mean, such as alignment, this is
    /// the paired t-test; of uniformity, whose pairs share rows, it holds for many rows (Arvesen 1969, *Jackknifing
    /// U-statistics*). The rows are taken for independent draws. Of points as even as the uniform distribution, rows differ by
    /// chance alone, and the interval is too wide rather than too narrow.
    ///
    /// # Errors
    ///
    /// [`Absent`] for different numbers of rows, and where every row says the same of a difference that is not 0, so that its error
    /// is not known.
    pub fn of(a: &LeaveOneOut, b: &LeaveOneOut) -> Maybe<Self> {
        let rows = a.without.len();
        if rows != b.without.len() {
            return Err(DIFFERENT_ROWS);
        }
        // Zero has one sign.
        let value = a.value - b.value + 0.0;
        let error = standard_error(a.without.iter().zip(&b.without).map(|(a, b)| a - b));
        let rounding = ROUNDING * (rows as f64).sqrt() * (a.value.abs() + b.value.abs());
        if error <= rounding {
            return match value.abs() <= rounding {
                true => Ok(Self { value, standard_error: 0.0, low: value, high: value, p_value: 1.0 }),
                false => Err(Absent::because("all rows say the same, so that its error is not known")),
            };
        }
        let reach = student::quantile_97_5(rows) * error;
        let p_value = student::two_sided(value / error, rows);
        let difference =
            Self { value, standard_error: error, low: value - reach, high: value + reach, p_value };
        let are_finite = [value, error, reach, p_value].into_iter().all(f64::is_finite);
        if are_finite { Ok(difference) } else { Err(Absent::OVERFLOW) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_mean(values: &[f64]) -> LeaveOneOut {
        LeaveOneOut::of_alignment(unisphere::Alignment::new(1.0), values).unwrap()
    }

    /// Values of scipy 1.17: `r = scipy.stats.ttest_rel(a, b)`, `r.pvalue`, and both ends of `r.confidence_interval(0.95)`.
    #[test]
    fn of_means_it_is_the_paired_t_test() {
        let a = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let b = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.12, 1.29];
        let found = PairedDifference::of(&of_mean(&a), &of_mean(&b)).unwrap();
        let expected =
            [0.434_111_111_111_111, 0.015_295_138_677_888, 0.108_273_269_797_014, 0.759_948_952_425_208];
        let found = [found.value, found.p_value, found.low, found.high];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
        }
    }

    #[test]
    fn ends() {
        let (a, b) = (of_mean(&[1.0, 2.0, 4.0]), of_mean(&[2.0, 3.0, 5.0]));
        let same = PairedDifference::of(&a, &a).unwrap();
        assert_eq!((same.value, same.low, same.high, same.p_value), (0.0, 0.0, 0.0, 1.0));
        // All rows differ by 1, but for rounding.
        assert!(PairedDifference::of(&b, &a).is_err());
        assert_eq!(PairedDifference::of(&a, &of_mean(&[1.0, 2.0])), Err(DIFFERENT_ROWS));
        let (ab, ba) = (
            PairedDifference::of(&a, &of_mean(&[2.0, 1.0, 9.0])),
            PairedDifference::of(&of_mean(&[2.0, 1.0, 9.0]), &a),
        );
        let (ab, ba) = (ab.unwrap(), ba.unwrap());
        assert_eq!((ab.value, ab.low, ab.p_value), (-ba.value, -ba.high, ba.p_value));
    }
}
