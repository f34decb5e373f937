//! Correlation of ranks.

use super::Estimate;
use crate::{
    error::{Error, Result},
    memory::{filled, reserved},
};

/// The least number of pairs of whose correlation an interval is known.
const MIN_PAIRS_FOR_INTERVAL: usize = 4;

/// Spearman's rank correlation ρ of pairs (xᵢ, yᵢ), from −1 to 1: Pearson's correlation of their ranks, where equal values have the
/// mean of the ranks that they take up together. None where it is undefined: all x are equal, or all y, or one of them is NaN.
///
/// The interval takes the pairs for independent draws: by Fisher's z = artanh ρ, with the variance (1 + ρ²/2)/(n − 3) (Bonett &
/// Wright 2000, *Sample size requirements for estimating Pearson, Kendall and Spearman correlations*, Psychometrika 65:23–28); the
/// standard error is (1 − ρ²) times that of z. Of fewer than four pairs, and where ρ is 1 or −1, nothing is known of either.
///
/// ```
/// let rho = unisphere::spearman(&[0.1, 0.2, 0.3, 0.9], &[1.0, 3.0, 2.0, 5.0])?;
/// assert_eq!(rho.map(|rho| rho.value), Some(0.8));
/// # Ok::<(), unisphere::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Mismatch`] where there are more of one than of the other; [`Error::OutOfMemory`] where there is none for their ranks.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Option<Estimate>> {
    let n = x.len();
    if n != y.len() {
        let what = "a correlation pairs value i of one list with value i of the other";
        let (left_rows, right_rows) = (n, y.len());
        return Err(Error::Mismatch { what, left_rows, left_dims: 1, right_rows, right_dims: 1 });
    }
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return Ok(None);
    }
    let (x, y) = (centred_ranks(x)?, centred_ranks(y)?);
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (of_x, of_y) = (sum(&x, &x), sum(&y, &y));
    if of_x == 0.0 || of_y == 0.0 {
        return Ok(None);
    }
    let rho = (sum(&x, &y) / (of_x * of_y).sqrt()).clamp(-1.0, 1.0);
    if n < MIN_PAIRS_FOR_INTERVAL || rho.abs() == 1.0 {
        let standard_error = f64::INFINITY;
        return Ok(Some(Estimate { value: rho, standard_error, low: -1.0, high: 1.0 }));
    }
    let of_z = ((1.0 + rho * rho / 2.0) / (n as f64 - 3.0)).sqrt();
    let end = |quantile: f64| (rho.atanh() + quantile * of_z).tanh();
    Ok(Some(Estimate {
        value: rho,
        standard_error: (1.0 - rho * rho) * of_z,
        low: end(-Estimate::NORMAL_QUANTILE_97_5),
        high: end(Estimate::NORMAL_QUANTILE_97_5),
    }))
}

/// The rank of each value less the mean of all ranks, where equal values have the mean of theirs: multiples of a half, which are exact.
fn centred_ranks(values: &[f64]) -> Result<Vec<f64>> {
    let n = values.len();
    let what = || format!("the ranks of {n} values");
    let (mut order, mut ranks) = (reserved(n, 1, what)?, filled(0.0, n, 1, what)?);
    // Zero has one sign.
    let value = |&i: &usize| values[i] + 0.0;
    order.extend(0..n);
    order.sort_unstable_by(|a, b| value(a).total_cmp(&value(b)));
    let mut before = 0;
    for equal in order.chunk_by(|a, b| value(a) == value(b)) {
        // Twice the mean of the ranks from `before` on, less twice that of 0 to n − 1.
        let twice = (2 * before + equal.len()) as f64 - n as f64;
        equal.iter().for_each(|&i| ranks[i] = twice / 2.0);
        before += equal.len();
    }
    Ok(ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rho(x: &[f64], y: &[f64]) -> Option<f64> {
        spearman(x, y).unwrap().map(|rho| rho.value)
    }

    /// The rank of each value by counting, in pairs of loops: those below, half of those equal to it, and a half.
    fn counted(values: &[f64]) -> Vec<f64> {
        let rank = |v: &f64| {
            let below = values.iter().filter(|other| *other < v).count() as f64;
            let equal = values.iter().filter(|other| *other == v).count() as f64;
            below + (equal + 1.0) / 2.0
        };
        values.iter().map(rank).collect()
    }

    fn pearson(x: &[f64], y: &[f64]) -> f64 {
        let n = x.len() as f64;
        let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
        for (a, b) in x.iter().zip(y) {
            xy += (a - mx) * (b - my);
            xx += (a - mx).powi(2);
            yy += (b - my).powi(2);
        }
        xy / (xx * yy).sqrt()
    }

    /// Values and interval that the R package statpsych documents for `ci.spear(.05, y, x)`, whose x has a tie.
    #[test]
    fn as_published() {
        let y = [21.0, 4.0, 9.0, 12.0, 35.0, 18.0, 10.0, 22.0, 24.0, 1.0, 6.0, 8.0, 13.0, 16.0, 19.0];
        let x = [67.0, 28.0, 30.0, 28.0, 52.0, 40.0, 25.0, 37.0, 44.0, 10.0, 14.0, 20.0, 28.0, 40.0, 51.0];
        let found = spearman(&x, &y).unwrap().unwrap();
        let expected = [0.869_963_9, 0.082_413_26, 0.584_095_1, 0.963_829_7];
        for (found, expected) in
            [found.value, found.standard_error, found.low, found.high].into_iter().zip(expected)
        {
            assert!((found - expected).abs() < 1e-7, "{found} for {expected}");
        }
    }

    #[test]
    fn ranks_are_counted() {
        for (n, kinds) in [(2, 2), (7, 3), (50, 6), (50, 1000), (333, 40)] {
            let value = |i: usize, factor: usize| (i * factor % 1009 % kinds) as f64 - 2.0;
            let x: Vec<_> = (0..n).map(|i| value(i, 331)).collect();
            let y: Vec<_> = (0..n).map(|i| value(i, 577) + value(i, 331)).collect();
            let expected = pearson(&counted(&x), &counted(&y));
            let found = rho(&x, &y).unwrap();
            assert!((found - expected).abs() < 1e-13, "{n}, {kinds}: {found} for {expected}");
            // Any increasing function of either leaves it as it is, and a decreasing one turns its sign.
            let bent: Vec<_> = x.iter().map(|x| -x.powi(3)).collect();
            assert_eq!(rho(&bent, &y), Some(-found));
        }
    }

    #[test]
    fn ends_and_what_is_undefined() {
        let x = [1.0, 2.0, 5.0, 9.0];
        assert_eq!((rho(&x, &x), rho(&x, &x.map(|x| -x))), (Some(1.0), Some(-1.0)));
        let certain = spearman(&x, &x).unwrap().unwrap();
        assert_eq!((certain.standard_error, certain.low, certain.high), (f64::INFINITY, -1.0, 1.0));
        assert_eq!(rho(&x, &[3.0; 4]), None);
        assert_eq!(rho(&[0.0, -0.0], &[1.0, 2.0]), None);
        assert_eq!(rho(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!((rho(&[], &[]), rho(&[1.0], &[1.0])), (None, None));
        assert_eq!(rho(&[f64::INFINITY, 0.0, -1.0], &[3.0, 2.0, 1.0]), Some(1.0));
        let three = spearman(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]).unwrap().unwrap();
        assert_eq!((three.value, three.standard_error), (0.5, f64::INFINITY));
        assert!(matches!(spearman(&[1.0], &[]), Err(Error::Mismatch { left_rows: 1, right_rows: 0, .. })));
    }
}
