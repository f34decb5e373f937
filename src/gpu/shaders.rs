//! The table of kernels: each one's text, entry point and constants. The only place that reads shader files.

use super::{
    cooperative::{Cooperative, Matrices},
    tiling::Tiling,
};
use crate::Storage;

/// Shared parts and a kernel, joined into one text for points stored in f32, and one for f16.
macro_rules! joined {
    ($($part:literal),+) => { [joined!(@ "f32", $($part),+), joined!(@ "f16", $($part),+)] };
    (@ $storage:literal, $($part:literal),+) => {
        concat!(
            include_str!(concat!("../../shaders/shared/points_", $storage, ".wgsl")),
            include_str!("../../shaders/shared/points.wgsl"),
            $(include_str!(concat!("../../shaders/", $part))),+
        )
    };
}

/// The kernel over pairs, with one way to add up over a workgroup.
macro_rules! log_sum {
    ($reduction:literal) => {
        joined!(
            "shared/exp.wgsl",
            "shared/grid.wgsl",
            "shared/quads.wgsl",
            "shared/split.wgsl",
            "shared/tile_sum.wgsl",
            "shared/tiles.wgsl",
            "shared/triangle.wgsl",
            "log_sum.wgsl",
            "log_sum/similarities.wgsl",
            "log_sum/weights.wgsl",
            $reduction
        )
    };
}

/// The same for products by cooperative matrices. What they enable is to stand first.
macro_rules! by_matrices {
    ($matrices:literal) => {
        [
            [by_matrices!($matrices, "one_product", "log_sum"), by_matrices!($matrices, "one_product", "weights")],
            [
                by_matrices!($matrices, "three_products", "log_sum"),
                by_matrices!($matrices, "three_products", "weights"),
            ],
        ]
    };
    ($($part:literal),+) => {
        concat!(
            $(include_str!(concat!("../../shaders/cooperative/", $part, ".wgsl")),)+
            include_str!("../../shaders/shared/exp.wgsl"),
            include_str!("../../shaders/shared/grid.wgsl"),
            include_str!("../../shaders/shared/tile_sum.wgsl"),
            include_str!("../../shaders/shared/triangle.wgsl"),
            include_str!("../../shaders/cooperative/tiles.wgsl")
        )
    };
}

type Texts = [&'static str; 2];

const CENTRE: Texts = joined!("centre.wgsl");
const EXCESS: Texts = joined!("shared/split.wgsl", "excess.wgsl");
const FMA: Texts = joined!("fma.wgsl");
const FINISH_GRAD: Texts = joined!("shared/finite.wgsl", "shared/row.wgsl", "finish_grad.wgsl");
const HALVE: Texts = joined!("shared/split.wgsl", "halve.wgsl");
const LOG_SUM: [Texts; 2] = [log_sum!("log_sum/tree.wgsl"), log_sum!("log_sum/subgroups.wgsl")];
const NORMALIZE: Texts = joined!("shared/row.wgsl", "normalize.wgsl");
const PAIRED_DISTANCES: Texts = joined!("shared/row.wgsl", "paired_distances.wgsl");
const PAIRED_GRAD: Texts = joined!("shared/finite.wgsl", "shared/row.wgsl", "paired_grad.wgsl");
const SQUARED_DISTANCES: Texts =
    joined!("shared/grid.wgsl", "shared/quads.wgsl", "shared/small_tiles.wgsl", "squared_distances.wgsl");
const WEIGHTED_DIFFERENCES: Texts =
    joined!("shared/grid.wgsl", "shared/quads.wgsl", "shared/small_tiles.wgsl", "weighted_differences.wgsl");
const WEIGHTED_SUMS: Texts =
    joined!("shared/grid.wgsl", "shared/quads.wgsl", "shared/tiles.wgsl", "weighted_sums.wgsl");

/// By one product or three, as sums alone or with weights.
type ByMatrices = [[&'static str; 2]; 2];

const BY_16: ByMatrices = by_matrices!("matrices_16");
const BY_8: ByMatrices = by_matrices!("matrices_8");
const BY_8_ON_METAL: ByMatrices = by_matrices!("matrices_8_metal");

/// How the similarity of two points is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Similarity {
    /// The cosine of unit rows.
    Cosine,
    /// The cosine, by exact products of 12-bit halves: three times the work.
    SplitCosine,
    /// −‖x−y‖², by direct difference.
    Difference,
}

impl Similarity {
    /// Dimensions after which a sum is set aside. A sum of squares grows all the way, and that of a cosine does not;
    /// the halves of split ones are summed exactly.
    fn fold(self) -> usize {
        match self {
            Self::Cosine | Self::SplitCosine => 1024,
            Self::Difference => 256,
        }
    }
}

/// A variant of the kernels over pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pairwise {
    pub(super) similarity: Similarity,
    pub(super) tiling: Tiling,
    /// More dimensions than a single sum takes.
    folded: bool,
    /// Each tile is relative to its own largest similarity.
    own_pivot: bool,
    /// Workgroups add up by subgroups.
    pub(super) subgroups: bool,
}

impl Pairwise {
    pub(super) fn new(
        similarity: Similarity,
        tiling: Tiling,
        dims: usize,
        own_pivot: bool,
        subgroups: bool,
    ) -> Self {
        Self { similarity, tiling, folded: dims > similarity.fold(), own_pivot, subgroups }
    }
}

/// A compiled variant of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    Centre,
    /// [`LogSum`](Self::LogSum), or [`Weights`](Self::Weights), by matrices.
    Cooperative {
        cooperative: Cooperative,
        weights: bool,
    },
    Excess,
    FinishGrad {
        unit: bool,
    },
    Fma,
    Halve,
    LogSum(Pairwise),
    Normalize {
        unit: bool,
    },
    PairedDistances,
    PairedGrad {
        unit: bool,
    },
    SquaredDistances,
    WeightedDifferences,
    WeightedSums(Tiling),
    Weights(Pairwise),
}

impl Kernel {
    /// All that the host can ask for.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Centre,
            Self::Excess,
            Self::Fma,
            Self::Halve,
            Self::PairedDistances,
            Self::SquaredDistances,
            Self::WeightedDifferences,
        ];
        for unit in [false, true] {
            all.extend([Self::FinishGrad { unit }, Self::Normalize { unit }, Self::PairedGrad { unit }]);
        }
        for matrices in [Matrices::Sixteen, Matrices::Eight, Matrices::EightOnMetal] {
            for (split, weights) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(Self::Cooperative { cooperative: Cooperative { matrices, split }, weights });
            }
        }
        for tiling in Tiling::ALL {
            for similarity in [Similarity::Cosine, Similarity::SplitCosine, Similarity::Difference] {
                if similarity != Similarity::Cosine && tiling != Tiling::SMALL {
                    continue;
                }
                for number in 0..8 {
                    let [own_pivot, subgroups, folded] = [1, 2, 4].map(|flag| number & flag > 0);
                    let dims = if folded { usize::MAX } else { 1 };
                    let pairwise = Pairwise::new(similarity, tiling, dims, own_pivot, subgroups);
                    all.extend([Self::LogSum(pairwise), Self::Weights(pairwise)]);
                }
            }
            all.extend([Self::WeightedSums(tiling), Self::WeightedSums(tiling.for_columns(1))]);
        }
        all
    }

    /// The whole WGSL text.
    pub(super) fn text(self, storage: Storage) -> &'static str {
        let texts = match self {
            Self::Centre => CENTRE,
            Self::Cooperative { cooperative: Cooperative { matrices, split }, weights } => {
                let texts = match matrices {
                    Matrices::Sixteen => BY_16,
                    Matrices::Eight => BY_8,
                    Matrices::EightOnMetal => BY_8_ON_METAL,
                };
                return texts[usize::from(split)][usize::from(weights)];
            }
            Self::Excess => EXCESS,
            Self::FinishGrad { .. } => FINISH_GRAD,
            Self::Fma => FMA,
            Self::Halve => HALVE,
            Self::LogSum(pairwise) | Self::Weights(pairwise) => LOG_SUM[usize::from(pairwise.subgroups)],
            Self::Normalize { .. } => NORMALIZE,
            Self::PairedDistances => PAIRED_DISTANCES,
            Self::PairedGrad { .. } => PAIRED_GRAD,
            Self::SquaredDistances => SQUARED_DISTANCES,
            Self::WeightedDifferences => WEIGHTED_DIFFERENCES,
            Self::WeightedSums(_) => WEIGHTED_SUMS,
        };
        match storage {
            Storage::F32 => texts[0],
            Storage::F16 => texts[1],
        }
    }

    /// Its entry point.
    pub(super) fn entry(self) -> &'static str {
        match self {
            Self::Centre => "centre",
            Self::Cooperative { .. } => "cooperative",
            Self::Excess => "excess_of_rows",
            Self::FinishGrad { .. } => "finish_grad",
            Self::Fma => "multiply_add",
            Self::Halve => "halve",
            Self::LogSum(_) => "log_sum",
            Self::Normalize { .. } => "normalize_rows",
            Self::PairedDistances => "paired_distances",
            Self::PairedGrad { .. } => "paired_grad",
            Self::SquaredDistances => "squared_distances",
            Self::WeightedDifferences => "weighted_differences",
            Self::WeightedSums(_) => "weighted_sums",
            Self::Weights(_) => "weights_of_pairs",
        }
    }

    /// How many buffers it is given besides its parameters.
    pub(super) fn buffers(self) -> usize {
        match self {
            Self::Fma => 1,
            Self::Centre | Self::Excess => 2,
            Self::PairedDistances | Self::SquaredDistances | Self::WeightedSums(_) => 3,
            Self::FinishGrad { .. } | Self::Normalize { .. } | Self::WeightedDifferences => 4,
            Self::Halve | Self::LogSum(_) | Self::Cooperative { weights: false, .. } => 5,
            Self::Weights(_) | Self::Cooperative { weights: true, .. } => 6,
            Self::PairedGrad { .. } => 7,
        }
    }

    /// The values of its override constants, none of which has a default.
    pub(super) fn constants(self) -> Vec<(&'static str, f64)> {
        let flag = |set: bool| f64::from(u8::from(set));
        match self {
            Self::Excess => vec![("FOLD", Similarity::Cosine.fold() as f64)],
            Self::FinishGrad { unit } | Self::Normalize { unit } | Self::PairedGrad { unit } => {
                vec![("UNIT", flag(unit))]
            }
            Self::LogSum(pairwise) | Self::Weights(pairwise) => {
                let mut constants = pairwise.tiling.constants();
                constants.extend([
                    ("DIFFERENCE", flag(pairwise.similarity == Similarity::Difference)),
                    ("SPLIT", flag(pairwise.similarity == Similarity::SplitCosine)),
                    ("FOLDED", flag(pairwise.folded)),
                    ("FOLD", pairwise.similarity.fold() as f64),
                    ("OWN_PIVOT", flag(pairwise.own_pivot)),
                ]);
                constants
            }
            Self::WeightedSums(tiling) => tiling.constants(),
            Self::Centre
            | Self::Cooperative { .. }
            | Self::Fma
            | Self::Halve
            | Self::PairedDistances
            | Self::SquaredDistances
            | Self::WeightedDifferences => vec![],
        }
    }

    /// Whether it runs without the driver's bounds checks, as [`super::tests`] shows that it may.
    pub(super) fn unchecked(self) -> bool {
        matches!(self, Self::LogSum(_) | Self::Weights(_) | Self::WeightedSums(_) | Self::Cooperative { .. })
    }
}
