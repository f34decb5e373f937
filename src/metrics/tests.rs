//! Formulas over numbers, against closed forms, values of other programs, and simulation.

mod calibration;
mod coverage;
mod estimates;
#[path = "../../tests/support/random.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod random;
mod sampling;
mod significance;
mod spectrum;

/// The lines of a table of numbers that begin with this word, without it.
fn table(word: &str) -> Vec<Vec<f64>> {
    include_str!("../../tests/data/calibration.txt")
        .lines()
        .filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
        .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect())
        .collect()
}

#[track_caller]
fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got:e} for {want:e}, {:e} off", got - want);
}
