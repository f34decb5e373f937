//! The backend of an engine: the CPU, or a GPU where that feature is on.

use std::sync::Arc;

use crate::{backend::Backend, cpu::Cpu};

#[cfg(feature = "gpu")]
use crate::gpu::Gpu;

/// One of the backends that this crate was built with.
#[derive(Clone, Debug)]
pub(super) enum AnyBackend {
    Cpu(Arc<Cpu>),
    #[cfg(feature = "gpu")]
    Gpu(Arc<Gpu>),
}

impl AnyBackend {
    pub(super) fn backend(&self) -> &dyn Backend {
        match self {
            Self::Cpu(cpu) => &**cpu,
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => &**gpu,
        }
    }

    #[cfg(feature = "gpu")]
    pub(super) fn gpu(&self) -> Option<&Gpu> {
        match self {
            Self::Cpu(_) => None,
            Self::Gpu(gpu) => Some(gpu),
        }
    }

    #[cfg(feature = "gpu")]
    pub(super) fn of_gpu(gpu: Gpu) -> Self {
        Self::Gpu(Arc::new(gpu))
    }
}
