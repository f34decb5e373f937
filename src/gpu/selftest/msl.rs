//! Kernels as Metal's shading language, word for word as wgpu's Metal backend hands them to Apple's compiler: on any machine,
//! so that nothing is written which a Mac lacks.

use naga::{
    AddressSpace, ResourceBinding,
    back::msl::{self, BindTarget, EntryPointResources},
    proc::{BoundsCheckPolicies, BoundsCheckPolicy},
};

use crate::gpu::{
    kernel::cooperative::Matrices,
    selftest::kernels::{Folder, Kernel, numbers_between, words},
};

/// A folder that takes the kernels; to the list of them it adds the version of the language.
const FOLDER_VARIABLE: &str = "UNISPHERE_MSL";

/// Of macOS 11, the first on Apple's own GPUs, which is also the first with matrices; and of macOS 26.
const VERSIONS: [(u8, u8); 2] = [(2, 3), (4, 0)];

/// Buffers of a kernel, that of their sizes among them.
const BUFFERS: usize = 31;
/// Invocations of a workgroup.
const INVOCATIONS: u32 = 1024;
/// Bytes of workgroup memory, and of what each variable takes a multiple.
const WORKGROUP_MEMORY: u32 = 32 << 10;
const WORKGROUP_MEMORY_UNIT: u32 = 16;
/// Bytes that a command may hand over without a buffer, as wgpu counts them.
const IMMEDIATE_BYTES: u32 = 4096;

#[test]
fn every_kernel_is_written_for_metal_and_takes_nothing_that_metal_lacks() {
    let mut folder = Folder::of(FOLDER_VARIABLE);
    Kernel::each(|kernel| {
        if !matches!(kernel.matrices(), None | Some(Matrices::EightOnMetal)) {
            return;
        }
        let name = &kernel.name;
        for version in VERSIONS {
            let (text, entry) = written(kernel, version);
            let lacking = lacking(&text, kernel.by_subgroups(), kernel.matrices().is_some());
            assert_eq!(lacking, None, "{name}");
            assert!(!kernel.by_subgroups() || text.contains("simd"), "{name} has no word of subgroups");

            let mut slots = numbers_between(&text, "[[buffer(", ")]]");
            slots.sort_unstable();
            assert!(slots.iter().copied().eq(0..slots.len() as u32), "{name}: buffers {slots:?}");
            // The parameters, the buffers, and where lengths are asked for those.
            let given = 1 + kernel.shader.buffers();
            assert!([given, given + 1].contains(&slots.len()), "{name}: {} buffers", slots.len());
            assert!(slots.len() <= BUFFERS, "{name}: {} buffers", slots.len());

            let invocations = numbers_between(&text, "[[max_total_threads_per_threadgroup(", ")]]");
            assert!(invocations.iter().all(|&most| most == kernel.invocations()), "{name}: {invocations:?}");
            if version == VERSIONS[0] {
                folder.take(kernel, "metal", text.as_bytes(), &entry, "2.3");
            }
        }
        assert!(kernel.invocations() <= INVOCATIONS, "{name}");
        assert!(
            kernel.bytes_in(AddressSpace::WorkGroup, WORKGROUP_MEMORY_UNIT) <= WORKGROUP_MEMORY,
            "{name}"
        );
        assert!(kernel.bytes_in(AddressSpace::Immediate, 4) <= IMMEDIATE_BYTES, "{name}");
        if kernel.shader.unchecked() {
            let (text, _) = written(kernel, VERSIONS[0]);
            assert_eq!(words(&text).into_iter().find(|word| word.starts_with("loop_bound")), None, "{name}");
        }
    });
    folder.finish();
}

#[test]
fn what_metal_lacks_is_found() {
    let texts = [
        ("double x;", "double"),
        ("ulong i = 0;", "ulong"),
        ("x = metal::simd_sum(x);", "simd_sum"),
        ("metal::simdgroup_float8x8 c;", "simdgroup_float8x8"),
    ];
    for (text, found) in texts {
        assert_eq!(lacking(text, false, false).as_deref(), Some(found));
    }
    assert_eq!(lacking("x = metal::simd_sum(x);", true, false), None);
    assert_eq!(lacking("metal::simdgroup_float8x8 c;", true, false).as_deref(), Some("simdgroup_float8x8"));
    assert_eq!(lacking("metal::simdgroup_float8x8 c;", true, true), None);
    assert_eq!(lacking("float x; // no double, no ulong", false, false), None);
}

/// A word for what no Metal device has, or what only some have and this kernel does not ask for.
fn lacking(text: &str, by_subgroups: bool, by_matrices: bool) -> Option<String> {
    const NEVER: [&str; 5] = ["double", "long", "ulong", "int64_t", "uint64_t"];
    const OF_SUBGROUPS: [&str; 4] = [
        "simdgroup_index_in_threadgroup",
        "simdgroups_per_threadgroup",
        "thread_index_in_simdgroup",
        "threads_per_simdgroup",
    ];
    let lacking = |word: &&str| {
        if NEVER.contains(word) {
            true
        } else if OF_SUBGROUPS.contains(word) || word.starts_with("simd_") {
            !by_subgroups
        } else {
            word.starts_with("simdgroup_") && *word != "simdgroup_barrier" && !by_matrices
        }
    };
    words(text).into_iter().find(lacking).map(Into::into)
}

/// The text of a kernel and the name that its entry point has there, with the options of `wgpu_hal::metal`.
fn written(kernel: &Kernel, lang_version: (u8, u8)) -> (String, String) {
    let (stage, entry) = kernel.entry();
    let buffers = 0..=kernel.shader.buffers() as u32;
    let resources = buffers.clone().map(|binding| {
        let mutable = kernel.is_read_only(binding) == Some(false);
        let target = BindTarget { buffer: Some(binding as u8), mutable, ..BindTarget::default() };
        (ResourceBinding { group: 0, binding }, target)
    });
    let resources = EntryPointResources {
        resources: resources.collect(),
        immediates_buffer: None,
        sizes_buffer: Some(*buffers.end() as u8 + 1),
    };
    let checked = !kernel.shader.unchecked();
    let policy = if checked { BoundsCheckPolicy::Restrict } else { BoundsCheckPolicy::Unchecked };
    let options = msl::Options {
        lang_version,
        per_entry_point_map: [(entry.clone(), resources)].into(),
        spirv_cross_compatibility: false,
        fake_missing_bindings: false,
        bounds_check_policies: BoundsCheckPolicies {
            index: policy,
            buffer: policy,
            image_load: policy,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: checked,
        emit_int_div_checks: checked,
        ..msl::Options::default()
    };
    let pipeline = msl::PipelineOptions {
        entry_point: Some((stage, entry)),
        vertex_pulling_transform: true,
        ..msl::PipelineOptions::default()
    };
    let (text, info) = msl::write_string(&kernel.module, &kernel.info, &options, &pipeline)
        .unwrap_or_else(|error| panic!("{}: {error}", kernel.name));
    let entry = info.entry_point_names.into_iter().next();
    let entry = entry.unwrap_or_else(|| panic!("{}: no entry point", kernel.name));
    (text, entry.unwrap_or_else(|error| panic!("{}: {error}", kernel.name)))
}
