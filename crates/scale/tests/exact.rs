//! Exact values beyond memory: the same bits for every amount of memory, every number of parts and every interruption, and the
//! values of an engine that holds all points.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use support::{
    DIMS, Files, PANEL_BYTES, PANEL_ROWS, ROWS, bits, gpu::gpu, least_memory, random, resources,
    stopping_every, until_done, with_journal,
};
use unisphere::{Alignment, Candidates, Engine, Error as EngineError, Scaling, Uniformity};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, JournalFault, Part, Sets, Shape};

const TS: [f64; 2] = [2.0, 0.5];

fn evaluation() -> Evaluation {
    Evaluation::new().with_ts(&TS).across().with_panel_rows(PANEL_ROWS)
}

/// The same with the discrepancy, and with all that is summed in strips, several for each panel.
fn everything() -> Evaluation {
    evaluation()
        .with_mmd()
        .with_contrastive(&[0.5, 0.05], Candidates::Views)
        .with_potentials()
        .with_cosine_histogram(20)
        .with_close_pairs(0.3)
        .with_strip_panels(3)
}

#[test]
fn values_are_those_of_an_engine_that_holds_all_points() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let found = evaluation().values(&engine, Sets::two(&x, &y), &resources()).unwrap();
    let upload = |file: &File| engine.upload_owned(file.embeddings(Scaling::Unit).unwrap()).unwrap();
    let (x, y) = (upload(&x), upload(&y));
    let near = |what: &str, found: f64, wanted: f64| {
        assert!((found - wanted).abs() < 1e-8, "{what}: {found} and {wanted}");
    };
    near("alignment", found.alignment.unwrap(), engine.alignment(&x, &y, Alignment::default()).unwrap());
    for (place, &t) in TS.iter().enumerate() {
        let metric = Uniformity::new(t);
        near("x", found.x[place], engine.uniformity(&x, metric).unwrap());
        near("y", found.y.as_ref().unwrap()[place], engine.uniformity(&y, metric).unwrap());
        near("across", found.across.as_ref().unwrap()[place], engine.value(metric.across(&x, &y)).unwrap());
    }
}

#[test]
fn a_gpu_gives_its_bits_whatever_the_memory() {
    let (Some(gpu), files) = (gpu(), Files::new()) else { return };
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), everything());
    let on_cpu = evaluation.values(&Engine::cpu(), sets, &resources()).unwrap();
    let much = evaluation.values(&gpu, sets, &with_journal(&files.path("gpu.journal"))).unwrap();
    let mut few = resources();
    few.max_memory = Some(least_memory(&evaluation, sets));
    assert_eq!(bits(&evaluation.values(&gpu, sets, &few).unwrap()), bits(&much));
    assert!((much.x[0] - on_cpu.x[0]).abs() < 2e-6 && (much.x[1] - on_cpu.x[1]).abs() < 2e-6);
    let potentials = [&much, &on_cpu].map(|found| found.rows.as_ref().unwrap().x.logs());
    assert!(potentials[0].iter().zip(potentials[1]).all(|(a, b)| (a - b).abs() < 1e-5));
    for (found, wanted) in much.counts.iter().zip(&on_cpu.counts) {
        assert_eq!(found.close_pairs, wanted.close_pairs);
        let cosines = found.cosines.iter().flatten().zip(wanted.cosines.iter().flatten());
        assert!(cosines.clone().count() == 20 && cosines.into_iter().all(|(a, b)| a.abs_diff(*b) < 20));
    }
    let error =
        evaluation.values(&Engine::cpu(), sets, &with_journal(&files.path("gpu.journal"))).unwrap_err();
    let Error::Journal(error) = error else { panic!("{error}") };
    assert!(matches!(error.fault, JournalFault::OtherDevice { .. }), "{error}");
}

#[test]
fn memory_and_parts_leave_the_bits_as_they_are() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), everything());
    let wanted = bits(&evaluation.values(&engine, sets, &resources()).unwrap());
    let least = least_memory(&evaluation, sets);
    let mut reads = Vec::new();
    for more in [0, 1, 2, 3, 6, 100] {
        let mut resources = resources();
        resources.max_memory = Some(least + more * PANEL_BYTES);
        let expected = evaluation.expected(sets.shape().unwrap(), resources.max_memory).unwrap();
        assert!(expected.memory <= least + more * PANEL_BYTES);
        let found = evaluation.values(&engine, sets, &resources).unwrap();
        assert_eq!(bits(&found), wanted, "{more} panels more than the least");
        assert_eq!((found.cost.rows_read, found.cost.pairs_computed), (expected.rows_read, expected.pairs));
        reads.push(found.cost.rows_read);
    }
    assert!(reads.is_sorted_by(|few, many| few >= many) && reads[0] > 2 * reads[5], "{reads:?}");
    for parts in [1, 2, 5, 40] {
        let folder = files.path(&format!("{parts}"));
        fs::create_dir(&folder).unwrap();
        let file = |number: usize| folder.join(format!("{number}.part"));
        // In any order.
        for number in (1..=parts).rev() {
            let part = Part { number, of: parts };
            evaluation.part(&engine, sets, part, &with_journal(&file(number))).unwrap();
        }
        let paths: Vec<_> = (1..=parts).map(file).collect();
        let merged =
            evaluation.merge(sets.shape().unwrap(), sets.sample().unwrap(), sets.labels, &paths).unwrap();
        assert_eq!(bits(&merged), wanted, "{parts} parts");
        // A finished part costs nothing more.
        let again =
            evaluation.part(&engine, sets, Part { number: 1, of: parts }, &with_journal(&file(1))).unwrap();
        assert_eq!((again.pairs_computed, again.rows_read, again.blocks_recovered), (0, 0, again.blocks));
    }
}

#[test]
fn stopped_runs_go_on_from_their_journal() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let wanted = evaluation.values(&engine, sets, &resources()).unwrap();
    let mut resources = with_journal(&files.path("run.journal"));
    resources.observer = stopping_every(7);
    let (stops, found) = until_done(50, || evaluation.values(&engine, sets, &resources));
    assert!(stops > 3);
    assert_eq!(bits(&found), bits(&wanted));
    assert!(found.cost.blocks_recovered > 0 && found.cost.pairs_computed < wanted.cost.pairs_computed);
}

#[test]
fn a_changed_input_is_noticed_within_a_run_and_by_the_next() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (sets_of, evaluation) = (|x| Sets::one(x), evaluation());
    let journal = with_journal(&files.path("run.journal"));
    // Stopped half-way, when every panel was read once.
    let (x, _) = files.open();
    let mut stopped = journal.clone();
    stopped.max_memory = Some(least_memory(&evaluation, sets_of(&x)));
    stopped.observer = stopping_every(13);
    let error = evaluation.values(&engine, sets_of(&x), &stopped).unwrap_err();
    assert!(matches!(error, Error::Engine(EngineError::Stopped)), "{error}");
    let mut values = random::normal(ROWS, DIMS, 1);
    values[700 * DIMS] += 1e-3;
    unisphere_io::write(&files.x, &values, DIMS).unwrap();
    let (x, _) = files.open();
    let error = evaluation.values(&engine, sets_of(&x), &journal).unwrap_err();
    assert!(matches!(&error, Error::Changed { rows, .. } if rows.contains(&700)), "{error}");
    assert!(error.to_string().contains("x.npy"), "{error}");
    // Rows whose blocks are all done are read again all the same.
    let finished = with_journal(&files.path("finished.journal"));
    let found = evaluation.values(&engine, sets_of(&x), &finished).unwrap();
    assert_eq!(bits(&evaluation.values(&engine, sets_of(&x), &finished).unwrap()), bits(&found));
    values[3] += 1e-3;
    unisphere_io::write(&files.x, &values, DIMS).unwrap();
    let (x, _) = files.open();
    let error = evaluation.values(&engine, sets_of(&x), &finished).unwrap_err();
    assert!(matches!(&error, Error::Changed { rows, .. } if rows.contains(&0)), "{error}");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let (shape, sample) = (sets.shape().unwrap(), sets.sample().unwrap());
    let paths: Vec<_> = (1..=3).map(|number| files.path(&format!("{number}.part"))).collect();
    let part = |number: usize, evaluation: &Evaluation, sets| {
        evaluation.part(&engine, sets, Part { number, of: 3 }, &with_journal(&paths[number - 1]))
    };
    part(2, &evaluation, sets).unwrap();
    // Of a part that was killed before it had begun.
    fs::write(&paths[2], b"").unwrap();
    let error = evaluation.merge(shape, sample, None, &paths).unwrap_err();
    assert!(matches!(&error, Error::Missing { missing, parts: 3 } if *missing == [1, 3]), "{error}");
    assert!(matches!(part(2, &evaluation.clone().with_alpha(1.0), sets), Err(Error::Journal(error))
        if matches!(error.fault, JournalFault::OtherRun)));
    // The third part of other points.
    part(1, &evaluation, sets).unwrap();
    part(3, &evaluation, Sets::two(&y, &x)).unwrap();
    let error = evaluation.merge(shape, sample, None, &paths).unwrap_err();
    assert!(matches!(&error, Error::Sets { .. }) && error.to_string().contains("3.part"), "{error}");
    // One row of them changed between two parts, which no sample shows.
    fs::remove_file(&paths[2]).unwrap();
    let mut values = random::normal(ROWS, DIMS, 1);
    values[1] += 1e-3;
    unisphere_io::write(&files.x, &values, DIMS).unwrap();
    let changed = File::open(&files.x).unwrap();
    let other = evaluation.clone();
    let finished = part(1, &other, Sets::two(&changed, &y)).unwrap();
    assert_eq!(finished.pairs_computed, 0);
    fs::remove_file(&paths[0]).unwrap();
    part(1, &other, Sets::two(&changed, &y)).unwrap();
    part(3, &evaluation, sets).unwrap();
    // The file that is open is the one that was replaced or written over.
    let merged = evaluation.merge(shape, sample, None, &paths);
    assert!(matches!(&merged, Err(Error::Contradiction { .. })), "{merged:?}");
    // A part's file under the name of another.
    fs::copy(&paths[1], &paths[0]).unwrap();
    let error = evaluation.merge(shape, sample, None, &paths).unwrap_err();
    assert!(error.to_string().contains("1.part is no file of part 1"), "{error}");
    for number in [0, 4] {
        let asked =
            evaluation.part(&engine, sets, Part { number, of: 3 }, &with_journal(&files.path("none")));
        assert!(matches!(asked, Err(Error::NoPart { .. })));
    }
    fs::remove_file(&paths[0]).unwrap();
    fs::write(&paths[2], b"something else").unwrap();
    assert!(matches!(evaluation.merge(shape, sample, None, &paths), Err(Error::Journal(_))));
}

#[test]
fn parameters_and_sets_that_make_no_sense_are_refused() {
    let (files, engine) = (Files::new(), Engine::cpu());
    let (x, _) = files.open();
    for bad in [
        evaluation().with_ts(&[2.0, 0.0]),
        evaluation().with_ts(&[]),
        evaluation().with_ts(&[1.0; 65]),
        evaluation().with_alpha(f64::NAN),
        evaluation().with_panel_rows(0),
    ] {
        let error = bad.values(&engine, Sets::one(&x), &resources()).unwrap_err();
        assert!(
            matches!(error, Error::Engine(EngineError::Parameter { .. }) | Error::Sets { .. }),
            "{error}"
        );
    }
    let wide = files.path("wide.npy");
    unisphere_io::write(&wide, &random::normal(10, DIMS + 1, 3), DIMS + 1).unwrap();
    let wide = File::open(&wide).unwrap();
    let error = evaluation().values(&engine, Sets::two(&x, &wide), &resources()).unwrap_err();
    assert!(matches!(&error, Error::Sets { problem } if problem.contains("wide.npy has 8")), "{error}");
    let one = files.path("one.npy");
    unisphere_io::write(&one, &random::normal(1, DIMS, 3), DIMS).unwrap();
    let one = File::open(&one).unwrap();
    assert!(evaluation().values(&engine, Sets::one(&one), &resources()).is_err());
}

#[test]
fn a_small_set_beside_a_large_one_takes_the_panels_of_the_large_one() -> Result<(), Error> {
    let shape = |x_rows, y_rows| Shape { x_rows, y_rows: Some(y_rows), dims: 384 };
    let evaluation = Evaluation::new().across();
    let memory = |shape| Ok::<_, Error>(evaluation.expected(shape, Some(200 << 20))?.memory);
    let (small_first, large_first) = (memory(shape(10, 200_000))?, memory(shape(200_000, 10))?);
    assert!(small_first > 100 << 20, "{small_first}");
    assert!(small_first.abs_diff(large_first) < 32 << 20, "{small_first}, {large_first}");
    Ok(())
}
