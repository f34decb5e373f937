//! Sets that intervals of estimates are judged on, and the judgement.

#[allow(dead_code, reason = "shared with the library's tests, which use more of it")]
#[path = "../../../../tests/support/random.rs"]
pub(crate) mod random;

#[path = "gpu.rs"]
pub(crate) mod gpu;

use unisphere::{Embeddings, Scaling};
use unisphere_io::File;
use unisphere_scale::Interval;

const ROWS: usize = 4096;

/// The number of seeds: few, or as many as `UNISPHERE_SEEDS` says.
pub(crate) fn seeds() -> u64 {
    std::env::var("UNISPHERE_SEEDS")
        .map_or(FEW_SEEDS as u64, |seeds| seeds.parse().expect("a number of seeds"))
}

/// Real sentences: 4096 × 384, some of them twice.
pub(crate) fn verses(translation: &str) -> Embeddings<'static> {
    let path = format!("{}/../../examples/data/verses-{translation}.npy", env!("CARGO_MANIFEST_DIR"));
    File::open(path).and_then(|file| file.embeddings(Scaling::Unit)).expect("the verses")
}

/// Directions that are all alike, and 20 pairs among them that lie close.
pub(crate) fn hidden_pairs(dims: usize) -> Embeddings<'static> {
    let mut values = random::normal(ROWS, dims, 7);
    for pair in 0..20 {
        let (from, to) = (pair * 150, pair * 150 + 77);
        for dim in 0..dims {
            values[to * dims + dim] = values[from * dims + dim] + 0.02 * values[(to + 1) * dims + dim];
        }
    }
    Embeddings::new(random::single(&values), ROWS, dims).expect("good points")
}

pub(crate) fn borrowed<'a>(x: &'a Embeddings<'_>) -> Embeddings<'a> {
    Embeddings::new(x.values(), x.rows(), x.dims()).expect("good points")
}

/// That values are off by no more than chance on average.
pub(crate) fn check_unbiased(what: &str, intervals: &[Interval], exact: f64) {
    let off = || intervals.iter().map(|found| found.value - exact);
    let mean = off().sum::<f64>() / intervals.len() as f64;
    let error = off().map(|off| off * off).sum::<f64>().sqrt() / intervals.len() as f64;
    assert!(mean.abs() < 4.0 * error + 1e-6, "{what}: {mean:e} off on average, ± {error:e}");
}

/// Seeds that are judged where `UNISPHERE_SEEDS` says nothing.
const FEW_SEEDS: usize = 20;

/// That 95 of 100 intervals hold a value: of all, and of the few that a run without `UNISPHERE_SEEDS` has.
pub(crate) fn check_held(what: &str, intervals: &[Interval], exact: f64) {
    for intervals in [&intervals[..intervals.len().min(FEW_SEEDS)], intervals] {
        let held = intervals.iter().filter(|found| found.low <= exact && exact <= found.high).count();
        assert!(20 * held >= 19 * intervals.len(), "{what}: {held} of {} hold {exact}", intervals.len());
    }
}
