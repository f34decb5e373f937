//! How a value is stored, and as which f32 it is read.

use std::fmt;

use half::{f16, slice::HalfFloatSliceExt};

use crate::Fault;

/// How the values of a file are stored. Displayed as numpy writes it, `<f4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dtype {
    /// The format of a value.
    pub(crate) float: Float,
    /// The order of its bytes.
    pub(crate) order: ByteOrder,
}

/// A floating-point format of IEEE 754.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float {
    /// Half precision, 2 bytes.
    F16,
    /// Single precision, 4 bytes.
    F32,
    /// Double precision, 8 bytes.
    F64,
}

/// Which byte of a value comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The least significant.
    Little,
    /// The most significant.
    Big,
}

impl Float {
    /// Bytes of one value.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl ByteOrder {
    /// That of this machine.
    pub(crate) const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            ByteOrder::Little => '<',
            ByteOrder::Big => '>',
        };
        write!(f, "{order}f{}", self.float.size())
    }
}

impl Dtype {
    /// The dtype that a `descr` names.
    pub(crate) fn named(descr: &[u8]) -> Result<Self, Fault> {
        let (order, kind) = order(descr);
        let float = match kind {
            b"f2" => Float::F16,
            b"f4" => Float::F32,
            b"f8" => Float::F64,
            [b'O', ..] => return Err(Fault::Objects),
            _ => return Err(Fault::NotFloats { descr: excerpt(descr) }),
        };
        let order = order.ok_or_else(|| Fault::NoByteOrder { descr: excerpt(descr) })?;
        Ok(Self { float, order })
    }

    /// The nearest f32 to each value of `bytes`, which has as many as `into`.
    pub(crate) fn decode(self, bytes: &[u8], into: &mut [f32]) {
        match self.float {
            Float::F16 => self.halves(bytes, into),
            Float::F32 => self.each(bytes, f32::from_le_bytes, into),
            // Beyond the range of f32 this is an infinity, which the check of the points finds.
            Float::F64 => self.each(bytes, |value| f64::from_le_bytes(value) as f32, into),
        }
    }

    /// The value that these bytes store.
    pub(crate) fn f64(self, bytes: &[u8]) -> f64 {
        let mut little = [0; 8];
        let size = bytes.len().min(8);
        little[..size].copy_from_slice(&bytes[..size]);
        if self.order == ByteOrder::Big {
            little[..size].reverse();
        }
        let bits = u64::from_le_bytes(little);
        match self.float {
            Float::F16 => f16::from_bits(bits as u16).to_f64(),
            Float::F32 => f32::from_bits(bits as u32).into(),
            Float::F64 => f64::from_bits(bits),
        }
    }

    /// Values of f16 in batches, of which the hardware converts several at once.
    fn halves(self, bytes: &[u8], into: &mut [f32]) {
        const BATCH: usize = 256;
        let from_bytes = match self.order {
            ByteOrder::Little => u16::from_le_bytes,
            ByteOrder::Big => u16::from_be_bytes,
        };
        let mut batch = [f16::ZERO; BATCH];
        let (stored, _) = bytes.as_chunks::<2>();
        for (stored, into) in stored.chunks(BATCH).zip(into.chunks_mut(BATCH)) {
            let halves = &mut batch[..into.len()];
            for (half, &value) in halves.iter_mut().zip(stored) {
                *half = f16::from_bits(from_bytes(value));
            }
            halves.convert_to_f32_slice(into);
        }
    }

    fn each<const SIZE: usize>(self, bytes: &[u8], from_le: impl Fn([u8; SIZE]) -> f32, into: &mut [f32]) {
        let (stored, _) = bytes.as_chunks::<SIZE>();
        let values = into.iter_mut().zip(stored);
        match self.order {
            ByteOrder::Little => values.for_each(|(into, &value)| *into = from_le(value)),
            ByteOrder::Big => values.for_each(|(into, &(mut value))| {
                value.reverse();
                *into = from_le(value);
            }),
        }
    }
}

/// The byte order that a `descr` states, where it does, and the rest of it.
pub(crate) fn order(descr: &[u8]) -> (Option<ByteOrder>, &[u8]) {
    match descr {
        [b'<', kind @ ..] => (Some(ByteOrder::Little), kind),
        [b'>', kind @ ..] => (Some(ByteOrder::Big), kind),
        [b'=', kind @ ..] => (Some(ByteOrder::NATIVE), kind),
        [b'|', kind @ ..] | kind => (None, kind),
    }
}

/// A file's own text, safe to print: short, in ASCII, without control characters.
pub(crate) fn excerpt(text: &[u8]) -> String {
    const LONGEST: usize = 32;
    let mut excerpt = text[..text.len().min(LONGEST)].escape_ascii().to_string();
    if text.len() > LONGEST {
        excerpt.push('…');
    }
    excerpt
}
