//! The device: adapters, buffers, pipelines, and work in short submissions.

pub(crate) mod adapters;
pub(crate) mod buffer;
pub(crate) mod ceiling;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod pipeline;
pub(crate) mod stream;
#[cfg(not(target_arch = "wasm32"))]
mod waiter;
pub(crate) mod waiting;
