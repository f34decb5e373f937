//! Files that are no points, known by their first bytes.

use crate::Fault;

/// As many first bytes as decide.
pub(crate) const DECIDING: u64 = 512;

/// What begins with these bytes, behind as many others, and what to do about it.
struct Known {
    at: usize,
    magic: &'static [u8],
    found: &'static str,
    cure: &'static str,
}

const fn known(magic: &'static [u8], found: &'static str, cure: &'static str) -> Known {
    Known { at: 0, magic, found, cure }
}

/// The first that fits is it.
const KNOWN: &[Known] = &[
    known(
        LFS,
        "a pointer of Git LFS, not the file that it stands for",
        "run git lfs pull where it was cloned",
    ),
    known(b"\x1f\x8b", "compressed with gzip", "gunzip it first"),
    known(b"BZh", "compressed with bzip2", "bunzip2 it first"),
    known(b"\xfd7zXZ\0", "compressed with xz", "unxz it first"),
    known(b"\x28\xb5\x2f\xfd", "compressed with zstd", "unzstd it first"),
    known(b"\x04\x22\x4d\x18", "compressed with lz4", "unlz4 it first"),
    known(b"7z\xbc\xaf\x27\x1c", "a 7z archive", "extract it first: 7z x FILE"),
    Known { at: 257, magic: b"ustar", found: "a tar archive", cure: "extract it first: tar -xf FILE" },
    known(
        b"\x80",
        "a pickle, as torch.save and pickle.dump write it, which is never executed",
        "load it where you trust it, and save the array with numpy.save",
    ),
    known(
        b"MATLAB 5.0 MAT-file",
        "a MATLAB file",
        "read it with scipy.io.loadmat and save one variable with numpy.save",
    ),
    known(b"MATLAB 7.3 MAT-file", "a MATLAB file of version 7.3", H5PY),
    known(b"\x89HDF\r\n\x1a\n", "HDF5", H5PY),
    known(b"\xff\xfe", UTF_16, FROM_UTF_16),
    known(b"\xfe\xff", UTF_16, FROM_UTF_16),
    known(b"PK\x05\x06", "an empty zip archive", "see why its writer stored nothing"),
    known(b"GGUF", "a model in GGUF", "embed with it first, and save the embeddings with numpy.save"),
    known(
        b"SQLite format 3\0",
        "an SQLite database",
        "read it with sqlite3 and save one array with numpy.save",
    ),
    known(b"ORC", "ORC", "read it with pyarrow.orc.read_table and write it with pyarrow.parquet.write_table"),
    known(b"Obj\x01", "Avro", "write it as Parquet first"),
    known(b"IxF", FAISS, RECONSTRUCT),
    known(b"IxM", FAISS, RECONSTRUCT),
    known(b"IHN", FAISS, RECONSTRUCT),
    known(b"IwF", FAISS, RECONSTRUCT),
    known(b"IwP", FAISS, RECONSTRUCT),
];

const UTF_16: &str = "text in UTF-16";
const FROM_UTF_16: &str = "write a copy in UTF-8: iconv -f UTF-16 -t UTF-8 FILE > COPY";
const LFS: &[u8] = b"version https://git-lfs";
const H5PY: &str = "read it with h5py and save one data set with numpy.save";
const FAISS: &str = "an index of faiss";
const RECONSTRUCT: &str =
    "read it with faiss.read_index and save index.reconstruct_n(0, index.ntotal) with numpy.save";

/// What this project's own program has written, which shells name too in `folder/*`.
const REPORT: &str = "a report of unisphere, not points";

/// What text is that no format reads.
pub(crate) const TEXT: &str = "text that holds no rows of numbers";
/// What is not known at all.
pub(crate) const UNKNOWN: &str = "in no format that is known";

/// How pages of the web begin, in lower case.
const PAGES: [&[u8]; 4] = [b"<!doctype html", b"<html", b"<?xml", b"<head"];

/// What a file is that no format recognises, by its first [`DECIDING`] bytes.
pub(crate) fn recognise(head: &[u8]) -> Fault {
    let begins = |known: &&Known| head.get(known.at..).is_some_and(|rest| rest.starts_with(known.magic));
    let (found, cure) = match KNOWN.iter().find(begins) {
        Some(known) => (known.found, known.cure),
        None if is_page(head) => (
            "a web page, as a download leaves that failed or needs a login",
            "download the file itself, and see what is in this one",
        ),
        None if is_text(head) => {
            (TEXT, "save the array with numpy.save, or as CSV with numpy.savetxt(f, x, delimiter=',')")
        }
        None if is_of_single_bytes(head) => (
            "text in another encoding than UTF-8",
            "write a copy in UTF-8, such as by iconv -f WINDOWS-1252 -t UTF-8 FILE > COPY",
        ),
        None if is_utf_16(head) => (UTF_16, "write a copy in UTF-8: iconv -f UTF-16LE -t UTF-8 FILE > COPY"),
        None => (UNKNOWN, "save the array with numpy.save; or say with --format what its name does not"),
    };
    Fault::Format { found, cure }
}

/// Whether bytes are the beginning of a report of this project's program: a CSV file, or an object of JSON.
pub(crate) fn is_report(head: &[u8]) -> bool {
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let is_table = ["time,files.x,", "time,files,"].iter().any(|start| first.starts_with(start.as_bytes()))
        && first.split(|&byte| byte == b',').any(|name| name == b"unisphere");
    is_table || first.starts_with(b"{\"unisphere\":\"")
}

/// The fault of a report in the place of points.
pub(crate) fn report() -> Fault {
    Fault::Format { found: REPORT, cure: "name the files of the points that it is of" }
}

/// Whether this is what a download or a clone leaves in the place of a file.
pub(crate) fn is_stand_in(head: &[u8]) -> bool {
    head.starts_with(LFS) || is_page(head)
}

/// Whether bytes are the beginning of a page of the web.
pub(crate) fn is_page(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    PAGES.iter().any(|page| text.get(..page.len()).is_some_and(|start| start.eq_ignore_ascii_case(page)))
}

/// Whether bytes are the beginning of a text of a byte a character, most of them ASCII.
fn is_of_single_bytes(head: &[u8]) -> bool {
    let has_controls = head.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    let others = head.iter().filter(|byte| !byte.is_ascii()).count();
    !has_controls && others > 0 && 4 * others < head.len()
}

/// Characters that tell the encoding of a text without a mark.
const TELLING: usize = 8;

/// Whether bytes are the beginning of a text in UTF-16, the low bytes first, without the mark that says so.
fn is_utf_16(head: &[u8]) -> bool {
    let (characters, _) = head.as_chunks::<2>();
    let is_plain =
        |&[low, high]: &[u8; 2]| high == 0 && (low.is_ascii_graphic() || low.is_ascii_whitespace());
    characters.get(..TELLING).is_some_and(|first| first.iter().all(is_plain))
}

/// Whether bytes may be the beginning of a text in UTF-8.
pub(crate) fn is_text(head: &[u8]) -> bool {
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
