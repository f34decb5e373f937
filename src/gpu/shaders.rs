//! The table of kernels: each one's text, entry point and constants. The only place that reads shader files.

/// Shared parts and a kernel, joined into one text.
macro_rules! joined {
    ($($part:literal),+) => { concat!($(include_str!(concat!("../../shaders/", $part))),+) };
}

const EXCESS: &str = joined!("shared/split.wgsl", "excess.wgsl");
const FMA: &str = joined!("fma.wgsl");
const FINISH_GRAD: &str = joined!("shared/finite.wgsl", "shared/row.wgsl", "finish_grad.wgsl");
const LOG_SUM: &str = joined!(
    "shared/exp.wgsl",
    "shared/split.wgsl",
    "shared/tile_sum.wgsl",
    "shared/tiles.wgsl",
    "log_sum.wgsl"
);
const NORMALIZE: &str = joined!("shared/row.wgsl", "normalize.wgsl");
const PAIRED_DISTANCES: &str = joined!("shared/row.wgsl", "paired_distances.wgsl");
const PAIRED_GRAD: &str = joined!("shared/finite.wgsl", "shared/row.wgsl", "paired_grad.wgsl");
const SQUARED_DISTANCES: &str = joined!("shared/tiles.wgsl", "squared_distances.wgsl");
const WEIGHTED_SUMS: &str = joined!("shared/tiles.wgsl", "weighted_sums.wgsl");

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

/// A compiled variant of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    Excess,
    FinishGrad { unit: bool },
    Fma,
    LogSum(Similarity),
    Normalize { unit: bool },
    PairedDistances,
    PairedGrad { unit: bool },
    SquaredDistances,
    WeightedSums,
    Weights(Similarity),
}

impl Kernel {
    #[cfg(test)]
    pub(super) const ALL: [Self; 17] = {
        use Similarity::{Cosine, Difference, SplitCosine};
        [
            Self::Excess,
            Self::FinishGrad { unit: false },
            Self::FinishGrad { unit: true },
            Self::Fma,
            Self::LogSum(Cosine),
            Self::LogSum(SplitCosine),
            Self::LogSum(Difference),
            Self::Normalize { unit: false },
            Self::Normalize { unit: true },
            Self::PairedDistances,
            Self::PairedGrad { unit: false },
            Self::PairedGrad { unit: true },
            Self::SquaredDistances,
            Self::WeightedSums,
            Self::Weights(Cosine),
            Self::Weights(SplitCosine),
            Self::Weights(Difference),
        ]
    };

    /// The whole WGSL text.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Excess => EXCESS,
            Self::FinishGrad { .. } => FINISH_GRAD,
            Self::Fma => FMA,
            Self::LogSum(_) | Self::Weights(_) => LOG_SUM,
            Self::Normalize { .. } => NORMALIZE,
            Self::PairedDistances => PAIRED_DISTANCES,
            Self::PairedGrad { .. } => PAIRED_GRAD,
            Self::SquaredDistances => SQUARED_DISTANCES,
            Self::WeightedSums => WEIGHTED_SUMS,
        }
    }

    /// Its entry point.
    pub(super) fn entry(self) -> &'static str {
        match self {
            Self::Excess => "excess_of_rows",
            Self::FinishGrad { .. } => "finish_grad",
            Self::Fma => "multiply_add",
            Self::LogSum(_) => "log_sum",
            Self::Normalize { .. } => "normalize_rows",
            Self::PairedDistances => "paired_distances",
            Self::PairedGrad { .. } => "paired_grad",
            Self::SquaredDistances => "squared_distances",
            Self::WeightedSums => "weighted_sums",
            Self::Weights(_) => "weights_of_pairs",
        }
    }

    /// How many buffers it is given besides its parameters.
    pub(super) fn buffers(self) -> usize {
        match self {
            Self::Fma => 1,
            Self::Excess => 2,
            Self::FinishGrad { .. } | Self::PairedDistances | Self::SquaredDistances => 3,
            Self::Normalize { .. } | Self::WeightedSums => 4,
            Self::LogSum(_) => 5,
            Self::Weights(_) => 6,
            Self::PairedGrad { .. } => 7,
        }
    }

    /// The values of its override constants, none of which has a default.
    pub(super) fn constants(self) -> Vec<(&'static str, f64)> {
        let flag = |set: bool| f64::from(u8::from(set));
        match self {
            Self::FinishGrad { unit } | Self::Normalize { unit } | Self::PairedGrad { unit } => {
                vec![("UNIT", flag(unit))]
            }
            Self::LogSum(similarity) | Self::Weights(similarity) => vec![
                ("DIFFERENCE", flag(similarity == Similarity::Difference)),
                ("SPLIT", flag(similarity == Similarity::SplitCosine)),
            ],
            Self::Excess
            | Self::Fma
            | Self::PairedDistances
            | Self::SquaredDistances
            | Self::WeightedSums => vec![],
        }
    }
}
