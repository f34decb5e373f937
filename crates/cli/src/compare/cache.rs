//! What was measured of a model, kept in a file by the contents of the model's files and by what else it follows from.
//!
//! An entry is a magic line, the key, the shape, the numbers as f64 in little-endian order, and a hash of all of these. What does
//! not agree with its hash, its key or its length is no entry, and the model is measured again.

use std::{
    fs, io, iter,
    path::{Path, PathBuf},
    process,
};

use blake3::{Hash, Hasher};
use unisphere::{Engine, Scaling};
use unisphere_eval::compare::{ComparePlan, ModelRows, PartnerRows};
use unisphere_io::printable;

use super::run::Run;
use crate::{exit::Failure, interrupt, json::VERSION, reading::ReadingOptions};

/// The first bytes of an entry. Another form has another number.
const MAGIC: &[u8; 21] = b"unisphere compare 1\r\n";
/// Bytes of the key and of the hash at the end.
const HASH: usize = blake3::OUT_LEN;
/// Bytes before the numbers: the magic line, the key, rows, dimensions and lists.
const HEAD: usize = MAGIC.len() + HASH + 3 * size_of::<u64>();

/// The folder of the entries.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

/// What an entry is named by: a hash of all that its numbers follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(Hash);

impl Key {
    /// The first half of it, in hexadecimal digits.
    pub(super) fn fingerprint(&self) -> String {
        self.0.to_hex().chars().take(HASH).collect()
    }

    /// The key of a model: the contents of its files, how they are read and which rows of them are skipped, t and scaling, the device, and
    /// the version of this program. Alpha is none of them, as distances are kept and not their powers.
    pub(super) fn of(
        run: &Run,
        reading: &ReadingOptions,
        plan: &ComparePlan,
        engine: &Engine,
        skipped: &[usize],
    ) -> Result<Self, Failure> {
        let mut hasher = Hasher::new();
        hasher.update(MAGIC);
        for (role, path) in run.files() {
            hasher.update(role.as_bytes());
            hasher.update(contents(&path)?.as_bytes());
            // A format may be known by the end of a name.
            let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            hasher.update(&text(&ending));
        }
        let device = engine.device();
        for part in [
            reading.to_json().to_string(),
            plan.uniformity.t.to_string(),
            (plan.scaling == Scaling::Unit).to_string(),
            device.kind.to_string(),
            device.name.clone(),
            VERSION.to_owned(),
            NUMERICS.to_string(),
        ] {
            hasher.update(&text(&part));
        }
        for row in skipped {
            hasher.update(&(*row as u64).to_le_bytes());
        }
        Ok(Self(hasher.finalize()))
    }
}

/// Counts the changes of numbers that entries hold, between two versions of the program: raise it with any mend or change of the order
/// of sums that moves them, as the recorded bits of tests/golden tell.
const NUMERICS: u32 = 1;

/// A text after its length, so that two texts in a row are no others.
fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// The hash of a file's bytes.
fn contents(path: &Path) -> Result<Hash, Failure> {
    let hash = || -> io::Result<Hash> {
        let mut hasher = Hasher::new();
        hasher.update_reader(fs::File::open(path)?)?;
        Ok(hasher.finalize())
    };
    interrupt::leaving_at_once(hash)?
        .map_err(|error| Failure::Machine(format!("{} cannot be read: {error}", printable(path))))
}

impl Cache {
    /// The cache in a folder, which is made.
    pub(super) fn named(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| {
            Failure::Input(format!("--cache {}: the folder cannot be made: {error}", printable(folder)))
        })?;
        Ok(Self { folder: folder.into() })
    }

    /// The cache in the user's cache directory; None where there is none.
    pub(super) fn of_user() -> Option<Self> {
        let folder = dirs::cache_dir()?.join("unisphere").join("compare");
        fs::create_dir_all(&folder).ok()?;
        Some(Self { folder })
    }

    /// The entry of a key; None where there is none, or a damaged one, of which it warns.
    pub(super) fn find(&self, key: Key) -> Option<ModelRows> {
        let path = self.path(key);
        let bytes = fs::read(&path).ok()?;
        let found = decode(&bytes, key);
        if found.is_none() {
            log::warn!("{} is damaged, and its model is measured again", printable(&path));
        }
        found
    }

    /// Keeps an entry, whole or not at all. Where that fails, it warns: the next run measures again.
    pub(super) fn keep(&self, key: Key, rows: &ModelRows) {
        let path = self.path(key);
        let draft = path.with_extension(process::id().to_string());
        let kept = fs::write(&draft, encode(rows, key)).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = kept {
            let _ = fs::remove_file(&draft);
            log::warn!("{} cannot be written, and the next run measures again: {error}", printable(&path));
        }
    }

    fn path(&self, key: Key) -> PathBuf {
        self.folder.join(key.0.to_hex().as_str())
    }
}

fn encode(rows: &ModelRows, key: Key) -> Vec<u8> {
    let of_partners = rows.partners.iter().flat_map(|of| [&of.y, &of.distances]);
    let lists: Vec<_> = iter::once(&rows.x).chain(of_partners).collect();
    let mut bytes = MAGIC.to_vec();
    bytes.extend(key.0.as_bytes());
    for number in [rows.rows(), rows.dims, lists.len()] {
        bytes.extend((number as u64).to_le_bytes());
    }
    bytes.extend(lists.into_iter().flatten().flat_map(|value| value.to_le_bytes()));
    let hash = blake3::hash(&bytes);
    bytes.extend(hash.as_bytes());
    bytes
}

fn decode(bytes: &[u8], key: Key) -> Option<ModelRows> {
    let (whole, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
    let (head, values) = whole.split_at_checked(HEAD)?;
    let (of_key, shape) = head.strip_prefix(MAGIC)?.split_at_checked(HASH)?;
    if of_key != key.0.as_bytes() || blake3::hash(whole).as_bytes() != hash {
        return None;
    }
    let mut shape =
        shape.as_chunks().0.iter().map(|number| usize::try_from(u64::from_le_bytes(*number)).ok());
    let (rows, dims, lists) = (shape.next()??, shape.next()??, shape.next()??);
    let (values, rest) = values.as_chunks();
    // One set has a list, and two have three with their distances.
    if !rest.is_empty() || !matches!(lists, 1 | 3) || rows == 0 || rows.checked_mul(lists)? != values.len() {
        return None;
    }
    let list = |values: &[[u8; 8]]| values.iter().map(|value| f64::from_le_bytes(*value)).collect::<Vec<_>>();
    let mut lists = values.chunks(rows).map(list);
    let x = lists.next()?;
    let partners = lists.next().zip(lists.next()).map(|(y, distances)| PartnerRows { y, distances });
    Some(ModelRows { dims, x, partners })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(of: u8) -> Key {
        Key(blake3::hash(&[of]))
    }

    fn entries() -> [ModelRows; 2] {
        let one = ModelRows { dims: 5, x: vec![-1.5, 0.1, f64::MIN_POSITIVE], partners: None };
        let partners = PartnerRows { y: vec![3.0, 4.0], distances: vec![0.5, -0.0] };
        let two = ModelRows { dims: 384, x: vec![1.0, 2.0], partners: Some(partners) };
        [one, two]
    }

    #[test]
    fn an_entry_comes_back_bit_by_bit() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::named(&folder.path().join("new/cache")).unwrap();
        for (of, rows) in entries().into_iter().enumerate() {
            let key = key(of as u8);
            assert_eq!(cache.find(key), None);
            cache.keep(key, &rows);
            assert_eq!(cache.find(key), Some(rows));
        }
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 2);
    }

    /// Whichever byte is another, cut off or added.
    #[test]
    fn a_damaged_entry_is_none() {
        for rows in entries() {
            let bytes = encode(&rows, key(1));
            assert_eq!(decode(&bytes, key(1)), Some(rows));
            assert_eq!(decode(&bytes, key(2)), None);
            for place in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[place] ^= 0x10;
                assert_eq!(decode(&damaged, key(1)), None, "byte {place}");
                assert_eq!(decode(&bytes[..place], key(1)), None, "cut at {place}");
            }
            assert_eq!(decode(&[&bytes[..], &[0]].concat(), key(1)), None);
        }
    }
}
