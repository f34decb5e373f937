//! Metrics: their parameters and formulas over a backend's primitives, one file each.

mod alignment;
mod anchor_blocks;
mod anchors;
mod block_sums;
mod calibration;
mod check;
mod class_alignment;
mod close_pairs;
mod contrastive;
mod cosines;
mod eigenvalues;
mod groups;
mod histogram;
mod labelled_pairs;
mod loss;
mod mmd;
mod modality_gap;
mod moments;
mod pair_sets;
mod potentials;
mod retrieval;
mod row_log_sums;
mod shares;
mod sigmoid;
mod spectrum;
mod supcon;
#[cfg(test)]
mod tests;
mod uniformity;
mod weights;

pub use alignment::{Alignment, AlignmentOver, PairDistances};
pub use anchor_blocks::AnchorBlockSumsOver;
pub use anchors::PairProducts;
pub use block_sums::{BlockSumsOver, PairBlock};
pub use class_alignment::AlignmentByLabel;
pub use close_pairs::{ClosePairs, ClosePairsOver};
pub use contrastive::{Candidates, Contrastive, ContrastiveOver, ContrastiveValue, Contrastives};
pub use cosines::PairCosines;
pub use groups::{GroupUniformity, GroupUniformityOver, Groups};
pub use histogram::{CosineHistogram, CosineHistogramOver};
pub use labelled_pairs::{AlignmentAcrossLabels, LabelledPairs};
pub use loss::{Loss, LossOver, LossValue};
pub use mmd::{SquaredMmd, SquaredMmdOver, UniformityOfUnion};
pub use modality_gap::{ModalityGap, ModalityGapOver};
pub use moments::{MomentSums, SpectrumOfMoments};
pub use pair_sets::{Across, PairSet, Unpaired, Within};
pub use potentials::{Potentials, PotentialsOver};
pub use retrieval::{Ranks, Retrieval, RetrievalOver};
pub use row_log_sums::RowLogSumsOver;
pub use shares::{AnchorWeights, Anchors, GradientShareOver, PositivesShareOver};
pub use sigmoid::{Sigmoid, SigmoidGradients, SigmoidOver};
pub use spectrum::{Spectrum, SpectrumOver};
pub use supcon::{SupCon, SupConOfViews, SupConWithin};
pub use uniformity::{Uniformities, Uniformity, UniformityOver};

pub(crate) use check::{comparable, mismatch};
