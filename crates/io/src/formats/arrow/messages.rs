//! The messages of a file or a stream: its schema, and where its record batches are.

use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_ipc::{
    Block, CompressionType, Endianness, Message, MessageHeader, MetadataVersion, convert::try_fb_to_schema,
    reader::FileDecoder, root_as_message,
};
use arrow_schema::SchemaRef;

use super::{CONTINUATION, FEATHER_1, MAGIC, NAME, damaged, fault};
use crate::{Fault, read_at::ReadAt, stored::Stored};

/// The most that a codec makes of one byte. A byte of LZ4 repeats another one up to 255 times; zstd repeats one 128 Ki times
/// in four.
fn most_bytes_of_one(codec: CompressionType) -> u64 {
    if codec == CompressionType::LZ4_FRAME { 255 } else { 32 << 10 }
}

/// What messages say before their data is read.
pub(super) struct Messages {
    pub(super) schema: SchemaRef,
    version: MetadataVersion,
    pub(super) batches: Vec<Batch>,
}

/// A record batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) bytes: usize,
    offset: u64,
    metadata: usize,
}

impl Messages {
    /// Reads all messages but what they hold.
    pub(super) fn read(stored: &Stored, length: u64) -> Result<Self, Fault> {
        let mut head = [0; 8];
        stored.read_exact_at(&mut head, 0).map_err(|_| cut(length))?;
        if head.starts_with(FEATHER_1) {
            return Err(Fault::Unsupported {
                format: NAME,
                found: "the layout of Feather V1".into(),
                cure: "save it again with pyarrow.feather.write_feather(table, path)",
            });
        }
        let is_file = head.starts_with(MAGIC);
        let mut at = if is_file { first_message(stored) } else { 0 };
        let (mut schema, mut batches) = (None, Vec::new());
        while let Some((metadata, start)) = metadata(stored, at, length)? {
            let message = root_as_message(&metadata[start..]).map_err(|error| damaged(&error.to_string()))?;
            let bytes = u64::try_from(message.bodyLength()).map_err(|_| damaged("a negative length"))?;
            let end = at.saturating_add(metadata.len() as u64).saturating_add(bytes);
            if end > length {
                return Err(cut(length));
            }
            match message.header_type() {
                MessageHeader::Schema if schema.is_none() => schema = schema_of(&message)?,
                MessageHeader::RecordBatch => {
                    let rows = message.header_as_record_batch().map(|batch| batch.length());
                    let rows = rows.and_then(|rows| usize::try_from(rows).ok());
                    let rows = rows.ok_or_else(|| damaged("a negative number of rows"))?;
                    let bytes =
                        usize::try_from(bytes).map_err(|_| damaged("a record batch beyond memory"))?;
                    batches.push(Batch { rows, bytes, offset: at, metadata: metadata.len() });
                }
                // Those of columns that are not read.
                MessageHeader::DictionaryBatch => {}
                _ => return Err(damaged("a message of an unknown kind")),
            }
            at = end;
        }
        if is_file {
            let mut tail = [0; MAGIC.len()];
            stored.read_exact_at(&mut tail, length.saturating_sub(MAGIC.len() as u64))?;
            if tail != MAGIC {
                return Err(cut(length));
            }
        }
        let (schema, version) = schema.ok_or_else(|| damaged("no schema"))?;
        Ok(Self { schema, version, batches })
    }

    /// A decoder of some columns, which are in the order of the file.
    pub(super) fn decoder(&self, columns: Vec<usize>) -> FileDecoder {
        FileDecoder::new(Arc::clone(&self.schema), self.version).with_projection(columns)
    }
}

/// The bytes that a file may have before its first message, so that this is aligned: Rust's own writer pads to so many.
const LONGEST_PADDING: u64 = 64;

/// Where the first message of a file begins: behind its magic bytes, and zeros that fill them up.
fn first_message(stored: &Stored) -> u64 {
    let mut at = 8;
    let mut eight = [0; 8];
    while at < LONGEST_PADDING && stored.read_exact_at(&mut eight, at).is_ok() && eight == [0; 8] {
        at += 8;
    }
    at
}

fn schema_of(message: &Message<'_>) -> Result<Option<(SchemaRef, MetadataVersion)>, Fault> {
    let Some(schema) = message.header_as_schema() else { return Ok(None) };
    if schema.endianness() != Endianness::Little {
        return Err(Fault::Unsupported {
            format: NAME,
            found: "big-endian numbers".into(),
            cure: "save it again on a little-endian machine",
        });
    }
    Ok(Some((Arc::new(try_fb_to_schema(schema).map_err(fault)?), message.version())))
}

/// The metadata of the message at a place, and where it begins behind its length; nothing at the end of all.
fn metadata(stored: &Stored, at: u64, length: u64) -> Result<Option<(Vec<u8>, usize)>, Fault> {
    let mut prefix = [0; 8];
    // An end that is marked is no end of something cut short.
    stored.read_exact_at(&mut prefix, at).map_err(|_| cut(length))?;
    let [a, b, c, d, rest @ ..] = prefix;
    // Files of before 2019 have no continuation.
    let (start, size) = if [a, b, c, d] == CONTINUATION { (8, rest) } else { (4, [a, b, c, d]) };
    let size = u32::from_le_bytes(size);
    if size == 0 {
        return Ok(None);
    }
    let end = start as u64 + u64::from(size);
    if end > length - at {
        return Err(cut(length));
    }
    let mut metadata = vec![0; end as usize];
    stored.read_exact_at(&mut metadata, at)?;
    Ok(Some((metadata, start)))
}

fn cut(length: u64) -> Fault {
    damaged(&format!("it ends after {length} bytes, before its end"))
}

impl Batch {
    /// Its bytes, which are not decompressed, and where the decoder finds what in them.
    pub(super) fn read(&self, stored: &Stored) -> Result<(Block, Buffer), Fault> {
        let mut bytes = vec![0; self.metadata + self.bytes];
        stored.read_exact_at(&mut bytes, self.offset)?;
        self.check_sizes(&bytes)?;
        let metadata = i32::try_from(self.metadata).map_err(|_| damaged("metadata of 2 GiB"))?;
        let block = Block::new(self.offset as i64, metadata, self.bytes as i64);
        Ok((block, Buffer::from_vec(bytes)))
    }

    /// Fails if a compressed buffer claims more than can be in it, or more memory than there is: the decoder reserves what it
    /// claims, and would end the program.
    fn check_sizes(&self, bytes: &[u8]) -> Result<(), Fault> {
        let (metadata, body) = bytes.split_at(self.metadata);
        let start = if metadata.starts_with(&CONTINUATION) { 8 } else { 4 };
        let message = root_as_message(metadata.get(start..).unwrap_or_default());
        let message = message.map_err(|error| damaged(&error.to_string()))?;
        let batch = message.header_as_record_batch().ok_or_else(|| damaged("no record batch"))?;
        let Some(compression) = batch.compression() else { return Ok(()) };
        let most_of_one = most_bytes_of_one(compression.codec());
        for buffer in batch.buffers().iter().flatten() {
            let start = usize::try_from(buffer.offset()).unwrap_or(usize::MAX);
            let length = usize::try_from(buffer.length()).unwrap_or_default();
            let stored = body.get(start..start.saturating_add(length)).unwrap_or_default();
            let Some(&claimed) = stored.first_chunk() else { continue };
            let claimed = i64::from_le_bytes(claimed);
            // −1 is said of what is not compressed.
            let claimed = u64::try_from(claimed).unwrap_or_default();
            if claimed > buffer.length().unsigned_abs().saturating_mul(most_of_one) {
                return Err(damaged("a buffer that claims more than it can hold"));
            }
            let claimed = usize::try_from(claimed).unwrap_or(usize::MAX);
            if Vec::<u8>::new().try_reserve_exact(claimed).is_err() {
                return Err(damaged("a buffer that claims more memory than there is"));
            }
        }
        Ok(())
    }
}
