//! The points of a set as a figure can show them: in two dimensions; and the lengths of the rows as they were given.

use rayon::prelude::*;
use unisphere::{Embeddings, Scaling};

use crate::{
    directions::leading,
    error::Result,
    maybe::{Absent, Maybe},
    rows::listed,
};

/// The blocks of rows whose sums threads make side by side: at most so many, of so many rows at least. They follow from the number
/// of rows alone, so that the order of sums is that of every machine.
const MAX_BLOCKS: usize = 256;
const MIN_ROWS_OF_BLOCK: usize = 256;
/// Products that are added up side by side.
const SUMS: usize = 8;
/// How far a length may be from 1 and count as 1: what rounding to f16 leaves.
const UNIT_LENGTH: f64 = 1e-3;

const NO_SPREAD: Absent = Absent::because("all points are equal");
const ONE_DIMENSION: Absent = Absent::because("it takes two dimensions or more");

/// The points in two dimensions, and the lengths of rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shadow {
    pub(crate) lengths: Lengths,
    pub(crate) axes: Axes,
    pub(crate) variance: Maybe<f64>,
    /// The two coordinates of every row; or why there are none.
    pub(crate) points: Maybe<Vec<[f32; 2]>>,
}

/// The lengths of the rows as they were given, before any scaling.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Lengths {
    /// The least.
    pub least: f64,
    /// Their mean.
    pub mean: f64,
    /// The greatest.
    pub greatest: f64,
    /// How many are more than 0.001 away from 1.
    pub far_from_unit: usize,
}

/// The two axes that points are shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// The points' own, of which there are two.
    Coordinates,
    /// The two directions along which the points vary most; coordinates count from the centre of the sphere.
    Principal,
}

impl Shadow {
    /// `check` is called every now and then, and its error ends the work.
    pub(crate) fn of(points: &Embeddings<'_>, check: &mut dyn FnMut() -> Result<()>) -> Result<Self> {
        let lengths = listed(points.rows(), points.values().chunks_exact(points.dims()).map(length))?;
        let rows = Rows { points, lengths: &lengths };
        let mean = rows.mean();
        let mut times = |vector: &[f64]| check().map(|()| rows.covariance_times(&mean, vector));
        let (axes, directions) = directions(points.dims(), &mut times)?;
        check()?;
        let points = match directions {
            Ok(directions) => Ok(rows.along(&directions)?),
            Err(reason) => Err(reason),
        };
        let variance =
            points.as_ref().map_err(|reason| *reason).and_then(|points| rows.share_of_variance(points));
        Ok(Self { lengths: Lengths::of(&lengths), axes, variance, points })
    }
}

/// The axes that points of so many dimensions are shown in, and their directions, given the product of the covariance with a vector.
pub(crate) fn directions(
    dims: usize,
    times: &mut dyn FnMut(&[f64]) -> Result<Vec<f64>>,
) -> Result<(Axes, Maybe<Vec<Vec<f64>>>)> {
    Ok(match dims {
        1 => (Axes::Coordinates, Err(ONE_DIMENSION)),
        2 => (Axes::Coordinates, Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0]])),
        dims => (Axes::Principal, Ok(leading(2, dims, times)?)),
    })
}

impl Lengths {
    /// Those of no rows; a mean is a sum until [`of_rows`](Self::of_rows).
    pub(crate) const NONE: Self = Self { least: f64::INFINITY, mean: 0.0, greatest: 0.0, far_from_unit: 0 };

    /// With the length of one row more.
    pub(crate) fn and(self, length: f64) -> Self {
        Self {
            least: self.least.min(length),
            mean: self.mean + length,
            greatest: self.greatest.max(length),
            far_from_unit: self.far_from_unit + usize::from((length - 1.0).abs() > UNIT_LENGTH),
        }
    }

    /// With the mean of so many rows in the place of their sum.
    pub(crate) fn of_rows(self, rows: usize) -> Self {
        Self { mean: self.mean / rows as f64, ..self }
    }

    fn of(lengths: &[f64]) -> Self {
        lengths.iter().fold(Self::NONE, |all, &length| all.and(length)).of_rows(lengths.len())
    }
}

pub(crate) fn length(row: &[f32]) -> f64 {
    row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

/// Rows as metrics see them.
struct Rows<'a> {
    points: &'a Embeddings<'a>,
    lengths: &'a [f64],
}

impl Rows<'_> {
    /// The factor that brings a row to the length at which it is measured.
    fn factor(&self, row: usize) -> f64 {
        match self.points.scaling() {
            Scaling::Unit => self.lengths[row].recip(),
            Scaling::Raw => 1.0,
        }
    }

    /// The sum over all rows of what `add` adds to it.
    fn sum(&self, add: impl Fn(&mut [f64], &[f32], f64) + Sync) -> Vec<f64> {
        let dims = self.points.dims();
        let together = self.points.rows().div_ceil(MAX_BLOCKS).max(MIN_ROWS_OF_BLOCK);
        let of_block = |(block, values): (usize, &[f32])| {
            let mut sum = vec![0.0; dims];
            for (i, row) in values.chunks_exact(dims).enumerate() {
                add(&mut sum, row, self.factor(block * together + i));
            }
            sum
        };
        let blocks: Vec<_> =
            self.points.values().par_chunks(together * dims).enumerate().map(of_block).collect();
        let mut total = vec![0.0; dims];
        blocks.iter().for_each(|block| add_to(&mut total, 1.0, block.iter().copied()));
        total
    }

    fn mean(&self) -> Vec<f64> {
        let mut mean = self.sum(|sum, row, factor| add_to(sum, factor, row.iter().map(|&v| f64::from(v))));
        mean.iter_mut().for_each(|value| *value /= self.points.rows() as f64);
        mean
    }

    /// The product of the covariance with a vector: Σ ⟨x − m, v⟩ (x − m) / n, where m is the mean.
    fn covariance_times(&self, mean: &[f64], vector: &[f64]) -> Vec<f64> {
        let of_mean: f64 = mean.iter().zip(vector).map(|(a, b)| a * b).sum();
        let mut product = self.sum(|sum, row, factor| {
            let part = factor * dot(row, vector) - of_mean;
            let about_mean = row.iter().zip(mean).map(|(&value, mean)| factor * f64::from(value) - mean);
            add_to(sum, part, about_mean);
        });
        product.iter_mut().for_each(|value| *value /= self.points.rows() as f64);
        product
    }

    /// The coordinates of every row along two directions.
    fn along(&self, directions: &[Vec<f64>]) -> Result<Vec<[f32; 2]>> {
        let coordinates = |(i, row): (usize, &[f32])| along(directions, row, self.factor(i));
        let rows = self.points.values().chunks_exact(self.points.dims()).enumerate();
        listed(self.points.rows(), rows.map(coordinates))
    }

    /// The share that these coordinates have of all variance.
    fn share_of_variance(&self, shown: &[[f32; 2]]) -> Maybe<f64> {
        let mean = self.mean();
        let squares = self.sum(|sum, row, factor| {
            let about_mean = row.iter().zip(&mean).map(|(&value, mean)| factor * f64::from(value) - mean);
            add_to(sum, 1.0, about_mean.map(|value| value * value));
        });
        let (all, n): (f64, _) = (squares.iter().sum(), shown.len() as f64);
        let along = |axis: usize| {
            let values = || shown.iter().map(|point| f64::from(point[axis]));
            let mean = values().sum::<f64>() / n;
            values().map(|value| (value - mean).powi(2)).sum::<f64>()
        };
        share((along(0) + along(1)) / n, all / n, &mean)
    }
}

/// The share that the variance along the axes has of all variance, of points about this mean.
pub(crate) fn share(shown: f64, all: f64, mean: &[f64]) -> Maybe<f64> {
    // As small as the rounding of f32, squared, it is no spread.
    if all <= f64::from(f32::EPSILON).powi(2) * mean.iter().map(|value| value * value).sum::<f64>() {
        return Err(NO_SPREAD);
    }
    Ok((shown / all).min(1.0))
}

/// The coordinates of a row, scaled by a factor, along two directions; 0 along one that there is not.
pub(crate) fn along(directions: &[Vec<f64>], row: &[f32], factor: f64) -> [f32; 2] {
    let along = |axis: usize| directions.get(axis).map_or(0.0, |axis| factor * dot(row, axis));
    [along(0) as f32, along(1) as f32]
}

fn add_to(sum: &mut [f64], factor: f64, values: impl Iterator<Item = f64>) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
}

fn dot(row: &[f32], vector: &[f64]) -> f64 {
    let mut sums = [0.0; SUMS];
    let (rows, vectors) = (row.chunks_exact(SUMS), vector.chunks_exact(SUMS));
    let rest: f64 = rows.remainder().iter().zip(vectors.remainder()).map(|(&a, b)| f64::from(a) * b).sum();
    for (row, vector) in rows.zip(vectors) {
        for ((sum, &a), b) in sums.iter_mut().zip(row).zip(vector) {
            *sum += f64::from(a) * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// Points near a tilted plane of five dimensions, of any length.
    fn plane() -> Vec<f32> {
        let row = |i: usize| {
            let (a, b) = ((i as f32 * 0.7).sin(), (i as f32 * 1.3).cos());
            [a, b, a + 0.5 * b, 0.01 * (i as f32).sin(), a - b].map(|value| value * (1.0 + i as f32 / 100.0))
        };
        (0..300).flat_map(row).collect()
    }

    #[test]
    fn the_share_of_a_plane_is_nearly_all() {
        let values = plane();
        let points = Embeddings::new(&values, 300, 5).unwrap();
        let shadow = Shadow::of(&points, &mut || Ok(())).unwrap();
        assert!(shadow.variance.unwrap() > 0.999, "{:?}", shadow.variance);
        assert_eq!(shadow.axes, Axes::Principal);
        // Of rows of unit length, hardly any is left that the plane does not show.
        let shown = shadow.points.unwrap();
        assert!(shown.iter().all(|[a, b]| (a.hypot(*b) - 1.0).abs() < 1e-3));
        assert!((shadow.lengths.least, shadow.lengths.far_from_unit) == (points_least(&values), 300));
    }

    fn points_least(values: &[f32]) -> f64 {
        values.chunks(5).map(length).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn two_dimensions_are_shown_as_they_are() {
        let points = Embeddings::new(&[3.0, 4.0, 0.0, -1.0, 1.0, 0.0][..], 3, 2).unwrap();
        let shadow = Shadow::of(&points, &mut || Ok(())).unwrap();
        assert_eq!(shadow.points, Ok(vec![[0.6, 0.8], [0.0, -1.0], [1.0, 0.0]]));
        assert_eq!((shadow.axes, shadow.lengths.far_from_unit), (Axes::Coordinates, 1));
        assert!((shadow.variance.unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn equal_points_have_no_variance_and_a_check_ends_the_work() {
        let values = [1.0, 2.0, 2.0].repeat(40);
        let points = Embeddings::new(&values, 40, 3).unwrap();
        assert_eq!(Shadow::of(&points, &mut || Ok(())).unwrap().variance, Err(NO_SPREAD));
        let stopped = || Err(Error::Engine(unisphere::Error::Stopped));
        assert!(Shadow::of(&points, &mut || stopped()).is_err());
        let line = Embeddings::raw(&[1.0, 2.0][..], 2, 1).unwrap();
        assert_eq!(Shadow::of(&line, &mut || Ok(())).unwrap().points, Err(ONE_DIMENSION));
    }
}
