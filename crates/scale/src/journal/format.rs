//! The bytes of a journal: a header of fixed size, then records of equal size. Numbers are little-endian.

use super::{Identity, JournalFault, Record};

/// The first bytes. A line end is among them, so that a copy in text mode shows.
const MAGIC: [u8; 8] = *b"unisph\r\n";
/// The version of header and records.
pub(super) const VERSION: u32 = 1;
/// Bytes of a header: magic, version, values, salt, fingerprint, device with its length, CRC.
pub(super) const HEADER_BYTES: usize = 256;
/// Bytes of a CRC-32.
const CRC_BYTES: usize = 4;
/// Bytes of a header that its CRC is of.
const HEADER_BODY_BYTES: usize = HEADER_BYTES - CRC_BYTES;
/// Bytes of a header that hold the device: those that nothing else takes.
const MAX_DEVICE_BYTES: usize = HEADER_BODY_BYTES - 60;
/// Values of a block's result.
const MAX_VALUES: usize = 64;
/// Bytes of the hash of a panel.
const HASH_BYTES: usize = 16;

/// Kinds of records. 0 is none of them, so that a hole in a file is no record.
const BLOCK: u32 = 1;
const PANEL: u32 = 2;
const END: u32 = 3;

/// The identity of a run, and the salt that tells its records from those of earlier files in the same place.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) identity: Identity,
    pub(super) salt: u64,
}

impl Header {
    /// The bytes of a file's beginning.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Identity { fingerprint, device, values } = &self.identity;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((*values as u32).to_le_bytes());
        bytes.extend(self.salt.to_le_bytes());
        bytes.extend(fingerprint);
        bytes.extend((device.len() as u32).to_le_bytes());
        bytes.extend(device.bytes());
        bytes.resize(HEADER_BODY_BYTES, 0);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// The header in a file's first bytes, at most [`HEADER_BYTES`], of which more may follow.
    ///
    /// Nothing where a run was stopped while it wrote the header. It syncs the header before any record, so that
    /// a bad one with bytes after it is damaged, not torn.
    pub(super) fn decode(bytes: &[u8], followed: bool) -> Result<Option<Self>, JournalFault> {
        let (body, mut crc) = bytes.split_at(bytes.len().min(HEADER_BODY_BYTES));
        if !followed && bytes.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        if !body.starts_with(&MAGIC) && !MAGIC.starts_with(body) {
            return Err(JournalFault::NotAJournal);
        }
        let mut fields = body.get(MAGIC.len()..).unwrap_or_default();
        match take(&mut fields).map(u32::from_le_bytes) {
            None | Some(VERSION) => {}
            Some(found) => return Err(JournalFault::Version { found }),
        }
        if take(&mut crc) == Some(crc32fast::hash(body).to_le_bytes()) {
            return Self::decode_fields(fields).map(Some).ok_or(JournalFault::HeaderDamaged);
        }
        if followed { Err(JournalFault::HeaderDamaged) } else { Ok(None) }
    }

    /// What comes after the version.
    fn decode_fields(mut fields: &[u8]) -> Option<Self> {
        let values = u32::from_le_bytes(take(&mut fields)?) as usize;
        let salt = u64::from_le_bytes(take(&mut fields)?);
        let fingerprint = take(&mut fields)?;
        let length = u32::from_le_bytes(take(&mut fields)?) as usize;
        let device = String::from_utf8(fields.get(..length)?.to_vec()).ok()?;
        let identity = Identity { fingerprint, device, values };
        identity.check().is_ok().then_some(Self { identity, salt })
    }

    /// The chain of its first record.
    pub(super) fn chain(&self) -> Chain {
        let crc = crc32fast::hash(self.encode().get(..HEADER_BODY_BYTES).unwrap_or_default());
        Chain { salt: self.salt, values: self.identity.values, crc }
    }
}

impl Identity {
    /// Whether a header can hold it.
    pub(super) fn check(&self) -> Result<(), JournalFault> {
        let what = match (self.values, self.device.len()) {
            (1..=MAX_VALUES, ..=MAX_DEVICE_BYTES) => return Ok(()),
            (1..=MAX_VALUES, length) => format!("a device's name of {length} bytes"),
            (values, _) => format!("blocks of {values} values"),
        };
        Err(JournalFault::Unfit { what })
    }
}

/// What a record says: a result, or that all results are there.
#[derive(Debug)]
pub(super) enum Entry<R = Record> {
    Record(R),
    End,
}

/// The place in a file where a record may stand. A record's CRC is also of its predecessor's and of the salt,
/// so that it is sound in this place alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    salt: u64,
    values: usize,
    /// The CRC of the predecessor: a record, or the header.
    crc: u32,
}

impl Chain {
    /// Bytes of a record: kind, number, content and CRC.
    pub(super) fn record_bytes(self) -> usize {
        12 + self.content_bytes() + CRC_BYTES
    }

    /// Bytes of a record that hold values or a hash.
    fn content_bytes(self) -> usize {
        HASH_BYTES.max(8 * self.values)
    }

    /// Whether a record fits: blocks have as many values as the header says.
    pub(super) fn check(self, record: &Record) -> Result<(), JournalFault> {
        match record {
            Record::Block { number, values } if values.len() != self.values => {
                let (found, held) = (values.len(), self.values);
                let what = format!("{found} values of block {number}, as it is of {held}");
                Err(JournalFault::Unfit { what })
            }
            _ => Ok(()),
        }
    }

    /// The bytes of an entry in this place, and the place after it.
    pub(super) fn encode(self, entry: Entry<&Record>) -> (Vec<u8>, Self) {
        let (kind, number) = match entry {
            Entry::Record(Record::Block { number, .. }) => (BLOCK, *number),
            Entry::Record(Record::Panel { number, .. }) => (PANEL, *number),
            Entry::End => (END, 0),
        };
        let mut bytes = Vec::with_capacity(self.record_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        match entry {
            Entry::Record(Record::Block { values, .. }) => {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Entry::Record(Record::Panel { hash, .. }) => bytes.extend(hash),
            Entry::End => {}
        }
        bytes.resize(12 + self.content_bytes(), 0);
        let crc = self.crc_of(&bytes);
        bytes.extend(crc.to_le_bytes());
        (bytes, Self { crc, ..self })
    }

    /// The entry in these bytes and the place after it, if it is sound in this place.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<(Entry, Self)> {
        let after = self.after_stored(bytes);
        let (body, _) = bytes.split_last_chunk::<CRC_BYTES>()?;
        if after.crc != self.crc_of(body) {
            return None;
        }
        let mut fields = body;
        let kind = u32::from_le_bytes(take(&mut fields)?);
        let number = u64::from_le_bytes(take(&mut fields)?);
        let entry = match kind {
            BLOCK => {
                let values = fields.get(..8 * self.values)?.as_chunks().0;
                let values = values.iter().map(|&value| f64::from_le_bytes(value)).collect();
                Entry::Record(Record::Block { number, values })
            }
            PANEL => Entry::Record(Record::Panel { number, hash: take(&mut fields)? }),
            END => Entry::End,
            _ => return None,
        };
        Some((entry, after))
    }

    /// The place after a record, sound or not, by the CRC that it has.
    pub(super) fn after_stored(self, bytes: &[u8]) -> Self {
        let crc = bytes.last_chunk().map_or(0, |&crc| u32::from_le_bytes(crc));
        Self { crc, ..self }
    }

    /// The place after a record, sound or not, by the CRC that it should have.
    pub(super) fn after_computed(self, bytes: &[u8]) -> Self {
        let body = bytes.split_last_chunk::<CRC_BYTES>().map_or(bytes, |(body, _)| body);
        Self { crc: self.crc_of(body), ..self }
    }

    fn crc_of(self, body: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.crc.to_le_bytes());
        hasher.update(&self.salt.to_le_bytes());
        hasher.update(body);
        hasher.finalize()
    }
}

/// The next bytes of a field, which are taken off.
fn take<const BYTES: usize>(fields: &mut &[u8]) -> Option<[u8; BYTES]> {
    let (field, rest) = fields.split_first_chunk()?;
    *fields = rest;
    Some(*field)
}
