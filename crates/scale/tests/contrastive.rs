//! The contrastive loss and the squared discrepancy beyond memory: the values of an engine that holds all points and of the formulas
//! in f64, and the same bits after every stop.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, path::Path};

use support::{
    DIMS, Files, PANEL_BYTES, PANEL_ROWS, ROWS, least_memory, random, resources, rows, stopping_every,
    until_done, with_journal,
};
use unisphere::{
    Candidates, Contrastive, ContrastiveValue, Engine, Error as EngineError, Points, Scaling, SquaredMmd,
};
use unisphere_io::{File, Source};
use unisphere_scale::{Error, Evaluation, Found, JournalFault, Part, Resources, Sets};

const TS: [f64; 2] = [2.0, 0.5];
const TAUS: [f64; 2] = [0.5, 0.07];

fn evaluation(candidates: Candidates) -> Evaluation {
    Evaluation::new().with_contrastive(&TAUS, candidates).with_panel_rows(PANEL_ROWS).with_strip_panels(3)
}

fn numbers(value: &ContrastiveValue) -> [f64; 5] {
    [value.loss, value.normalized, value.alignment, value.uniformity, value.residual]
}

fn bits(found: &Found) -> Vec<u64> {
    found.contrastive.iter().flatten().flat_map(numbers).map(f64::to_bits).collect()
}

fn upload(engine: &Engine, source: &dyn Source, scaling: Scaling) -> Points {
    engine.upload_owned(source.embeddings_in(0..source.rows(), scaling).unwrap()).unwrap()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The loss by its formula: for each anchor, log Σ exp(logit) over its candidates less the logit of its partner.
fn loss(x: &[Vec<f64>], y: &[Vec<f64>], tau: f64, candidates: Candidates) -> f64 {
    let of_anchors = |x: &[Vec<f64>], y: &[Vec<f64>]| {
        let of_anchor = |i: usize| {
            let mut logits: Vec<_> = y.iter().map(|y| product(&x[i], y) / tau).collect();
            let positive = logits[i];
            if candidates == Candidates::Views {
                let own = (0..x.len()).filter(|&j| j != i);
                logits.extend(own.map(|j| product(&x[i], &x[j]) / tau));
            }
            let max = logits.iter().copied().fold(f64::MIN, f64::max);
            max + logits.iter().map(|logit| (logit - max).exp()).sum::<f64>().ln() - positive
        };
        (0..x.len()).map(of_anchor).sum::<f64>() / x.len() as f64
    };
    match candidates {
        Candidates::OneWay => of_anchors(x, y),
        _ => (of_anchors(x, y) + of_anchors(y, x)) / 2.0,
    }
}

/// The squared discrepancy by its formula, over the pairs i ≠ j across the sets or over all.
fn mmd(x: &[Vec<f64>], y: &[Vec<f64>], t: f64, are_paired: bool) -> f64 {
    let mean = |x: &[Vec<f64>], y: &[Vec<f64>], without_equal: bool| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, x) in x.iter().enumerate() {
            for (_, y) in y.iter().enumerate().filter(|&(j, _)| !(without_equal && i == j)) {
                let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum();
                sum += (-t * square).exp();
                count += 1.0;
            }
        }
        sum / count
    };
    mean(x, x, true) + mean(y, y, true) - 2.0 * mean(x, y, are_paired)
}

#[test]
fn losses_are_those_of_an_engine_that_holds_all_points_and_of_the_formula() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    // Raw points are computed in f64; of unit rows, f32 rounds every sum over a panel, and one over all rows otherwise.
    for (scaling, tolerance) in [(Scaling::Raw, 1e-9), (Scaling::Unit, 1e-7)] {
        let points = [&x, &y].map(|file| upload(&engine, file, scaling));
        let of_formula = [1, 2].map(|seed| rows(random::normal(ROWS, DIMS, seed), scaling));
        for &candidates in Candidates::ALL {
            let evaluation = evaluation(candidates).with_scaling(scaling);
            let found = evaluation.values(&engine, Sets::two(&x, &y), &resources()).unwrap();
            let found = found.contrastive.unwrap();
            let wanted =
                engine.value(Contrastive::at(&TAUS, candidates).paired(&points[0], &points[1])).unwrap();
            assert_eq!((found.len(), wanted.len()), (2, 2));
            for ((&tau, found), wanted) in TAUS.iter().zip(&found).zip(&wanted) {
                assert_eq!(found.negatives, wanted.negatives);
                for (a, b) in numbers(found).into_iter().zip(numbers(wanted)) {
                    let what = format!("{candidates}, {scaling:?}, tau {tau}: {found:?} and {wanted:?}");
                    assert!((a - b).abs() < tolerance * b.abs().max(1.0), "{what}");
                }
                let of_formula = loss(&of_formula[0], &of_formula[1], tau, candidates);
                let (found, scale) = (found.loss, of_formula.abs().max(1.0));
                assert!((found - of_formula).abs() < 1e-6 * scale, "{tau}: {found} and {of_formula}");
            }
        }
    }
}

#[test]
fn discrepancies_are_those_of_an_engine_that_holds_all_points_and_of_the_formula() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, _) = files.open();
    for y_rows in [ROWS, 777] {
        let path = files.path("other.npy");
        let values: Vec<_> = random::normal(y_rows, DIMS, 3).iter().map(|value| value + 0.2).collect();
        unisphere_io::write(&path, &values, DIMS).unwrap();
        let y = File::open(&path).unwrap();
        let evaluation = Evaluation::new().with_ts(&TS).with_panel_rows(PANEL_ROWS).with_mmd();
        let found = evaluation.values(&engine, Sets::two(&x, &y), &resources()).unwrap();
        assert_eq!(found.across.as_ref().map(Vec::len), Some(2));
        let [of_x, of_y] = [random::normal(ROWS, DIMS, 1), values].map(|values| rows(values, Scaling::Unit));
        let [x, y] = [&x, &y].map(|file| upload(&engine, file, Scaling::Unit));
        for (&t, found) in TS.iter().zip(found.squared_mmd.unwrap()) {
            let (found, metric, are_paired) = (found.unwrap(), SquaredMmd::new(t), y_rows == ROWS);
            let wanted = match are_paired {
                true => engine.value(metric.unpaired(&x, &y)).unwrap(),
                false => engine.value(metric.across(&x, &y)).unwrap(),
            };
            assert!((found - wanted).abs() < 1e-8, "{y_rows} rows, t {t}: {found} and {wanted}");
            let of_formula = mmd(&of_x, &of_y, t, are_paired);
            assert!((found - of_formula).abs() < 1e-7, "{y_rows} rows, t {t}: {found} and {of_formula}");
            // The positive pairs and the bias would show.
            assert!((found - mmd(&of_x, &of_y, t, !are_paired)).abs() > 1e-7 || !are_paired);
        }
    }
}

#[test]
fn collapsed_sets_have_no_discrepancy_rather_than_a_wrong_one() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let narrow = |name: &str, seed| {
        let values: Vec<_> = random::normal(400, DIMS, seed).iter().map(|value| 1.0 + 1e-3 * value).collect();
        unisphere_io::write(files.path(name), &values, DIMS).unwrap();
        File::open(files.path(name)).unwrap()
    };
    let (x, y) = (narrow("narrow_x.npy", 5), narrow("narrow_y.npy", 6));
    // At so large a t the sets have not collapsed.
    let evaluation = Evaluation::new().with_ts(&[2.0, 1e5]).with_panel_rows(PANEL_ROWS).with_mmd();
    let found = evaluation.values(&engine, Sets::two(&x, &y), &resources()).unwrap();
    let [None, Some(value)] = found.squared_mmd.as_deref().unwrap() else { panic!("{found:?}") };
    let [x, y] = [&x, &y].map(|file| upload(&engine, file, Scaling::Unit));
    let wanted = engine.value(SquaredMmd::new(1e5).unpaired(&x, &y)).unwrap();
    assert!((value - wanted).abs() < 1e-9, "{value} and {wanted}");
}

/// As little memory as an evaluation can do with, and so many panels more.
fn little_memory(evaluation: &Evaluation, sets: Sets<'_>, more: u64) -> Resources {
    let mut resources = resources();
    resources.max_memory = Some(least_memory(evaluation, sets) + more * PANEL_BYTES);
    resources
}

#[test]
fn runs_stopped_within_strips_go_on_from_their_journal() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation(Candidates::BothWays));
    let wanted = evaluation.values(&engine, sets, &resources()).unwrap();
    let mut resources = little_memory(&evaluation, sets, 0);
    resources.journal = Some(files.path("run.journal"));
    resources.observer = stopping_every(10);
    let (stops, found) = until_done(100, || evaluation.values(&engine, sets, &resources));
    assert!(stops > 10, "{stops}");
    assert_eq!((bits(&found), found.x), (bits(&wanted), wanted.x));
}

/// The journal of a whole run, and how long its header and its records are.
fn whole_journal(path: &Path) -> (Vec<u8>, usize, usize) {
    (fs::read(path).unwrap(), 256, 16 + 8 * 16)
}

#[test]
fn a_journal_cut_anywhere_leads_to_the_same_bits() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation(Candidates::OneWay));
    let path = files.path("run.journal");
    let wanted = evaluation.values(&engine, sets, &with_journal(&path)).unwrap();
    let (bytes, header, record) = whole_journal(&path);
    assert_eq!((bytes.len() - header) % record, 0);
    let records = (bytes.len() - header) / record;
    // 24 strips of up to 24 pieces each end the journal: cuts in the first and the last ones, and between records and within.
    for cut in [records / 3, records / 2, records - 200, records - 25, records - 24, records - 2, records - 1]
    {
        for more in [0, 77] {
            fs::write(&path, &bytes[..header + cut * record + more]).unwrap();
            let found = evaluation.values(&engine, sets, &with_journal(&path)).unwrap();
            assert_eq!(bits(&found), bits(&wanted), "{cut} of {records} records, {more} bytes");
            assert_eq!((&found.x, found.alignment), (&wanted.x, wanted.alignment));
            let cost = found.cost;
            assert_eq!((cost.bytes_discarded, cost.blocks), (more as u64, wanted.cost.blocks));
            let is_whole = cut == records - 1;
            assert_eq!(cost.blocks_recovered == cost.blocks, is_whole, "{cost:?}, {cut} of {records}");
            assert_eq!(cost.pairs_computed == 0, is_whole);
        }
    }
}

#[test]
fn damage_of_a_strip_is_found() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation(Candidates::OneWay));
    let path = files.path("run.journal");
    evaluation.values(&engine, sets, &with_journal(&path)).unwrap();
    let (bytes, _, record) = whole_journal(&path);
    for from_end in [3, 10, 24, 100] {
        let mut damaged = bytes.clone();
        let place = damaged.len() - from_end * record + 40;
        damaged[place] ^= 4;
        fs::write(&path, &damaged).unwrap();
        let error = evaluation.values(&engine, sets, &with_journal(&path)).unwrap_err();
        let Error::Journal(error) = error else { panic!("{error}") };
        assert!(matches!(error.fault, JournalFault::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn parts_of_strips_merge_to_the_same_bits_and_missing_ones_are_named() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation(Candidates::BothWays));
    let wanted = evaluation.values(&engine, sets, &resources()).unwrap();
    let (shape, sample) = (sets.shape().unwrap(), sets.sample().unwrap());
    let of = 9;
    let paths: Vec<_> = (1..=of).map(|number| files.path(&format!("{number}.part"))).collect();
    for (number, path) in (1..).zip(&paths) {
        let mut resources = little_memory(&evaluation, sets, number % 3);
        resources.journal = Some(path.clone());
        evaluation.part(&engine, sets, Part { number: number as usize, of }, &resources).unwrap();
    }
    let merged = evaluation.merge(shape, sample, None, &paths).unwrap();
    assert_eq!((bits(&merged), &merged.x), (bits(&wanted), &wanted.x));
    // The last part without its closing record and one piece of its last strip.
    let (bytes, _, record) = whole_journal(&paths[of - 1]);
    fs::write(&paths[of - 1], &bytes[..bytes.len() - 2 * record]).unwrap();
    let error = evaluation.merge(shape, sample, None, &paths).unwrap_err();
    assert!(matches!(&error, Error::Missing { missing, .. } if *missing == [of]), "{error}");
}

#[test]
fn a_run_of_other_temperatures_is_not_gone_on_with() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, path) = (Sets::two(&x, &y), files.path("run.journal"));
    let begun = evaluation(Candidates::BothWays);
    begun.values(&engine, sets, &with_journal(&path)).unwrap();
    for other in [
        begun.clone().with_contrastive(&[0.5, 0.08], Candidates::BothWays),
        begun.clone().with_contrastive(&[0.07, 0.5], Candidates::BothWays),
        begun.clone().with_contrastive(&TAUS, Candidates::OneWay),
        begun.clone().with_contrastive(&[], Candidates::BothWays),
        begun.clone().with_strip_panels(2),
        begun.clone().with_mmd(),
    ] {
        let error = other.values(&engine, sets, &with_journal(&path)).unwrap_err();
        let Error::Journal(error) = error else { panic!("{error}") };
        assert!(matches!(error.fault, JournalFault::OtherRun), "{error}");
    }
}

#[test]
fn what_has_no_positive_pairs_is_refused() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let evaluation = evaluation(Candidates::BothWays);
    let short = files.path("short.npy");
    unisphere_io::write(&short, &random::normal(30, DIMS, 3), DIMS).unwrap();
    let short = File::open(&short).unwrap();
    for (sets, word) in [(Sets::one(&x), "no other"), (Sets::two(&x, &short), "the other 30")] {
        let error = evaluation.values(&engine, sets, &resources()).unwrap_err();
        assert!(matches!(&error, Error::Sets { problem } if problem.contains(word)), "{error}");
    }
    for bad in [
        evaluation.clone().with_contrastive(&[0.5, 0.0], Candidates::OneWay),
        evaluation.clone().with_contrastive(&[f64::NAN], Candidates::OneWay),
        evaluation.clone().with_strip_panels(0),
    ] {
        let error = bad.values(&engine, Sets::two(&x, &y), &resources()).unwrap_err();
        assert!(matches!(error, Error::Engine(EngineError::Parameter { .. })), "{error}");
    }
}
