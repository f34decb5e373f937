//! What is at a path: a regular file, which is read in place, or a pipe, whose values are read into memory.

use std::{fmt, fs, io, io::Read, path::Path};

use crate::{Fault, Reading, read_at::ReadAt};

/// The fewest bytes for which memory is reserved at once, if so many are claimed. A pipe that claims more than it holds
/// takes this beside what it holds, or an eighth of that.
const MIN_STEP: u64 = 1 << 20;

/// Path of standard input. Windows has none, and knows this one here.
pub const STDIN: &str = "/dev/stdin";

/// What was opened. Nothing of it is read yet.
#[derive(Debug)]
pub(crate) enum Opened {
    File { file: fs::File, length: u64 },
    Pipe(fs::File),
}

impl Opened {
    /// Opens a path. That of a named pipe waits for a writer.
    pub(crate) fn at(path: &Path) -> Result<Self, Fault> {
        #[cfg(windows)]
        if path == Path::new(STDIN) {
            return Self::standard_input();
        }
        // The kind is asked for before too: opening a device can do something to it.
        check_kind(&fs::metadata(path)?)?;
        let file = fs::File::open(path)?;
        let metadata = file.metadata()?;
        check_kind(&metadata)?;
        Ok(if metadata.is_file() { Self::File { file, length: metadata.len() } } else { Self::Pipe(file) })
    }

    /// Standard input, be it a pipe or a file.
    #[cfg(windows)]
    fn standard_input() -> Result<Self, Fault> {
        use std::{io::IsTerminal as _, os::windows::io::AsHandle as _};

        let input = io::stdin();
        if input.is_terminal() {
            return Err(Fault::Stream);
        }
        Ok(Self::Pipe(input.as_handle().try_clone_to_owned()?.into()))
    }
}

fn check_kind(metadata: &fs::Metadata) -> Result<(), Fault> {
    if metadata.is_file() || is_pipe(metadata) {
        return Ok(());
    }
    Err(if metadata.is_dir() { Fault::Directory } else { Fault::Stream })
}

#[cfg(unix)]
pub(crate) fn is_pipe(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
pub(crate) fn is_pipe(_metadata: &fs::Metadata) -> bool {
    false
}

/// What has the values of a set: its file, or the memory that those of a pipe, or of a compressed array, were read into.
pub(crate) enum Stored {
    File(fs::File),
    Memory(Vec<u8>),
}

impl Stored {
    /// Bytes that it keeps in memory.
    pub(crate) fn bytes_in_memory(&self) -> u64 {
        match self {
            Self::File(_) => 0,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.fmt(f),
            // The bytes may be gigabytes.
            Self::Memory(bytes) => write!(f, "{} bytes in memory", bytes.len()),
        }
    }
}

impl ReadAt for Stored {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(into, offset),
            Self::Memory(bytes) => bytes.as_slice().read_at(into, offset),
        }
    }
}

/// Bytes of pipes and of compressed arrays that may be kept in memory, and those that are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) kept: u64,
    pub(crate) limit: u64,
}

impl Budget {
    pub(crate) const UNLIMITED: Self = Self { kept: 0, limit: u64::MAX };

    pub(crate) fn of(reading: &Reading) -> Self {
        Self { kept: 0, limit: reading.max_bytes.unwrap_or(u64::MAX) }
    }

    /// The first bytes of a pipe, which are read, and all others.
    pub(crate) fn read_all(self, head: Vec<u8>, pipe: &mut impl Read) -> Result<Vec<u8>, Fault> {
        let mut bytes = head;
        loop {
            let held = bytes.len() as u64;
            let needed = self.kept.saturating_add(held);
            if needed > self.limit {
                return Err(Fault::PipeLimit { needed, limit: self.limit });
            }
            let step = MIN_STEP.max(held / 8);
            reserve(&mut bytes, step).map_err(|()| Fault::PipeMemory { claimed: held + step })?;
            if (pipe.by_ref().take(step).read_to_end(&mut bytes)? as u64) < step {
                return Ok(bytes);
            }
        }
    }

    /// Reads the values of a pipe, and its end. The header has `start` bytes, which are read, and claims `bytes` of values.
    pub(crate) fn read(self, pipe: &mut impl Read, start: u64, bytes: u64) -> Result<Vec<u8>, Fault> {
        let needed = self.kept.saturating_add(bytes);
        if needed > self.limit {
            return Err(Fault::PipeLimit { needed, limit: self.limit });
        }
        let claimed = start.saturating_add(bytes);
        let mut values = Vec::new();
        let mut found = 0;
        while found < bytes {
            let step = (bytes - found).min(MIN_STEP.max(found / 8));
            reserve(&mut values, step).map_err(|()| Fault::PipeMemory { claimed })?;
            // No more is read than memory is reserved for, so that none is added to it.
            let count = pipe.by_ref().take(step).read_to_end(&mut values)? as u64;
            found += count;
            if count < step {
                return Err(Fault::PipeCut { found: start + found, claimed });
            }
        }
        let more = pipe.by_ref().take(1).read_to_end(&mut Vec::new())?;
        if more > 0 { Err(Fault::PipeLonger { claimed }) } else { Ok(values) }
    }
}

/// Reserves memory for so many more bytes, if there is any.
fn reserve(values: &mut Vec<u8>, more: u64) -> Result<(), ()> {
    let more = usize::try_from(more).map_err(|_| ())?;
    values.try_reserve_exact(more).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        let mut values = vec![1, 2, 3];
        assert_eq!(reserve(&mut values, u64::MAX), Err(()));
        assert_eq!(reserve(&mut values, 1 << 62), Err(()));
        assert_eq!((reserve(&mut values, 5), values.as_slice()), (Ok(()), [1, 2, 3].as_slice()));
        assert!(values.capacity() >= 8);
    }

    /// A pipe that gives little at a time, and counts what is asked of it.
    struct Trickle {
        left: u64,
        interrupts: bool,
    }

    impl Read for Trickle {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.interrupts = !self.interrupts;
            if self.interrupts {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = (into.len() as u64).min(self.left).min(70_001) as usize;
            into[..count].fill(7);
            self.left -= count as u64;
            Ok(count)
        }
    }

    #[test]
    fn memory_follows_what_arrives() {
        let pipe = |left| Trickle { left, interrupts: false };
        for bytes in [0, 1, MIN_STEP - 1, MIN_STEP, MIN_STEP + 1, 20 * MIN_STEP + 3] {
            let values = Budget::UNLIMITED.read(&mut pipe(bytes), 128, bytes).unwrap();
            assert!(values.len() as u64 == bytes && values.iter().all(|&value| value == 7));
            assert_eq!(values.capacity() as u64, bytes);
        }
        for (held, claimed) in [(0, 1), (MIN_STEP, MIN_STEP + 1), (9 * MIN_STEP + 5, u64::MAX)] {
            let fault = Budget::UNLIMITED.read(&mut pipe(held), 128, claimed).unwrap_err();
            assert!(matches!(fault, Fault::PipeCut { found, .. } if found == 128 + held), "{fault}");
        }
        let mut endless = pipe(u64::MAX);
        let fault = Budget::UNLIMITED.read(&mut endless, 128, 3 * MIN_STEP).unwrap_err();
        assert!(matches!(fault, Fault::PipeLonger { claimed } if claimed == 128 + 3 * MIN_STEP), "{fault}");
        assert_eq!(endless.left, u64::MAX - 3 * MIN_STEP - 1);
    }

    #[test]
    fn what_is_above_the_limit_is_not_read() {
        let mut pipe = Trickle { left: 100, interrupts: false };
        for (kept, limit) in [(0, 99), (1, 100), (u64::MAX, 1000)] {
            let fault = Budget { kept, limit }.read(&mut pipe, 128, 100).unwrap_err();
            let needed = kept.saturating_add(100);
            assert!(matches!(fault, Fault::PipeLimit { needed: n, limit: l } if (n, l) == (needed, limit)));
        }
        assert_eq!(pipe.left, 100);
        assert_eq!(Budget { kept: 7, limit: 107 }.read(&mut pipe, 128, 100).unwrap().len(), 100);
    }
}
