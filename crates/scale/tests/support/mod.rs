//! Files of points that tests of exact values evaluate.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use unisphere_io::File;
use unisphere_scale::Resources;

#[allow(dead_code, reason = "shared with the library's tests, which use more of it")]
#[path = "../../../../tests/support/random.rs"]
pub(crate) mod random;

pub(crate) const ROWS: usize = 1500;
pub(crate) const DIMS: usize = 7;
/// Panels of 190 rows, of which the last has 170.
pub(crate) const PANEL_ROWS: usize = 190;
/// Bytes of a panel, so that tests can ask for room for certain numbers of panels.
pub(crate) const PANEL_BYTES: u64 = (PANEL_ROWS * (4 * DIMS + 32)) as u64;

pub(crate) struct Files {
    folder: TempDir,
    pub(crate) x: PathBuf,
    pub(crate) y: PathBuf,
}

impl Files {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, seed| {
            let path = folder.path().join(name);
            unisphere_io::write(&path, &random::normal(ROWS, DIMS, seed), DIMS).unwrap();
            path
        };
        let (x, y) = (file("x.npy", 1), file("y.npy", 2));
        Self { folder, x, y }
    }

    pub(crate) fn open(&self) -> (File, File) {
        (File::open(&self.x).unwrap(), File::open(&self.y).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn resources() -> Resources {
    Resources::default()
}

pub(crate) fn with_journal(path: &Path) -> Resources {
    let mut resources = resources();
    resources.journal = Some(path.into());
    resources
}
