//! The files of a model that is a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use unisphere_io::printable;

use super::results::{result, tell_left_out};
use crate::{
    exit::Failure,
    text::{open_pattern, plural},
};

/// The file x of a model, and y where there is one.
pub(super) type ModelFiles = (PathBuf, Option<PathBuf>);

/// The files of a model in its folder: `x` and `y` with any endings, or else the only one. Results of this program beside them are told.
pub(super) fn files_in(folder: &Path) -> Result<ModelFiles, Failure> {
    let (files, results) = files_and_results(folder)?;
    results.iter().for_each(|path| tell_left_out(path));
    Ok(files)
}

/// The same, and the results of this program that are beside them.
pub(super) fn files_and_results(folder: &Path) -> Result<(ModelFiles, Vec<PathBuf>), Failure> {
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
    let (results, points): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|path| result(path).is_some());
    // What this program wrote beside the points is none of them.
    if !points.is_empty() {
        files = points;
    } else if let Some((path, kind)) = results.first().and_then(|path| Some((path, result(path)?))) {
        return Err(Failure::Input(format!(
            "{} is {kind}, not points, and {name} has no others\nname a folder with a file of points",
            printable(path)
        )));
    }
    let called = |stem: &str| {
        let is_called = |path: &&PathBuf| path.file_stem().is_some_and(|found| found == stem);
        files.iter().filter(is_called).cloned().collect::<Vec<_>>()
    };
    let cure = "a folder of a model holds one file of points, or a file x and perhaps a file y, such as x.npy and y.npy";
    let refuse = |wrong: String| Err(Failure::Input(format!("{name} {wrong}\n{cure}")));
    match (called("x").as_slice(), called("y").as_slice(), files.as_slice()) {
        (_, _, []) => refuse("is a folder without files".into()),
        ([x], [], _) => Ok(((x.clone(), None), results)),
        ([x], [y], _) => Ok(((x.clone(), Some(y.clone())), results)),
        ([], [], [only]) => Ok(((only.clone(), None), results)),
        ([], [_, ..], _) => refuse("has a file y and no file x".into()),
        ([_, _, ..], _, _) => refuse("has several files called x".into()),
        ([_], [_, _, ..], _) => refuse("has several files called y".into()),
        ([], [], _) => Err(Failure::Input(format!(
            "{name} has {} and none called x\n{cure}; to compare its files, name each: {}",
            plural(files.len() as u64, "file"),
            open_pattern(folder, "*")
        ))),
    }
}
