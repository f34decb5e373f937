//! Kernels as HLSL, word for word as wgpu's DX12 backend hands them to Microsoft's compilers: on any machine, so that nothing
//! is written which Windows lacks. `scripts/check-hlsl` has them compiled by what there is elsewhere.

use naga::{
    AddressSpace, ResourceBinding,
    back::hlsl::{self, BindTarget, ShaderModel},
};

use crate::gpu::selftest::kernels::{Folder, Kernel, numbers_between, words};

/// A folder that takes the kernels; to the list of them it adds the shader model.
const FOLDER_VARIABLE: &str = "UNISPHERE_HLSL";

/// Buffers that a kernel writes to, on devices of the lowest tier; those that it only reads; and parameters.
const WRITTEN_BUFFERS: usize = 8;
const READ_BUFFERS: usize = 128;
const UNIFORM_BUFFERS: usize = 14;
/// Invocations of a workgroup.
const INVOCATIONS: u32 = 1024;
/// Bytes of workgroup memory.
const WORKGROUP_MEMORY: u32 = 32 << 10;
/// Bytes that a command may hand over without a buffer, as wgpu counts them: half of the 64 words of a root signature.
const IMMEDIATE_BYTES: u32 = 128;

#[test]
fn every_kernel_is_written_for_dx12_and_takes_nothing_that_its_shader_model_lacks() {
    let mut folder = Folder::of(FOLDER_VARIABLE);
    Kernel::each(|kernel| {
        // wgpu offers no matrices on DX12.
        if kernel.matrices().is_some() {
            return;
        }
        let name = &kernel.name;
        // FXC, which every Windows has, stops at 5.1, and wgpu offers no subgroups there.
        let model = if kernel.by_subgroups() { ShaderModel::V6_0 } else { ShaderModel::V5_1 };
        let (text, entry) = written(kernel, model);
        assert_eq!(lacking(&text, kernel.by_subgroups()), None, "{name}");
        assert!(!kernel.by_subgroups() || text.contains("Wave"), "{name} has no word of subgroups");

        let registers =
            [("b", UNIFORM_BUFFERS), ("t", READ_BUFFERS), ("u", WRITTEN_BUFFERS)].map(|(kind, most)| {
                let mut numbers = numbers_between(&text, &format!("register({kind}"), ")");
                numbers.sort_unstable();
                assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "{name}: {kind} {numbers:?}");
                assert!(numbers.len() <= most, "{name}: {} registers of kind {kind}", numbers.len());
                numbers.len()
            });
        // The parameters, the buffers, and what wgpu adds for numbers that a dispatch has.
        assert_eq!(registers.iter().sum::<usize>(), kernel.shader.buffers() + 2, "{name}: {registers:?}");

        let size = format!("[numthreads({}, 1, 1)]", kernel.invocations());
        assert!(text.contains(&size), "{name}: no {size}");
        assert!(kernel.invocations() <= INVOCATIONS, "{name}");
        assert!(kernel.bytes_in(AddressSpace::WorkGroup, 16) <= WORKGROUP_MEMORY, "{name}");
        assert!(kernel.bytes_in(AddressSpace::Immediate, 4) <= IMMEDIATE_BYTES, "{name}");
        if kernel.shader.unchecked() {
            assert_eq!(words(&text).into_iter().find(|word| word.starts_with("loop_bound")), None, "{name}");
        }
        folder.take(kernel, "hlsl", text.as_bytes(), &entry, &format!("cs_{}", model.to_str()));
    });
    folder.finish();
}

#[test]
fn what_dx12_lacks_is_found() {
    let texts = [
        ("double x;", "double"),
        ("uint64_t i = 0;", "uint64_t"),
        ("float16_t4 x;", "float16_t4"),
        ("min16float x;", "min16float"),
        ("float3 v = buffer.Load<float3>(0);", "Load<"),
        ("x = WaveActiveSum(x);", "WaveActiveSum"),
    ];
    for (text, found) in texts {
        assert_eq!(lacking(text, false).as_deref(), Some(found));
    }
    assert_eq!(lacking("x = WaveActiveSum(x);", true), None);
    assert_eq!(lacking("float x = asfloat(buffer.Load(4)); // no double", false), None);
}

/// A word for what no shader model below 6.2 has, or what only devices with subgroups have and this kernel does not ask for.
fn lacking(text: &str, by_subgroups: bool) -> Option<String> {
    const NEVER: [&str; 10] = [
        "double",
        "float16_t",
        "half",
        "int16_t",
        "int64_t",
        "min16float",
        "min16int",
        "min16uint",
        "uint16_t",
        "uint64_t",
    ];
    // Loads and stores of a type that is named.
    if let Some(call) = ["Load<", "Store<"].into_iter().find(|call| text.contains(call)) {
        return Some(call.into());
    }
    let lacking = |word: &&str| {
        // Vectors have the name of their numbers, with a digit.
        let scalar = word.trim_end_matches(|c: char| ('2'..='4').contains(&c));
        NEVER.contains(word) || NEVER.contains(&scalar) || word.starts_with("Wave") && !by_subgroups
    };
    words(text).into_iter().find(lacking).map(Into::into)
}

/// The text of a kernel and the name that its entry point has there, with the options of `wgpu_hal::dx12`.
fn written(kernel: &Kernel, shader_model: ShaderModel) -> (String, String) {
    let mut next = [0; 3];
    let mut binding_map = hlsl::BindingMap::default();
    for binding in 0..=kernel.shader.buffers() as u32 {
        let kind = match kernel.is_read_only(binding) {
            None => 0,
            Some(true) => 1,
            Some(false) => 2,
        };
        let at = BindTarget { register: next[kind], ..BindTarget::default() };
        next[kind] += 1;
        binding_map.insert(ResourceBinding { group: 0, binding }, at);
    }
    let checked = !kernel.shader.unchecked();
    let options = hlsl::Options {
        shader_model,
        binding_map,
        fake_missing_bindings: false,
        special_constants_binding: Some(BindTarget { register: next[0], ..BindTarget::default() }),
        zero_initialize_workgroup_memory: false,
        restrict_indexing: checked,
        force_loop_bounding: checked,
        ..hlsl::Options::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: Some(kernel.entry()) };
    let mut text = String::new();
    let info = hlsl::Writer::new(&mut text, &options, &pipeline).write(&kernel.module, &kernel.info, None);
    let info = info.unwrap_or_else(|error| panic!("{}: {error}", kernel.name));
    let entry = info.entry_point_names.into_iter().next();
    let entry = entry.unwrap_or_else(|| panic!("{}: no entry point", kernel.name));
    (text, entry.unwrap_or_else(|error| panic!("{}: {error}", kernel.name)))
}
