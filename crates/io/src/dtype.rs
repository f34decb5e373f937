//! How a value is stored, and as which f32 it is read.

use std::{fmt, str::FromStr};

use half::{f16, slice::HalfFloatSliceExt};

use crate::Fault;

/// How the values of a file are stored. Displayed as numpy writes it, `<f4`, or as `ml_dtypes` calls it, `bfloat16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dtype {
    /// The format of a value.
    pub(crate) scalar: Scalar,
    /// The order of its bytes.
    pub(crate) order: ByteOrder,
}

/// A format of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// 0 is false, and every other byte true.
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
    BF16,
    /// As `float8_e4m3fn`: without infinities.
    F8E4M3,
    /// As `float8_e5m2`: the upper byte of an f16.
    F8E5M2,
}

/// Every name that numpy takes for a scalar without its byte order; the first one is what it writes.
const SPELLINGS: [(Scalar, &[&str]); 15] = [
    (Scalar::Bool, &["b1", "?", "bool", "bool_"]),
    (Scalar::I8, &["i1", "b", "int8", "byte"]),
    (Scalar::I16, &["i2", "h", "int16", "short"]),
    (Scalar::I32, &["i4", "i", "int32", "intc"]),
    // C's long is that of every system but Windows.
    (Scalar::I64, &["i8", "l", "q", "p", "n", "int64", "int", "int_", "long", "longlong", "intp"]),
    (Scalar::U8, &["u1", "B", "uint8", "ubyte"]),
    (Scalar::U16, &["u2", "H", "uint16", "ushort"]),
    (Scalar::U32, &["u4", "I", "uint32", "uintc"]),
    (Scalar::U64, &["u8", "L", "Q", "P", "N", "uint64", "uint", "ulong", "ulonglong", "uintp"]),
    (Scalar::F16, &["f2", "e", "float16", "half"]),
    (Scalar::F32, &["f4", "f", "float32", "single"]),
    (Scalar::F64, &["f8", "d", "float64", "double", "float", "float_"]),
    (Scalar::BF16, &["bfloat16"]),
    (Scalar::F8E4M3, &["float8_e4m3fn"]),
    (Scalar::F8E5M2, &["float8_e5m2"]),
];

/// Which byte of a value comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The least significant.
    Little,
    /// The most significant.
    Big,
}

/// A float that numpy has no dtype for. `.npy` files have raw bytes in its place (`|V2`, `|V1`), or integers of its size, and
/// do not say which float they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RawFloat {
    /// bfloat16, 2 bytes: the upper half of an f32.
    BF16,
    /// float8_e4m3fn, 1 byte: 4 bits of exponent and 3 of mantissa, without infinities.
    F8E4M3,
    /// float8_e5m2, 1 byte: the upper half of an f16.
    F8E5M2,
}

/// A number as a file has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Float(f64),
    Signed(i64),
    Unsigned(u64),
}

/// What the `descr` of a `.npy` file says of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Descr {
    Numbers(Dtype),
    /// Raw bytes, as many for each value, which may be a [`RawFloat`].
    Raw {
        size: usize,
        order: ByteOrder,
    },
    Objects,
    /// Text of so many characters.
    Text {
        characters: usize,
        encoding: Encoding,
    },
    /// Complex numbers, dates, and whatever else.
    Other,
}

/// How numpy stores the characters of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A byte each (`S`).
    Bytes,
    /// Their code points, of four bytes each (`U`).
    CodePoints(ByteOrder),
}

impl Scalar {
    /// Bytes of one value.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 | Self::F8E4M3 | Self::F8E5M2 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Whether values are whole, with a sign or without.
    pub(crate) fn is_integer(self) -> bool {
        use Scalar::{I8, I16, I32, I64, U8, U16, U32, U64};
        matches!(self, I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64)
    }

    /// Whether values may have more digits than f32 holds.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, Self::F64 | Self::I32 | Self::U32 | Self::I64 | Self::U64)
    }

    /// What holds the numbers of several columns: that of all, or floats that say whether f32 holds them.
    #[cfg(feature = "parquet")]
    pub(crate) fn of_all(mut all: impl Iterator<Item = Self> + Clone) -> Option<Self> {
        let first = all.clone().next()?;
        if all.clone().all(|scalar| scalar == first) {
            return Some(first);
        }
        Some(if all.any(Self::is_wide) { Self::F64 } else { Self::F32 })
    }

    /// What numpy writes for it, without a byte order.
    fn name(self) -> &'static str {
        SPELLINGS.iter().find(|(scalar, _)| *scalar == self).map_or("?", |(_, names)| names[0])
    }

    /// The number of these bits, as many as a value has, and zeros above.
    fn number(self, bits: u64) -> Number {
        let signed = || {
            let above = 64 - 8 * self.size() as u32;
            (bits << above) as i64 >> above
        };
        match self {
            Self::Bool => Number::Unsigned((bits != 0).into()),
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => Number::Signed(signed()),
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => Number::Unsigned(bits),
            Self::F16 => Number::Float(f16::from_bits(bits as u16).to_f64()),
            Self::F32 => Number::Float(f32::from_bits(bits as u32).into()),
            Self::F64 => Number::Float(f64::from_bits(bits)),
            Self::BF16 => Number::Float(f32::from_bits((bits as u32) << 16).into()),
            Self::F8E4M3 => Number::Float(e4m3(bits as u8).into()),
            Self::F8E5M2 => Number::Float(e5m2(bits as u8).into()),
        }
    }
}

impl Number {
    /// The nearest f64.
    pub(crate) fn f64(self) -> f64 {
        match self {
            Self::Float(value) => value,
            Self::Signed(value) => value as f64,
            Self::Unsigned(value) => value as f64,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
        }
    }
}

impl ByteOrder {
    /// That of this machine.
    pub(crate) const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

impl RawFloat {
    fn scalar(self) -> Scalar {
        match self {
            Self::BF16 => Scalar::BF16,
            Self::F8E4M3 => Scalar::F8E4M3,
            Self::F8E5M2 => Scalar::F8E5M2,
        }
    }
}

impl fmt::Display for RawFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BF16 => "bf16",
            Self::F8E4M3 => "f8e4m3",
            Self::F8E5M2 => "f8e5m2",
        })
    }
}

impl FromStr for RawFloat {
    type Err = &'static str;

    /// Reads `bf16`, `f8e4m3` and `f8e5m2`, and the names that `ml_dtypes` has for them.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "bf16" | "bfloat16" => Ok(Self::BF16),
            "f8e4m3" | "float8_e4m3fn" => Ok(Self::F8E4M3),
            "f8e5m2" | "float8_e5m2" => Ok(Self::F8E5M2),
            _ => Err("bf16, f8e4m3 and f8e5m2 are known"),
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.scalar.name();
        let order = match self.order {
            // The names of `ml_dtypes` have no byte order.
            _ if name.len() > 2 => "",
            _ if self.scalar.size() == 1 => "|",
            ByteOrder::Little => "<",
            ByteOrder::Big => ">",
        };
        write!(f, "{order}{name}")
    }
}

impl Descr {
    /// What a `descr` says, as `numpy.dtype` reads it.
    pub(crate) fn of(descr: &[u8]) -> Self {
        let (order, name) = order(descr);
        let spelt = |names: &[&str]| names.iter().any(|spelling| spelling.as_bytes() == name);
        if let Some(&(scalar, _)) = SPELLINGS.iter().find(|(_, names)| spelt(names)) {
            return Self::Numbers(Dtype { scalar, order });
        }
        match name {
            b"V2" => Self::Raw { size: 2, order },
            // `ml_dtypes` writes f1 for float8_e5m2 alone.
            b"V1" | b"f1" => Self::Raw { size: 1, order },
            [b'O', ..] | b"object" => Self::Objects,
            [kind @ (b'U' | b'S'), digits @ ..] => match std::str::from_utf8(digits).map(str::parse) {
                Ok(Ok(characters)) if *kind == b'S' => Self::Text { characters, encoding: Encoding::Bytes },
                Ok(Ok(characters)) => Self::Text { characters, encoding: Encoding::CodePoints(order) },
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

impl Dtype {
    /// This scalar, its least significant byte first.
    pub(crate) const fn little(scalar: Scalar) -> Self {
        Self { scalar, order: ByteOrder::Little }
    }

    /// The dtype of points of this `descr`, where `told` says what raw bytes are.
    pub(crate) fn of_points(descr: &[u8], told: Option<RawFloat>) -> Result<Self, Fault> {
        match Descr::of(descr) {
            Descr::Numbers(dtype) => dtype.told(told),
            Descr::Raw { size, order } => match told {
                Some(told) if told.scalar().size() == size => Ok(Self { scalar: told.scalar(), order }),
                Some(told) => Err(Fault::OtherDtype { found: excerpt(descr), told }),
                None => Err(Fault::RawBytes { descr: excerpt(descr), told: floats_of(size) }),
            },
            Descr::Objects => Err(Fault::Objects),
            Descr::Text { .. } | Descr::Other => Err(Fault::NotReal { descr: excerpt(descr) }),
        }
    }

    /// The same bytes as the float that the caller says they are, which must be this one, or of the size of these integers.
    pub(crate) fn told(self, told: Option<RawFloat>) -> Result<Self, Fault> {
        let Some(told) = told else { return Ok(self) };
        let scalar = told.scalar();
        let is_raw = self.scalar.is_integer() && self.scalar.size() == scalar.size();
        if self.scalar == scalar || is_raw {
            return Ok(Self { scalar, ..self });
        }
        Err(Fault::OtherDtype { found: self.to_string(), told })
    }

    /// Bytes of one value.
    pub(crate) fn size(self) -> usize {
        self.scalar.size()
    }

    /// The nearest f32 to each value of `bytes`, which has as many as `into`.
    pub(crate) fn decode(self, bytes: &[u8], into: &mut [f32]) {
        match self.scalar {
            Scalar::Bool => self.each(bytes, |[byte]| f32::from(byte != 0), into),
            Scalar::I8 => self.each(bytes, |[byte]| f32::from(byte as i8), into),
            Scalar::U8 => self.each(bytes, |[byte]| f32::from(byte), into),
            Scalar::I16 => self.each(bytes, |value| f32::from(i16::from_le_bytes(value)), into),
            Scalar::U16 => self.each(bytes, |value| f32::from(u16::from_le_bytes(value)), into),
            Scalar::I32 => self.each(bytes, |value| i32::from_le_bytes(value) as f32, into),
            Scalar::U32 => self.each(bytes, |value| u32::from_le_bytes(value) as f32, into),
            Scalar::I64 => self.each(bytes, |value| i64::from_le_bytes(value) as f32, into),
            Scalar::U64 => self.each(bytes, |value| u64::from_le_bytes(value) as f32, into),
            Scalar::F16 => match self.order {
                ByteOrder::Little => halves(bytes, u16::from_le_bytes, into),
                ByteOrder::Big => halves(bytes, u16::from_be_bytes, into),
            },
            Scalar::F32 => self.each(bytes, f32::from_le_bytes, into),
            // Beyond the range of f32 this is an infinity, which the check of the points finds.
            Scalar::F64 => self.each(bytes, |value| f64::from_le_bytes(value) as f32, into),
            Scalar::BF16 => self.each(bytes, |[low, high]| f32::from_le_bytes([0, 0, low, high]), into),
            Scalar::F8E4M3 => self.each(bytes, |[byte]| E4M3[usize::from(byte)], into),
            Scalar::F8E5M2 => self.each(bytes, |[byte]| E5M2[usize::from(byte)], into),
        }
    }

    /// The nearest f64 to each value of `bytes`, which has as many as `into`.
    pub(crate) fn decode_wide(self, bytes: &[u8], into: &mut [f64]) {
        let values = into.iter_mut().zip(bytes.chunks_exact(self.size()));
        values.for_each(|(into, bytes)| *into = self.number(bytes).f64());
    }

    /// The number that these bytes store.
    pub(crate) fn number(self, bytes: &[u8]) -> Number {
        let mut little = [0; 8];
        let size = bytes.len().min(8);
        little[..size].copy_from_slice(&bytes[..size]);
        if self.order == ByteOrder::Big {
            little[..size].reverse();
        }
        self.scalar.number(u64::from_le_bytes(little))
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

/// Values of f16 in batches, of which the hardware converts several at once.
fn halves(bytes: &[u8], from_bytes: impl Fn([u8; 2]) -> u16, into: &mut [f32]) {
    const BATCH: usize = 256;
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

/// The value of each byte.
macro_rules! table {
    ($value:ident) => {{
        let mut values = [0.0; 256];
        let mut byte = 0;
        while byte < 256 {
            values[byte] = $value(byte as u8);
            byte += 1;
        }
        values
    }};
}

static E4M3: [f32; 256] = table!(e4m3);
static E5M2: [f32; 256] = table!(e5m2);

/// The value of a float8_e4m3fn: the bits of an f16 whose exponents are 8 lower.
const fn e4m3(byte: u8) -> f32 {
    let magnitude = byte & 0x7f;
    let value = match magnitude {
        0x7f => f32::NAN,
        _ => 256.0 * f16::from_bits((magnitude as u16) << 7).to_f32_const(),
    };
    if byte == magnitude { value } else { -value }
}

/// The value of a float8_e5m2.
const fn e5m2(byte: u8) -> f32 {
    f16::from_bits((byte as u16) << 8).to_f32_const()
}

/// The byte order that a `descr` states, or that of this machine, as numpy takes it; and the rest of it.
fn order(descr: &[u8]) -> (ByteOrder, &[u8]) {
    match descr {
        [b'<', name @ ..] => (ByteOrder::Little, name),
        [b'>', name @ ..] => (ByteOrder::Big, name),
        [b'=' | b'|', name @ ..] | name => (ByteOrder::NATIVE, name),
    }
}

/// What raw bytes of this size may be.
fn floats_of(size: usize) -> &'static str {
    if size == 2 { "bf16" } else { "f8e4m3 or f8e5m2" }
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
