//! Raw points of more digits than f32 holds: taken about their mean where they lie far from the origin.

use std::sync::Arc;

use unisphere::Scaling;
use unisphere_eval::Rounding;
use unisphere_io::{Extent, File};

/// Points that can be taken about another origin.
pub trait Located: Sized {
    /// Where they lie, unless f32 holds them as they are: see [`File::extent`].
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

    /// Whether they are read from a file, and so can be.
    fn is_of_file(&self) -> bool {
        true
    }
}

impl Located for File {
    fn extent(&self) -> unisphere_io::Result<Option<Extent>> {
        self.extent()
    }

    fn about(self, origin: &Arc<[f64]>) -> unisphere_io::Result<Self> {
        self.about(origin)
    }
}

/// One set or two of raw points, about the mean of the first that has more digits than f32 holds, where that saves most of what
/// rounding takes; and what rounding takes then. All is as it was of rows that are scaled to unit length, whose lengths would change,
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
    let sets: Vec<_> = std::iter::once(&x).chain(&y).collect();
    let (origin, rounding) = origin(&sets, scaling, of_distances)?;
    Ok((moved(x, origin.as_ref())?, y.map(|y| moved(y, origin.as_ref())).transpose()?, rounding))
}

/// The same of two sets.
pub(crate) fn both_about_mean<S: Located>(
    x: S,
    y: S,
    scaling: Scaling,
    of_distances: bool,
) -> unisphere_io::Result<(S, S)> {
    let (origin, _) = origin(&[&x, &y], scaling, of_distances)?;
    Ok((moved(x, origin.as_ref())?, moved(y, origin.as_ref())?))
}

/// The same of any number of sets, of which nothing but distances is measured.
pub(crate) fn all_about_mean<S: Located>(sets: Vec<S>, scaling: Scaling) -> unisphere_io::Result<Vec<S>> {
    let (origin, _) = origin(&sets.iter().collect::<Vec<_>>(), scaling, true)?;
    sets.into_iter().map(|set| moved(set, origin.as_ref())).collect()
}

fn moved<S: Located>(set: S, origin: Option<&Arc<[f64]>>) -> unisphere_io::Result<S> {
    match origin {
        Some(origin) => set.about(origin),
        None => Ok(set),
    }
}

/// The origin that sets are to be taken about, if they are, and what rounding takes then, where it takes anything.
fn origin<S: Located>(
    sets: &[&S],
    scaling: Scaling,
    of_distances: bool,
) -> unisphere_io::Result<(Option<Arc<[f64]>>, Option<Rounding>)> {
    if scaling == Scaling::Unit {
        return Ok((None, None));
    }
    let extents = sets.iter().map(|set| set.extent()).collect::<unisphere_io::Result<Vec<_>>>()?;
    let known = || extents.iter().flatten();
    let Some(first) = known().next() else { return Ok((None, None)) };
    let is_far = of_distances && sets.iter().all(|set| set.is_of_file()) && known().any(Extent::is_far);
    let mean: Arc<[f64]> = first.mean().into();
    let nowhere: Arc<[f64]> = vec![0.0; mean.len()].into();
    let origin = if is_far { &mean } else { &nowhere };
    let distance = known().map(|extent| extent.rounding(origin)).fold(0.0, f64::max);
    Ok((is_far.then_some(mean), Some(Rounding { distance })))
}
