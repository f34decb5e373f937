//! Panels that stay in memory between two arrivals, so that files are read as seldom as memory allows.

use std::collections::{BTreeSet, HashMap};

use super::{
    blocks::{Layout, SetName},
    memory::Capacity,
    schedule::Arrival,
};

/// Where the panel of an arrival comes from, and which ones stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetch {
    /// Whether it is in memory since an earlier arrival; else it is read.
    pub(super) is_cached: bool,
    /// Whether it stays in memory for a later arrival.
    pub(super) is_kept: bool,
    /// Panels that stay no longer.
    pub(super) evicted: Vec<(SetName, usize)>,
}

/// Fetches of all arrivals, with at most so many panels in memory: the left ones of a lot, and of the others those that are needed
/// again the soonest. As all arrivals are known beforehand, no other choice reads less (Belady 1966).
pub(super) fn fetches(arrivals: &[Arrival], capacity: usize) -> Vec<Fetch> {
    let mut cache = Cache::default();
    // The left panels of a lot, each with the arrival that needs it next, stay until the lot ends.
    let mut held = HashMap::new();
    let fetch = |(arrival, next): (&Arrival, Option<usize>)| {
        let panel = (arrival.set, arrival.panel);
        if arrival.releases {
            let later = held.drain().filter_map(|(panel, next): (_, Option<usize>)| Some((panel, next?)));
            later.for_each(|(panel, next)| cache.insert(panel, next));
        }
        let is_cached = cache.remove(panel) || held.contains_key(&panel);
        if arrival.held || held.contains_key(&panel) {
            held.insert(panel, next);
        } else if let Some(next) = next {
            cache.insert(panel, next);
        }
        let mut evicted = cache.shrink(capacity.saturating_sub(held.len()));
        let is_kept = next.is_some() && !evicted.contains(&panel);
        evicted.retain(|&other| other != panel);
        Fetch { is_cached, is_kept, evicted }
    };
    arrivals.iter().zip(next_uses(arrivals)).map(fetch).collect()
}

/// Rows that are read from files for all arrivals.
pub(super) fn rows_fetched(layout: &Layout, arrivals: &[Arrival], capacity: Capacity) -> u64 {
    let fetches = arrivals.iter().zip(fetches(arrivals, capacity.host));
    let read = fetches.filter(|(_, fetch)| !fetch.is_cached);
    read.map(|(arrival, _)| layout.panels(arrival.set).len(arrival.panel) as u64).sum()
}

/// The next arrival of the same panel, for each arrival.
fn next_uses(arrivals: &[Arrival]) -> Vec<Option<usize>> {
    let mut later = HashMap::new();
    let next = |(place, arrival): (usize, &Arrival)| later.insert((arrival.set, arrival.panel), place);
    let mut next: Vec<_> = arrivals.iter().enumerate().rev().map(next).collect();
    next.reverse();
    next
}

/// Panels that are kept, each with the place of the arrival that needs it next.
#[derive(Default)]
struct Cache {
    next: HashMap<(SetName, usize), usize>,
    by_next: BTreeSet<(usize, (SetName, usize))>,
}

impl Cache {
    fn insert(&mut self, panel: (SetName, usize), next: usize) {
        self.next.insert(panel, next);
        self.by_next.insert((next, panel));
    }

    /// Takes a panel out; whether it was there.
    fn remove(&mut self, panel: (SetName, usize)) -> bool {
        let next = self.next.remove(&panel);
        next.is_some_and(|next| self.by_next.remove(&(next, panel)))
    }

    /// Keeps so many panels, and returns the others: those that are needed the latest.
    fn shrink(&mut self, most: usize) -> Vec<(SetName, usize)> {
        let mut evicted = Vec::new();
        while self.by_next.len() > most {
            let Some((_, panel)) = self.by_next.pop_last() else { break };
            self.next.remove(&panel);
            evicted.push(panel);
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use unisphere::Candidates;

    use super::*;
    use crate::{
        exact::{
            blocks::{Layout, Strips, Wanted},
            schedule::schedule,
        },
        panels::Panels,
    };

    /// Walks the arrivals as the reader does: how often files are read, with every panel where it is to be.
    fn reads(arrivals: &[Arrival], capacity: usize) -> usize {
        let (mut kept, mut held, mut reads) = (HashSet::new(), HashSet::new(), 0);
        for (arrival, fetch) in arrivals.iter().zip(fetches(arrivals, capacity)) {
            let panel = (arrival.set, arrival.panel);
            assert_eq!(fetch.is_cached, kept.contains(&panel), "{arrival:?}");
            reads += usize::from(!fetch.is_cached);
            for evicted in fetch.evicted {
                assert!(kept.remove(&evicted), "{evicted:?}");
            }
            if fetch.is_kept {
                kept.insert(panel)
            } else {
                kept.remove(&panel)
            };
            if arrival.releases {
                held.clear();
            }
            if arrival.held {
                held.insert(panel);
            }
            // A held panel that is kept for later takes one place.
            assert!(held.union(&kept).count() <= capacity.max(held.len()));
        }
        reads
    }

    #[test]
    fn files_are_read_no_more_often_than_with_pinned_panels() {
        let panels = |count| Panels { rows: 4 * count, panel_rows: 4 };
        let cases: [(usize, usize, usize); 6] =
            [(64, 8, 8), (64, 8, 24), (64, 8, 40), (64, 4, 63), (64, 8, 64), (64, 1, 2)];
        for (all, on_device, capacity) in cases {
            let arrivals = schedule(&Layout::within(panels(all)), on_device, |_| true);
            // The last panels are pinned, which every lot needs; the others are read for every lot.
            let pinned = capacity - on_device;
            let lots = (0..all).step_by(on_device).map(|first| (all - first).saturating_sub(pinned));
            let formula = pinned + lots.sum::<usize>();
            let found = reads(&arrivals, capacity);
            assert!((all..=formula).contains(&found), "{found} reads, {formula} by the formula");
            let across = schedule(&Layout::across(panels(all), panels(all)), on_device, |_| true);
            let lots = all / on_device;
            let formula = all + pinned + lots * (all - pinned);
            let found = reads(&across, capacity);
            assert!((2 * all..=formula).contains(&found), "{found} reads across, {formula} by the formula");
        }
        // Where everything fits, everything is read once.
        let strips = Strips { candidates: Candidates::Views, taus: 1, panels: 4, ..Strips::default() };
        let wanted = Wanted { across: true, mmd: true, strips };
        let layout = Layout::new(panels(20), Some(panels(20)), wanted);
        assert_eq!(reads(&schedule(&layout, 3, |_| true), 43), 40);
        assert!(reads(&schedule(&layout, 3, |_| true), 20) > 100);
        let across = Layout::new(panels(20), Some(panels(20)), Wanted { across: true, ..Wanted::default() });
        assert_eq!(reads(&schedule(&across, 40, |_| true), 40), 40);
        // No room for more than the lot: every arrival is read.
        let arrivals = schedule(&Layout::across(panels(20), panels(20)), 5, |_| true);
        assert!(reads(&arrivals, 0) == arrivals.len());
    }
}
