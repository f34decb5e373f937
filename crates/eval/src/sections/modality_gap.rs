//! The modality gap: how far both sets lie apart as wholes.

use unisphere::ModalityGap;

use crate::{error::Result, work::Work};

pub(crate) fn measure(work: &mut Work<'_>) -> Result<Option<ModalityGap>> {
    let ([x, y], true) = (&*work.sets, work.plan.modality_gap) else { return Ok(None) };
    work.session.modality_gap(&x.points, &y.points).map(Some)
}
