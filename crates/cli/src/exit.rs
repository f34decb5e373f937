//! The end of the program: one or two lines on stderr, and an exit code.

use std::{
    io::{self, Write as _},
    panic::{self, PanicHookInfo},
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use unisphere_io::printable;

/// The exit code of a fault of this program.
const INTERNAL: u8 = 1;

/// Why the program ends without a result.
#[derive(Debug)]
pub enum Failure {
    /// A fault of this program.
    Internal(String),
    /// A panic, which the hook has reported.
    Panic,
    /// The command line.
    Usage(String),
    /// The files.
    Input(String),
    /// The device, or the lack of one.
    Device(String),
    /// A disk that failed or is full, or a file that another run holds: what may go well another time.
    Machine(String),
    /// A request to end, such as Ctrl-C.
    Interrupted,
}

impl From<unisphere_io::Error> for Failure {
    fn from(error: unisphere_io::Error) -> Self {
        of_file(&error, "--zero-rows skip leaves such rows out, and --raw takes rows as they are")
    }
}

/// What goes with the removal of a row.
const CURE_OF_PAIRS: &str =
    "where there are two files, remove it from both: row i of one and row i of the other are a pair";

/// A fault of a file, with the cure for a row of zeros.
pub(crate) fn of_file(error: &unisphere_io::Error, cure_of_zeros: &str) -> Failure {
    use unisphere_io::Fault::{Content, Io};
    match error.fault {
        Io(_) => Failure::Machine(error.to_string()),
        Content(unisphere::Error::ZeroRow { .. }) => Failure::Input(format!("{error}\n{cure_of_zeros}")),
        Content(unisphere::Error::NotFinite { .. }) => Failure::Input(format!("{error}\n{CURE_OF_PAIRS}")),
        _ => Failure::Input(error.to_string()),
    }
}

impl From<unisphere_eval::Error> for Failure {
    fn from(error: unisphere_eval::Error) -> Self {
        use unisphere_eval::Error::{
            Contradiction, Engine, FewViews, Length, NoPositives, Score, ScoresAsWeights, TooManyGroups,
        };
        match error {
            Contradiction(contradiction) => Self::Usage(contradiction.to_string()),
            Engine(error) => error.into(),
            error @ (FewViews { .. }
            | Length { .. }
            | NoPositives { .. }
            | Score { .. }
            | ScoresAsWeights { .. }
            | TooManyGroups { .. }) => Self::Input(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<unisphere_scale::Error> for Failure {
    fn from(error: unisphere_scale::Error) -> Self {
        use unisphere_scale::Error::*;
        let text = error.to_string();
        match error {
            Engine(error) => error.into(),
            OfDevice { error, .. } => match (*error).into() {
                Self::Input(_) => Self::Input(text),
                Self::Internal(_) => Self::Internal(text),
                _ => Self::Device(text),
            },
            // These sets have no --zero-rows.
            Input(error) => of_file(&error, "leave such rows out of the file; --raw takes rows as they are"),
            Changed { .. } | Sets { .. } | Missing { .. } | Contradiction { .. } | Output { .. } => {
                Self::Input(text)
            }
            Unwritten { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Self::Input(text),
                _ => Self::Machine(text),
            },
            Memory { .. } | NotHeld { .. } | NoPart { .. } => Self::Usage(text),
            Threads(_) => Self::Machine(text),
            Journal(error) => error.into(),
            // Variants to come: a test holds the list above against the crate's.
            _ => Self::Internal(text),
        }
    }
}

impl From<unisphere_scale::JournalError> for Failure {
    fn from(error: unisphere_scale::JournalError) -> Self {
        use unisphere_scale::JournalFault::*;
        let text = error.to_string();
        match error.fault {
            // The disk's fault and not the input's: to be tried again.
            Open(_) | Read(_) | Write(_) | Failed | Locked | LockUnsupported(_) => Self::Machine(text),
            Finished | Unfit { .. } => Self::Internal(text),
            _ => Self::Input(text),
        }
    }
}

impl From<unisphere::Error> for Failure {
    fn from(error: unisphere::Error) -> Self {
        use unisphere::Error::*;
        let text = error.to_string();
        match error {
            Shape { .. }
            | NoDims
            | NotFinite { .. }
            | ZeroRow { .. }
            | RowLength { .. }
            | TooLarge { .. }
            | TooFewRows { .. }
            | Mismatch { .. }
            | MixedScaling
            | MixedStorage
            | Weights { .. }
            | Labels { .. }
            | Raw { .. }
            | Overflow { .. } => Self::Input(text),
            Parameter { .. } => Self::Usage(text),
            // Of one line, with a name from the command line and names from drivers.
            NoDevice { .. } => Self::Device(format!("{}\n`unisphere devices` lists them", printable(text))),
            Precision { .. } | Storage { .. } => Self::Device(text),
            OutOfMemory { .. } => Self::Device(format!(
                "{text}\n--max-memory reads files in pieces, and --tolerance estimates from a part of the pairs"
            )),
            Limit { .. } | DeviceLost { .. } | Device { .. } | OtherDevice => Self::Device(text),
            Stopped => Self::Interrupted,
            // A caller's buffer, blocks and order of rows, and a browser's GPU, which this program has none of; and a solver that
            // failed.
            Buffer { .. } | Block { .. } | Order { .. } | MustAwait | Spectrum { .. } => Self::Internal(text),
            // Variants to come: a test holds the list above against the library's.
            _ => Self::Internal(text),
        }
    }
}

/// The exit code of a program that was asked to end, where there is no signal to end of: as shells show SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Reports a failure, and turns the outcome into an exit code.
pub(crate) fn finish(outcome: Result<(), Failure>) -> u8 {
    let Err(failure) = outcome else { return 0 };
    let (code, text) = match failure {
        // It ends of its signal, which `run` sees to.
        Failure::Interrupted => return INTERRUPTED,
        // Its hook has told it.
        Failure::Panic => return INTERNAL,
        Failure::Internal(text) => (INTERNAL, text),
        Failure::Usage(text) => (2, text),
        Failure::Input(text) => (3, text),
        Failure::Device(text) => (4, text),
        Failure::Machine(text) => (5, text),
    };
    complain(&text);
    code
}

/// Makes every panic, on whichever thread, one line.
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|info| complain(&describe(info))));
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let said = payload.downcast_ref::<&str>().copied();
    let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    let place = info.location().map(|place| format!(" ({place})")).unwrap_or_default();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("internal failure: {said}{place}; please report it")
}

fn complain(text: &str) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    say(&format!("{style}error:{style:#} {text}"));
}

/// A line on stderr, plain where that is not a terminal.
pub(crate) fn say(line: &str) {
    // There is nowhere left to report a failure of stderr.
    let _ = writeln!(AutoStream::auto(io::stderr()), "{line}");
}

#[cfg(test)]
mod tests {
    /// Every variant of an error has an exit code here that somebody chose: `match` cannot see to it, as the enums may
    /// grow.
    #[test]
    fn every_variant_has_a_code() {
        let known = include_str!("exit.rs");
        for (of, source) in [
            ("impl From<unisphere::Error>", include_str!("../../../src/error.rs")),
            ("impl From<unisphere_eval::Error>", include_str!("../../eval/src/error.rs")),
            ("impl From<unisphere_scale::Error>", include_str!("../../scale/src/error.rs")),
        ] {
            let table =
                known.split(of).nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap_or_default();
            // Failures have names of their own, which are not the variants'.
            let table = table.replace("Self::", "Self");
            let variants =
                source.split("pub enum Error {").nth(1).and_then(|rest| rest.split("\n}\n").next());
            let lines = variants.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("    "));
            let name =
                |line: &str| line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
            let names: Vec<_> = lines.map(name).filter(|name| name.starts_with(char::is_uppercase)).collect();
            assert!(names.len() > 3, "{of}: {names:?}");
            for name in names {
                let mut words = table.split(|c: char| !c.is_alphanumeric());
                assert!(words.any(|word| word == name), "{of} for {name}");
            }
        }
    }
}
