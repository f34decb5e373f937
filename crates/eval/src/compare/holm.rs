//! p-values of several comparisons.

/// p-values corrected for their number (Holm 1979, *A simple sequentially rejective multiple test procedure*), each in the place
/// of its own: of m, the kth smallest becomes the greatest of min(1, (m−j+1) p₍ⱼ₎) over j ≤ k. Where every value below 0.05 is taken
/// for a difference, one or more of them is false in at most 5 of 100 comparisons, however they depend on each other.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut greatest = 0.0f64;
    for (smaller, &place) in order.iter().enumerate() {
        let left = (p_values.len() - smaller) as f64;
        greatest = greatest.max((left * p_values[place]).min(1.0));
        corrected[place] = greatest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of R's `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`, by hand: 4 × 0.005, 3 × 0.01, 2 × 0.03, and 0.04 raised to 0.06.
    #[test]
    fn in_their_places() {
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-15, "{found} for {expected}");
        }
        assert_eq!(holm(&[0.6, 0.5]), [1.0, 1.0]);
        assert_eq!((holm(&[0.02]), holm(&[])), (vec![0.02], vec![]));
    }
}
