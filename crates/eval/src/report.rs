//! The report: every number, and the circumstances of the measuring.

use unisphere::{Device, ModalityGap, Precision, Scaling, Storage};

use crate::{
    data::{Data, SetName},
    error::Result,
    maybe::Maybe,
    plan::Plan,
    protocol::Weighed,
    rounding::Rounding,
    sections::{
        self, ContrastiveTable, Duplicates, Estimated, Figures, GroupTable, Histograms, ProtocolNumbers,
        RetrievalTable, RowTable, Scores, SetSignificance, SetSpectrum, SigmoidRow, Summary, SupConTable,
        Sweep, WorstRows,
    },
    session::Session,
    work::Work,
};

/// The numbers that were measured, and the circumstances. A section that was not asked for is None.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The device that computed it.
    pub device: Device,
    /// The precision that was asked for products of coordinates.
    pub precision: Precision,
    /// The precisions of the products that were made, in sums over pairs.
    pub precisions_used: Vec<Precision>,
    /// The form in which the device kept coordinates.
    pub storage: Storage,
    /// Rows of each set.
    pub rows: usize,
    /// Dimensions.
    pub dims: usize,
    /// Whether rows were scaled to unit length.
    pub scaling: Scaling,
    /// What rounding to f32 has taken of the points, where they had more digits: whoever read them knows it.
    pub rounding: Option<Rounding>,
    /// The use of weights.
    pub weighed: Weighed,
    /// Whether there are sections that weights do not change.
    pub ignores_weights: bool,
    /// Seconds of uploads and metrics.
    pub seconds: f64,
    /// Alignment, and uniformity of each set.
    pub summary: Summary,
    /// Cosines against the scores of pairs.
    pub scores: Option<Scores>,
    /// The values that were estimated from a part of the pairs, the summary's among them.
    pub estimates: Option<Vec<Estimated>>,
    /// Uniformity at several t.
    pub sweep: Option<Sweep>,
    /// The numbers of a protocol.
    pub protocol: Option<ProtocolNumbers>,
    /// The contrastive losses.
    pub contrastive: Option<Maybe<ContrastiveTable>>,
    /// The sigmoid losses.
    pub sigmoid: Option<Vec<SigmoidRow>>,
    /// The supervised contrastive losses.
    pub supcon: Option<SupConTable>,
    /// Retrieval both ways.
    pub retrieval: Option<Maybe<RetrievalTable>>,
    /// The modality gap between both sets.
    pub modality_gap: Option<ModalityGap>,
    /// Tests against the uniform distribution.
    pub significance: Option<Vec<SetSignificance>>,
    /// Means and covariances.
    pub spectrum: Option<Vec<SetSpectrum>>,
    /// Histograms of distances and cosines.
    pub histograms: Option<Histograms>,
    /// Equal rows and close pairs.
    pub duplicates: Option<Duplicates>,
    /// The most crowded rows, and the pairs that lie farthest apart.
    pub worst_rows: Option<WorstRows>,
    /// Alignment and uniformity by group.
    pub groups: Option<GroupTable>,
    /// A table of all rows.
    pub row_table: Option<RowTable>,
    /// What figures show beside the sections above.
    pub figures: Option<Figures>,
}

impl Report {
    /// A report that has nothing but a summary, to which a caller that has measured more adds it: products in f32, no weights, no
    /// seconds.
    pub fn new(summary: Summary, device: Device, [rows, dims]: [usize; 2], scaling: Scaling) -> Self {
        Self {
            device,
            precision: Precision::F32,
            precisions_used: vec![Precision::F32],
            storage: Storage::F32,
            rows,
            dims,
            scaling,
            rounding: None,
            weighed: Weighed::Nothing,
            ignores_weights: false,
            seconds: 0.0,
            summary,
            scores: None,
            estimates: None,
            sweep: None,
            protocol: None,
            contrastive: None,
            sigmoid: None,
            supcon: None,
            retrieval: None,
            modality_gap: None,
            significance: None,
            spectrum: None,
            histograms: None,
            duplicates: None,
            worst_rows: None,
            groups: None,
            row_table: None,
            figures: None,
        }
    }
}

impl Report {
    /// How far rounding to f32 may have moved alignment and each uniformity, by more than a millionth of the larger of 1 and the
    /// value: None stands for alignment.
    pub fn moved_by_rounding(&self) -> impl Iterator<Item = (Option<SetName>, f64)> {
        let Summary { alignment, metric, sets, .. } = &self.summary;
        let rounding = self.rounding;
        let of_alignment = alignment
            .iter()
            .filter_map(move |of| Some((None, rounding?.of_alignment(of.metric, of.measured.value)?)));
        let of_sets = sets.iter().filter_map(move |of| {
            Some((Some(of.set), rounding?.of_uniformity(of.set, *metric, of.measured.value)?))
        });
        of_alignment.chain(of_sets)
    }
}

/// Measures what the plan wants.
///
/// # Errors
///
/// [`Error::Length`](crate::Error::Length) where a column does not fit the rows;
/// [`Error::TooManyGroups`](crate::Error::TooManyGroups); those of
/// [`Plan::check_scores`] and [`Plan::check_weights`]; the engine's own, among them
/// [`Stopped`](unisphere::Error::Stopped) where the session's listener or the engine's observer asked for it.
pub fn measure(plan: Plan, data: Data, session: Session<'_>) -> Result<Report> {
    if let Some(labels) = &data.labels {
        plan.check_labels(labels, data.y.is_some())?;
    }
    if let Some(weights) = &data.weights {
        plan.check_weights(weights)?;
    }
    if let Some(scores) = data.scores.as_ref().filter(|_| plan.scores) {
        plan.check_scores(scores)?;
    }
    let mut work = Work::new(plan, data, session)?;
    let summary = sections::summary(&mut work)?;
    let scores = sections::scores(&mut work)?;
    let swept = sections::sweep(&mut work, &summary)?;
    let protocol = sections::protocol(&mut work, &summary)?;
    let contrastive = sections::contrastive(&mut work, &swept.matching)?;
    let sigmoid = sections::sigmoid(&mut work)?;
    let supcon = sections::supcon(&mut work)?;
    let retrieval = sections::retrieval(&mut work)?;
    let modality_gap = sections::modality_gap(&mut work)?;
    let significance = sections::significance(&work, &summary);
    let spectrum = sections::spectrum(&mut work)?;
    let counted = sections::histograms(&mut work)?;
    let duplicates = sections::duplicates(&mut work)?;
    let worst_rows = sections::worst_rows(&work)?;
    let groups = sections::groups(&mut work)?;
    let row_table = sections::row_table(&work)?;
    let figures = sections::figures(&work, swept.curve, counted.fine_cosines)?;
    let engine = work.session.engine();
    Ok(Report {
        device: engine.device().clone(),
        precision: engine.precision(),
        precisions_used: engine.precisions_used(),
        storage: engine.storage(),
        rows: work.rows(),
        dims: work.dims(),
        scaling: work.plan.scaling,
        rounding: None,
        weighed: work.plan.weighed,
        ignores_weights: work.plan.ignores_weights(),
        seconds: work.session.computing().as_secs_f64(),
        summary,
        scores,
        estimates: None,
        sweep: swept.table,
        protocol,
        contrastive,
        sigmoid,
        supcon,
        retrieval,
        modality_gap,
        significance,
        spectrum,
        histograms: counted.histograms,
        duplicates,
        worst_rows,
        groups,
        row_table,
        figures,
    })
}
