//! A Vulkan driver that compiles kernels and tells what it made of them, on a machine with no GPU: Mesa's RADV opens a null
//! device of the family that `RADV_FORCE_FAMILY` names. Nothing can run on it.

use std::{
    ffi::{CStr, CString, c_char},
    ptr,
};

use ash::{khr, vk};

const CREATED_WITH: vk::PipelineCreateFlags = vk::PipelineCreateFlags::from_raw(
    vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR.as_raw()
        | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR.as_raw(),
);

/// A kernel as the driver compiled it.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Names and values, as the driver names them.
    pub(crate) statistics: Vec<(String, u64)>,
    /// The machine code as text.
    pub(crate) listing: String,
}

/// A device that compiles.
pub(crate) struct Driver {
    instance: ash::Instance,
    device: ash::Device,
    executables: khr::pipeline_executable_properties::Device,
    /// The device and the version of its driver.
    pub(crate) name: String,
    /// Whether it takes kernels that multiply by cooperative matrices.
    pub(crate) has_matrices: bool,
    // The library of all functions above, unloaded after them.
    _entry: ash::Entry,
}

impl Driver {
    /// RADV's device, with the features that wgpu asks for.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub(crate) fn open() -> Result<Self, String> {
        // SAFETY: a Vulkan loader's initialisers may run at any time, and no other thread is here.
        let entry = unsafe { ash::Entry::load() }.map_err(|error| format!("no Vulkan loader: {error}"))?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let create = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: the description is whole, and lives as long as the call.
        let instance = unsafe { entry.create_instance(&create, None) }
            .map_err(|error| format!("no Vulkan instance: {error}"))?;
        match Self::of(&instance) {
            Ok((device, executables, name, has_matrices)) => {
                Ok(Self { instance, device, executables, name, has_matrices, _entry: entry })
            }
            Err(error) => {
                // SAFETY: nothing of it is in use.
                unsafe { instance.destroy_instance(None) };
                Err(error)
            }
        }
    }

    #[allow(clippy::type_complexity, reason = "the fields of a driver, for its only caller")]
    fn of(
        instance: &ash::Instance,
    ) -> Result<(ash::Device, khr::pipeline_executable_properties::Device, String, bool), String> {
        // SAFETY: the instance is alive.
        let found = unsafe { instance.enumerate_physical_devices() }.map_err(|error| error.to_string())?;
        let (physical, name) = found
            .into_iter()
            .find_map(|physical| Some((physical, radv(instance, physical)?)))
            .ok_or("RADV opens no null device: set RADV_FORCE_FAMILY to navi21, navi31 or gfx1201")?;
        // SAFETY: the physical device is one of this instance.
        let extensions = unsafe { instance.enumerate_device_extension_properties(physical) }
            .map_err(|error| error.to_string())?;
        let offers =
            |name: &CStr| extensions.iter().any(|extension| extension.extension_name_as_c_str() == Ok(name));
        let has_matrices = offers(khr::cooperative_matrix::NAME);
        let mut enabled =
            vec![khr::pipeline_executable_properties::NAME.as_ptr(), ash::ext::robustness2::NAME.as_ptr()];
        let mut matrices = vk::PhysicalDeviceCooperativeMatrixFeaturesKHR::default().cooperative_matrix(true);
        let mut executable = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
        let mut of_1_1 = vk::PhysicalDeviceVulkan11Features::default()
            .storage_buffer16_bit_access(true)
            .uniform_and_storage_buffer16_bit_access(true);
        let mut of_1_2 = vk::PhysicalDeviceVulkan12Features::default()
            .shader_float16(true)
            .vulkan_memory_model(true)
            .vulkan_memory_model_device_scope(true);
        let mut of_1_3 = vk::PhysicalDeviceVulkan13Features::default().subgroup_size_control(true);
        let core = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
        let mut create = vk::DeviceCreateInfo::default();
        if has_matrices {
            enabled.push(khr::cooperative_matrix::NAME.as_ptr());
            create = create.push_next(&mut matrices);
        }
        let create = create
            .queue_create_infos(&queues)
            .enabled_extension_names(&enabled)
            .enabled_features(&core)
            .push_next(&mut executable)
            .push_next(&mut robust)
            .push_next(&mut of_1_1)
            .push_next(&mut of_1_2)
            .push_next(&mut of_1_3);
        // SAFETY: the description is whole, and lives as long as the call.
        let device = unsafe { instance.create_device(physical, &create, None) }
            .map_err(|error| format!("{name} makes no device: {error}"))?;
        let executables = khr::pipeline_executable_properties::Device::new(instance, &device);
        Ok((device, executables, name, has_matrices))
    }

    /// Compiles an entry point of a module: parameters at binding 0 of group 0, so many storage buffers from 1 on.
    ///
    /// # Errors
    ///
    /// What the driver says.
    pub(crate) fn compile(&self, words: &[u32], entry: &str, buffers: u32) -> Result<Compiled, String> {
        let device = &self.device;
        let entry = CString::new(entry).map_err(|error| error.to_string())?;
        let bindings: Vec<_> = (0..=buffers)
            .map(|binding| {
                let kind = if binding == 0 {
                    vk::DescriptorType::UNIFORM_BUFFER
                } else {
                    vk::DescriptorType::STORAGE_BUFFER
                };
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let code = vk::ShaderModuleCreateInfo::default().code(words);
        // SAFETY: all descriptions are whole and live as long as their calls; the module is what naga wrote and validated.
        // What is made here is destroyed below, or with the process where an error ends it.
        unsafe {
            let set = device.create_descriptor_set_layout(&set, None).map_err(|e| e.to_string())?;
            let sets = [set];
            let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = device.create_pipeline_layout(&layout, None).map_err(|e| e.to_string())?;
            let module = device.create_shader_module(&code, None).map_err(|e| e.to_string())?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&entry);
            let create =
                vk::ComputePipelineCreateInfo::default().flags(CREATED_WITH).stage(stage).layout(layout);
            let pipelines = device
                .create_compute_pipelines(vk::PipelineCache::null(), &[create], None)
                .map_err(|(_, error)| error.to_string())?;
            let told = self.told(pipelines[0]);
            device.destroy_pipeline(pipelines[0], None);
            device.destroy_shader_module(module, None);
            device.destroy_pipeline_layout(layout, None);
            device.destroy_descriptor_set_layout(set, None);
            told
        }
    }

    /// What the driver tells of a pipeline with one executable.
    fn told(&self, pipeline: vk::Pipeline) -> Result<Compiled, String> {
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(0);
        // SAFETY: the pipeline is alive, was made to be asked, and a compute pipeline has an executable 0.
        let statistics = unsafe { self.executables.get_pipeline_executable_statistics(&info) }
            .map_err(|error| error.to_string())?;
        let statistics = statistics.iter().map(|one| (text(&one.name), value(one))).collect();
        // SAFETY: as above; this call only tells the sizes.
        let mut texts = unsafe { self.executables.get_pipeline_executable_internal_representations(&info) }
            .map_err(|error| error.to_string())?;
        let mut memory: Vec<Vec<u8>> = texts.iter().map(|text| vec![0; text.data_size]).collect();
        for (text, memory) in texts.iter_mut().zip(&mut memory) {
            text.p_data = memory.as_mut_ptr().cast();
        }
        let mut count = texts.len() as u32;
        // SAFETY: every text has memory of the size that it was said to take.
        let filled = unsafe {
            let function = self.executables.fp().get_pipeline_executable_internal_representations_khr;
            function(self.device.handle(), ptr::from_ref(&info), &mut count, texts.as_mut_ptr())
        };
        filled.result().map_err(|error| error.to_string())?;
        let (_, listing) = texts
            .iter()
            .zip(&memory)
            .find(|(told, _)| text(&told.name) == "Assembly")
            .ok_or("the driver shows no machine code: it was built without a disassembler")?;
        let end = listing.iter().position(|&byte| byte == 0).unwrap_or(listing.len());
        Ok(Compiled { statistics, listing: String::from_utf8_lossy(&listing[..end]).into_owned() })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: nothing made of them is left.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}

/// The name of a null device of RADV with its driver's version; none of other devices.
fn radv(instance: &ash::Instance, physical: vk::PhysicalDevice) -> Option<String> {
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
    // SAFETY: the physical device is one of this instance, and Vulkan 1.3 has the properties.
    unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
    let device = text(&properties.properties.device_name);
    let is_null = driver.driver_id == vk::DriverId::MESA_RADV && device.starts_with("Null ");
    is_null.then(|| format!("{device}, {}", text(&driver.driver_info)))
}

fn value(statistic: &vk::PipelineExecutableStatisticKHR<'_>) -> u64 {
    // SAFETY: the format says which field is set.
    unsafe {
        match statistic.format {
            vk::PipelineExecutableStatisticFormatKHR::FLOAT64 => statistic.value.f64 as u64,
            vk::PipelineExecutableStatisticFormatKHR::BOOL32 => statistic.value.b32.into(),
            _ => statistic.value.u64,
        }
    }
}

fn text(name: &[c_char]) -> String {
    let bytes: Vec<u8> = name.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
