//! Memory for values, which is asked for and not assumed.

use rayon::prelude::*;

use crate::Fault;

/// The fewest values that several threads read: about a millisecond for one.
pub(crate) const MIN_VALUES_FOR_THREADS: usize = 512 << 10;

/// A vector of zeros, if there is memory for it.
pub(crate) fn zeros<T: Copy + Default + Send + Sync>(rows: usize, dims: usize) -> Result<Vec<T>, Fault> {
    let bytes = (rows as u128 * dims as u128).saturating_mul(size_of::<T>() as u128);
    let mut values = Vec::new();
    match rows.checked_mul(dims) {
        Some(count) if values.try_reserve_exact(count).is_ok() => {
            if count < MIN_VALUES_FOR_THREADS {
                values.resize(count, T::default());
            } else {
                // The first write to memory is what takes long.
                values.par_extend(rayon::iter::repeat_n(T::default(), count));
            }
            Ok(values)
        }
        _ => Err(Fault::Memory { bytes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_memory_than_there_is_is_an_error() {
        for (rows, dims) in [(1 << 61, 1), (usize::MAX, 1), (usize::MAX, usize::MAX)] {
            let wanted = (rows as u128 * dims as u128).saturating_mul(4);
            assert!(matches!(zeros::<f32>(rows, dims), Err(Fault::Memory { bytes }) if bytes == wanted));
        }
    }
}
