//! Sets on a device and in f64, and the formulas over them.

#[path = "../../../tests/support/products.rs"]
mod products;

use std::sync::Arc;

use super::{contexts, values};
use crate::{
    backend::{Backend, GroupPairs},
    device::{Device, DeviceKind},
    error::Result,
    gpu::{
        Gpu,
        device::context::Context,
        points::{
            gather,
            panels::{Source, place},
        },
    },
    kernel::{Kernel, Map},
    log_sum::LogSumExp,
    pairs::Pairs,
    pending::Block as _,
    points::{Embeddings, Points, Scaling},
    precision::Storage,
    progress::Watch,
    weights::{Gradients, Normalizer, PairWeights, PointWeights, RowLogSums},
};

pub(crate) use products::{dot, squared_distance as square};

pub(crate) type Rows = Vec<Vec<f64>>;

/// The backends under test: every adapter, with the limits of WebGPU and with small ones.
pub(crate) fn backends() -> Vec<(Gpu, Arc<Context>)> {
    let backend = |context: Arc<Context>| {
        let device =
            Device { kind: DeviceKind::Gpu, name: "under test".into(), software: true, memory: None };
        (Gpu::new(device, context.clone(), None), context)
    };
    contexts(false).into_iter().map(backend).collect()
}

/// Single calls, as most tests make them.
impl Gpu {
    pub(super) fn total(&self, pairs: Pairs<'_>, t: f64) -> Result<LogSumExp> {
        Ok(self.log_sum(pairs, &[Kernel::gaussian(t)], &watch()).block()?[0])
    }

    pub(super) fn totals(&self, pairs: Pairs<'_>, ts: &[f64]) -> Result<Vec<LogSumExp>> {
        self.log_sum(pairs, &ts.iter().map(|&t| Kernel::gaussian(t)).collect::<Vec<_>>(), &watch()).block()
    }

    pub(super) fn total_with_gradient(&self, pairs: Pairs<'_>, t: f64) -> Result<(LogSumExp, Gradients)> {
        let total = Normalizer::Total { scale: 1.0 };
        let (sums, gradients) = self.gradient(pairs, Kernel::gaussian(t), total, &watch()).block()?;
        Ok((sums.total()?, gradients))
    }

    pub(super) fn rows(
        &self,
        pairs: Pairs<'_>,
        kernel: Kernel,
        weights: Option<PointWeights<'_>>,
    ) -> Result<RowLogSums> {
        Ok(self.row_log_sums(pairs, &[kernel], weights, &watch()).block()?.remove(0))
    }

    pub(super) fn groups(&self, x: &Points, ends: &[usize], t: f64) -> Result<Vec<LogSumExp>> {
        self.group_log_sums(x, ends, Kernel::gaussian(t), GroupPairs::All, &watch()).block()
    }

    pub(super) fn weighted_gradient(
        &self,
        pairs: Pairs<'_>,
        kernel: Kernel,
        weights: PairWeights<'_>,
        into: Option<Gradients>,
    ) -> Result<Gradients> {
        Ok(self.gradient(pairs, kernel, Normalizer::Given { weights, scale: 1.0, into }, &watch()).block()?.1)
    }
}

pub(super) fn watch() -> Watch {
    Watch::new(None, 0)
}

/// Points on a device, and as metrics see them.
pub(crate) struct Set {
    pub(crate) on: Points,
    pub(crate) given: Rows,
    pub(crate) rows: Rows,
    /// As they are stored, within the rounding of unit rows.
    pub(crate) stored: Rows,
}

impl Set {
    pub(crate) fn new(context: &Arc<Context>, given: &[f32], dims: usize, scaling: Scaling) -> Result<Self> {
        let rows = given.len() / dims;
        let embeddings = Embeddings::with_scaling(given, rows, dims, scaling)?;
        let on =
            place(context, Source::Host(&embeddings), (rows, dims), scaling, Storage::F32, None).block()?;
        let given: Rows = given.chunks(dims).map(|row| row.iter().map(|&v| v.into()).collect()).collect();
        let seen = |row: &Vec<f64>| match scaling {
            Scaling::Raw => row.clone(),
            Scaling::Unit => {
                let length = dot(row, row).sqrt();
                row.iter().map(|v| v / length).collect()
            }
        };
        let numbers: Vec<_> = (0..rows).collect();
        let mut stored = Vec::new();
        for part in numbers.chunks(100) {
            let values = gather::read(context, &on, part).block()?;
            stored
                .extend(values.chunks(dims).map(|row| row.iter().map(|&v| f64::from(v)).collect::<Vec<_>>()));
        }
        Ok(Self { on, rows: given.iter().map(seen).collect(), given, stored })
    }

    pub(crate) fn random(
        context: &Arc<Context>,
        (rows, dims): (usize, usize),
        seed: u64,
        scaling: Scaling,
    ) -> Result<Self> {
        // Raw points not so far apart that all digits of f32 go before the point of an exponent.
        let size = if scaling == Scaling::Raw { 0.3 } else { 1.0 };
        let given: Vec<_> = values(rows, dims, seed).iter().map(|v| size * v).collect();
        Self::new(context, &given, dims, scaling)
    }
}

/// Inner products and squared distances of all pairs of rows, for exponents of many kernels.
pub(crate) struct Products(Vec<Vec<(f64, f64)>>);

impl Products {
    pub(crate) fn of(x: &Rows, y: &Rows) -> Self {
        Self(x.iter().map(|a| y.iter().map(|b| (dot(a, b), square(a, b))).collect()).collect())
    }

    /// Exponent of row i of x with row j of y.
    pub(crate) fn exponent(&self, kernel: Kernel, i: usize, j: usize) -> f64 {
        exponent(kernel, self.0[i][j])
    }
}

pub(crate) fn exponent_of(kernel: Kernel, a: &[f64], b: &[f64]) -> f64 {
    exponent(kernel, (dot(a, b), square(a, b)))
}

fn exponent(kernel: Kernel, (dot, square): (f64, f64)) -> f64 {
    match kernel.map {
        Map::Logit => dot / kernel.scale,
        _ => -kernel.scale * square,
    }
}

pub(crate) fn log_sum_exp(exponents: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = exponents.clone().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY { max } else { max + exponents.map(|e| (e - max).exp()).sum::<f64>().ln() }
}

/// Kinds of pairs of two sets of as many rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Within,
    Across,
    Unpaired,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Within, Self::Across, Self::Unpaired];

    pub(crate) fn pairs<'a>(self, x: &'a Set, y: &'a Set) -> Pairs<'a> {
        match self {
            Self::Within => Pairs::Within(&x.on),
            Self::Across => Pairs::Across(&x.on, &y.on),
            Self::Unpaired => Pairs::Unpaired(&x.on, &y.on),
        }
    }

    /// The points on the right.
    pub(crate) fn right<'a>(self, x: &'a Set, y: &'a Set) -> &'a Set {
        if self == Self::Within { x } else { y }
    }

    /// Whether a point has a pair with one on the other side.
    pub(crate) fn joins(self, i: usize, j: usize) -> bool {
        self == Self::Across || i != j
    }

    /// All pairs, once each.
    pub(crate) fn all(self, n: usize, m: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        (0..n).flat_map(move |i| (0..m).map(move |j| (i, j))).filter(move |&(i, j)| match self {
            Self::Within => i < j,
            Self::Across => true,
            Self::Unpaired => i != j,
        })
    }
}

/// The gradient for the rows as given, from that for the rows as metrics see them.
pub(crate) fn through_scaling(set: &Set, gradient: &Rows) -> Rows {
    if set.on.scaling() == Scaling::Raw {
        return gradient.clone();
    }
    let project = |(x, g): (&Vec<f64>, &Vec<f64>)| {
        let (length, along) = (dot(x, x).sqrt(), dot(x, g) / dot(x, x));
        x.iter().zip(g).map(|(x, g)| (g - along * x) / length).collect()
    };
    set.given.iter().zip(gradient).map(project).collect()
}

/// How far a matrix is from the one wanted, of its norm.
pub(crate) fn error(got: &[f32], want: &Rows) -> f64 {
    let want: Vec<f64> = want.iter().flatten().copied().collect();
    assert_eq!(got.len(), want.len());
    let apart: f64 = got.iter().zip(&want).map(|(&g, w)| (f64::from(g) - w).powi(2)).sum();
    apart.sqrt() / dot(&want, &want).sqrt()
}
