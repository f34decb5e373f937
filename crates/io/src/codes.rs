//! Values that stand for others, where the caller says so: codes of a scale and a zero, and packed bits.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    Fault, Reading,
    dtype::Scalar,
    grid,
    memory::MIN_VALUES_FOR_THREADS,
    table::{Table, check_place, check_range, for_threads},
};

/// What whole numbers of 8 or 16 bits stand for: scale × (code − zero).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quant {
    /// The distance of two neighbouring codes; finite, and not 0.
    pub scale: f64,
    /// The code of 0; finite. That of uint8 is often 128.
    pub zero: f64,
}

/// What the values of a file stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Codes {
    Quant(Quant),
    Bits,
}

/// The points that the values of a table stand for, as the caller says.
pub(crate) fn decoded(table: Box<dyn Table>, reading: &Reading) -> Result<Box<dyn Table>, Fault> {
    match reading.codes {
        None => Ok(table),
        Some(Codes::Quant(quant)) => Ok(Box::new(Quantised::new(table, quant)?)),
        Some(Codes::Bits) => Ok(Box::new(Bits::new(table)?)),
    }
}

/// Codes of a scale and a zero.
#[derive(Debug)]
struct Quantised {
    codes: Box<dyn Table>,
    quant: Quant,
}

impl Quantised {
    fn new(codes: Box<dyn Table>, quant: Quant) -> Result<Self, Fault> {
        let Quant { scale, zero } = quant;
        if !(scale.is_finite() && scale != 0.0 && zero.is_finite()) {
            return Err(Fault::Quant { scale, zero });
        }
        use Scalar::{I8, I16, U8, U16};
        // Text has no scalar.
        match codes.scalar() {
            None | Some(I8 | U8 | I16 | U16) => Ok(Self { codes, quant }),
            Some(_) => Err(Fault::NotCodes { dtype: codes.dtype() }),
        }
    }
}

impl Quant {
    fn value(self, code: f64) -> f64 {
        self.scale * (code - self.zero)
    }

    fn apply(self, codes: &mut [f32]) {
        for code in codes {
            *code = self.value(f64::from(*code)) as f32;
        }
    }
}

impl Table for Quantised {
    fn rows(&self) -> usize {
        self.codes.rows()
    }

    fn dims(&self) -> usize {
        self.codes.dims()
    }

    fn views(&self) -> Option<usize> {
        self.codes.views()
    }

    fn dtype(&self) -> String {
        let Quant { scale, zero } = self.quant;
        format!("{} of scale {scale} and zero {zero}", self.codes.dtype())
    }

    fn is_wide(&self) -> bool {
        false
    }

    fn bytes(&self) -> u64 {
        self.codes.bytes()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.codes.bytes_in_memory()
    }

    fn inner(&self) -> Option<&dyn Table> {
        Some(&*self.codes)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        self.codes.read(rows, into)?;
        if into.len() < MIN_VALUES_FOR_THREADS {
            self.quant.apply(into);
        } else {
            into.par_chunks_mut(MIN_VALUES_FOR_THREADS / 8).for_each(|codes| self.quant.apply(codes));
        }
        Ok(())
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        Ok(self.quant.value(self.codes.stored(row, dim)?))
    }
}

/// Dimensions in a byte.
const BITS: usize = 8;

/// Values of a chunk that a thread unpacks.
const CHUNK: usize = 256 << 10;

/// The signs that the bits of each byte stand for, the most significant first.
static SIGNS: [[f32; BITS]; 256] = {
    let mut signs = [[-1.0; BITS]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < BITS {
            if byte >> (BITS - 1 - bit) & 1 == 1 {
                signs[byte][bit] = 1.0;
            }
            bit += 1;
        }
        byte += 1;
    }
    signs
};

/// Packed bits: a byte is eight dimensions, each −1 or 1.
#[derive(Debug)]
struct Bits {
    bytes: Box<dyn Table>,
    dims: usize,
}

impl Bits {
    fn new(bytes: Box<dyn Table>) -> Result<Self, Fault> {
        if !matches!(bytes.scalar(), None | Some(Scalar::I8 | Scalar::U8)) {
            return Err(Fault::NotBytes { dtype: bytes.dtype() });
        }
        match bytes.dims().checked_mul(BITS) {
            Some(dims) => Ok(Self { bytes, dims }),
            None => Err(Fault::Huge { rows: bytes.rows() as u64, dims: bytes.dims() as u64 }),
        }
    }

    /// Unpacks some rows, which begin with this one; `packed` is room for their bytes.
    fn unpack(&self, top: usize, packed: &mut Vec<f32>, into: &mut [f32]) -> Result<(), Fault> {
        let rows = top..top + into.len() / self.dims;
        packed.resize(into.len() / BITS, 0.0);
        self.bytes.read(rows, packed)?;
        let (signs, _) = into.as_chunks_mut::<BITS>();
        for (index, (signs, &value)) in signs.iter_mut().zip(packed.iter()).enumerate() {
            let byte = byte(value.into()).ok_or_else(|| Fault::NotByte {
                row: top + index / self.bytes.dims(),
                value: value.into(),
            })?;
            *signs = SIGNS[usize::from(byte)];
        }
        Ok(())
    }
}

/// The byte that a whole number is, with a sign or without.
fn byte(value: f64) -> Option<u8> {
    let is_byte = value.fract() == 0.0 && (-128.0..256.0).contains(&value);
    is_byte.then_some(value as i32 as u8)
}

impl Table for Bits {
    fn rows(&self) -> usize {
        self.bytes.rows()
    }

    fn dims(&self) -> usize {
        self.dims
    }

    fn views(&self) -> Option<usize> {
        self.bytes.views()
    }

    fn dtype(&self) -> String {
        format!("bits in {}", self.bytes.dtype())
    }

    fn is_wide(&self) -> bool {
        false
    }

    fn bytes(&self) -> u64 {
        self.bytes.bytes()
    }

    fn bytes_in_memory(&self) -> u64 {
        self.bytes.bytes_in_memory()
    }

    fn inner(&self) -> Option<&dyn Table> {
        Some(&*self.bytes)
    }

    fn read(&self, rows: Range<usize>, into: &mut [f32]) -> Result<(), Fault> {
        check_range(&rows, self.rows(), self.dims, into.len())?;
        let height = (CHUNK / self.dims).max(1);
        for_threads(&*self.bytes, rows, into, |rows, into| {
            grid::chunks(into, height * self.dims, Vec::new, |packed, (index, chunk)| {
                self.unpack(rows.start + index * height, packed, chunk)
            })
        })
    }

    fn stored(&self, row: usize, dim: usize) -> Result<f64, Fault> {
        check_place(row, dim, self.rows(), self.dims)?;
        let value = self.bytes.stored(row, dim / BITS)?;
        let byte = byte(value).ok_or(Fault::NotByte { row, value })?;
        Ok(SIGNS[usize::from(byte)][dim % BITS].into())
    }
}
