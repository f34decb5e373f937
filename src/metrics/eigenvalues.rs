//! Eigenvalues of symmetric matrices, checked before they are believed.

use faer::{
    MatRef, Par,
    diag::Diag,
    dyn_stack::{MemBuffer, MemStack},
    linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch},
};

use crate::{
    error::{Error, Result},
    progress::Watch,
};

#[cfg(not(target_arch = "wasm32"))]
use crate::pending::on_a_thread;

/// Threads of a solver: a number that no machine changes, since the order of its sums depends on it.
#[cfg(not(target_arch = "wasm32"))]
fn threads() -> Par {
    Par::rayon(2)
}

/// A browser has one.
#[cfg(target_arch = "wasm32")]
fn threads() -> Par {
    Par::Seq
}

/// The eigenvalues of a symmetric matrix (side, side), greatest first.
pub(super) fn eigenvalues(matrix: Vec<f64>, side: usize, watch: &Watch) -> Result<Vec<f64>> {
    watch.advance(0)?;
    let solved = interruptible(move || solve(matrix, side), watch)?;
    solved.map_err(|reason| Error::Spectrum { side, reason })
}

/// The answer of a solver that cannot be interrupted: it runs on a thread of its own while the caller's watch is asked. After a
/// stop that thread computes on until it is done: it holds nothing but its copy of the matrix, and a process ends without it.
#[cfg(not(target_arch = "wasm32"))]
fn interruptible<T: Send + 'static>(
    solve: impl FnOnce() -> Result<T, String> + Send + 'static,
    watch: &Watch,
) -> Result<Result<T, String>> {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::mpsc::{RecvTimeoutError, channel},
        time::Duration,
    };

    /// The time between two questions to the watch.
    const WATCH_INTERVAL: Duration = Duration::from_millis(50);

    let (sender, receiver) = channel();
    let solve = move || {
        let solved = catch_unwind(AssertUnwindSafe(solve));
        // Nobody listens after a stop.
        let _ = sender.send(solved.unwrap_or_else(|_| Err("the solver panicked".into())));
    };
    if let Err(error) = on_a_thread("eigenvalues", solve) {
        return Ok(Err(format!("no thread could be started ({error})")));
    }
    loop {
        match receiver.recv_timeout(WATCH_INTERVAL) {
            Ok(solved) => return Ok(solved),
            Err(RecvTimeoutError::Timeout) => watch.advance(0)?,
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Err("the solver ended without a result".into()));
            }
        }
    }
}

/// The same where there are no other threads: nothing interrupts it.
#[cfg(target_arch = "wasm32")]
fn interruptible<T>(solve: impl FnOnce() -> Result<T, String>, _: &Watch) -> Result<Result<T, String>> {
    Ok(solve())
}

fn solve(mut matrix: Vec<f64>, side: usize) -> Result<Vec<f64>, String> {
    // A power of two brings the largest entry near 1: squares neither overflow nor vanish.
    let largest = matrix.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return Ok(vec![0.0; side]);
    }
    let power = largest.log2().floor().clamp(-1000.0, 1000.0);
    matrix.iter_mut().for_each(|value| *value *= (-power).exp2());
    let trace: f64 = (0..side).map(|k| matrix[k * side + k]).sum();
    let square: f64 = matrix.iter().map(|value| value * value).sum();

    let par = threads();
    let mut values = Diag::<f64>::zeros(side);
    let scratch = self_adjoint_evd_scratch::<f64>(side, ComputeEigenvectors::No, par, Default::default());
    let mut memory = MemBuffer::try_new(scratch).map_err(|_| "there is no memory for the solver")?;
    // Symmetric, so that rows are as good as columns.
    let of = MatRef::from_column_major_slice(&matrix, side, side);
    let stack = MemStack::new(&mut memory);
    self_adjoint_evd(of, values.as_mut(), None, par, stack, Default::default())
        .map_err(|_| "the iteration did not converge")?;
    let mut values: Vec<f64> = values.column_vector().iter().copied().collect();
    check(&values, trace, square)?;
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    values.iter_mut().for_each(|value| *value *= power.exp2());
    Ok(values)
}

/// The sum of the eigenvalues is the trace, and that of their squares the squared Frobenius norm, up to the rounding of
/// a stable solver.
fn check(values: &[f64], trace: f64, square: f64) -> Result<(), String> {
    let rounding = 64.0 * f64::EPSILON * (values.len() as f64).max(8.0);
    let (sum, squares) = values.iter().fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
    // Written so that NaN fails.
    let close = |got: f64, want: f64, size: f64| (got - want).abs() <= rounding * size;
    if !close(sum, trace, square.sqrt()) {
        return Err(format!("they add up to {sum:e} where the trace is {trace:e}"));
    }
    if !close(squares, square, square) {
        return Err(format!("their squares add up to {squares:e} where those of the entries are {square:e}"));
    }
    Ok(())
}
