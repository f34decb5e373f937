//! The kernels that the library's test `every_kernel_is_written_as_spirv_under_a_name_of_its_own` leaves in a folder.

use std::{fs, path::Path};

/// A kernel as a driver takes it.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Its entry point, tiles, flags and storage of points.
    pub(crate) name: String,
    pub(crate) words: Vec<u32>,
    pub(crate) entry: String,
    pub(crate) buffers: u32,
}

impl Kernel {
    pub(crate) fn by_matrices(&self) -> bool {
        self.name.starts_with("cooperative ")
    }
}

/// Those of a folder that a report is of.
///
/// # Errors
///
/// The file that lacks or is not as the test writes it.
pub(crate) fn read(folder: &Path) -> Result<Vec<Kernel>, String> {
    let list = folder.join("kernels.tsv");
    let text = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let mut kernels = Vec::new();
    for line in text.lines() {
        let [name, file, entry, buffers] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("{}: no kernel: {line}", list.display()));
        };
        if !is_reported(name) {
            continue;
        }
        let file = folder.join(file);
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let words = bytes.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
        let buffers = buffers.parse().map_err(|error| format!("{}: {error}: {line}", list.display()))?;
        kernels.push(Kernel { name: name.into(), words, entry: entry.into(), buffers });
    }
    if kernels.is_empty() {
        return Err(format!("{} names no kernel", list.display()));
    }
    Ok(kernels)
}

/// Whether AMD's GPUs run it, and no other row of a report is the same code but for a number or the unpacking of points.
fn is_reported(name: &str) -> bool {
    let has = |word: &str| name.split(' ').any(|other| other == word);
    // They add up by subgroups, and their matrices are of 16 × 16.
    let sums = has("log_sum") || has("weights_of_pairs");
    if name.starts_with("cooperative ") {
        return has("16x16");
    }
    // Weights have the pivot of all; lengths of rows are numbers of the epilogue.
    let same_code = has("weights_of_pairs") && has("own_pivot") || has("finecosine") || has("product");
    // Points in f16 are unpacked where they are staged, the same way everywhere.
    let other_storage = has("f16") && (!sums || has("folded") || has("own_pivot"));
    (!sums || has("subgroups")) && !same_code && !other_storage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_no_row_twice() {
        for name in [
            "cooperative log_sum split 16x16",
            "gather f32",
            "log_sum 128x128x16/256 cosine subgroups f16",
            "log_sum 128x128x16/256 cosine folded own_pivot subgroups f32",
            "similarities_of_pairs 128x128x16/256 cosine f32",
        ] {
            assert!(is_reported(name), "{name}");
        }
        for name in [
            "cooperative log_sum split 8x8_metal",
            "gather f16",
            "log_sum 128x128x16/256 cosine f32",
            "weights_of_pairs 128x128x16/256 cosine own_pivot subgroups f32",
            "similarities_of_pairs 128x128x16/256 finecosine f32",
        ] {
            assert!(!is_reported(name), "{name}");
        }
    }
}
