//! The result on stdout, and files beside it.

use std::{
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use anstream::AutoStream;
use unisphere_io::Writer;

use crate::exit::Failure;

/// Writes the result, without colour where stdout is not a terminal or NO_COLOR is set.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = AutoStream::auto(io::stdout().lock());
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader, `head` for one, has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::Internal(format!("stdout cannot be written: {error}"))),
    }
}

/// Whether a file that an option names can be written, before anything is computed.
pub(crate) fn check_writable<'a>(
    option: &str,
    path: &Path,
    mut inputs: impl Iterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let name = path.display();
    // What does not exist is no input.
    if let Ok(there) = path.canonicalize() {
        if inputs.any(|input| input.canonicalize().is_ok_and(|input| input == there)) {
            return Err(Failure::Usage(format!("{option} {name} is one of the inputs; choose another name")));
        }
        if there.is_dir() {
            return Err(Failure::Usage(format!("{option} {name} is a directory; name a file in it")));
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_none() || !folder.is_dir() {
        return Err(Failure::Usage(format!("{option} {name}: its directory does not exist; make it first")));
    }
    // Begun and left again: Ctrl-C while files are read would leave it behind.
    drop(Writer::create(path)?);
    Ok(())
}
