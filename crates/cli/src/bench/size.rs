//! The size of a set: points by dimensions.

use std::{fmt, str::FromStr};

use crate::{exit::Failure, memory, text};

/// n points of d dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) n: usize,
    pub(crate) d: usize,
}

impl Size {
    /// Fails where the machine has too little memory for so many copies of the points.
    pub(super) fn check(self, copies: u64) -> Result<(), Failure> {
        match memory::available() {
            Some(free) if self.bytes().saturating_mul(copies) > free => Err(self.too_large(Some(free))),
            _ => Ok(()),
        }
    }

    pub(super) fn too_large(self, free: Option<u64>) -> Failure {
        let free = free.map(|free| format!(", of which {} are free", text::bytes(free))).unwrap_or_default();
        let points = text::bytes(self.bytes());
        Failure::Usage(format!(
            "--sizes {}x{} is too large for this machine's memory{free}\n\
             the points alone take {points}, and their copies on the device and gradients as much again each",
            self.n, self.d
        ))
    }

    /// Bytes of the points; `u64::MAX` where there are more.
    fn bytes(self) -> u64 {
        let bytes = (self.n as u128 * self.d as u128).saturating_mul(size_of::<f32>() as u128);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let size =
            text.split_once('x').and_then(|(n, d)| Some(Self { n: n.parse().ok()?, d: d.parse().ok()? }));
        match size {
            None => Err("must be points by dimensions, as 8192x768"),
            Some(Self { n: 0 | 1, .. }) => Err("uniformity needs at least 2 points"),
            Some(Self { d: 0, .. }) => Err("points need at least 1 dimension"),
            Some(size) => Ok(size),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", text::count(self.n as u64), text::count(self.d as u64))
    }
}
