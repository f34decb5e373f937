//! The sections of a report, one file each: its numbers, and how they are measured.

mod contrastive;
mod duplicates;
mod estimates;
mod figures;
mod groups;
mod histograms;
mod modality_gap;
mod protocol;
mod retrieval;
mod row_table;
mod scores;
mod sigmoid;
mod significance;
mod spectrum;
mod summary;
mod supcon;
mod sweep;
mod worst_rows;

pub use contrastive::{ContrastiveRow, ContrastiveTable, MatchingUniformity};
pub use duplicates::{ClosePair, Duplicates, SetDuplicates};
pub use estimates::{Estimated, Quantity};
pub use figures::{Figures, SetFigures};
pub use groups::{GroupTable, MAX_GROUPS_IN_FIGURES, SetGroups};
pub use histograms::{Histogram, Histograms, SetCosines};
pub use protocol::ProtocolNumbers;
pub use retrieval::{Recall, RetrievalTable, RetrievalWay};
pub use row_table::{RowColumn, RowTable};
pub use scores::{Positives, Scores};
pub use sigmoid::SigmoidRow;
pub use significance::SetSignificance;
pub use spectrum::SetSpectrum;
pub use summary::{AlignmentSummary, Calibration, SetUniformity, Summary};
pub use supcon::{SupConRow, SupConTable};
pub use sweep::{CurvePoint, PairSweep, Sweep, SweepRow};
pub use worst_rows::{RankedRow, SetRows, WorstRows};

pub(crate) use {
    contrastive::measure as contrastive, duplicates::measure as duplicates, figures::measure as figures,
    groups::check as check_groups, groups::measure as groups, histograms::measure as histograms,
    modality_gap::measure as modality_gap, protocol::measure as protocol, retrieval::measure as retrieval,
    row_table::table as row_table, scores::check as check_scores, scores::check_weights,
    scores::measure as scores, sigmoid::measure as sigmoid, significance::measure as significance,
    spectrum::measure as spectrum, summary::measure as summary, supcon::measure as supcon,
    sweep::measure as sweep, worst_rows::rank as worst_rows,
};
