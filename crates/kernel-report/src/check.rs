//! What got worse since a report was recorded.

use crate::{
    main_loop::MainLoop,
    table::{Report, Row},
};

/// A line for each thing that is worse than in the baseline.
pub(crate) fn worse(baseline: &Report, now: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &now.rows {
        match baseline.rows.iter().find(|old| old.kernel == row.kernel) {
            Some(old) => {
                lines.extend(worse_of(old, row).into_iter().map(|line| format!("{}: {line}", row.kernel)))
            }
            None => lines.push(format!("{}: not in the baseline", row.kernel)),
        }
    }
    for old in &baseline.rows {
        if !now.rows.iter().any(|row| row.kernel == old.kernel) {
            lines.push(format!("{}: only in the baseline", old.kernel));
        }
    }
    lines
}

fn worse_of(old: &Row, new: &Row) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, old: usize, new: usize, is_worse: bool| {
        if is_worse {
            lines.push(format!("{what} {old} → {new}"));
        }
    };
    compare("spilled registers", old.spills, new.spills, new.spills > old.spills);
    compare("subgroups per SIMD", old.subgroups, new.subgroups, new.subgroups < old.subgroups);
    compare("branches", old.branches, new.branches, new.branches > old.branches);
    compare("branches on the way", old.on_the_way, new.on_the_way, new.on_the_way > old.on_the_way);
    match (&old.main, &new.main) {
        (Some(old), Some(new)) => {
            let (was, is) = (old.share_of_vector(), new.share_of_vector());
            compare("products among vector instructions, in ‰", was, is, is < was);
            let (was, is) = (old.share_of_all, new.share_of_all);
            compare("products among all instructions, in ‰", was, is, is < was);
            // A loop that is written out for more dimensions has more of everything.
            let more = |of: fn(&MainLoop) -> usize| of(new) * old.products > of(old) * new.products;
            compare("branches in the main loop", old.branches, new.branches, more(|main| main.branches));
            compare("waits in the main loop", old.waits, new.waits, more(|main| main.waits));
            let (was, is) = (old.ahead.unwrap_or(1000), new.ahead.unwrap_or(1000));
            compare("products between a load and its wait, in ‰", was, is, is < was);
        }
        (Some(_), None) => lines.push("no loop has multiply-adds any more".into()),
        (None, _) => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(row: Row) -> Report {
        Report { driver: "Mesa".into(), rows: vec![row] }
    }

    fn row() -> Row {
        let main = MainLoop {
            products: 64,
            vector: 4,
            workgroup_reads: 4,
            loads: 4,
            scalar: 8,
            branches: 2,
            waits: 3,
            share_of_all: 700,
            ahead: Some(500),
        };
        Row {
            kernel: "log_sum".into(),
            spills: 1,
            subgroups: 8,
            branches: 20,
            on_the_way: 6,
            main: Some(main),
            ..Row::default()
        }
    }

    fn with(change: fn(&mut MainLoop)) -> Row {
        let mut row = row();
        row.main.as_mut().map(change);
        row
    }

    #[test]
    fn each_thing_that_gets_worse_is_told() {
        for (changed, what) in [
            (Row { spills: 2, ..row() }, "spilled registers 1 → 2"),
            (Row { subgroups: 7, ..row() }, "subgroups per SIMD 8 → 7"),
            (Row { branches: 21, ..row() }, "branches 20 → 21"),
            (Row { on_the_way: 7, ..row() }, "branches on the way 6 → 7"),
            (with(|main| main.vector = 5), "vector instructions"),
            (with(|main| main.share_of_all = 699), "all instructions"),
            (with(|main| main.branches = 3), "branches in the main loop 2 → 3"),
            (with(|main| main.waits = 4), "waits in the main loop 3 → 4"),
            (with(|main| main.ahead = Some(499)), "between a load and its wait"),
            (Row { main: None, ..row() }, "no loop has multiply-adds"),
            (Row { kernel: "other".into(), ..row() }, "only in the baseline"),
        ] {
            let told = worse(&report(row()), &report(changed));
            assert!(told.iter().any(|line| line.contains(what)), "{what}: {told:?}");
        }
    }

    #[test]
    fn what_is_the_same_or_better_passes() {
        for changed in [
            row(),
            Row { spills: 0, subgroups: 9, branches: 19, ..row() },
            with(|main| (main.vector, main.share_of_all, main.ahead) = (3, 701, None)),
            // Four dimensions a round, and no more waits for each.
            with(|main| (main.products, main.vector, main.waits) = (256, 16, 12)),
        ] {
            assert_eq!(worse(&report(row()), &report(changed)), Vec::<String>::new());
        }
    }
}
