//! Every kernel with its constants put in, under a name of its own, and a folder that takes what is written of them.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use naga::{
    AddressSpace, Module, ShaderStage, StorageAccess, back::pipeline_constants::process_overrides,
    valid::ModuleInfo,
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

/// A variant of a kernel for one storage of points, as a backend of wgpu gets it.
pub(super) struct Kernel {
    pub(super) name: String,
    pub(super) shader: Shader,
    pub(super) module: Module,
    pub(super) info: ModuleInfo,
}

impl Kernel {
    /// Visits all of them.
    pub(super) fn each(mut visit: impl FnMut(&Self)) {
        let mut names = BTreeSet::new();
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
                visit(&Self::new(name, shader, storage));
            }
        }
    }

    fn new(name: String, shader: Shader, storage: Storage) -> Self {
        let (module, info) = parse_for(shader, storage);
        let constants =
            shader.constants().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (module, info) =
            process_overrides(&module, &info, Some((ShaderStage::Compute, shader.entry())), &constants)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (module, info) = (module.into_owned(), info.into_owned());
        Self { name, shader, module, info }
    }

    /// What a pipeline of it is made of.
    pub(super) fn entry(&self) -> (ShaderStage, String) {
        (ShaderStage::Compute, self.shader.entry().into())
    }

    /// Whether a binding is a buffer of which nothing is written; none where it is no storage buffer.
    pub(super) fn is_read_only(&self, binding: u32) -> Option<bool> {
        let at = |global: &naga::GlobalVariable| global.binding.is_some_and(|at| at.binding == binding);
        let (_, global) = self.module.global_variables.iter().find(|(_, global)| at(global))?;
        match global.space {
            AddressSpace::Storage { access } => Some(!access.contains(StorageAccess::STORE)),
            _ => None,
        }
    }

    /// Whether it asks for what only devices with subgroups have.
    pub(super) fn by_subgroups(&self) -> bool {
        match self.shader {
            Shader::LogSum(pairwise) | Shader::Weights(pairwise) => pairwise.subgroups,
            shader => matches!(shader, Shader::Cooperative { .. }),
        }
    }

    /// The matrices that it multiplies by.
    pub(super) fn matrices(&self) -> Option<Matrices> {
        match self.shader {
            Shader::Cooperative { cooperative, .. } => Some(cooperative.matrices),
            _ => None,
        }
    }

    /// Invocations of a workgroup.
    pub(super) fn invocations(&self) -> u32 {
        let entry = self.module.entry_points.iter().find(|entry| entry.name == self.shader.entry());
        entry.map_or(0, |entry| entry.workgroup_size.iter().product())
    }

    /// Bytes of the variables of an address space, each rounded up to a multiple of `unit`.
    pub(super) fn bytes_in(&self, space: AddressSpace, unit: u32) -> u32 {
        let variables = self.module.global_variables.iter().filter(|(_, global)| global.space == space);
        let size = |ty| self.module.types[ty].inner.size(self.module.to_ctx());
        variables.map(|(_, global)| size(global.ty).next_multiple_of(unit)).sum()
    }
}

/// A folder that takes kernels, if a variable names one, with the list `kernels.tsv`: name, file, entry point, and what a
/// platform adds.
pub(super) struct Folder {
    path: Option<PathBuf>,
    list: String,
}

impl Folder {
    pub(super) fn of(variable: &str) -> Self {
        Self { path: std::env::var_os(variable).map(PathBuf::from), list: String::new() }
    }

    /// `entry` is the name that the entry point has in what is written.
    pub(super) fn take(&mut self, kernel: &Kernel, ending: &str, bytes: &[u8], entry: &str, more: &str) {
        let Some(path) = &self.path else { return };
        let file = format!("{}.{ending}", kernel.name.replace(' ', ".").replace('/', "-"));
        fs::write(path.join(&file), bytes).unwrap();
        writeln!(self.list, "{}\t{file}\t{entry}\t{more}", kernel.name).unwrap();
    }

    pub(super) fn finish(self) {
        if let Some(path) = self.path {
            fs::write(path.join("kernels.tsv"), self.list).unwrap();
        }
    }
}

/// The words of a text in C's manner, without its comments.
pub(super) fn words(text: &str) -> BTreeSet<&str> {
    let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The numbers that stand between two marks, wherever both do on a line.
pub(super) fn numbers_between(text: &str, before: &str, after: &str) -> Vec<u32> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(after)?.0.parse().ok()).collect()
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
