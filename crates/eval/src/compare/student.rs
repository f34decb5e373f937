//! Student's t distribution, of n − 1 degrees of freedom.

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Degrees of freedom from which on the quantile is that of the normal distribution with two corrections: where the search that finds it
/// elsewhere is too coarse, and these hold to 1e-9.
const MIN_FREEDOM_FOR_SERIES: usize = 2000;
/// z, (z³+z)/4 and (5z⁵+16z³+3z)/96, the factors of 1, 1/ν and 1/ν² (Abramowitz & Stegun 26.7.5), where the normal distribution exceeds z
/// in 2.5 of 100 draws.
const SERIES: [f64; 3] = [1.959_963_984_540_054, 2.372_271_230, 2.822_498_616];

/// What 2.5 of 100 draws exceed: the reach of a 95 % interval from n rows, in standard errors. Infinite for fewer than two.
pub(super) fn quantile_97_5(rows: usize) -> f64 {
    if rows > MIN_FREEDOM_FOR_SERIES {
        let freedom = (rows - 1) as f64;
        return SERIES.iter().rfold(0.0, |sum, term| sum / freedom + term);
    }
    distribution(rows).map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(0.975))
}

/// The share of draws that are at least as far from 0 as `t`, of n rows. 1 for fewer than two.
pub(super) fn two_sided(t: f64, rows: usize) -> f64 {
    distribution(rows).map_or(1.0, |distribution| (2.0 * distribution.sf(t.abs())).min(1.0))
}

fn distribution(rows: usize) -> Option<StudentsT> {
    let freedom = rows.checked_sub(1).filter(|&freedom| freedom > 0)?;
    StudentsT::new(0.0, 1.0, freedom as f64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy 1.17: `scipy.stats.t.ppf(0.975, df)`.
    #[test]
    fn quantiles() {
        for (freedom, expected) in [
            (1, 12.706204736174694),
            (2, 4.302652729749462),
            (5, 2.5705818356363146),
            (30, 2.0422724563012378),
            (199, 1.9719565442517533),
            (4095, 1.9605434621072302),
            (1_000_000, 1.959966356814107),
        ] {
            let found = quantile_97_5(freedom + 1);
            assert!((found / expected - 1.0).abs() < 1e-9, "{freedom}: {found} for {expected}");
        }
        assert_eq!((quantile_97_5(1), quantile_97_5(0)), (f64::INFINITY, f64::INFINITY));
    }

    /// Values of scipy 1.17: `2 * scipy.stats.t.sf(t, df)`.
    #[test]
    fn tails() {
        for (t, freedom, expected) in [
            (0.1, 1, 0.936548965138893),
            (2.0, 3, 0.13932596855884305),
            (2.0, 199, 0.04686000040128382),
            (8.0, 4999, 1.534050902721088e-15),
            (30.0, 4999, 5.72878839173729e-182),
            (5.0, 100_000, 5.742701678641679e-7),
        ] {
            for t in [t, -t] {
                let found = two_sided(t, freedom + 1);
                assert!((found / expected - 1.0).abs() < 1e-9, "{t}, {freedom}: {found} for {expected}");
            }
        }
        assert_eq!((two_sided(0.0, 9), two_sided(3.0, 1)), (1.0, 1.0));
    }
}
