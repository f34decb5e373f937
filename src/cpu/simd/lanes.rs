//! Sums in f64 that run side by side.

/// Sums side by side: they fill vectors, and none waits for the addition before.
pub(crate) const LANES: usize = 16;

/// Σ term(aᵢ, bᵢ) over lists of one length.
#[inline(always)]
pub(crate) fn sum_of<A: Copy, B: Copy>(a: &[A], b: &[B], term: impl Fn(A, B) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((a, last_a), (b, last_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane], b[lane]);
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(last_a).zip(last_b) {
        *lane += term(a, b);
    }
    lanes.iter().sum()
}
