//! Two sets whose rows are not paired by their numbers, of any numbers of rows: is one distributed as the other? And where rows have
//! labels that both sets share, how close are rows of one label?
//!
//! [`UnpairedPlan`] → two sets on the host → [`UnpairedReport`], every number of it public.

mod permutations;
mod positives;

use rand::{SeedableRng, rngs::ChaCha8Rng};
use unisphere::{
    Alignment, Device, Embeddings, LabelledPairs, Points, Precision, Scaling, SquaredMmd, Storage,
    Uniformity, unordered_pairs,
};

use crate::{
    data::SetName,
    error::Result,
    maybe::{Absent, Maybe},
    rounding::{Moved, MovedValue, Rounding},
    sections::ClosePair,
    session::Session,
};

pub use permutations::PermutationTest;
use permutations::Sample;
pub use positives::PositivesByLabel;

/// Close pairs that are listed at most.
const MAX_LISTED_PAIRS: usize = 1000;

/// What is measured of two sets that are not paired.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnpairedPlan {
    /// Whether rows are scaled to unit length.
    pub scaling: Scaling,
    /// Uniformity's t, each once; the test uses the first. At least one.
    pub ts: Vec<f64>,
    /// The rows of x and y that are positives, where labels say it.
    pub positives: Option<LabelledPairs>,
    /// The alignment of positives.
    pub alignment: Alignment,
    /// The distance up to which rows of both sets are close.
    pub near: Option<f64>,
    /// The number of permutations of the test; 0 stands for no test.
    pub permutations: usize,
    /// What the test's sample and its permutations follow from.
    pub seed: u64,
}

impl Default for UnpairedPlan {
    fn default() -> Self {
        Self {
            scaling: Scaling::Unit,
            ts: vec![2.0],
            positives: None,
            alignment: Alignment::default(),
            near: None,
            permutations: 999,
            seed: 0,
        }
    }
}

/// The numbers that were measured of two sets, and the circumstances.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UnpairedReport {
    /// The device that computed it.
    pub device: Device,
    /// The precision that was asked for products of coordinates.
    pub precision: Precision,
    /// The form in which the device kept coordinates.
    pub storage: Storage,
    /// Rows of x and of y.
    pub rows: [usize; 2],
    /// Dimensions of both.
    pub dims: usize,
    /// Whether rows were scaled to unit length.
    pub scaling: Scaling,
    /// What rounding to f32 has taken of the points, where they had more digits: whoever read them knows it.
    pub rounding: Option<Rounding>,
    /// Seconds of uploads and metrics.
    pub seconds: f64,
    /// The values at each t.
    pub values: Vec<UnpairedRow>,
    /// How close positives by label are, and how well each row finds its own.
    pub positives: Option<PositivesByLabel>,
    /// The test whether both sets have one distribution.
    pub test: Option<PermutationTest>,
    /// Rows of both sets that lie close together.
    pub near: Option<NearAcross>,
}

/// The values of two sets at one t.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UnpairedRow {
    /// Uniformity's t.
    pub t: f64,
    /// Uniformity of x and of y: the U-statistics.
    pub within: [f64; 2],
    /// The log mean over all pairs of a row of x and a row of y.
    pub cross: f64,
    /// Uniformity of both sets together.
    pub pooled: f64,
    /// The squared discrepancy over all pairs, without bias: about 0 where both sets have one distribution.
    pub squared_mmd: f64,
    /// The uniformity of the uniform distribution.
    pub floor: Maybe<f64>,
}

/// Rows of two sets that lie close together.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NearAcross {
    /// The greatest distance of a close pair.
    pub distance: f64,
    /// The number of pairs of a row of x and a row of y that are close.
    pub count: u64,
    /// The first of them in the order of their rows, a thousand at most: `i` is a row of x and `j` one of y.
    pub pairs: Vec<ClosePair>,
}

impl UnpairedReport {
    /// How far rounding to f32 may have moved values, as [`Report::moved_by_rounding`](crate::Report::moved_by_rounding) has it: of
    /// several t, the farthest.
    pub fn moved_by_rounding(&self) -> Vec<Moved> {
        let Some(rounding) = self.rounding else { return Vec::new() };
        let of_values = |told: &dyn Fn(&UnpairedRow, Uniformity) -> Option<Moved>| {
            Moved::farthest(self.values.iter().filter_map(|row| told(row, Uniformity::new(row.t))))
        };
        let of_positives = self.positives.as_ref().and_then(|of| {
            Moved::told(MovedValue::Alignment, rounding.of_alignment(of.metric, of.alignment), of.alignment)
        });
        let of_set = |set: SetName, place: usize| {
            of_values(&|row, metric| {
                let value = row.within[place];
                Moved::told(MovedValue::Uniformity(set), rounding.of_uniformity(set, metric, value), value)
            })
        };
        let all = [
            of_positives,
            of_set(SetName::X, 0),
            of_set(SetName::Y, 1),
            of_values(&|row, metric| {
                let by = rounding.of_cross_uniformity(metric, row.cross);
                Moved::told(MovedValue::CrossUniformity, by, row.cross)
            }),
            of_values(&|row, metric| {
                Moved::told(MovedValue::Pooled, rounding.of_pooled(metric, row.pooled), row.pooled)
            }),
            of_values(&|row, metric| {
                let by = rounding.of_squared_mmd(metric, [row.within[0], row.within[1], row.cross]);
                Moved::told(MovedValue::SquaredMmd, by, row.squared_mmd)
            }),
        ];
        all.into_iter().flatten().collect()
    }

    /// What is there of which no bound of that is known; nothing where no value may have moved so far, bounded or not.
    pub fn without_bound(&self) -> Vec<&'static str> {
        let moves_distances = self.rounding.is_some_and(Rounding::moves_distances);
        if !moves_distances && self.moved_by_rounding().is_empty() {
            return Vec::new();
        }
        let all = [
            ("ranks", self.positives.is_some()),
            ("the modality gap", self.positives.is_some()),
            ("the test", self.test.is_some()),
            ("close pairs", self.near.is_some()),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(what, _)| what).collect()
    }
}

/// Measures two sets that are not paired: x (n, d) and y (m, d), of two rows each at least.
///
/// # Errors
///
/// Those of the engine: sets that do not go together, labels of which a row has no partner, parameters, the device's own, and
/// [`Stopped`](unisphere::Error::Stopped).
pub fn measure(
    plan: &UnpairedPlan,
    x: Embeddings<'_>,
    y: Embeddings<'_>,
    mut session: Session<'_>,
) -> Result<UnpairedReport> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let wants_test = plan.permutations > 0;
    // Before the device takes the points over.
    let sample =
        if wants_test && x.dims() == y.dims() { Some(Sample::draw(&x, &y, &mut rng)?) } else { None };
    let (x, y) = (session.upload_points(x)?, session.upload_points(y)?);
    let values = values(plan, &x, &y, &mut session)?;
    let positives = plan.positives.as_ref();
    let positives =
        positives.map(|pairs| positives::measure(plan.alignment, pairs, &x, &y, &mut session)).transpose()?;
    let near = plan.near.map(|distance| near(distance, &x, &y, &mut session)).transpose()?;
    let test = match (sample, plan.ts.first()) {
        (Some(sample), Some(&t)) => Some(sample.test(t, plan.permutations, &mut rng, &mut session)?),
        _ => None,
    };
    let engine = session.engine();
    Ok(UnpairedReport {
        device: engine.device().clone(),
        precision: engine.precision(),
        storage: engine.storage(),
        rows: [x.rows(), y.rows()],
        dims: x.dims(),
        scaling: plan.scaling,
        rounding: None,
        seconds: session.computing().as_secs_f64(),
        values,
        positives,
        test,
        near,
    })
}

fn values(
    plan: &UnpairedPlan,
    x: &Points,
    y: &Points,
    session: &mut Session<'_>,
) -> Result<Vec<UnpairedRow>> {
    let within_x = session.uniformities(SetName::X, x, &plan.ts)?;
    let within_y = session.uniformities(SetName::Y, y, &plan.ts)?;
    let across = session.cross_uniformities(x, y, &plan.ts)?;
    let pairs = [unordered_pairs(x.rows()), unordered_pairs(y.rows()), x.rows() as u64 * y.rows() as u64];
    let mut rows = Vec::new();
    for (((&t, &of_x), &of_y), &cross) in plan.ts.iter().zip(&within_x).zip(&within_y).zip(&across) {
        let squared_mmd = if SquaredMmd::needs_points(of_x, of_y, cross) {
            session.squared_mmd_across(x, y, t)?
        } else {
            Uniformity::squared_mmd(of_x, of_y, cross)
        };
        let [pairs_x, pairs_y, pairs_across] = pairs;
        let pooled = Uniformity::pooled_value(&[(of_x, pairs_x), (of_y, pairs_y), (cross, pairs_across)]);
        let floor = match plan.scaling {
            Scaling::Unit => Ok(Uniformity { t }.floor(x.dims())),
            Scaling::Raw => Err(Absent::because("raw points have no floor")),
        };
        rows.push(UnpairedRow { t, within: [of_x, of_y], cross, pooled, squared_mmd, floor });
    }
    Ok(rows)
}

fn near(distance: f64, x: &Points, y: &Points, session: &mut Session<'_>) -> Result<NearAcross> {
    let found = session.close_pairs_across(x, y, distance, MAX_LISTED_PAIRS)?;
    let pairs = found.pairs.into_iter().map(|(i, j, distance)| ClosePair { i, j, distance }).collect();
    Ok(NearAcross { distance, count: found.count, pairs })
}
