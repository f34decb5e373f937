//! The error of the arithmetic: how far a value may be from that of its formula, whatever was summed.

use unisphere::{Engine, Precision, Scaling, Storage};

/// What is made of a mean over pairs.
#[derive(Clone, Copy)]
pub(crate) enum Measure {
    /// Uniformity: the log of the mean of the kernel.
    Log(Rounding),
    /// Squared MMD: the mean of a difference of kernels, and the largest error of the arithmetic.
    Difference { error: f64 },
}

impl Measure {
    pub(crate) fn of(self, mean: f64) -> f64 {
        match self {
            Self::Log(_) => mean.ln(),
            Self::Difference { .. } => mean,
        }
    }

    pub(crate) fn arithmetic(self) -> Arithmetic {
        match self {
            // No kernel is above 1.
            Self::Log(rounding) => Arithmetic { rounding, least: f64::NEG_INFINITY, most: 0.0 },
            Self::Difference { error } => Arithmetic {
                rounding: Rounding { absolute: error, of_value: 0.0 },
                least: f64::NEG_INFINITY,
                most: f64::INFINITY,
            },
        }
    }
}

/// What is known of a value whatever was summed: the largest error of its arithmetic, and the bounds of all values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arithmetic {
    pub(crate) rounding: Rounding,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Arithmetic {
    /// Ends of an interval, wider by the error.
    pub(crate) fn widened(self, [low, high]: [f64; 2]) -> [f64; 2] {
        let low = (low - self.rounding.at(low)).max(self.least);
        [low, (high + self.rounding.at(high)).min(self.most)]
    }
}

/// Largest error of a value in the arithmetic of a device, as `docs/accuracy.md` states it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rounding {
    absolute: f64,
    /// Part of the value, where that is above 1.
    of_value: f64,
}

impl Rounding {
    pub(crate) fn of(engine: &Engine, scaling: Scaling, t: f64) -> Self {
        if scaling == Scaling::Raw {
            return Self { absolute: 1e-5, of_value: 1e-5 };
        }
        let is_coarse = engine.precision() == Precision::F16 || engine.storage() == Storage::F16;
        let absolute = match t {
            _ if is_coarse => 1e-5 * (t / 2.0).max(1.0),
            _ if t <= 5.0 => 1e-6,
            _ => 3e-6 * (t / 50.0).max(1.0),
        };
        Self { absolute, of_value: 0.0 }
    }

    /// Error of the log of a mean.
    pub(crate) fn at(self, value: f64) -> f64 {
        // The log of nothing is exact.
        if value.is_finite() { self.absolute.max(self.of_value * value.abs()) } else { 0.0 }
    }
}
