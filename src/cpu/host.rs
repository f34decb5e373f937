//! The host's processor, as far as its system tells of it.

/// Model name of the processor, where the system has it in a file.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn model() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, model) = info.lines().find(|line| line.starts_with("model name"))?.split_once(':')?;
    Some(model.trim().into())
}

/// A browser does not tell.
#[cfg(target_arch = "wasm32")]
pub(crate) fn model() -> Option<String> {
    None
}
