//! Parts of an evaluation, computed anywhere and merged to the same bits as in one piece.

use std::{collections::HashMap, path::PathBuf};

use unisphere::Engine;

use super::{
    evaluation::{Blocks, Cost, Evaluation, Found, Resources},
    fingerprint::Hash,
    run::{State, panel_of},
    sets::{Sample, Sets, Shape},
};
use crate::{
    error::{Error, Result},
    journal::{JournalError, JournalFault, Record, read},
};

/// One of several parts of an evaluation, which have about as many pairs each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Evaluation {
    /// Computes one part, and keeps its results in the journal that `resources` name. A part that is finished already costs
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NoPart`], and those of [`values`](Self::values).
    pub fn part(&self, engine: &Engine, sets: Sets<'_>, part: Part, resources: &Resources) -> Result<Cost> {
        let Part { number, of } = part;
        if number == 0 || number > of {
            return Err(Error::NoPart { part: number, parts: of });
        }
        let layout = self.layout(sets.shape()?)?;
        let numbers = layout.parts(of).swap_remove(number - 1);
        Ok(self.work(engine, sets, &layout, numbers, Blocks::OfPart, resources)?.1)
    }

    /// The values of all pairs, from the files of all parts in their order. It reads no points: `sample` is that of the sets that
    /// the parts are to be of.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names parts that have no file or are not finished; [`Error::Contradiction`] those of another
    /// evaluation, of other points, or of a device with other bits.
    pub fn merge(&self, shape: Shape, sample: Sample, files: &[PathBuf]) -> Result<Found> {
        let layout = self.layout(shape)?;
        let ranges = layout.parts(files.len());
        let mut state = State::new(&layout, self.ts().len());
        let mut of_panels: HashMap<u64, (Hash, usize)> = HashMap::new();
        let (mut missing, mut device): (Vec<usize>, Option<(String, usize)>) = (Vec::new(), None);
        let mut cost = Cost { blocks: layout.count() as u64, ..Cost::default() };
        let contradiction = |first: usize, second: usize, what: &str| Error::Contradiction {
            first: files[first].clone(),
            second: files[second].clone(),
            what: what.into(),
        };
        for (part, path) in files.iter().enumerate() {
            if !path.exists() {
                missing.push(part + 1);
                continue;
            }
            let (identity, recovered) = match read(path) {
                Err(JournalError { fault: JournalFault::Empty, .. }) => {
                    missing.push(part + 1);
                    continue;
                }
                other => other?,
            };
            let numbers = &ranges[part];
            if identity.fingerprint != self.fingerprint(&layout, shape.dims, sample, numbers) {
                let problem = format!(
                    "{} is no file of part {} of this plan: other points, options, part or version; remove it and run that part",
                    path.display(),
                    part + 1
                );
                return Err(Error::Sets { problem });
            }
            let (first, file) = device.get_or_insert_with(|| (identity.device.clone(), part));
            if *first != identity.device {
                let what = format!(
                    "one is of {first}, the other of {}, whose last digits differ; remove one and run its part on the \
                     other's kind of device",
                    identity.device
                );
                return Err(contradiction(*file, part, &what));
            }
            for record in &recovered.records {
                match record {
                    Record::Panel { number, hash } => {
                        let (first, file) = *of_panels.entry(*number).or_insert((*hash, part));
                        if first != *hash {
                            let rows = panel_of(&layout, *number)
                                .map(|(set, panel)| layout.panels(set).range(panel));
                            let rows = rows.unwrap_or_default();
                            let what = format!(
                                "they read other values in rows {} to {}; remove the one that is of the wrong values and run \
                                 its part again",
                                rows.start,
                                rows.end.saturating_sub(1)
                            );
                            return Err(contradiction(file, part, &what));
                        }
                    }
                    Record::Block { .. } => cost.blocks_recovered += 1,
                }
            }
            state.take(&layout, recovered.records);
            if !numbers.clone().all(|number| state.results.is_done(number)) {
                missing.push(part + 1);
            }
        }
        if !missing.is_empty() || state.results.missing().is_some() {
            return Err(Error::Missing { missing, parts: files.len() });
        }
        let device = device.map_or(String::new(), |(device, _)| device);
        Ok(self.found(&layout, &state.results, device, cost))
    }

    fn ts(&self) -> &[f64] {
        &self.ts
    }
}
