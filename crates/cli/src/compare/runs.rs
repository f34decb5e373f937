//! The models, as arguments name them.

use std::{
    fs,
    path::{Path, PathBuf, is_separator},
};

use unisphere_eval::compare::Place;
use unisphere_io::{Fault, STDIN, is_pattern, printable};

use super::{
    files::files_in,
    options::{CompareOptions, SortColumn},
    results::{result, tell_left_out},
    run::Run,
    steps::steps,
    table,
};
use crate::{exit::Failure, reading::is_stream, set_files::SetFiles, text::open_pattern};

/// All models that the options name: at least one, all single sets or all pairs, and no name twice. Their files are there.
pub(super) fn runs(options: &CompareOptions) -> Result<Vec<Run>, Failure> {
    let runs = match &options.runs {
        Some(path) => table::read(path)?,
        None => models(&options.models)?.into_iter().map(run).collect::<Result<_, _>>()?,
    };
    let runs = with_second_sets(with_steps(runs, options)?, options)?;
    for (place, run) in runs.iter().enumerate() {
        if runs[..place].iter().any(|other| other.name == run.name) {
            return Err(Failure::Usage(format!(
                "two models are called {}\nname every model once; --runs gives names of their own to models",
                printable(&run.name)
            )));
        }
        let checked = run.sets().try_for_each(|(_, set)| check_files(set));
        checked.map_err(|failure| if options.runs.is_some() { of_model(run, failure) } else { failure })?;
        if options.runs.is_none() {
            warn_of_pattern(run, runs.len() == 1);
        }
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

/// The arguments without the results of this program, which the shell makes of `folder/*` too, where any others are named.
fn models(arguments: &[PathBuf]) -> Result<Vec<&Path>, Failure> {
    let (results, models): (Vec<_>, Vec<_>) =
        arguments.iter().map(PathBuf::as_path).partition(|path| path.is_file() && result(path).is_some());
    if models.is_empty() {
        return Ok(results);
    }
    results.into_iter().for_each(tell_left_out);
    Ok(models)
}

/// Models with the steps that their names tell, where the table is to be in the order of steps and none are given.
fn with_steps(mut runs: Vec<Run>, options: &CompareOptions) -> Result<Vec<Run>, Failure> {
    let has_steps = runs.iter().any(|run| run.place.step.is_some());
    if options.sort != Some(SortColumn::Step) || has_steps {
        return Ok(runs);
    }
    let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
    let Some(steps) = steps(&names) else {
        return Err(Failure::Usage(
            "--sort step: no model has a step, and their names neither differ in one number alone nor all have one behind 'step'\n\
             give steps in the table of --runs, or --sort name, which takes numbers in their order"
                .into(),
        ));
    };
    for (run, step) in runs.iter_mut().zip(steps) {
        run.place.step = step;
    }
    Ok(runs)
}

fn run(argument: &Path) -> Result<Run, Failure> {
    let name = argument.to_string_lossy().trim_end_matches(is_separator).to_owned();
    let (x, y) = if argument.is_dir() {
        files_in(argument)?
    } else if argument.as_os_str() == "-" {
        (STDIN.into(), None)
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

/// Fails where a file of a set is not there, or can be no points.
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
            Err(_) if is_stream(path) => Ok(()),
            Err(error) => Err(Failure::Input(format!("{name}: {}", Fault::from(error)))),
        }
    })
}

/// Fails where a file is a result of this program.
fn check_is_no_result(path: &Path) -> Result<(), Failure> {
    let Some(kind) = result(path) else { return Ok(()) };
    let folder = path.parent().unwrap_or(Path::new(""));
    Err(Failure::Input(format!(
        "{} is {kind}, not points\nname the files of points by their ending, such as {}",
        printable(path),
        open_pattern(folder, "*.npy")
    )))
}

/// A warning where a pattern in quotes is taken for the parts of one set, and its files may be models.
fn warn_of_pattern(run: &Run, is_alone: bool) {
    let is_of_steps =
        ["step", "epoch", "ckpt", "checkpoint", "iter"].iter().any(|word| run.name.contains(word));
    let patterns = run.sets().map(|(_, set)| set).filter(|set| is_pattern(set.path()));
    let several = patterns.map(|set| (set, set.expanded().len())).find(|(_, files)| *files > 1);
    if let Some((set, files)) = several.filter(|_| is_alone || is_of_steps) {
        log::warn!(
            "{} is taken for one model, a set in {files} files\nwithout quotes, each file is a model of its own",
            printable(set.path())
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_part_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        // A name on Windows has no colon.
        let names =
            ["x.npy", "y.npy", "a:b.npy"].into_iter().filter(|name| !(cfg!(windows) && name.contains(':')));
        names.for_each(|name| fs::write(path(name), "").unwrap());
        let joined = |x: &str, y: &str| PathBuf::from(format!("{}:{}", path(x).display(), path(y).display()));
        let found = |x: &str, y: &str| pair(&joined(x, y));
        assert_eq!(found("x.npy", "y.npy"), Some((path("x.npy"), path("y.npy"))));
        if !cfg!(windows) {
            assert_eq!(found("a:b.npy", "y.npy"), Some((path("a:b.npy"), path("y.npy"))));
            assert_eq!(pair(&path("a:b.npy")), None);
        }
        assert_eq!(found("x.npy", "none.npy"), Some((path("x.npy"), path("none.npy"))));
        assert_eq!(pair(&path("none.npy")), None);
        for name in ["s_1.npy", "s_2.npy"] {
            fs::write(path(name), "").unwrap();
        }
        assert_eq!(found("s_*.npy", "s_?.npy"), Some((path("s_*.npy"), path("s_?.npy"))));
        assert_eq!(pair(&path("s_*.npy")), None);
    }
}
