//! The memory of tiles: a file of the user's cache directory for each adapter, driver and version of this crate. A browser has
//! none.

use crate::gpu::{device::context::Context, kernel::tiling::Tiling};

/// `default` takes the tiles of a device's kind without timing; the name of tiles takes those.
pub(crate) const TILES_VARIABLE: &str = "UNISPHERE_TILES";

/// Tiles that the user asks for, by name.
pub(crate) fn asked_for() -> Option<String> {
    std::env::var(TILES_VARIABLE).ok().filter(|name| !name.is_empty())
}

#[cfg(target_arch = "wasm32")]
impl Context {
    /// Remembers nothing.
    pub(super) fn keep(&self, _: Tiling) {}

    /// None, as nothing is remembered.
    pub(super) fn kept(&self) -> Option<Tiling> {
        None
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod files {
    use std::{
        fs, io,
        path::{Path, PathBuf},
    };

    use super::{Context, Tiling};

    impl Context {
        /// Remembers tiles, as well as it can be done.
        pub(in crate::gpu::selftest) fn keep(&self, tiling: Tiling) {
            if let Some(Err(error)) = self.memory().map(|path| remember(&path, tiling)) {
                log::debug!("the choice of tiles is not remembered: {error}");
            }
        }

        /// The tiles that were the fastest earlier.
        pub(in crate::gpu::selftest) fn kept(&self) -> Option<Tiling> {
            self.memory().and_then(|path| remembered(&path))
        }

        /// The file that holds the choice for this adapter and driver.
        fn memory(&self) -> Option<PathBuf> {
            let info = self.device.adapter_info();
            let key = format!(
                "{} {} {:?} {} {}",
                env!("CARGO_PKG_VERSION"),
                info.name,
                info.backend,
                info.driver,
                info.driver_info
            );
            let key: String =
                key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(200).collect();
            Some(dirs::cache_dir()?.join("unisphere").join("tiles").join(key))
        }
    }

    fn remembered(path: &Path) -> Option<Tiling> {
        Tiling::named(fs::read_to_string(path).ok()?.trim())
    }

    fn remember(path: &Path, tiling: Tiling) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Whole or not at all, whoever reads or writes beside.
        let draft = path.with_extension(std::process::id().to_string());
        fs::write(&draft, tiling.to_string())?;
        fs::rename(draft, path)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::gpu::tests::contexts;

        #[test]
        fn tiles_are_remembered() {
            for tiling in [Tiling::SMALL, Tiling::ALL[0]] {
                let folder = std::env::temp_dir().join(format!("unisphere-{}-{tiling}", std::process::id()));
                let path = folder.join("tiles");
                assert_eq!(remembered(&path), None);
                remember(&path, tiling).expect("a file");
                assert_eq!(remembered(&path), Some(tiling));
                fs::write(&path, "of another version").expect("a file");
                assert_eq!(remembered(&path), None);
                fs::remove_dir_all(folder).expect("an end");
            }
            for context in contexts(false).into_iter().step_by(2) {
                let name = context.memory().map(|path| path.file_name().map_or(0, |name| name.len()));
                assert!(name.is_none_or(|length| length > 5));
            }
        }
    }
}
