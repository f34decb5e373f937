//! Bytes at a place of a file, so that several threads read one file at once.

use std::{fs, io};

/// What has bytes at places: an open file, or bytes in memory. Reading moves no cursor that anyone relies on.
pub(crate) trait ReadAt: Sync {
    /// Reads some of the bytes from `offset` on, none where they end.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `into` with the bytes from `offset` on.
    fn read_exact_at(&self, mut into: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !into.is_empty() {
            match self.read_at(into, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    into = into.get_mut(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl ReadAt for fs::File {
    #[cfg(unix)]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, into, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, into, offset)
    }

    #[cfg(not(any(unix, windows)))]
    fn read_at(&self, _into: &mut [u8], _offset: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// The bytes from one place to another, one after another.
pub(crate) struct Span<'a, R: ?Sized> {
    of: &'a R,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a, R: ReadAt + ?Sized> Span<'a, R> {
    /// So many bytes from `start` on, which must be there.
    pub(crate) fn new(of: &'a R, start: u64, length: u64) -> Self {
        Self { of, start, length, at: 0 }
    }
}

impl<R: ReadAt + ?Sized> io::Read for Span<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let into_rest = into.len().min(rest);
        let count = self.of.read_at(&mut into[..into_rest], self.start.saturating_add(self.at))?;
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: ReadAt + ?Sized> io::Seek for Span<'_, R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let at = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::End(by) => self.length.checked_add_signed(by),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
