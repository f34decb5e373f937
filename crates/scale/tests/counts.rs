//! Pairs counted beyond memory: every one of them, as an engine that holds all points counts them and as the formulas in f64 do, and the
//! same whatever the memory, the parts and the stops.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{
    DIMS, Files, PANEL_BYTES, PANEL_ROWS, ROWS, least_memory, merged, random, resources, rows,
    stopping_every, until_done, with_journal,
};
use unisphere::{ClosePairs, CosineHistogram, Engine, Scaling, unordered_pairs};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, Sets};

const BINS: usize = 50;
const NEAR: f64 = 0.3;

fn evaluation() -> Evaluation {
    Evaluation::new()
        .with_cosine_histogram(BINS)
        .with_close_pairs(NEAR)
        .with_panel_rows(PANEL_ROWS)
        .with_strip_panels(3)
}

/// Counts of cosines and of close pairs by their formulas, and how many pairs lie within rounding of each end of a part.
fn formula(points: &[Vec<f64>]) -> (Vec<u64>, u64, Vec<u64>) {
    let (mut cosines, mut close, mut at_ends) = (vec![0; BINS], 0, vec![0; BINS + 1]);
    for (i, x) in points.iter().enumerate() {
        for y in &points[i + 1..] {
            let cosine: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
            let place = (cosine + 1.0) / 2.0 * BINS as f64;
            cosines[(place.max(0.0) as usize).min(BINS - 1)] += 1;
            let end = place.round();
            at_ends[end as usize] += u64::from((place - end).abs() < 1e-6 * BINS as f64);
            let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum();
            close += u64::from(square <= NEAR * NEAR);
        }
    }
    (cosines, close, at_ends)
}

#[test]
fn counts_are_those_of_an_engine_that_holds_all_points_and_of_the_formula() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let found = evaluation().values(&engine, Sets::two(&x, &y), &resources()).unwrap();
    assert_eq!(found.counts.len(), 2);
    for (seed, (counts, file)) in (1..).zip(found.counts.iter().zip([&x, &y])) {
        let (cosines, close, at_ends) = formula(&rows(random::normal(ROWS, DIMS, seed), Scaling::Unit));
        let of = counts.cosines.as_ref().unwrap();
        assert_eq!(of.iter().sum::<u64>(), unordered_pairs(ROWS));
        for bin in 0..BINS {
            let free = at_ends[bin] + at_ends[bin + 1];
            assert!(of[bin].abs_diff(cosines[bin]) <= free, "{bin}: {} and {}", of[bin], cosines[bin]);
        }
        assert!(close > 100 && counts.close_pairs == Some(close), "{close} and {:?}", counts.close_pairs);
        let points = engine.upload_owned(file.embeddings(Scaling::Unit).unwrap()).unwrap();
        let whole = engine.value(CosineHistogram::new(BINS).within(&points)).unwrap();
        assert!(whole.iter().zip(of).all(|(a, b)| a.abs_diff(*b) <= 3), "{whole:?} and {of:?}");
        let whole = engine.value(ClosePairs::within(&points, NEAR)).unwrap().count;
        assert_eq!(counts.close_pairs, Some(whole));
    }
}

#[test]
fn memory_parts_and_stops_leave_the_counts_as_they_are() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let wanted = evaluation.values(&engine, sets, &resources()).unwrap();
    for more in [0, 1, 5] {
        let mut resources = resources();
        resources.max_memory = Some(least_memory(&evaluation, sets) + more * PANEL_BYTES);
        let found = evaluation.values(&engine, sets, &resources).unwrap();
        assert_eq!(found.counts, wanted.counts);
        let expected = evaluation.expected(sets.shape().unwrap(), resources.max_memory).unwrap();
        assert_eq!((found.cost.rows_read, found.cost.pairs_computed), (expected.rows_read, expected.pairs));
    }
    let merged = merged(7, &evaluation, &engine, sets);
    assert_eq!((&merged.counts, &merged.x), (&wanted.counts, &wanted.x));
    let mut stopped = with_journal(&files.path("run.journal"));
    stopped.max_memory = Some(least_memory(&evaluation, sets));
    stopped.observer = stopping_every(20);
    let (stops, found) = until_done(100, || evaluation.values(&engine, sets, &stopped));
    assert!(stops > 3 && found.counts == wanted.counts, "{stops} stops");
}

#[test]
fn either_count_alone_and_no_wrong_one() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, _) = files.open();
    let both = evaluation().values(&engine, Sets::one(&x), &resources()).unwrap().counts;
    let small = || Evaluation::new().with_panel_rows(PANEL_ROWS);
    let of = |evaluation: Evaluation| evaluation.values(&engine, Sets::one(&x), &resources());
    let cosines = of(small().with_cosine_histogram(BINS)).unwrap().counts;
    assert_eq!((&cosines[0].cosines, cosines[0].close_pairs), (&both[0].cosines, None));
    let close = of(small().with_close_pairs(NEAR)).unwrap().counts;
    assert_eq!((&close[0].cosines, close[0].close_pairs), (&None, both[0].close_pairs));
    assert!(of(small()).unwrap().counts.is_empty());
    // Raw points have distances and no cosines.
    let raw = small().with_scaling(Scaling::Raw);
    let points = engine.upload_owned(x.embeddings(Scaling::Raw).unwrap()).unwrap();
    let wanted = engine.value(ClosePairs::within(&points, 1.0)).unwrap().count;
    assert_eq!(of(raw.clone().with_close_pairs(1.0)).unwrap().counts[0].close_pairs, Some(wanted));
    for bad in [
        raw.with_cosine_histogram(BINS),
        small().with_cosine_histogram(0),
        small().with_cosine_histogram(65_537),
        small().with_close_pairs(-1.0),
        small().with_close_pairs(f64::NAN),
    ] {
        assert!(matches!(of(bad).unwrap_err(), Error::Engine(_)));
    }
    // A journal of another distance is of another run.
    let path = files.path("near.journal");
    let run = |near| small().with_close_pairs(near).values(&engine, Sets::one(&x), &with_journal(&path));
    run(NEAR).unwrap();
    assert!(matches!(run(0.2), Err(Error::Journal(_))));
    let one: File = File::open(&files.x).unwrap();
    assert_eq!(evaluation().values(&engine, Sets::one(&one), &resources()).unwrap().counts, both);
}
