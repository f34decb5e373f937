//! Positives by label: an image and each of its captions, a question and each of its answers.

use unisphere::{Alignment, LabelledPairs, ModalityGap, Points};

use crate::{data::SetName, error::Result, sections::RetrievalWay, session::Session};

/// How close rows of x and y with one label are, and how far in front each row's best positive stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PositivesByLabel {
    /// The number of pairs of a row of x and a row of y that have one label.
    pub pairs: u64,
    /// The alignment that was measured.
    pub metric: Alignment,
    /// Its value: the mean over all those pairs.
    pub alignment: f64,
    /// Rows of x that look for their positives in y, and rows of y that look in x.
    pub ways: [RetrievalWay; 2],
    /// The number of rows that each of them looks through: those of y, and those of x.
    pub candidates: [usize; 2],
    /// The distance of both means, and how well one direction tells the sets apart.
    pub modality_gap: ModalityGap,
}

pub(super) fn measure(
    metric: Alignment,
    pairs: &LabelledPairs,
    x: &Points,
    y: &Points,
    session: &mut Session<'_>,
) -> Result<PositivesByLabel> {
    let alignment = session.alignment_across_labels(x, y, pairs, metric)?;
    let ranks = session.labelled_retrieval(x, y, pairs)?;
    let ways = [(SetName::X, &ranks.x_to_y), (SetName::Y, &ranks.y_to_x)];
    Ok(PositivesByLabel {
        pairs: pairs.count(),
        metric,
        alignment,
        ways: ways.map(|(anchors, ranks)| RetrievalWay::new(anchors, ranks)),
        candidates: [y.rows(), x.rows()],
        modality_gap: session.modality_gap(x, y)?,
    })
}
