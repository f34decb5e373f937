//! Axes: where values lie on them, and their ticks.

use crate::number;

/// Ticks of an axis, about.
const TICKS: f64 = 5.0;

/// An axis: its name with its unit, and the values at its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    name: String,
    low: f64,
    high: f64,
    is_log: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis between two values, with round ticks. Where they are equal it is a little wider.
    pub fn linear(name: impl Into<String>, low: f64, high: f64) -> Self {
        let (low, high) = wide(low, high);
        let step = round_step((high - low) / TICKS);
        // As many decimals as the step has.
        let decimals = f64::from(u8::from(is_quarter(step))) - (step * 1.000_001).log10().floor();
        let decimals = decimals.max(0.0) as usize;
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let text = |value: f64| match value.abs() {
            large if large >= 1e5 => number::digits(value),
            _ if decimals > 5 => number::digits(value),
            _ => format!("{:.decimals$}", value + 0.0).replace('-', "−"),
        };
        let ticks = (first..=last).map(|i| i as f64 * step).map(|value| (value, text(value))).collect();
        Self { name: name.into(), low, high, is_log: false, ticks }
    }

    /// The same with ticks at these values.
    #[must_use]
    pub fn with_ticks(self, values: &[f64]) -> Self {
        let ticks = values.iter().map(|&value| (value, number::plain(value))).collect();
        Self { ticks, ..self }
    }

    /// The same with its first tick at this value, such as the first of a count.
    #[must_use]
    pub fn with_first(mut self, value: f64) -> Self {
        let room = (self.high - self.low) / (2.0 * TICKS);
        self.ticks.retain(|(tick, _)| tick - value > room);
        self.ticks.insert(0, (value, number::plain(value)));
        self
    }

    /// An axis from 0 to a little more than a value.
    pub fn from_zero(name: impl Into<String>, high: f64) -> Self {
        let high = if high > 0.0 && high.is_finite() { high * 1.05 } else { 1.0 };
        Self::linear(name, 0.0, high)
    }

    /// A logarithmic axis between two positive values. Its ticks are powers of ten, also 2 and 5 times those where they are few, and
    /// at even steps where even those are.
    pub fn log(name: impl Into<String>, low: f64, high: f64) -> Self {
        let (low, high) = if low < high { (low, high) } else { (low / 2.0, low * 2.0) };
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let decades = f64::from(last - first);
        let every = (decades / (TICKS + 1.0)).ceil().max(1.0) as i32;
        let within = |value: &f64| (low * 0.999..=high * 1.001).contains(value);
        let factors: &[f64] = if decades <= 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let powers = (first..=last).filter(|power| power.rem_euclid(every) == 0);
        let values = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
        let text = |value: f64| match value {
            small if !(1e-3..1e5).contains(&small) => format!("{small:.0e}").replace('-', "−"),
            // Written anew: 0.30000000000000004 is 0.3.
            value => format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').into(),
        };
        let mut ticks: Vec<_> = values.filter(within).map(|value| (value, text(value))).collect();
        if ticks.len() < 3 {
            ticks = Self::linear("", low, high).ticks;
            ticks.retain(|(tick, _)| *tick > 0.0);
        }
        Self { name: name.into(), low, high, is_log: true, ticks }
    }

    /// Its name and unit.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value at its beginning.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The value at its end.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Its ticks, and what is written at them.
    pub fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// The place of a value from 0 at its beginning to 1 at its end; what lies beyond is put at the end.
    pub fn share(&self, value: f64) -> f64 {
        let share = match self.is_log {
            false => (value - self.low) / (self.high - self.low),
            true if value > 0.0 => (value / self.low).ln() / (self.high / self.low).ln(),
            true => 0.0,
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }
}

/// Ends that are apart, and finite.
fn wide(low: f64, high: f64) -> (f64, f64) {
    let finite = |value: f64| if value.is_finite() { value.clamp(-1e300, 1e300) } else { 0.0 };
    let (low, high) = (finite(low), finite(high));
    let least = 1e-6 * low.abs().max(high.abs()).max(1e-6);
    if high - low > least { (low, high) } else { (low - least, low + least) }
}

/// 1, 2, 2.5 or 5 times a power of ten, at least this much.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * power >= step * 0.999);
    factor.unwrap_or(10.0) * power
}

/// Whether a step is 2.5 times a power of ten.
fn is_quarter(step: f64) -> bool {
    let mantissa = step / 10f64.powf(step.log10().floor());
    (mantissa - 2.5).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(&Axis::linear("", 0.0, 2.0)), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(texts(&Axis::linear("", -4.1, 0.0)), ["−4", "−3", "−2", "−1", "0"]);
        assert_eq!(texts(&Axis::linear("", 0.0, 1.2)), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(texts(&Axis::linear("", 0.0, 105.0)), ["0", "25", "50", "75", "100"]);
        assert_eq!(texts(&Axis::log("", 0.1, 10.0)), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(texts(&Axis::log("", 1e-8, 1.0)), ["1e−8", "1e−6", "1e−4", "0.01", "1"]);
    }

    #[test]
    fn whatever_comes_has_a_place() {
        for (low, high) in [(0.0, 0.0), (1.0, 1.0), (f64::NAN, 2.0), (5.0, -5.0), (-1e308, 1e308)] {
            let axis = Axis::linear("", low, high);
            assert!(axis.low() < axis.high() && axis.ticks().len() < 20, "{axis:?}");
            for value in [0.0, f64::NAN, f64::INFINITY, -1.0] {
                assert!((0.0..=1.0).contains(&axis.share(value)));
            }
        }
    }
}
