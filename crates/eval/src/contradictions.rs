//! Options that contradict each other, or the sets that are there.

use unisphere::Scaling;

use crate::{
    error::{Contradiction, Parameter},
    estimator::Estimator,
    options::Options,
    protocol::{Pooling, Weighed},
};

/// Refuses options of which no plan can be made.
pub(crate) fn check(options: &Options) -> Result<(), Contradiction> {
    let given = |parameters: &[(Parameter, bool)]| {
        parameters.iter().find(|(_, given)| *given).map(|&(parameter, _)| parameter)
    };
    let (tau, candidates) = (!options.tau.is_empty(), options.candidates.is_some());
    let of_pairs = [
        // Rows of one label are pairs for alignment, too.
        (Parameter::Alpha, options.alpha.is_some() && !options.labels),
        (Parameter::Tau, tau),
        (Parameter::Candidates, candidates),
        (Parameter::Queue, options.queue),
        (Parameter::Sigmoid, !options.sigmoid.is_empty()),
        (Parameter::Retrieval, options.retrieval),
        (Parameter::Protocol, options.protocol.is_some()),
        (Parameter::Scores, options.scores),
    ];
    if !options.paired
        && let Some(parameter) = given(&of_pairs)
    {
        return Err(Contradiction::NoPairs(parameter));
    }
    let set_by_protocol = [
        (Parameter::T, !options.t.is_empty()),
        (Parameter::Alpha, options.alpha.is_some()),
        (Parameter::Estimator, options.estimator != Estimator::default()),
        (Parameter::Raw, options.scaling == Scaling::Raw),
    ];
    let mut moco = false;
    if let Some(protocol) = options.protocol {
        if let Some(parameter) = given(&set_by_protocol) {
            return Err(Contradiction::SetByProtocol(parameter));
        }
        moco = protocol.settings().pooling == Pooling::Queue;
        if moco && !options.queue {
            return Err(Contradiction::NoQueue(protocol));
        }
    }
    let queue = options.queue && !moco;
    let of_the_loss = [(Parameter::Candidates, candidates), (Parameter::Queue, queue)];
    if !(tau || options.full || options.figures)
        && let Some(parameter) = given(&of_the_loss)
    {
        return Err(Contradiction::NoLoss(parameter));
    }
    let of_labels =
        [(Parameter::AcrossGroups, options.across_groups), (Parameter::Supcon, !options.supcon.is_empty())];
    if !options.labels
        && let Some(parameter) = given(&of_labels)
    {
        return Err(Contradiction::NoLabels(parameter));
    }
    match options.positives() {
        Some(_) if options.min_score.is_some() => check_positives(options, Parameter::MinScore)?,
        Some(_) => check_positives(options, Parameter::Scores)?,
        None => {}
    }
    if !options.weights {
        return Ok(());
    }
    if options.scores {
        return Err(Contradiction::WeightedScores);
    }
    let sigmoid = !options.sigmoid.is_empty();
    let losses = [(Parameter::Tau, tau), (Parameter::Queue, queue), (Parameter::Sigmoid, sigmoid)];
    if let Some(parameter) = given(&losses) {
        return Err(Contradiction::WeightedLoss(parameter));
    }
    if !options.supcon.is_empty() {
        return Err(Contradiction::WeightedSupcon);
    }
    match options.protocol {
        Some(protocol) if protocol.settings().weighed == Weighed::Nothing => {
            Err(Contradiction::WeightedProtocol(protocol))
        }
        _ => Ok(()),
    }
}

/// That everything takes some pairs as positives, as this parameter has it.
fn check_positives(options: &Options, by: Parameter) -> Result<(), Contradiction> {
    if !options.scores {
        let has_weights = options.weights;
        return Err(if has_weights { Contradiction::WeightsForScores } else { Contradiction::NoScores });
    }
    if let Some(protocol) = options.protocol.filter(|protocol| protocol.settings().min_score.is_none()) {
        return Err(Contradiction::ScoredProtocol(protocol));
    }
    let of_all_pairs = [
        (Parameter::Tau, !options.tau.is_empty()),
        (Parameter::Candidates, options.candidates.is_some()),
        (Parameter::Queue, options.queue),
        (Parameter::Sigmoid, !options.sigmoid.is_empty()),
        (Parameter::Retrieval, options.retrieval),
        (Parameter::Labels, options.labels),
    ];
    match of_all_pairs.into_iter().find(|(_, is_given)| *is_given) {
        Some((parameter, _)) => Err(Contradiction::SomePositives(parameter, by)),
        None => Ok(()),
    }
}
