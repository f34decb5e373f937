//! Memory whose size depends on input: it is asked for, and not assumed.

use crate::error::{Error, Result};

/// An empty list with room for so many rows of so many values, or the error that says what there is no memory for.
pub(crate) fn reserved<T>(rows: usize, columns: usize, what: impl FnOnce() -> String) -> Result<Vec<T>> {
    let mut values = Vec::new();
    match rows.checked_mul(columns).map(|len| values.try_reserve_exact(len)) {
        Some(Ok(())) => Ok(values),
        _ => Err(Error::OutOfMemory { context: what() }),
    }
}

/// The same with a value in all of its places.
pub(crate) fn filled<T: Clone>(
    value: T,
    rows: usize,
    columns: usize,
    what: impl FnOnce() -> String,
) -> Result<Vec<T>> {
    let mut values = reserved(rows, columns, what)?;
    values.resize(rows * columns, value);
    Ok(values)
}

/// These values in a list of their own, or the error that says what there is no memory for.
pub(crate) fn listed<T>(
    values: impl ExactSizeIterator<Item = T>,
    what: impl FnOnce() -> String,
) -> Result<Vec<T>> {
    let mut list = reserved(values.len(), 1, what)?;
    list.extend(values);
    Ok(list)
}

/// Adds a value to a list, whose memory grows as that of any, or fails with what there is no memory for.
pub(crate) fn push<T>(list: &mut Vec<T>, value: T, what: impl FnOnce() -> String) -> Result<()> {
    if list.len() == list.capacity() && list.try_reserve(1).is_err() {
        return Err(Error::OutOfMemory { context: what() });
    }
    list.push(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_an_error() {
        assert_eq!(filled(1.5, 2, 3, || unreachable!()), Ok(vec![1.5; 6]));
        assert_eq!(listed(0..3, || unreachable!()), Ok(vec![0, 1, 2]));
        for (rows, columns) in [(usize::MAX / 8, 1), (usize::MAX, 2)] {
            let refused = reserved::<f64>(rows, columns, || "so much".into());
            assert_eq!(refused, Err(Error::OutOfMemory { context: "so much".into() }));
        }
    }
}
