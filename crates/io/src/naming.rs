//! The files of a set by their names: those that a pattern matches, or that a list has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, glob_with};

use crate::{
    Error, Fault, Result,
    series::{self, Flaw},
    stored::is_pipe,
};

/// The files of one series, in natural order, from a list in any order: what a shell makes of a pattern. A pattern in the list
/// stands for what it matches. What a series is, [`Shards::matching`](crate::Shards::matching) says; one file is one.
///
/// # Errors
///
/// [`Fault::NoFiles`], [`Fault::NamedTwice`], and those of [`Shards::matching`](crate::Shards::matching) but for those of what is
/// in the files, which are not opened.
pub fn series<P: AsRef<Path>>(names: &[P]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::with_capacity(names.len());
    for name in names.iter().map(AsRef::as_ref) {
        if is_pattern(name) {
            paths.extend(matches(&name.to_string_lossy())?);
        } else {
            paths.push(name.to_path_buf());
        }
    }
    sort(&mut paths);
    let name = name_of_series(&paths);
    if paths.is_empty() {
        return Err(Error { path: name, fault: Fault::NoFiles });
    }
    if let Some(twin) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error { path: twin[0].clone(), fault: Fault::NamedTwice });
    }
    check(&name, &paths)?;
    Ok(paths)
}

/// What files of a series are called, in their order: "emb/x_0.npy … x_9.npy", or as the only one is.
pub fn name_of_series(files: &[PathBuf]) -> PathBuf {
    let [first, .., last] = files else { return files.first().cloned().unwrap_or_default() };
    let last_name = last.file_name().filter(|_| first.parent() == last.parent());
    let mut name = first.clone().into_os_string();
    name.push(" … ");
    name.push(last_name.unwrap_or(last.as_os_str()));
    name.into()
}

/// Whether two files of one directory have names that differ in one number alone, as those of one series may.
pub fn differ_in_one_number(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    let (a, b) = (a.as_ref(), b.as_ref());
    match (a.file_name(), b.file_name()) {
        (Some(of_a), Some(of_b)) if a.parent() == b.parent() => {
            series::differ_in_one_number(&of_a.to_string_lossy(), &of_b.to_string_lossy())
        }
        _ => false,
    }
}

/// Whether a path names files by a pattern: it has one's signs, `*`, `?` or `[`, and nothing is there that is called so.
pub fn is_pattern(path: impl AsRef<Path>) -> bool {
    let path = path.as_ref();
    path.symlink_metadata().is_err() && path.to_string_lossy().contains(['*', '?', '['])
}

/// The paths that a pattern matches, at least one, in natural order.
pub(crate) fn matches(pattern: &str) -> Result<Vec<PathBuf>> {
    // As in a shell.
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let fault = |fault| Error { path: pattern.into(), fault };
    let paths = glob_with(pattern, options)
        .map_err(|error| fault(Fault::Pattern { at: error.pos, problem: error.msg }))?;
    let paths = paths.map(|path| {
        path.map_err(|error| Error { path: error.path().into(), fault: std::io::Error::from(error).into() })
    });
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    if paths.is_empty() {
        return Err(fault(Fault::NoMatch));
    }
    sort(&mut paths);
    Ok(paths)
}

fn sort(paths: &mut [PathBuf]) {
    paths.sort_by(|a, b| series::natural_order(&a.to_string_lossy(), &b.to_string_lossy()));
}

/// Fails unless files, in natural order, are one series and no pipes. The name is that of all of them.
pub(crate) fn check(name: &Path, paths: &[PathBuf]) -> Result<()> {
    if let Some(fault) = fault_of_names(paths) {
        return Err(Error { path: name.into(), fault });
    }
    match paths.iter().find(|path| fs::metadata(path).is_ok_and(|there| is_pipe(&there))) {
        Some(pipe) => Err(Error { path: pipe.clone(), fault: Fault::PipeMatched }),
        None => Ok(()),
    }
}

/// What keeps files, in natural order, from being one series.
fn fault_of_names(paths: &[PathBuf]) -> Option<Fault> {
    let names: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    let path = |place: usize| paths[place].clone();
    Some(match series::flaw(&names)? {
        Flaw::Mixed(place) => Fault::MixedNames { first: path(0), other: path(place) },
        Flaw::Twin(place) => Fault::SameNumbers { first: path(place - 1), other: path(place) },
        Flaw::Total(place) => Fault::MixedTotals { first: path(0), other: path(place) },
        Flaw::Missing { name, total } => Fault::MissingShard { missing: name.into(), total },
        Flaw::Extra { place, total } => Fault::ExtraShard { extra: path(place), total },
    })
}
