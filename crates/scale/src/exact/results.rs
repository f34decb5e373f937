//! Results of blocks, and the values that they make: merged in the order of the blocks, whatever the order of the work.

use unisphere::LogSumExp;

use super::blocks::{Block, Layout, Sum};
use crate::journal::Record;

/// Results of blocks, `width` numbers each: the log mean of the kernel for every t, or the mean distance.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    width: usize,
    values: Vec<f64>,
    done: Vec<bool>,
}

impl Results {
    pub(crate) fn new(blocks: usize, width: usize) -> Self {
        Self { width, values: vec![0.0; blocks * width], done: vec![false; blocks] }
    }

    /// Memory that so many results take, in bytes.
    pub(crate) fn bytes(blocks: usize, width: usize) -> u64 {
        blocks as u64 * (width as u64 * 8 + 1)
    }

    pub(crate) fn is_done(&self, number: usize) -> bool {
        self.done[number]
    }

    /// Puts a result in its place; the rest of its numbers stays 0. Whether there was none before, or the same bits.
    pub(crate) fn put(&mut self, number: usize, values: &[f64]) -> bool {
        let there = &mut self.values[number * self.width..][..values.len()];
        if self.done[number] {
            return there.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits());
        }
        there.copy_from_slice(values);
        self.done[number] = true;
        true
    }

    /// Takes over a record, which may have more values than a result has.
    pub(crate) fn take(&mut self, number: usize, values: &[f64]) {
        self.put(number, &values[..self.width.min(values.len())]);
    }

    /// The record of a block that is done, with so many values, where a journal has the first one in a place.
    pub(crate) fn record(&self, number: usize, place: u64, record_values: usize) -> Record {
        let mut values = self.of(number).to_vec();
        values.resize(record_values, 0.0);
        Record::Block { number: place + number as u64, values }
    }

    pub(crate) fn of(&self, number: usize) -> &[f64] {
        &self.values[number * self.width..][..self.width]
    }

    /// Log means of the kernel over all pairs of a sum, one for every t.
    pub(crate) fn log_means(&self, layout: &Layout, sum: Sum, ts: usize) -> Vec<f64> {
        self.log_means_of(layout, layout.blocks(sum), ts)
    }

    /// Log means of the kernel over the pairs i ≠ j of two sets of as many rows.
    pub(crate) fn unpaired_log_means(&self, layout: &Layout, ts: usize) -> Vec<f64> {
        let of_other_rows = layout.blocks(Sum::Across).filter(|block| block.left != block.right);
        self.log_means_of(layout, of_other_rows.chain(layout.blocks(Sum::Unpaired)), ts)
    }

    fn log_means_of(&self, layout: &Layout, blocks: impl Iterator<Item = Block>, ts: usize) -> Vec<f64> {
        let mut totals = vec![LogSumExp::EMPTY; ts];
        let mut pairs = 0;
        for block in blocks {
            let count = layout.pairs(block);
            // A panel of one row has no pairs with itself.
            if count > 0 {
                for (total, &max) in totals.iter_mut().zip(self.of(layout.number(block))) {
                    *total = total.combine(LogSumExp { max, sum: count as f64 });
                }
                pairs += count;
            }
        }
        // No exponent is above 0, but rounding may lift a mean of near 1 by its last digit.
        totals.into_iter().map(|total| total.log_mean(pairs).min(0.0)).collect()
    }

    /// Mean of the blocks' first numbers over all pairs of a sum.
    pub(crate) fn mean(&self, layout: &Layout, sum: Sum) -> f64 {
        let (mut total, mut pairs) = (0.0, 0);
        for block in layout.blocks(sum) {
            let count = layout.pairs(block);
            total += self.of(layout.number(block))[0] * count as f64;
            pairs += count;
        }
        total / pairs as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exact::blocks::SetName, panels::Panels};

    #[test]
    fn blocks_weigh_as_many_pairs_as_they_have() {
        // Rows 0 to 3 and row 4: a panel with itself, the two panels, and a panel of one row.
        let layout = Layout::within(Panels { rows: 5, panel_rows: 4 });
        let mut results = Results::new(layout.count(), 1);
        assert!(results.put(0, &[0.5f64.ln()]) && results.put(1, &[0.25f64.ln()]));
        assert!(results.is_done(1) && !results.is_done(2));
        assert!(results.put(2, &[]) && results.put(1, &[0.25f64.ln()]) && !results.put(1, &[0.5f64.ln()]));
        let [value] = *results.log_means(&layout, Sum::Within(SetName::X), 1) else { panic!("one t") };
        assert!((value - 0.4f64.ln()).abs() < 1e-15, "{value}");
    }
}
