//! Matrices to `.npy` files, to pipes and to standard output.

use std::{
    fs, io,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{Error, Fault, Result};

/// Writes `values.len() / columns` rows of so many columns, row-major, as little-endian f64. See [`write_columns`].
///
/// # Errors
///
/// [`Fault::Write`], [`Fault::Irregular`].
pub fn write(path: impl AsRef<Path>, values: &[f64], columns: usize) -> Result<()> {
    let rows = values.len() / columns.max(1);
    Place::of(path.as_ref())?.write(Shape { rows, columns }, values.iter().copied())
}

/// Writes columns of one length side by side, as a row-major matrix of little-endian f64; of those that differ, the rows that all
/// have.
///
/// A file appears under its name complete or not at all, and keeps the permissions of the one that it replaces. A symbolic link is
/// followed. What lies beside it until then has a name of its own, so that whatever a killed process has left is in nobody's way.
/// A pipe takes the bytes as they come; so does standard output, under the name `/dev/stdout`.
///
/// # Errors
///
/// [`Fault::Write`], and [`Fault::Irregular`] where a directory, a socket or a disk is.
pub fn write_columns(path: impl AsRef<Path>, columns: &[&[f64]]) -> Result<()> {
    let rows = columns.iter().map(|column| column.len()).min().unwrap_or(0);
    let values = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row]));
    Place::of(path.as_ref())?.write(Shape { rows, columns: columns.len() }, values)
}

/// Writes a text. It appears under its name as a matrix does, by [`write_columns`].
///
/// # Errors
///
/// [`Fault::Write`], and [`Fault::Irregular`] where a directory, a socket or a disk is.
pub fn write_text(path: impl AsRef<Path>, text: &str) -> Result<()> {
    Place::of(path.as_ref())?.fill(|into| into.write_all(text.as_bytes()))
}

/// Fails where a file cannot be written, before there is anything to write. Leaves nothing behind.
///
/// # Errors
///
/// [`Fault::Write`], [`Fault::Irregular`].
pub fn check_writable(path: impl AsRef<Path>) -> Result<()> {
    Place::of(path.as_ref())?.check()
}

/// Whether a path names standard output.
pub fn is_stdout(path: impl AsRef<Path>) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path.as_ref() == Path::new(name))
}

#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    columns: usize,
}

/// Where a matrix is written to.
struct Place<'a> {
    /// As the caller named it.
    path: &'a Path,
    kind: Kind,
}

enum Kind {
    Stdout,
    /// A pipe, or a device that takes characters.
    Stream,
    /// A regular file, there or to be, at what symbolic links lead to.
    File(PathBuf),
}

impl<'a> Place<'a> {
    fn of(path: &'a Path) -> Result<Self> {
        let kind = || {
            if is_stdout(path) {
                return Ok(Kind::Stdout);
            }
            // The system follows links of its own, such as /dev/fd/63 to a pipe, that lead to no name.
            match path.metadata() {
                Ok(there) if is_stream(there.file_type()) => Ok(Kind::Stream),
                Ok(there) if !there.is_file() => Err(Fault::Irregular),
                _ => Ok(Kind::File(followed(path).map_err(Fault::Write)?)),
            }
        };
        kind().map(|kind| Self { path, kind }).map_err(|fault| Error { path: path.into(), fault })
    }

    fn check(&self) -> Result<()> {
        match &self.kind {
            // To open a pipe and leave it again would end its reader.
            Kind::Stdout | Kind::Stream => Ok(()),
            Kind::File(target) => begin(target).map(drop).map_err(|error| self.failed(error)),
        }
    }

    fn write(&self, shape: Shape, values: impl Iterator<Item = f64>) -> Result<()> {
        self.fill(|into| fill(into, shape, values))
    }

    /// Makes what `fill` writes.
    fn fill(&self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let write = || match &self.kind {
            Kind::Stdout => fill(&mut io::stdout().lock()),
            Kind::Stream => fill(&mut fs::File::options().write(true).open(self.path)?),
            Kind::File(target) => {
                let part = begin(target)?;
                fill(&mut part.as_file())?;
                part.as_file().sync_all()?;
                part.persist(target).map(drop).map_err(|failed| failed.error)
            }
        };
        write().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Error {
        Error { path: self.path.into(), fault: Fault::Write(error) }
    }
}

/// What symbolic links lead to, be it there or not.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    // A target that is there has no link in it, and a link to a file that is not yet there leads to a name.
    while target.is_symlink() {
        match target.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let linked = fs::read_link(&target)?;
                target = target.parent().map_or(linked.clone(), |folder| folder.join(&linked));
            }
            found => return found,
        }
    }
    Ok(target)
}

/// A file beside its place, gone when dropped, with the permissions of what it is to replace.
fn begin(target: &Path) -> io::Result<NamedTempFile> {
    let there = match fs::File::options().write(true).open(target) {
        Ok(there) => Some(there.metadata()?.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".unisphere-").suffix(".part");
    // As the system makes files: tempfile's own are for their owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let part = builder.tempfile_in(folder)?;
    if let Some(permissions) = there {
        part.as_file().set_permissions(permissions)?;
    }
    Ok(part)
}

#[cfg(unix)]
fn is_stream(kind: fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: fs::FileType) -> bool {
    false
}

/// The header of a `.npy` file of rows × columns values, row-major, of a dtype that numpy writes so: "<f4" or "<f8". The values
/// come right after it.
pub fn npy_header(dtype: &str, rows: usize, columns: usize) -> Vec<u8> {
    let fields = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // As numpy does: values begin at a multiple of 64 bytes.
    let width = (10 + fields.len() + 1).next_multiple_of(64) - 11;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((width as u16 + 1).to_le_bytes());
    header.extend(format!("{fields:<width$}\n").bytes());
    header
}

fn fill(into: &mut dyn Write, shape: Shape, values: impl Iterator<Item = f64>) -> io::Result<()> {
    let mut into = BufWriter::new(into);
    into.write_all(&npy_header("<f8", shape.rows, shape.columns))?;
    for value in values {
        into.write_all(&value.to_le_bytes())?;
    }
    into.flush()
}
