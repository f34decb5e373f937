//! The GPU that tests compare with the CPU.

use unisphere::Engine;

/// A GPU, software ones included; None where there is none and none is required.
#[allow(clippy::print_stderr, reason = "a test says that it has no GPU")]
pub(crate) fn gpu() -> Option<Engine> {
    let is_required = std::env::var("UNISPHERE_REQUIRE_GPU").is_ok_and(|value| value == "1");
    let engine = Engine::gpu();
    assert!(engine.is_ok() || !is_required, "{engine:?}");
    if let Err(error) = &engine {
        eprintln!("not tested on a GPU: {error}");
    }
    engine.ok()
}
