//! The median of several runs.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::{exit::Failure, progress::Display};

const LEAST_RUNS: usize = 3;
const MOST_RUNS: usize = 1000;
/// A run of so long is not repeated: what would disturb it does not matter.
const LONG: Duration = Duration::from_secs(10);
/// Runs of so long have a progress bar; drawing one disturbs those that are shorter.
const VISIBLE: Duration = Duration::from_millis(200);
/// Caches, clocks and threads settle for so long.
const WARM_UP: Duration = Duration::from_millis(100);

pub(super) struct Clock<'a> {
    pub(super) display: &'a Display,
    /// For how long to go on.
    pub(super) budget: Duration,
}

impl Clock<'_> {
    /// Median seconds, and of how many runs. The result of the first one is checked.
    pub(super) fn time<T>(
        &self,
        what: &str,
        work: impl Fn() -> unisphere::Result<T>,
        check: impl FnOnce(T) -> Result<(), Failure>,
    ) -> Result<(f64, usize), Failure> {
        let run = |last: Duration| {
            if last >= VISIBLE {
                self.display.counted(what);
            }
            let start = Instant::now();
            let result = black_box(work()?);
            Ok::<_, Failure>((start.elapsed(), result))
        };
        let (mut last, result) = run(Duration::MAX)?;
        self.display.step(format!("{what}: checking"));
        check(result)?;
        if last >= LONG {
            return Ok((last.as_secs_f64(), 1));
        }
        self.display.step(what);
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            last = run(last)?.0;
        }
        let start = Instant::now();
        let mut runs = Vec::new();
        let enough = |runs: usize| {
            let elapsed = start.elapsed();
            runs == MOST_RUNS || runs > 0 && elapsed >= LONG || runs >= LEAST_RUNS && elapsed >= self.budget
        };
        while !enough(runs.len()) {
            last = run(last)?.0;
            runs.push(last);
        }
        Ok((median(&mut runs).as_secs_f64(), runs.len()))
    }
}

/// Of an even number of runs, the mean of the middle two.
fn median(runs: &mut [Duration]) -> Duration {
    runs.sort();
    let half = runs.len() / 2;
    if runs.len().is_multiple_of(2) { (runs[half - 1] + runs[half]) / 2 } else { runs[half] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts() {
        let median = |runs: &[u64]| {
            let mut runs: Vec<_> = runs.iter().copied().map(Duration::from_nanos).collect();
            median(&mut runs).as_nanos()
        };
        assert_eq!([median(&[5]), median(&[9, 1]), median(&[900, 1, 3])], [5, 5, 3]);
    }
}
