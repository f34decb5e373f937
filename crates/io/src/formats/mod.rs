//! Formats of files: one folder each, behind one trait.

pub(crate) mod npy;

use std::{fs, io::Read, path::Path};

use crate::{
    Fault, Reading, foreign,
    stored::{Budget, Opened, Stored},
    table::Table,
};

use npy::Npy;

/// A format of files of points.
pub(crate) trait Format: Sync {
    /// Whether a file is of this format: by its first bytes, at most [`HEAD`]; or by its name, where these do
    /// not tell.
    fn recognises(&self, head: &[u8], path: &Path) -> bool;

    /// Reads what a file says of its points, and checks it against the file's length.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of a format and of a pipe.
    fn open(&self, input: Input, reading: &Reading) -> Result<Box<dyn Table>, Fault>;
}

/// As many first bytes as decide.
const HEAD: u64 = 4096;

/// All formats. The first that recognises a file reads it.
const FORMATS: [&dyn Format; 1] = [&Npy];

/// What a format reads: a regular file, or a pipe, which gives its bytes once.
pub(crate) enum Input {
    File { file: fs::File, length: u64 },
    Pipe { head: Vec<u8>, pipe: fs::File, budget: Budget },
}

impl Input {
    /// All bytes, and how many they are. A pipe is read whole.
    #[expect(dead_code, reason = "formats that read no header before their values")]
    pub(crate) fn whole(self) -> Result<(Stored, u64), Fault> {
        match self {
            Self::File { file, length } => Ok((Stored::File(file), length)),
            Self::Pipe { head, mut pipe, budget } => {
                let bytes = budget.read_all(head, &mut pipe)?;
                let length = bytes.len() as u64;
                Ok((Stored::Memory(bytes), length))
            }
        }
    }
}

/// Opens what is at a path, by the format that recognises it.
pub(crate) fn open(path: &Path, reading: &Reading, budget: Budget) -> Result<Box<dyn Table>, Fault> {
    let (head, input) = match Opened::at(path)? {
        Opened::File { mut file, length } => {
            let head = head(&mut file)?;
            (head, Input::File { file, length })
        }
        Opened::Pipe(mut pipe) => {
            let head = head(&mut pipe)?;
            if head.is_empty() {
                return Err(Fault::PipeEmpty);
            }
            (head.clone(), Input::Pipe { head, pipe, budget })
        }
    };
    match FORMATS.iter().find(|format| format.recognises(&head, path)) {
        Some(format) => format.open(input, reading),
        None => Err(foreign::recognise(&head)),
    }
}

/// The first bytes.
fn head(reader: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut head = Vec::new();
    reader.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
