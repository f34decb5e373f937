//! One value a row, whatever the format of its file: labels, weights and scores.

use std::fmt::Debug;

use crate::{Fault, dtype::Number};

/// One value a row of one file.
pub(crate) trait Scalars: Debug + Send {
    /// How many rows.
    fn rows(&self) -> usize;

    /// Gives the number and the value of each row to `take`, in order. Memory does not follow from the number of rows.
    ///
    /// # Errors
    ///
    /// Those of the format, and those of `take`.
    fn each(&self, take: Take<'_>) -> Result<(), Fault>;
}

/// What takes the number of a row, from 0 on, and its value.
pub(crate) type Take<'a> = &'a mut dyn FnMut(usize, Cell<'_>) -> Result<(), Fault>;

/// A value as a file has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// Null, or nothing at all.
    Missing,
    /// A number or a truth value, of a type that the file says.
    Number(Number),
    /// Text, which may be a number too.
    Text(&'a str),
}

impl<'a> Cell<'a> {
    /// Text of a file, without the blanks around it. Nothing stands for a value that is missing, and `nan` for the number.
    pub(crate) fn text(text: &'a str) -> Self {
        match text.trim() {
            "" => Self::Missing,
            text if text.eq_ignore_ascii_case("nan") => Self::Number(Number::Float(f64::NAN)),
            text => Self::Text(text),
        }
    }
}
