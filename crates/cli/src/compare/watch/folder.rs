//! The checkpoints in a folder, and whether they are still being written.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use glob::{MatchOptions, Pattern, glob_with};
use unisphere_eval::compare::Place;
use unisphere_io::printable;

use super::super::{natural::natural, run::Run};
use crate::exit::Failure;

/// Endings of files that hold points and hardly anything else.
const ENDINGS: [&str; 17] = [
    "npy",
    "npz",
    "safetensors",
    "parquet",
    "arrow",
    "feather",
    "ipc",
    "jsonl",
    "ndjson",
    "fvecs",
    "bvecs",
    "ivecs",
    "fbin",
    "f16bin",
    "u8bin",
    "i8bin",
    "vec",
];

/// The file of the points of a checkpoint that is a folder, without its ending; and of their partners.
const X: &str = "x";
const Y: &str = "y";

/// A folder, and which of its files are checkpoints.
pub(super) struct Folder {
    folder: PathBuf,
    patterns: Vec<String>,
    has_own_pattern: bool,
    /// Files of results.
    outputs: Vec<PathBuf>,
}

/// Lengths and times of the files of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State(Vec<(PathBuf, Option<(u64, SystemTime)>)>);

impl Folder {
    pub(super) fn new(folder: &Path, pattern: Option<&str>, outputs: [&PathBuf; 2]) -> Result<Self, Failure> {
        let within = |pattern: &str| {
            let folder = Pattern::escape(&folder.to_string_lossy());
            format!("{}/{pattern}", folder.trim_end_matches('/'))
        };
        if let Some(pattern) = pattern {
            Pattern::new(pattern).map_err(|error| {
                Failure::Usage(format!(
                    "--pattern {}: {error}; quote it, such as 'step_*.npy'",
                    printable(pattern)
                ))
            })?;
            if Path::new(pattern).is_absolute() {
                return Err(Failure::Usage(format!(
                    "--pattern {} is of paths in the folder; leave out what is before them",
                    printable(pattern)
                )));
            }
        }
        let patterns = match pattern {
            Some(pattern) => vec![within(pattern)],
            None => vec![within("*"), within(&format!("*/{X}.*"))],
        };
        let outputs = outputs.into_iter().cloned().collect();
        Ok(Self { folder: folder.into(), patterns, has_own_pattern: pattern.is_some(), outputs })
    }

    /// The checkpoints that are there, each with its partner where it has one.
    pub(super) fn look(&self) -> Result<Vec<Run>, Failure> {
        if let Err(error) = fs::read_dir(&self.folder) {
            return Err(Failure::Input(format!(
                "{}: the folder cannot be read: {error}; name one that is there",
                printable(&self.folder)
            )));
        }
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let mut runs: Vec<Run> = Vec::new();
        for pattern in &self.patterns {
            let paths = glob_with(pattern, options).map_err(|error| Failure::Internal(error.to_string()))?;
            // What cannot be read now may be at the next look.
            for path in paths.flatten().filter(|path| self.is_checkpoint(path)) {
                let run = self.run(path);
                if !runs.iter().any(|other| other.name == run.name) {
                    runs.push(run);
                }
            }
        }
        runs.sort_by_cached_key(|run| natural(&run.name));
        Ok(runs)
    }

    fn is_checkpoint(&self, path: &Path) -> bool {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let is_known =
            self.has_own_pattern || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
        is_known && path.is_file() && !self.outputs.iter().any(|output| is_same(output, path))
    }

    /// The checkpoint of a file: a folder with x is one, whose name is that of the folder.
    fn run(&self, path: PathBuf) -> Run {
        let within = path.strip_prefix(&self.folder).unwrap_or(&path);
        let parent = within.parent().filter(|parent| !parent.as_os_str().is_empty());
        let is_x = path.file_stem().is_some_and(|stem| stem == X);
        let (name, y) = match parent {
            Some(parent) if is_x => (parent.to_string_lossy().into_owned(), partner(&path)),
            _ => (within.to_string_lossy().into_owned(), None),
        };
        let step = step(&name);
        Run { name, x: path, y, place: Place { step, score: None } }
    }
}

/// The file y beside a file x.
fn partner(x: &Path) -> Option<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(x.parent()?).ok()?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let is_known = |path: &PathBuf| {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) || path.extension() == x.extension()
    };
    files
        .into_iter()
        .find(|path| path.file_stem().is_some_and(|stem| stem == Y) && is_known(path) && path.is_file())
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The last whole number in a name, without its ending: 1200 of epoch=3-step=1200.npy.
fn step(name: &str) -> Option<f64> {
    let stem = match name.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.contains(&ending) => stem,
        _ => name,
    };
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = stem[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + stem[at..].chars().next().map_or(1, char::len_utf8));
    stem[start..end].parse().ok()
}

impl State {
    pub(super) fn of(run: &Run) -> Self {
        let state = |(_, path): (_, &Path)| {
            let there = fs::metadata(path).ok();
            (path.to_path_buf(), there.and_then(|there| Some((there.len(), there.modified().ok()?))))
        };
        Self(run.files().map(state).collect())
    }

    /// When the last of its files was written to.
    pub(super) fn written(&self) -> Option<SystemTime> {
        self.0.iter().filter_map(|(_, state)| Some(state.as_ref()?.1)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_last_numbers() {
        for (name, number) in [
            ("step_100.npy", Some(100.0)),
            ("epoch=3-step=1200.safetensors", Some(1200.0)),
            ("checkpoint-500/embeddings.npy", Some(500.0)),
            ("ступень7", Some(7.0)),
            ("12", Some(12.0)),
            ("last.npy", None),
            ("", None),
        ] {
            assert_eq!(step(name), number, "{name}");
        }
    }

    #[test]
    fn a_look_finds_files_of_points_and_folders_with_x() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["pair_3", "other", "single_4"] {
            fs::create_dir(path(name)).unwrap();
        }
        for name in [
            "step_10.npy",
            "step_9.npy",
            ".hidden.npy",
            "log.txt",
            "step_11.npy.tmp",
            "watch.csv",
            "pair_3/x.npy",
            "pair_3/y.npy",
            "pair_3/z.npy",
            "other/model.bin",
            "single_4/x.parquet",
            "own.npy",
        ] {
            fs::write(path(name), "").unwrap();
        }
        let look = |pattern| {
            let found = Folder::new(folder.path(), pattern, [&path("own.npy"), &path("watch.html")]).unwrap();
            let told = |run: Run| (run.name, run.y.is_some(), run.place.step);
            found.look().unwrap_or_default().into_iter().map(told).collect::<Vec<_>>()
        };
        let of = |name: &str, is_pair, step| (name.to_owned(), is_pair, Some(step));
        assert_eq!(
            look(None),
            [
                of("pair_3", true, 3.0),
                of("single_4", false, 4.0),
                of("step_9.npy", false, 9.0),
                of("step_10.npy", false, 10.0)
            ]
        );
        assert_eq!(look(Some("*/z.npy")), [of("pair_3/z.npy", false, 3.0)]);
        assert!(Folder::new(folder.path(), Some("a[.npy"), [&path("a"), &path("b")]).is_err());
        assert!(Folder::new(&path("none"), None, [&path("a"), &path("b")]).unwrap().look().is_err());
    }
}
