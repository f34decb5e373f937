//! Bytes of a file by place, as the decoder asks for them.

use std::{
    io::{self, BufReader, Read},
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

use crate::{read_at::ReadAt, stored::Stored};

/// What a page's header takes with its statistics, and little more: headers are read one by one.
const HEADER: usize = 512;

/// A file and its length. Nothing is allocated for bytes that it does not have.
#[derive(Debug)]
pub(super) struct Chunks {
    stored: Arc<Stored>,
    length: u64,
}

impl Chunks {
    pub(super) fn new(stored: Stored, length: u64) -> Self {
        Self { stored: Arc::new(stored), length }
    }

    /// Bytes that are kept in memory.
    pub(super) fn bytes_in_memory(&self) -> u64 {
        self.stored.bytes_in_memory()
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let from = From { stored: Arc::clone(&self.stored), at: start };
        Ok(BufReader::with_capacity(HEADER, from))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} of {}", self.length)));
        }
        let mut bytes = vec![0; length];
        self.stored.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The bytes from a place on.
pub(super) struct From {
    stored: Arc<Stored>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.stored.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
