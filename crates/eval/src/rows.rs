//! Lists with a number for each row, whose memory is asked for and not assumed.

use crate::error::Result;

/// Values of at most so many rows in a list.
///
/// # Errors
///
/// [`OutOfMemory`](unisphere::Error::OutOfMemory) where the system gives none for so many.
pub fn listed<T>(rows: usize, values: impl Iterator<Item = T>) -> Result<Vec<T>> {
    let mut list = Vec::new();
    if list.try_reserve_exact(rows).is_err() {
        let context = format!("a list of {rows} rows");
        return Err(unisphere::Error::OutOfMemory { context }.into());
    }
    list.extend(values);
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_an_error() {
        assert_eq!(listed(3, 0..3), Ok(vec![0, 1, 2]));
        let refused = listed(usize::MAX / 8, std::iter::empty::<u64>());
        assert!(refused.is_err_and(|error| error.to_string().contains("out of memory")));
    }
}
