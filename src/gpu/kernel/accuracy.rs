//! Accuracy of sums over pairs: which arithmetic a sum begins with, and which evidence asks for a finer one.

use crate::{
    accuracy::narrow,
    error::{Error, Result},
    gpu::kernel::{
        exponent::{MAX_RATE, MIN_RATE, PairExponent},
        table::Similarity,
    },
    kernel::Exponent,
    log_sum::LogSumExp,
    points::Scaling,
};

/// Up to so many pairs, rounding has little to average over, and each product is split.
const MAX_PAIRS_FOR_SPLIT_COSINES: u64 = 512 * 512;
/// Beyond this t a handful of close pairs may make the sum, and rounding of their cosines the result.
const MAX_T_FOR_F32_COSINES: f64 = 5.0;
/// The same of cosines from short sums, for sums of a row, in which there is less to average over: τ = 0.07 is below.
const MAX_T_FOR_F32_COSINES_OF_ROWS: f64 = 7.5;

/// Whether pairs are so few.
pub(crate) fn few(count: u64) -> bool {
    count <= MAX_PAIRS_FOR_SPLIT_COSINES
}

impl PairExponent {
    /// The potential of parameter t between `count` pairs of points.
    pub(crate) fn new(scaling: Scaling, count: u64, t: f64) -> Self {
        let similarity = match scaling {
            Scaling::Raw => Similarity::Difference,
            Scaling::Unit if few(count) || t > MAX_T_FOR_F32_COSINES => Similarity::SplitCosine,
            Scaling::Unit => Similarity::Cosine,
        };
        Self { similarity, t }
    }

    /// What is raised to the power of e for sums of single rows or groups, the smallest over so many pairs.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] where f32 cannot hold it.
    pub(crate) fn of_rows(exponent: Exponent, scaling: Scaling, count: u64) -> Result<Self> {
        let (name, value, t) = match exponent {
            Exponent::Gaussian { t } => ("t", t, t),
            Exponent::Logit { tau } if scaling == Scaling::Raw => ("tau", tau, 1.0 / tau),
            Exponent::Logit { tau } => ("tau", tau, 0.5 / tau),
        };
        let similarity = match (scaling, exponent) {
            (Scaling::Raw, Exponent::Gaussian { .. }) => Similarity::Difference,
            (Scaling::Raw, Exponent::Logit { .. }) => Similarity::Product,
            (Scaling::Unit, _) if few(count) || t > MAX_T_FOR_F32_COSINES_OF_ROWS => Similarity::SplitCosine,
            (Scaling::Unit, _) => Similarity::FineCosine,
        };
        let pair_exponent = Self { similarity, t };
        if pair_exponent.raw() && !(MIN_RATE..=MAX_RATE).contains(&pair_exponent.rate()) {
            let expected = "between 1e-29 and 1e29 for raw points on a GPU; rescale them, or use the CPU";
            return Err(Error::Parameter { name, value, expected });
        }
        Ok(pair_exponent)
    }

    /// The same potential with products split, where a sum without shows that the set is too narrow for it.
    pub(crate) fn refined(self, sum: LogSumExp, count: u64) -> Option<Self> {
        let coarse = matches!(self.similarity, Similarity::Cosine | Similarity::FineCosine);
        (coarse && narrow(sum, count, self.t)).then_some(Self { similarity: Similarity::SplitCosine, ..self })
    }

    /// The sum, or an error where t shows in it and f32 cannot hold t. Beyond [`LEAST`] and [`GREATEST`] exponents are
    /// 0 or −∞ as a rule, and it does not show: all weights are 1, or 1 and 0.
    pub(crate) fn settled(self, sum: LogSumExp, count: u64) -> Result<LogSumExp> {
        let rate = self.rate();
        let told = rate < MIN_RATE && sum.sum / (count as f64) < 1.0 - 1e-7
            || rate > MAX_RATE && sum.sum.fract() != 0.0;
        if self.raw() && told {
            let expected =
                "between 1e-37 and 1e29 for raw points like these on a GPU; rescale them, or use the CPU";
            return Err(Error::Parameter { name: "t", value: self.t, expected });
        }
        Ok(sum)
    }
}
