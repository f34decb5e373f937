use crate::{
    backend::Backend,
    error::{Error, Result},
    pairs::Pairs,
    points::{Points, Scaling},
    progress::Watch,
};

/// Parts at most.
const MOST: usize = 65_536;

/// The cosines of all pairs, counted in equal parts of [−1, 1].
pub(crate) fn cosine_histogram(
    backend: &dyn Backend,
    x: &Points,
    bins: usize,
    watch: &Watch<'_>,
) -> Result<Vec<u64>> {
    if !(1..=MOST).contains(&bins) {
        let expected = "between 1 and 65536";
        return Err(Error::Parameter { name: "the number of bins", value: bins as f64, expected });
    }
    if x.scaling() == Scaling::Raw {
        return Err(Error::Raw { metric: "a histogram of cosines" });
    }
    backend.cosine_histogram(Pairs::Within(x), bins, watch)
}
