//! Kernels as SPIR-V, word for word as wgpu's Vulkan backend hands them to a driver. `scripts/kernel-report` has them
//! compiled for GPUs that are not here.

use std::collections::BTreeMap;

use naga::{
    ResourceBinding,
    back::spv::{self, BindingInfo, Capability, WriterFlags, ZeroInitializeWorkgroupMemoryMode},
    proc::{BoundsCheckPolicies, BoundsCheckPolicy},
};

use crate::gpu::selftest::kernels::{Folder, Kernel};

/// A folder that takes the kernels; to the list of them it adds how many storage buffers each has.
const FOLDER_VARIABLE: &str = "UNISPHERE_SPIRV";

const MAGIC: u32 = 0x0723_0203;

#[test]
fn every_kernel_is_written_as_spirv_under_a_name_of_its_own() {
    let mut folder = Folder::of(FOLDER_VARIABLE);
    Kernel::each(|kernel| {
        let words = written(kernel);
        assert_eq!(words[0], MAGIC, "{}", kernel.name);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let shader = kernel.shader;
        folder.take(kernel, "spv", &bytes, shader.entry(), &shader.buffers().to_string());
    });
    folder.finish();
}

/// What a pipeline of `device/pipeline.rs` is made of: its checks, its constants, its workgroup memory not filled with zeros.
fn written(kernel: &Kernel) -> Vec<u32> {
    let bindings = (0..=kernel.shader.buffers() as u32).map(|binding| {
        let at = BindingInfo { descriptor_set: 0, binding, binding_array_size: None };
        (ResourceBinding { group: 0, binding }, at)
    });
    let (shader_stage, entry_point) = kernel.entry();
    let pipeline = spv::PipelineOptions { shader_stage, entry_point };
    let options = options(kernel.shader.unchecked(), bindings.collect());
    spv::write_vec(&kernel.module, &kernel.info, &options, Some(&pipeline))
        .unwrap_or_else(|error| panic!("{}: {error}", kernel.name))
}

/// The options of `wgpu_hal::vulkan` for a device of Vulkan 1.3 with robust buffers, subgroups, halves and cooperative
/// matrices. A kernel declares only those capabilities that it uses.
fn options(unchecked: bool, binding_map: BTreeMap<ResourceBinding, BindingInfo>) -> spv::Options<'static> {
    let capabilities = [
        Capability::Shader,
        Capability::Matrix,
        Capability::GroupNonUniform,
        Capability::GroupNonUniformVote,
        Capability::GroupNonUniformArithmetic,
        Capability::GroupNonUniformBallot,
        Capability::GroupNonUniformShuffle,
        Capability::GroupNonUniformShuffleRelative,
        Capability::GroupNonUniformQuad,
        Capability::Float16,
        Capability::CooperativeMatrixKHR,
        Capability::VulkanMemoryModel,
    ];
    // Buffers are left to the device, which checks them where a kernel does not run unchecked.
    let index = if unchecked { BoundsCheckPolicy::Unchecked } else { BoundsCheckPolicy::Restrict };
    spv::Options {
        lang_version: (1, 6),
        flags: WriterFlags::LABEL_VARYINGS | WriterFlags::FORCE_POINT_SIZE,
        capabilities: Some(capabilities.into_iter().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index,
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: !unchecked,
        emit_int_div_checks: !unchecked,
        fake_missing_bindings: false,
        binding_map,
        ..spv::Options::default()
    }
}
