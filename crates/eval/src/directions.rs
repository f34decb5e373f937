//! The leading directions of a symmetric operator, by Lanczos' method: a few products with it, and no matrix.

use faer::{Mat, Side};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

use crate::error::Result;

/// Products for one direction at most. Of a spectrum that falls off, a few tens do.
const MAX_PRODUCTS: usize = 96;
/// Products between two looks at how exact the direction is.
const PRODUCTS_PER_LOOK: usize = 4;
/// The residual of a direction, as a share of its eigenvalue, that is small enough for a figure.
const RESIDUAL: f64 = 1e-6;
/// The share of the eigenvalue below which a residual is nothing but rounding.
const ROUNDING: f64 = 1e-12;
/// The beginning of every search: the same in every run.
const SEED: u64 = 1;

/// The directions of unit length, orthogonal to each other, in which a positive semidefinite operator is greatest: as many as are
/// asked for, or as there are dimensions. Each has its own search, orthogonal to those before, so that equal eigenvalues are found
/// one after the other. `times` gives the product of the operator with a vector.
pub(crate) fn leading(
    count: usize,
    dims: usize,
    times: &mut dyn FnMut(&[f64]) -> Result<Vec<f64>>,
) -> Result<Vec<Vec<f64>>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut found: Vec<Vec<f64>> = Vec::new();
    while found.len() < count.min(dims) {
        let direction = greatest(&found, dims, &mut rng, times)?;
        found.push(direction);
    }
    Ok(found)
}

/// The direction, orthogonal to those given, in which the operator is greatest.
fn greatest(
    without: &[Vec<f64>],
    dims: usize,
    rng: &mut ChaCha8Rng,
    times: &mut dyn FnMut(&[f64]) -> Result<Vec<f64>>,
) -> Result<Vec<f64>> {
    let most = MAX_PRODUCTS.min(dims - without.len());
    let mut basis = vec![random(without, dims, rng)];
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    loop {
        let last = &basis[basis.len() - 1];
        let mut next = times(last)?;
        diagonal.push(dot(&next, last));
        // Twice: rounding leaves a part of what is taken out once.
        (0..2).for_each(|_| take_out(&mut next, without.iter().chain(&basis)));
        let residual = dot(&next, &next).sqrt();
        let steps = diagonal.len();
        let is_last = steps == most || residual <= ROUNDING * diagonal[0].abs();
        if is_last || steps.is_multiple_of(PRODUCTS_PER_LOOK) {
            let (value, parts) = top(&diagonal, &beside);
            let error = residual * parts.last().map_or(0.0, |part| part.abs());
            if is_last || error <= RESIDUAL * value {
                return Ok(unit(combined(&basis, &parts)));
            }
        }
        beside.push(residual);
        next.iter_mut().for_each(|value| *value /= residual);
        basis.push(next);
    }
}

/// The greatest eigenvalue of the tridiagonal matrix, and its vector: the first unit vector where the solver fails.
fn top(diagonal: &[f64], beside: &[f64]) -> (f64, Vec<f64>) {
    let side = diagonal.len();
    let entry = |i: usize, j: usize| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => beside[i.min(j)],
        _ => 0.0,
    };
    let first = || (diagonal[0], (0..side).map(|i| f64::from(u8::from(i == 0))).collect());
    let Ok(solved) = Mat::from_fn(side, side, entry).self_adjoint_eigen(Side::Lower) else { return first() };
    // In order, the greatest last.
    let vector = solved.U().col(side - 1);
    (solved.S()[side - 1], (0..side).map(|i| vector[i]).collect())
}

/// A random direction orthogonal to those given.
fn random(without: &[Vec<f64>], dims: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut vector: Vec<f64> = (0..dims).map(|_| rng.random::<f64>() - 0.5).collect();
    (0..2).for_each(|_| take_out(&mut vector, without.iter()));
    unit(vector)
}

/// Takes the parts along orthogonal unit vectors out of a vector.
fn take_out<'a>(vector: &mut [f64], directions: impl Iterator<Item = &'a Vec<f64>>) {
    for direction in directions {
        let part = dot(vector, direction);
        vector.iter_mut().zip(direction).for_each(|(value, along)| *value -= part * along);
    }
}

fn combined(basis: &[Vec<f64>], parts: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; basis.first().map_or(0, Vec::len)];
    for (vector, part) in basis.iter().zip(parts) {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += part * value);
    }
    sum
}

/// The vector at unit length, its greatest coordinate positive: a direction has no sign of its own.
fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let greatest = vector.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
    let length = dot(&vector, &vector).sqrt() * greatest.signum();
    if length != 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two directions of a diagonal matrix.
    fn of_diagonal(diagonal: &[f64]) -> Vec<Vec<f64>> {
        let mut times = |v: &[f64]| Ok(diagonal.iter().zip(v).map(|(a, b)| a * b).collect());
        leading(2, diagonal.len(), &mut times).unwrap()
    }

    #[test]
    fn axes_of_a_diagonal_matrix() {
        let mut diagonal: Vec<f64> = (0..200).map(|i| 1.0 / (3.0 + f64::from(i))).collect();
        (diagonal[70], diagonal[20]) = (2.0, 1.0);
        let [first, second] = of_diagonal(&diagonal).try_into().unwrap();
        assert!((first[70] - 1.0).abs() < 1e-9 && (second[20] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn equal_values_have_a_plane_and_no_spread_has_any() {
        let [first, second] = of_diagonal(&[5.0, 1.0, 5.0, 0.5]).try_into().unwrap();
        for axis in [&first, &second] {
            assert!(axis[1].abs() < 1e-9 && axis[3].abs() < 1e-9, "{axis:?}");
        }
        assert!(dot(&first, &second).abs() < 1e-12);
        for axis in of_diagonal(&[0.0; 6]) {
            assert!((dot(&axis, &axis) - 1.0).abs() < 1e-12);
        }
        assert_eq!(of_diagonal(&[1.0]).len(), 1);
    }
}
