//! What results depend on, in few bytes: the options and shapes, and the values of each panel.

use unisphere::{DeviceKind, Engine};
use unisphere_io::Source;

use crate::error::Result;

/// Hash of the values of a panel.
pub(crate) type Hash = [u8; 16];

/// Hash of values, which no change of the input leaves as it is.
pub(crate) fn hash_of(values: &[f32]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = [0; 4 * VALUES_AT_ONCE];
    for values in values.chunks(VALUES_AT_ONCE) {
        for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
            *bytes = value.to_le_bytes();
        }
        hasher.update(&bytes[..4 * values.len()]);
    }
    let mut hash = Hash::default();
    hasher.finalize_xof().fill(&mut hash);
    hash
}

/// Values that are turned into bytes at a time, which the cache holds.
const VALUES_AT_ONCE: usize = 4096;

/// Rows of a set that its sample has.
const ROWS_OF_SAMPLE: usize = 64;

/// Hash of some rows of a set, evenly spread: sets of one shape that differ have different samples, unless they differ in few
/// rows.
pub(crate) fn sample_of(source: &dyn Source) -> Result<Hash> {
    let (rows, dims) = (source.rows(), source.dims());
    let mut values = vec![0.0; ROWS_OF_SAMPLE.min(rows) * dims];
    let count = ROWS_OF_SAMPLE.min(rows) as u128;
    for (place, number) in values.chunks_exact_mut(dims).zip(0u128..) {
        let row = ((2 * number + 1) * rows as u128 / (2 * count)) as usize;
        source.read(row..row + 1, place)?;
    }
    Ok(hash_of(&values))
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hash of a text, for one that names everything that results depend on.
pub(crate) fn hash_of_text(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// Devices of one text give the same bits: the instruction set of a CPU, or the name of a GPU; and the arithmetic asked for.
pub(crate) fn device_class(engine: &Engine) -> String {
    let device = engine.device();
    let name = match device.kind {
        DeviceKind::Cpu => device.name.rsplit(", ").next().unwrap_or_default(),
        _ => &device.name,
    };
    shortened(format!("{}, {name}, {}, {}", device.kind, engine.precision(), engine.storage()))
}

/// A class of no more bytes than a journal takes: of a longer one the beginning, and a hash of all.
pub(crate) fn shortened(mut class: String) -> String {
    if class.len() > LONGEST_CLASS {
        let hash = hex(&hash_of_text(&class)[..8]);
        while class.len() + hash.len() + 1 > LONGEST_CLASS {
            class.pop();
        }
        class += &format!(" {hash}");
    }
    class
}

/// Longest text of a device class, in bytes.
const LONGEST_CLASS: usize = 192;
