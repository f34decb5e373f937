//! A writer of `.npy` bytes that shares nothing with the reader.

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
