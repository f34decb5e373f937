//! The median of several runs.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::{exit::Failure, progress::Display};

const MIN_RUNS: usize = 3;
const MAX_RUNS: usize = 1000;
/// The time from which a run is not repeated: a disturbance is a small part of it.
const SINGLE_RUN_FROM: Duration = Duration::from_secs(10);
/// The time from which a run has a progress bar: drawing one would disturb shorter runs.
const PROGRESS_BAR_FROM: Duration = Duration::from_millis(200);
/// The time for caches, clock rates and threads to settle.
const WARM_UP: Duration = Duration::from_millis(100);

pub(super) struct Clock<'a> {
    pub(super) display: &'a Display,
    /// The time for which runs are repeated.
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
            if last >= PROGRESS_BAR_FROM {
                self.display.counted(what);
            }
            let start = Instant::now();
            let result = black_box(work()?);
            Ok::<_, Failure>((start.elapsed(), result))
        };
        let (mut last, result) = run(Duration::MAX)?;
        self.display.step(format!("{what}: checking"));
        check(result)?;
        if last >= SINGLE_RUN_FROM {
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
            runs == MAX_RUNS
                || runs > 0 && elapsed >= SINGLE_RUN_FROM
                || runs >= MIN_RUNS && elapsed >= self.budget
        };
        while !enough(runs.len()) {
            last = run(last)?.0;
            runs.push(last);
        }
        Ok((median(&mut runs).as_secs_f64(), runs.len()))
    }
}

/// The median; of an even number of runs, the mean of the middle two.
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
