//! The adapters of this machine, and how one of them is opened.

use crate::{
    device::{Adapter, Device, DeviceChoice, DeviceKind},
    error::{Error, Result},
    gpu::kernel::cooperative::Matrices,
    pending::{Pending, beside, block_on},
    precision::Precision,
};

/// The GPU adapters of this machine, the best first: discrete, integrated, virtual, software. Empty where
/// there is none.
pub fn adapters() -> Vec<Adapter> {
    block_on(adapters_async()).unwrap_or_default()
}

/// As [`adapters`], for a task that awaits them while its executor goes on; in a browser, the only way to them.
///
/// # Errors
///
/// None but a lack of threads.
pub fn adapters_async() -> Pending<'static, Vec<Adapter>> {
    Box::pin(beside(async {
        let found = found().await;
        Ok(found.iter().enumerate().map(|(index, adapter)| describe(index, adapter)).collect())
    }))
}

/// A device, its queue, and the cooperative matrices that it can multiply.
pub(crate) type Opened = (wgpu::Device, wgpu::Queue, Option<Matrices>);

/// Opens the adapter of a choice, with all that it offers. Where several would do, the next is tried if one fails.
pub(crate) async fn open(choice: &DeviceChoice) -> Result<(Device, Opened)> {
    let found = found().await;
    let wanted = |index: usize, info: &wgpu::AdapterInfo| match choice {
        DeviceChoice::Cpu => false,
        DeviceChoice::Auto => info.device_type != wgpu::DeviceType::Cpu,
        DeviceChoice::Gpu => true,
        DeviceChoice::Index(wanted) => index == *wanted,
        DeviceChoice::Name(name) => info.name.to_lowercase().contains(&name.to_lowercase()),
    };
    let mut failure = None;
    for (_, adapter) in
        found.iter().enumerate().filter(|(index, adapter)| wanted(*index, &adapter.get_info()))
    {
        match request(adapter).await {
            Ok(opened) => {
                let device = Device { memory: memory(adapter), ..identify(&adapter.get_info()) };
                return Ok((device, opened));
            }
            Err(error) => failure = failure.or(Some(Error::Device { reason: error.to_string() })),
        }
    }
    let names =
        found.iter().enumerate().map(|(index, adapter)| format!("{index} {}", adapter.get_info().name));
    let available = std::iter::once("cpu".into()).chain(names).collect();
    Err(failure.unwrap_or(Error::NoDevice { wanted: choice.to_string(), available }))
}

async fn request(adapter: &wgpu::Adapter) -> Result<Opened, wgpu::RequestDeviceError> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("unisphere"),
        required_features: adapter.features() & wgpu::Features::SUBGROUP,
        required_limits: adapter.limits(),
        ..Default::default()
    };
    if let Some(matrices) = Matrices::of(adapter) {
        let with_matrices = wgpu::DeviceDescriptor {
            required_features: Matrices::FEATURES,
            // SAFETY: wgpu may not see all that can be wrong with a kernel over matrices; ours are as a test has them, and
            // are tried on the device before they are used.
            experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
            ..descriptor.clone()
        };
        // A driver that fails here may yet serve without.
        match adapter.request_device(&with_matrices).await {
            Ok((device, queue)) => return Ok((device, queue, Some(matrices))),
            Err(error) => log::warn!(
                "{} has cooperative matrices and cannot use them: {error}",
                adapter.get_info().name
            ),
        }
    }
    let (device, queue) = adapter.request_device(&descriptor).await?;
    Ok((device, queue, None))
}

/// An adapter as results name it.
pub(crate) fn identify(info: &wgpu::AdapterInfo) -> Device {
    Device {
        kind: DeviceKind::Gpu,
        name: info.name.clone(),
        software: info.device_type == wgpu::DeviceType::Cpu,
        memory: None,
    }
}

/// Bytes of the largest heap of memory that is the device's, as Vulkan tells it. No other interface does through wgpu.
#[cfg(any(target_os = "linux", target_os = "windows", target_os = "android"))]
fn memory(adapter: &wgpu::Adapter) -> Option<u64> {
    /// `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`
    const DEVICE_LOCAL: u32 = 1;
    // SAFETY: the adapter is alive, and nothing of it is destroyed here.
    let vulkan = unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }?;
    let instance = vulkan.shared_instance().raw_instance();
    // SAFETY: the physical device is one of this instance.
    let properties = unsafe { instance.get_physical_device_memory_properties(vulkan.raw_physical_device()) };
    let heaps = properties.memory_heaps_as_slice().iter();
    heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0).map(|heap| heap.size).max()
}

#[cfg(not(any(target_os = "linux", target_os = "windows", target_os = "android")))]
fn memory(_: &wgpu::Adapter) -> Option<u64> {
    None
}

async fn found() -> Vec<wgpu::Adapter> {
    let backends = wgpu::Backends::PRIMARY & wgpu::Instance::enabled_backend_features();
    if backends.is_empty() {
        return Vec::new();
    }
    let descriptor =
        wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
    let mut adapters = wgpu::Instance::new(descriptor).enumerate_adapters(backends).await;
    adapters.sort_by_key(|adapter| kind(adapter.get_info().device_type).0);
    adapters
}

/// Its rank, the best first, and its name.
fn kind(device_type: wgpu::DeviceType) -> (u8, &'static str) {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => (0, "discrete"),
        wgpu::DeviceType::IntegratedGpu => (1, "integrated"),
        wgpu::DeviceType::VirtualGpu => (2, "virtual"),
        wgpu::DeviceType::Other => (3, "other"),
        wgpu::DeviceType::Cpu => (4, "software"),
    }
}

fn describe(index: usize, adapter: &wgpu::Adapter) -> Adapter {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    Adapter {
        index,
        name: info.name,
        api: format!("{:?}", info.backend),
        driver: format!("{} {}", info.driver, info.driver_info).trim().into(),
        kind: kind(info.device_type).1,
        max_buffer: limits.max_buffer_size,
        max_binding: limits.max_storage_buffer_binding_size,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        workgroup_size: limits.max_compute_invocations_per_workgroup,
        subgroups: features.contains(wgpu::Features::SUBGROUP),
        f16: features.contains(wgpu::Features::SHADER_F16),
        precisions: match Matrices::of(adapter) {
            Some(_) => Precision::ALL.into(),
            None => vec![Precision::F32],
        },
    }
}
