//! How far a value of a sample may be from that of the distribution that it was drawn from.

/// A value of a sample, and an interval that holds the value of the distribution behind it in 95 of 100 samples.
///
/// The rows (or pairs) are taken for independent draws. Where there are too few to tell, the standard error is infinite
/// and the interval everything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value of the sample.
    pub value: f64,
    /// The standard deviation of such values from sample to sample, as estimated from this one.
    pub standard_error: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    /// The quantile of the normal distribution that 2.5 of 100 draws exceed: that of a 95 % interval's upper end.
    pub const NORMAL_QUANTILE_97_5: f64 = 1.959_963_985;

    /// The interval by Student's t distribution with n − 1 degrees of freedom, as far as `range` allows.
    pub(crate) fn new(value: f64, standard_error: f64, n: usize, range: [f64; 2]) -> Self {
        if n < 2 || !standard_error.is_finite() {
            return Self { value, standard_error: f64::INFINITY, low: range[0], high: range[1] };
        }
        let reach = student(n - 1) * standard_error;
        Self {
            value,
            standard_error,
            low: (value - reach).clamp(range[0], range[1]),
            high: (value + reach).clamp(range[0], range[1]),
        }
    }
}

impl Estimate {
    /// The mean of values, with the standard error of a mean and a 95 % interval by Student's t distribution. NaN for none.
    pub(crate) fn of_mean(values: impl Iterator<Item = f64> + Clone, range: [f64; 2]) -> Self {
        let (sum, count) = values.clone().fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        let n = count as f64;
        let mean = sum / n;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Self::new(mean, (variance / n).sqrt(), count, range)
    }
}

/// What Student's t with so many degrees of freedom exceeds in magnitude in 5 of 100 draws.
fn student(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [
        12.706204736,
        4.302652730,
        3.182446305,
        2.776445105,
        2.570581836,
        2.446911851,
        2.364624252,
        2.306004135,
        2.262157163,
        2.228138852,
    ];
    if let Some(&value) = freedom.checked_sub(1).and_then(|i| FEW.get(i)) {
        return value;
    }
    // The normal quantile and its corrections in 1/ν (Abramowitz & Stegun 26.7.5), to 5e-6 from here on.
    const CORRECTIONS: [f64; 5] =
        [Estimate::NORMAL_QUANTILE_97_5, 2.372271230, 2.822498616, 2.555849680, 1.589534053];
    let v = (freedom as f64).recip();
    CORRECTIONS.iter().rfold(0.0, |sum, correction| sum * v + correction)
}
