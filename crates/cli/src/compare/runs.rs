//! The models, as arguments name them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use unisphere_eval::compare::Place;
use unisphere_io::{is_pattern, printable};

use super::{files::files_in, options::CompareOptions, run::Run, table};
use crate::{exit::Failure, export::is_own_table, set_files::SetFiles};

/// All models that the options name: at least one, all single sets or all pairs, and no name twice. Their files are there.
pub(super) fn runs(options: &CompareOptions) -> Result<Vec<Run>, Failure> {
    let runs = match &options.runs {
        Some(path) => table::read(path)?,
        None => options.models.iter().map(|argument| run(argument)).collect::<Result<_, _>>()?,
    };
    let runs = with_second_sets(runs, options)?;
    for (place, run) in runs.iter().enumerate() {
        if runs[..place].iter().any(|other| other.name == run.name) {
            return Err(Failure::Usage(format!(
                "two models are called {}\nname every model once; --runs gives names of their own to models",
                printable(&run.name)
            )));
        }
        let checked = run.sets().try_for_each(|(_, set)| check_files(set));
        checked.map_err(|failure| if options.runs.is_some() { of_model(run, failure) } else { failure })?;
    }
    let of_pairs = |run: &&Run| run.y.is_some();
    if let (Some(pair), Some(single)) = (runs.iter().find(of_pairs), runs.iter().find(|run| !of_pairs(run))) {
        return Err(Failure::Usage(format!(
            "{} is a pair of sets, and {} is one set\ncompare models that are all pairs, or the sets alone",
            printable(&pair.name),
            printable(&single.name)
        )));
    }
    if let (Some(first), Some(_), None) = (runs.first(), options.measure.alpha, runs.iter().find(of_pairs)) {
        return Err(Failure::Usage(format!(
            "--alpha is of alignment, which takes positive pairs, and {} is one set\n\
             name pairs, such as x.npy:y.npy, or leave out --alpha",
            printable(&first.name)
        )));
    }
    Ok(runs)
}

/// Models whose two sets are in one file, where options name both.
fn with_second_sets(mut runs: Vec<Run>, options: &CompareOptions) -> Result<Vec<Run>, Failure> {
    for run in &mut runs {
        let y = run.y.as_ref().map(SetFiles::path);
        if let (Some(y), None) = (options.measure.reading.file_of_y(run.x.path(), y)?, y) {
            run.y = Some(SetFiles::of_path(y));
        }
    }
    Ok(runs)
}

fn run(argument: &Path) -> Result<Run, Failure> {
    let name = argument.to_string_lossy().trim_end_matches('/').to_owned();
    let (x, y) = if argument.is_dir() {
        files_in(argument)?
    } else if argument.as_os_str() == "-" {
        ("/dev/stdin".into(), None)
    } else {
        match pair(argument) {
            Some((x, y)) => (x, Some(y)),
            None => (argument.to_path_buf(), None),
        }
    };
    Ok(Run::new(name, x, y, Place::default()))
}

/// Both paths of `x.npy:y.npy`, which may be patterns; None for one path. A colon may be a part of a name, or of a drive's.
fn pair(argument: &Path) -> Option<(PathBuf, PathBuf)> {
    if is_there(argument) {
        return None;
    }
    let text = argument.to_str()?;
    let two = |(colon, _): (usize, &str)| (PathBuf::from(&text[..colon]), PathBuf::from(&text[colon + 1..]));
    let pairs = || text.match_indices(':').map(two).filter(|(x, y)| x != Path::new("") && y != Path::new(""));
    // Where not both are there, the error is of the one that is missing.
    pairs()
        .find(|(x, y)| is_there(x) && is_there(y))
        .or_else(|| pairs().find(|(x, y)| is_there(x) || is_there(y)))
}

/// Whether there is a file of this path, or one that a pattern matches.
fn is_there(path: &Path) -> bool {
    path.exists() || is_pattern(path) && SetFiles::of_path(path).expanded().iter().any(|file| file.exists())
}

/// The fault of a file with the name of its model, where a table gives it another than its file's.
fn of_model(run: &Run, failure: Failure) -> Failure {
    match failure {
        Failure::Input(reason) => Failure::Input(format!("{}: {reason}", printable(&run.name))),
        failure => failure,
    }
}

/// That the files of a set are there, and may be points.
pub(super) fn check_files(set: &SetFiles) -> Result<(), Failure> {
    set.check()?;
    set.expanded().iter().try_for_each(|path| {
        let name = printable(path);
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => {
                Err(Failure::Input(format!("{name} is a folder; name a file in it")))
            }
            Ok(there) if there.is_file() => check_is_no_result(path),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Input(format!("{name}: {error}; check the path"))),
        }
    })
}

/// That a file is none of those that this program writes beside checkpoints, which the shell makes of `folder/*` too.
fn check_is_no_result(path: &Path) -> Result<(), Failure> {
    let kind = match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
        Some("csv") if is_own_table(path) => "a table of results that unisphere has written",
        Some("html" | "htm") => "a page",
        _ => return Ok(()),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    Err(Failure::Input(format!(
        "{} is {kind}, and holds no points\nname the files of points by their ending, such as {}",
        printable(path),
        printable(folder.join("*.npy"))
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_part_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["x.npy", "y.npy", "a:b.npy"] {
            fs::write(path(name), "").unwrap();
        }
        let joined = |x: &str, y: &str| PathBuf::from(format!("{}:{}", path(x).display(), path(y).display()));
        let found = |x: &str, y: &str| pair(&joined(x, y));
        assert_eq!(found("x.npy", "y.npy"), Some((path("x.npy"), path("y.npy"))));
        assert_eq!(found("a:b.npy", "y.npy"), Some((path("a:b.npy"), path("y.npy"))));
        assert_eq!(found("x.npy", "none.npy"), Some((path("x.npy"), path("none.npy"))));
        assert_eq!(pair(&path("a:b.npy")), None);
        assert_eq!(pair(&path("none.npy")), None);
        for name in ["s_1.npy", "s_2.npy"] {
            fs::write(path(name), "").unwrap();
        }
        assert_eq!(found("s_*.npy", "s_?.npy"), Some((path("s_*.npy"), path("s_?.npy"))));
        assert_eq!(pair(&path("s_*.npy")), None);
    }
}
