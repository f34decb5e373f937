//! Sums of exponentials that neither overflow nor vanish.

/// A sum of exponentials Σ exp(eᵢ), kept as its largest exponent and the rest scaled by it:
/// `sum · exp(max)`.
///
/// [`combine`](Self::combine) with [`EMPTY`](Self::EMPTY) is a commutative monoid, so that tiles, blocks and
/// devices merge the same way. The shaders' `TileSum` is the same in single precision, with a similarity for an exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSumExp {
    /// The largest exponent, or the exponent that the rest is scaled by.
    pub max: f64,
    /// Σ exp(eᵢ − max).
    pub sum: f64,
}

impl LogSumExp {
    /// The sum of nothing.
    pub const EMPTY: Self = Self { max: f64::NEG_INFINITY, sum: 0.0 };

    /// exp(`exponent`).
    pub fn from_exponent(exponent: f64) -> Self {
        Self { max: exponent, sum: 1.0 }
    }

    /// The sum of both.
    #[must_use]
    pub fn combine(self, other: Self) -> Self {
        if self.sum == 0.0 {
            return other;
        }
        if other.sum == 0.0 {
            return self;
        }
        let max = self.max.max(other.max);
        Self { max, sum: self.sum * (self.max - max).exp() + other.sum * (other.max - max).exp() }
    }

    /// log Σ exp(eᵢ): −∞ for the sum of nothing.
    pub fn log(self) -> f64 {
        if self.sum == 0.0 { f64::NEG_INFINITY } else { self.max + self.sum.ln() }
    }

    /// The log of the mean over `count` terms.
    pub fn log_mean(self, count: u64) -> f64 {
        // The quotient first: where all terms are equal it is 1 and the result their exponent, exactly.
        if self.sum == 0.0 { f64::NEG_INFINITY } else { self.max + (self.sum / count as f64).ln() }
    }
}

/// log(eᵃ + eᵇ), where −∞ stands for nothing.
pub(crate) fn log_add(a: f64, b: f64) -> f64 {
    let max = a.max(b);
    if max == f64::NEG_INFINITY { max } else { max + ((a.min(b) - max).exp()).ln_1p() }
}

impl FromIterator<LogSumExp> for LogSumExp {
    fn from_iter<I: IntoIterator<Item = LogSumExp>>(sums: I) -> Self {
        sums.into_iter().fold(Self::EMPTY, Self::combine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monoid_at_any_magnitude() {
        let exponents = [-1e6, 3.0, 700.0, 1e6, 1e6 - 1.0];
        let terms = exponents.map(LogSumExp::from_exponent);
        let left: LogSumExp = terms.into_iter().collect();
        let right = terms.into_iter().rev().fold(LogSumExp::EMPTY, |sum, term| term.combine(sum));
        let expected = 1e6 + (1.0 + (-1.0f64).exp()).ln();
        assert!((left.log() - expected).abs() < 1e-9 && (right.log() - expected).abs() < 1e-9);
        assert_eq!(LogSumExp::EMPTY.combine(LogSumExp::EMPTY), LogSumExp::EMPTY);
        assert_eq!(LogSumExp::EMPTY.log(), f64::NEG_INFINITY);
        assert_eq!(LogSumExp { max: 0.0, sum: 3.0 }.log_mean(3), 0.0);
    }
}
