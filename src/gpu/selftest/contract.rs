//! What the host sends is what the shaders take: entry points, bindings, parameters, constants. naga reads
//! every text on any machine, with no GPU.

use std::collections::BTreeSet;

use naga::{
    AddressSpace, Block, Expression, Function, Literal, Module, ShaderStage, Statement, TypeInner,
    valid::{Capabilities, ModuleInfo, ShaderStages, ValidationFlags, Validator},
};

use crate::{
    gpu::{
        block::map,
        device::{
            ceiling::{LANES, ROUNDS},
            context::{INVOCATIONS, STORAGE_BUFFERS, TILE, WORKGROUP_MEMORY},
        },
        gradient::weighted,
        kernel::{
            params::{
                CentreParams, CloseCountsParams, CloseListParams, ColumnParams, DistancesParams,
                ExcessParams, FinishGradParams, FmaParams, HalveParams, HistogramParams, MapParams,
                MomentsParams, NormalizeParams, PairParams, Params, RectangleParams, RowParams, WeighParams,
                WeightedDifferencesParams, WeightedSumsParams,
            },
            table::{PairMapping, Shader},
        },
        points::{halves::HALVE_ROWS, panels::EXCESS_ROWS},
        reduce::{histogram, rows},
    },
    precision::Storage,
};

fn parse(shader: Shader) -> (Module, ModuleInfo) {
    // The bindings of both storages are the same; the types of points are not.
    drop(parse_for(shader, Storage::F16));
    parse_for(shader, Storage::F32)
}

pub(super) fn parse_for(shader: Shader, storage: Storage) -> (Module, ModuleInfo) {
    let text = shader.text(storage);
    let module = naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|error| panic!("{shader:?}: {}", error.emit_to_string(text)));
    let flags = ValidationFlags::all();
    // What WebGPU has everywhere: packing and unpacking of halves.
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    let mut stages = ShaderStages::empty();
    if matches!(shader, Shader::Cooperative { .. }) {
        capabilities |= Capabilities::SHADER_FLOAT16 | Capabilities::COOPERATIVE_MATRIX;
    }
    let by_subgroups = match shader {
        Shader::LogSum(pairwise) | Shader::Weights(pairwise) => pairwise.subgroups,
        Shader::Cooperative { .. } => true,
        _ => false,
    };
    if by_subgroups {
        capabilities |= Capabilities::SUBGROUP;
        stages = ShaderStages::COMPUTE;
    }
    let info = Validator::new(flags, capabilities)
        .subgroup_stages(stages)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{shader:?}: {}", error.emit_to_string(text)));
    (module, info)
}

/// The kernel with its constants put in, as a driver gets it.
fn resolved(shader: Shader) -> Module {
    let (module, info) = parse(shader);
    let constants = shader.constants().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let entry = Some((ShaderStage::Compute, shader.entry()));
    let resolved = naga::back::pipeline_constants::process_overrides(&module, &info, entry, &constants);
    resolved.unwrap_or_else(|error| panic!("{shader:?}: {error}")).0.into_owned()
}

#[test]
fn every_kernel_has_its_entry_point_and_bindings() {
    for shader in Shader::all() {
        let (module, info) = parse(shader);
        let entry = module.entry_points.iter().position(|entry| entry.name == shader.entry());
        let entry = entry.unwrap_or_else(|| panic!("{shader:?} has no entry point {}", shader.entry()));
        let used = module
            .global_variables
            .iter()
            .filter(|(handle, _)| !info.get_entry_point(entry)[*handle].is_empty());
        let bindings: BTreeSet<_> = used
            .filter_map(|(_, global)| global.binding.map(|binding| (binding.group, binding.binding)))
            .collect();
        // What the layout is read from: the parameters, and then every buffer in its order.
        let sent: BTreeSet<_> = (0..=shader.buffers() as u32).map(|binding| (0, binding)).collect();
        assert_eq!(bindings, sent, "{shader:?}");
    }
}

#[test]
fn every_kernel_fits_the_limits_asked_for() {
    for shader in Shader::all() {
        let module = resolved(shader);
        let workgroup = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::WorkGroup);
        let memory: u32 = workgroup.map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx())).sum();
        assert!(memory <= WORKGROUP_MEMORY, "{shader:?} takes {memory} bytes of workgroup memory");
        assert!(shader.buffers() <= STORAGE_BUFFERS as usize, "{shader:?}");
        let entry = module.entry_points.iter().find(|entry| entry.name == shader.entry());
        let size = entry.map_or([0; 3], |entry| entry.workgroup_size);
        assert!(size[0] <= INVOCATIONS && size[1..] == [1, 1], "{shader:?}: {size:?}");
        if shader == Shader::Excess {
            assert_eq!(size[0] as usize, EXCESS_ROWS);
        }
        if shader == Shader::Halve {
            assert_eq!(4 * size[0] as usize, HALVE_ROWS);
        }
    }
}

/// A constant of a kernel.
pub(in crate::gpu) fn number(shader: Shader, name: &str) -> u32 {
    let (module, _) = parse(shader);
    let constant = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
    let (_, constant) = constant.unwrap_or_else(|| panic!("{shader:?} has no {name}"));
    match module.global_expressions[constant.init] {
        Expression::Literal(Literal::U32(value)) => value,
        ref other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn numbers_that_two_files_share_are_the_same() {
    assert_eq!(number(Shader::SquaredDistances, "TILE") as usize, TILE);
    assert_eq!(4 * number(Shader::SquaredDistances, "GROUP_QUADS") as usize, TILE);
    assert_eq!(number(Shader::Histogram, "ROWS") as usize, histogram::ROWS);
    assert_eq!(number(Shader::Histogram, "WINDOW") as usize, histogram::WINDOW);
    assert_eq!(number(Shader::Moments, "TILE") as usize, TILE);
    assert_eq!(4 * number(Shader::ColumnSums { less_one: false }, "QUADS") as usize, rows::COLUMNS);
    for shader in PairMapping::ALL.map(Shader::MapPairs) {
        assert_eq!(number(shader, "ROWS") as usize, TILE);
        assert_eq!(4 * number(shader, "QUADS") as usize, map::COLUMNS);
    }
    assert_eq!(number(Shader::Weigh, "ROWS") as usize, TILE);
    assert_eq!(4 * number(Shader::Weigh, "QUADS") as usize, weighted::COLUMNS);
    assert_eq!(number(Shader::Fma, "LANES") as usize, LANES);
    assert_eq!(number(Shader::Fma, "ROUNDS") as usize, ROUNDS);
    for shader in Shader::all() {
        if let Shader::Cooperative { cooperative, .. } = shader {
            assert_eq!(number(shader, "F") as usize, cooperative.matrices.side());
            assert_eq!(number(shader, "PARTS") as usize, cooperative.parts());
            assert_eq!(number(shader, "TILE") as usize, cooperative.tile());
        }
    }
}

/// DX12's older compiler refuses them, and others keep what is indexed out of registers.
#[test]
fn no_variable_of_a_function_is_stored_to_by_index() {
    fn stores(function: &Function, block: &Block) -> bool {
        let nested = |blocks: &[&Block]| blocks.iter().any(|block| stores(function, block));
        block.iter().any(|statement| match statement {
            Statement::Store { pointer, .. } => by_index(function, *pointer),
            Statement::Block(block) => nested(&[block]),
            Statement::If { accept, reject, .. } => nested(&[accept, reject]),
            Statement::Loop { body, continuing, .. } => nested(&[body, continuing]),
            Statement::Switch { cases, .. } => cases.iter().any(|case| stores(function, &case.body)),
            _ => false,
        })
    }
    fn by_index(function: &Function, pointer: naga::Handle<Expression>) -> bool {
        match function.expressions[pointer] {
            Expression::Access { base, .. } => local(function, base),
            Expression::AccessIndex { base, .. } => by_index(function, base),
            _ => false,
        }
    }
    fn local(function: &Function, pointer: naga::Handle<Expression>) -> bool {
        match function.expressions[pointer] {
            Expression::LocalVariable(_) => true,
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => local(function, base),
            _ => false,
        }
    }
    for shader in Shader::all() {
        let (module, _) = parse(shader);
        let entries = module.entry_points.iter().map(|entry| &entry.function);
        for function in entries.chain(module.functions.iter().map(|(_, function)| function)) {
            assert!(!stores(function, &function.body), "{shader:?}: {:?}", function.name);
        }
    }
}

#[test]
fn every_constant_is_given_and_none_has_a_default() {
    for shader in Shader::all() {
        let (module, _) = parse(shader);
        let names: BTreeSet<_> = module
            .overrides
            .iter()
            .map(|(_, constant)| {
                assert!(constant.init.is_none(), "{shader:?}: {:?} has a default", constant.name);
                constant.name.clone().unwrap_or_default()
            })
            .collect();
        let given: BTreeSet<_> = shader.constants().into_iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, given, "{shader:?}");
    }
}

#[test]
fn every_field_of_the_parameters_lies_where_the_shader_reads_it() {
    let checked: usize = [
        check::<CentreParams>(),
        check::<CloseCountsParams>(),
        check::<CloseListParams>(),
        check::<ColumnParams>(),
        check::<DistancesParams>(),
        check::<ExcessParams>(),
        check::<FinishGradParams>(),
        check::<FmaParams>(),
        check::<HalveParams>(),
        check::<HistogramParams>(),
        check::<MapParams>(),
        check::<MomentsParams>(),
        check::<NormalizeParams>(),
        check::<PairParams>(),
        check::<RectangleParams>(),
        check::<RowParams>(),
        check::<WeighParams>(),
        check::<WeightedDifferencesParams>(),
        check::<WeightedSumsParams>(),
    ]
    .into_iter()
    .sum();
    assert_eq!(checked, Shader::all().len(), "each kernel takes the parameters of one struct");
}

/// How many kernels take these parameters, each of which declares them as they are.
fn check<P: Params>() -> usize {
    let takers = Shader::all().into_iter().filter(|&shader| P::belongs_to(shader));
    takers
        .map(|shader| {
            let (module, _) = parse(shader);
            let uniform =
                module.global_variables.iter().find(|(_, global)| global.space == AddressSpace::Uniform);
            let (_, uniform) = uniform.unwrap_or_else(|| panic!("{shader:?} has no parameters"));
            let TypeInner::Struct { members, span } = &module.types[uniform.ty].inner else {
                panic!("{shader:?}: the parameters are no struct")
            };
            let declared: Vec<_> = members
                .iter()
                .map(|member| (member.name.as_deref().unwrap_or_default(), member.offset as usize))
                .collect();
            assert_eq!(declared, P::FIELDS, "{shader:?}");
            assert_eq!(*span as usize, size_of::<P>(), "{shader:?}");
        })
        .count()
}
