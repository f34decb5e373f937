//! Embedding files for unisphere, read into [`Embeddings`](unisphere::Embeddings).
//!
//! | format | what is read of it | known by |
//! |---|---|---|
//! | `.npy`, versions 1.0 to 3.0 | a matrix, in C or Fortran order; one axis is points of one dimension | its first bytes |
//! | `.npz` | one such array, [by name](Reading::with_member), or the only matrix | its first bytes |
//! | safetensors | one tensor, [by name](Reading::with_tensor), or the only matrix | its name or its first bytes |
//! | `.fvecs`, `.bvecs`, `.ivecs` | all rows, each with its own count of dimensions, which must be the same | [its name](Reading::with_format) |
//! | `.fbin`, `.f16bin`, `.u8bin`, `.i8bin`, `.ibin` | all rows | [its name](Reading::with_format) |
//! | Parquet; Arrow files and streams, Feather | one column of lists of f16, f32, f64 or int8, [by name](Reading::with_column), or the only one | its first bytes |
//! | JSON Lines; one list in JSON | a list of numbers a row, or an object with one under `embedding`, [a key](Reading::with_column), or the only key of a list; the list may be under `data` | its first sign |
//! | words with their vectors (word2vec, GloVe, fastText), in text | all numbers behind the words | its first row |
//! | CSV, TSV, numbers with spaces between them | all columns, or [some](Reading::with_column), or one of lists `[1, 2]`; the first line may name them | its name, or its first row |
//!
//! Values are real numbers of any dtype and byte order, read as f32: wider ones are rounded to the nearest, truth values are 0
//! and 1, and integers are the numbers that they are. What a file does not say, [`Reading`] does: that raw bytes are
//! [bfloat16 or float8](Reading::with_dtype), that integers are [codes](Reading::with_quant) of a scale and a zero, or
//! [packed bits](Reading::with_bits), or that an array has [an axis of views](Reading::with_views). [`File::dtype`] shows what was made of it.
//!
//! Parquet and Arrow are read where the feature `parquet` is on, as it is by default. A null, and a row of another width, is
//! an error that names it. Parquet needs memory for a page for each thread, and Arrow for a record batch, which claim how much
//! they are once they are decompressed: up to 2 GiB a page, and 32 Ki times its length a batch. A text is gone through
//! once when it is opened, to count its rows and to keep where some of them are, in 1 MiB; a row of it may have 64 MiB.
//!
//! Regular files are read in place and may be of any size; pipes, and arrays that an archive compresses, are kept in memory.
//!
//! Labels and weights are read by [`Column`]: one number or text a row, of an array, a column of any of these formats, or the
//! lines of a text. [`write`](write()) makes a file of f64, and [`write_columns`] one of columns.
//!
//! ```no_run
//! use unisphere::Scaling;
//!
//! let file = unisphere_io::File::open("points.npy")?; // the header, checked against the file's length
//! println!("{} × {}, {}", file.rows(), file.dims(), file.dtype());
//! let points = file.embeddings(Scaling::Unit)?; // (rows, dims)
//! # Ok::<(), unisphere_io::Error>(())
//! ```
//!
//! A set larger than memory is read by ranges of rows: [`Source`]. It may be several files, by a pattern or a list: [`Shards`]. [`open`] takes
//! a path or a pattern of names.
//!
//! A pipe, such as `/dev/stdin` or what a shell makes of `<(program)`, is read when it is opened, and
//! [kept in memory](File) as it is stored; [`Reading::with_max_bytes`] sets a limit to that. Devices,
//! terminals and sockets are refused.
//!
//! Files are hostile until checked. Nothing is allocated for values before the shape and the file's length
//! agree to the byte; then it is rows × dims values of f32 and at most 512 KiB beside them for each thread that reads,
//! for any dtype and order, or 128 KiB more for packed bits, or 512 KiB more about an [origin](File::about). The list of an archive takes up to 32 times its length, and the
//! header of safetensors, of 4 MiB at most, up to 200 times its own. Checksums of archives are compared when they are opened. A pipe has no length: its values are kept beside these, in memory that grows with what
//! arrives and not with what the header claims, and it must end where they do. Objects and pickles are never executed.
//! An [`Error`] names the file, the row where there is one, and the cure; all of them are faults of the input, but for
//! [`Fault::NoSuchRows`] and [`Fault::Buffer`].
//!
//! Files are read in chunks, not mapped. A mapping would put the caller's memory into the hands of whoever can
//! write the file: one that truncates it kills this process with a signal, and one that writes to it changes
//! values that were found finite. It would save nothing either: an engine on the CPU scales points that it
//! owns in place, and would have to copy mapped ones. A file that shrinks while it is read is an error.

#![forbid(unsafe_code)]

mod codes;
mod column;
mod dtype;
mod error;
mod file;
mod foreign;
mod formats;
mod grid;
mod memory;
mod naming;
mod origin;
mod printable;
mod read_at;
mod reading;
mod scalars;
mod series;
mod shards;
mod source;
mod stored;
mod table;
mod views;
mod write;

pub use codes::Quant;
pub use column::{Column, Labels, parse_floats, parse_integers};
pub use dtype::RawFloat;
pub use error::{Error, Fault, Result};
pub use file::{File, parse};
pub use naming::{differ_in_one_number, is_pattern, name_of_series, series};
pub use origin::Extent;
pub use printable::printable;
pub use reading::{Reading, is_report, unused_options};
pub use series::{natural_order, numbers_apart};
pub use shards::{Shards, open, open_with};
pub use source::Source;
pub use stored::STDIN;
pub use write::{check_writable, is_stdout, npy_header, write, write_columns, write_text};
