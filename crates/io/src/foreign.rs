//! Files of other formats, known by their first bytes.

use crate::Fault;

/// As many first bytes as decide.
pub(crate) const DECIDING: u64 = 16;

const KNOWN: [(&[u8], &str, &str); 8] = [
    (b"PK\x03\x04", "a zip archive (.npz or a PyTorch file)", "unzip it, or save one array with numpy.save"),
    (b"PK\x05\x06", "an empty zip archive", "save one array with numpy.save"),
    (b"\x89HDF", "HDF5", "read it with h5py and save one data set with numpy.save"),
    (b"\x80", "a pickle, which is never executed", "load it where you trust it, and save it with numpy.save"),
    (b"\x1f\x8b", "compressed with gzip", "gunzip it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unzstd it first"),
    (b"PAR1", "Parquet", "read it with pyarrow and save the column with numpy.save"),
    (b"ARROW1", "Arrow", "read it with pyarrow and save the column with numpy.save"),
];

/// What a file that is not `.npy` is instead, by its first [`DECIDING`] bytes.
pub(crate) fn recognise(head: &[u8]) -> Fault {
    let known = KNOWN.iter().find(|(magic, ..)| head.starts_with(magic));
    let (found, cure) = match known {
        Some(&(_, found, cure)) => (found, cure),
        None if is_text(head) => {
            ("text, perhaps CSV", "read it with numpy.loadtxt(f, delimiter=',') and save it with numpy.save")
        }
        None => ("something unknown", "save the array with numpy.save"),
    };
    Fault::NotNpy { found, cure }
}

fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character that the end of `head` cuts in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    valid.chars().all(|c| !c.is_control() || c.is_whitespace())
}
