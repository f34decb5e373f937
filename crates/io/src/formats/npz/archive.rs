//! The zip archive, by the crate `zip`, whose errors become faults here.

use std::{
    borrow::Cow,
    io::{self, BufReader, Read},
};

use zip::{CompressionMethod, ZipArchive, read::ZipFile, result::ZipError};

use super::{Member, NAME};
use crate::{
    Fault, Reading,
    dtype::excerpt,
    formats::{
        arrays::{Array, choose},
        columns::{Candidate, choose_scalars},
        npy::{Header, header, literal},
    },
    read_at::Span,
    stored::{Budget, Stored},
};

type Bytes<'a> = BufReader<Span<'a, Stored>>;

/// An archive, and the `.npy` files in it.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Bytes<'a>>,
    length: u64,
    arrays: Vec<Entry>,
}

/// A `.npy` file: its number in the archive, and its name without the ending.
struct Entry {
    number: usize,
    name: String,
}

impl<'a> Archive<'a> {
    /// Reads the list of an archive's files.
    pub(super) fn open(stored: &'a Stored, length: u64) -> Result<Self, Fault> {
        let zip = ZipArchive::new(BufReader::new(Span::new(stored, 0, length))).map_err(fault)?;
        // A name that cannot be decoded is none of an array.
        let paths: Vec<_> = zip.file_names().map(Result::unwrap_or_default).collect();
        let entry = |(number, path): (usize, &Cow<'_, str>)| {
            Some(Entry { number, name: path.strip_suffix(".npy")?.into() })
        };
        let arrays: Vec<_> = paths.iter().enumerate().filter_map(entry).collect();
        if arrays.is_empty() {
            let is_torch = paths.iter().any(|path| path.ends_with("/data.pkl"));
            return Err(if is_torch { TORCH } else { NO_ARRAYS });
        }
        drop(paths);
        Ok(Self { zip, length, arrays })
    }

    /// The array of this name, with or without `.npy`, or the only matrix.
    pub(super) fn choose(&mut self, reading: &Reading) -> Result<usize, Fault> {
        let wanted = reading.member.as_deref().map(|name| name.strip_suffix(".npy").unwrap_or(name));
        // A name decides without a look into each array.
        let shapes = match wanted {
            Some(_) => vec![Vec::new(); self.arrays.len()],
            None => self.arrays.iter().map(|entry| shape(&mut self.zip, entry.number)).collect(),
        };
        let arrays: Vec<_> =
            self.arrays.iter().zip(shapes).map(|(entry, shape)| Array { name: &entry.name, shape }).collect();
        if wanted.is_none() && is_sparse(&arrays) {
            return Err(SPARSE);
        }
        choose(&arrays, wanted, reading, "--member")
    }

    /// Reads an array's header and checks its values against the checksum, which are kept where they are not in the file.
    pub(super) fn read(&mut self, index: usize, budget: Budget, reading: &Reading) -> Result<Member, Fault> {
        let mut file = self.zip.by_index(self.arrays[index].number).map_err(fault)?;
        let size = file.size();
        let grid = header::grid(&mut file, Some(size), reading).map_err(of_archive)?;
        if file.compression() == CompressionMethod::Stored {
            let start = in_place(&file, self.length)?;
            io::copy(&mut file, &mut io::sink()).map_err(|error| of_archive(error.into()))?;
            return Ok(Member::InPlace(grid.at(start + grid.start)));
        }
        let values = budget.read(&mut file, grid.start, grid.bytes()).map_err(of_archive)?;
        Ok(Member::Inflated { grid, values })
    }

    /// The array of one value a row of this name, or the only one of one axis: its header, and its values where they are not
    /// in the file. They are checked against the checksum.
    pub(super) fn read_column(
        &mut self,
        wanted: Option<&str>,
        budget: Budget,
    ) -> Result<(Header, Option<Vec<u8>>), Fault> {
        let wanted = wanted.map(|name| name.strip_suffix(".npy").unwrap_or(name));
        let zip = &mut self.zip;
        let candidates = self.arrays.iter().map(|entry| {
            let mut is_column = || matches!(shape(zip, entry.number).as_slice(), [_] | [_, 1]);
            let value = (wanted == Some(&entry.name) || is_column()).then_some(entry.number);
            Candidate { name: entry.name.clone(), value }
        });
        let number = choose_scalars(&candidates.collect::<Vec<_>>(), wanted)?;
        let mut file = self.zip.by_index(number).map_err(fault)?;
        let size = file.size();
        let header = Header::read(&mut file, Some(size)).map_err(of_archive)?;
        if file.compression() == CompressionMethod::Stored {
            let start = in_place(&file, self.length)?;
            io::copy(&mut file, &mut io::sink()).map_err(|error| of_archive(error.into()))?;
            return Ok((header.at(start + header.start), None));
        }
        let values = budget.read(&mut file, header.start, header.bytes()).map_err(of_archive)?;
        Ok((header.at(0), Some(values)))
    }
}

/// Where the bytes of a file that is stored as it is begin in the archive, all of which must be there.
fn in_place(file: &ZipFile<'_, Bytes<'_>>, length: u64) -> Result<u64, Fault> {
    let start = file.data_start();
    let end = start.and_then(|start| start.checked_add(file.size()));
    match (start, end) {
        (Some(start), Some(end)) if end <= length && file.size() == file.compressed_size() => Ok(start),
        _ => Err(damaged("a size in it is wrong")),
    }
}

/// The shape that the header of an array states; none where it cannot be read, so that it is no matrix.
fn shape(zip: &mut ZipArchive<Bytes<'_>>, number: usize) -> Vec<u64> {
    let read = |file: &mut dyn Read, size| {
        let (text, _) = header::text(&mut { file }, Some(size))?;
        Ok::<_, Fault>(literal::fields(&text)?.shape)
    };
    let Ok(mut file) = zip.by_index(number) else { return Vec::new() };
    let size = file.size();
    read(&mut file, size).unwrap_or_default()
}

/// Whether these are the arrays of a sparse matrix of scipy.
fn is_sparse(arrays: &[Array<'_>]) -> bool {
    ["data", "indices", "indptr"].iter().all(|part| arrays.iter().any(|array| array.name == *part))
}

const TORCH: Fault = Fault::Format {
    found: "a PyTorch file of torch.save, a pickle, which is never executed",
    cure: "load it where you trust it, and save x.detach().cpu().float().numpy()",
};

const NO_ARRAYS: Fault = Fault::Format {
    found: "a zip archive without arrays of numpy",
    cure: "unzip it, and name the file in it",
};

const SPARSE: Fault = Fault::Format {
    found: "a sparse matrix of scipy",
    cure: "save x.toarray().astype('float32') with numpy.save",
};

fn damaged(problem: &str) -> Fault {
    Fault::Damaged { format: NAME, problem: excerpt(problem.as_bytes()) }
}

fn unsupported(found: &str) -> Fault {
    let found = format!("an unknown compression or encryption ({})", excerpt(found.as_bytes()));
    Fault::Unsupported { format: NAME, found, cure: "save it again with numpy.savez" }
}

fn fault(error: ZipError) -> Fault {
    match error {
        ZipError::Io(error) => of_archive(error.into()),
        ZipError::UnsupportedArchive(found) => unsupported(found),
        other => damaged(&other.to_string()),
    }
}

/// What a fault of an array's own bytes means for the archive that they are in.
fn of_archive(fault: Fault) -> Fault {
    match fault {
        Fault::Io(error) if error.kind() == io::ErrorKind::Unsupported => unsupported(&error.to_string()),
        Fault::Io(error) if is_of_bytes(&error) => damaged(&error.to_string()),
        Fault::Changed | Fault::PipeCut { .. } => damaged("an array in it ends early"),
        Fault::PipeLonger { .. } => damaged("an array in it is longer than it says"),
        Fault::PipeLimit { needed, limit } => Fault::InflateLimit { needed, limit },
        Fault::PipeMemory { claimed } => Fault::Memory { bytes: claimed.into() },
        other => other,
    }
}

/// Whether a decoder gave this error, and no disk.
fn is_of_bytes(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other)
}
