//! Which of a file's arrays holds the points.

use crate::{Fault, Reading, dtype::excerpt};

/// Names that a message lists; a file may have thousands.
const LISTED: usize = 8;

/// An array that a file names, and its shape.
pub(crate) struct Array<'a> {
    pub(crate) name: &'a str,
    pub(crate) shape: Vec<u64>,
}

/// The array of this name, or the only matrix; where views are asked for, the only array of three axes, if there is one. `option` is how a user
/// names one.
pub(crate) fn choose(
    arrays: &[Array<'_>],
    wanted: Option<&str>,
    reading: &Reading,
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
    let of = |axes| (0..arrays.len()).filter(|&at| arrays[at].shape.len() == axes).collect::<Vec<_>>();
    let of_views = if reading.views { of(3) } else { Vec::new() };
    let matrices = if of_views.is_empty() { of(2) } else { of_views };
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
