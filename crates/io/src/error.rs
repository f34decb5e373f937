//! What can be wrong with a file, and the cure.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{RawFloat, printable};

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A file, and what is wrong with it. Always a fault of the input, never of the program or the device.
#[derive(Debug, thiserror::Error)]
#[error("{}{fault}", prefix(.path))]
pub struct Error {
    /// The file as the caller named it, or the pattern that files should match; empty where no file was named.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file, and the cure. Rows and dimensions are counted from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing is at this path.
    #[error("no such file; check the path")]
    NotFound,
    /// The file is there and may not be read.
    #[error("not readable by this user; change its permissions or its owner")]
    PermissionDenied,
    /// A directory.
    #[error("a directory; name a file in it, or in quotes a pattern of its numbered files")]
    Directory,
    /// A device, such as a terminal, or a socket.
    #[error("a device, a terminal or a socket, neither a file nor a pipe; write its content to a file first")]
    Stream,
    /// The system failed to read it.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
    /// The file shrank after its header was checked.
    #[error("became shorter while it was read; let its writer finish, and read it again")]
    Changed,

    /// A pipe that gave nothing, or what is left of one that was read before.
    #[error(
        "a pipe that ended before its first byte; check the program that writes it, and name a pipe only once"
    )]
    PipeEmpty,
    /// A pipe that ended within the values.
    #[error(
        "a pipe that ended after {found} bytes, and its header claims {claimed}; see why its writer stopped"
    )]
    PipeCut {
        /// Bytes that it gave.
        found: u64,
        /// Bytes of the header and the values that it claims.
        claimed: u64,
    },
    /// A pipe that did not end behind the values.
    #[error("a pipe that goes on after the {claimed} bytes that its header claims; write one array to it")]
    PipeLonger {
        /// Bytes of the header and the values that it claims.
        claimed: u64,
    },
    /// A pipe of more bytes than the caller allows to be kept in memory.
    #[error(
        "a pipe that needs {needed} bytes of memory, and {limit} are allowed; write it to a file first, which may be \
             of any size, or allow more memory"
    )]
    PipeLimit {
        /// Bytes of the values that its header claims, and of the pipes before it in a set.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A compressed array of more bytes than the caller allows to be kept in memory.
    #[error(
        "a compressed array that needs {needed} bytes of memory, and {limit} are allowed; save it with numpy.savez, \
             which does not compress, or allow more memory"
    )]
    InflateLimit {
        /// Bytes of its values, and of those before it in a set.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Not enough memory for what a pipe holds.
    #[error(
        "a pipe whose header claims {claimed} bytes, more memory than there is; write it to a file first, which may \
             be of any size"
    )]
    PipeMemory {
        /// Bytes of the header and the values that it claims.
        claimed: u64,
    },
    /// A pipe among numbered files that are one set.
    #[error("a pipe, and a set of numbered files has none; name it by itself, or leave it out")]
    PipeMatched,

    /// No file where at least one is needed.
    #[error("no file was named; name at least one")]
    NoFiles,
    /// A file that a list has twice.
    #[error("named twice; name each file of a set once")]
    NamedTwice,
    /// What is no pattern of names.
    #[error(
        "no file, and no pattern either: {problem}, at character {at}; write [[] for [, [*] for * and [?] for ?"
    )]
    Pattern {
        /// Characters before the problem.
        at: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A pattern of names that no file has.
    #[error("no file has a name like this; check the directory and the pattern")]
    NoMatch,
    /// Files of several series.
    #[error(
        "{} and {} have names that differ in more than numbers; name the files of one series only",
        printable(.first), printable(.other)
    )]
    MixedNames {
        /// The first file.
        first: PathBuf,
        /// The first file that is not of its series.
        other: PathBuf,
    },
    /// Two files of the same numbers, such as emb_1 and emb_01.
    #[error(
        "{} and {} have names with the same numbers; leave out one of them, or give it another number",
        printable(.first), printable(.other)
    )]
    SameNumbers {
        /// One of them.
        first: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// Files of different totals, such as x-0-of-2 and x-1-of-3.
    #[error(
        "{} and {} have names that say different totals; name the files of one series only",
        printable(.first), printable(.other)
    )]
    MixedTotals {
        /// The first file.
        first: PathBuf,
        /// The first file of another total.
        other: PathBuf,
    },
    /// A number that is left out in the names of files.
    #[error("{} is missing{}", printable(.missing), whence(*.total))]
    MissingShard {
        /// The first file that is missing.
        missing: PathBuf,
        /// How many files there should be, where their names say so, such as x-0-of-3.
        total: Option<u128>,
    },
    /// More files than their names say.
    #[error(
        "{} is one more than the {total} files that its name says; name the files of one series only",
        printable(.extra)
    )]
    ExtraShard {
        /// The first file too many.
        extra: PathBuf,
        /// How many files there should be.
        total: u128,
    },
    /// A file of other dimensions than the first of its set.
    #[error("has {dims} dimensions, and {} has {first_dims}; name files of one encoder only", printable(.first))]
    ShardDims {
        /// Its dimensions.
        dims: usize,
        /// The first file.
        first: PathBuf,
        /// The dimensions of the first file.
        first_dims: usize,
    },

    /// What is no file of points.
    #[error("{found}; {cure}")]
    Format {
        /// What it is.
        found: &'static str,
        /// How to come to a file of points.
        cure: &'static str,
    },
    /// The file ends within its header.
    #[error("ends after {length} bytes, within its header; it was cut short: copy or save it again")]
    HeaderCut {
        /// Bytes in the file.
        length: u64,
    },
    /// A format version that numpy has not defined.
    #[error(".npy version {major}.{minor}, and 1.0, 2.0 and 3.0 are known; save it again with numpy.save")]
    Version {
        /// Its first part.
        major: u8,
        /// Its second part.
        minor: u8,
    },
    /// A header longer than any matrix of floats needs, and than numpy reads by default.
    #[error("its header claims {length} bytes, and {limit} are the most; save it again with numpy.save")]
    HeaderLength {
        /// Bytes claimed.
        length: u32,
        /// Bytes allowed.
        limit: u32,
    },
    /// A header that is not the dictionary that it must be.
    #[error("its header is damaged: byte {at} of it should be {}; save it again with numpy.save", quoted(.expected))]
    HeaderSyntax {
        /// Bytes into the header's text.
        at: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// A key that the format does not have.
    #[error("its header has an unknown key, '{key}'; save it again with numpy.save")]
    UnknownKey {
        /// The key, shortened and escaped.
        key: String,
    },
    /// A key that is there twice.
    #[error("its header has two keys '{key}'; save it again with numpy.save")]
    DuplicateKey {
        /// The key.
        key: &'static str,
    },
    /// A key that must be there.
    #[error("its header has no key '{key}'; save it again with numpy.save")]
    MissingKey {
        /// The key.
        key: &'static str,
    },

    /// Python objects.
    #[error(
        "holds Python objects; these are pickles, which are never executed; make all rows of one length and save \
             numpy.stack(x).astype('float32')"
    )]
    Objects,
    /// Python objects in the place of one value a row.
    #[error(
        "holds Python objects; these are pickles, which are never executed; save labels as x.astype('U'), \
             and weights as x.astype('float64')"
    )]
    ObjectColumn,
    /// Records of named fields, or arrays within arrays.
    #[error("holds records, not numbers; save one field as a matrix: x['field'].astype('float32')")]
    Records,
    /// Complex numbers, text, dates, and whatever else is no real number.
    #[error("holds values of dtype '{descr}', not real numbers; save {}", as_real(.descr))]
    NotReal {
        /// The dtype, shortened and escaped.
        descr: String,
    },
    /// Raw bytes, of which the file does not say what floats they are.
    #[error(
        "holds raw bytes, dtype '{descr}', and does not say which floats they are; if they are {told}, say so with \
             --dtype, or save x.astype('float32')"
    )]
    RawBytes {
        /// The dtype.
        descr: String,
        /// What they may be.
        told: &'static str,
    },
    /// Values that are not what the caller says of them.
    #[error("holds values of dtype '{found}', which cannot be {told}; leave --dtype {told} out")]
    OtherDtype {
        /// The dtype.
        found: String,
        /// What the caller says.
        told: RawFloat,
    },

    /// A scale or a zero that no codes have.
    #[error(
        "cannot be read with a scale of {scale} and a zero of {zero}; give finite ones, and a scale that is not 0"
    )]
    Quant {
        /// The scale.
        scale: f64,
        /// The zero.
        zero: f64,
    },
    /// Values that cannot be codes.
    #[error(
        "holds values of dtype '{dtype}', and codes are whole numbers of 8 or 16 bits; leave --quant-scale out"
    )]
    NotCodes {
        /// The dtype.
        dtype: String,
    },
    /// Values that cannot be packed bits.
    #[error("holds values of dtype '{dtype}', and packed bits are int8 or uint8; leave --bits out")]
    NotBytes {
        /// The dtype.
        dtype: String,
    },
    /// A value that cannot be a byte of packed bits.
    #[error(
        "row {row} holds {value}, and a byte of packed bits is a whole number from -128 to 255; leave --bits out"
    )]
    NotByte {
        /// Its row.
        row: usize,
        /// The value.
        value: f64,
    },

    /// An array of no axis, or of more than two.
    #[error("has the shape {}, not (rows, dims); save {}", tuple(.shape), reshaped(.shape.len()))]
    NotMatrix {
        /// The shape.
        shape: Vec<u64>,
    },
    /// A matrix without rows or columns.
    #[error("holds no points: its shape is ({rows}, {dims}); check the program that saved it")]
    Empty {
        /// Rows.
        rows: u64,
        /// Columns.
        dims: u64,
    },
    /// A shape beyond what can be counted.
    #[error("claims the shape ({rows}, {dims}), more than any file can hold; save it again with numpy.save")]
    Huge {
        /// Rows.
        rows: u64,
        /// Columns.
        dims: u64,
    },
    /// A file whose length is not that of its header and values.
    #[error("is {found} bytes long, and its header claims {claimed}; {}", recopy(*found, *claimed))]
    Length {
        /// Bytes in the file.
        found: u64,
        /// Bytes of the header and the values that it claims.
        claimed: u64,
    },
    /// Rows that are not there, asked for by the caller.
    #[error("rows {start}..{end} were asked for, and it has rows 0..{rows}; ask for some of these")]
    NoSuchRows {
        /// The first row asked for.
        start: usize,
        /// The row behind the last one asked for.
        end: usize,
        /// How many there are.
        rows: usize,
    },
    /// A buffer of the caller whose length is not that of the rows asked for.
    #[error("{rows} rows of {dims} dimensions were to be read into {values} values; give {rows} × {dims}")]
    Buffer {
        /// Values that the buffer holds.
        values: usize,
        /// Rows asked for.
        rows: usize,
        /// Dimensions of each.
        dims: usize,
    },
    /// Not enough memory for the values.
    #[error("takes {bytes} bytes as f32, more memory than there is; split it into smaller files")]
    Memory {
        /// rows × dims × 4.
        bytes: u128,
    },

    /// A Parquet or Arrow file, and a build without the feature that reads them.
    #[error(
        "a Parquet or Arrow file, and this build reads none; build it with the feature parquet of unisphere-io"
    )]
    LeftOut,
    /// No column of numbers, or not the one that was asked for.
    #[error("{}; {columns}", no_column(.wanted))]
    NoColumn {
        /// The name that was asked for, shortened and escaped.
        wanted: Option<String>,
        /// The columns or keys that it has, and how to choose one.
        columns: String,
        /// What chooses columns that may be meant, as `--column` takes it; empty where no such columns are known.
        example: Box<str>,
    },
    /// No matrix among the arrays of a file, or no array of the name that was asked for.
    #[error("{}; {}", no_array(.wanted), of_arrays(.arrays, option))]
    NoArray {
        /// The name that was asked for, shortened and escaped.
        wanted: Option<String>,
        /// The names of its arrays, shortened and escaped.
        arrays: String,
        /// How a user names one.
        option: &'static str,
    },
    /// Several matrices that may be the points.
    #[error("has several matrices: {arrays}; choose one with {option}, or two that are pairs with {option}s")]
    ManyArrays {
        /// Their names, shortened and escaped.
        arrays: String,
        /// How a user names one.
        option: &'static str,
    },
    /// Several columns that may be the points.
    #[error(
        "has several columns that may be the points: {columns}; choose one with --column, or two that are pairs with --columns"
    )]
    ManyColumns {
        /// Their names, shortened and escaped.
        columns: String,
    },
    /// Several columns of one name among those that would be the dimensions.
    #[error(
        "has several columns '{name}', as tables have that were put side by side; save it again with a name of its own for each{or_else}"
    )]
    RepeatedColumns {
        /// The first such name, shortened and escaped.
        name: String,
        /// What else there is to do, or nothing: ", or take them and all others for one set with --column '*'".
        or_else: String,
    },
    /// Several columns of the name that was asked for.
    #[error("has several columns '{name}'; save it again with a name of its own for each")]
    SameColumns {
        /// Their name, shortened and escaped.
        name: String,
    },
    /// A row of another length than the first one.
    #[error("row {row} has {found} values, and row 0 has {dims}; give all rows the same number of values")]
    RowWidth {
        /// Its row.
        row: usize,
        /// Values in it.
        found: usize,
        /// Values in the first row.
        dims: usize,
    },
    /// A row of no dimensions, or of a negative number of them, before its values.
    #[error(
        "claims {found} dimensions in its first row; it is damaged, or of another format than its name says"
    )]
    RowCount {
        /// Dimensions that it claims.
        found: i32,
    },
    /// A file that does not end with a row.
    #[error(
        "is {length} bytes long, no multiple of the {row} bytes of a row of {dims} dimensions; it was cut short, or is of \
             another format than its name says"
    )]
    RowCut {
        /// Bytes in the file.
        length: u64,
        /// Bytes of the first row.
        row: u64,
        /// Dimensions of the first row.
        dims: u32,
    },
    /// A row that is null, or an empty list.
    #[error("row {row} is null or empty; leave such rows out, or fill them")]
    NullRow {
        /// Its row.
        row: usize,
    },
    /// A value that is null, or an empty field.
    #[error("row {row} has no value in dimension {dim}; leave such rows out, or fill them")]
    NullValue {
        /// Its row.
        row: usize,
        /// Its dimension.
        dim: usize,
    },
    /// A null in a column of numbers that is a dimension.
    #[error("row {row} has no value in the column '{column}'; leave such rows out, or fill them")]
    NullCell {
        /// Its row.
        row: usize,
        /// The column's name, shortened and escaped.
        column: String,
    },
    /// Columns of one set that stand in another order than those of the other, row i of which it is compared with.
    #[error(
        "its columns stand in another order than those of {other}: '{column}' is column {here} here and column {there} there; save \
         both in one order, as pandas does by y[x.columns]"
    )]
    OtherOrder {
        /// The file of the other set.
        other: String,
        /// The name of the first column that is elsewhere, shortened and escaped.
        column: String,
        /// Its number among the dimensions, from 1.
        here: usize,
        /// Its number there.
        there: usize,
    },
    /// A field that is no number.
    #[error("row {row} holds '{found}' in dimension {dim}, which is no number; {}", cure_of_no_number(found))]
    NotNumber {
        /// Its row.
        row: usize,
        /// Its dimension.
        dim: usize,
        /// What is there, shortened and escaped.
        found: String,
    },
    /// Something else where a list of numbers is due.
    #[error(
        "row {row} holds '{found}', which is no list of numbers; repair it, or choose another with --column"
    )]
    NoList {
        /// Its row.
        row: usize,
        /// What is there, shortened and escaped.
        found: String,
    },
    /// A row of text that is not JSON.
    #[error("row {row} is no JSON: {problem}; write one object a line, as json.dumps(x) does, and no NaN")]
    NotJson {
        /// Its row.
        row: usize,
        /// What is wrong, escaped.
        problem: String,
    },
    /// A row without the key that holds the numbers of others.
    #[error("row {row} has no key '{key}'; its keys are {keys}; choose one that all rows have with --column")]
    NoKey {
        /// Its row.
        row: usize,
        /// The key, shortened and escaped.
        key: String,
        /// Those that it has, shortened and escaped.
        keys: String,
    },
    /// A field more in each row than in the line of names.
    #[error(
        "its rows have a field more than its line of names, as R writes the names of rows; save it without them: row.names=FALSE"
    )]
    RowNames,
    /// A row of another number of fields than the first one.
    #[error(
        "row {row} has {found} fields, and the first line has {fields}; repair it, or quote fields of text"
    )]
    Fields {
        /// Its row.
        row: usize,
        /// Fields in it.
        found: usize,
        /// Fields in the first line.
        fields: usize,
    },
    /// More fields of a row than any point needs.
    #[error(
        "row 0 has more than {limit} fields, more than any point needs; check that it holds points, one a line"
    )]
    ManyFields {
        /// Fields allowed.
        limit: usize,
    },
    /// Columns that are no numbers.
    #[error("has columns that are no numbers: {columns}; choose the others with --column, {others}")]
    TextColumns {
        /// Their names, shortened and escaped.
        columns: String,
        /// What chooses the others: names, a pattern, or an example of both.
        others: String,
    },
    /// A first column without a name.
    #[error(
        "its first column has no name, as the index that pandas writes; save it with index=False, or choose columns with \
         --column, {others}"
    )]
    Unnamed {
        /// How to choose the others, such as `such as 'dim_*'`.
        others: String,
    },
    /// A separator behind the last value of every line.
    #[error(
        "its lines end with a separator, behind which nothing is; choose the columns before it with --column, {others}"
    )]
    TrailingSeparator {
        /// What chooses the others, such as `such as '!3'`.
        others: Box<str>,
    },
    /// Decimal commas in the place of points.
    #[error("has decimal commas, such as {found}, and numbers have decimal points; {cure}")]
    DecimalCommas {
        /// A number of it.
        found: String,
        /// What writes a copy of it with points.
        cure: String,
    },
    /// Columns of numbers that are most likely those of rows, classes, scores or times, and no dimensions of the points.
    #[error(
        "its column '{column}' {reason}, and is most likely no dimension of the points{more}; choose the others with --column, {others}, or all \
         with --column '*'"
    )]
    NoDimension {
        /// The name of the first, shortened and escaped; its number where it has none.
        column: Box<str>,
        /// What tells it.
        reason: &'static str,
        /// The other ones: ", as are b, c", or nothing.
        more: Box<str>,
        /// What chooses the others: names, a pattern, or an example of both.
        others: Box<str>,
    },
    /// A row longer than any point needs.
    #[error("row {row} is longer than {limit} bytes; end each row with a line feed, and close each quote")]
    LongRow {
        /// Its row.
        row: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A text that ends within a row.
    #[error("ends within row {row}; it was cut short, or a quote is not closed: copy or save it again")]
    TextCut {
        /// The row.
        row: usize,
    },
    /// Something behind the list of rows of a JSON file.
    #[error(
        "goes on behind the list of its {rows} rows; write one list in all, or one row a line without lists around them"
    )]
    BehindList {
        /// Rows of the list.
        rows: usize,
    },
    /// A text whose first line claims another number of rows.
    #[error("has {found} rows, and its first line claims {claimed}; it was cut short: copy or save it again")]
    TextRows {
        /// Rows in it.
        found: usize,
        /// Rows claimed.
        claimed: usize,
    },
    /// A file of another program's format that cannot be decoded.
    #[error("a damaged {format} file: {problem}; save it again")]
    Damaged {
        /// The format.
        format: &'static str,
        /// What is wrong, shortened and escaped.
        problem: String,
    },
    /// What the format allows and this does not read.
    #[error("{} file with {found}, which is not read; {cure}", with_article(format))]
    Unsupported {
        /// The format.
        format: &'static str,
        /// What it has.
        found: String,
        /// How to save it otherwise.
        cure: &'static str,
    },

    /// A finite f64 whose nearest f32 is infinite.
    #[error("row {row} holds {value:e} in dimension {dim}, which overflows f32; rescale the data")]
    Overflow {
        /// Its row.
        row: usize,
        /// Its dimension.
        dim: usize,
        /// The value.
        value: f64,
    },
    /// An array that is not one value a row.
    #[error("has the shape {}, not (rows,); save one value a row", tuple(.shape))]
    NotColumn {
        /// The shape.
        shape: Vec<u64>,
    },
    /// A column without rows.
    #[error("holds no values; check the program that saved it")]
    NoNumbers,
    /// Complex numbers, dates, and whatever else is neither a real number nor text.
    #[error(
        "holds values of dtype '{descr}', neither numbers nor text; save labels as x.astype('U'), \
             and weights as x.astype('float64')"
    )]
    NotNumbers {
        /// The dtype, shortened and escaped.
        descr: String,
    },
    /// No column of one value a row, or not the one that was asked for.
    #[error("{}; {columns}", no_scalars(.wanted))]
    NoScalars {
        /// The name that was asked for, shortened and escaped.
        wanted: Option<String>,
        /// The columns that it has, and how to choose one.
        columns: String,
    },
    /// Several columns of one value a row.
    #[error("has several columns: {columns}; name the one that is meant, with {CHOOSE_SCALARS}")]
    ManyScalars {
        /// Their names, shortened and escaped.
        columns: String,
    },
    /// What is no number where one is due, or no value at all.
    #[error("row {row} holds '{found}', which is no number; repair it, or name another column")]
    NotScalar {
        /// Its row.
        row: usize,
        /// What is there, shortened and escaped.
        found: String,
    },
    /// Text too long to name a group.
    #[error(
        "row {row} holds a text of {length} bytes, and labels have {limit} at most; name a column of classes, not of texts"
    )]
    LongLabel {
        /// Its row.
        row: usize,
        /// Bytes of it.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Text that is not in UTF-8.
    #[error("row {row} is not in UTF-8; save it again as UTF-8")]
    NotUtf8 {
        /// Its row.
        row: usize,
    },
    /// A number that is not whole where only whole ones are taken.
    #[error(
        "row {row} holds {value}, which is no whole number; give each group a number: \
             numpy.unique(x, return_inverse=True)[1]"
    )]
    NotInteger {
        /// Its row.
        row: usize,
        /// The number.
        value: f64,
    },
    /// A whole number beyond 64 bits with a sign.
    #[error(
        "row {row} holds {value}, and whole numbers may reach 2⁶³−1; give each group a number: \
             numpy.unique(x, return_inverse=True)[1]"
    )]
    LargeInteger {
        /// Its row.
        row: usize,
        /// The number.
        value: u64,
    },
    /// A number that is not finite.
    #[error("row {row} holds {value}, which is not finite; repair it")]
    NotFinite {
        /// Its row.
        row: usize,
        /// The number.
        value: f64,
    },

    /// Something that was said of a file in whose format there is no such thing.
    #[error(
        "is of a format in which {option} means nothing; leave {option} out, or check that this is the file"
    )]
    UnusedOption {
        /// What was said, as the program's option.
        option: &'static str,
    },

    /// What is there is no file that could be replaced, nor a pipe.
    #[error("is there already, and neither a regular file nor a pipe; choose another name")]
    Irregular,
    /// The system failed to write it.
    #[error("cannot be written: {0}")]
    Write(#[source] io::Error),

    /// Values that cannot be measured.
    #[error(transparent)]
    Content(unisphere::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::PermissionDenied,
            // Nothing is read but what the length promised.
            io::ErrorKind::UnexpectedEof => Self::Changed,
            _ => Self::Io(error),
        }
    }
}

/// Real numbers of what is none. Distances of complex points are those of their parts as dimensions.
fn as_real(descr: &str) -> &'static str {
    let kind = descr.trim_start_matches(['<', '>', '=', '|']);
    if kind.starts_with('c') { "numpy.concatenate([x.real, x.imag], axis=1)" } else { "x.astype('float32')" }
}

fn prefix(path: &Path) -> String {
    if path.as_os_str().is_empty() { String::new() } else { format!("{}: ", printable(path)) }
}

fn no_column(wanted: &Option<String>) -> String {
    match wanted {
        Some(name) => format!("has no column '{}' of numbers", printable(name)),
        None => "has no column of lists of numbers".into(),
    }
}

/// How a user names a column of one value a row.
pub(crate) const CHOOSE_SCALARS: &str = "--labels-column, --weights-column, --scores-column or --text-column";

fn no_scalars(wanted: &Option<String>) -> String {
    match wanted {
        Some(name) => format!("has no column '{name}' of one value a row"),
        None => "has no column of one value a row".into(),
    }
}

fn no_array(wanted: &Option<String>) -> String {
    match wanted {
        Some(name) => format!("has no array '{}'", printable(name)),
        None => "has no matrix of (rows, dims)".into(),
    }
}

fn of_arrays(arrays: &str, option: &str) -> String {
    if arrays.is_empty() {
        return "it has no arrays; check the program that saved it".into();
    }
    format!("its arrays are {arrays}; choose one with {option}, or two that are pairs with {option}s")
}

fn whence(total: Option<u128>) -> String {
    match total {
        Some(total) => format!(
            ", and the names of the others say that there are {total}; add it, or rename them to say how many they are"
        ),
        None => {
            " between files that are there, taken for parts of one set; add it, or rename them so that their numbers follow each \
             other; or, if each is a model of its own, name them without quotes: unisphere compare takes one each"
                .into()
        }
    }
}

fn quoted(expected: &str) -> String {
    // A single sign would be lost among the words.
    if expected.len() == 1 { format!("'{expected}'") } else { expected.into() }
}

fn with_article(format: &str) -> String {
    format!("{} {format}", if format.starts_with('A') { "an" } else { "a" })
}

fn tuple(shape: &[u64]) -> String {
    match shape {
        [one] => format!("({one},)"),
        some => format!("({})", some.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn reshaped(axes: usize) -> &'static str {
    match axes {
        0 => "at least two points, one a row: numpy.stack([x, y])",
        3 => "x.reshape(-1, x.shape[-1]), or pool an axis; eval X --views takes (n, views, dims)",
        _ => "x.reshape(-1, x.shape[-1]), or pool all axes but the first and the last",
    }
}

fn recopy(found: u64, claimed: u64) -> &'static str {
    if found < claimed {
        "it was cut short: copy or save it again"
    } else {
        "something was appended to it: save one array a file"
    }
}

/// What to do about a value that is no number: arrays that NumPy has printed, and lists within a row, are not repaired by hand.
fn cure_of_no_number(found: &str) -> &'static str {
    match found {
        // Three full stops, or one sign for them.
        "..." | "\\xe2\\x80\\xa6" => {
            "values are left out where NumPy prints an array: save it by numpy.save, or x.tolist() in the table"
        }
        list if list.starts_with('[') => {
            "a row is one list: pool or flatten lists of lists, and name a column of lists with --column, or two with --columns"
        }
        _ => "repair it",
    }
}
