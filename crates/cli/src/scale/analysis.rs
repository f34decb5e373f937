//! What a report has beside its values: single rows, counted pairs, mean and covariance.

use std::{ops::ControlFlow, path::PathBuf, sync::Arc};

use unisphere::{Alignment, Engine, Scaling, Uniformity};
use unisphere_eval::{
    Absent, Maybe, Projection, Report, RowGroups, SetName,
    sections::{
        CurvePoint, Duplicates, Figures, GroupTable, Histogram, Histograms, RowTable, SetFigures,
        SetSignificance, SetSpectrum, WorstRows,
    },
};
use unisphere_io::Labels;
use unisphere_scale::{Counts, EqualRows, Found, Resources, Rows, Shape};

use super::{Task, files::Files};
use crate::{
    exit::Failure,
    export::{RowsFile, Sections},
    progress::Display,
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
    spectra: Option<Vec<SetSpectrum>>,
    histograms: Option<Histograms>,
    close_pairs: Option<Duplicates>,
    worst_rows: Option<WorstRows>,
    pub(super) groups: Option<GroupTable>,
    figures: Option<Figures>,
    row_table: Option<RowTable>,
    /// The file that the table of rows is written to, if it is.
    rows_file: Option<PathBuf>,
}

impl Listing {
    /// Whether anything is asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.top.is_some() || self.file.is_some()
    }
}

impl Analysis {
    /// Ranks rows, makes their table, and names what was counted.
    pub(super) fn of(found: &Found, task: &Task, shape: Shape, listing: &Listing) -> Result<Self, Failure> {
        let mut analysis = Self {
            histograms: task.cosines.then(|| histograms(found, task.sets.scaling)),
            close_pairs: task.near.map(|distance| close_counts(found, distance)),
            figures: task.figures.then(|| figures(found, task, shape)),
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

    /// The file that the table of rows is written to, if it is.
    pub(super) fn rows_file(&self) -> Option<PathBuf> {
        self.rows_file.clone()
    }

    /// Puts in what the rows have told.
    pub(super) fn put_rows(&mut self, of_rows: OfRows<'_>, dims: usize) {
        let OfRows { spectra, projections, equal } = of_rows;
        self.close_pairs = self.close_pairs.take().map(|close| close.with_equal_rows(equal));
        let sets: Vec<_> = spectra.iter().map(|spectrum| spectrum.set).collect();
        self.spectra = (!spectra.is_empty()).then_some(spectra);
        if projections.is_empty() {
            return;
        }
        // Of an estimate, pairs have no figures.
        let bare = || sets.iter().map(|&set| SetFigures::in_pieces(set, dims, None, None)).collect();
        let mut figures = self.figures.take().unwrap_or_else(|| Figures::new(Vec::new(), None, bare()));
        let with_points = figures.sets.into_iter().zip(projections);
        figures.sets = with_points.map(|(set, points)| set.with_points(points)).collect();
        self.figures = Some(figures);
    }

    /// Puts all of it into a report of the common form.
    pub(super) fn put(&self, report: &mut Report) {
        report.significance.clone_from(&self.significance);
        report.spectrum.clone_from(&self.spectra);
        report.histograms.clone_from(&self.histograms);
        report.duplicates.clone_from(&self.close_pairs);
        report.worst_rows.clone_from(&self.worst_rows);
        report.groups.clone_from(&self.groups);
        report.row_table.clone_from(&self.row_table);
        report.figures.clone_from(&self.figures);
    }

    /// The sections that a report of points in memory has too.
    pub(super) fn sections(&self) -> Sections<'_> {
        Sections {
            significance: self.significance.as_deref(),
            spectrum: self.spectra.as_deref(),
            histograms: self.histograms.as_ref(),
            duplicates: self.close_pairs.as_ref(),
            worst_rows: self.worst_rows.as_ref(),
            groups: self.groups.as_ref(),
            rows_file: RowsFile::of(self.rows_file.as_deref(), self.row_table.as_ref()),
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

/// What a pass or two over the rows of each set tells, without their pairs.
#[derive(Debug, Default)]
pub(super) struct OfRows<'a> {
    spectra: Vec<SetSpectrum>,
    /// The points in two dimensions.
    projections: Vec<Projection<'a>>,
    /// The equal rows, or why they are not known.
    equal: Vec<Maybe<Vec<Vec<usize>>>>,
}

/// What of it is wanted. Points take the spectrum.
#[derive(Clone, Copy, Debug)]
pub(super) struct WantedOfRows<'a> {
    pub(super) spectrum: bool,
    pub(super) points: bool,
    pub(super) equal: bool,
    /// The groups of the points.
    pub(super) groups: Option<&'a RowGroups<'a>>,
}

/// Why equal rows are not known.
const NO_ROOM: Absent =
    Absent::because("to compare rows takes 80 bytes of memory for each, which was not allowed");

impl<'a> OfRows<'a> {
    /// Bytes of memory that equal rows take.
    pub(super) fn bytes(&self) -> u64 {
        let groups = self.equal.iter().flatten().flatten();
        groups.map(|group| (size_of::<Vec<usize>>() + size_of_val(group.as_slice())) as u64).sum()
    }

    /// Reads the rows of each set: once for mean and covariance, and again for the points and for what is equal.
    pub(super) fn read(
        wanted: WantedOfRows<'a>,
        task: &Task,
        files: &Files,
        engine: &Engine,
        max_memory: Option<u64>,
        display: &Display,
    ) -> Result<Self, Failure> {
        let mut resources = Resources::default();
        resources.max_memory = max_memory;
        resources.observer = Some(Arc::new(display.observer()));
        let (evaluation, scaling) = (task.evaluation(), task.sets.scaling);
        let control = display.control();
        let mut check = || match control() {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(unisphere::Error::Stopped.into()),
        };
        let mut of_rows = Self::default();
        let of_y = files.y.as_deref().map(|y| (SetName::Y, y));
        for (name, set) in std::iter::once((SetName::X, &*files.x)).chain(of_y) {
            let mut projection = None;
            if wanted.spectrum {
                display.step(format!("spectrum of {name}"));
                let moments = evaluation.moments(set, &resources)?;
                let spectrum = engine.value(moments.spectrum())?;
                of_rows.spectra.push(SetSpectrum::new(name, spectrum, scaling));
                let of_points = || Projection::new(&moments, scaling, wanted.groups, &mut check);
                projection = wanted.points.then(of_points).transpose()?;
            }
            let needed = evaluation.bytes_of_visit(set) + EqualRows::BYTES_OF_ROW * set.rows() as u64;
            let has_room = max_memory.is_none_or(|given| given > needed + of_rows.bytes());
            let mut equal = (wanted.equal && has_room).then(|| EqualRows::new(set.rows())).transpose()?;
            if projection.is_some() || equal.is_some() {
                display.step(format!("rows of {name}"));
                evaluation.visit(set, &resources, &mut |points| {
                    projection.iter_mut().for_each(|projection| projection.add(points));
                    equal.iter_mut().for_each(|equal| equal.add(points));
                    Ok(())
                })?;
            }
            of_rows.projections.extend(projection);
            if wanted.equal {
                of_rows.equal.push(equal.map(EqualRows::groups).ok_or(NO_ROOM));
            }
        }
        Ok(of_rows)
    }
}

/// A curve over every t, and what is known of each set.
fn figures(found: &Found, task: &Task, shape: Shape) -> Figures {
    let (dims, scaling) = (shape.dims, task.sets.scaling);
    let values: Vec<_> = std::iter::once(&found.x).chain(&found.y).collect();
    let at = |(place, &t): (usize, &f64)| {
        let sets = values.iter().filter_map(|values| values.get(place).copied()).collect();
        CurvePoint::new(t, dims, scaling, sets)
    };
    let mut curve: Vec<_> = task.all_ts().iter().enumerate().map(at).collect();
    curve.sort_by(|a, b| a.t.total_cmp(&b.t));
    let distances = found.rows.as_ref().and_then(|rows| rows.distances.as_deref());
    let mean_distance = distances.map(|all| all.iter().sum::<f64>() / all.len() as f64);
    let of_set = |(set, counts): (SetName, &Counts)| {
        let cosines = counts.cosines.clone().map(Histogram::of_cosines);
        let known = found.rows.iter().flat_map(potentials).find(|(of, _)| *of == set);
        SetFigures::in_pieces(set, dims, cosines, known.map(|(_, potentials)| potentials))
    };
    let sets = SETS.into_iter().zip(&found.counts).map(of_set).collect();
    Figures::new(curve, mean_distance, sets)
}

fn histograms(found: &Found, scaling: Scaling) -> Histograms {
    let distances = found.rows.as_ref().and_then(|rows| rows.distances.as_deref());
    let sets = SETS.into_iter().zip(&found.counts);
    Histograms::new(distances, scaling, sets.map(|(set, counts)| (set, counts.cosines.clone())))
}

/// The table of groups that were found, by their names where labels have names. It takes them out.
pub(super) fn group_table(found: &mut Found, labels: Option<&Labels>, alpha: f64) -> Option<GroupTable> {
    let found = found.groups.take()?;
    let sets = SETS.into_iter().zip(found.sets);
    let sets = sets.map(|(set, of)| (set, of.alignment_by_label, of.within));
    let table = GroupTable::new(found.labels, found.sizes, Alignment { alpha }, found.alignment, sets);
    Some(match labels.and_then(|labels| labels.names.as_deref()) {
        Some(names) => table.named(names),
        None => table,
    })
}

fn close_counts(found: &Found, distance: f64) -> Duplicates {
    let sets = SETS.into_iter().zip(&found.counts);
    Duplicates::counted(distance, sets.filter_map(|(set, of)| Some((set, of.close_pairs?))))
}
