//! Precisions: in which coordinates are multiplied, and in which points are stored.

use std::{fmt, str::FromStr};

/// A name that stands for nothing of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is no {what}; it must be {known}")]
#[non_exhaustive]
pub struct UnknownName {
    /// What it should name.
    pub what: &'static str,
    /// The name given.
    pub given: String,
    /// The names that there are.
    pub known: &'static str,
}

/// The precision of the products in a cosine. Sums are f32 within a tile and f64 above it in any case.
///
/// | | products | error in uniformity, t = 2 | runs on |
/// |---|---|---|---|
/// | [`F32`](Self::F32) | f32 | 1e-6 at most | every device |
/// | [`F16x2`](Self::F16x2) | f16, of coordinates split in two terms | 1e-6 at most | cooperative matrices |
/// | [`F16`](Self::F16) | f16, of coordinates relative to their mean | 1e-5 at most | cooperative matrices |
///
/// Gradients are as exact as those of `F32` at `F16x2`; at `F16`, good to about 2e-3 of their length: weights are off by up to
/// 9e-4, and of points as evenly spread as random ones only a small part of what they pull is left as a gradient.
///
/// Cooperative matrices are what WebGPU calls tensor cores, matrix cores and the like. Where a grade cannot keep its
/// word, the sum is made in f32: for raw points, t > 5, few pairs (512² at most) and sets collapsed to a narrow cone, or
/// where a panel of halves is larger than a binding; at `F16` also for fewer than 64 dimensions, more than 1,536, and
/// sets of fewer than 131,072 coordinates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Three products of half-precision terms: as good as single precision.
    F16x2,
    /// One product of half-precision terms.
    F16,
}

impl Precision {
    /// All of them, the most accurate first.
    pub const ALL: &[Self] = &[Self::F32, Self::F16x2, Self::F16];
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F16x2 => "f16x2",
            Self::F16 => "f16",
        })
    }
}

impl FromStr for Precision {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().copied().find(|precision| precision.to_string() == text);
        let unknown = || UnknownName { what: "precision", given: text.into(), known: "f32, f16x2 or f16" };
        found.ok_or_else(unknown)
    }
}

/// How a device keeps the coordinates of points that are scaled to unit length. Arithmetic is single precision in
/// either case, and raw points are always kept in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            _ => Err(UnknownName { what: "storage", given: text.into(), known: "f32 or f16" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_reads_as_it_prints() {
        for &precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        assert!("f64".parse::<Precision>().is_err());
    }
}
