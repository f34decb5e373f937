//! The files of X and Y, as the command line names them.

use std::{
    iter,
    path::{Path, PathBuf},
    slice,
};

use serde_json::Value;
use unisphere_io::{Reading, Shards, differ_in_one_number, is_pattern, name_of_series, printable, series};

use crate::{
    exit::Failure,
    interrupt,
    reading::{INPUT, Of, ReadingOptions, is_stream},
};

/// Files in the place of X and Y, where these are several each.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub(crate) struct ShardOptions {
    /// Numbered files in the place of X that are one set of any size, as the shell makes of emb_*.npy: emb_2 before emb_10,
    /// whatever their order here. The list ends at the next option
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = INPUT)]
    shards: Vec<PathBuf>,

    /// The same in the place of Y
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "shards", help_heading = INPUT)]
    shards_y: Vec<PathBuf>,
}

impl ShardOptions {
    /// The sets X and Y, of which clap has seen to X: as arguments, or as lists of files.
    pub(crate) fn sets(
        &self,
        x: Option<&Path>,
        y: Option<&Path>,
        reading: &ReadingOptions,
    ) -> Result<(SetFiles, Option<SetFiles>), Failure> {
        let Some(x) = x else {
            let x = SetFiles::listed(&self.shards)?;
            let y = match self.shards_y.as_slice() {
                [] => reading.names_two_sets().then(|| x.clone()),
                files => Some(SetFiles::listed(files)?),
            };
            return Ok((x, y));
        };
        if !self.shards.is_empty() {
            return Err(Failure::Usage(format!(
                "{} is named as X, and --shards names the files of X too\n\
                 leave out one of them; --shards-y names the files of Y beside --shards",
                printable(x)
            )));
        }
        let y = reading.file_of_y(x, y)?;
        Ok((SetFiles::of_path(x), y.map(SetFiles::of_path)))
    }
}

/// The files of a set, as they are named: one, a pattern, or a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SetFiles {
    /// The file or the pattern, or what the files of a list are called together.
    path: PathBuf,
    /// The files of a list, in the order of their rows; none where there is none.
    listed: Vec<PathBuf>,
}

impl SetFiles {
    /// A file, or the files that a pattern matches.
    pub(crate) fn of_path(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), listed: Vec::new() }
    }

    /// The fault of a set that cannot be opened, beside another whose columns `--column` may be of.
    pub(crate) fn fault_beside(
        other: Option<&Self>,
        reading: &ReadingOptions,
        set: Of,
        error: unisphere_io::Error,
    ) -> Failure {
        let can_be_tried = |files: &&Self| !files.files().iter().any(|path| is_stream(path));
        reading.fault_beside(set, error, |reading| {
            let opened = |files: &Self| interrupt::leaving_at_once(|| files.open(reading));
            other.filter(can_be_tried).is_some_and(|files| matches!(opened(files), Ok(Ok(_))))
        })
    }

    /// Files of one series, in any order.
    fn listed(names: &[PathBuf]) -> Result<Self, Failure> {
        Ok(Self::in_order(interrupt::leaving_at_once(|| series(names))??))
    }

    fn in_order(listed: Vec<PathBuf>) -> Self {
        Self { path: name_of_series(&listed), listed }
    }

    /// The file or the pattern, or what the files of a list are called together: "emb_0.npy … emb_9.npy".
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The files of a list; elsewhere the file or the pattern.
    pub(crate) fn files(&self) -> &[PathBuf] {
        if self.is_listed() { &self.listed } else { slice::from_ref(&self.path) }
    }

    /// The files that there are: those that a pattern matches, where they are on this machine.
    pub(crate) fn expanded(&self) -> Vec<PathBuf> {
        let matched = if is_pattern(&self.path) { series(slice::from_ref(&self.path)).ok() } else { None };
        matched.unwrap_or_else(|| self.files().to_vec())
    }

    /// Fails where a pattern matches no files, or files that are no series.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if is_pattern(&self.path) && !self.is_listed() {
            series(slice::from_ref(&self.path))?;
        }
        Ok(())
    }

    pub(crate) fn is_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Whether it may have several files, as a pattern and a list do.
    pub(crate) fn may_be_several(&self) -> bool {
        self.is_listed() || is_pattern(&self.path)
    }

    /// The file of a column that `option` names: this one where only the column is named.
    pub(crate) fn column_file(
        &self,
        option: &str,
        file: Option<&PathBuf>,
        column: Option<&String>,
    ) -> Result<Option<PathBuf>, Failure> {
        let is_own = file.is_none() && column.is_some();
        if is_own && self.may_be_several() {
            return Err(Failure::Usage(format!(
                "{option}-column without {option} is a column of the points' own file, and {} may be several files\n\
                 give one file with {option}",
                printable(&self.path)
            )));
        }
        if is_own && is_stream(&self.path) {
            return Err(Failure::Input(format!(
                "{}: its points and {option}-column are read one after the other, and a pipe gives its bytes once\n\
                 write it to a file first, or give another file with {option}",
                printable(&self.path)
            )));
        }
        Ok(file.cloned().or(is_own.then(|| self.path.clone())))
    }

    pub(crate) fn open(&self, reading: &Reading) -> unisphere_io::Result<Shards> {
        if self.is_listed() {
            Shards::series_with(&self.listed, reading)
        } else if is_pattern(&self.path) {
            Shards::matching_with(&self.path.to_string_lossy(), reading)
        } else {
            Shards::open_with(&[&self.path], reading)
        }
    }

    /// The same with paths that do not depend on this folder.
    pub(crate) fn absolute(&self) -> Result<Self, Failure> {
        let files = self.files().iter().map(|path| absolute(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(if self.is_listed() {
            Self::in_order(files)
        } else {
            Self { path: files.into_iter().collect(), listed: Vec::new() }
        })
    }

    /// What a plan keeps: a path, or a list of them.
    pub(crate) fn to_json(&self) -> Result<Value, Failure> {
        let text = |path: &PathBuf| {
            let text = path.to_str().map(Value::from);
            text.ok_or_else(|| {
                Failure::Input(format!("{}: a plan names files in UTF-8; rename it", printable(path)))
            })
        };
        if self.is_listed() { self.listed.iter().map(text).collect() } else { text(&self.path) }
    }

    /// From what a plan keeps.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let path = |value: &Value| Some(PathBuf::from(value.as_str()?));
        match value {
            Value::Array(files) if files.is_empty() => None,
            Value::Array(files) => Some(Self::in_order(files.iter().map(path).collect::<Option<_>>()?)),
            _ => Some(Self::of_path(path(value)?)),
        }
    }
}

/// A warning where two files are taken for X and Y, and have names as the parts of one set do.
pub(crate) fn warn_of_numbered(x: &SetFiles, y: Option<&SetFiles>) {
    let (x, Some(y)) = (x.path(), y.map(SetFiles::path)) else { return };
    if differ_in_one_number(x, y) && !is_stream(x) {
        let (x, y) = (printable(x), printable(y));
        log::warn!(
            "{x} and {y} are taken for X and Y, positive pairs row by row\n--shards {x} {y} takes them for parts of one set"
        );
    }
}

/// Fails where a plan names pipes, which give their bytes once.
pub(crate) fn check_no_pipes(x: &SetFiles, y: Option<&SetFiles>) -> Result<(), Failure> {
    let mut files = iter::once(x).chain(y).flat_map(SetFiles::files);
    match files.find(|path| is_stream(path)) {
        None => Ok(()),
        Some(path) => Err(Failure::Input(format!(
            "{} is no regular file, and every part reads its files anew; write it to a file first",
            printable(path)
        ))),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let name = printable(path);
    let absolute = std::path::absolute(path).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    // A folder that is put before a pattern is not to be read as one.
    let folder = absolute.to_string_lossy().trim_end_matches(&*path.to_string_lossy()).to_owned();
    if is_pattern(path) && folder.contains(['*', '?', '[']) {
        return Err(Failure::Input(format!(
            "{name} is a pattern, and so is the name of this folder, {folder}; rename the folder"
        )));
    }
    Ok(absolute)
}
