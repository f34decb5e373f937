//! The file of a journal: opened, locked, begun.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    hash::{BuildHasher, RandomState},
    io::{self, ErrorKind, Seek, SeekFrom, Write},
    path::Path,
};

use super::{
    Identity, JournalFault,
    format::Header,
    recovery::{Contents, Reader},
};

/// A file that this process alone writes.
#[derive(Debug)]
pub(super) struct LockedFile(pub(super) File);

/// The lock is given back by name. To close the file is not enough where another thread starts a process at this
/// moment, which holds a copy of it until its program begins.
impl Drop for LockedFile {
    fn drop(&mut self) {
        // Who closes a file cannot do more about it.
        let _ = self.0.unlock();
    }
}

/// A locked file, which is made where nothing is.
pub(super) fn lock(path: &Path) -> Result<LockedFile, JournalFault> {
    let file = open_regular(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))?;
    match file.try_lock() {
        Ok(()) => Ok(LockedFile(file)),
        Err(TryLockError::WouldBlock) => Err(JournalFault::Locked),
        Err(TryLockError::Error(error)) => Err(JournalFault::LockUnsupported(error)),
    }
}

/// An open file. Its kind is looked at first, because to open a pipe is to wait for its other end.
pub(super) fn open_regular(path: &Path, options: &OpenOptions) -> Result<File, JournalFault> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(JournalFault::NotAFile);
    }
    options.open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => JournalFault::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => JournalFault::PermissionDenied(error),
        _ => JournalFault::Open(error),
    })
}

/// What a file holds, with its end where the next record goes.
pub(super) fn resume(path: &Path, mut file: &File, identity: &Identity) -> Result<Contents, JournalFault> {
    let mut reader = Reader::new(file)?;
    let Some(header) = reader.header()? else {
        let discarded_bytes = reader.length();
        let mut contents = start(path, file, identity).map_err(JournalFault::Write)?;
        contents.recovered.discarded_bytes = discarded_bytes;
        return Ok(contents);
    };
    header.identity.check_same(identity)?;
    let contents = reader.contents(&header)?;
    if contents.recovered.discarded_bytes > 0 {
        file.set_len(contents.end).map_err(JournalFault::Write)?;
    }
    file.seek(SeekFrom::Start(contents.end)).map_err(JournalFault::Write)?;
    Ok(contents)
}

/// A new journal in an open file. Header and name are on the disk before any record.
fn start(path: &Path, mut file: &File, identity: &Identity) -> io::Result<Contents> {
    let salt = RandomState::new().hash_one(std::process::id());
    let header = Header { identity: identity.clone(), salt };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&header.encode())?;
    file.sync_all()?;
    sync_folder_of(path)?;
    Ok(Contents::new(&header))
}

/// Syncs the folder that a new file is in: else a power cut may take its name, and with it the file.
#[cfg(unix)]
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Systems other than Unix do not open folders, and keep names by themselves.
#[cfg(not(unix))]
pub(crate) fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}
