//! Writers of `.npy` and of zip archives that share nothing with the readers.

#![allow(dead_code, reason = "not every test has archives")]

/// What a file says of itself, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Npy {
    pub(crate) version: [u8; 2],
    pub(crate) header: Vec<u8>,
    pub(crate) values: Vec<u8>,
}

impl Npy {
    /// A version 1.0 file.
    pub(crate) fn new(descr: &str, fortran: bool, shape: &str, values: Vec<u8>) -> Self {
        let fortran = if fortran { "True" } else { "False" };
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}").into_bytes();
        Self { version: [1, 0], header, values }
    }

    /// The bytes, the header padded with spaces to a multiple of 64 and ended by a line feed, as numpy does.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let prefix = if self.version[0] == 1 { 10 } else { 12 };
        let mut header = self.header.clone();
        let end = (prefix + header.len() + 1).next_multiple_of(64);
        header.resize(end - prefix - 1, b' ');
        header.push(b'\n');
        let length = (header.len() as u32).to_le_bytes();
        let length = if self.version[0] == 1 { &length[..2] } else { &length[..] };
        [b"\x93NUMPY".as_slice(), &self.version, length, &header, &self.values].concat()
    }
}

/// A file in an archive, and what the archive says of it, right or wrong.
#[derive(Clone, Debug)]
pub(crate) struct Zipped {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) checksum: u32,
    /// Its bytes, and those in the archive.
    pub(crate) size: u32,
    pub(crate) packed: u32,
    /// What is added to where it begins.
    pub(crate) offset: u32,
}

impl Zipped {
    /// Stored as it is.
    pub(crate) fn new(name: &str, data: Vec<u8>) -> Self {
        let (checksum, size) = (crc32(&data), data.len() as u32);
        Self { name: name.into(), data, flags: 0, method: 0, checksum, size, packed: size, offset: 0 }
    }

    /// What both headers say of it.
    fn fields(&self) -> Vec<u8> {
        let version_and_more = [20, self.flags, self.method, 0, 0x21].map(u16::to_le_bytes).concat();
        let sizes = [self.checksum, self.packed, self.size].map(u32::to_le_bytes).concat();
        let lengths = [self.name.len() as u16, 0].map(u16::to_le_bytes).concat();
        [version_and_more, sizes, lengths].concat()
    }
}

/// The bytes of a zip archive.
pub(crate) fn archive(files: &[Zipped]) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    for file in files {
        list.extend([&b"PK\x01\x02\x14\0"[..], &file.fields(), &[0; 10]].concat());
        list.extend((bytes.len() as u32).wrapping_add(file.offset).to_le_bytes());
        list.extend(file.name.bytes());
        bytes.extend([&b"PK\x03\x04"[..], &file.fields(), file.name.as_bytes(), &file.data].concat());
    }
    let (start, length, count) = (bytes.len() as u32, list.len() as u32, files.len() as u16);
    bytes.extend(list);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].map(u16::to_le_bytes).concat());
    bytes.extend([length, start].map(u32::to_le_bytes).concat());
    bytes.extend([0, 0]);
    bytes
}

/// The checksum of zip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |rest: u32, _| rest >> 1 ^ if rest & 1 == 1 { 0xedb8_8320 } else { 0 };
    !bytes.iter().fold(!0, |rest, &byte| (0..8).fold(rest ^ u32::from(byte), step))
}
