//! An engine at work for one report: every call of the engine that a report makes, each with its name for a progress
//! display.

use std::{
    fmt,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use unisphere::{
    Alignment, Candidates, ClosePairs, Contrastive, ContrastiveValue, CosineHistogram, Embeddings, Engine,
    GroupUniformity, Groups, LabelledPairs, ModalityGap, PairCosines, Points, Potentials, Retrieval, Sigmoid,
    Spectrum, SquaredMmd, SupCon, Uniformity,
};

use crate::{
    data::{Set, SetName},
    error::Result,
    plan::Plan,
    shadow::Shadow,
};

/// A step of the measuring that begins. Displayed, it says what is being done: "uniformity of x".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Points are copied to the device.
    Upload,
    /// Equal rows are looked for.
    EqualRows,
    /// The two directions are found that a figure shows points in.
    Directions,
    /// The distances of all positive pairs.
    PairDistances,
    /// The cosines of all positive pairs.
    PairCosines,
    /// The alignment of the positive pairs.
    Alignment,
    /// The uniformity of a set.
    Uniformity(SetName),
    /// The uniformity of a view, by its number from 0.
    UniformityOfView(usize),
    /// Uniformity across both sets.
    CrossUniformity,
    /// Uniformity of x with the queue.
    QueueUniformity,
    /// The contrastive losses.
    ContrastiveLoss,
    /// The sigmoid loss.
    SigmoidLoss,
    /// The supervised contrastive loss.
    SupervisedContrastiveLoss,
    /// The ranks of all partners.
    Retrieval,
    /// The modality gap between both sets.
    ModalityGap,
    /// The spectrum of a set's covariance.
    Spectrum(SetName),
    /// The histogram of a set's cosines.
    Cosines(SetName),
    /// The close pairs of a set.
    ClosePairs(SetName),
    /// The close pairs across both sets.
    ClosePairsAcross,
    /// The sums of the kernel over groups of a sample, for a test by permutations.
    PermutationTest,
    /// Uniformity within the groups of a set, and across them.
    Groups(SetName),
    /// The alignment of the rows of one label, in a set.
    AlignmentByLabel(SetName),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload => f.write_str("uploading"),
            Self::EqualRows => f.write_str("looking for equal rows"),
            Self::Directions => f.write_str("principal directions"),
            Self::PairDistances => f.write_str("distances of pairs"),
            Self::PairCosines => f.write_str("cosines of pairs"),
            Self::Alignment => f.write_str("alignment"),
            Self::Uniformity(set) => write!(f, "uniformity of {set}"),
            Self::UniformityOfView(view) => write!(f, "uniformity of view {view}"),
            Self::CrossUniformity => f.write_str("cross uniformity"),
            Self::QueueUniformity => f.write_str("uniformity with the queue"),
            Self::ContrastiveLoss => f.write_str("contrastive loss"),
            Self::SigmoidLoss => f.write_str("sigmoid loss"),
            Self::SupervisedContrastiveLoss => f.write_str("supervised contrastive loss"),
            Self::Retrieval => f.write_str("ranks of partners"),
            Self::ModalityGap => f.write_str("modality gap"),
            Self::Spectrum(set) => write!(f, "spectrum of {set}"),
            Self::Cosines(set) => write!(f, "cosines of {set}"),
            Self::ClosePairs(set) => write!(f, "close pairs of {set}"),
            Self::ClosePairsAcross => f.write_str("close pairs across both sets"),
            Self::PermutationTest => f.write_str("test by permutations"),
            Self::Groups(set) => write!(f, "groups of {set}"),
            Self::AlignmentByLabel(set) => write!(f, "alignment of {set} by label"),
        }
    }
}

/// An engine at work for one report, and how long it has worked.
///
/// Progress within a step comes from the engine's own observer, which knows the total: see
/// [`Engine::observed_by`].
pub struct Session<'a> {
    engine: &'a Engine,
    hear: Box<dyn FnMut(Step) -> ControlFlow<()> + 'a>,
    computing: Duration,
}

impl<'a> Session<'a> {
    /// A session with this engine. `hear` is told of each step before it begins, and ends the measuring by
    /// [`ControlFlow::Break`], with [`unisphere::Error::Stopped`].
    pub fn new(engine: &'a Engine, hear: impl FnMut(Step) -> ControlFlow<()> + 'a) -> Self {
        Self { engine, hear: Box::new(hear), computing: Duration::ZERO }
    }

    /// The engine.
    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// The time that uploads and metrics have taken.
    pub fn computing(&self) -> Duration {
        self.computing
    }

    /// Copies a set to the device, after a look for equal rows if the plan wants close pairs, and at the lengths and the leading
    /// directions of its rows if it wants figures.
    ///
    /// # Errors
    ///
    /// The device's own.
    pub fn upload(&mut self, points: Embeddings<'_>, plan: &Plan) -> Result<Set> {
        let equal = match plan.near {
            Some(_) => self.step(Step::EqualRows, |_| points.duplicates())?,
            None => Vec::new(),
        };
        let shadow = plan.figures.then(|| self.shadow(&points)).transpose()?;
        Ok(Set { points: self.upload_points(points)?, equal, shadow })
    }

    /// Copies points to the device: those of a queue.
    ///
    /// # Errors
    ///
    /// The device's own.
    pub fn upload_points(&mut self, points: Embeddings<'_>) -> Result<Points> {
        self.step(Step::Upload, |engine| engine.upload_owned(points))
    }

    /// Fails where the listener wants the measuring to end: it is asked again during a long step.
    pub(crate) fn check(&mut self, step: Step) -> Result<()> {
        if (self.hear)(step).is_break() { Err(unisphere::Error::Stopped.into()) } else { Ok(()) }
    }

    /// The points of a set as figures show them.
    fn shadow(&mut self, points: &Embeddings<'_>) -> Result<Shadow> {
        let start = Instant::now();
        let shadow = Shadow::of(points, &mut || self.check(Step::Directions))?;
        self.computing += start.elapsed();
        Ok(shadow)
    }

    /// Counts time that no step has taken.
    pub(crate) fn add(&mut self, time: Duration) {
        self.computing += time;
    }

    fn step<T>(&mut self, step: Step, work: impl FnOnce(&Engine) -> unisphere::Result<T>) -> Result<T> {
        self.check(step)?;
        let start = Instant::now();
        let value = work(self.engine)?;
        self.computing += start.elapsed();
        Ok(value)
    }
}

/// Calls of the engine.
impl Session<'_> {
    pub(crate) fn pair_distances(&mut self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        self.step(Step::PairDistances, |engine| engine.value(Alignment::distances(x, y)))
    }

    pub(crate) fn pair_cosines(&mut self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        self.step(Step::PairCosines, |engine| engine.value(PairCosines::paired(x, y)))
    }

    pub(crate) fn alignment(&mut self, x: &Points, y: &Points, metric: Alignment) -> Result<f64> {
        self.step(Step::Alignment, |engine| engine.alignment(x, y, metric))
    }

    pub(crate) fn weighted_alignment(
        &mut self,
        x: &Points,
        y: &Points,
        weights: &[f64],
        metric: Alignment,
    ) -> Result<f64> {
        self.step(Step::Alignment, |engine| engine.value(metric.paired(x, y).weighted(weights)))
    }

    pub(crate) fn uniformity(&mut self, set: SetName, x: &Points, metric: Uniformity) -> Result<f64> {
        self.step(Step::Uniformity(set), |engine| engine.uniformity(x, metric))
    }

    pub(crate) fn uniformities(&mut self, set: SetName, x: &Points, ts: &[f64]) -> Result<Vec<f64>> {
        self.step(Step::Uniformity(set), |engine| engine.value(Uniformity::at(ts).within(x)))
    }

    pub(crate) fn weighted_uniformity(
        &mut self,
        set: SetName,
        x: &Points,
        weights: &[f64],
        metric: Uniformity,
    ) -> Result<f64> {
        self.step(Step::Uniformity(set), |engine| engine.value(metric.within(x).weighted(weights)))
    }

    pub(crate) fn potentials(&mut self, set: SetName, x: &Points, metric: Uniformity) -> Result<Potentials> {
        self.step(Step::Uniformity(set), |engine| engine.value(metric.potentials(x)))
    }

    pub(crate) fn uniformity_of_view(&mut self, view: usize, x: &Points, metric: Uniformity) -> Result<f64> {
        self.step(Step::UniformityOfView(view), |engine| engine.uniformity(x, metric))
    }

    pub(crate) fn potentials_of_view(
        &mut self,
        view: usize,
        x: &Points,
        metric: Uniformity,
    ) -> Result<Potentials> {
        self.step(Step::UniformityOfView(view), |engine| engine.value(metric.potentials(x)))
    }

    pub(crate) fn cross_uniformities(&mut self, x: &Points, y: &Points, ts: &[f64]) -> Result<Vec<f64>> {
        self.step(Step::CrossUniformity, |engine| engine.value(Uniformity::at(ts).across(x, y)))
    }

    pub(crate) fn unpaired_uniformity(&mut self, x: &Points, y: &Points, metric: Uniformity) -> Result<f64> {
        self.step(Step::CrossUniformity, |engine| engine.value(metric.unpaired(x, y)))
    }

    pub(crate) fn squared_mmd(&mut self, x: &Points, y: &Points, t: f64) -> Result<f64> {
        self.step(Step::CrossUniformity, |engine| engine.value(SquaredMmd::new(t).unpaired(x, y)))
    }

    pub(crate) fn queue_uniformity(&mut self, x: &Points, queue: &Points, metric: Uniformity) -> Result<f64> {
        self.step(Step::QueueUniformity, |engine| engine.value(metric.across(x, queue)))
    }

    pub(crate) fn contrastives(
        &mut self,
        x: &Points,
        y: &Points,
        queue: Option<&Points>,
        candidates: Candidates,
        taus: &[f64],
    ) -> Result<Vec<ContrastiveValue>> {
        self.step(Step::ContrastiveLoss, |engine| {
            engine.value(Contrastive::at(taus, candidates).paired(x, y).queue(queue))
        })
    }

    pub(crate) fn sigmoid(&mut self, x: &Points, y: &Points, metric: Sigmoid) -> Result<f64> {
        self.step(Step::SigmoidLoss, |engine| engine.value(metric.paired(x, y)))
    }

    pub(crate) fn supcon(&mut self, x: &Points, groups: &Groups, metric: SupCon) -> Result<f64> {
        self.step(Step::SupervisedContrastiveLoss, |engine| engine.value(metric.within(x, groups)))
    }

    pub(crate) fn supcon_of_views(
        &mut self,
        x: &Points,
        y: &Points,
        groups: &Groups,
        metric: SupCon,
    ) -> Result<f64> {
        self.step(Step::SupervisedContrastiveLoss, |engine| engine.value(metric.views(x, y, groups)))
    }

    pub(crate) fn alignment_by_label(
        &mut self,
        set: SetName,
        x: &Points,
        groups: &Groups,
        metric: Alignment,
    ) -> Result<f64> {
        self.step(Step::AlignmentByLabel(set), |engine| engine.value(metric.by_label(x, groups)))
    }

    pub(crate) fn weighted_alignment_by_label(
        &mut self,
        set: SetName,
        x: &Points,
        groups: &Groups,
        weights: &[f64],
        metric: Alignment,
    ) -> Result<f64> {
        self.step(Step::AlignmentByLabel(set), |engine| {
            engine.value(metric.by_label(x, groups).weighted(weights))
        })
    }

    pub(crate) fn retrieval(&mut self, x: &Points, y: &Points) -> Result<Retrieval> {
        self.step(Step::Retrieval, |engine| engine.value(Retrieval::paired(x, y)))
    }

    pub(crate) fn labelled_retrieval(
        &mut self,
        x: &Points,
        y: &Points,
        pairs: &LabelledPairs,
    ) -> Result<Retrieval> {
        self.step(Step::Retrieval, |engine| engine.value(Retrieval::labelled(x, y, pairs)))
    }

    pub(crate) fn alignment_across_labels(
        &mut self,
        x: &Points,
        y: &Points,
        pairs: &LabelledPairs,
        metric: Alignment,
    ) -> Result<f64> {
        self.step(Step::Alignment, |engine| engine.value(metric.across_labels(x, y, pairs)))
    }

    pub(crate) fn modality_gap(&mut self, x: &Points, y: &Points) -> Result<ModalityGap> {
        self.step(Step::ModalityGap, |engine| engine.value(ModalityGap::between(x, y)))
    }

    pub(crate) fn spectrum(&mut self, set: SetName, x: &Points) -> Result<Spectrum> {
        self.step(Step::Spectrum(set), |engine| engine.value(Spectrum::within(x)))
    }

    pub(crate) fn cosine_histogram(&mut self, set: SetName, x: &Points, bins: usize) -> Result<Vec<u64>> {
        self.step(Step::Cosines(set), |engine| engine.value(CosineHistogram::new(bins).within(x)))
    }

    pub(crate) fn close_pairs(
        &mut self,
        set: SetName,
        x: &Points,
        distance: f64,
        limit: usize,
    ) -> Result<ClosePairs> {
        self.step(Step::ClosePairs(set), |engine| engine.value(ClosePairs::within(x, distance).limit(limit)))
    }

    pub(crate) fn squared_mmd_across(&mut self, x: &Points, y: &Points, t: f64) -> Result<f64> {
        self.step(Step::CrossUniformity, |engine| engine.value(SquaredMmd::new(t).across(x, y)))
    }

    pub(crate) fn close_pairs_across(
        &mut self,
        x: &Points,
        y: &Points,
        distance: f64,
        limit: usize,
    ) -> Result<ClosePairs> {
        self.step(Step::ClosePairsAcross, |engine| {
            engine.value(ClosePairs::across(x, y, distance).limit(limit))
        })
    }

    pub(crate) fn sums_of_groups(
        &mut self,
        x: &Points,
        groups: &Groups,
        metric: Uniformity,
    ) -> Result<GroupUniformity> {
        self.step(Step::PermutationTest, |engine| engine.value(groups.uniformity(metric, x).across_groups()))
    }

    pub(crate) fn group_uniformity(
        &mut self,
        set: SetName,
        x: &Points,
        groups: &Groups,
        weights: Option<&[f64]>,
        metric: Uniformity,
        across: bool,
    ) -> Result<GroupUniformity> {
        let within = groups.uniformity(metric, x);
        let within = weights.map_or(within, |weights| within.weighted(weights));
        self.step(Step::Groups(set), |engine| {
            engine.value(if across { within.across_groups() } else { within })
        })
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("computing", &self.computing).finish_non_exhaustive()
    }
}
