//! Retrieval both ways: how far in front the partner of each row stands among all rows of the other set.

use unisphere::Ranks;

use crate::{
    data::SetName,
    error::Result,
    maybe::{Absent, Maybe},
    work::Work,
};

/// The k of recall@k.
const RECALLED: [u64; 3] = [1, 5, 10];

/// Retrieval both ways, without weights.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetrievalTable {
    /// The number of candidates of each row, its partner among them.
    pub candidates: usize,
    /// Rows of x that look for their partners in y, and rows of y that look in x.
    pub ways: [RetrievalWay; 2],
}

/// Retrieval one way.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetrievalWay {
    /// The set whose rows look for their partners in the other.
    pub anchors: SetName,
    /// Recall@1, 5 and 10.
    pub recalls: Vec<Recall>,
    /// The mean rank of the partners, from 1.
    pub mean_rank: f64,
    /// The median rank.
    pub median_rank: f64,
    /// The mean of 1 / rank.
    pub mean_reciprocal_rank: f64,
    /// The number of rows whose partner ties with other candidates.
    pub tied: usize,
}

/// The share of rows whose partner is among the k most similar candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recall {
    /// The k.
    pub k: u64,
    /// The mean over all orders of candidates that tie.
    pub value: f64,
    /// The value where ties go against the partners.
    pub least: f64,
    /// The value where they go for them.
    pub greatest: f64,
}

impl RetrievalWay {
    pub(crate) fn new(anchors: SetName, ranks: &Ranks) -> Self {
        let recall = |k| Recall {
            k,
            value: ranks.recall(k),
            least: ranks.least_recall(k),
            greatest: ranks.greatest_recall(k),
        };
        Self {
            anchors,
            recalls: RECALLED.map(recall).to_vec(),
            mean_rank: ranks.mean(),
            median_rank: ranks.median(),
            mean_reciprocal_rank: ranks.mean_reciprocal(),
            tied: ranks.tied(),
        }
    }
}

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<Maybe<RetrievalTable>>> {
    let plan = &work.plan;
    if plan.full && plan.min_score.is_some() {
        let reason = "it takes every row's partner as its positive, and by their scores only some are";
        return Ok(Some(Err(Absent::because(reason))));
    }
    let ([x, y], true) = (&*work.sets, plan.retrieval) else { return Ok(None) };
    let ranks = work.session.retrieval(&x.points, &y.points)?;
    let candidates = work.rows();
    let ways = [(SetName::X, &ranks.x_to_y), (SetName::Y, &ranks.y_to_x)];
    let ways = ways.map(|(anchors, ranks)| RetrievalWay::new(anchors, ranks));
    work.ranks = Some(ranks);
    Ok(Some(Ok(RetrievalTable { candidates, ways })))
}
