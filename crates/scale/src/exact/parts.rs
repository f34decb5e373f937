//! Parts of an evaluation, computed anywhere and merged to the same bits as in one piece.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    slice,
};

use unisphere::Engine;
use unisphere_io::printable;

use super::{
    blocks::Layout,
    evaluation::{Blocks, Evaluation},
    fingerprint::Hash,
    found::{Cost, Found},
    resources::Resources,
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
        self.part_on(slice::from_ref(engine), sets, part, resources)
    }

    /// Computes one part on several devices at once.
    ///
    /// # Errors
    ///
    /// [`Error::NoPart`], and those of [`values_on`](Self::values_on).
    pub fn part_on(
        &self,
        engines: &[Engine],
        sets: Sets<'_>,
        part: Part,
        resources: &Resources,
    ) -> Result<Cost> {
        let Part { number, of } = part;
        if number == 0 || number > of {
            return Err(Error::NoPart { part: number, parts: of });
        }
        let layout = self.layout_of(sets)?;
        let numbers = layout.parts(of).swap_remove(number - 1);
        Ok(self.work(engines, sets, &layout, numbers, Blocks::OfPart, resources)?.1)
    }

    /// The values of all pairs, from the files of all parts in their order. It reads no points: `sample` is that of the sets that
    /// the parts are to be of, and `labels` are theirs where they have any.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] names parts that have no file or are not finished; [`Error::Contradiction`] those of another
    /// evaluation, of other points, or of a device with other bits.
    pub fn merge(
        &self,
        shape: Shape,
        sample: Sample,
        labels: Option<&[i64]>,
        files: &[PathBuf],
    ) -> Result<Found> {
        let layout = self.layout_with(shape, labels)?;
        let mut merged = Merged {
            layout: &layout,
            files,
            state: self.state(&layout),
            hashes: HashMap::new(),
            device: None,
        };
        let (mut missing, mut blocks_recovered) = (Vec::new(), 0);
        for (part, (path, numbers)) in files.iter().zip(layout.parts(files.len())).enumerate() {
            let (identity, recovered) = match read(path) {
                Err(JournalError { fault: JournalFault::NotFound | JournalFault::Empty, .. }) => {
                    missing.push(part + 1);
                    continue;
                }
                other => other?,
            };
            if identity.fingerprint != self.fingerprint(&layout, shape.dims, sample, &numbers) {
                return Err(not_of_plan(path, part + 1));
            }
            merged.check_device(part, identity.device)?;
            merged.check_panels(part, &recovered.records)?;
            merged.state.take(&layout, recovered.records);
            let done = numbers.clone().filter(|&number| merged.state.is_done(&layout, number)).count();
            blocks_recovered += done as u64;
            if done < numbers.len() {
                missing.push(part + 1);
            }
        }
        if !missing.is_empty() || (0..layout.all()).any(|number| !merged.state.is_done(&layout, number)) {
            return Err(Error::Missing { missing, parts: files.len() });
        }
        let device = merged.device.map_or(String::new(), |(device, _)| device);
        let cost = Cost { blocks: layout.all() as u64, blocks_recovered, ..Cost::default() };
        self.found(&layout, &merged.state, device, cost)
    }
}

fn not_of_plan(path: &Path, part: usize) -> Error {
    let problem = format!(
        "{} is no file of part {part} of this plan: other points, options, part or version; remove it and run that part",
        printable(path),
    );
    Error::Sets { problem }
}

/// Parts that were merged so far. Parts are places in the list of files.
struct Merged<'a> {
    layout: &'a Layout,
    files: &'a [PathBuf],
    state: State,
    /// Hashes of panels, by their numbers, and the part that each was first in.
    hashes: HashMap<u64, (Hash, usize)>,
    /// The device of the first part, and that part.
    device: Option<(String, usize)>,
}

impl Merged<'_> {
    fn check_device(&mut self, part: usize, device: String) -> Result<()> {
        let Some((first, of)) = &self.device else {
            self.device = Some((device, part));
            return Ok(());
        };
        if *first == device {
            return Ok(());
        }
        let what = format!(
            "one is of {first}, the other of {device}, whose last digits differ; remove one and run its part on the other's kind \
             of device"
        );
        Err(self.contradiction(*of, part, what))
    }

    fn check_panels(&mut self, part: usize, records: &[Record]) -> Result<()> {
        for record in records {
            let Record::Panel { number, hash } = record else { continue };
            let (first, of) = *self.hashes.entry(*number).or_insert((*hash, part));
            if first != *hash {
                let rows = panel_of(self.layout, *number)
                    .map_or(0..0, |(set, panel)| self.layout.panels(set).range(panel));
                let what = format!(
                    "they read other values in rows {} to {}; remove the one that is of the wrong values and run its part again",
                    rows.start,
                    rows.end.saturating_sub(1)
                );
                return Err(self.contradiction(of, part, what));
            }
        }
        Ok(())
    }

    fn contradiction(&self, first: usize, second: usize, what: String) -> Error {
        Error::Contradiction { first: self.files[first].clone(), second: self.files[second].clone(), what }
    }
}
