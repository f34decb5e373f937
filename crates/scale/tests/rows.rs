//! What every row has by itself, beyond memory: the values of an engine that holds all points and of the formulas in f64, and the same
//! bits whatever the memory, the parts and the stops.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{
    DIMS, Files, PANEL_BYTES, PANEL_ROWS, ROWS, least_memory, merged, random, resources, rows,
    stopping_every, until_done, with_journal,
};
use unisphere::{Alignment, Engine, Scaling, Uniformity};
use unisphere_io::File;
use unisphere_scale::{Evaluation, Found, Rows, Sets};

const T: f64 = 3.0;

fn evaluation() -> Evaluation {
    Evaluation::new().with_ts(&[T, 0.5]).with_potentials().with_panel_rows(PANEL_ROWS).with_strip_panels(3)
}

fn bits(found: &Found) -> Vec<u64> {
    let Rows { x, y, distances, .. } = found.rows.as_ref().unwrap();
    let lists =
        [x.logs(), y.as_ref().map_or(&[][..], |y| y.logs()), distances.as_deref().unwrap_or_default()];
    lists.concat().iter().map(|value| value.to_bits()).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// log mean exp(−t‖x−x'‖²) over the other rows x' of every row x.
fn potentials(points: &[Vec<f64>]) -> Vec<f64> {
    let of_row = |(i, x): (usize, &Vec<f64>)| {
        let others = points.iter().enumerate().filter(|&(j, _)| j != i);
        let sum: f64 = others.map(|(_, other)| (-T * distance(x, other).powi(2)).exp()).sum();
        (sum / (points.len() - 1) as f64).ln()
    };
    points.iter().enumerate().map(of_row).collect()
}

#[track_caller]
fn near(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (row, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let scale = wanted.abs().max(1.0);
        assert!((found - wanted).abs() < tolerance * scale, "row {row}: {found} and {wanted}");
    }
}

#[test]
fn rows_are_those_of_an_engine_that_holds_all_points_and_of_the_formula() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    // Raw points are computed in f64; of unit rows, f32 rounds every sum over a panel, and one over all rows otherwise.
    for (scaling, tolerance) in [(Scaling::Raw, 1e-9), (Scaling::Unit, 1e-6)] {
        let found =
            evaluation().with_scaling(scaling).values(&engine, Sets::two(&x, &y), &resources()).unwrap();
        let of_rows = found.rows.as_ref().unwrap();
        let points = [1, 2].map(|seed| rows(random::normal(ROWS, DIMS, seed), scaling));
        let upload = |file: &File| engine.upload_owned(file.embeddings(scaling).unwrap()).unwrap();
        let uploaded = [upload(&x), upload(&y)];
        let sets = [(&of_rows.x, found.x[0]), (of_rows.y.as_ref().unwrap(), found.y.as_ref().unwrap()[0])];
        for (((found, value), points), uploaded) in sets.into_iter().zip(&points).zip(&uploaded) {
            near(found.logs(), &potentials(points), tolerance);
            let wanted = engine.value(Uniformity::new(T).potentials(uploaded)).unwrap();
            near(found.logs(), wanted.logs(), tolerance);
            // Their mean is the uniformity, and their spread its standard error.
            near(&[found.uniformity()], &[value], 1e-8);
            let errors = [found, &wanted].map(|of| of.estimate().standard_error);
            near(&errors[..1], &errors[1..], 1e-7);
            assert_eq!(found.most_crowded(20).len(), 20);
        }
        let distances: Vec<_> = points[0].iter().zip(&points[1]).map(|(x, y)| distance(x, y)).collect();
        near(of_rows.distances.as_ref().unwrap(), &distances, 1e-6);
        let wanted = engine.value(Alignment::distances(&uploaded[0], &uploaded[1])).unwrap();
        assert_eq!(of_rows.distances.as_ref().unwrap(), &wanted);
    }
}

#[test]
fn one_set_and_sets_of_other_lengths_have_no_distances() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, _) = files.open();
    let alone = evaluation().values(&engine, Sets::one(&x), &resources()).unwrap().rows.unwrap();
    assert_eq!((alone.x.logs().len(), &alone.y, &alone.distances), (ROWS, &None, &None));
    // Panels of 190 rows, of which the last has one: it has no pairs with itself.
    let path = files.path("short.npy");
    let values = random::normal(191, DIMS, 3);
    unisphere_io::write(&path, &values, DIMS).unwrap();
    let short = File::open(&path).unwrap();
    let both = evaluation().values(&engine, Sets::two(&x, &short), &resources()).unwrap().rows.unwrap();
    assert_eq!((&both.x, &both.distances), (&alone.x, &None));
    near(both.y.unwrap().logs(), &potentials(&rows(values, Scaling::Unit)), 1e-6);
    let none = Evaluation::new().values(&engine, Sets::one(&x), &resources()).unwrap();
    assert_eq!(none.rows, None);
}

#[test]
fn memory_parts_and_stops_leave_the_bits_as_they_are() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let wanted = evaluation.values(&engine, sets, &resources()).unwrap();
    for more in [0, 2, 100] {
        let mut resources = resources();
        resources.max_memory = Some(least_memory(&evaluation, sets) + more * PANEL_BYTES);
        let found = evaluation.values(&engine, sets, &resources).unwrap();
        assert!(bits(&found) == bits(&wanted), "{more} panels more than the least");
        let expected = evaluation.expected(sets.shape().unwrap(), resources.max_memory).unwrap();
        assert_eq!((found.cost.rows_read, found.cost.pairs_computed), (expected.rows_read, expected.pairs));
    }
    let merged = merged(5, &evaluation, &engine, sets);
    assert!(bits(&merged) == bits(&wanted) && merged.x == wanted.x);
    let mut stopped = with_journal(&files.path("run.journal"));
    stopped.max_memory = Some(least_memory(&evaluation, sets));
    stopped.observer = stopping_every(30);
    let (stops, found) = until_done(100, || evaluation.values(&engine, sets, &stopped));
    assert!(stops > 5, "{stops}");
    assert!(bits(&found) == bits(&wanted) && found.x == wanted.x);
}
