//! Kernels: functions of two points whose sums over pairs the metrics are made of.

/// A kernel k(x, y) = exp(e(x, y)): its map, and the scale of its exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kernel {
    pub(crate) map: Map,
    /// t of a Gaussian, τ of a logit; positive and finite.
    pub(crate) scale: f64,
}

/// The exponent e of a kernel, as a function of two points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Map {
    /// −t‖x−y‖²: the Gaussian potential.
    Gaussian,
    /// ⟨x, y⟩ / τ: the logit of a softmax.
    Logit,
}

impl Kernel {
    pub(crate) const fn gaussian(t: f64) -> Self {
        Self { map: Map::Gaussian, scale: t }
    }

    pub(crate) const fn logit(tau: f64) -> Self {
        Self { map: Map::Logit, scale: tau }
    }
}

/// The scales of kernels that all have this map; `None` where one has another.
pub(crate) fn scales(kernels: &[Kernel], map: Map) -> Option<Vec<f64>> {
    kernels.iter().map(|kernel| (kernel.map == map).then_some(kernel.scale)).collect()
}
