//! What is to be measured: the options, with what they imply, and without contradictions.

use unisphere::{Alignment, Contrastive, Scaling, Storage, Uniformity};

use super::{
    estimator::Estimator,
    options::Eval,
    protocol::{Pooling, Settings, Weighed},
};
use crate::exit::Failure;

/// The t of `--full`'s table.
const SWEEP: [f64; 4] = [0.5, 1.0, 2.0, 5.0];
const TAUS: [f64; 2] = [0.07, 0.5];
const TOP: u32 = 10;
const NEAR: f64 = 0.1;

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) scaling: Scaling,
    pub(super) uniformity: Uniformity,
    pub(super) alignment: Alignment,
    pub(super) estimator: Estimator,
    pub(super) weighed: Weighed,
    pub(super) protocol: Option<&'static Settings>,
    /// Several t; none where one is enough.
    pub(super) sweep: Vec<f64>,
    pub(super) contrastive: Vec<Contrastive>,
    pub(super) top: Option<usize>,
    pub(super) near: Option<f64>,
    /// Whether a table of the rows is to be written.
    pub(super) rows: bool,
    pub(super) full: bool,
}

impl Plan {
    pub(super) fn new(options: &Eval) -> Result<Self, Failure> {
        check(options)?;
        let settings = options.protocol.map(|protocol| protocol.settings());
        let given = options.t.first().map(|&t| Uniformity { t });
        let weighed = match (settings, &options.weights) {
            (_, None) => Weighed::Nothing,
            (None, Some(_)) => Weighed::RowsAndPairs,
            (Some(settings), Some(_)) => settings.weighed,
        };
        let full = options.full;
        let sweep = match options.t.as_slice() {
            several @ [_, _, ..] => several.to_vec(),
            [] if full => SWEEP.to_vec(),
            one if full => one.to_vec(),
            _ => Vec::new(),
        };
        let taus =
            if options.tau.is_empty() && full && options.y.is_some() { &TAUS[..] } else { &options.tau };
        let candidates = options.candidates.unwrap_or_default();
        let contrastive = |&tau| Contrastive { tau, candidates };
        Ok(Self {
            scaling: options.scaling(),
            uniformity: settings.map(|s| s.uniformity).or(given).unwrap_or_default(),
            alignment: settings
                .map(|s| s.alignment)
                .or(options.alpha.map(|alpha| Alignment { alpha }))
                .unwrap_or_default(),
            estimator: options.estimator,
            weighed,
            protocol: settings,
            sweep,
            contrastive: taus.iter().map(contrastive).collect(),
            top: options.top.or(full.then_some(TOP)).map(|top| top as usize),
            near: options.near.or(full.then_some(NEAR)),
            rows: options.rows.is_some(),
            full,
        })
    }

    /// Whether something is asked for that is the same with weights as without.
    pub(super) fn ignores_weights(&self) -> bool {
        self.weighed != Weighed::Nothing
            && (self.full || self.rows || self.top.is_some() || self.near.is_some())
    }

    /// Whether rows count as their weights say.
    pub(super) fn weighs_rows(&self) -> bool {
        self.weighed == Weighed::RowsAndPairs
    }
}

fn check(options: &Eval) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::Usage(text));
    if options.y.is_none() {
        let needy = [
            ("--alpha", options.alpha.is_some()),
            ("--tau", !options.tau.is_empty()),
            ("--candidates", options.candidates.is_some()),
            ("--queue", options.queue.is_some()),
            ("--protocol", options.protocol.is_some()),
        ];
        if let Some((name, _)) = needy.iter().find(|(_, given)| *given) {
            return refuse(format!(
                "{name} is about positive pairs, and there is one file\nname Y.npy too, or leave out {name}"
            ));
        }
    }
    let raw = options.scaling() == Scaling::Raw;
    if raw && options.storage == Storage::F16 {
        return refuse("raw points are kept as f32; leave out --storage f16 or --raw".into());
    }
    if raw && options.skips_zero_rows() {
        return refuse(
            "raw rows of zeros are points like others; leave out --zero-rows skip or --raw".into(),
        );
    }
    let contrastive = !options.tau.is_empty() || options.full;
    let settings = options.protocol.map(|protocol| protocol.settings());
    let moco = settings.is_some_and(|settings| settings.pooling == Pooling::Queue);
    if moco && options.queue.is_none() {
        return refuse("--protocol moco compares x with a queue of keys: name it by --queue FILE.npy".into());
    }
    if options.candidates.is_some() && !contrastive {
        return refuse("--candidates is about the contrastive loss: add --tau or --full".into());
    }
    if options.queue.is_some() && !contrastive && !moco {
        return refuse("--queue is about the contrastive loss: add --tau or --full".into());
    }
    let losses = [("--tau", !options.tau.is_empty()), ("--queue", options.queue.is_some() && !moco)];
    if options.weights.is_some()
        && let Some((name, _)) = losses.iter().find(|(_, given)| *given)
    {
        return refuse(format!(
            "{name} is about the contrastive loss, which has no weights; leave out {name} or --weights"
        ));
    }
    if let (Some(settings), Some(_)) = (settings, &options.weights)
        && settings.weighed == Weighed::Nothing
    {
        let name = settings.name;
        return refuse(format!("--protocol {name} has no weights; leave out --weights or --protocol"));
    }
    Ok(())
}
