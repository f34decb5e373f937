//! Small integers in runs: one value repeated, or values packed into as few bits as they need.

use super::damaged;
use crate::Fault;

/// Values that a packed run gives at once.
const PACKED: usize = 64;

/// The hybrid of run lengths and packed bits that levels and indices are written in.
pub(super) struct Runs<'a> {
    bytes: &'a [u8],
    /// Bits of a value, at most 32.
    bits: usize,
    /// Values that are left.
    left: usize,
}

/// Neighbours among the values.
pub(super) enum Run<'a> {
    Repeated(u32, usize),
    Packed(&'a [u32]),
}

impl Run<'_> {
    /// How many values it has.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Repeated(_, count) => *count,
            Self::Packed(values) => values.len(),
        }
    }
}

impl<'a> Runs<'a> {
    pub(super) fn new(bytes: &'a [u8], bits: usize, values: usize) -> Result<Self, Fault> {
        if bits > 32 {
            Err(damaged("more than 32 bits an index"))
        } else {
            Ok(Self { bytes, bits, left: values })
        }
    }

    /// Gives all values to `take`, in order, until it stops or fails.
    pub(super) fn each(mut self, mut take: impl FnMut(Run<'_>) -> Result<bool, Fault>) -> Result<(), Fault> {
        while self.left > 0 {
            let header = self.varint()?;
            let go_on = if header & 1 == 0 {
                self.repeated((header >> 1) as usize, &mut take)?
            } else {
                self.packed((header >> 1) as usize, &mut take)?
            };
            if !go_on {
                break;
            }
        }
        Ok(())
    }

    fn repeated(
        &mut self,
        count: usize,
        take: &mut impl FnMut(Run<'_>) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        if count == 0 {
            return Err(damaged("an empty run"));
        }
        let value = self
            .take(self.bits.div_ceil(8))?
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte));
        let count = count.min(self.left);
        self.left -= count;
        take(Run::Repeated(value, count))
    }

    fn packed(
        &mut self,
        groups: usize,
        take: &mut impl FnMut(Run<'_>) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        // Writers fill the last group up, or end it early where the bytes end.
        let count = groups.saturating_mul(8).min(self.left);
        let bytes = self.take(groups.saturating_mul(self.bits).min(self.bytes.len()))?;
        if count == 0 || bytes.len() * 8 < count * self.bits {
            return Err(damaged("a run that ends early"));
        }
        let mut values = [0; PACKED];
        for start in (0..count).step_by(PACKED) {
            let values = &mut values[..PACKED.min(count - start)];
            unpack(bytes, start * self.bits, self.bits, values);
            self.left -= values.len();
            if !take(Run::Packed(values))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) =
            self.bytes.split_at_checked(count).ok_or_else(|| damaged("a run that ends early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u32, Fault> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| damaged("a run beyond 32 bits"));
            }
        }
        Err(damaged("a run beyond 32 bits"))
    }
}

/// Values of so many bits each, at most 32, from a bit on, which must be there.
fn unpack(bytes: &[u8], from: usize, bits: usize, into: &mut [u32]) {
    let mask = (1u64 << bits) - 1;
    for (index, value) in into.iter_mut().enumerate() {
        let bit = from + index * bits;
        let some = bytes.get(bit / 8..).unwrap_or_default();
        let wide = some.first_chunk().copied().unwrap_or_else(|| padded(some));
        *value = (u64::from_le_bytes(wide) >> (bit % 8) & mask) as u32;
    }
}

/// Fewer than 8 bytes, and zeros behind them.
#[cold]
fn padded(bytes: &[u8]) -> [u8; 8] {
    let mut wide = [0; 8];
    wide.iter_mut().zip(bytes).for_each(|(wide, &byte)| *wide = byte);
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], bits: usize, values: usize) -> Result<Vec<u32>, Fault> {
        let mut all = Vec::new();
        Runs::new(bytes, bits, values)?.each(|run| {
            match run {
                Run::Repeated(value, count) => all.extend(std::iter::repeat_n(value, count)),
                Run::Packed(values) => all.extend_from_slice(values),
            }
            Ok(true)
        })?;
        Ok(all)
    }

    #[test]
    fn runs_as_the_format_describes_them() {
        // The example of the format's text: 0 to 7 in three bits each.
        assert_eq!(all(&[3, 0b1000_1000, 0b1100_0110, 0b1111_1010], 3, 8).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            all(&[10, 2, 3, 0b1000_1000, 0b1100_0110, 0b1111_1010], 3, 8).unwrap(),
            [2, 2, 2, 2, 2, 0, 1, 2]
        );
        assert_eq!(all(&[0x84, 1, 0x34, 0x12], 16, 66).unwrap(), [0x1234; 66]);
        assert_eq!(all(&[2], 0, 1).unwrap(), [0]);
        for cut in [&[][..], &[0, 0], &[10], &[3, 1], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80]] {
            assert!(matches!(all(cut, 3, 8), Err(Fault::Damaged { .. })), "{cut:?}");
        }
    }
}
