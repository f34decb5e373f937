//! The result on stdout, and files beside it.

use std::{
    io::{self, ErrorKind, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anstream::AutoStream;
use unisphere_eval::sections::RowTable;
use unisphere_io::{is_stdout, printable, write_columns};

use crate::{
    endings::is_not_npy,
    exit::{self, Failure},
};

/// Fails where stdout was closed when the program began, so that nothing is computed for nobody.
pub(crate) fn check() -> Result<(), Failure> {
    if closed::stdout() {
        let text = "stdout is closed, and the result goes there; send it to a file, a pipe or /dev/null";
        return Err(Failure::Internal(text.into()));
    }
    Ok(())
}

/// Writes the result, without colour where stdout is not a terminal or NO_COLOR is set.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write(text).map_err(|error| Failure::Internal(format!("stdout cannot be written: {error}")))
}

/// Writes help, whose reader, `head` for one, may have seen enough of it.
pub(crate) fn show(text: &str) -> Result<(), Failure> {
    match write(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::Internal(format!("stdout cannot be written: {error}"))),
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = AutoStream::auto(io::stdout().lock());
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

/// The file of a table as an option names it: `-` is standard output.
pub(crate) fn table_file(named: &Path) -> PathBuf {
    if named.as_os_str() == "-" { "/dev/stdout".into() } else { named.into() }
}

/// Whether a table can be written to a file that an option names, before anything is computed.
pub(crate) fn check_writable<'a>(
    option: &str,
    path: &Path,
    inputs: impl Iterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let name = printable(path);
    if is_stdout(path) {
        return if io::stdout().is_terminal() {
            let cure = "send standard output to a file or a pipe";
            Err(Failure::Usage(format!("{option} {name} is a terminal, and the table is bytes; {cure}")))
        } else {
            Ok(())
        };
    }
    check_no_input(option, path, inputs)?;
    if path.is_dir() {
        return Err(Failure::Usage(format!("{option} {name} is a directory; name a file in it")));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.file_name().is_none() || !folder.is_dir() {
        return Err(Failure::Usage(format!("{option} {name}: its directory does not exist; make it first")));
    }
    Ok(unisphere_io::check_writable(path)?)
}

/// Fails where a table of rows, which is written as .npy, would get the ending of another format.
pub(crate) fn check_npy(option: &str, path: &Path) -> Result<(), Failure> {
    if is_not_npy(path) {
        return Err(Failure::Usage(format!(
            "{option} {}: the table is written as .npy, and this ending is of another format\nend its name in .npy",
            printable(path)
        )));
    }
    Ok(())
}

/// Fails where two options name one file to be written, by whatever way to it.
pub(crate) fn check_distinct(outputs: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let mut seen: Vec<(&str, PathBuf)> = Vec::new();
    for &(option, path) in outputs {
        let Some(path) = path else { continue };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.into());
        let place = path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default()));
        if let Some((other, _)) = seen.iter().find(|(_, there)| *there == place) {
            return Err(Failure::Usage(format!(
                "{other} and {option} both name {}; choose another name for one",
                printable(path)
            )));
        }
        seen.push((option, place));
    }
    Ok(())
}

/// Whether a page can be written to a file, before anything is computed: beside the report, and not in its place.
pub(crate) fn check_page<'a>(path: &Path, inputs: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
    let name = printable(path);
    if is_stdout(path) || path.as_os_str() == "-" {
        return Err(Failure::Usage(format!(
            "--html {name} is standard output, and the report goes there; name a file, such as report.html"
        )));
    }
    check_writable("--html", path, inputs)
}

/// Fails for a file to be written that is one of the inputs.
pub(crate) fn check_no_input<'a>(
    option: &str,
    path: &Path,
    mut inputs: impl Iterator<Item = &'a Path>,
) -> Result<(), Failure> {
    // What does not exist is no input.
    let Ok(there) = path.canonicalize() else { return Ok(()) };
    if inputs.any(|input| input.canonicalize().is_ok_and(|input| input == there)) {
        let name = printable(path);
        return Err(Failure::Usage(format!("{option} {name} is one of the inputs; choose another name")));
    }
    Ok(())
}

/// Writes the table of rows of a report to its file, if it has both, and prints the report: on stderr where the table takes stdout.
/// A report that took hours is printed even where its table cannot be written, and names the file only where that is complete.
pub(crate) fn print_with_table<R>(
    mut report: R,
    table_of: impl FnOnce(&mut R) -> (&mut Option<PathBuf>, Option<&RowTable>),
    text: impl FnOnce(&R) -> String,
) -> Result<(), Failure> {
    let (file, table) = table_of(&mut report);
    let takes_stdout = file.as_ref().is_some_and(is_stdout);
    let written = match (file.as_ref(), table) {
        (Some(path), Some(table)) => write_table(path, table),
        _ => Ok(()),
    };
    if written.is_err() {
        *file = None;
    }
    let text = text(&report);
    if takes_stdout {
        exit::say(text.trim_end())
    } else {
        print(&text)?
    }
    written
}

/// Writes the table of all rows.
pub(crate) fn write_table(path: &Path, table: &RowTable) -> Result<(), Failure> {
    let columns: Vec<_> = table.columns.iter().map(|column| column.values.as_slice()).collect();
    Ok(write_columns(path, &columns)?)
}

/// What stdout was when the process began. The runtime opens /dev/null in the place of what is closed before it calls `main`, so
/// that this looks before the runtime does.
#[cfg(unix)]
mod closed {
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: AtomicBool = AtomicBool::new(false);

    #[ctor::ctor(unsafe)]
    fn look() {
        // SAFETY: asks for a flag of a number, be it that of a file or not, and takes nothing of the runtime.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        CLOSED.store(flags == -1, Ordering::Relaxed);
    }

    pub(super) fn stdout() -> bool {
        CLOSED.load(Ordering::Relaxed)
    }
}

#[cfg(not(unix))]
mod closed {
    pub(super) fn stdout() -> bool {
        false
    }
}
