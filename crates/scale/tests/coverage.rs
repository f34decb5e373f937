//! Intervals against the exact value, from many seeds on real sets and on a hard one: 95 in 100 must hold it.

#![allow(clippy::print_stderr, reason = "a test says what it leaves out")]

#[path = "support/intervals.rs"]
mod intervals;

use unisphere::{Candidates, Contrastive, Embeddings, Engine, Scaling, SquaredMmd, Uniformity};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, Interval, Method, Resources, Result, Sampling, Sets};

use intervals::{borrowed, check_held, check_unbiased, gpu::gpu, hidden_pairs, random, seeds, verses};

/// Seeds of what takes seconds for each, at most.
const SLOW_SEEDS: u64 = 20;

/// Small panels, so that there are many blocks of so few rows.
fn sampling(seed: u64) -> Sampling {
    Sampling::new().with_seed(seed).with_panel_rows(16).estimate_only()
}

#[test]
fn intervals_of_real_sentences_hold_the_value() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let points = engine.upload(&x)?;
    for (t, seeds) in [(2.0, seeds()), (0.5, 20), (5.0, 20)] {
        let exact = engine.uniformity(&points, Uniformity::new(t))?;
        let of_seed = |seed| sampling(seed).with_tolerance(1e-2).uniformity(&engine, borrowed(&x), t);
        let found: Vec<_> = (0..seeds).map(of_seed).collect::<Result<_>>()?;
        check_held(&format!("t = {t}"), &found, exact);
        assert!(t > 2.0 || found.iter().all(Interval::meets_tolerance), "t = {t}");
        // The tolerance is of the draw.
        for of in &found {
            let wide = of.widened(1.0);
            assert!(wide.half_width() > 1.0 && wide.meets_tolerance() == of.meets_tolerance(), "{wide:?}");
        }
        check_unbiased(&format!("t = {t}"), &found, exact);
    }
    Ok(())
}

#[test]
fn intervals_across_two_sets_hold_the_value() -> Result<()> {
    let (engine, x, y) = (Engine::cpu(), verses("kjv"), verses("web"));
    let exact = engine.value(Uniformity::new(2.0).across(&engine.upload(&x)?, &engine.upload(&y)?))?;
    let of_seed =
        |seed| sampling(seed).with_tolerance(1e-2).cross_uniformity(&engine, borrowed(&x), borrowed(&y), 2.0);
    let found: Vec<_> = (0..20).map(of_seed).collect::<Result<_>>()?;
    check_held("across", &found, exact);
    assert!(found.iter().all(Interval::meets_tolerance));
    // Read from files: the same draws where they fit into memory, and other panels where they do not.
    let file = |translation: &str| {
        File::open(format!("{}/../../examples/data/verses-{translation}.npy", env!("CARGO_MANIFEST_DIR")))
    };
    let (x, y) = (file("kjv")?, file("web")?);
    let of_files = |sampling: Sampling| {
        sampling.cross_uniformities_of(&engine, Sets::two(&x, &y), Scaling::Unit, &[2.0])
    };
    assert_eq!(of_files(sampling(0).with_tolerance(1e-2))?, found[..1]);
    let of_seed = |seed| of_files(sampling(seed).with_tolerance(1e-2).with_max_memory(2_000_000));
    let found: Vec<_> = (0..20).map(of_seed).collect::<Result<Vec<_>>>()?.concat();
    check_held("across, in chunks", &found, exact);
    assert!(found.iter().all(Interval::meets_tolerance));
    // All pairs, where 2e-6 is asked for.
    let narrow = sampling(0).with_tolerance(2e-6).with_max_memory(40_000_000);
    let found = Sampling::new().with_tolerance(2e-6).with_max_memory(6_000_000);
    assert!(of_files(narrow)?[0].method == Method::NormWeightedBlocks);
    assert!(matches!(of_files(found), Err(Error::Memory { .. })));
    Ok(())
}

#[test]
fn intervals_of_squared_mmd_hold_the_value() -> Result<()> {
    let (engine, x, y) = (Engine::cpu(), verses("kjv"), verses("web"));
    let points = [engine.upload(&x)?, engine.upload(&y)?];
    let file = |translation: &str| {
        File::open(format!("{}/../../examples/data/verses-{translation}.npy", env!("CARGO_MANIFEST_DIR")))
    };
    let (x, y) = (file("kjv")?, file("web")?);
    let sets = Sets::two(&x, &y);
    for (t, seeds) in [(2.0, seeds()), (0.5, 10)] {
        let exact = engine.value(SquaredMmd::new(t).unpaired(&points[0], &points[1]))?;
        let of_seed = |sampling: Sampling| {
            sampling.with_tolerance(1e-2).squared_mmds_of(&engine, sets, Scaling::Unit, &[t])
        };
        let found = (0..seeds).map(|seed| of_seed(sampling(seed))).collect::<Result<Vec<_>>>()?.concat();
        check_held(&format!("squared MMD at t = {t}"), &found, exact);
        assert!(
            found.iter().all(|found| found.method == Method::NormWeightedBlocks && found.meets_tolerance())
        );
        // Sets larger than memory: rows in a random order within chunks, the same one for both.
        let in_chunks = |seed| of_seed(sampling(seed).with_max_memory(4_000_000));
        let chunked = (0..5).map(in_chunks).collect::<Result<Vec<_>>>()?.concat();
        check_held(&format!("squared MMD at t = {t}, in chunks"), &chunked, exact);
        assert!(chunked.iter().all(|found| found.method == Method::NormWeightedBlocks));
        // All pairs, where more is asked for than a sample can promise.
        let narrow = Sampling::new().with_panel_rows(16).with_tolerance(1e-6);
        let found = narrow.squared_mmds_of(&engine, sets, Scaling::Unit, &[t])?;
        assert!(found[0].method == Method::Exact, "{found:?}");
        // In another order of the rows, of which sums in f32 have other last digits.
        assert!((found[0].value - exact).abs() < 1e-7, "{found:?} and {exact}");
    }
    let one = Sampling::new().squared_mmds_of(&engine, Sets::one(&x), Scaling::Unit, &[2.0]);
    assert!(matches!(one, Err(Error::Sets { .. })));
    Ok(())
}

#[test]
fn intervals_of_squared_mmd_of_sets_of_different_sizes_hold_the_value() -> Result<()> {
    let (engine, folder) = (Engine::cpu(), tempfile::tempdir().expect("a folder"));
    let (x, all) = (verses("kjv"), verses("web"));
    // Other verses of the other translation, less than half as many.
    let rows = 1700;
    let values: Vec<_> = all.values()[..rows * all.dims()].iter().copied().map(f64::from).collect();
    let path = folder.path().join("y.npy");
    unisphere_io::write(&path, &values, all.dims())?;
    let y = File::open(path)?;
    let points = [engine.upload(&x)?, engine.upload(&y.embeddings(Scaling::Unit)?)?];
    let x = File::open(format!("{}/../../examples/data/verses-kjv.npy", env!("CARGO_MANIFEST_DIR")))?;
    for (sets, t, seeds) in [
        (Sets::two(&x, &y), 2.0, seeds().min(SLOW_SEEDS)),
        (Sets::two(&y, &x), 2.0, 5),
        (Sets::two(&x, &y), 0.5, 5),
    ] {
        let exact = engine.value(SquaredMmd::new(t).across(&points[0], &points[1]))?;
        let of_seed = |sampling: Sampling| {
            sampling.with_tolerance(2e-2).squared_mmds_of(&engine, sets, Scaling::Unit, &[t])
        };
        let found = (0..seeds).map(|seed| of_seed(sampling(seed))).collect::<Result<Vec<_>>>()?.concat();
        check_held(&format!("squared MMD of two sizes at t = {t}"), &found, exact);
        assert!(
            found.iter().all(|found| found.method == Method::NormWeightedBlocks && found.meets_tolerance()),
            "{found:?}"
        );
        let in_chunks = |seed| of_seed(sampling(seed).with_max_memory(3_000_000));
        let chunked = (0..5).map(in_chunks).collect::<Result<Vec<_>>>()?.concat();
        check_held(&format!("squared MMD of two sizes at t = {t}, in chunks"), &chunked, exact);
        // All pairs, where more is asked for than a sample can promise.
        let found =
            Sampling::new().with_tolerance(1e-7).squared_mmds_of(&engine, sets, Scaling::Unit, &[t])?;
        assert_eq!((found[0].method, found[0].confidence, found[0].share), (Method::Exact, 1.0, 1.0));
        assert!((found[0].value - exact).abs() < 1e-7, "{found:?} and {exact}");
    }
    // Collapsed sets, whose means do not tell how far they are apart: measured from the points.
    let file = |name: &str, rows: usize, offset: f64| {
        let value = |i: usize| 1.0 + if i.is_multiple_of(3) { offset } else { 0.0 } + 1e-6 * (i % 5) as f64;
        let path = folder.path().join(name);
        unisphere_io::write(&path, &(0..3 * rows).map(value).collect::<Vec<_>>(), 3)?;
        File::open(path)
    };
    let (x, y) = (file("a.npy", 30, 0.0)?, file("b.npy", 20, 1e-3)?);
    let found = Sampling::new().squared_mmds_of(&engine, Sets::two(&x, &y), Scaling::Unit, &[2.0])?;
    let upload = |set: &File| Ok::<_, Error>(engine.upload_owned(set.embeddings(Scaling::Unit)?)?);
    let exact = engine.value(SquaredMmd::new(2.0).across(&upload(&x)?, &upload(&y)?))?;
    assert!(exact > 0.0 && (found[0].value - exact).abs() < 1e-3 * exact, "{found:?} and {exact}");
    assert!(found[0].low <= exact && exact <= found[0].high);
    Ok(())
}

#[test]
fn intervals_of_the_contrastive_loss_hold_the_value() -> Result<()> {
    let engine = Engine::cpu();
    let points = [engine.upload(&verses("kjv"))?, engine.upload(&verses("web"))?];
    let file = |translation: &str| {
        File::open(format!("{}/../../examples/data/verses-{translation}.npy", env!("CARGO_MANIFEST_DIR")))
    };
    let (x, y) = (file("kjv")?, file("web")?);
    let of = |sampling: Sampling, tau, candidates| {
        let found =
            sampling.contrastives_of(&engine, Sets::two(&x, &y), Scaling::Unit, &[tau], candidates)?;
        Ok::<_, Error>(found[0])
    };
    for (tau, candidates, tolerance, seeds) in [
        (0.5, Candidates::OneWay, 3e-3, seeds().min(SLOW_SEEDS)),
        (0.07, Candidates::OneWay, 3e-2, seeds().min(SLOW_SEEDS)),
        (0.07, Candidates::BothWays, 3e-2, 2),
        (0.2, Candidates::Views, 1e-2, 2),
    ] {
        let exact = engine.value(Contrastive { tau, candidates }.paired(&points[0], &points[1]))?.loss;
        let of_seed = |seed| {
            let sampling = Sampling::new().with_seed(seed).with_tolerance(tolerance).estimate_only();
            of(sampling, tau, candidates)
        };
        let found = (0..seeds).map(of_seed).collect::<Result<Vec<_>>>()?;
        let what = format!("contrastive loss, {candidates}, tau = {tau}");
        if std::env::var("UNISPHERE_SEEDS").is_ok() {
            let held = found.iter().filter(|found| found.low <= exact && exact <= found.high).count();
            let width = found.iter().map(Interval::half_width).sum::<f64>() / found.len() as f64;
            let share = found.iter().map(|found| found.share).sum::<f64>() / found.len() as f64;
            eprintln!("{what}: {held} of {} hold {exact}, ± {width:.1e}, share {share:.3}", found.len());
        }
        check_held(&what, &found, exact);
        let all_are_short = found.iter().all(|found| {
            found.method == Method::MultilevelCandidates && found.meets_tolerance() && found.share < 0.3
        });
        assert!(all_are_short, "{what}: {found:?}");
        check_unbiased(&what, &found, exact);
    }
    // The same seed gives the same bits, and all candidates are taken where a sample would need as many.
    let narrow = Sampling::new().with_tolerance(1e-5);
    let short = of(narrow.estimate_only(), 0.07, Candidates::OneWay)?;
    assert!(!short.meets_tolerance() && short.share < 0.31, "{short:?}");
    assert_eq!(short, of(narrow.estimate_only(), 0.07, Candidates::OneWay)?);
    let found = of(narrow, 0.07, Candidates::OneWay)?;
    let metric = Contrastive { tau: 0.07, candidates: Candidates::OneWay };
    let exact = engine.value(metric.paired(&points[0], &points[1]))?.loss;
    assert_eq!((found.method, found.confidence, found.share), (Method::Exact, 1.0, 1.0));
    assert!((found.value - exact).abs() < 1e-7 && found.meets_tolerance(), "{found:?} and {exact}");
    let little = Sampling::new().with_max_memory(1_000_000);
    assert!(matches!(of(little.estimate_only(), 0.5, Candidates::OneWay), Err(Error::NotHeld { .. })));
    assert!(matches!(of(little, 0.5, Candidates::OneWay), Err(Error::Memory { .. })));
    assert!(matches!(of(narrow, 0.0, Candidates::OneWay), Err(Error::Engine(_))));
    Ok(())
}

#[test]
fn losses_beyond_memory_are_those_of_all_candidates() -> Result<()> {
    let (engine, folder) = (Engine::cpu(), tempfile::tempdir().expect("a folder"));
    let (rows, dims, taus) = (30_000, 24, [0.5]);
    let file = |name: &str, seed| {
        let path = folder.path().join(name);
        unisphere_io::write(&path, &random::normal(rows, dims, seed), dims)?;
        File::open(path)
    };
    let (x, y) = (file("x.npy", 1)?, file("y.npy", 2)?);
    let sets = Sets::two(&x, &y);
    // Memory is counted for each thread.
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
    let of = |sampling: Sampling| {
        let sampling = sampling.with_tolerance(1e-2).with_max_memory(9_000_000);
        let of = || sampling.contrastives_of(&engine, sets, Scaling::Unit, &taus, Candidates::OneWay);
        threads.install(of)
    };
    let evaluation = Evaluation::new().with_contrastive(&taus, Candidates::OneWay);
    let all = evaluation.values(&engine, sets, &Resources::default())?.contrastive.unwrap_or_default();
    let (found, unknown) = (of(Sampling::new())?, of(Sampling::new().without_all_pairs())?);
    for ((found, unknown), all) in found.iter().zip(&unknown).zip(&all) {
        assert_eq!((found.value, found.method, found.share), (all.loss, Method::Exact, 1.0));
        assert!(found.low < all.loss && all.loss < found.high && found.half_width() < 1e-5, "{found:?}");
        assert!(unknown.value.is_nan() && !unknown.meets_tolerance(), "{unknown:?}");
        assert_eq!((unknown.low, unknown.high, unknown.pairs), (0.0, f64::INFINITY, 0));
        assert_eq!(unknown.with_all_pairs(all.loss), *found);
    }
    Ok(())
}

#[test]
fn what_an_estimate_misses_is_left_to_the_caller() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let narrow = Sampling::new().with_panel_rows(16).with_tolerance(1e-6);
    let exact = narrow.uniformity(&engine, borrowed(&x), 2.0)?;
    let short = narrow.without_all_pairs().uniformity(&engine, borrowed(&x), 2.0)?;
    assert_eq!((exact.method, short.method), (Method::Exact, Method::NormWeightedBlocks));
    // No sample that is as large as may be, but the stages that were needed to know.
    let largest = narrow.estimate_only().uniformity(&engine, borrowed(&x), 2.0)?;
    assert!(!short.meets_tolerance() && short.pairs < largest.pairs, "{short:?} and {largest:?}");
    assert!(short.low <= exact.value && exact.value <= short.high, "{short:?} and {exact:?}");
    assert_eq!(short.with_all_pairs(exact.value), exact);
    // Discrepancies of sets that have collapsed may have no value.
    let none = short.with_all_pairs(f64::NAN);
    assert!(none.value.is_nan() && none.low == f64::NEG_INFINITY, "{none:?}");
    Ok(())
}

#[test]
fn a_gpu_draws_the_blocks_of_the_cpu() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let x = verses("kjv");
    let found = [&Engine::cpu(), &gpu]
        .map(|engine| sampling(1).with_tolerance(1e-2).uniformity(engine, borrowed(&x), 2.0));
    let [on_cpu, on_gpu] = found.map(|found| found.expect("an estimate"));
    assert_eq!((on_gpu.blocks, on_gpu.pairs), (on_cpu.blocks, on_cpu.pairs));
    assert!((on_gpu.low - on_cpu.low).abs() < 2e-6 && (on_gpu.high - on_cpu.high).abs() < 2e-6);
    Ok(())
}

#[test]
fn intervals_of_sets_larger_than_memory_hold_the_value() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let exact = engine.uniformity(&engine.upload(&x)?, Uniformity::new(2.0))?;
    let path = format!("{}/../../examples/data/verses-kjv.npy", env!("CARGO_MANIFEST_DIR"));
    let file = File::open(path)?;
    // Of 6.6 MB: chunks of 64 to 700 rows, in file order.
    for max_memory in [1_000_000, 3_000_000, 6_000_000, 10_000_000] {
        let of_seed = |seed| {
            let sampling = sampling(seed).with_tolerance(1e-2).with_max_memory(max_memory);
            sampling.uniformities_of(&engine, &file, Scaling::Unit, &[2.0])
        };
        let found: Vec<_> = (0..5).map(of_seed).collect::<Result<Vec<_>>>()?.concat();
        assert!(found.iter().all(|found| found.method == Method::NormWeightedBlocks), "{found:?}");
        check_held(&format!("in {max_memory} bytes"), &found, exact);
        assert!(found.iter().all(Interval::meets_tolerance), "{found:?}");
    }
    // In memory, the same draws as of points that are held.
    let of_file = sampling(1).uniformities_of(&engine, &file, Scaling::Unit, &[2.0, 0.5])?;
    assert_eq!(of_file[0], sampling(1).uniformity(&engine, borrowed(&x), 2.0)?);
    // What no sample can promise, from all pairs in little memory.
    let sampling = Sampling::new().with_panel_rows(16).with_tolerance(2e-6).with_max_memory(40_000_000);
    assert_eq!(sampling.uniformities_of(&engine, &file, Scaling::Unit, &[2.0])?[0].method, Method::Exact);
    Ok(())
}

/// Of a file that `UNISPHERE_LARGE` names: see scripts/test-coverage-large.
#[test]
#[ignore = "takes a quarter of an hour, and a set of 100,000 rows"]
fn intervals_of_a_large_set_hold_the_value_every_time() -> Result<()> {
    let (engine, file) = (Engine::cpu(), File::open(std::env::var("UNISPHERE_LARGE").expect("a file"))?);
    let ts = [0.5, 2.0, 5.0];
    let exact =
        engine.value(Uniformity::at(&ts).within(&engine.upload_owned(file.embeddings(Scaling::Unit)?)?))?;
    let mut held = [0; 3];
    for seed in 0..seeds() {
        let sampling = Sampling::new().with_seed(seed).with_tolerance(1e-3).estimate_only();
        let found = sampling.uniformities_of(&engine, &file, Scaling::Unit, &ts)?;
        for ((held, found), exact) in held.iter_mut().zip(&found).zip(&exact) {
            assert_eq!(found.method, Method::NormWeightedBlocks);
            *held += u64::from(found.low <= *exact && *exact <= found.high && found.meets_tolerance());
        }
    }
    assert_eq!(held, [seeds(); 3], "of {} seeds at t = {ts:?}", seeds());
    Ok(())
}

#[test]
fn close_pairs_that_no_block_has_shown_are_allowed_for() -> Result<()> {
    let (engine, x) = (Engine::cpu(), hidden_pairs(384));
    let points = engine.upload(&x)?;
    for (t, seeds) in [(5.0, seeds()), (10.0, 20)] {
        let exact = engine.uniformity(&points, Uniformity::new(t))?;
        let of_seed = |seed| sampling(seed).with_tolerance(1e-2).uniformity(&engine, borrowed(&x), t);
        let found: Vec<_> = (0..seeds).map(of_seed).collect::<Result<_>>()?;
        check_held(&format!("t = {t}"), &found, exact);
        assert!(t < 10.0 || found.iter().all(|found| !found.meets_tolerance()), "a promise at t = 10");
    }
    Ok(())
}

#[test]
fn what_no_sample_can_promise_is_computed() -> Result<()> {
    let (engine, x) = (Engine::cpu(), hidden_pairs(384));
    let exact = engine.uniformity(&engine.upload(&x)?, Uniformity::new(10.0))?;
    let found = Sampling::new().with_panel_rows(16).uniformity(&engine, borrowed(&x), 10.0)?;
    assert_eq!((found.method, found.confidence, found.share), (Method::Exact, 1.0, 1.0));
    assert!((found.value - exact).abs() <= 3e-6 && found.meets_tolerance());
    Ok(())
}

#[test]
fn one_seed_gives_one_result_and_another_another() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let of_seed = |seed| sampling(seed).with_tolerance(5e-3).uniformity(&engine, borrowed(&x), 2.0);
    let (first, again, other) = (of_seed(3)?, of_seed(3)?, of_seed(4)?);
    assert_eq!(first, again);
    assert!(first.value.to_bits() != other.value.to_bits());
    Ok(())
}

#[test]
fn loose_tolerances_and_panels_of_any_size_give_numbers() -> Result<()> {
    let engine = Engine::cpu();
    // Two clusters so far apart that blocks across them are 0.
    let values: Vec<f32> = (0..600).map(|row| (row % 2) as f32 * 1e3 + (row % 7) as f32 * 1e-2).collect();
    let x = || Embeddings::raw(values.as_slice(), 300, 2).expect("good points");
    let exact = engine.uniformity(&engine.upload(&x())?, Uniformity::new(2.0))?;
    for panel_rows in [1, 7, 16, 299, usize::MAX / 2 + 1, usize::MAX] {
        for tolerance in [1e-9, 0.5, 1.0, 1e3] {
            let sampling = Sampling::new().with_panel_rows(panel_rows).with_tolerance(tolerance);
            let found = sampling.estimate_only().uniformity(&engine, x(), 2.0)?;
            let what = format!("panels of {panel_rows}, ± {tolerance}: {found:?}");
            assert!(!found.value.is_nan() && found.low <= exact && exact <= found.high, "{what}");
        }
    }
    Ok(())
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let engine = Engine::cpu();
    let x = || Embeddings::new([1.0, 0.0, 0.0, 1.0].as_slice(), 2, 2).expect("good points");
    for (t, sampling) in [
        (0.0, Sampling::new()),
        (2.0, Sampling::new().with_tolerance(0.0)),
        (2.0, Sampling::new().with_tolerance(f64::NAN)),
        (2.0, Sampling::new().with_confidence(1.0)),
        (2.0, Sampling::new().with_panel_rows(0)),
    ] {
        assert!(matches!(
            sampling.uniformity(&engine, x(), t),
            Err(Error::Engine(unisphere::Error::Parameter { .. }))
        ));
    }
    let one = Embeddings::new([1.0, 0.0].as_slice(), 1, 2).expect("good points");
    assert!(Sampling::new().uniformity(&engine, one, 2.0).is_err());
    let found = Sampling::new().uniformity(&engine, x(), 2.0).expect("two rows are enough");
    assert_eq!(found.method, Method::Exact);
}
