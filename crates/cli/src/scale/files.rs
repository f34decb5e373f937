//! The files of a set: one, or several that a pattern or a list names.

use std::{ffi::OsStr, iter, ops::Deref, path::Path, sync::Arc};

use unisphere::Scaling;
use unisphere_eval::Rounding;
use unisphere_io::{Column, Extent, Fault, File, Labels, Shards, Source, printable};
use unisphere_scale::Sets;

use super::NamedSets;
use crate::{
    exit::Failure,
    interrupt, memory,
    one_a_row::{column_of_labels, cure_of_name, does_first_come_again, first_lines, names_of_rows},
    origin::{Located, about_mean},
    reading::{Of, ReadingOptions, check_together, is_stream, warn_of_guess},
    set_files::SetFiles,
    text,
};

/// Files of x, and of y where there is one.
pub(super) struct Files {
    pub(super) x: Set,
    pub(super) y: Option<Set>,
    /// What rounding takes of raw points.
    pub(super) rounding: Option<Rounding>,
}

/// The rows of a set: in files, or in the memory of a caller.
pub(super) enum Set {
    Files(Shards),
    Held(Box<dyn Source>),
}

impl Set {
    pub(super) fn files(&self) -> &[File] {
        match self {
            Self::Files(shards) => shards.files(),
            Self::Held(_) => &[],
        }
    }

    /// Bytes of the rows as they are stored.
    fn bytes(&self) -> f64 {
        match self {
            Self::Files(shards) => shards.files().iter().map(|file| file.bytes() as f64).sum(),
            Self::Held(rows) => rows.rows() as f64 * rows.dims() as f64 * size_of::<f32>() as f64,
        }
    }

    /// Options that mean nothing to its pipes.
    fn unused_of_pipes(&self) -> Vec<&'static str> {
        let mut pipes = self.files().iter().filter(|file| is_stream(file.path()));
        pipes.next().map_or(Vec::new(), |file| file.unused_options().to_vec())
    }

    /// Columns that its files are read without, as the first one says.
    fn left_out(&self) -> Option<String> {
        self.files().iter().find_map(File::left_out).map(str::to_owned)
    }

    /// Bytes of pipes that are kept, and those that reading takes, of one file after another.
    pub(super) fn bytes_in_memory(&self) -> u64 {
        bytes_in_memory(self.files())
    }
}

/// What is known of the files of X, and of Y, once they are open.
pub(super) struct Found {
    unused_of_pipes: [Vec<&'static str>; 2],
    left_out: [Option<String>; 2],
}

impl Found {
    /// Puts it into how they are read.
    pub(super) fn put_in(self, reading: &mut ReadingOptions) {
        (reading.unused_of_pipes, reading.left_out) = (self.unused_of_pipes, self.left_out);
    }
}

impl Located for Set {
    fn dims(&self) -> usize {
        (**self).dims()
    }

    fn is_wide(&self) -> bool {
        matches!(self, Self::Files(shards) if shards.is_wide())
    }

    fn extent(&self) -> unisphere_io::Result<Option<Extent>> {
        match self {
            Self::Files(shards) => shards.extent(),
            Self::Held(_) => Ok(None),
        }
    }

    fn about(self, origin: &Arc<[f64]>) -> unisphere_io::Result<Self> {
        Ok(match self {
            Self::Files(shards) => Self::Files(shards.about(origin)?),
            held @ Self::Held(_) => held,
        })
    }
}

impl Deref for Set {
    type Target = dyn Source;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Files(shards) => shards,
            Self::Held(rows) => rows,
        }
    }
}

impl Files {
    /// Opens them, of one shape where they are two. Pipes are read whole into so much memory. `of_distances` says that nothing else is
    /// measured, so that raw points may be taken about their mean.
    pub(super) fn open(
        named: &NamedSets,
        max_memory: Option<u64>,
        of_distances: bool,
    ) -> Result<Self, Failure> {
        let files = Self::open_unpaired(named, max_memory, of_distances)?;
        files.check_pairs()?;
        Ok(files)
    }

    /// How they were read, as far as that is known once they are open.
    pub(super) fn found(&self) -> Found {
        let of_y = self.y.as_ref();
        Found {
            unused_of_pipes: [self.x.unused_of_pipes(), of_y.map_or(Vec::new(), Set::unused_of_pipes)],
            left_out: [self.x.left_out(), of_y.and_then(Set::left_out)],
        }
    }

    /// Fails unless the sets are of one shape.
    pub(super) fn check_pairs(&self) -> Result<(), Failure> {
        self.y.as_ref().map_or(Ok(()), |y| check_pairs(&*self.x, &**y))
    }

    /// The same of any shapes.
    pub(super) fn open_unpaired(
        named: &NamedSets,
        max_memory: Option<u64>,
        of_distances: bool,
    ) -> Result<Self, Failure> {
        let mut left = max_memory.unwrap_or(u64::MAX);
        let mut open = |files: &SetFiles, set, other| {
            let reading = named.reading.reading(set).with_max_bytes(left);
            let opened = interrupt::leaving_at_once(|| files.open(&reading))?;
            let set = opened.map_err(|error| SetFiles::fault_beside(other, &named.reading, set, error))?;
            warn_of_guess(set.files());
            left = left.saturating_sub(bytes_in_memory(set.files()));
            Ok::<_, Failure>(set)
        };
        let x = open(&named.x, Of::X, named.y.as_ref())?;
        let y = named.y.as_ref().map(|y| open(y, Of::Y, Some(&named.x))).transpose()?;
        check_dims(&x, named.scaling)?;
        let (x, y) = (Set::Files(x), y.map(Set::Files));
        interrupt::leaving_at_once(|| Self::located(x, y, named.scaling, of_distances))?
    }

    /// Sets that are open; raw ones are taken about their mean, where that saves most of what rounding takes.
    pub(super) fn located(
        x: Set,
        y: Option<Set>,
        scaling: Scaling,
        of_distances: bool,
    ) -> Result<Self, Failure> {
        check_together([&x].into_iter().chain(&y).flat_map(Set::files))?;
        let (x, y, rounding) = about_mean(x, y, scaling, of_distances)?;
        Ok(Self { x, y, rounding })
    }

    pub(super) fn sets(&self) -> Sets<'_> {
        Sets { x: &*self.x, y: self.y.as_deref(), labels: None }
    }

    /// The sets with the label of every row, where there are labels.
    pub(super) fn labelled<'a>(&'a self, labels: Option<&'a Labels>) -> Sets<'a> {
        Sets { labels: labels.map(|labels| labels.of_rows.as_slice()), ..self.sets() }
    }

    /// All of them.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> + Clone {
        iter::once(&self.x).chain(&self.y).flat_map(Set::files).map(File::path)
    }

    /// How many files x and y have.
    pub(super) fn counts(&self) -> Vec<usize> {
        iter::once(&self.x).chain(&self.y).map(|set| set.files().len()).collect()
    }

    /// So much memory without what pipes take of it.
    pub(super) fn left_of(&self, max_memory: Option<u64>) -> Option<u64> {
        let kept = self.x.bytes_in_memory() + self.y.as_ref().map_or(0, Set::bytes_in_memory);
        max_memory.map(|bytes| bytes.saturating_sub(kept))
    }

    /// Bytes of a row of x as it is stored, on average over its files.
    pub(super) fn row_bytes(&self) -> f64 {
        let rows = self.x.rows() + self.y.as_ref().map_or(0, |y| y.rows());
        (self.x.bytes() + self.y.as_ref().map_or(0.0, Set::bytes)) / rows as f64
    }
}

fn bytes_in_memory(files: &[File]) -> u64 {
    let of_reading = files.iter().map(File::bytes_of_reading).max().unwrap_or(0);
    files.iter().map(File::bytes_in_memory).sum::<u64>() + of_reading
}

/// Fails for points of one dimension at unit length, of which nothing is left but a sign.
pub(crate) fn check_dims(set: &dyn Source, scaling: Scaling) -> Result<(), Failure> {
    if set.dims() > 1 || scaling == Scaling::Raw {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{}: {} points of one dimension, each of which is 1 or -1 at unit length\n\
         --raw takes them as they are; one embedding of d dimensions is a row: save numpy.stack([x, y])",
        printable(set.path()),
        text::count(set.rows() as u64)
    )))
}

/// Fails unless two sets have one shape.
pub(crate) fn check_pairs(x: &dyn Source, y: &dyn Source) -> Result<(), Failure> {
    if (x.rows(), x.dims()) == (y.rows(), y.dims()) {
        return Ok(());
    }
    // Two columns of one file have one path.
    let is_one_file = x.path() == y.path();
    let shape = |name: &str, set: &dyn Source| {
        let of_file = if is_one_file { format!("{name} of ") } else { String::new() };
        format!("{of_file}{} is {} × {}", printable(set.path()), set.rows(), set.dims())
    };
    let or_unpaired = if x.dims() == y.dims() { "; eval --unpaired takes any rows" } else { "" };
    Err(Failure::Input(format!(
        "{} and {} (rows × dims)\n\
         row i of both is one positive pair: save the same rows of both, from one encoder{or_unpaired}",
        shape("X", x),
        shape("Y", y)
    )))
}

/// A column of one value a row, of this name where its file has several: a label, a weight, a score or a text. A pipe is read whole.
pub(crate) fn open_column(path: &Path, name: Option<&str>, what: &str) -> Result<Column, Failure> {
    let error = match interrupt::leaving_at_once(|| Column::open_named(path, name))? {
        Ok(column) => return Ok(column),
        Err(error) => error,
    };
    let Fault::ManyScalars { columns } = &error.fault else { return Err(error.into()) };
    let option = column_option(what);
    let is_there = |name: &&&str| !is_stream(path) && Column::open_named(path, Some(name)).is_ok();
    let named = usual_names(what).iter().filter(is_there).collect::<Vec<_>>();
    // Where some names are numbers and others are none, nobody knows whether the first line is a header.
    let is_number = |name: &str| name.parse::<usize>().is_ok();
    let is_mixed = columns.split(", ").any(is_number) && !columns.split(", ").all(is_number);
    let number = if what == "label" && !is_mixed { column_of_labels(path) } else { None };
    let cure = match (named.as_slice(), number) {
        ([only], _) => format!("name the one that is meant: {option} {only}"),
        (_, Some(number)) => {
            format!(
                "where its first line is no header, name the column by its number, from 0: {option} {number}"
            )
        }
        _ => format!("name the one that is meant with {option}"),
    };
    Err(Failure::Input(format!("{} has several columns: {columns}\n{cure}", printable(path))))
}

/// The option that names such a column.
fn column_option(what: &str) -> String {
    if what == "text" { "--text-column".to_owned() } else { format!("--{what}s-column") }
}

/// What such a column is usually called.
fn usual_names(what: &str) -> &'static [&'static str] {
    match what {
        "label" => &["label", "labels", "class", "category", "cluster", "group", "target"],
        "weight" => &["weight", "weights"],
        "score" => &["score", "scores", "similarity"],
        _ => &["text", "sentence"],
    }
}

/// The characters that are told of a first line.
const HEADER: usize = 20;

/// Fails unless a column has one value for each row of a set.
pub(crate) fn check_one_a_row(column: &Column, what: &str, x: &dyn Source) -> Result<(), Failure> {
    if column.rows() == x.rows() {
        return Ok(());
    }
    let ending = column.path().extension().and_then(OsStr::to_str);
    let is_headed =
        ending.is_some_and(|ending| ["csv", "tsv"].iter().any(|of| ending.eq_ignore_ascii_case(of)));
    // The first line of such a file names the columns, unless it is of numbers.
    let is_text = is_headed || ending.is_none_or(|ending| ending.eq_ignore_ascii_case("txt"));
    // A first line that comes again is no header, unless it is how pandas calls a series without a name in CSV.
    let lines = first_lines(column);
    let may_be_series = is_headed && lines.first().is_some_and(|line| line == "0");
    let is_text = is_text && (may_be_series || !does_first_come_again(&lines));
    let cure = if is_headed && column.rows() + 1 == x.rows() {
        let cure = cure_of_name(column, &column_option(what));
        format!("if its first line is a {what} too, and no name of a column, {cure}")
    } else if is_text && column.rows() == x.rows() + 1 {
        let first = column.excerpts(&[0], HEADER).unwrap_or_default().concat();
        let or_call = match (is_headed, ending) {
            (true, _) => ", or give the column a name that is no number",
            (false, Some(_)) => ", or call the file .csv, whose first line names the column",
            (false, None) => "",
        };
        format!("its first line, '{}', may be a header: delete it{or_call}", printable(first))
    } else {
        format!("save one {what} a row, in their order")
    };
    Err(Failure::Input(format!(
        "{} holds {}, and {} has {}\n{cure}",
        printable(column.path()),
        text::plural(column.rows() as u64, what),
        printable(x.path()),
        text::plural(x.rows() as u64, "row"),
    )))
}

/// Fails where each line of a text is a label of a group, and all differ, though they are rows of a table that has a column of labels.
pub(crate) fn check_groups(column: &Column) -> Result<(), Failure> {
    let is_text = column.path().extension().is_none_or(|ending| ending.eq_ignore_ascii_case("txt"));
    let lines = if is_text && !is_stream(column.path()) { first_lines(column) } else { Vec::new() };
    let (Some(names), Some(first)) = (names_of_rows(&lines), lines.first()) else { return Ok(()) };
    let first: String = first.chars().take(HEADER).collect();
    Err(Failure::Input(format!(
        "{}: a line of a .txt is one label, such as '{}', and no two are alike\n\
         write a line of names above it, {names}, call the file .csv, and add {} label",
        printable(column.path()),
        printable(first),
        column_option("label")
    )))
}

/// What a report keeps for each row beside its coordinates: sums, their logs, distances. 10⁷ rows take 57 bytes each.
const BYTES_OF_A_ROW: u64 = 64;

/// Points that take more memory than is free.
pub(crate) struct Excess {
    points: u64,
    free: u64,
}

impl Excess {
    /// None where the points and what a report keeps for each of them fit, where nothing is known of what is free, and of pipes,
    /// which cannot be read again.
    pub(crate) fn of<'a>(files: impl Iterator<Item = &'a File> + Clone) -> Option<Self> {
        let free = memory::available()?;
        let bytes = |file: &File| {
            let of_row =
                (file.dims() as u64).saturating_mul(size_of::<f32>() as u64).saturating_add(BYTES_OF_A_ROW);
            (file.rows() as u64).saturating_mul(of_row)
        };
        let points = files.clone().map(bytes).fold(0, u64::saturating_add);
        let has_pipe = files.map(File::bytes_in_memory).any(|bytes| bytes > 0);
        (points > free && !has_pipe).then_some(Self { points, free })
    }

    /// Why a report that this option asks for cannot be made.
    pub(crate) fn refusal_of(&self, option: &str) -> String {
        format!(
            "the points take {} as f32, and {} are free; {option} needs all of them in memory\n\
             take a sample of the rows of each file",
            text::bytes(self.points),
            text::bytes(self.free)
        )
    }

    /// An error where they cannot be read in pieces, for this reason.
    pub(crate) fn refusal(&self, reason: Failure) -> Failure {
        let Failure::Usage(reason) = reason else { return reason };
        Failure::Usage(format!(
            "the points and what a report keeps for each take {}, and {} are free\n{}",
            text::bytes(self.points),
            text::bytes(self.free),
            reason.lines().next().unwrap_or_default()
        ))
    }

    /// What follows from it.
    pub(crate) fn notice(&self) -> String {
        format!(
            "the points and what a report keeps for each take {}, and {} are free: they are read in pieces\n\
             --tolerance auto estimates uniformity from a small part of the pairs",
            text::bytes(self.points),
            text::bytes(self.free)
        )
    }
}
