//! Several files as one set.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use half::f16;
use rayon::prelude::*;

use crate::{
    Error, Fault, File, Reading, Result, Source, memory,
    naming::{self, is_pattern},
    origin::Extent,
    stored::Budget,
    table,
};

/// Several files as one set, row after row. Their formats, dtypes and layouts may differ. All of them stay open.
///
/// ```no_run
/// use unisphere_io::{Shards, Source};
///
/// let set = Shards::matching("points/emb_*.npy")?; // emb_2 before emb_10
/// let (file, row) = set.place(1_000_000);
/// println!("row 1,000,000 of {} is row {row} of {}", set.rows(), file.display());
/// # Ok::<(), unisphere_io::Error>(())
/// ```
#[derive(Debug)]
pub struct Shards {
    path: PathBuf,
    /// At least one.
    files: Vec<File>,
    /// The row of the set behind the last one of each file.
    ends: Vec<usize>,
    dims: usize,
    /// The file that was read last.
    last: AtomicUsize,
}

impl Shards {
    /// Opens files, in this order, and checks everything but their values. The set's path is that of the first.
    ///
    /// # Errors
    ///
    /// Those of [`File::open`], [`Fault::NoFiles`], and [`Fault::ShardDims`], which names the file that differs.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        Self::open_with(paths, &Reading::new())
    }

    /// The same, as it is said how.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and [`File::open_with`].
    pub fn open_with<P: AsRef<Path>>(paths: &[P], reading: &Reading) -> Result<Self> {
        let path = paths.first().map(|path| path.as_ref().into()).unwrap_or_default();
        Self::of(path, paths, reading)
    }

    /// Opens the files that a shell's pattern names: `*` and `?` stand for characters of one name, `[0-9]` for one of these,
    /// `**` for directories of any depth. Names are in natural order, in which numbers compare as numbers: emb_2 is
    /// before emb_10. Names that begin with a dot match only a pattern that does. A path without such signs, and one at
    /// which a file is, is that file.
    ///
    /// The names must be one series. They differ in numbers alone, and no two have the same ones. Where neighbours differ in
    /// one number, they do by its step, which is the smallest such difference: emb_0, emb_1, emb_2, and ckpt_1000, ckpt_2000,
    /// ckpt_3000. The step of two files is 1. Names such as x-0-of-3 are as many as they say, from 0 or from 1.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open); [`Fault::Pattern`] for what is no pattern, [`Fault::NoMatch`] where no file matches,
    /// [`Fault::MixedNames`], [`Fault::SameNumbers`], [`Fault::MixedTotals`], [`Fault::MissingShard`] and
    /// [`Fault::ExtraShard`] where the names are no complete series, and [`Fault::PipeMatched`] for a pipe among the files,
    /// for whose writer nobody might want to wait.
    pub fn matching(pattern: &str) -> Result<Self> {
        Self::matching_with(pattern, &Reading::new())
    }

    /// The same, as it is said how.
    ///
    /// # Errors
    ///
    /// Those of [`matching`](Self::matching) and [`File::open_with`].
    pub fn matching_with(pattern: &str, reading: &Reading) -> Result<Self> {
        let path = Path::new(pattern);
        if !is_pattern(path) {
            return Self::open_with(&[path], reading);
        }
        let paths = naming::matches(pattern)?;
        naming::check(path, &paths)?;
        Self::of(path.into(), &paths, reading)
    }

    /// Opens files that are one series, as those of [`matching`](Self::matching) are, from a list in any order: what a shell
    /// makes of a pattern. The set's path is [`name_of_series`](crate::name_of_series), "emb_0.npy … emb_9.npy".
    ///
    /// # Errors
    ///
    /// Those of [`series`](crate::series()) and [`open`](Self::open).
    pub fn series<P: AsRef<Path>>(names: &[P]) -> Result<Self> {
        Self::series_with(names, &Reading::new())
    }

    /// The same, as it is said how.
    ///
    /// # Errors
    ///
    /// Those of [`series`](Self::series) and [`File::open_with`].
    pub fn series_with<P: AsRef<Path>>(names: &[P], reading: &Reading) -> Result<Self> {
        let paths = naming::series(names)?;
        Self::of(naming::name_of_series(&paths), &paths, reading)
    }

    /// The files, in the order of their rows.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    fn of<P: AsRef<Path>>(path: PathBuf, paths: &[P], reading: &Reading) -> Result<Self> {
        let mut budget = Budget::of(reading);
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let file = File::open_in(path.as_ref(), reading, budget)?;
            budget.kept = budget.kept.saturating_add(file.bytes_in_memory());
            files.push(file);
        }
        let Some(first) = files.first() else {
            return Err(Error { path, fault: Fault::NoFiles });
        };
        let dims = first.dims();
        if let Some(other) = files.iter().find(|file| file.dims() != dims) {
            let fault = Fault::ShardDims { dims: other.dims(), first: first.path().into(), first_dims: dims };
            return Err(Error { path: other.path().into(), fault });
        }
        File::check_columns(&files)?;
        let mut ends = Vec::with_capacity(files.len());
        let mut rows = 0usize;
        for file in &files {
            let Some(end) = rows.checked_add(file.rows()) else {
                let fault = Fault::Huge { rows: u64::MAX, dims: dims as u64 };
                return Err(Error { path, fault });
            };
            rows = end;
            ends.push(end);
        }
        Ok(Self { path, files, ends, dims, last: AtomicUsize::new(0) })
    }

    /// The file that a row is in, or the last one, and the rows of the set that are in it.
    fn shard(&self, row: usize) -> (usize, Range<usize>) {
        let index = self.ends.partition_point(|&end| end <= row).min(self.ends.len().saturating_sub(1));
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        (index, start..self.ends[index])
    }

    /// Leaves what was decoded in the last file of a range alone: each may keep some.
    fn forget_all_but_last(&self, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let (first, last) = (self.shard(rows.start).0, self.shard(rows.end - 1).0);
        let before = self.last.swap(last, Ordering::Relaxed);
        let others = (first..last).chain([before]).filter(|&file| file != last);
        others.for_each(|file| self.files[file].table.forget());
    }

    /// The pieces of a range and of its buffer: a file, its rows, and where they go.
    fn pieces<'a>(&'a self, rows: Range<usize>, mut into: &'a mut [f32]) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut row = rows.start;
        while row < rows.end {
            let (index, shard) = self.shard(row);
            let end = rows.end.min(shard.end);
            let (values, rest) = std::mem::take(&mut into).split_at_mut((end - row) * self.dims);
            into = rest;
            let rows = row - shard.start..end - shard.start;
            pieces.push(Piece { file: &self.files[index], rows, into: values });
            row = end;
        }
        pieces
    }
}

/// Rows of one file, and where they go.
struct Piece<'a> {
    file: &'a File,
    rows: Range<usize>,
    into: &'a mut [f32],
}

impl Piece<'_> {
    fn read(self) -> Result<()> {
        self.file.read(self.rows, self.into)
    }
}

impl Shards {
    /// Whether values of any file may have more digits than f32 holds.
    pub fn is_wide(&self) -> bool {
        self.files.iter().any(File::is_wide)
    }

    /// Where the points of all files lie: see [`File::extent`].
    ///
    /// # Errors
    ///
    /// Those of [`File::extent`], with the path of the set.
    pub fn extent(&self) -> Result<Option<Extent>> {
        let tables: Vec<_> = self.files.iter().map(|file| &*file.table).collect();
        Extent::of(&tables).map_err(|fault| Error { path: self.path.clone(), fault })
    }

    /// The same points about an origin: see [`File::about`].
    ///
    /// # Errors
    ///
    /// Those of [`File::about`].
    pub fn about(self, origin: &Arc<[f64]>) -> Result<Self> {
        let files = self.files.into_iter().map(|file| file.about(origin)).collect::<Result<_>>()?;
        Ok(Self { files, ..self })
    }
}

impl Source for Shards {
    fn path(&self) -> &Path {
        &self.path
    }

    fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        let (index, rows) = self.shard(row);
        (self.files[index].path(), row - rows.start)
    }

    fn is_half(&self) -> bool {
        self.files.iter().all(Source::is_half)
    }

    fn rows_at_once(&self) -> usize {
        self.files.iter().map(Source::rows_at_once).max().unwrap_or(1)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        table::check_range(&rows, self.rows(), self.dims, into.len())
            .map_err(|fault| Error { path: self.path.clone(), fault })?;
        let many = into.len() >= memory::MIN_VALUES_FOR_THREADS;
        let touched = rows.clone();
        let pieces = self.pieces(rows, into);
        // Files may be too small for several threads each.
        if many {
            pieces.into_par_iter().try_for_each(Piece::read)?;
        } else {
            pieces.into_iter().try_for_each(Piece::read)?;
        }
        self.forget_all_but_last(touched);
        Ok(())
    }

    fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<()> {
        table::check_range(&rows, self.rows(), self.dims, into.len())
            .map_err(|fault| Error { path: self.path.clone(), fault })?;
        let (mut row, mut into) = (rows.start, into);
        while row < rows.end {
            let (index, shard) = self.shard(row);
            let end = rows.end.min(shard.end);
            let (values, rest) = into.split_at_mut((end - row) * self.dims);
            self.files[index].read_half(row - shard.start..end - shard.start, values)?;
            (row, into) = (end, rest);
        }
        Ok(())
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        let (index, rows) = self.shard(row);
        self.files[index].stored(row - rows.start, dim)
    }
}

/// Opens what a user named: the file at this path, else the files that it matches as [`Shards::matching`] does.
///
/// # Errors
///
/// Those of [`File::open`] and of [`Shards::matching`].
pub fn open(path: impl AsRef<Path>) -> Result<Box<dyn Source>> {
    open_with(path, &Reading::new())
}

/// The same, as it is said how.
///
/// # Errors
///
/// Those of [`open`] and [`File::open_with`].
pub fn open_with(path: impl AsRef<Path>, reading: &Reading) -> Result<Box<dyn Source>> {
    let path = path.as_ref();
    match path.to_str() {
        Some(pattern) if is_pattern(path) => Ok(Box::new(Shards::matching_with(pattern, reading)?)),
        _ => Ok(Box::new(File::open_with(path, reading)?)),
    }
}
