//! The report: every number, and the circumstances of the measuring.

use unisphere::{Device, ModalityGap, Precision, Scaling, Storage, Uniformity};

use crate::{
    data::{Data, SetName},
    error::Result,
    maybe::Maybe,
    plan::Plan,
    protocol::Weighed,
    rounding::{Moved, MovedValue, Rounding},
    sections::{
        self, ContrastiveRow, ContrastiveTable, Duplicates, Estimated, Figures, GroupTable, Histograms,
        ProtocolNumbers, RetrievalTable, RowTable, Scores, SetSignificance, SetSpectrum, SigmoidRow, Summary,
        SupConRow, SupConTable, Sweep, SweepRow, WorstRows,
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
    /// How far rounding to f32 may have moved values, by more than a millionth of the larger of 1 and the value: of a table, the one that
    /// may have moved farthest.
    pub fn moved_by_rounding(&self) -> Vec<Moved> {
        let Some(rounding) = self.rounding else { return Vec::new() };
        let Summary { alignment, metric, sets, .. } = &self.summary;
        let of_alignment = alignment.iter().filter_map(|of| {
            let value = of.measured.value;
            Moved::told(MovedValue::Alignment, rounding.of_alignment(of.metric, value), value)
        });
        let of_sets = sets.iter().filter_map(|of| {
            let value = of.measured.value;
            Moved::told(MovedValue::Uniformity(of.set), rounding.of_uniformity(of.set, *metric, value), value)
        });
        let of_losses = [
            self.contrastive.iter().flatten().flat_map(|table| contrastive(rounding, table)).collect(),
            self.sigmoid.iter().flatten().filter_map(|row| sigmoid(rounding, row, self.rows)).collect(),
            self.supcon.iter().flat_map(|table| supcon(rounding, table)).collect::<Vec<_>>(),
        ];
        let of_tables = [
            Moved::farthest(
                self.sweep.iter().flat_map(|table| &table.rows).flat_map(|row| swept(rounding, row)),
            ),
            Moved::farthest(discrepancies(rounding, self.sweep.as_ref())),
            Moved::farthest(self.groups.iter().flat_map(|table| grouped(rounding, table, *metric))),
        ];
        let of_losses = of_losses.into_iter().map(Moved::farthest);
        of_alignment.chain(of_sets).chain(of_tables.into_iter().chain(of_losses).flatten()).collect()
    }

    /// What is there of which no bound of that is known; nothing where no value may have moved so far, bounded or not.
    pub fn without_bound(&self) -> Vec<&'static str> {
        let Some(rounding) = self.rounding else { return Vec::new() };
        let has_queue = |table: &ContrastiveTable| table.queue.is_some();
        let has_losses = self.contrastive.is_some() || self.sigmoid.is_some() || self.supcon.is_some();
        let is_open = rounding.has_no_bound_of_products();
        let of_queue = |row: &ContrastiveRow| rounding.moves_with_queue(row.tau, row.value.loss);
        let mut with_queue = self.contrastive.iter().flatten().filter(|table| has_queue(table));
        let is_noticeable = is_open && has_losses
            || rounding.moves_distances()
            || with_queue.any(|table| table.rows.iter().any(of_queue))
            || !self.moved_by_rounding().is_empty();
        if !is_noticeable {
            return Vec::new();
        }
        let all = [
            ("losses", is_open && has_losses),
            ("the contrastive loss with a queue", self.contrastive.iter().flatten().any(has_queue)),
            ("correlations with scores", self.scores.is_some()),
            ("ranks", self.retrieval.is_some()),
            ("the modality gap", self.modality_gap.is_some()),
            ("spectra", self.spectrum.is_some()),
            ("histograms", self.histograms.is_some()),
            ("close pairs", self.duplicates.is_some()),
            ("lists of rows", self.worst_rows.is_some() || self.row_table.is_some()),
            ("figures", self.figures.is_some()),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(what, _)| what).collect()
    }
}

/// The losses of one table; those with a queue, of which nothing is known, are left out.
fn contrastive(rounding: Rounding, table: &ContrastiveTable) -> Vec<Moved> {
    let of_row = |row: &ContrastiveRow| {
        Moved::told(MovedValue::Contrastive, rounding.of_softmax(row.tau), row.value.loss)
    };
    table.rows.iter().filter(|_| table.queue.is_none()).filter_map(of_row).collect()
}

fn sigmoid(rounding: Rounding, row: &SigmoidRow, rows: usize) -> Option<Moved> {
    Moved::told(MovedValue::Sigmoid, rounding.of_sigmoid(row.metric, row.loss, rows), row.loss)
}

fn supcon(rounding: Rounding, table: &SupConTable) -> Vec<Moved> {
    let of_row = |row: &SupConRow| Moved::told(MovedValue::SupCon, rounding.of_softmax(row.tau), row.loss);
    table.rows.iter().filter_map(of_row).collect()
}

/// Uniformity at one t.
fn swept(rounding: Rounding, row: &SweepRow) -> Vec<Moved> {
    let metric = Uniformity::new(row.t);
    let told = |value: Maybe<f64>, by: &dyn Fn(f64) -> f64| {
        value.ok().and_then(|value| Moved::told(MovedValue::Sweep, by(value), value))
    };
    let of_pair = row.pair.iter().flat_map(|of| {
        [
            told(of.y, &|value| rounding.of_uniformity(SetName::Y, metric, value)),
            told(of.cross, &|value| rounding.of_cross_uniformity(metric, value)),
            told(of.unpaired, &|value| rounding.of_cross_uniformity(metric, value)),
            told(of.pooled, &|value| rounding.of_pooled(metric, value)),
        ]
    });
    let of_x = told(row.x, &|value| rounding.of_uniformity(SetName::X, metric, value));
    [of_x].into_iter().chain(of_pair).flatten().collect()
}

/// The squared discrepancy at every t, over rows that are not paired.
fn discrepancies(rounding: Rounding, sweep: Option<&Sweep>) -> Vec<Moved> {
    let of_row = |row: &SweepRow| {
        let pair = row.pair.as_ref()?;
        let (value, [x, y]) = (pair.squared_mmd.ok()?, pair.within.ok()?);
        let cross = pair.unpaired.or(pair.cross).ok()?;
        let by = rounding.of_squared_mmd(Uniformity::new(row.t), [x, y, cross]);
        Moved::told(MovedValue::SquaredMmd, by, value)
    };
    sweep.iter().flat_map(|table| &table.rows).filter_map(of_row).collect()
}

/// Alignment and uniformity of all groups.
fn grouped(rounding: Rounding, table: &GroupTable, metric: Uniformity) -> Vec<Moved> {
    let told = |value: &Maybe<f64>, by: &dyn Fn(f64) -> f64| {
        value.ok().and_then(|value| Moved::told(MovedValue::Groups, by(value), value))
    };
    let of_pairs = table.alignment.iter().flatten();
    let mut moved: Vec<_> = of_pairs
        .filter_map(|value| told(value, &|value| rounding.of_alignment(table.metric, value)))
        .collect();
    for of in &table.sets {
        let of_set = |value| rounding.of_uniformity(of.set, metric, value);
        let across = of.across.iter().flatten();
        moved.extend(of.within.iter().chain(across).filter_map(|value| told(value, &of_set)));
        moved.extend(told(&of.alignment, &|value| rounding.of_alignment_within(of.set, table.metric, value)));
    }
    moved
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
