//! What a report has beside its values: single rows, counted pairs, mean and covariance.

use std::path::PathBuf;

use unisphere::{Alignment, Scaling, Uniformity};
use unisphere_eval::{
    SetName,
    sections::{GroupTable, Histograms, RowTable, SetSignificance, SetSpectrum, WorstRows},
};
use unisphere_scale::{Found, FoundGroups, Rows, Shape};

use super::Task;
use crate::{
    exit::Failure,
    export::{RowsFile, Sections},
};

/// What is told of single rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// The number of rows and pairs to be listed.
    pub(crate) top: Option<usize>,
    /// The file of a table of all rows.
    pub(crate) file: Option<PathBuf>,
}

/// What was found beside the values.
#[derive(Clone, Debug, Default)]
pub(super) struct Analysis {
    /// Of each set, where it was asked for.
    pub(super) significance: Option<Vec<SetSignificance>>,
    /// Of each set, where they were asked for: a pass of their own.
    pub(super) spectra: Option<Vec<SetSpectrum>>,
    histograms: Option<Histograms>,
    pub(super) close_pairs: Option<CloseCounts>,
    worst_rows: Option<WorstRows>,
    pub(super) groups: Option<GroupTable>,
    row_table: Option<RowTable>,
    /// The file that the table of rows is written to, if it is.
    rows_file: Option<PathBuf>,
}

/// How many pairs of each set are close.
#[derive(Clone, Debug)]
pub(super) struct CloseCounts {
    /// How far apart they are at most.
    pub(super) distance: f64,
    pub(super) sets: Vec<(SetName, u64)>,
}

impl Listing {
    /// Whether anything is asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.top.is_some() || self.file.is_some()
    }
}

impl Analysis {
    /// Ranks rows, makes their table, and names what was counted.
    pub(super) fn of(found: &Found, task: &Task, listing: &Listing) -> Result<Self, Failure> {
        let mut analysis = Self {
            histograms: task.cosines.then(|| histograms(found, task.sets.scaling)),
            close_pairs: task.near.map(|distance| close_counts(found, distance)),
            ..Self::default()
        };
        if let Some(rows) = &found.rows {
            let distances = rows.distances.as_deref();
            let ranked = |top| WorstRows::new(top, potentials(rows), distances);
            analysis.worst_rows = listing.top.map(ranked).transpose()?;
            if listing.file.is_some() {
                let numbers = 0..rows.x.logs().len();
                analysis.row_table = Some(RowTable::new(numbers, potentials(rows), distances)?);
                analysis.rows_file.clone_from(&listing.file);
            }
        }
        Ok(analysis)
    }

    /// The table of rows and its file.
    pub(super) fn table_and_file(&mut self) -> (&mut Option<PathBuf>, Option<&RowTable>) {
        (&mut self.rows_file, self.row_table.as_ref())
    }

    /// The sections that a report of points in memory has too.
    pub(super) fn sections(&self) -> Sections<'_> {
        Sections {
            significance: self.significance.as_deref(),
            spectrum: self.spectra.as_deref(),
            histograms: self.histograms.as_ref(),
            worst_rows: self.worst_rows.as_ref(),
            groups: self.groups.as_ref(),
            rows_file: RowsFile::of(self.rows_file.as_deref(), self.row_table.as_ref()),
            ..Sections::default()
        }
    }
}

fn potentials(rows: &Rows) -> impl Iterator<Item = (SetName, &unisphere::Potentials)> {
    let of_y = rows.y.as_ref().map(|potentials| (SetName::Y, potentials));
    std::iter::once((SetName::X, &rows.x)).chain(of_y)
}

const SETS: [SetName; 2] = [SetName::X, SetName::Y];

/// The test of each set against uniform points, at the first t.
pub(super) fn significance(found: &Found, task: &Task, shape: Shape) -> Vec<SetSignificance> {
    let metric = Uniformity::new(task.ts.first().copied().unwrap_or_default());
    let y = shape.y_rows.zip(found.y.as_ref());
    let sets = SETS.into_iter().zip([(shape.x_rows, &found.x)].into_iter().chain(y));
    let test = |(set, (rows, values)): (SetName, (usize, &Vec<f64>))| {
        let value = values.first().copied().unwrap_or(f64::NAN);
        SetSignificance::new(set, metric, value, [rows, shape.dims], task.sets.scaling)
    };
    sets.map(test).collect()
}

fn histograms(found: &Found, scaling: Scaling) -> Histograms {
    let distances = found.rows.as_ref().and_then(|rows| rows.distances.as_deref());
    let sets = SETS.into_iter().zip(&found.counts);
    Histograms::new(distances, scaling, sets.map(|(set, counts)| (set, counts.cosines.clone())))
}

/// The table of groups that were found, by their names where labels have names.
pub(super) fn group_table(found: FoundGroups, names: Option<&[String]>, alpha: f64) -> GroupTable {
    let sets = SETS.into_iter().zip(found.sets);
    let sets = sets.map(|(set, of)| (set, of.alignment_by_label, of.within));
    let table = GroupTable::new(found.labels, found.sizes, Alignment { alpha }, found.alignment, sets);
    match names {
        Some(names) => table.named(names),
        None => table,
    }
}

fn close_counts(found: &Found, distance: f64) -> CloseCounts {
    let sets = SETS.into_iter().zip(&found.counts);
    CloseCounts { distance, sets: sets.filter_map(|(set, of)| Some((set, of.close_pairs?))).collect() }
}
