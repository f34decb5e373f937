//! Several views of the same rows: V sets, of which row i is always of the same thing, such as crops of one image, or one item as an
//! image, a text and a sound.
//!
//! [`ViewsPlan`] → the views on a device → [`ViewsReport`], every number of it public.

use unisphere::{Alignment, Device, Points, Precision, Scaling, Storage, Uniformity};

use crate::{
    error::{Error, Result},
    estimate::Measured,
    maybe::{Absent, Maybe},
    rounding::{Moved, MovedValue, Rounding},
    rows::listed,
    session::Session,
};

/// What is measured of several views.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewsPlan {
    /// Whether rows are scaled to unit length.
    pub scaling: Scaling,
    /// Alignment's power.
    pub alignment: Alignment,
    /// Uniformity's t, each once. At least one; each takes a pass over the pairs of every view.
    pub ts: Vec<f64>,
}

impl Default for ViewsPlan {
    fn default() -> Self {
        Self { scaling: Scaling::Unit, alignment: Alignment::default(), ts: vec![2.0] }
    }
}

/// The numbers that were measured of several views, and the circumstances.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ViewsReport {
    /// The device that computed it.
    pub device: Device,
    /// The precision that was asked for products of coordinates.
    pub precision: Precision,
    /// The form in which the device kept coordinates.
    pub storage: Storage,
    /// How many views there are.
    pub views: usize,
    /// Rows of each.
    pub rows: usize,
    /// Dimensions of each.
    pub dims: usize,
    /// Whether rows were scaled to unit length.
    pub scaling: Scaling,
    /// What rounding to f32 has taken of the points, where they had more digits: x and y are any two views. Whoever read them knows it.
    pub rounding: Option<Rounding>,
    /// Seconds of uploads and metrics.
    pub seconds: f64,
    /// Alignment over the pairs of views.
    pub alignment: ViewsAlignment,
    /// Uniformity of the views, at each t.
    pub uniformity: Vec<ViewsUniformity>,
}

impl ViewsReport {
    /// How far rounding to f32 may have moved values, as [`Report::moved_by_rounding`](crate::Report::moved_by_rounding) has it: of
    /// several views, pairs of them and t, the farthest.
    pub fn moved_by_rounding(&self) -> Vec<Moved> {
        let Some(rounding) = self.rounding else { return Vec::new() };
        let of_alignment = |value| rounding.of_alignment(self.alignment.metric, value);
        let of_pairs = self.alignment.pairs.iter().map(|pair| pair.measured.value);
        let of_pairs = of_pairs
            .filter_map(|value| Moved::told(MovedValue::Alignment, of_alignment(value), value))
            .collect::<Vec<_>>();
        let of_views = self.uniformity.iter().flat_map(|row| {
            let metric = Uniformity::new(row.t);
            row.views.iter().filter_map(move |of| {
                let by = rounding.of_pooled(metric, of.value);
                Moved::told(MovedValue::AnyUniformity, by, of.value)
            })
        });
        let of_mean = of_alignment(self.alignment.mean.value);
        let of_losses = self.uniformity.iter().filter_map(|row| {
            // No bound of a mean is above that of the farthest.
            let of_view = |of: &Measured| rounding.of_pooled(Uniformity::new(row.t), of.value);
            let by = of_mean + row.views.iter().map(of_view).fold(0.0, f64::max);
            Moved::told(MovedValue::Loss, by, row.loss)
        });
        let all = [Moved::farthest(of_pairs), Moved::farthest(of_views), Moved::farthest(of_losses)];
        all.into_iter().flatten().collect()
    }
}

/// Alignment of each two views, and of all.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ViewsAlignment {
    /// The alignment that was measured: its power.
    pub metric: Alignment,
    /// The mean over the V(V−1)/2 pairs of views. Rows are the independent draws, each with its mean over the pairs, of which
    /// the standard error is.
    pub mean: Measured,
    /// Each pair of views, in the order of the views.
    pub pairs: Vec<PairAlignment>,
}

/// Alignment of two views.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PairAlignment {
    /// The numbers of the views, from 0, the lesser first.
    pub views: [usize; 2],
    /// The value.
    pub measured: Measured,
}

/// Uniformity of the views at one t.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ViewsUniformity {
    /// Uniformity's t.
    pub t: f64,
    /// That of each view: the U-statistic.
    pub views: Vec<Measured>,
    /// Their mean.
    pub mean: f64,
    /// The value of the uniform distribution on the sphere.
    pub floor: Maybe<f64>,
    /// The paper's loss: the mean alignment and this mean.
    pub loss: f64,
}

/// Measures two views or more, each (n, d), of two rows at least.
///
/// # Errors
///
/// [`Error::FewViews`], and those of the engine: views of different shapes, parameters, the device's own, and
/// [`Stopped`](unisphere::Error::Stopped).
pub fn measure(plan: &ViewsPlan, views: &[Points], mut session: Session<'_>) -> Result<ViewsReport> {
    let [first, _, ..] = views else { return Err(Error::FewViews { given: views.len() }) };
    let alignment = alignment(plan.alignment, views, &mut session)?;
    let uniformity = plan.ts.iter().map(|&t| uniformity(plan, t, alignment.mean.value, views, &mut session));
    let uniformity = uniformity.collect::<Result<_>>()?;
    let engine = session.engine();
    Ok(ViewsReport {
        device: engine.device().clone(),
        precision: engine.precision(),
        storage: engine.storage(),
        views: views.len(),
        rows: first.rows(),
        dims: first.dims(),
        scaling: plan.scaling,
        rounding: None,
        seconds: session.computing().as_secs_f64(),
        alignment,
        uniformity,
    })
}

fn alignment(metric: Alignment, views: &[Points], session: &mut Session<'_>) -> Result<ViewsAlignment> {
    let rows = views.first().map_or(0, Points::rows);
    // Σ ‖x−y‖^α over the pairs of views of each row.
    let mut sums = listed(rows, std::iter::repeat_n(0.0, rows))?;
    let mut pairs = Vec::new();
    for (i, x) in views.iter().enumerate() {
        for (j, y) in views.iter().enumerate().skip(i + 1) {
            let distances = session.pair_distances(x, y)?;
            for (sum, distance) in sums.iter_mut().zip(&distances) {
                *sum += distance.powf(metric.alpha);
            }
            let mut estimate = metric.estimate(&distances);
            if !estimate.value.is_finite() {
                // The engine may hold the value, or says what to do.
                estimate.value = session.alignment(x, y, metric)?;
            }
            pairs.push(PairAlignment { views: [i, j], measured: Measured::estimated(estimate, rows) });
        }
    }
    sums.iter_mut().for_each(|sum| *sum /= pairs.len() as f64);
    // A mean of numbers, one a row.
    let mut estimate = Alignment::new(1.0).estimate(&sums);
    if !estimate.value.is_finite() {
        estimate.value = mean(pairs.iter().map(|pair| pair.measured.value));
    }
    Ok(ViewsAlignment { metric, mean: Measured::estimated(estimate, rows), pairs })
}

fn uniformity(
    plan: &ViewsPlan,
    t: f64,
    alignment: f64,
    views: &[Points],
    session: &mut Session<'_>,
) -> Result<ViewsUniformity> {
    let metric = Uniformity { t };
    let mut values = Vec::new();
    for (view, points) in views.iter().enumerate() {
        // Potentials, which tell the uncertainty too, are sums in single precision.
        values.push(if session.engine().precision() == Precision::F32 {
            Measured::estimated(session.potentials_of_view(view, points, metric)?.estimate(), points.rows())
        } else {
            let value = session.uniformity_of_view(view, points, metric)?;
            Measured::alone(value, Absent::because("it takes the precision f32"))
        });
    }
    let mean = mean(values.iter().map(|of| of.value));
    let floor = match (plan.scaling, views) {
        (Scaling::Unit, [view, ..]) => Ok(metric.floor(view.dims())),
        _ => Err(Absent::because("raw points have no floor")),
    };
    Ok(ViewsUniformity { t, views: values, mean, floor, loss: alignment + mean })
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}
