//! The points of a set in two dimensions, of pieces that are read one after the other: no more is held than is drawn.

use rayon::prelude::*;
use unisphere::{Embeddings, MomentSums, Scaling};

use crate::{
    drawn::{Drawn, RowGroups},
    error::Result,
    maybe::Maybe,
    shadow::{Axes, Lengths, along, directions, length, share},
};

/// Points in two dimensions, from pieces of their rows, for [`SetFigures`](crate::sections::SetFigures).
#[derive(Debug)]
pub struct Projection<'a> {
    axes: Axes,
    variance: Maybe<f64>,
    directions: Maybe<Vec<Vec<f64>>>,
    scaling: Scaling,
    lengths: Lengths,
    rows: usize,
    drawn: Drawn<'a>,
}

/// What all pieces have told.
pub(crate) struct Projected<'a> {
    pub(crate) lengths: Lengths,
    pub(crate) axes: Axes,
    pub(crate) variance: Maybe<f64>,
    pub(crate) drawn: Maybe<Drawn<'a>>,
    pub(crate) scaling: Scaling,
}

impl<'a> Projection<'a> {
    /// That of points with these moments, along the two directions in which they vary most, or of points of two dimensions along their
    /// axes. `check` is called every now and then, and its error ends the work.
    ///
    /// # Errors
    ///
    /// Those of `check`.
    pub fn new(
        moments: &MomentSums,
        scaling: Scaling,
        groups: Option<&'a RowGroups<'a>>,
        check: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let dims = moments.mean().len();
        let mut times = |vector: &[f64]| {
            check()?;
            Ok(moments.covariance_times(vector)?)
        };
        let (axes, directions) = directions(dims, &mut times)?;
        let variance = match &directions {
            Err(reason) => Err(*reason),
            Ok(directions) => {
                let mut shown = 0.0;
                for direction in directions {
                    let product = moments.covariance_times(direction)?;
                    shown += direction.iter().zip(product).map(|(a, b)| a * b).sum::<f64>();
                }
                share(shown, moments.variance(), moments.mean())
            }
        };
        let drawn = Drawn::new(moments.rows(), groups);
        Ok(Self { axes, variance, directions, scaling, lengths: Lengths::NONE, rows: 0, drawn })
    }

    /// Adds the next rows.
    pub fn add(&mut self, points: &Embeddings<'_>) {
        let rows = points.values().par_chunks_exact(points.dims());
        let lengths: Vec<_> = rows.clone().map(length).collect();
        if let Ok(directions) = &self.directions {
            let scaled = |(row, &length): (&[f32], &f64)| {
                let factor = if self.scaling == Scaling::Unit { length.recip() } else { 1.0 };
                along(directions, row, factor)
            };
            let points: Vec<_> = rows.zip(&lengths).map(scaled).collect();
            points.into_iter().for_each(|point| self.drawn.add(point));
        }
        self.lengths = lengths.iter().fold(self.lengths, |all, &length| all.and(length));
        self.rows += lengths.len();
    }

    pub(crate) fn projected(self) -> Projected<'a> {
        let Self { axes, variance, directions, scaling, lengths, rows, drawn } = self;
        Projected {
            lengths: lengths.of_rows(rows),
            axes,
            variance,
            drawn: directions.map(|_| drawn),
            scaling,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Error, shadow::Shadow};

    /// Points of five dimensions that vary unlike in each, of any length.
    fn points() -> Vec<f32> {
        let row = |i: usize| {
            let at = |factor: f32| (i as f32 * factor).sin();
            [2.0 + at(0.7), 3.0 * at(1.3), 0.2 * at(2.9), at(0.31), 0.5].map(|v| v * (1.0 + i as f32 / 100.0))
        };
        (0..700).flat_map(row).collect()
    }

    #[test]
    fn pieces_give_the_picture_of_the_whole() {
        let (values, labels) = (points(), (0..700).map(|row| row % 3).collect::<Vec<i64>>());
        let groups = RowGroups::new(&labels).unwrap();
        for scaling in [Scaling::Unit, Scaling::Raw] {
            let piece = |rows: std::ops::Range<usize>| {
                let values = &values[rows.start * 5..rows.end * 5];
                Embeddings::with_scaling(values, rows.len(), 5, scaling).unwrap()
            };
            let pieces = || [0..300, 300..301, 301..700].map(piece);
            let mut moments = MomentSums::new(5).unwrap();
            pieces().iter().for_each(|piece| moments.add(piece).unwrap());
            let mut projection = Projection::new(&moments, scaling, Some(&groups), &mut || Ok(())).unwrap();
            pieces().iter().for_each(|piece| projection.add(piece));
            let (found, whole) =
                (projection.projected(), Shadow::of(&piece(0..700), &mut || Ok(())).unwrap());
            let mut wanted = Drawn::new(700, Some(&groups));
            whole.points.unwrap().into_iter().for_each(|point| wanted.add(point));
            assert_eq!((found.lengths, found.axes), (whole.lengths, Axes::Principal));
            assert!((found.variance.unwrap() - whole.variance.unwrap()).abs() < 1e-6);
            let drawn = found.drawn.unwrap();
            assert_eq!(drawn.shown.len(), 700);
            for (found, wanted) in drawn.shown.iter().zip(&wanted.shown) {
                assert_eq!(found.group, wanted.group);
                found
                    .at
                    .iter()
                    .zip(wanted.at)
                    .for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{a} and {b}"));
            }
            // Few lie within rounding of the end of a part.
            let moved = |a: &[u64], b: &[u64]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).sum::<u64>();
            assert!(moved(&drawn.angles, &wanted.angles) <= 4);
            assert_eq!(drawn.of_groups.len(), 3);
            let of_groups = drawn.of_groups.iter().zip(&wanted.of_groups);
            of_groups.for_each(|(a, b)| assert!(a.group == b.group && moved(&a.counts, &b.counts) <= 2));
        }
    }

    #[test]
    fn two_dimensions_are_as_they_are_and_one_has_no_picture() {
        let flat = Embeddings::new(&[3.0, 4.0, 0.0, -1.0][..], 2, 2).unwrap();
        let line = Embeddings::raw(&[1.0, 2.0][..], 2, 1).unwrap();
        for (points, shown) in [(flat, Some(vec![[0.6, 0.8], [0.0, -1.0]])), (line, None)] {
            let mut moments = MomentSums::new(points.dims()).unwrap();
            moments.add(&points).unwrap();
            let mut projection = Projection::new(&moments, points.scaling(), None, &mut || Ok(())).unwrap();
            projection.add(&points);
            let drawn = projection.projected().drawn.ok();
            assert_eq!(drawn.map(|drawn| drawn.shown.iter().map(|row| row.at).collect::<Vec<_>>()), shown);
        }
    }

    #[test]
    fn a_check_ends_the_search_for_directions() {
        let mut moments = MomentSums::new(5).unwrap();
        moments.add(&Embeddings::new(points(), 700, 5).unwrap()).unwrap();
        let mut check = || Err(Error::Engine(unisphere::Error::Stopped));
        assert!(Projection::new(&moments, Scaling::Unit, None, &mut check).is_err());
    }
}
