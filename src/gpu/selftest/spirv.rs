//! Kernels as SPIR-V, word for word as wgpu's Vulkan backend hands them to a driver. `scripts/kernel-report` has them
//! compiled for GPUs that are not here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use naga::{
    ResourceBinding, ShaderStage,
    back::{
        pipeline_constants::process_overrides,
        spv::{self, BindingInfo, Capability, WriterFlags, ZeroInitializeWorkgroupMemoryMode},
    },
    proc::{BoundsCheckPolicies, BoundsCheckPolicy},
};

use crate::{
    gpu::{
        kernel::{
            cooperative::Matrices,
            table::{Pairwise, Shader},
        },
        selftest::contract::parse_for,
    },
    precision::Storage,
};

/// A folder that takes the kernels, with `kernels.tsv`: name, file, entry point, storage buffers.
const FOLDER_VARIABLE: &str = "UNISPHERE_SPIRV";

const MAGIC: u32 = 0x0723_0203;

#[test]
fn every_kernel_is_written_as_spirv_under_a_name_of_its_own() {
    let (mut names, mut list) = (BTreeSet::new(), String::new());
    let folder = std::env::var_os(FOLDER_VARIABLE);
    for shader in Shader::all() {
        for storage in [Storage::F32, Storage::F16] {
            if storage == Storage::F16 && shader.text(Storage::F16) == shader.text(Storage::F32) {
                continue;
            }
            let name = name(shader, storage);
            // Half as many columns of a tile that has the least are the same tile.
            if !names.insert(name.clone()) {
                assert!(matches!(shader, Shader::WeightedSums(_)), "two kernels are named {name}");
                continue;
            }
            let words = written(shader, storage);
            assert_eq!(words[0], MAGIC, "{name}");
            let Some(folder) = &folder else { continue };
            let file = format!("{}.spv", name.replace(' ', ".").replace('/', "-"));
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            fs::write(Path::new(folder).join(&file), bytes).unwrap();
            writeln!(list, "{name}\t{file}\t{}\t{}", shader.entry(), shader.buffers()).unwrap();
        }
    }
    if let Some(folder) = folder {
        fs::write(Path::new(&folder).join("kernels.tsv"), list).unwrap();
    }
}

/// What a pipeline of `device/pipeline.rs` is made of: its checks, its constants, its workgroup memory not filled with zeros.
fn written(shader: Shader, storage: Storage) -> Vec<u32> {
    let (module, info) = parse_for(shader, storage);
    let constants = shader.constants().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let entry = (ShaderStage::Compute, shader.entry());
    let (module, info) = process_overrides(&module, &info, Some(entry), &constants)
        .unwrap_or_else(|error| panic!("{shader:?}: {error}"));
    let bindings = (0..=shader.buffers() as u32).map(|binding| {
        let at = BindingInfo { descriptor_set: 0, binding, binding_array_size: None };
        (ResourceBinding { group: 0, binding }, at)
    });
    let pipeline = spv::PipelineOptions { shader_stage: entry.0, entry_point: entry.1.into() };
    spv::write_vec(&module, &info, &options(shader.unchecked(), bindings.collect()), Some(&pipeline))
        .unwrap_or_else(|error| panic!("{shader:?}: {error}"))
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

/// The words that tell a kernel from all others: entry point, tiles, flags, storage of points.
fn name(shader: Shader, storage: Storage) -> String {
    let mut words = vec![shader.entry().to_owned()];
    let mut flag = |set: bool, word: &str| {
        if set {
            words.push(word.into());
        }
    };
    match shader {
        Shader::ColumnSums { less_one } | Shader::RectangleSums { less_one } => flag(less_one, "less_one"),
        Shader::Cooperative { cooperative, weights } => {
            flag(weights, "weights");
            flag(!weights, "log_sum");
            flag(cooperative.split, "split");
            let side = match cooperative.matrices {
                Matrices::Sixteen => "16x16",
                Matrices::Eight => "8x8",
                Matrices::EightOnMetal => "8x8_metal",
            };
            words.push(side.into());
            return words.join(" ");
        }
        Shader::FinishGrad { unit } | Shader::Normalize { unit } | Shader::PairedDots { unit } => {
            flag(unit, "unit");
        }
        Shader::MapPairs(mapping) => words.push(format!("{mapping:?}").to_lowercase()),
        Shader::PairedGrad { unit, dots } => {
            flag(unit, "unit");
            flag(dots, "dots");
        }
        Shader::LogSum(pairwise) | Shader::Similarities(pairwise) | Shader::Weights(pairwise) => {
            words.extend(words_of(pairwise));
        }
        Shader::WeightedSums(tiling) => words.push(tiling.to_string()),
        _ => {}
    }
    words.push(if storage == Storage::F16 { "f16" } else { "f32" }.into());
    words.join(" ")
}

fn words_of(pairwise: Pairwise) -> Vec<String> {
    let Pairwise { similarity, tiling, folded, own_pivot, subgroups } = pairwise;
    let mut words = vec![tiling.to_string(), format!("{similarity:?}").to_lowercase()];
    for (set, word) in [(folded, "folded"), (own_pivot, "own_pivot"), (subgroups, "subgroups")] {
        if set {
            words.push(word.into());
        }
    }
    words
}
