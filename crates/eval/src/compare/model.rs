//! One model: what is measured of its rows, and the numbers that follow.

use unisphere::{Alignment, Points, Potentials, Scaling, Uniformity};

use super::LeaveOneOut;
use crate::{
    data::SetName,
    error::Result,
    estimate::Measured,
    maybe::{Absent, Maybe},
    rounding::{Moved, MovedValue, Rounding},
    rows::listed,
    session::Session,
};

/// What is measured of every model.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ComparePlan {
    /// Whether rows are scaled to unit length.
    pub scaling: Scaling,
    /// The uniformity: its t.
    pub uniformity: Uniformity,
    /// The alignment, where models are pairs of sets: its power.
    pub alignment: Alignment,
}

impl Default for ComparePlan {
    fn default() -> Self {
        Self { scaling: Scaling::Unit, uniformity: Uniformity::default(), alignment: Alignment::default() }
    }
}

/// What is kept of a model's rows: all that a comparison takes of it, a few numbers for each row. Worth keeping in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRows {
    /// Dimensions of the points.
    pub dims: usize,
    /// Of x, the log of each row's sum of exp(−t‖xᵢ−xⱼ‖²) over the other rows.
    pub x: Vec<f64>,
    /// Of the second set, where there is one.
    pub partners: Option<PartnerRows>,
}

/// What is kept of a second set, whose row i is the positive partner of row i of the first.
#[derive(Clone, Debug, PartialEq)]
pub struct PartnerRows {
    /// The log of each row's sum over the other rows of this set.
    pub y: Vec<f64>,
    /// ‖xᵢ−yᵢ‖ of every pair.
    pub distances: Vec<f64>,
}

impl ModelRows {
    /// Measures one set, or two whose rows are positive pairs, each (n, d) with n ≥ 2.
    ///
    /// # Errors
    ///
    /// Those of the engine: sets of different shapes, parameters, the device's own, and
    /// [`Stopped`](unisphere::Error::Stopped).
    pub fn measure(
        plan: &ComparePlan,
        x: &Points,
        y: Option<&Points>,
        session: &mut Session<'_>,
    ) -> Result<Self> {
        let distances = y.map(|y| session.pair_distances(x, y)).transpose()?;
        let mut log_sums = |name, set: &Points| {
            let potentials = session.potentials(name, set, plan.uniformity)?;
            let others = (set.rows() as f64 - 1.0).ln();
            listed(set.rows(), potentials.logs().iter().map(|log| log + others))
        };
        let of_x = log_sums(SetName::X, x)?;
        let partners = match (y, distances) {
            (Some(y), Some(distances)) => Some(PartnerRows { y: log_sums(SetName::Y, y)?, distances }),
            _ => None,
        };
        Ok(Self { dims: x.dims(), x: of_x, partners })
    }

    /// The number of rows of each set.
    pub fn rows(&self) -> usize {
        self.x.len()
    }
}

/// Why one set has no alignment.
const ONE_SET: Absent = Absent::because("it takes positive pairs: two sets");

/// Uniformity of a set by its rows' log sums, and without each of the rows.
fn uniformity(plan: &ComparePlan, log_sums: Vec<f64>) -> Result<(Measured, Maybe<LeaveOneOut>)> {
    let rows = log_sums.len();
    let potentials = Potentials::of_log_sums(plan.uniformity, log_sums)?;
    let measured = Measured::estimated(potentials.estimate(), rows);
    Ok((measured, LeaveOneOut::of_uniformity(&potentials)))
}

/// A value that models are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Alignment of the positive pairs.
    Alignment,
    /// Uniformity: of x where models are one set each, and else the mean of x's and y's.
    Uniformity,
}

impl Metric {
    /// `alignment` or `uniformity`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alignment => "alignment",
            Self::Uniformity => "uniformity",
        }
    }
}

/// The numbers of one model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// Rows of each set.
    pub rows: usize,
    /// Dimensions.
    pub dims: usize,
    /// Alignment, where there are two sets.
    pub alignment: Option<Measured>,
    /// Uniformity of x, or the mean of x's and y's, with its error over the rows of both at once.
    pub uniformity: Measured,
    /// Uniformity of each set, x first, where there are two.
    pub of_sets: Option<[Measured; 2]>,
    /// The value of the uniform distribution on the sphere, which no distribution is below.
    pub floor: Maybe<f64>,
    /// Uniformity's height above it.
    pub gap: Maybe<f64>,
    /// Each metric without each of the rows.
    without: [Maybe<LeaveOneOut>; 2],
}

impl Model {
    /// The numbers that follow from what is known of the rows.
    ///
    /// # Errors
    ///
    /// [`Overflow`](unisphere::Error::Overflow) where double precision cannot hold a value.
    pub fn new(plan: &ComparePlan, rows: ModelRows) -> Result<Self> {
        let (n, dims) = (rows.rows(), rows.dims);
        let (x, of_x) = uniformity(plan, rows.x)?;
        let (alignment, of_alignment, uniformity, of_sets, of_uniformity) = match rows.partners {
            None => (None, Err(ONE_SET), x, None, of_x),
            Some(PartnerRows { y, distances }) => {
                let (y, of_y) = uniformity(plan, y)?;
                let estimate = plan.alignment.estimate(&distances);
                if !estimate.value.is_finite() {
                    return Err(unisphere::Error::Overflow { metric: "alignment" }.into());
                }
                let alignment = Measured::estimated(estimate, n);
                let of_alignment = LeaveOneOut::of_alignment(plan.alignment, &distances);
                let of_mean = of_x.and_then(|of_x| of_x.mean(&of_y?));
                let mean = match &of_mean {
                    Ok(of_mean) => of_mean.estimate(),
                    Err(reason) => Measured::alone((x.value + y.value) / 2.0, *reason),
                };
                (Some(alignment), of_alignment, mean, Some([x, y]), of_mean)
            }
        };
        let floor = match plan.scaling {
            Scaling::Unit => Ok(plan.uniformity.floor(dims)),
            Scaling::Raw => Err(Absent::because("raw points have no floor")),
        };
        Ok(Self {
            rows: n,
            dims,
            alignment,
            gap: floor.map(|floor| uniformity.value - floor),
            uniformity,
            of_sets,
            floor,
            without: [of_alignment, of_uniformity],
        })
    }

    /// How far this rounding of its points may have moved its values, by more than a millionth of the larger of 1 and the value.
    pub fn moved_by_rounding(&self, plan: &ComparePlan, rounding: Rounding) -> Vec<Moved> {
        let told = |&metric: &Metric| {
            let value = match metric {
                Metric::Alignment => MovedValue::Alignment,
                Metric::Uniformity => MovedValue::AnyUniformity,
            };
            let by = self.may_move(plan, rounding, metric);
            Moved::told(value, by, self.measured(metric)?.value)
        };
        self.metrics().iter().filter_map(told).collect()
    }

    /// How far this rounding of its points may have moved a metric, at most; 0 of one that it has not.
    pub fn may_move(&self, plan: &ComparePlan, rounding: Rounding, metric: Metric) -> f64 {
        let of_set = |set, of: &Measured| rounding.of_uniformity(set, plan.uniformity, of.value);
        match (metric, &self.of_sets) {
            (Metric::Alignment, _) => {
                self.alignment.as_ref().map_or(0.0, |of| rounding.of_alignment(plan.alignment, of.value))
            }
            (Metric::Uniformity, Some([x, y])) => (of_set(SetName::X, x) + of_set(SetName::Y, y)) / 2.0,
            (Metric::Uniformity, None) => of_set(SetName::X, &self.uniformity),
        }
    }

    /// The metrics that it has.
    pub fn metrics(&self) -> &'static [Metric] {
        match self.alignment {
            Some(_) => &[Metric::Alignment, Metric::Uniformity],
            None => &[Metric::Uniformity],
        }
    }

    /// A metric with its error; None for alignment of one set.
    pub fn measured(&self, metric: Metric) -> Option<&Measured> {
        match metric {
            Metric::Alignment => self.alignment.as_ref(),
            Metric::Uniformity => Some(&self.uniformity),
        }
    }

    /// A metric without each of the rows.
    pub(super) fn without(&self, metric: Metric) -> Maybe<&LeaveOneOut> {
        let [of_alignment, of_uniformity] = &self.without;
        match metric {
            Metric::Alignment => of_alignment.as_ref().map_err(|reason| *reason),
            Metric::Uniformity => of_uniformity.as_ref().map_err(|reason| *reason),
        }
    }
}
