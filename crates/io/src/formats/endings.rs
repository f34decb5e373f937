//! Formats whose first bytes do not tell what they are: the ending of a file's name does.

use std::path::Path;

/// Whether a name has this ending, in lower case or upper case.
pub(crate) fn is(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}
