//! What a build without the feature `parquet` says of such files.

use std::path::Path;

use crate::{
    Fault, Reading,
    formats::{Format, Input},
    table::Table,
};

/// Parquet and Arrow files, which are known and not read.
pub(crate) struct LeftOut;

impl Format for LeftOut {
    fn recognises(&self, head: &[u8], _path: &Path) -> bool {
        let magics: [&[u8]; 5] = [b"PAR1", b"PARE", b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"];
        magics.iter().any(|magic| head.starts_with(magic))
    }

    fn open(&self, _input: Input, _reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        Err(Fault::LeftOut)
    }
}
