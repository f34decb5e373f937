//! The two doors: a file, and bytes in memory.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use half::f16;
use unisphere::{Embeddings, Scaling};

use crate::{
    Error, Fault, Reading, Result, Source, dtype,
    formats::{self, Found, choice::number_behind, columns::first_few, npy},
    grid::Grid,
    origin::{About, Extent},
    printable,
    stored::Budget,
    table::{Notes, Table},
};

/// An open file of points whose header is sound and agrees with the file's length. Several threads may read it at once.
///
/// A pipe is a file too: `/dev/stdin`, what a shell makes of `<(zcat points.npy.gz)`, and a named one. It has no length,
/// and gives its bytes once. So all of them are read when it is opened, and its values are kept as they are stored for as
/// long as this lives. Memory for them grows with what arrives, by an eighth of it or 1 MiB at a time, whatever the
/// header claims. The pipe must end where they do.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    pub(crate) table: Box<dyn Table>,
    /// Options that were given for several files together, and mean nothing to this one.
    unused: Vec<&'static str>,
    notes: Notes,
}

impl File {
    /// Opens a file and checks everything but its values.
    ///
    /// A pipe is read to its end, and this waits until its writer closes it. A named one that has no writer is waited for
    /// too, even where it was read before; any other that was read is empty.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a path, of a format, of a header and of a pipe, with the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &Reading::new())
    }

    /// The same, as it is said how.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), [`Fault::PipeLimit`], and those of a name that is not there.
    pub fn open_with(path: impl AsRef<Path>, reading: &Reading) -> Result<Self> {
        Self::open_in(path.as_ref(), reading, Budget::of(reading))
    }

    pub(crate) fn open_in(path: &Path, reading: &Reading, budget: Budget) -> Result<Self> {
        match formats::open(path, reading, budget) {
            Ok(Found { table, unused, notes }) => Ok(Self { path: path.into(), table, unused, notes }),
            Err(fault) => Err(Error { path: path.into(), fault }),
        }
    }

    /// That files make one set or several that are compared: what was said for all of them together, as [`Reading::for_several`] has
    /// it, means something to one of them at least, and columns that have names stand in one order.
    ///
    /// # Errors
    ///
    /// [`Fault::UnusedOption`], with the path of the first file; [`Fault::OtherOrder`].
    pub fn check_together<'a>(files: impl IntoIterator<Item = &'a Self>) -> Result<()> {
        let files: Vec<_> = files.into_iter().collect();
        let Some((first, others)) = files.split_first() else { return Ok(()) };
        let is_unused = |option: &&&'static str| others.iter().all(|file| file.unused.contains(option));
        match first.unused.iter().find(is_unused) {
            Some(&option) => Err(first.error(Fault::UnusedOption { option })),
            None => Self::check_columns(files),
        }
    }

    /// That columns of these files which have the same names, or the same numbers behind their names, stand in one order.
    ///
    /// # Errors
    ///
    /// [`Fault::OtherOrder`].
    pub fn check_columns<'a>(files: impl IntoIterator<Item = &'a Self>) -> Result<()> {
        let mut named = files.into_iter().filter(|file| !file.notes.names.is_empty());
        let Some(first) = named.next() else { return Ok(()) };
        named.try_for_each(|file| match other_order(&first.notes.names, &file.notes.names) {
            None => Ok(()),
            Some((here, there)) => Err(file.error(Fault::OtherOrder {
                other: printable(&first.path).to_string(),
                column: dtype::excerpt(file.notes.names[here].as_bytes()),
                here: here + 1,
                there: there + 1,
            })),
        })
    }

    /// What is to be said of files whose rows are compared: the first whose columns stand in the order of text, 0, 1, 10, 2, beside one of
    /// as many that has no names, so that dimensions of one may be others of the other; and what writes it otherwise.
    pub fn guess_of_order<'a>(files: impl IntoIterator<Item = &'a Self>) -> Option<(&'a Path, String)> {
        let (named, bare): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| !file.notes.names.is_empty());
        let sorted = named.into_iter().find(|file| is_in_order_of_text(&file.notes.names))?;
        let other = bare.into_iter().find(|file| file.dims() == sorted.dims())?;
        let names = first_few(sorted.notes.names.iter().map(String::as_bytes));
        Some((
            &sorted.path,
            format!(
                "has its columns in the order of text, {names}, and {} has no names of columns; if its columns are in the order of \
                 numbers, write {} so, in pandas by x[sorted(x, key=lambda c: int(re.sub(r'\\D', '', c)))]",
                printable(&other.path),
                printable(&sorted.path)
            ),
        ))
    }

    /// What was said for several files together, as [`Reading::for_several`] has it, and means nothing to this one: the program's options.
    pub fn unused_options(&self) -> &[&'static str] {
        &self.unused
    }

    /// The columns that were left out without being named, such as an index that pandas writes, or what the caller says to be
    /// [no dimensions](Reading::without_columns): "label, __index_level_0__".
    pub fn left_out(&self) -> Option<&str> {
        self.notes.left_out.as_deref()
    }

    /// What was guessed of the columns and may be wrong, and how to say otherwise: "takes the column 5 for dimensions, …".
    pub fn guess(&self) -> Option<&str> {
        self.notes.guess.as_deref()
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many points.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// Of how many dimensions.
    pub fn dims(&self) -> usize {
        self.table.dims()
    }

    /// How the values are stored, as numpy writes it, and what they stand for: "<f4", "bfloat16", "bits in |u1".
    pub fn dtype(&self) -> String {
        self.table.dtype()
    }

    /// Bytes of all values as they are stored.
    pub fn bytes(&self) -> u64 {
        self.table.bytes()
    }

    /// Bytes that are kept in memory: those of a pipe, or of a compressed array, and none of other regular files.
    pub fn bytes_in_memory(&self) -> u64 {
        self.table.bytes_in_memory()
    }

    /// Bytes that reading takes at most beside what is read into, where a format keeps what it has decoded: those of columns of Parquet, and
    /// none of other formats.
    pub fn bytes_of_reading(&self) -> u64 {
        self.table.bytes_of_reading()
    }

    /// Reads the points, (rows, dims). They own their memory, so an engine on the CPU can
    /// [take it over](unisphere::Engine::upload_owned).
    ///
    /// # Errors
    ///
    /// [`Fault::Overflow`] and [`Fault::Content`] for values that cannot be measured, [`Fault::Changed`] for a
    /// file that shrank since it was opened, [`Fault::Memory`], and [`Fault::Io`].
    pub fn embeddings(&self, scaling: Scaling) -> Result<Embeddings<'static>> {
        Source::embeddings(self, scaling)
    }

    /// Reads the points but for some rows, given in ascending order. Faults name rows of the file.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings`](Self::embeddings).
    pub fn embeddings_without(&self, rows: &[usize], scaling: Scaling) -> Result<Embeddings<'static>> {
        Source::embeddings_without(self, rows, scaling)
    }

    /// The rows that hold nothing but zeros, in ascending order.
    ///
    /// # Errors
    ///
    /// [`Fault::Changed`], [`Fault::Memory`] and [`Fault::Io`].
    pub fn zero_rows(&self) -> Result<Vec<usize>> {
        Source::zero_rows(self)
    }

    /// Whether values may have more digits than f32 holds: f64, wide integers, text.
    pub fn is_wide(&self) -> bool {
        self.table.is_wide()
    }

    /// Where the points lie, by a pass over them in f64. None where a value is not finite.
    ///
    /// # Errors
    ///
    /// Those of [`embeddings`](Self::embeddings) but for what is wrong with values.
    pub fn extent(&self) -> Result<Option<Extent>> {
        Extent::of(&[&*self.table]).map_err(|fault| self.error(fault))
    }

    /// The same points about an origin (d): it is taken from them in f64, before they are rounded to f32. Distances stay what they are,
    /// and products of points, lengths and the mean do not.
    ///
    /// # Errors
    ///
    /// [`Fault::Buffer`] for an origin of other dimensions.
    pub fn about(self, origin: &Arc<[f64]>) -> Result<Self> {
        if origin.len() != self.dims() {
            let fault = Fault::Buffer { values: origin.len(), rows: 1, dims: self.dims() };
            return Err(self.error(fault));
        }
        Ok(Self { table: Box::new(About { table: self.table, origin: Arc::clone(origin) }), ..self })
    }

    pub(crate) fn error(&self, fault: Fault) -> Error {
        Error { path: self.path.clone(), fault }
    }
}

impl Source for File {
    fn path(&self) -> &Path {
        &self.path
    }

    fn rows(&self) -> usize {
        self.table.rows()
    }

    fn dims(&self) -> usize {
        self.table.dims()
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        (&self.path, row)
    }

    fn is_half(&self) -> bool {
        self.table.scalar() == Some(dtype::Scalar::F16)
    }

    fn rows_at_once(&self) -> usize {
        self.table.rows_at_once()
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        self.table.read(rows, into).map_err(|fault| self.error(fault))
    }

    fn read_half(&self, rows: Range<usize>, into: &mut [f16]) -> Result<()> {
        self.table.read_half(rows, into).map_err(|fault| self.error(fault))
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        self.table.stored(row, dim).map_err(|fault| self.error(fault))
    }
}

/// Points from the bytes of a `.npy` file, (rows, dims).
///
/// # Errors
///
/// Those of [`File`], except what only a path can cause.
///
/// ```
/// use unisphere::Scaling;
///
/// let header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}";
/// let length = (header.len() as u16).to_le_bytes();
/// let values = [3.0f32, 4.0].map(f32::to_le_bytes);
/// let bytes = [b"\x93NUMPY\x01\x00", &length[..], header, values.as_flattened()].concat();
///
/// let points = unisphere_io::parse(&bytes, Scaling::Unit)?;
/// assert_eq!((points.rows(), points.values()), (1, [3.0, 4.0].as_slice()));
/// # Ok::<(), unisphere_io::Fault>(())
/// ```
pub fn parse(bytes: &[u8], scaling: Scaling) -> Result<Embeddings<'static>, Fault> {
    let grid = npy::header::grid(&mut { bytes }, Some(bytes.len() as u64), &Reading::new())?;
    Bytes { bytes, grid }.embeddings(scaling).map_err(|error| error.fault)
}

/// The bytes of a file, which has no path.
#[derive(Debug)]
struct Bytes<'a> {
    bytes: &'a [u8],
    grid: Grid,
}

impl Source for Bytes<'_> {
    fn path(&self) -> &Path {
        Path::new("")
    }

    fn rows(&self) -> usize {
        self.grid.rows
    }

    fn dims(&self) -> usize {
        self.grid.dims
    }

    fn place(&self, row: usize) -> (&Path, usize) {
        (self.path(), row)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<()> {
        self.grid.read(self.bytes, rows, into).map_err(nameless)
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64> {
        self.grid.stored(self.bytes, row, dim).map_err(nameless)
    }
}

fn nameless(fault: Fault) -> Error {
    Error { path: PathBuf::new(), fault }
}

/// The first of the second names that stands elsewhere among the first ones, where both are the same but for their order: its places in
/// both.
fn other_order(first: &[String], second: &[String]) -> Option<(usize, usize)> {
    let numbers = |names: &[String]| names.iter().map(|name| number_behind(name)).collect::<Option<Vec<_>>>();
    match numbers(first).zip(numbers(second)) {
        Some((first, second)) => elsewhere(&first, &second),
        None => elsewhere(first, second),
    }
}

/// Whether names with numbers behind them stand in the order of text, which is not that of the numbers.
fn is_in_order_of_text(names: &[String]) -> bool {
    let numbers: Option<Vec<_>> = names.iter().map(|name| number_behind(name)).collect();
    names.is_sorted() && numbers.is_some_and(|numbers| !numbers.is_sorted())
}

fn elsewhere<T: Eq + Hash>(first: &[T], second: &[T]) -> Option<(usize, usize)> {
    let here = first.iter().zip(second).position(|(first, second)| first != second)?;
    let places: HashMap<_, _> = first.iter().zip(0..).collect();
    let all: HashSet<_> = second.iter().collect();
    let are_same = first.len() == second.len() && all.len() == second.len();
    let there = *places.get(&second[here])?;
    (are_same && second.iter().all(|of| places.contains_key(of))).then_some((here, there))
}
