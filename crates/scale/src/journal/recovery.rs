//! Recovery: what a file holds, whatever stopped the run that wrote it.
//!
//! A run that is stopped leaves a file that is whole but for its end. What is bad at the end is therefore a tear, and
//! given up. What is bad before sound records is damage that no stop explains, and refused.

use std::{
    collections::{HashMap, hash_map::Entry as Place},
    fs::File,
    io::{BufReader, ErrorKind, Read, Take},
};

use super::{
    JournalFault, Record, Recovered,
    format::{Chain, Entry, HEADER_BYTES, Header},
};

/// The bytes of a file as long as it is now. A writer may append to it meanwhile.
pub(super) struct Reader<'a> {
    bytes: Take<BufReader<&'a File>>,
    length: u64,
}

/// Sound records, and where the next one goes.
pub(super) struct Contents {
    pub(super) recovered: Recovered,
    pub(super) chain: Chain,
    /// Bytes of the header and of sound records.
    pub(super) end: u64,
    /// Where in `recovered` a block or a panel is.
    places: HashMap<(&'static str, u64), usize>,
}

impl<'a> Reader<'a> {
    /// A file from its beginning.
    pub(super) fn new(file: &'a File) -> Result<Self, JournalFault> {
        let length = file.metadata().map_err(JournalFault::Read)?.len();
        Ok(Self { bytes: BufReader::new(file).take(length), length })
    }

    /// Bytes of the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The header, or nothing where the file ends within it.
    pub(super) fn header(&mut self) -> Result<Option<Header>, JournalFault> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        let mut first = self.bytes.by_ref().take(HEADER_BYTES as u64);
        first.read_to_end(&mut bytes).map_err(JournalFault::Read)?;
        Header::decode(&bytes, self.length > HEADER_BYTES as u64)
    }

    /// The records after the header.
    pub(super) fn contents(mut self, header: &Header) -> Result<Contents, JournalFault> {
        let mut contents = Contents::new(header);
        let mut bytes = vec![0; contents.chain.record_bytes()];
        while !contents.recovered.finished && self.fill(&mut bytes)? {
            let Some((entry, after)) = contents.chain.decode(&bytes) else {
                if self.sound_after(contents.chain, &mut bytes)? {
                    return Err(JournalFault::Damaged { offset: contents.end });
                }
                break;
            };
            contents.add(entry)?;
            contents.chain = after;
            contents.end += bytes.len() as u64;
        }
        contents.recovered.discarded_bytes = self.length.saturating_sub(contents.end);
        Ok(contents)
    }

    /// Whether a sound record comes after the bad one in `bytes`.
    ///
    /// Its predecessor's CRC is the one that stands there, and for the first one also the one that should: the
    /// CRC may be what is bad.
    fn sound_after(&mut self, chain: Chain, bytes: &mut [u8]) -> Result<bool, JournalFault> {
        let mut places = [chain.after_computed(bytes), chain.after_stored(bytes)];
        while self.fill(bytes)? {
            if places.iter().any(|place| place.decode(bytes).is_some()) {
                return Ok(true);
            }
            places = [chain.after_stored(bytes); 2];
        }
        Ok(false)
    }

    /// Whether the file had as many bytes more as asked for.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, JournalFault> {
        match self.bytes.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(JournalFault::Read(error)),
        }
    }
}

impl Contents {
    /// No record yet.
    pub(super) fn new(header: &Header) -> Self {
        Self {
            recovered: Recovered::default(),
            chain: header.chain(),
            end: HEADER_BYTES as u64,
            places: HashMap::new(),
        }
    }

    /// Adds a sound entry. A record that comes again must be the same, bit by bit, and counts once.
    fn add(&mut self, entry: Entry) -> Result<(), JournalFault> {
        let Entry::Record(record) = entry else {
            self.recovered.finished = true;
            return Ok(());
        };
        let (what, number) = match record {
            Record::Block { number, .. } => ("block", number),
            Record::Panel { number, .. } => ("panel", number),
        };
        let records = &mut self.recovered.records;
        match self.places.entry((what, number)) {
            Place::Occupied(place) if records.get(*place.get()).is_some_and(|first| first.same(&record)) => {}
            Place::Occupied(_) => return Err(JournalFault::Contradiction { what, number }),
            Place::Vacant(place) => {
                place.insert(records.len());
                records.push(record);
            }
        }
        Ok(())
    }
}
