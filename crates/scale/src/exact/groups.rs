//! Groups of rows of sets larger than memory: those of up to a panel are collected and measured one by one, and a larger one is a set of
//! its own.

use rayon::prelude::*;
use unisphere::{Alignment, DeviceKind, Embeddings, Engine, Groups, Scaling, Uniformity, unordered_pairs};
use unisphere_io::Source;

use super::{
    evaluation::Evaluation,
    resources::Resources,
    selected::{Selected, gather},
    sets::Sets,
};
use crate::{
    error::{Error, Result},
    panels::Panels,
};

/// Bytes of a row beside its values: its label, its place among the others of its group, and its distance.
const BYTES_OF_LABELLED_ROW: u64 = 48;
/// Bytes of rows that are read at once.
const BYTES_AT_ONCE: u64 = 8 << 20;

/// Groups of rows that have one label.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FoundGroups {
    /// The label of each group, in order.
    pub labels: Vec<i64>,
    /// The number of rows of each.
    pub sizes: Vec<usize>,
    /// Alignment of the positive pairs of each group, where there are two sets.
    pub alignment: Option<Vec<f64>>,
    /// x, and y where there is one.
    pub sets: Vec<GroupsOfSet>,
}

/// Groups of one set.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupsOfSet {
    /// Uniformity within each group at the first t; None of one row, which has no pairs.
    pub within: Vec<Option<f64>>,
    /// Alignment by label: the mean of ‖xᵢ−xⱼ‖^α over all pairs of rows that have one label. None where there is no such pair, and
    /// where α is not 2 and a group has more rows than a panel.
    pub alignment_by_label: Option<f64>,
}

/// Rows by their groups.
struct Members {
    /// Rows, group by group, and in ascending order within each.
    rows: Vec<u32>,
    /// Where each group ends.
    ends: Vec<usize>,
}

/// What a group has.
#[derive(Clone, Copy, Debug, Default)]
struct OfGroup {
    uniformity: Option<f64>,
    /// Σ‖xᵢ−xⱼ‖^α over its pairs, where it is known.
    distances: Option<f64>,
}

impl Members {
    fn new(labels: &[i64], sizes: &[usize]) -> Self {
        let mut rows: Vec<u32> = (0..).take(labels.len()).collect();
        rows.sort_by_key(|&row| labels[row as usize]);
        let ends = sizes.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        });
        Self { rows, ends: ends.collect() }
    }

    fn of(&self, group: usize) -> &[u32] {
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[group]]
    }
}

impl Evaluation {
    /// Uniformity of each group of rows with one label, and alignment by label; with y, which has as many rows, of both sets, and the
    /// alignment of each group.
    ///
    /// Groups of up to a panel are collected, as many as fit into memory in each pass over the set. A larger one is summed in blocks
    /// of panels as a set is, so that the bits do not depend on the memory. No journal is kept.
    ///
    /// # Errors
    ///
    /// [`Error::Sets`] unless there is one label a row, [`Error::Memory`], and those of the sources and the engine.
    pub fn groups(
        &self,
        engine: &Engine,
        sets: Sets<'_>,
        labels: &[i64],
        resources: &Resources,
    ) -> Result<FoundGroups> {
        let shape = sets.shape()?;
        self.check(shape)?;
        if shape.x_rows != labels.len() || shape.y_rows.is_some_and(|rows| rows != labels.len()) {
            let rows = shape.y_rows.filter(|&rows| rows != labels.len()).unwrap_or(shape.x_rows);
            let problem = format!("{} labels are given for {rows} rows; give one a row", labels.len());
            return Err(Error::Sets { problem });
        }
        let mut left = resources.clone();
        (left.max_memory, left.journal) = (self.left_of(sets, resources)?, None);
        let groups = Groups::new(labels)?;
        let (names, sizes): (Vec<_>, Vec<_>) = groups.labels().zip(groups.sizes()).unzip();
        let members = Members::new(labels, &sizes);
        let alignment = sets.y.map(|y| {
            let distances = self.distances(engine, sets.x, y)?;
            Ok::<_, Error>(groups.alignment(&distances, Alignment { alpha: self.alpha })?)
        });
        let alignment = alignment.transpose()?;
        drop(groups);
        let each = std::iter::once(sets.x).chain(sets.y);
        let of_set = |set: &dyn Source| self.groups_of(engine, set, &members, &left);
        let found = each.map(of_set).collect::<Result<_>>()?;
        Ok(FoundGroups { labels: names, sizes, alignment, sets: found })
    }

    /// That [`groups`](Self::groups) has enough memory.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`].
    pub fn check_groups(&self, sets: Sets<'_>, resources: &Resources) -> Result<()> {
        self.left_of(sets, resources).map(drop)
    }

    /// Memory for points, without what labels take.
    fn left_of(&self, sets: Sets<'_>, resources: &Resources) -> Result<Option<u64>> {
        let Some(given) = resources.max_memory else { return Ok(None) };
        let panel_bytes = (self.panels_of(sets.x).len(0) * sets.x.dims() * size_of::<f32>()) as u64;
        // A panel twice, on the host and on the device.
        let needed = sets.x.rows() as u64 * BYTES_OF_LABELLED_ROW + BYTES_AT_ONCE + 2 * panel_bytes;
        if given < needed {
            return Err(Error::Memory { given, panel_bytes, needed });
        }
        Ok(Some(given - sets.x.rows() as u64 * BYTES_OF_LABELLED_ROW))
    }

    /// The panels of a set.
    pub(super) fn panels_of(&self, set: &dyn Source) -> Panels {
        Panels { rows: set.rows(), panel_rows: self.rows_of_panel(set.rows(), set.dims()) }
    }

    /// ‖xᵢ−yᵢ‖ of every positive pair, in one pass.
    fn distances(&self, engine: &Engine, x: &dyn Source, y: &dyn Source) -> Result<Vec<f64>> {
        let panels = self.panels_of(x);
        let mut distances = Vec::with_capacity(x.rows());
        for panel in 0..panels.count() {
            let read = |set: &dyn Source| {
                Ok::<_, Error>(engine.upload_owned(set.embeddings_in(panels.range(panel), self.scaling)?)?)
            };
            distances.extend(engine.value(Alignment::distances(&read(x)?, &read(y)?))?);
        }
        Ok(distances)
    }

    fn groups_of(
        &self,
        engine: &Engine,
        set: &dyn Source,
        members: &Members,
        resources: &Resources,
    ) -> Result<GroupsOfSet> {
        let most_rows = self.panels_of(set).panel_rows;
        let mut found = vec![OfGroup::default(); members.ends.len()];
        let sized = |sizes: fn(usize, usize) -> bool| {
            let all = 0..members.ends.len();
            all.filter(move |&group| sizes(members.of(group).len(), most_rows)).collect::<Vec<_>>()
        };
        let small = sized(|rows, most| rows > 1 && rows <= most);
        for lot in self.lots(set, members, &small, resources.max_memory) {
            for (&group, of) in lot.iter().zip(self.small(engine, set, members, lot)?) {
                found[group] = of;
            }
        }
        for group in sized(|rows, most| rows > most) {
            found[group] = self.large(engine, &Selected::new(set, members.of(group)), resources)?;
        }
        let pairs = |group: usize| unordered_pairs(members.of(group).len());
        let (mut sum, mut count, mut is_known) = (0.0, 0, true);
        for (group, of) in found.iter().enumerate().filter(|&(group, _)| pairs(group) > 0) {
            sum += of.distances.unwrap_or_default();
            is_known &= of.distances.is_some();
            count += pairs(group);
        }
        let alignment_by_label = (is_known && count > 0).then(|| sum / count as f64);
        Ok(GroupsOfSet { within: found.iter().map(|of| of.uniformity).collect(), alignment_by_label })
    }

    /// Small groups in lots that fit into memory, each on the host and once more on the device.
    fn lots<'g>(
        &self,
        set: &dyn Source,
        members: &Members,
        groups: &'g [usize],
        max_memory: Option<u64>,
    ) -> Vec<&'g [usize]> {
        let row = (set.dims() * size_of::<f32>()) as u64;
        let room = max_memory.map_or(u64::MAX, |bytes| bytes.saturating_sub(BYTES_AT_ONCE) / (2 * row));
        let (mut lots, mut start, mut rows) = (Vec::new(), 0, 0);
        for (place, &group) in groups.iter().enumerate() {
            let more = members.of(group).len() as u64;
            if rows + more > room && place > start {
                lots.push(&groups[start..place]);
                (start, rows) = (place, 0);
            }
            rows += more;
        }
        lots.push(&groups[start..]);
        lots
    }

    /// Groups of up to a panel each, read in one pass and measured one by one.
    fn small(
        &self,
        engine: &Engine,
        set: &dyn Source,
        members: &Members,
        lot: &[usize],
    ) -> Result<Vec<OfGroup>> {
        let dims = set.dims();
        let rows = lot.iter().flat_map(|&group| members.of(group)).copied();
        let mut wanted: Vec<_> = rows.zip(0..).collect();
        wanted.sort_unstable();
        let mut values = vec![0.0; wanted.len() * dims];
        gather(set, &wanted, &mut values)?;
        drop(wanted);
        let mut rest = &values[..];
        let mut pieces = Vec::with_capacity(lot.len());
        for &group in lot {
            let piece;
            (piece, rest) = rest.split_at(members.of(group).len() * dims);
            pieces.push(piece);
        }
        let of_piece = |&piece: &&[f32]| self.measured(engine, piece, dims);
        match engine.device().kind {
            DeviceKind::Cpu => pieces.par_iter().map(of_piece).collect(),
            _ => pieces.iter().map(of_piece).collect(),
        }
    }

    /// What a group has whose points are in memory, row-major.
    fn measured(&self, engine: &Engine, values: &[f32], dims: usize) -> Result<OfGroup> {
        let rows = values.len() / dims;
        let points = engine.upload(&Embeddings::with_scaling(values, rows, dims, self.scaling)?)?;
        let alone = Groups::new(&vec![0; rows])?;
        let mean = engine.value(Alignment { alpha: self.alpha }.by_label(&points, &alone))?;
        Ok(OfGroup {
            uniformity: Some(engine.uniformity(&points, Uniformity::new(self.ts[0]))?),
            distances: Some(mean * unordered_pairs(rows) as f64),
        })
    }

    /// What a group has that is larger than a panel: a set of its own.
    fn large(&self, engine: &Engine, group: &Selected<'_>, resources: &Resources) -> Result<OfGroup> {
        let evaluation = Self { ts: vec![self.ts[0]], panel_rows: self.panel_rows, ..Self::new() };
        let found = evaluation.with_scaling(self.scaling).values(engine, Sets::one(group), resources)?;
        let squares = (self.alpha == 2.0).then(|| self.squared_distances(group));
        Ok(OfGroup { uniformity: found.x.first().copied(), distances: squares.transpose()? })
    }

    /// Σ‖xᵢ−xⱼ‖² over the pairs of a set, in one pass: n Σ‖xᵢ−mean‖², panel after panel about its own mean.
    fn squared_distances(&self, set: &dyn Source) -> Result<f64> {
        let panels = self.panels_of(set);
        let mut all = Spread::default();
        for panel in 0..panels.count() {
            all = all.merged(Spread::of(&set.embeddings_in(panels.range(panel), self.scaling)?));
        }
        Ok(all.rows * all.squares)
    }
}

/// The spread of rows about their mean.
#[derive(Clone, Debug, Default)]
struct Spread {
    rows: f64,
    mean: Vec<f64>,
    /// Σ‖xᵢ−mean‖²
    squares: f64,
}

impl Spread {
    fn of(points: &Embeddings<'_>) -> Self {
        let (rows, dims) = (points.rows() as f64, points.dims());
        let scale = |row: &[f32]| match points.scaling() {
            Scaling::Unit => row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt().recip(),
            Scaling::Raw => 1.0,
        };
        let scaled: Vec<_> = points.values().chunks(dims).map(|row| (row, scale(row))).collect();
        let mut mean = vec![0.0; dims];
        for (row, scale) in &scaled {
            mean.iter_mut().zip(*row).for_each(|(sum, &value)| *sum += f64::from(value) * scale);
        }
        mean.iter_mut().for_each(|sum| *sum /= rows);
        let square = |(row, scale): &(&[f32], f64)| {
            let differences = row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) * scale - mean);
            differences.map(|difference| difference * difference).sum::<f64>()
        };
        let squares = scaled.iter().map(square).sum();
        Self { rows, mean, squares }
    }

    /// That of both (Chan, Golub & LeVeque 1979).
    fn merged(self, other: Self) -> Self {
        if self.rows == 0.0 {
            return other;
        }
        let rows = self.rows + other.rows;
        let apart: Vec<_> = self.mean.iter().zip(&other.mean).map(|(a, b)| b - a).collect();
        let between = apart.iter().map(|apart| apart * apart).sum::<f64>() * self.rows / rows * other.rows;
        let mean = self.mean.iter().zip(&apart).map(|(mean, apart)| mean + apart * (other.rows / rows));
        Self { rows, mean: mean.collect(), squares: self.squares + other.squares + between }
    }
}
