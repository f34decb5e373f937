//! Files that reports of other forms read whole.

use std::path::Path;

use unisphere::Scaling;
use unisphere_io::{File, Reading, Source, printable};

use crate::{
    exit::{self, Failure},
    interrupt,
    progress::Display,
    reading::warn_of_guess,
    scale::{Excess, check_dims},
    text::plural,
};

/// Opens a file, of one dimension only where points are raw.
pub(crate) fn open(path: &Path, reading: &Reading, scaling: Scaling) -> Result<File, Failure> {
    open_or(path, reading, scaling, Failure::from)
}

/// The same with another word on what is wrong with the file.
pub(crate) fn open_or(
    path: &Path,
    reading: &Reading,
    scaling: Scaling,
    fault: impl FnOnce(unisphere_io::Error) -> Failure,
) -> Result<File, Failure> {
    let file = interrupt::leaving_at_once(|| File::open_with(path, reading))?.map_err(fault)?;
    check_dims(&file, scaling)?;
    warn_of_guess([&file]);
    Ok(file)
}

/// Fails for so few rows in each set of a file that they make no pair.
pub(crate) fn check_enough(set: &dyn Source, rows: usize) -> Result<(), Failure> {
    if rows >= 2 {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{} has {}, and uniformity needs at least 2; save more points in it",
        printable(set.path()),
        plural(rows as u64, "row")
    )))
}

/// Fails where memory is too small for the points of a report that `option` asks for.
pub(crate) fn check_memory<'a>(
    files: impl Iterator<Item = &'a File> + Clone,
    option: &str,
) -> Result<(), Failure> {
    match Excess::of(files) {
        None => Ok(()),
        Some(excess) => Err(Failure::Input(excess.refusal_of(option))),
    }
}

/// Reads a set. `cure_of_zeros` is what helps against a row of zeros.
pub(crate) fn read<S: Source, T>(
    set: &S,
    display: &Display,
    cure_of_zeros: &str,
    read: impl FnOnce(&S) -> unisphere_io::Result<T>,
) -> Result<T, Failure> {
    display.step(format!("reading {}", printable(set.path())));
    let read = interrupt::leaving_at_once(|| read(set))?;
    read.map_err(|error| exit::of_file(&error, cure_of_zeros))
}
