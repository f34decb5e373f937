//! What figures show beside the other sections: the points in two dimensions, their angles, finer cosines, how potentials are
//! distributed, and a curve of uniformity. Histograms are of all rows and pairs; points that are drawn one by one are bounded.

use statrs::function::{beta::beta_reg, erf::erfc};
use unisphere::{Potentials, Scaling};

use super::{histograms::Histogram, sweep::CurvePoint};
use crate::{
    data::SetName,
    drawn::{Drawn, GroupAngles, HALF_TURN, RowGroups, ShownRow},
    error::Result,
    maybe::{Absent, Maybe},
    projection::{Projected, Projection},
    shadow::{Axes, Lengths, Shadow},
    work::{Work, WorkingSet},
};

/// Parts of the histogram of potentials, and its width where all are equal.
const POTENTIALS: usize = 50;
const MIN_WIDTH: f64 = 0.01;

const RAW: Absent = Absent::because("raw points lie on no circle");
const IN_PIECES: Absent = Absent::because("it is not measured of points that are read in pieces");
const NO_POTENTIALS: Absent = Absent::because("not all potentials are finite");

/// What figures show beside the other sections.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Figures {
    /// Uniformity over t.
    pub curve: Vec<CurvePoint>,
    /// The mean of ‖x−y‖ over the pairs of the histogram of distances, where there are two sets.
    pub mean_distance: Option<f64>,
    /// Each set's.
    pub sets: Vec<SetFigures>,
}

/// What figures show of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetFigures {
    /// The set.
    pub set: SetName,
    /// The lengths of the rows as they were given.
    pub lengths: Maybe<Lengths>,
    /// The axes that points are shown in.
    pub axes: Maybe<Axes>,
    /// The share of all variance that these axes show.
    pub variance: Maybe<f64>,
    /// Rows that are drawn: all, or as many as are drawn at most, at random, in their order.
    pub shown: Maybe<Vec<ShownRow>>,
    /// The angles of all rows in these axes, in degrees from −180 to 180.
    pub angles: Maybe<Histogram>,
    /// The same of the largest groups, the largest first, where rows have labels.
    pub angles_of_groups: Vec<GroupAngles>,
    /// The cosines of all pairs i < j, in 400 parts.
    pub cosines: Maybe<Histogram>,
    /// The share of each of these parts where points are uniform on the sphere.
    pub uniform_cosines: Vec<f64>,
    /// The potentials of all rows, log mean exp(−t‖x−x′‖²) over the other rows, from the least to the greatest.
    pub potentials: Maybe<Histogram>,
}

pub(crate) fn measure(
    work: &Work<'_>,
    curve: Vec<CurvePoint>,
    fine_cosines: Vec<Maybe<Histogram>>,
) -> Result<Option<Figures>> {
    if !work.plan.figures {
        return Ok(None);
    }
    let mean = |distances: Vec<f64>| distances.iter().sum::<f64>() / distances.len() as f64;
    let mean_distance = work.counted_distances()?.map(mean);
    let groups = work.labels.as_deref().map(RowGroups::new).transpose()?;
    let (scaling, dims) = (work.plan.scaling, work.dims());
    let sets = work.sets.iter().zip(fine_cosines);
    let sets =
        sets.filter_map(|(set, cosines)| of_set(set, groups.as_ref(), scaling, dims, cosines)).collect();
    Ok(Some(Figures { curve, mean_distance, sets }))
}

fn of_set(
    set: &WorkingSet,
    groups: Option<&RowGroups<'_>>,
    scaling: Scaling,
    dims: usize,
    cosines: Maybe<Histogram>,
) -> Option<SetFigures> {
    let Shadow { lengths, axes, variance, points } = set.shadow.as_ref()?;
    let drawn = points.as_ref().map_err(|reason| *reason).map(|points| {
        let mut drawn = Drawn::new(points.len(), groups);
        points.iter().for_each(|&point| drawn.add(point));
        drawn
    });
    let mut figures = SetFigures::of_pairs(set.name, dims, cosines, set.potentials.as_ref());
    (figures.lengths, figures.axes, figures.variance) = (Ok(*lengths), Ok(*axes), *variance);
    figures.put(drawn, scaling);
    Some(figures)
}

/// The share of uniform points in each part of a histogram of cosines; none where there is no such histogram or no sphere.
fn uniform_beside(cosines: &Maybe<Histogram>, dims: usize) -> Vec<f64> {
    match cosines {
        Ok(cosines) if dims > 1 => uniform(dims, cosines.counts.len()),
        _ => Vec::new(),
    }
}

impl Figures {
    /// A curve, the mean distance of positive pairs where there are any, and what is known of each set.
    pub fn new(curve: Vec<CurvePoint>, mean_distance: Option<f64>, sets: Vec<SetFigures>) -> Self {
        Self { curve, mean_distance, sets }
    }
}

impl SetFigures {
    /// Cosines and potentials of a set of so many dimensions, as far as they are known, without its points.
    pub fn in_pieces(
        set: SetName,
        dims: usize,
        cosines: Option<Histogram>,
        potentials: Option<&Potentials>,
    ) -> Self {
        Self::of_pairs(set, dims, cosines.ok_or(IN_PIECES), potentials)
    }

    /// The same with its points in two dimensions.
    #[must_use]
    pub fn with_points(mut self, points: Projection<'_>) -> Self {
        let Projected { lengths, axes, variance, drawn, scaling } = points.projected();
        (self.lengths, self.axes, self.variance) = (Ok(lengths), Ok(axes), variance);
        self.put(drawn, scaling);
        self
    }

    fn of_pairs(
        set: SetName,
        dims: usize,
        cosines: Maybe<Histogram>,
        potentials: Option<&Potentials>,
    ) -> Self {
        Self {
            set,
            lengths: Err(IN_PIECES),
            axes: Err(IN_PIECES),
            variance: Err(IN_PIECES),
            shown: Err(IN_PIECES),
            angles: Err(IN_PIECES),
            angles_of_groups: Vec::new(),
            uniform_cosines: uniform_beside(&cosines, dims),
            cosines,
            potentials: distribution(potentials),
        }
    }

    /// Puts what is drawn of the points, or why nothing is.
    fn put(&mut self, drawn: Maybe<Drawn<'_>>, scaling: Scaling) {
        let (shown, angles, of_groups) = match drawn {
            Ok(drawn) => (Ok(drawn.shown), Ok(drawn.angles), drawn.of_groups),
            Err(reason) => (Err(reason), Err(reason), Vec::new()),
        };
        self.shown = shown;
        (self.angles, self.angles_of_groups) = match scaling {
            Scaling::Unit => {
                (angles.map(|counts| Histogram { low: -HALF_TURN, high: HALF_TURN, counts }), of_groups)
            }
            Scaling::Raw => (angles.and(Err(RAW)), Vec::new()),
        };
    }
}

/// Dimensions up to which the distribution Beta is computed to 1e-11.
const MAX_DIMS_OF_BETA: usize = 1 << 16;

/// The share of the cosines of uniform points in each of so many equal parts of [−1, 1]: their density is proportional to
/// (1 − c²)^((d−3)/2), so that (1 + c)/2 has the distribution Beta((d−1)/2, (d−1)/2).
fn uniform(dims: usize, parts: usize) -> Vec<f64> {
    let half = (dims as f64 - 1.0) / 2.0;
    let below = |part: usize| {
        let at = part as f64 / parts as f64;
        match dims {
            ..=MAX_DIMS_OF_BETA => beta_reg(half, half, at),
            // The normal limit, of variance 1/d, is nearer by then than the series of Beta, which ends early.
            _ => 0.5 * erfc(-(2.0 * at - 1.0) * (dims as f64 / 2.0).sqrt()),
        }
    };
    (0..parts).map(|part| below(part + 1) - below(part)).collect()
}

fn distribution(potentials: Option<&Potentials>) -> Maybe<Histogram> {
    let logs = potentials.map_or(&[][..], |potentials| potentials.logs());
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !(least.is_finite() && greatest.is_finite()) {
        return Err(NO_POTENTIALS);
    }
    // It takes some width to have parts.
    let high = if greatest > least { greatest } else { least + (1e-6 * least.abs()).max(MIN_WIDTH) };
    Ok(Histogram::between(least, high, POTENTIALS, logs.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In three dimensions cosines of uniform points are uniform (Archimedes), and in two they are those of uniform angles.
    #[test]
    fn cosines_of_uniform_points() {
        assert!(uniform(3, 10).iter().all(|share| (share - 0.1).abs() < 1e-12));
        let arcs = uniform(2, 4);
        let expected = [1.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0, 1.0 / 3.0];
        assert!(
            arcs.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 1e-12),
            "{arcs:?}"
        );
        for dims in [2, 3, 384, 4096] {
            assert!((uniform(dims, 400).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
