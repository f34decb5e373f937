//! Which of a file's arrays holds the points.

use crate::{Fault, dtype::excerpt};

/// Names that a message lists; a file may have thousands.
const LISTED: usize = 8;

/// An array that a file names, and its shape.
pub(crate) struct Array<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: Vec<u64>,
}

/// The array of this name, or the only matrix. `option` is how a user names one.
pub(crate) fn choose(
    arrays: &[Array<'_>],
    wanted: Option<&str>,
    option: &'static str,
) -> Result<usize, Fault> {
    let missing = || Fault::NoArray {
        wanted: wanted.map(|name| excerpt(name.as_bytes())),
        arrays: listed(arrays.iter().map(|array| array.name)),
        option,
    };
    if let Some(wanted) = wanted {
        return arrays.iter().position(|array| array.name == wanted).ok_or_else(missing);
    }
    let matrices: Vec<_> = (0..arrays.len()).filter(|&index| arrays[index].shape.len() == 2).collect();
    match matrices.as_slice() {
        [only] => Ok(*only),
        [] => Err(missing()),
        several => {
            let arrays = listed(several.iter().map(|&index| arrays[index].name));
            Err(Fault::ManyArrays { arrays, option })
        }
    }
}

/// Names in a row, the first of many, safe to print.
pub(crate) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let mut text = names.take(LISTED).map(|name| excerpt(name.as_bytes())).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}
