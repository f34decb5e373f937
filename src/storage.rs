//! In which precision points are kept.

use std::{fmt, str::FromStr};

/// How a device keeps the coordinates of points that are scaled to unit length. Arithmetic is single precision in
/// either case, and raw points are always kept in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Four bytes a coordinate.
    #[default]
    F32,
    /// Two bytes a coordinate, on GPUs: half the memory. Coordinates are rounded to 11 bits after the scaling, each by
    /// 2.4e-4 of itself at the most; over many pairs that averages out, to about 1e-7 in the uniformity of thousands
    /// of points.
    F16,
}

impl Storage {
    /// Bytes of a coordinate.
    #[cfg(feature = "gpu")]
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        })
    }
}

impl FromStr for Storage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            _ => Err("must be f32 or f16".into()),
        }
    }
}
