//! Raw points of more digits than f32 holds: taken about their mean where they lie far from the origin.

use std::{iter, sync::Arc};

use unisphere::Scaling;
use unisphere_eval::{Rounding, RoundingCure};
use unisphere_io::{Extent, File, Shards, Source};

/// Points that can be taken about another origin.
pub trait Located: Sized {
    /// Dimensions.
    fn dims(&self) -> usize;

    /// Whether their values may have more digits than f32 holds: see [`File::is_wide`].
    fn is_wide(&self) -> bool;

    /// Where they lie; None where that is not known, as of points in memory, which cannot be moved: see [`File::extent`].
    ///
    /// # Errors
    ///
    /// Those of [`File::extent`].
    fn extent(&self) -> unisphere_io::Result<Option<Extent>>;

    /// The same points about an origin: see [`File::about`].
    ///
    /// # Errors
    ///
    /// Those of [`File::about`].
    fn about(self, origin: &Arc<[f64]>) -> unisphere_io::Result<Self>;
}

impl Located for File {
    fn dims(&self) -> usize {
        self.dims()
    }

    fn is_wide(&self) -> bool {
        self.is_wide()
    }

    fn extent(&self) -> unisphere_io::Result<Option<Extent>> {
        self.extent()
    }

    fn about(self, origin: &Arc<[f64]>) -> unisphere_io::Result<Self> {
        self.about(origin)
    }
}

impl Located for Shards {
    fn dims(&self) -> usize {
        Source::dims(self)
    }

    fn is_wide(&self) -> bool {
        self.is_wide()
    }

    fn extent(&self) -> unisphere_io::Result<Option<Extent>> {
        self.extent()
    }

    fn about(self, origin: &Arc<[f64]>) -> unisphere_io::Result<Self> {
        self.about(origin)
    }
}

/// One set or two of raw points, about their mean, where that saves most of what rounding takes; and what rounding takes then. All is as
/// it was of rows that are scaled to unit length, whose lengths would change; of sets that f32 holds, or that lie far from each other;
/// and where a set is in memory. Where nothing but distances is measured, it is `of_distances`: products of points, their lengths and
/// their mean would change too.
///
/// # Errors
///
/// Those of [`Located`].
pub fn about_mean<S: Located>(
    x: S,
    y: Option<S>,
    scaling: Scaling,
    of_distances: bool,
) -> unisphere_io::Result<(S, Option<S>, Option<Rounding>)> {
    let sets: Vec<_> = iter::once(&x).chain(&y).collect();
    let Some(place) = Place::of(&sets, scaling, of_distances)? else { return Ok((x, y, None)) };
    Ok((place.moved(x)?, y.map(|y| place.moved(y)).transpose()?, Some(place.rounding())))
}

/// The same of any number of sets. Of more than two, what is told of x and of y is of any two.
pub(crate) fn all_about_mean<S: Located>(
    sets: Vec<S>,
    scaling: Scaling,
    of_distances: bool,
) -> unisphere_io::Result<(Vec<S>, Option<Rounding>)> {
    let Some(place) = Place::of(&sets.iter().collect::<Vec<_>>(), scaling, of_distances)? else {
        return Ok((sets, None));
    };
    let sets: Vec<_> = sets.into_iter().map(|set| place.moved(set)).collect::<Result<_, _>>()?;
    Ok((sets, Some(place.rounding())))
}

/// Where sets are measured, and what rounding takes there.
struct Place {
    /// The origin that all of them are taken about, where they are not left as they lie.
    origin: Option<Arc<[f64]>>,
    /// Of each set; 0 of one in memory, which is in f32 already.
    rounding: Vec<f64>,
    /// Of a point in all dimensions.
    of_point: f64,
    /// The greatest length of a point there; infinite where that of a set in memory is not known.
    longest: f64,
    cure: RoundingCure,
}

impl Place {
    /// None where rounding takes nothing.
    fn of<S: Located>(
        sets: &[&S],
        scaling: Scaling,
        of_distances: bool,
    ) -> unisphere_io::Result<Option<Self>> {
        let is_alike = sets.windows(2).all(|pair| pair[0].dims() == pair[1].dims());
        if scaling == Scaling::Unit || !is_alike || !sets.iter().any(|set| set.is_wide()) {
            return Ok(None);
        }
        let extents = sets.iter().map(|set| set.extent()).collect::<unisphere_io::Result<Vec<_>>>()?;
        let Some(all) = Extent::joined(extents.iter().flatten()) else { return Ok(None) };
        let about = |origin: Option<&[f64]>| -> Vec<f64> {
            extents.iter().map(|of| of.as_ref().map_or(0.0, |of| of.rounding(origin, &all))).collect()
        };
        let (as_they_lie, about_mean) = (about(None), about(Some(all.mean())));
        let is_worth =
            greatest(about_mean.iter().copied()) < Extent::WORTH * greatest(as_they_lie.iter().copied());
        let is_moved = of_distances && extents.iter().all(Option::is_some) && is_worth;
        let origin = is_moved.then(|| all.mean());
        let of_points = extents.iter().flatten().map(|of| of.rounding_of_point(origin));
        Ok(Some(Self {
            of_point: greatest(of_points),
            longest: greatest(
                extents.iter().map(|of| of.as_ref().map_or(f64::INFINITY, |of| of.longest(origin))),
            ),
            origin: origin.map(Into::into),
            rounding: if is_moved { about_mean } else { as_they_lie },
            cure: match is_worth && !is_moved {
                true if of_distances => RoundingCure::Mean,
                true => RoundingCure::DistancesAlone,
                false => RoundingCure::None,
            },
        }))
    }

    fn rounding(&self) -> Rounding {
        let [x, y] = match self.rounding.as_slice() {
            [x] => [*x, 0.0],
            [x, y] => [*x, *y],
            several => [greatest(several.iter().copied()); 2],
        };
        Rounding { x, y, of_point: self.of_point, longest: self.longest, cure: self.cure }
    }

    fn moved<S: Located>(&self, set: S) -> unisphere_io::Result<S> {
        match &self.origin {
            Some(origin) => set.about(origin),
            None => Ok(set),
        }
    }
}

/// The greatest of lengths; 0 of none.
fn greatest(lengths: impl Iterator<Item = f64>) -> f64 {
    lengths.fold(0.0, f64::max)
}
