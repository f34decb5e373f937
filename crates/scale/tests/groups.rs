//! Groups of sets beyond memory: the values of an engine that holds all points and of the formulas in f64, and the same bits whatever
//! the memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{
    DIMS, Files, PANEL_ROWS, ROWS, bits, merged, random, resources, rows, stopping_every, until_done,
    with_journal,
};
use unisphere::{Alignment, Engine, Groups, Scaling, Uniformity};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, Found, FoundGroups, JournalFault, Part, Sets};

const T: f64 = 2.0;

fn evaluation() -> Evaluation {
    Evaluation::new().with_ts(&[T, 1.0]).with_panel_rows(PANEL_ROWS)
}

/// A group of 700 rows, which is larger than a panel, one of 190, which is just a panel, many small ones, and one of a single row;
/// scattered, and with negative labels.
fn labels() -> Vec<i64> {
    let mut labels: Vec<i64> = (0..ROWS as i64)
        .map(|row| {
            if row < 700 {
                5
            } else if row < 890 {
                -3
            } else {
                100 + row % 40
            }
        })
        .collect();
    labels[1400] = -77;
    let mut random = random::Random::new(9);
    for row in (1..ROWS).rev() {
        labels.swap(row, (random.uniform() * row as f64) as usize);
    }
    labels
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn members(points: &[Vec<f64>], labels: &[i64], label: i64) -> Vec<Vec<f64>> {
    points.iter().zip(labels).filter(|(_, of)| **of == label).map(|(point, _)| point.clone()).collect()
}

/// A function of the distances of all pairs of a set, summed.
fn over_pairs(points: &[Vec<f64>], of: impl Fn(f64) -> f64) -> f64 {
    let rest = |(i, x): (usize, &Vec<f64>)| points[i + 1..].iter().map(|y| of(distance(x, y))).sum::<f64>();
    points.iter().enumerate().map(rest).sum()
}

fn pairs(rows: usize) -> f64 {
    (rows * rows.saturating_sub(1)) as f64 / 2.0
}

#[track_caller]
fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() < tolerance * wanted.abs().max(1.0), "{found} and {wanted}");
}

#[test]
fn groups_are_those_of_an_engine_that_holds_all_points_and_of_the_formula() {
    let (files, engine, labels) = (Files::new(), Engine::cpu(), labels());
    let (x, y) = files.open();
    let groups = Groups::new(&labels).unwrap();
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let evaluation = evaluation().with_scaling(scaling);
        let found = evaluation.groups(&engine, Sets::two(&x, &y), &labels, &resources()).unwrap();
        assert!(
            found.labels.iter().copied().eq(groups.labels())
                && found.sizes.iter().copied().eq(groups.sizes())
        );
        let points = [1, 2].map(|seed| rows(random::normal(ROWS, DIMS, seed), scaling));
        for ((of_set, points), file) in found.sets.iter().zip(&points).zip([&x, &y]) {
            let uploaded = engine.upload_owned(file.embeddings(scaling).unwrap()).unwrap();
            let wanted = engine.value(groups.uniformity(Uniformity::new(T), &uploaded)).unwrap();
            let (mut squares, mut count) = (0.0, 0.0);
            for (group, &label) in found.labels.iter().enumerate() {
                let of = members(points, &labels, label);
                squares += over_pairs(&of, |distance| distance.powi(2));
                count += pairs(of.len());
                let Some(value) = of_set.within[group] else {
                    assert_eq!((of.len(), wanted.within[group]), (1, None));
                    continue;
                };
                near(value, wanted.within[group].unwrap(), 1e-7);
                let mean = over_pairs(&of, |distance| (-T * distance.powi(2)).exp()) / pairs(of.len());
                near(value, mean.ln(), 1e-6);
            }
            let by_label = of_set.alignment_by_label.unwrap();
            near(by_label, squares / count, 1e-6);
            near(by_label, engine.value(Alignment::default().by_label(&uploaded, &groups)).unwrap(), 1e-6);
        }
        for (group, &label) in found.labels.iter().enumerate() {
            let [x, y] = [0, 1].map(|set| members(&points[set], &labels, label));
            let mean = x.iter().zip(&y).map(|(x, y)| distance(x, y).powi(2)).sum::<f64>() / x.len() as f64;
            near(found.alignment.as_ref().unwrap()[group], mean, 1e-6);
        }
    }
}

#[test]
fn memory_leaves_the_bits_as_they_are() {
    let (files, engine, labels) = (Files::new(), Engine::cpu(), labels());
    let (x, y) = files.open();
    let groups = |max_memory| -> Result<FoundGroups, Error> {
        let mut resources = resources();
        resources.max_memory = max_memory;
        evaluation().groups(&engine, Sets::two(&x, &y), &labels, &resources)
    };
    let wanted = groups(None).unwrap();
    let Err(Error::Memory { needed, .. }) = groups(Some(1)) else { panic!("1 byte") };
    // Lots of one group, of some, and of all.
    for more in [0, 2_000, 8_000, 1 << 20] {
        // A large group takes as much as an evaluation of it.
        match groups(Some(needed + more)) {
            Ok(found) => assert_eq!(found, wanted, "{more} bytes more than the least"),
            Err(Error::Memory { needed: of_large, .. }) => {
                assert_eq!(groups(Some(of_large + more + needed)).unwrap(), wanted)
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(
        wanted.sets[0],
        evaluation().groups(&engine, Sets::one(&x), &labels, &resources()).unwrap().sets[0]
    );
}

#[test]
fn what_is_not_known_is_none_and_wrong_labels_are_refused() {
    let (files, engine, labels) = (Files::new(), Engine::cpu(), labels());
    let (x, _) = files.open();
    let of = |evaluation: Evaluation, labels: &[i64]| {
        evaluation.groups(&engine, Sets::one(&x), labels, &resources())
    };
    // All groups fit into a panel: any power of the distance.
    let small: Vec<_> = (0..ROWS as i64).map(|row| row % 10).collect();
    let points = rows(random::normal(ROWS, DIMS, 1), Scaling::Unit);
    let by_label = of(evaluation().with_alpha(1.0), &small).unwrap().sets[0].alignment_by_label.unwrap();
    let sum: f64 =
        (0..10).map(|label| over_pairs(&members(&points, &small, label), |distance| distance)).sum();
    near(by_label, sum / (10.0 * pairs(ROWS / 10)), 1e-6);
    let found = of(evaluation().with_alpha(1.0), &labels).unwrap();
    assert_eq!((found.alignment, found.sets[0].alignment_by_label), (None, None));
    let alone = of(evaluation(), &(0..ROWS as i64).collect::<Vec<_>>()).unwrap();
    assert!(alone.sets[0].within.iter().all(Option::is_none) && alone.sets[0].alignment_by_label.is_none());
    let error = of(evaluation(), &labels[1..]).unwrap_err();
    assert!(matches!(&error, Error::Sets { problem } if problem.contains("1499 labels")), "{error}");
    let short = files.path("short.npy");
    unisphere_io::write(&short, &random::normal(30, DIMS, 3), DIMS).unwrap();
    let short = File::open(&short).unwrap();
    let error = evaluation().groups(&engine, Sets::two(&x, &short), &labels, &resources()).unwrap_err();
    assert!(error.to_string().contains("30 rows"), "{error}");
}

/// The bits of all values, those of groups among them.
fn all_bits(found: &Found) -> Vec<u64> {
    let of_groups = found.groups.as_ref().unwrap();
    let of_set = |set: &unisphere_scale::GroupsOfSet| {
        let by_label = set.alignment_by_label.into_iter();
        set.within.iter().flatten().copied().chain(by_label).collect::<Vec<_>>()
    };
    let values = of_groups.sets.iter().flat_map(of_set).chain(of_groups.alignment.iter().flatten().copied());
    bits(found).into_iter().chain(values.map(f64::to_bits)).collect()
}

#[test]
fn journals_and_parts_have_the_groups_too() {
    let (files, engine, labels) = (Files::new(), Engine::cpu(), labels());
    let (x, y) = files.open();
    let paired = Sets::two(&x, &y);
    for (name, sets, evaluation) in [
        ("one", Sets::one(&x), evaluation()),
        ("two", paired, evaluation().across().with_potentials().with_strip_panels(2)),
        ("raw", paired, evaluation().with_scaling(Scaling::Raw).with_alpha(1.0)),
    ] {
        let sets = sets.with_labels(&labels);
        let wanted = evaluation.values(&engine, sets, &resources()).unwrap();
        let alone = evaluation.groups(&engine, Sets { labels: None, ..sets }, &labels, &resources()).unwrap();
        assert_eq!(wanted.groups.as_ref(), Some(&alone));
        let without = evaluation.values(&engine, Sets { labels: None, ..sets }, &resources()).unwrap();
        assert_eq!((without.groups.is_none(), bits(&without)), (true, bits(&wanted)));
        for parts in [1, 3, 20] {
            let found = merged(parts, &evaluation, &engine, sets);
            assert_eq!(all_bits(&found), all_bits(&wanted), "{name}, {parts} parts");
        }
        let mut resources = with_journal(&files.path(name));
        resources.observer = stopping_every(19);
        let (stops, found) = until_done(100, || evaluation.values(&engine, sets, &resources));
        assert!(stops > 3 && found.cost.blocks_recovered > 0, "{stops} stops");
        assert_eq!(all_bits(&found), all_bits(&wanted), "{name}");
        resources.observer = None;
        let again = evaluation.values(&engine, sets, &resources).unwrap();
        assert_eq!((all_bits(&again), again.cost.pairs_computed), (all_bits(&wanted), 0));
        assert_eq!(again.cost.blocks_recovered, again.cost.blocks);
    }
}

#[test]
fn groups_of_other_labels_or_points_are_refused() {
    let (files, engine, labels) = (Files::new(), Engine::cpu(), labels());
    let (x, _) = files.open();
    let (evaluation, sets) = (evaluation(), Sets::one(&x).with_labels(&labels));
    let journal = with_journal(&files.path("run.journal"));
    evaluation.values(&engine, sets, &journal).unwrap();
    let mut others = labels.clone();
    others.swap(0, 1);
    others[2] = 6;
    let error = evaluation.values(&engine, Sets::one(&x).with_labels(&others), &journal).unwrap_err();
    assert!(
        matches!(&error, Error::Journal(error) if matches!(error.fault, JournalFault::OtherRun)),
        "{error}"
    );
    let paths: Vec<_> = (1..=40).map(|number| files.path(&format!("{number}.part"))).collect();
    let part = |number: usize, sets| {
        evaluation.part(&engine, sets, Part { number, of: 40 }, &with_journal(&paths[number - 1]))
    };
    for number in 1..40 {
        part(number, sets).unwrap();
    }
    // The last part is of groups alone, and of points of which one has changed.
    let mut values = random::normal(ROWS, DIMS, 1);
    values[1] += 1e-3;
    unisphere_io::write(&files.x, &values, DIMS).unwrap();
    let changed = File::open(&files.x).unwrap();
    part(40, Sets::one(&changed).with_labels(&labels)).unwrap();
    let (shape, sample) = (sets.shape().unwrap(), sets.sample().unwrap());
    let merged = evaluation.merge(shape, sample, Some(&labels), &paths);
    assert!(matches!(&merged, Err(Error::Contradiction { .. })), "{merged:?}");
    let error = evaluation.merge(shape, sample, Some(&others), &paths).unwrap_err();
    assert!(error.to_string().contains("1.part is no file of part 1"), "{error}");
    assert!(matches!(evaluation.merge(shape, sample, Some(&labels[1..]), &paths), Err(Error::Sets { .. })));
}
