//! The tail of the gamma distribution.

use libm::{erfc, lgamma};

/// The share of the gamma distribution of this skewness above `z` standard deviations from its mean (Pearson's type III),
/// to 1e-8 of itself; of the normal distribution where the skewness is 0.
pub(crate) fn upper_tail(z: f64, skewness: f64) -> f64 {
    let shape = (2.0 / skewness).powi(2);
    if z.is_nan() || shape.is_nan() {
        f64::NAN
    } else if shape > 1e5 {
        nearly_normal(z, shape)
    } else if shape == 0.0 || z.is_infinite() {
        // All of it next to nothing below the mean.
        if z.is_sign_negative() { 1.0 } else { 0.0 }
    } else {
        let x = shape + z * shape.sqrt();
        match x {
            _ if x <= 0.0 => 1.0,
            _ if x < shape + 1.0 => (1.0 - lower_series(shape, x)).clamp(0.0, 1.0),
            _ => upper_fraction(shape, x),
        }
    }
}

/// x^a e^−x / Γ(a)
fn density(a: f64, x: f64) -> f64 {
    if a < 20.0 {
        return (a * x.ln() - x - lgamma(a)).exp();
    }
    // By Stirling's series, since terms as great as a log a would cancel.
    let r = a.recip();
    let stirling = r / 12.0 - r.powi(3) / 360.0 + r.powi(5) / 1260.0;
    (-a * less_log((x - a) / a) - stirling).exp() * (a / std::f64::consts::TAU).sqrt()
}

/// P(a, x) by its series (DLMF 8.7.1).
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1u32.. {
        term *= x / (a + f64::from(k));
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum * density(a, x) / a
}

/// Q(a, x) by its continued fraction (DLMF 8.9.2), from front to back as Lentz does.
fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::INFINITY, b.recip());
    let mut fraction = d;
    for k in 1u32.. {
        let k = f64::from(k);
        let step = -k * (k - a);
        b += 2.0;
        d = (step * d + b).recip();
        c = b + step / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction * density(a, x)
}

/// The tail at a great shape a (Temme; DLMF 8.12.4): ½ erfc(η√(a/2)) and a correction, with ½η² = μ − log(1+μ), μ = z/√a.
fn nearly_normal(z: f64, a: f64) -> f64 {
    if a == f64::INFINITY {
        return erfc(z / 2f64.sqrt()) / 2.0;
    }
    let mu = z / a.sqrt();
    if mu <= -1.0 {
        return 1.0;
    }
    let eta = (2.0 * less_log(mu)).sqrt().copysign(mu);
    let correction = if eta.abs() < 0.1 {
        [-1.0 / 3.0, 1.0 / 12.0, -2.0 / 135.0, 1.0 / 864.0, 1.0 / 2835.0, -139.0 / 777_600.0]
            .iter()
            .rfold(0.0, |sum, term| sum * eta + term)
    } else {
        mu.recip() - eta.recip()
    };
    let normal = (-a * eta * eta / 2.0).exp() / (std::f64::consts::TAU * a).sqrt();
    erfc(eta * (a / 2.0).sqrt()) / 2.0 + normal * correction
}

/// μ − log(1+μ)
fn less_log(mu: f64) -> f64 {
    if mu.abs() > 0.1 {
        return mu - mu.ln_1p();
    }
    // μ²/2 − μ³/3 + …, which does not cancel.
    (2..20).rev().fold(0.0, |sum, k| f64::from(k).recip() - mu * sum) * mu * mu
}
