//! The files of a model that is a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use unisphere_io::printable;

use crate::{exit::Failure, text::plural};

/// The files of a model in its folder: `x` and `y` with any endings, or else the only one.
pub(super) fn files_in(folder: &Path) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    let name = printable(folder);
    let unread = |error| Failure::Input(format!("{name}: the folder cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !is_hidden {
            files.push(path);
        }
    }
    files.sort();
    let called = |stem: &str| {
        let is_called = |path: &&PathBuf| path.file_stem().is_some_and(|found| found == stem);
        files.iter().filter(is_called).cloned().collect::<Vec<_>>()
    };
    let cure = "a folder of a model holds one file of points, or a file x and perhaps a file y, such as x.npy and y.npy";
    let refuse = |wrong: String| Err(Failure::Input(format!("{name} {wrong}\n{cure}")));
    match (called("x").as_slice(), called("y").as_slice(), files.as_slice()) {
        (_, _, []) => refuse("is a folder without files".into()),
        ([x], [], _) => Ok((x.clone(), None)),
        ([x], [y], _) => Ok((x.clone(), Some(y.clone()))),
        ([], [], [only]) => Ok((only.clone(), None)),
        ([], [_, ..], _) => refuse("has a file y and no file x".into()),
        ([_, _, ..], _, _) => refuse("has several files called x".into()),
        ([_], [_, _, ..], _) => refuse("has several files called y".into()),
        ([], [], _) => refuse(format!("has {} and none called x", plural(files.len() as u64, "file"))),
    }
}
