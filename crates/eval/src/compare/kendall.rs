//! Kendall's correlation of ranks.

/// Kendall's rank correlation τ_b of pairs (xᵢ, yᵢ), from −1 to 1: of the n(n−1)/2 pairs of places, those in which x and y have one
/// order (C), less those in which they have opposite ones (D), over √((n₀−n₁)(n₀−n₂)), where n₀ is their number and n₁ and n₂ are those
/// with equal x and with equal y (Kendall 1945, *The treatment of ties in ranking problems*). None where it is undefined: fewer
/// than two pairs, all x equal, or all y, or a NaN among them.
///
/// Takes O(n log n), by counting the exchanges that sort y (Knight 1966). Where one list is longer, its rest has no part.
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    // Zero has one sign.
    let mut pairs: Vec<[f64; 2]> = x.iter().zip(y).map(|(x, y)| [x + 0.0, y + 0.0]).collect();
    if pairs.as_flattened().iter().any(|value| value.is_nan()) {
        return None;
    }
    pairs.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let all = pairs_of(pairs.len());
    let equal_x = ties(&pairs, |a, b| a[0] == b[0]);
    let equal_both = ties(&pairs, |a, b| a == b);
    let mut y: Vec<f64> = pairs.iter().map(|pair| pair[1]).collect();
    let opposite = sort_counting(&mut y);
    let equal_y = ties(&y, |a, b| a == b);
    if all == equal_x || all == equal_y {
        return None;
    }
    let difference = (all + equal_both - equal_x - equal_y) as f64 - 2.0 * opposite as f64;
    // One root of both, which is exact where both are equal.
    let tau = difference / ((all - equal_x) as f64 * (all - equal_y) as f64).sqrt();
    Some(tau.clamp(-1.0, 1.0))
}

fn pairs_of(count: usize) -> u64 {
    count as u64 * (count as u64).saturating_sub(1) / 2
}

/// The pairs of equal values, of values in order.
fn ties<T>(values: &[T], are_equal: impl Fn(&T, &T) -> bool) -> u64 {
    values.chunk_by(are_equal).map(|equal| pairs_of(equal.len())).sum()
}

/// Sorts values, and counts the pairs that were in the wrong order.
fn sort_counting(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut wrong = sort_counting(left) + sort_counting(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (&*left, &*right);
    while let ([l, rest_of_left @ ..], [r, rest_of_right @ ..]) = (left, right) {
        if r < l {
            wrong += left.len() as u64;
            merged.push(*r);
            right = rest_of_right;
        } else {
            merged.push(*l);
            left = rest_of_left;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    values.copy_from_slice(&merged);
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula, by loops over all pairs.
    fn counted(x: &[f64], y: &[f64]) -> f64 {
        let (mut sum, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
        let sign = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).signum() };
        for i in 0..x.len() {
            for j in 0..i {
                let (by_x, by_y) = (sign(x[i], x[j]), sign(y[i], y[j]));
                sum += by_x * by_y;
                of_x += by_x * by_x;
                of_y += by_y * by_y;
            }
        }
        sum / f64::sqrt(of_x * of_y)
    }

    #[test]
    fn as_counted() {
        for (n, kinds) in [(2, 1009), (7, 3), (50, 6), (51, 1009), (333, 40)] {
            let value = |i: usize, factor: usize| (i * factor % 1009 % kinds) as f64 - 2.0;
            let x: Vec<_> = (0..n).map(|i| value(i + 1, 331)).collect();
            let y: Vec<_> = (0..n).map(|i| value(i + 1, 577) + value(i + 1, 331)).collect();
            let (found, expected) = (kendall(&x, &y).unwrap(), counted(&x, &y));
            assert!((found - expected).abs() < 1e-13, "{n}, {kinds}: {found} for {expected}");
        }
        // More pairs are equal in x or in y than there are pairs.
        let (x, y) = ([1.0, 1.0, 1.0, 1.0, 2.0], [2.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((kendall(&x, &y).unwrap() - counted(&x, &y)).abs() < 1e-13);
    }

    #[test]
    fn ends_and_what_is_undefined() {
        let x = [1.0, 2.0, 5.0, 9.0];
        assert_eq!((kendall(&x, &x), kendall(&x, &x.map(|x| -x))), (Some(1.0), Some(-1.0)));
        assert_eq!((kendall(&x, &[3.0; 4]), kendall(&[0.0, -0.0], &[1.0, 2.0])), (None, None));
        assert_eq!((kendall(&[1.0, f64::NAN], &[1.0, 2.0]), kendall(&[], &[])), (None, None));
        assert_eq!(kendall(&[1.0], &[1.0]), None);
    }
}
