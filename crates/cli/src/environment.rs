//! The environment variables that drivers read.

use std::env;

/// Keeps Mesa from complaining on stderr where there is no desktop.
///
/// Its Vulkan layer asks Wayland which device draws the screen, and says `error:` on every start where
/// XDG_RUNTIME_DIR is not set, as in a container. Without a desktop no device draws it.
pub(crate) fn prepare() {
    if env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: the first thing that the program does: no other thread is there to read the environment.
        unsafe { env::set_var("NODEVICE_SELECT", "1") };
    }
}
