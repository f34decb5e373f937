//! Where a computation runs, and how a caller says so.

use std::{convert::Infallible, fmt, str::FromStr};

use crate::precision::Precision;

/// A device that computes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// CPU or GPU.
    pub kind: DeviceKind,
    /// What the device calls itself.
    pub name: String,
    /// A GPU interface that is emulated on the CPU: for tests, and slower than [`DeviceKind::Cpu`].
    pub software: bool,
    /// Bytes of the memory in which a GPU keeps its points, all programs' use of it included, where its driver says so: Vulkan does.
    /// That of a GPU within a processor, and of a software one, is also the host's.
    pub memory: Option<u64>,
}

impl Device {
    /// A device of this kind and name, and no software one.
    pub fn new(kind: DeviceKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), software: false, memory: None }
    }
}

/// What kind of device computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceKind {
    /// This crate's native code on all cores.
    Cpu,
    /// Compute shaders on an adapter.
    Gpu,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        })
    }
}

/// Which device to take. Parsed from `auto`, `cpu`, `gpu` (upper and lower case alike), a number or a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceChoice {
    /// The best real GPU, else the CPU; never a software adapter.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The best adapter, a software one where there is no other.
    Gpu,
    /// The adapter of this index in [`adapters`](crate::adapters).
    Index(usize),
    /// The first adapter whose name holds this text, upper and lower case alike.
    Name(String),
}

impl FromStr for DeviceChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            _ => text.parse().map_or_else(|_| Self::Name(text.into()), Self::Index),
        })
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu => f.write_str("gpu"),
            Self::Index(index) => index.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// A GPU adapter as its driver describes it, with the limits that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adapter {
    /// Its place in the list, which [`DeviceChoice::Index`] takes.
    pub index: usize,
    /// What it calls itself.
    pub name: String,
    /// `Vulkan`, `Metal` or `Dx12`.
    pub api: String,
    /// Its driver and the driver's version, where known.
    pub driver: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// The largest buffer, in bytes.
    pub max_buffer: u64,
    /// The largest part of a buffer that a shader can see, in bytes.
    pub max_binding: u64,
    /// Memory shared by a workgroup, in bytes.
    pub workgroup_memory: u32,
    /// Invocations in a workgroup.
    pub workgroup_size: u32,
    /// Whether subgroup operations are offered.
    pub subgroups: bool,
    /// Whether half-precision arithmetic is offered.
    pub f16: bool,
    /// The precisions that [`Engine::with_precision`](crate::Engine::with_precision) takes on it.
    pub precisions: Vec<Precision>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_as_it_prints() {
        for (text, choice) in [
            ("auto", DeviceChoice::Auto),
            ("cpu", DeviceChoice::Cpu),
            ("gpu", DeviceChoice::Gpu),
            ("2", DeviceChoice::Index(2)),
            ("RTX 4090", DeviceChoice::Name("RTX 4090".into())),
        ] {
            assert_eq!(text.parse(), Ok(choice.clone()));
            assert_eq!(choice.to_string(), text);
        }
        assert_eq!("CPU".parse(), Ok(DeviceChoice::Cpu));
    }
}
