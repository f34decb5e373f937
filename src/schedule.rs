//! Which pairs are summed, cut into blocks, in one fixed order.

use std::ops::Range;

/// How many pairs i < j there are among `rows` points; `u64::MAX` where there are more.
pub fn unordered(rows: usize) -> u64 {
    let n = rows as u128;
    u64::try_from(n * n.saturating_sub(1) / 2).unwrap_or(u64::MAX)
}

/// The pairs of `rows` × `cols`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The points on the left.
    pub(crate) rows: Range<usize>,
    /// The points on the right.
    pub(crate) cols: Range<usize>,
    /// Both are the same panel of one set, and only its pairs i < j count.
    pub(crate) diagonal: bool,
}

impl Block {
    /// How many pairs count.
    pub(crate) fn pairs(&self) -> u64 {
        if self.diagonal {
            unordered(self.rows.len())
        } else {
            self.rows.len() as u64 * self.cols.len() as u64
        }
    }
}

/// `n` points cut into panels of `panel` rows, the last one shorter.
pub(crate) fn panels(n: usize, panel: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    (0..n).step_by(panel).map(move |start| start..n.min(start + panel))
}

/// All pairs of `n` points on the left with `m` on the right, row panel by row panel.
pub(crate) fn across(n: usize, m: usize, panel: usize) -> impl Iterator<Item = Block> {
    panels(n, panel).flat_map(move |rows| {
        panels(m, panel).map(move |cols| Block { rows: rows.clone(), cols, diagonal: false })
    })
}

/// The pairs i < j of `n` points, row panel by row panel.
pub(crate) fn within(n: usize, panel: usize) -> impl Iterator<Item = Block> {
    across(n, n, panel).filter(|b| b.rows.start <= b.cols.start).map(|b| {
        let diagonal = b.rows.start == b.cols.start;
        Block { diagonal, ..b }
    })
}

/// Every unordered pair of `panels` panels, each with itself included, in rounds within which no panel
/// occurs twice: so that the blocks of a round can write to their panels side by side.
///
/// A round-robin tournament by the circle method: one panel stays, the others move on by one place a round.
pub(crate) fn tournament(panels: usize) -> impl Iterator<Item = Vec<(usize, usize)>> {
    let circle = panels.next_multiple_of(2).saturating_sub(1);
    let alone = (panels > 0).then(|| (0..panels).map(|i| (i, i)).collect());
    let rounds = (0..if panels > 1 { circle } else { 0 }).map(move |round| {
        let others = (1..=circle / 2).map(|k| ((round + k) % circle, (round + circle - k) % circle));
        // With an odd number of panels, the one that would meet the absent one has a rest.
        std::iter::once((round, circle))
            .chain(others)
            .filter(|&(i, j)| i < panels && j < panels)
            .map(|(i, j)| (i.min(j), i.max(j)))
            .collect()
    });
    alone.into_iter().chain(rounds)
}

/// Every pair of `left` with `right` panels, in rounds within which no panel occurs twice: a Latin square.
pub(crate) fn latin_square(left: usize, right: usize) -> impl Iterator<Item = Vec<(usize, usize)>> {
    let side = left.max(right);
    (0..side).map(move |round| {
        let all = (0..left).map(|i| (i, (i + round) % side));
        all.filter(|&(_, j)| j < right).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn once_each(
        rounds: impl Iterator<Item = Vec<(usize, usize)>>,
        one_set: bool,
    ) -> HashSet<(usize, usize)> {
        let mut seen = HashSet::new();
        for round in rounds {
            let mut busy = HashSet::new();
            for (i, j) in round {
                assert!(seen.insert((i, j)), "{i}, {j} twice");
                assert!(busy.insert((i, true)), "{i} twice in a round");
                assert!(one_set && i == j || busy.insert((j, one_set)), "{j} twice in a round");
            }
        }
        seen
    }

    #[test]
    fn rounds_hold_every_pair_once_and_no_panel_twice() {
        for p in 0..12 {
            let all = (0..p).flat_map(|i| (i..p).map(move |j| (i, j))).collect();
            assert_eq!(once_each(tournament(p), true), all, "{p} panels");
            for q in 0..8 {
                let all = (0..p).flat_map(|i| (0..q).map(move |j| (i, j))).collect();
                assert_eq!(once_each(latin_square(p, q), false), all, "{p} × {q} panels");
            }
        }
    }

    #[test]
    fn pairs_are_counted_beyond_32_bits() {
        assert_eq!([0, 1, 2, 3, 46_342].map(unordered), [0, 0, 1, 3, 1_073_767_311]);
        assert_eq!(unordered(1 << 32), (1 << 63) - (1 << 31));
        assert_eq!(unordered(usize::MAX), u64::MAX);
    }

    #[test]
    fn blocks_hold_every_pair_once() {
        for (n, panel) in [(0, 3), (1, 3), (7, 3), (9, 3), (5, 100)] {
            assert_eq!(within(n, panel).map(|b| b.pairs()).sum::<u64>(), unordered(n));
            assert_eq!(across(n, 4, panel).map(|b| b.pairs()).sum::<u64>(), n as u64 * 4);
            let mut seen = HashSet::new();
            for b in within(n, panel) {
                for i in b.rows.clone() {
                    for j in b.cols.clone().filter(|&j| !b.diagonal || i < j) {
                        assert!(i < j && seen.insert((i, j)));
                    }
                }
            }
            assert_eq!(seen.len() as u64, unordered(n));
        }
    }
}
