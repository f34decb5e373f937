//! The result on stdout.

use std::io::{self, ErrorKind, Write as _};

use anstream::AutoStream;

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
