//! Results of strips: the log sums of the contrastive loss's anchors and of potentials, what a positive pair has by itself, and
//! counts.

use std::collections::{BTreeMap, HashMap};

use unisphere::LogSumExp;

use super::blocks::{Block, Layout, Strip, Sum};
use crate::journal::Record;

/// Values of a record, at least, where there are strips: a journal has one size of records, and few of them are to be of a strip.
pub(crate) const MIN_RECORD_VALUES: usize = 16;

/// Bytes of a row in a table of potentials and distances, in columns and in rows, beside its results.
const BYTES_OF_LISTED_ROW: u64 = 7 * size_of::<f64>() as u64;

/// Results of strips. Those of anchors are temperature after temperature, and row after row of the left panel; a journal has them in
/// several records, each of one piece.
#[derive(Clone, Debug)]
pub(crate) struct StripResults {
    /// Number of the first strip.
    first: usize,
    /// Values of a piece.
    piece_values: usize,
    /// Pieces that a strip has at most: so many numbers of records it takes.
    most_pieces: usize,
    strips: Vec<StripResult>,
    /// Strips that are begun, by their numbers.
    begun: HashMap<usize, Begun>,
}

/// A strip that is begun: its right panels are added in ascending order, in whichever order devices finish them.
#[derive(Clone, Debug)]
struct Begun {
    sums: Sums,
    /// The right panel that is added next.
    next: usize,
    /// Results of later right panels.
    waiting: BTreeMap<usize, Vec<f64>>,
}

/// The sums of a strip that is begun.
#[derive(Clone, Debug)]
enum Sums {
    Logs(Vec<LogSumExp>),
    Counts(Vec<f64>),
}

impl Begun {
    /// No terms yet of so many sums.
    fn new(strip: &Strip, sums: usize) -> Self {
        let sums = match strip.sum {
            Sum::Counts(_) => Sums::Counts(vec![0.0; sums]),
            _ => Sums::Logs(vec![LogSumExp::EMPTY; sums]),
        };
        Self { sums, next: strip.rights.start, waiting: BTreeMap::new() }
    }

    fn add(&mut self, right: usize, values: Vec<f64>) {
        self.waiting.insert(right, values);
        while let Some(values) = self.waiting.remove(&self.next) {
            self.sums.add(&values);
            self.next += 1;
        }
    }
}

impl Sums {
    fn add(&mut self, values: &[f64]) {
        match self {
            // A row that is in no pair of a block adds nothing.
            Self::Logs(sums) => {
                for (sum, &log) in sums.iter_mut().zip(values).filter(|(_, log)| **log > f64::NEG_INFINITY) {
                    *sum = sum.combine(LogSumExp::from_exponent(log));
                }
            }
            Self::Counts(sums) => sums.iter_mut().zip(values).for_each(|(sum, count)| *sum += count),
        }
    }

    fn finish(self) -> Vec<f64> {
        match self {
            Self::Logs(sums) => sums.into_iter().map(LogSumExp::log).collect(),
            Self::Counts(sums) => sums,
        }
    }
}

/// The values of a strip, as far as there are any.
#[derive(Clone, Debug, Default)]
struct StripResult {
    values: Vec<f64>,
    /// Whether each piece is there; empty where none is.
    pieces: Vec<bool>,
}

impl StripResult {
    fn is_done(&self) -> bool {
        !self.pieces.is_empty() && self.pieces.iter().all(|&is_there| is_there)
    }
}

impl StripResults {
    /// None yet; pieces have as many values as records.
    pub(crate) fn new(layout: &Layout, piece_values: usize) -> Self {
        let first = layout.totals();
        let values = |number| layout.strip(number).map_or(0, |strip| layout.values(&strip));
        let most_values = (first..layout.count()).map(values).max().unwrap_or(0);
        Self {
            first,
            piece_values,
            most_pieces: most_values.div_ceil(piece_values),
            strips: vec![StripResult::default(); layout.count() - first],
            begun: HashMap::new(),
        }
    }

    /// Memory that all of them take, in bytes: the values, and as much again for the records that a run begins with, or for the
    /// sums of whole rows that it ends with; that of strips that are begun, so many at once; for each device beside the first the
    /// results of a strip that wait for one of its blocks; and where rows have potentials, a table of them.
    pub(crate) fn bytes(layout: &Layout, begun: usize, devices: usize) -> u64 {
        let strips = || (layout.totals()..layout.count()).filter_map(|number| layout.strip(number));
        let each = strips().map(|strip| layout.values(&strip) as u64);
        let (all, most) = each.fold((0, 0), |(all, most), values| (all + values, values.max(most)));
        let longest = strips().map(|strip| strip.rights.len()).max().unwrap_or(0);
        // The engine gives the sums of both sides.
        let of_begun = begun * (size_of::<LogSumExp>() + 2 * size_of::<f64>());
        let of_waiting = devices.saturating_sub(1) * longest * size_of::<f64>();
        let of_potentials = layout.sums().iter().filter(|sum| matches!(sum, Sum::Potentials(_)));
        let most_rows = of_potentials.map(|sum| layout.panels(sum.sides()[0]).rows).max().unwrap_or(0);
        2 * all * size_of::<f64>() as u64
            + most * (of_begun + of_waiting) as u64
            + most_rows as u64 * BYTES_OF_LISTED_ROW
    }

    pub(crate) fn is_done(&self, number: usize) -> bool {
        self.strips[number - self.first].is_done()
    }

    /// Adds the result of a block to that of its strip, which is returned once it is finished. Blocks may come in any order.
    pub(crate) fn add(&mut self, layout: &Layout, block: Block, values: Vec<f64>) -> Option<usize> {
        let number = layout.number(block);
        let strip = layout.strip(number)?;
        if strip.sum.is_paired() {
            self.put(number, values);
            return Some(number);
        }
        let begun = self.begun.entry(number).or_insert_with(|| Begun::new(&strip, values.len()));
        begun.add(block.right, values);
        if begun.next < strip.rights.end {
            return None;
        }
        let Begun { sums, .. } = self.begun.remove(&number)?;
        self.put(number, sums.finish());
        Some(number)
    }

    fn put(&mut self, number: usize, values: Vec<f64>) {
        let pieces = vec![true; values.len().div_ceil(self.piece_values)];
        self.strips[number - self.first] = StripResult { values, pieces };
    }

    /// The records of a strip that is done. They are numbered after the blocks of a journal.
    pub(crate) fn records(&self, number: usize) -> impl Iterator<Item = Record> + '_ {
        let first = (self.first + (number - self.first) * self.most_pieces) as u64;
        let pieces = self.strips[number - self.first].values.chunks(self.piece_values);
        (first..).zip(pieces).map(|(number, piece)| {
            let mut values = piece.to_vec();
            values.resize(self.piece_values, 0.0);
            Record::Block { number, values }
        })
    }

    /// Behind the numbers of all records of strips.
    pub(crate) fn end_of_records(&self) -> usize {
        self.first + self.strips.len() * self.most_pieces
    }

    /// Takes over a record, if it is one of a strip.
    pub(crate) fn take(&mut self, layout: &Layout, number: u64, values: &[f64]) {
        let Some(place) = usize::try_from(number).ok().and_then(|number| number.checked_sub(self.first))
        else {
            return;
        };
        let Some((strip, piece)) =
            place.checked_div(self.most_pieces).zip(place.checked_rem(self.most_pieces))
        else {
            return;
        };
        let (Some(result), Some(of)) = (self.strips.get_mut(strip), layout.strip(self.first + strip)) else {
            return;
        };
        let (length, start) = (layout.values(&of), piece * self.piece_values);
        if start >= length {
            return;
        }
        if result.pieces.is_empty() {
            let pieces = vec![false; length.div_ceil(self.piece_values)];
            *result = StripResult { values: vec![0.0; length], pieces };
        }
        result.values[start..].iter_mut().zip(values).for_each(|(there, &value)| *there = value);
        result.pieces[piece] = true;
    }

    /// What every positive pair has by itself, of one of the sums.
    pub(crate) fn of_pairs(&self, layout: &Layout, sum: Sum) -> Vec<f64> {
        layout.numbers(sum).flat_map(|number| &self.strips[number - self.first].values).copied().collect()
    }

    /// The counts of all pairs of a sum.
    pub(crate) fn counts(&self, layout: &Layout, sum: Sum, counts: usize) -> Vec<u64> {
        let mut totals = vec![0; counts];
        for number in layout.numbers(sum) {
            let values = &self.strips[number - self.first].values;
            totals.iter_mut().zip(values).for_each(|(total, &count)| *total += count as u64);
        }
        totals
    }

    /// The log sum of every row over the pairs of several sums with the same left set; of anchors at one of the temperatures, which
    /// are numbered from 0.
    pub(crate) fn log_sums(&self, layout: &Layout, sums: &[Sum], tau: usize) -> Vec<f64> {
        let Some(panels) = sums.first().map(|sum| layout.panels(sum.sides()[0])) else { return Vec::new() };
        let mut totals = vec![LogSumExp::EMPTY; panels.rows];
        for number in sums.iter().flat_map(|&sum| layout.numbers(sum)) {
            let Some(Strip { left, .. }) = layout.strip(number) else { continue };
            let rows = panels.range(left);
            let values = &self.strips[number - self.first].values[tau * rows.len()..];
            for (total, &log) in totals[rows].iter_mut().zip(values) {
                if log > f64::NEG_INFINITY {
                    *total = total.combine(LogSumExp::from_exponent(log));
                }
            }
        }
        totals.into_iter().map(LogSumExp::log).collect()
    }
}

#[cfg(test)]
mod tests {
    use unisphere::Candidates;

    use super::*;
    use crate::{
        exact::blocks::{SetName, Strips, Wanted},
        panels::Panels,
    };

    const TAUS: usize = 3;

    /// Panels of 7, 7 and 5 rows; strips of two right panels and of one.
    fn layout() -> Layout {
        let strips = Strips { candidates: Candidates::OneWay, taus: TAUS, panels: 2, ..Strips::default() };
        let panels = Panels { rows: 19, panel_rows: 7 };
        Layout::new(panels, Some(panels), Wanted { strips, ..Wanted::default() })
    }

    /// Rows of panels with logs that say where they are from.
    fn filled(layout: &Layout) -> (StripResults, Vec<Record>) {
        let (mut results, mut records) = (StripResults::new(layout, 4), Vec::new());
        for block in layout.all_blocks().filter(|block| block.sum.is_in_strips()) {
            let rows = layout.panels(SetName::X).range(block.left);
            let value =
                |tau: usize| rows.clone().map(move |row| (100 * tau + row) as f64 + block.right as f64);
            let values = match block.sum {
                Sum::Products => value(0).collect(),
                _ => (0..TAUS).flat_map(value).collect(),
            };
            if let Some(number) = results.add(layout, block, values) {
                assert!(results.is_done(number));
                records.extend(results.records(number));
            }
        }
        assert!(results.begun.is_empty());
        (results, records)
    }

    #[test]
    fn every_row_sums_all_of_its_strips() {
        let layout = layout();
        let (results, _) = filled(&layout);
        // Right panels 0, 1 and 2 add as many to the log.
        let of_rights = (1.0 + 1f64.exp() + 2f64.exp()).ln();
        for tau in 0..TAUS {
            let sums = results.log_sums(&layout, &[Sum::Anchors(SetName::X, SetName::Y)], tau);
            for (row, sum) in sums.into_iter().enumerate() {
                let wanted = (100 * tau + row) as f64 + of_rights;
                assert!((sum - wanted).abs() < 1e-12, "row {row}: {sum} and {wanted}");
            }
        }
        let products = results.of_pairs(&layout, Sum::Products);
        assert!(products.iter().enumerate().all(|(row, &product)| product == (row + row / 7) as f64));
        assert_eq!(products.len(), 19);
    }

    #[test]
    fn a_strip_is_done_when_all_of_its_pieces_are_there() {
        let layout = layout();
        let (wanted, mut records) = filled(&layout);
        records.rotate_left(11);
        let mut numbers: Vec<_> = (layout.totals()..layout.count()).collect();
        let mut taken = StripResults::new(&layout, 4);
        for (place, record) in records.iter().enumerate() {
            assert!(numbers.iter().any(|&number| !taken.is_done(number)), "done before record {place}");
            let Record::Block { number, values } = record else { panic!("{record:?}") };
            assert!(*number >= layout.totals() as u64);
            taken.take(&layout, *number, values);
        }
        numbers.retain(|&number| !taken.is_done(number));
        assert!(numbers.is_empty(), "{numbers:?}");
        for tau in 0..TAUS {
            let of = |results: &StripResults| {
                results.log_sums(&layout, &[Sum::Anchors(SetName::X, SetName::Y)], tau)
            };
            assert_eq!(of(&taken), of(&wanted));
        }
        // No record of this layout.
        taken.take(&layout, u64::MAX, &[1.0; 4]);
        taken.take(&layout, 0, &[1.0; 4]);
        assert_eq!(taken.of_pairs(&layout, Sum::Products), wanted.of_pairs(&layout, Sum::Products));
    }
}
