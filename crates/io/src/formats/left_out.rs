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
        head.starts_with(b"PAR1") || head.starts_with(b"ARROW1")
    }

    fn open(&self, _input: Input, _reading: &Reading) -> Result<Box<dyn Table>, Fault> {
        Err(Fault::LeftOut)
    }
}
