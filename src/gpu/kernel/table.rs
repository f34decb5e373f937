//! The table of kernels: each one's text, entry point and constants. The only place that reads shader files.

use crate::{
    gpu::kernel::{
        cooperative::{Cooperative, Matrices},
        tiling::Tiling,
    },
    precision::Storage,
};

/// Shared parts and a kernel, joined into one text for points stored in f32, and one for f16.
macro_rules! joined {
    ($($part:literal),+) => { [joined!(@ "f32", $($part),+), joined!(@ "f16", $($part),+)] };
    (@ $storage:literal, $($part:literal),+) => {
        concat!(
            include_str!(concat!("../../../shaders/shared/points_", $storage, ".wgsl")),
            include_str!("../../../shaders/shared/points.wgsl"),
            $(include_str!(concat!("../../../shaders/", $part))),+
        )
    };
}

/// The kernel over pairs, with one way to add up over a workgroup.
macro_rules! log_sum {
    ($reduction:literal) => {
        joined!(
            "shared/exp.wgsl",
            "shared/grid.wgsl",
            "shared/pair_params.wgsl",
            "shared/pairs.wgsl",
            "shared/quads.wgsl",
            "shared/split.wgsl",
            "shared/stages.wgsl",
            "shared/tile_sum.wgsl",
            "shared/tiles.wgsl",
            "shared/triangle.wgsl",
            "log_sum.wgsl",
            "log_sum/similarities.wgsl",
            "log_sum/table.wgsl",
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
            $(include_str!(concat!("../../../shaders/cooperative/", $part, ".wgsl")),)+
            include_str!("../../../shaders/shared/exp.wgsl"),
            include_str!("../../../shaders/shared/grid.wgsl"),
            include_str!("../../../shaders/shared/pair_params.wgsl"),
            include_str!("../../../shaders/shared/pairs.wgsl"),
            include_str!("../../../shaders/shared/tile_sum.wgsl"),
            include_str!("../../../shaders/shared/triangle.wgsl"),
            include_str!("../../../shaders/cooperative/tiles.wgsl")
        )
    };
}

type Texts = [&'static str; 2];

const ADD: Texts = joined!("shared/finite.wgsl", "shared/row.wgsl", "add.wgsl");
const CENTRE: Texts = joined!("centre.wgsl");
const CLOSE_COUNTS: Texts =
    joined!("shared/pairs.wgsl", "shared/row.wgsl", "shared/tile_sum.wgsl", "close_counts.wgsl");
const CLOSE_LIST: Texts = joined!("shared/pairs.wgsl", "shared/row.wgsl", "close_list.wgsl");
const COLUMN_SUMS: Texts = joined!(
    "shared/exp.wgsl",
    "shared/exp_less_one.wgsl",
    "shared/pairs.wgsl",
    "shared/tile_sum.wgsl",
    "column_sums.wgsl"
);
const EXCESS: Texts = joined!("shared/split.wgsl", "excess.wgsl");
const FMA: Texts = joined!("fma.wgsl");
const FINISH_GRAD: Texts = joined!("shared/finite.wgsl", "shared/row.wgsl", "finish_grad.wgsl");
const GATHER: Texts = joined!("shared/row.wgsl", "gather.wgsl");
const HALVE: Texts = joined!("shared/split.wgsl", "halve.wgsl");
const HISTOGRAM: Texts = joined!("shared/pairs.wgsl", "histogram.wgsl");
const LOG_SUM: [Texts; 2] = [log_sum!("log_sum/tree.wgsl"), log_sum!("log_sum/subgroups.wgsl")];
const MAP_PAIRS: Texts =
    joined!("shared/exp.wgsl", "shared/pairs.wgsl", "shared/tile_sum.wgsl", "map_pairs.wgsl");
const MOMENTS: Texts = joined!("shared/quads.wgsl", "shared/small_tiles.wgsl", "moments.wgsl");
const NORMALIZE: Texts = joined!("shared/row.wgsl", "normalize.wgsl");
const PAIRED_DISTANCES: Texts = joined!("shared/row.wgsl", "paired_distances.wgsl");
const PAIRED_DOTS: Texts = joined!("shared/row.wgsl", "shared/split.wgsl", "paired_dots.wgsl");
const PAIRED_GRAD: Texts = joined!("shared/finite.wgsl", "shared/row.wgsl", "paired_grad.wgsl");
const RECTANGLE_SUMS: Texts = joined!(
    "shared/exp.wgsl",
    "shared/exp_less_one.wgsl",
    "shared/pairs.wgsl",
    "shared/tile_sum.wgsl",
    "rectangle_sums.wgsl"
);
const SQUARED_DISTANCES: Texts = joined!(
    "shared/grid.wgsl",
    "shared/quads.wgsl",
    "shared/small_tiles.wgsl",
    "shared/stages.wgsl",
    "squared_distances.wgsl"
);
const WEIGH: Texts = joined!("shared/exp.wgsl", "shared/pairs.wgsl", "shared/tile_sum.wgsl", "weigh.wgsl");
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
pub(crate) enum Similarity {
    /// The cosine of unit rows.
    Cosine,
    /// The cosine, from short sums.
    FineCosine,
    /// The cosine, by exact products of 12-bit halves: three times the work.
    SplitCosine,
    /// −‖x−y‖², by direct difference.
    Difference,
    /// The dot product of raw rows.
    Product,
}

impl Similarity {
    #[cfg(test)]
    const ALL: [Self; 5] =
        [Self::Cosine, Self::FineCosine, Self::SplitCosine, Self::Difference, Self::Product];

    /// Dimensions after which a sum is set aside. A sum of squares grows all the way, and that of a cosine does not;
    /// the halves of split ones are summed exactly.
    fn fold(self) -> usize {
        match self {
            Self::Cosine | Self::SplitCosine => 1024,
            Self::FineCosine => 64,
            Self::Difference | Self::Product => 256,
        }
    }

    /// Whether kernels are compiled for it in these tiles.
    pub(crate) fn takes(self, tiling: Tiling) -> bool {
        matches!(self, Self::Cosine | Self::FineCosine | Self::Product) || tiling == Tiling::SMALL
    }
}

/// A variant of the kernels over pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pairwise {
    pub(crate) similarity: Similarity,
    pub(crate) tiling: Tiling,
    /// More dimensions than a single sum takes.
    pub(crate) folded: bool,
    /// Each tile is relative to its own largest similarity.
    pub(crate) own_pivot: bool,
    /// Workgroups add up by subgroups.
    pub(crate) subgroups: bool,
}

impl Pairwise {
    pub(crate) fn new(
        similarity: Similarity,
        tiling: Tiling,
        dims: usize,
        own_pivot: bool,
        subgroups: bool,
    ) -> Self {
        Self { similarity, tiling, folded: dims > similarity.fold(), own_pivot, subgroups }
    }

    /// The variant that leaves similarities, and sums nothing.
    pub(crate) fn of_table(similarity: Similarity, tiling: Tiling, dims: usize) -> Self {
        Self::new(similarity, tiling, dims, false, false)
    }
}

/// The function that `map_pairs.wgsl` makes of a similarity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PairMapping {
    Softplus,
    GaussianLoss,
    /// A power within classes.
    PowerInClass,
}

#[cfg(test)]
impl PairMapping {
    pub(crate) const ALL: [Self; 3] = [Self::Softplus, Self::GaussianLoss, Self::PowerInClass];
}

/// A compiled variant of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shader {
    Add,
    Centre,
    CloseCounts,
    CloseList,
    ColumnSums {
        less_one: bool,
    },
    /// [`LogSumExp`](Self::LogSum), or [`Weights`](Self::Weights), by matrices.
    Cooperative {
        cooperative: Cooperative,
        weights: bool,
    },
    Excess,
    FinishGrad {
        unit: bool,
    },
    Fma,
    Gather,
    Halve,
    Histogram,
    LogSum(Pairwise),
    MapPairs(PairMapping),
    Moments,
    Normalize {
        unit: bool,
    },
    PairedDistances,
    PairedDots {
        unit: bool,
    },
    /// Of distances, or of the dot products of raw points.
    PairedGrad {
        unit: bool,
        dots: bool,
    },
    RectangleSums {
        less_one: bool,
    },
    Similarities(Pairwise),
    SquaredDistances,
    Weigh,
    WeightedDifferences,
    WeightedSums(Tiling),
    Weights(Pairwise),
}

impl Shader {
    /// All that the host can ask for.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Add,
            Self::Centre,
            Self::CloseCounts,
            Self::CloseList,
            Self::Excess,
            Self::Fma,
            Self::Gather,
            Self::Halve,
            Self::Histogram,
            Self::Moments,
            Self::PairedDistances,
            Self::PairedGrad { unit: false, dots: true },
            Self::SquaredDistances,
            Self::Weigh,
            Self::WeightedDifferences,
        ];
        for less_one in [false, true] {
            all.extend([Self::ColumnSums { less_one }, Self::RectangleSums { less_one }]);
        }
        all.extend(PairMapping::ALL.map(Self::MapPairs));
        for unit in [false, true] {
            all.extend([Self::FinishGrad { unit }, Self::Normalize { unit }]);
            all.extend([Self::PairedDots { unit }, Self::PairedGrad { unit, dots: false }]);
        }
        for matrices in [Matrices::Sixteen, Matrices::Eight, Matrices::EightOnMetal] {
            for (split, weights) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(Self::Cooperative { cooperative: Cooperative { matrices, split }, weights });
            }
        }
        for tiling in Tiling::ALL {
            for similarity in Similarity::ALL {
                if !similarity.takes(tiling) {
                    continue;
                }
                for folded in [false, true] {
                    all.push(Self::Similarities(Pairwise::of_table(
                        similarity,
                        tiling,
                        if folded { usize::MAX } else { 1 },
                    )));
                }
                // They are summed from tables only.
                if matches!(similarity, Similarity::FineCosine | Similarity::Product) {
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
    pub(crate) fn text(self, storage: Storage) -> &'static str {
        let texts = match self {
            Self::Add => ADD,
            Self::Centre => CENTRE,
            Self::CloseCounts => CLOSE_COUNTS,
            Self::CloseList => CLOSE_LIST,
            Self::ColumnSums { .. } => COLUMN_SUMS,
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
            Self::Gather => GATHER,
            Self::Halve => HALVE,
            Self::Histogram => HISTOGRAM,
            Self::LogSum(pairwise) | Self::Similarities(pairwise) | Self::Weights(pairwise) => {
                LOG_SUM[usize::from(pairwise.subgroups)]
            }
            Self::MapPairs(_) => MAP_PAIRS,
            Self::Moments => MOMENTS,
            Self::Normalize { .. } => NORMALIZE,
            Self::PairedDistances => PAIRED_DISTANCES,
            Self::PairedDots { .. } => PAIRED_DOTS,
            Self::PairedGrad { .. } => PAIRED_GRAD,
            Self::RectangleSums { .. } => RECTANGLE_SUMS,
            Self::SquaredDistances => SQUARED_DISTANCES,
            Self::Weigh => WEIGH,
            Self::WeightedDifferences => WEIGHTED_DIFFERENCES,
            Self::WeightedSums(_) => WEIGHTED_SUMS,
        };
        match storage {
            Storage::F32 => texts[0],
            Storage::F16 => texts[1],
        }
    }

    /// Its entry point.
    pub(crate) fn entry(self) -> &'static str {
        match self {
            Self::Add => "add_rows",
            Self::Centre => "centre",
            Self::CloseCounts => "close_counts",
            Self::CloseList => "close_list",
            Self::ColumnSums { .. } => "column_sums",
            Self::Cooperative { .. } => "cooperative",
            Self::Excess => "excess_of_rows",
            Self::FinishGrad { .. } => "finish_grad",
            Self::Fma => "multiply_add",
            Self::Gather => "gather",
            Self::Halve => "halve",
            Self::Histogram => "histogram",
            Self::LogSum(_) => "log_sum",
            Self::MapPairs(_) => "map_pairs",
            Self::Moments => "moments",
            Self::Normalize { .. } => "normalize_rows",
            Self::PairedDistances => "paired_distances",
            Self::PairedDots { .. } => "paired_dots",
            Self::PairedGrad { .. } => "paired_grad",
            Self::RectangleSums { .. } => "rectangle_sums",
            Self::Similarities(_) => "similarities_of_pairs",
            Self::SquaredDistances => "squared_distances",
            Self::Weigh => "weigh",
            Self::WeightedDifferences => "weighted_differences",
            Self::WeightedSums(_) => "weighted_sums",
            Self::Weights(_) => "weights_of_pairs",
        }
    }

    /// How many buffers it is given besides its parameters.
    pub(crate) fn buffers(self) -> usize {
        match self {
            Self::Fma => 1,
            Self::Add | Self::Centre | Self::CloseCounts | Self::Excess | Self::Histogram => 2,
            Self::CloseList | Self::ColumnSums { .. } | Self::Moments => 3,
            Self::PairedDistances | Self::SquaredDistances | Self::WeightedSums(_) => 3,
            Self::FinishGrad { .. } | Self::MapPairs(_) | Self::Normalize { .. } => 4,
            Self::Weigh | Self::WeightedDifferences => 4,
            Self::Gather | Self::Halve | Self::PairedDots { .. } | Self::Similarities(_) => 5,
            Self::LogSum(_) | Self::Cooperative { weights: false, .. } => 5,
            Self::RectangleSums { .. } | Self::Weights(_) | Self::Cooperative { weights: true, .. } => 6,
            Self::PairedGrad { .. } => 7,
        }
    }

    /// The values of its override constants, none of which has a default.
    pub(crate) fn constants(self) -> Vec<(&'static str, f64)> {
        let flag = |set: bool| f64::from(u8::from(set));
        match self {
            Self::ColumnSums { less_one } | Self::RectangleSums { less_one } => {
                vec![("LESS_ONE", flag(less_one))]
            }
            Self::Excess => vec![("FOLD", Similarity::Cosine.fold() as f64)],
            Self::FinishGrad { unit } | Self::Normalize { unit } | Self::PairedDots { unit } => {
                vec![("UNIT", flag(unit))]
            }
            Self::MapPairs(mapping) => vec![
                ("SOFTPLUS", flag(mapping == PairMapping::Softplus)),
                ("GAUSSIAN_LOSS", flag(mapping == PairMapping::GaussianLoss)),
            ],
            Self::PairedGrad { unit, dots } => vec![("UNIT", flag(unit)), ("DOTS", flag(dots))],
            Self::LogSum(pairwise) | Self::Similarities(pairwise) | Self::Weights(pairwise) => {
                let mut constants = pairwise.tiling.constants();
                constants.extend([
                    ("DIFFERENCE", flag(pairwise.similarity == Similarity::Difference)),
                    ("SPLIT", flag(pairwise.similarity == Similarity::SplitCosine)),
                    (
                        "EXACT",
                        flag(matches!(pairwise.similarity, Similarity::SplitCosine | Similarity::FineCosine)),
                    ),
                    ("FOLDED", flag(pairwise.folded)),
                    ("FOLD", pairwise.similarity.fold() as f64),
                    ("OWN_PIVOT", flag(pairwise.own_pivot)),
                ]);
                constants
            }
            Self::WeightedSums(tiling) => tiling.constants(),
            _ => vec![],
        }
    }

    /// Whether it runs without the driver's bounds checks, as [`super::tests`] shows that it may.
    pub(crate) fn unchecked(self) -> bool {
        matches!(
            self,
            Self::LogSum(_)
                | Self::Similarities(_)
                | Self::Weights(_)
                | Self::WeightedSums(_)
                | Self::Moments
                | Self::SquaredDistances
                | Self::WeightedDifferences
                | Self::Cooperative { .. }
        )
    }
}
