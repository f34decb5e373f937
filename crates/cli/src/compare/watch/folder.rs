//! The checkpoints in a folder, and whether they are still being written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Component, MAIN_SEPARATOR, Path, PathBuf},
    time::SystemTime,
};

use glob::{MatchOptions, Pattern};
use unisphere_eval::compare::Place;
use unisphere_io::{natural_order, printable};

use super::super::{files::files_and_results, run::Run, steps::step};
use crate::{endings::is_of_points, exit::Failure, reading::ReadingOptions};

/// The file of the points of a checkpoint that is a folder, without its ending.
pub(super) const X: &str = "x";

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A folder, and which of its files are checkpoints.
pub(super) struct Folder<'a> {
    folder: &'a Path,
    /// Each a pattern of a path within it, name by name.
    patterns: Vec<Vec<Pattern>>,
    has_own_pattern: bool,
    reading: &'a ReadingOptions,
}

/// A checkpoint that is there.
pub(super) struct Found {
    pub(super) name: String,
    /// Its files; or what is wrong with them.
    pub(super) run: Result<Run, String>,
    pub(super) state: State,
}

/// Lengths and times of the files of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct State(Vec<(PathBuf, Option<(u64, SystemTime)>)>);

impl<'a> Folder<'a> {
    pub(super) fn new(
        folder: &'a Path,
        pattern: Option<&str>,
        reading: &'a ReadingOptions,
    ) -> Result<Self, Failure> {
        let patterns = match pattern {
            Some(pattern) => vec![pattern.to_owned()],
            None => vec!["*".into(), format!("*/{X}.*")],
        };
        let of_names = |pattern: &String| {
            let refuse = |wrong: &str| {
                Failure::Usage(format!(
                    "--pattern {}: {wrong}; quote it, such as 'step_*.npy'",
                    printable(pattern)
                ))
            };
            let name = |component: Component<'_>| match component {
                Component::Normal(name) => {
                    Pattern::new(&name.to_string_lossy()).map_err(|error| refuse(&error.to_string()))
                }
                _ => Err(refuse("it is of paths in the folder, without .. or a / before them")),
            };
            match pattern.contains("**") {
                true => Err(refuse("** is none of its signs; write a * for each folder")),
                false => Path::new(pattern).components().map(name).collect(),
            }
        };
        let patterns = patterns.iter().map(of_names).collect::<Result<_, _>>()?;
        Ok(Self { folder, patterns, has_own_pattern: pattern.is_some(), reading })
    }

    /// The checkpoints that are there, in natural order, without these files.
    pub(super) fn look(&self, outputs: &[&Path]) -> Result<Vec<Found>, Failure> {
        let unread = |error: io::Error| {
            Failure::Input(format!(
                "{}: the folder cannot be read: {error}; name one that is there",
                printable(self.folder)
            ))
        };
        fs::read_dir(self.folder).map_err(unread)?;
        let mut found: Vec<Found> = Vec::new();
        for pattern in &self.patterns {
            let mut files = Vec::new();
            matching(self.folder, pattern, &mut files);
            for path in files {
                if !self.is_checkpoint(&path) || outputs.iter().any(|output| is_same(output, &path)) {
                    continue;
                }
                let checkpoint = self.checkpoint(path);
                if !found.iter().any(|other| other.name == checkpoint.name) {
                    found.push(checkpoint);
                }
            }
        }
        found.sort_by(|a, b| natural_order(&a.name, &b.name));
        Ok(found)
    }

    fn is_checkpoint(&self, path: &Path) -> bool {
        (self.has_own_pattern || is_of_points(path)) && path.is_file()
    }

    /// The pattern of files of points in its folders, of which no pattern was given: of those that most of them have, `embeddings.npy` of
    /// `checkpoint-500` and `checkpoint-1000`.
    pub(super) fn pattern_within(&self) -> Option<String> {
        if self.has_own_pattern {
            return None;
        }
        let any = Pattern::new("*").ok()?;
        let mut files = Vec::new();
        matching(self.folder, &[any.clone(), any.clone()], &mut files);
        matching(self.folder, &[any.clone(), any.clone(), any], &mut files);
        let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for path in files.iter().filter(|path| is_of_points(path) && path.is_file()) {
            let mut names = path.strip_prefix(self.folder).ok()?.components();
            let folder = names.next()?.as_os_str().to_str();
            if let (Some(folder), Some(file)) = (folder, names.as_path().to_str()) {
                folders.entry(file.replace('\\', "/")).or_default().insert(folder.to_owned());
            }
        }
        // The first of those of as many folders.
        let (file, folders) = folders.into_iter().rev().max_by_key(|(_, folders)| folders.len())?;
        let stem = |folder: &String| folder.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let stems: BTreeSet<_> = folders.iter().map(stem).collect();
        let is_numbered = |folder: &String| folder.ends_with(|c: char| c.is_ascii_digit());
        let stem = stems.first().filter(|_| stems.len() == 1 && folders.iter().all(is_numbered));
        let stem = stem.map_or(String::new(), |stem| Pattern::escape(stem));
        Some(format!("{stem}*/{}", Pattern::escape(&file)))
    }

    /// The checkpoint of a file: a folder with x is one, whose name is that of the folder.
    fn checkpoint(&self, path: PathBuf) -> Found {
        let within = path.strip_prefix(self.folder).unwrap_or(&path);
        let parent = within.parent().filter(|parent| !parent.as_os_str().is_empty());
        let is_x = path.file_stem().is_some_and(|stem| stem == X);
        let (name, files) = match parent.filter(|_| is_x) {
            // At every look: what is left out is not told.
            Some(parent) => {
                (parent, files_and_results(path.parent().unwrap_or(&path)).map(|(files, _)| files))
            }
            None => (within, Ok((path.clone(), None))),
        };
        // With the signs of a pattern, on any system.
        let name = name.to_string_lossy().replace(MAIN_SEPARATOR, "/");
        let place = Place { step: step(&name), score: None };
        let run = files.and_then(|(x, y)| {
            // Both sets may be in one file.
            let y = self.reading.file_of_y(&x, y.as_deref())?.map(Path::to_path_buf);
            Ok(Run::new(name.clone(), x, y, place))
        });
        let run = run.map_err(|failure| match failure {
            Failure::Input(reason) | Failure::Usage(reason) | Failure::Machine(reason) => reason,
            _ => "its files cannot be told".into(),
        });
        let state = run
            .as_ref()
            .map_or_else(|_| State::of([path.clone()]), |run| State::of(run.files().map(|(_, path)| path)));
        Found { name, run, state }
    }
}

/// Adds the paths below a folder that match a pattern, name by name. What cannot be read now may be at the next look.
fn matching(folder: &Path, names: &[Pattern], files: &mut Vec<PathBuf>) {
    let (Some((first, rest)), Ok(entries)) = (names.split_first(), fs::read_dir(folder)) else { return };
    for entry in entries.flatten() {
        if !first.matches_with(&entry.file_name().to_string_lossy(), OPTIONS) {
            continue;
        }
        match rest {
            [] => files.push(entry.path()),
            rest => matching(&entry.path(), rest, files),
        }
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

impl State {
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(path, _)| path.as_path())
    }

    /// When the last of its files was written.
    pub(super) fn written(&self) -> Option<SystemTime> {
        self.0.iter().filter_map(|(_, there)| Some(there.as_ref()?.1)).max()
    }

    fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let state = |path: PathBuf| {
            let there = fs::metadata(&path).ok();
            (path, there.and_then(|there| Some((there.len(), there.modified().ok()?))))
        };
        Self(files.into_iter().map(state).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_finds_files_of_points_and_folders_with_x() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["pair_3", "other", "single_4", "two_5"] {
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
            "two_5/x.npy",
            "two_5/x.npz",
            "own.npy",
        ] {
            fs::write(path(name), "").unwrap();
        }
        let reading = ReadingOptions::default();
        let own = path("own.npy");
        let look = |folder: &Path, pattern| {
            let found = Folder::new(folder, pattern, &reading).unwrap().look(&[&own]).unwrap();
            let told = |of: Found| (of.name, of.run.map(|run| (run.y.is_some(), run.place.step)).ok());
            found.into_iter().map(told).collect::<Vec<_>>()
        };
        let of = |name: &str, is_pair, step| (name.to_owned(), Some((is_pair, Some(step))));
        let all = [
            of("pair_3", true, 3.0),
            of("single_4", false, 4.0),
            of("step_9.npy", false, 9.0),
            of("step_10.npy", false, 10.0),
            ("two_5".to_owned(), None),
        ];
        assert_eq!(look(folder.path(), None), all);
        // Whatever way the folder is named.
        assert_eq!(look(&folder.path().join("./other/.."), None), all);
        assert_eq!(look(folder.path(), Some("*/z.npy")), [of("pair_3/z.npy", false, 3.0)]);
        for wrong in ["a[.npy", "**/x.npy", "../*.npy", "/a/*.npy"] {
            assert!(Folder::new(folder.path(), Some(wrong), &reading).is_err(), "{wrong}");
        }
        assert!(Folder::new(&path("none"), None, &reading).unwrap().look(&[]).is_err());
    }

    #[test]
    fn files_in_folders_have_a_pattern() {
        let folder = tempfile::tempdir().unwrap();
        let reading = ReadingOptions::default();
        let within = |pattern| Folder::new(folder.path(), pattern, &reading).unwrap().pattern_within();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        write("checkpoint-500/config.json");
        assert_eq!(within(None), None);
        for name in
            ["checkpoint-500/embeddings.npy", "checkpoint-1000/embeddings.npy", "checkpoint-500/a.npy"]
        {
            write(name);
        }
        assert_eq!(within(None).as_deref(), Some("checkpoint-*/embeddings.npy"));
        assert_eq!(within(Some("*.npy")), None);
        for name in ["last/eval/e.npy", "1/eval/e.npy", "2/eval/e.npy"] {
            write(name);
        }
        assert_eq!(within(None).as_deref(), Some("*/eval/e.npy"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_of_any_bytes_are_found() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join(OsStr::from_bytes(b"run\xff"));
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join(OsStr::from_bytes(b"step\xff_3.npy")), "").unwrap();
        let reading = ReadingOptions::default();
        let found = Folder::new(&inner, None, &reading).unwrap().look(&[]).unwrap();
        assert_eq!(found[0].run.as_ref().unwrap().place.step, Some(3.0));
    }
}
