//! Schedule of the reads: some panels are held in memory, and the others are streamed past them.

use std::collections::BTreeSet;

use super::blocks::{Block, Layout, SetName, Sum};

/// A panel that is read, and what is done once it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) set: SetName,
    pub(crate) panel: usize,
    /// Whether all panels that are held are let go before.
    pub(crate) releases: bool,
    /// Whether it is held from now on.
    pub(crate) held: bool,
    /// Blocks that can be computed now: of this panel on the right, and a held one or itself on the left.
    pub(crate) blocks: Vec<Block>,
}

/// Strips that are begun at once, at most: they are all finished by the same panel, and what is begun is lost by a stop.
pub(crate) const STRIPS_AT_ONCE: usize = 16;

/// Reads for the missing blocks, with at most so many panels held at once. Every panel that is held is read once, and the
/// others once for each lot of held ones: some n² / 2m + n rows in all, where m rows are held. The right panels of a left one
/// come in ascending order.
pub(crate) fn schedule(layout: &Layout, capacity: usize, missing: impl Fn(Block) -> bool) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    for &sum in layout.sums() {
        let needed = |left| {
            let blocks = layout.rights(sum, left).map(move |right| Block { sum, left, right });
            blocks.filter(|&block| missing(block)).map(|block| block.right).collect::<Vec<_>>()
        };
        let lefts = 0..layout.panels(sum.sides()[0]).count();
        let lefts: Vec<_> =
            lefts.map(|left| (left, needed(left))).filter(|(_, rights)| !rights.is_empty()).collect();
        let lot = match sum {
            // These need no panel for long.
            _ if sum.is_paired() => 1,
            _ if sum.is_in_strips() => capacity.clamp(1, STRIPS_AT_ONCE),
            _ => capacity.max(1),
        };
        lefts.chunks(lot).for_each(|held| lot_of(sum, held, &mut arrivals));
    }
    arrivals
}

/// Reads for the blocks of some left panels, each with the right panels that it needs.
fn lot_of(sum: Sum, held: &[(usize, Vec<usize>)], arrivals: &mut Vec<Arrival>) {
    let [left_set, right_set] = sum.sides();
    let first = arrivals.len();
    let arrive = |set, panel, held, blocks| Arrival { set, panel, releases: false, held, blocks };
    let mut rights: BTreeSet<usize> = held.iter().flat_map(|(_, rights)| rights).copied().collect();
    let lefts = held.iter().map(|&(left, _)| left);
    let meets_itself = sum.is_unordered();
    if meets_itself {
        // In ascending order, a panel on the left is there before those that it meets.
        rights.extend(lefts);
    } else {
        arrivals.extend(lefts.map(|left| arrive(left_set, left, true, Vec::new())));
    }
    for right in rights {
        let meets = held.iter().filter(|(_, rights)| rights.binary_search(&right).is_ok());
        let blocks = meets.map(|&(left, _)| Block { sum, left, right }).collect();
        let is_held = meets_itself && held.iter().any(|&(left, _)| left == right);
        arrivals.push(arrive(right_set, right, is_held, blocks));
    }
    if let Some(arrival) = arrivals.get_mut(first) {
        arrival.releases = true;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use unisphere::Candidates;

    use super::*;
    use crate::{
        exact::blocks::{Strips, Wanted},
        panels::Panels,
    };

    /// Checks that blocks find their panels in memory, and returns those that were computed and the most panels held.
    fn walk(arrivals: &[Arrival]) -> (Vec<Block>, usize) {
        let (mut held, mut done, mut most) = (HashSet::new(), Vec::new(), 0);
        for arrival in arrivals {
            if arrival.releases {
                held.clear();
            }
            if arrival.held {
                held.insert((arrival.set, arrival.panel));
            }
            most = most.max(held.len());
            for &block in &arrival.blocks {
                let [left, right] = block.sum.sides();
                assert_eq!((right, block.right), (arrival.set, arrival.panel));
                assert!(held.contains(&(left, block.left)), "{block:?}");
                done.push(block);
            }
        }
        (done, most)
    }

    #[test]
    fn every_missing_block_once_and_no_more_panels_than_fit() {
        let panels = |rows| Panels { rows, panel_rows: 4 };
        let strips = Strips {
            candidates: Candidates::Views,
            taus: 1,
            potentials: true,
            distances: false,
            counts: 3,
            panels: 4,
        };
        let layout = Layout::new(panels(70), Some(panels(70)), Wanted { across: true, mmd: true, strips });
        for capacity in [1, 2, 5, 18, 1000] {
            for (numbers, keep) in [(0..layout.count(), 1), (30..200, 1), (0..layout.count(), 7)] {
                let missing = |block| {
                    let number = layout.number(block);
                    numbers.contains(&number) && number.is_multiple_of(keep)
                };
                let (done, most) = walk(&schedule(&layout, capacity, missing));
                let wanted = layout.all_blocks().filter(|&block| missing(block)).count();
                assert_eq!(done.len(), wanted);
                // The right panels of a strip come in ascending order.
                for number in layout.totals()..layout.count() {
                    let blocks = done.iter().filter(|&&block| layout.number(block) == number);
                    assert!(blocks.is_sorted_by_key(|block| block.right));
                }
                let mut found: Vec<_> = done.iter().map(|&block| layout.number(block)).collect();
                found.sort_unstable();
                found.dedup();
                let wanted: Vec<_> = numbers.filter(|number| number.is_multiple_of(keep)).collect();
                assert_eq!(found, wanted);
                assert!(most <= capacity);
            }
        }
    }

    #[test]
    fn reads_are_as_few_as_the_formula_says() {
        let layout = Layout::within(Panels { rows: 128 * 8, panel_rows: 8 });
        for held in [8, 16, 32, 64, 128] {
            let reads = schedule(&layout, held, |_| true).len();
            let formula = 128 * 128 / (2 * held) + 128;
            assert!(reads <= formula, "{reads} reads, and {formula} at {held} held");
        }
    }
}
