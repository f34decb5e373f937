//! The kernels: functions of the similarity of two points, whose sums over pairs the metrics are made of.

/// What is raised to the power of e, of a pair of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exponent {
    /// −t‖x−y‖²
    Gaussian { t: f64 },
    /// ⟨x, y⟩ / τ
    Logit { tau: f64 },
}
