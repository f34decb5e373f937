//! Gradients of sums of maps: the slopes are the pair weights.

use std::{marker::PhantomData, sync::Mutex, sync::PoisonError};

use pulp::Simd;

use crate::{
    cpu::{
        accuracy::Arithmetic,
        block::{
            formula::{Difference, Dot, Formula, Gram},
            mainloop::mainloop,
            map::PairMap,
            pack::Packed,
            table::Table,
        },
        gradient::{
            finish::finish,
            weighted::CentredSums,
            weights::{RoundedWeights, WeightsInTiles},
        },
        pairs::PairSet,
        reduce::mapped::{MapSums, softplus, softplus_exponent},
        simd::isa::Isa,
    },
    error::Result,
    function::FunctionSums,
    progress::Watch,
    schedule::Block,
    weights::Gradients,
};

/// Weights that are the slopes of a map, and the sums of the map over the blocks that were written.
pub(crate) struct MapWeights<F, M> {
    map: M,
    formula: PhantomData<F>,
    /// Sums of each block, by the rows that it begins with.
    sums: Mutex<Vec<((usize, usize), FunctionSums)>>,
}

impl<F, M> MapWeights<F, M> {
    pub(crate) fn new(map: M) -> Self {
        Self { map, formula: PhantomData, sums: Mutex::default() }
    }

    /// Sums over all blocks, in an order that no thread decides.
    pub(crate) fn into_sums(self) -> FunctionSums {
        let mut sums = self.sums.into_inner().unwrap_or_else(PoisonError::into_inner);
        sums.sort_unstable_by_key(|&(at, _)| at);
        sums.into_iter().fold(FunctionSums::default(), |total, (_, sums)| total.and(sums))
    }
}

impl<F: Formula<Real = f64>, M: PairMap<F>> WeightsInTiles<f64> for MapWeights<F, M> {
    #[inline(always)]
    fn fill<S: Simd, const SIDE: usize>(
        &self,
        simd: S,
        pairs: PairSet<'_>,
        block: &Block,
        packed: &mut Packed<f64>,
        out: &mut Table<'_, f64>,
    ) {
        let mut sums = MapSums { map: self.map, sums: FunctionSums::default(), out: Some(out) };
        mainloop::<S, F, SIDE>(simd, pairs, block, packed, &mut sums);
        let at = (block.rows.start, block.cols.start);
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).push((at, sums.sums));
    }
}

/// Σ f(‖x−y‖²) over the pairs, and the gradient of `upstream` times that, added to `into` where given.
pub(crate) fn distance_gradient<M: PairMap<Difference>>(
    isa: Isa,
    pairs: PairSet<'_>,
    map: M,
    upstream: f64,
    into: Option<Gradients>,
    watch: &Watch,
) -> Result<(FunctionSums, Gradients)> {
    let weights = MapWeights::<Difference, _>::new(map);
    let CentredSums { centre, on_x, on_y } = CentredSums::new(isa, pairs, &weights, pairs.centre(), watch)?;
    // A function has its derivatives beside it.
    let (into_x, into_y, by_log_scale) = Gradients::parts(into);
    // ∇ₓf(‖x−y‖²) = −2f′ (y − x)
    let slope = -2.0 * upstream;
    let x = finish(pairs.left(), on_x, &centre, slope, into_x)?.gradient;
    let y = pairs.second().zip(on_y).map(|(rows, on)| Ok(finish(rows, on, &centre, slope, into_y)?.gradient));
    let gradients = Gradients { x, y: y.transpose()?, by_log_scale };
    Ok((FunctionSums { value: weights.into_sums().value, ..FunctionSums::default() }, gradients))
}

/// Σ log(1 + exp(scale · ⟨x, y⟩ + bias)) over the pairs, and the gradient of `upstream` times that.
pub(crate) fn softplus_gradient(
    isa: Isa,
    pairs: PairSet<'_>,
    (scale, bias): (f64, f64),
    upstream: f64,
    into: Option<Gradients>,
    watch: &Watch,
) -> Result<(FunctionSums, Gradients)> {
    let exponent = softplus_exponent(pairs, scale);
    let (mut passes, centre) = (watch.passes(), pairs.centre());
    if exponent.may_be_single(&centre) {
        let map = softplus::<Gram<false>>(exponent, bias);
        let weights = RoundedWeights(MapWeights::<Gram<false>, _>::new(map));
        let centre: Vec<_> = centre.iter().map(|&v| v as f32).collect();
        let sums = CentredSums::new(isa, pairs, &weights, centre, passes.next())?;
        if sums.is_exact(pairs, exponent) {
            return Ok((weights.0.into_sums(), sums.finish(pairs, exponent, upstream, into)?));
        }
    }
    macro_rules! in_double {
        ($formula:ty, $centre:expr, $sums:ident => $finished:expr) => {{
            let weights = MapWeights::<$formula, _>::new(softplus::<$formula>(exponent, bias));
            let $sums = CentredSums::new(isa, pairs, &weights, $centre, passes.next())?;
            Ok((weights.into_sums(), $finished.finish(pairs, exponent, upstream, into)?))
        }};
    }
    match exponent.arithmetic {
        // The gradient of an inner product is the other point itself, and no difference.
        Arithmetic::Dot => in_double!(Dot, vec![0.0; pairs.dims()], sums => sums.without_totals()),
        Arithmetic::Difference => in_double!(Difference, centre, sums => sums),
        _ => in_double!(Gram<false>, centre, sums => sums),
    }
}
