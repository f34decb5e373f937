//! Rounds of a tournament: intervals against the exact value, from many seeds on real sets and on a hard one, and what becomes of
//! sets that rounds do not tell.

#![allow(clippy::print_stderr, reason = "a test says what it has found, where it is asked for")]

#[path = "support/intervals.rs"]
mod intervals;

use unisphere::{Embeddings, Engine, Scaling, Uniformity};
use unisphere_io::File;
use unisphere_scale::{Draw, Error, Interval, Method, Result, Sampling, Sets};

use intervals::{borrowed, check_held, check_unbiased, gpu::gpu, hidden_pairs, seeds, verses};

/// Small panels, so that there are many rounds of so few rows.
fn sampling(seed: u64) -> Sampling {
    Sampling::new().with_draw(Draw::Rounds).with_seed(seed).with_panel_rows(32)
}

/// Dimensions of the set with hidden pairs.
const DIMS: usize = 96;

/// Uniformity over the pairs i < j of rows as they are, in f64.
fn uniformity(values: &[f32], dims: usize, t: f64) -> f64 {
    let rows: Vec<_> = values.chunks(dims).collect();
    let square = |a: f32, b: f32| (f64::from(a) - f64::from(b)).powi(2);
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (j, y) in rows.iter().enumerate() {
        for x in &rows[..j] {
            sum += (-t * x.iter().zip(*y).map(|(&a, &b)| square(a, b)).sum::<f64>()).exp();
            pairs += 1.0;
        }
    }
    (sum / pairs).ln()
}

/// Says what intervals have come to, in a long run.
fn tell(what: &str, found: &[Interval], exact: f64) {
    if std::env::var("UNISPHERE_SEEDS").is_ok() {
        let held = found.iter().filter(|found| found.low <= exact && exact <= found.high).count();
        let promised = found.iter().filter(|found| found.method == Method::TournamentRounds);
        let share = found.iter().map(|found| found.share).sum::<f64>() / found.len() as f64;
        let of = found.len();
        eprintln!("{what}: {held} of {of} hold {exact}, {} by rounds, share {share:.3}", promised.count());
    }
}

#[test]
fn intervals_of_real_sentences_hold_the_value() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let points = engine.upload(&x)?;
    for (t, tolerance, seeds) in [(2.0, 2e-3, seeds() / 2), (5.0, 3e-2, seeds() / 2), (0.5, 5e-4, 4)] {
        let exact = engine.uniformity(&points, Uniformity::new(t))?;
        let of_seed = |seed| sampling(seed).with_tolerance(tolerance).uniformity(&engine, borrowed(&x), t);
        let found: Vec<_> = (0..seeds).map(of_seed).collect::<Result<_>>()?;
        tell(&format!("t = {t}"), &found, exact);
        check_held(&format!("t = {t}"), &found, exact);
        assert!(found.iter().all(Interval::meets_tolerance), "t = {t}");
        let by_rounds = found.iter().filter(|found| found.method == Method::TournamentRounds);
        // The others have seen too few of the pairs that make the variance at t = 5, and are of all pairs.
        assert!(4 * by_rounds.count() >= 3 * found.len(), "t = {t}: {found:?}");
        check_unbiased(&format!("t = {t}"), &found, exact);
    }
    Ok(())
}

#[test]
fn close_pairs_that_no_round_has_shown_are_allowed_for() -> Result<()> {
    let (engine, x) = (Engine::cpu(), hidden_pairs(DIMS));
    let points = engine.upload(&x)?;
    for (t, seeds) in [(5.0, seeds() / 2), (10.0, 2)] {
        let exact = engine.uniformity(&points, Uniformity::new(t))?;
        // A first stage that misses all of them now and then.
        let sampling = |seed| sampling(seed).with_panel_rows(16).with_tolerance(0.1).estimate_only();
        let of_seed = |seed| sampling(seed).uniformity(&engine, borrowed(&x), t);
        let found: Vec<_> = (0..seeds).map(of_seed).collect::<Result<_>>()?;
        tell(&format!("hidden pairs at t = {t}"), &found, exact);
        check_held(&format!("t = {t}"), &found, exact);
        let promises = found.iter().filter(|found| found.meets_tolerance()).count();
        assert!(if t < 10.0 { promises > 0 } else { promises == 0 }, "{promises} promises at t = {t}");
    }
    Ok(())
}

#[test]
fn what_rounds_do_not_tell_is_computed() -> Result<()> {
    let (engine, x) = (Engine::cpu(), hidden_pairs(DIMS));
    let points = engine.upload(&x)?;
    for (t, tolerance) in [(10.0, 0.1), (2.0, 1e-6)] {
        let exact = engine.uniformity(&points, Uniformity::new(t))?;
        let of = |sampling: Sampling| sampling.with_tolerance(tolerance).uniformity(&engine, borrowed(&x), t);
        let found = of(sampling(1))?;
        assert_eq!((found.method, found.confidence, found.share), (Method::Exact, 1.0, 1.0));
        assert!(found.method.is_proven() && found.meets_tolerance());
        assert!((found.value - exact).abs() <= 3e-6, "{found:?} and {exact}");
        let short = of(sampling(1).estimate_only())?;
        assert!(!short.method.is_proven() && !short.meets_tolerance() && short.share < 0.31, "{short:?}");
        assert!(short.low <= exact && exact <= short.high, "{short:?} and {exact}");
    }
    // Whatever was drawn before, and whatever was asked for, all pairs give the same bits.
    let of = |tolerance| sampling(1).with_tolerance(tolerance).uniformity(&engine, borrowed(&x), 2.0);
    let found: Vec<_> = [1e-7, 1e-8].into_iter().map(of).collect::<Result<_>>()?;
    assert!(found.iter().all(|of| of.method == Method::Exact && of.value == found[0].value), "{found:?}");
    Ok(())
}

#[test]
fn one_seed_gives_one_result_whatever_the_threads() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let of_seed = |seed| sampling(seed).with_tolerance(5e-3).uniformity(&engine, borrowed(&x), 2.0);
    let (first, other) = (of_seed(3)?, of_seed(4)?);
    assert_eq!(first.method, Method::TournamentRounds);
    assert!(first.value.to_bits() != other.value.to_bits());
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        assert_eq!(pool.install(|| of_seed(3))?, first, "{threads} threads");
    }
    let path = format!("{}/../../examples/data/verses-kjv.npy", env!("CARGO_MANIFEST_DIR"));
    let of_file = |sampling: Sampling| {
        let sampling = sampling.with_tolerance(5e-3);
        sampling.uniformities_of(&engine, &File::open(&path)?, Scaling::Unit, &[0.5, 2.0])
    };
    // Each t has the draws that it has alone.
    assert_eq!(of_file(sampling(3))?[1], first);
    let little = of_file(sampling(3).with_max_memory(3_000_000));
    assert!(matches!(little, Err(Error::NotHeld { .. })), "{little:?}");
    Ok(())
}

#[test]
fn copies_are_counted_and_not_drawn() -> Result<()> {
    let engine = Engine::cpu();
    // Eight of every nine rows are among 200; the others are alone. Of copies alone, a mean of pairs is far off.
    let (rows, dims) = (1800, 3);
    let angle = |i: usize| 0.7 * if i.is_multiple_of(9) { 1000 + i } else { i % 200 } as f64;
    let row = |i: usize| [angle(i).sin(), angle(i).cos(), (3.0 * angle(i)).sin()].map(|v| v as f32);
    let values: Vec<f32> = (0..rows).flat_map(row).collect();
    let exact = uniformity(&values, dims, 50.0);
    let x = || Embeddings::raw(values.as_slice(), rows, dims).expect("good points");
    let of_seed = |seed| sampling(seed).with_panel_rows(8).with_tolerance(0.1).uniformity(&engine, x(), 50.0);
    let found: Vec<_> = (0..20).map(of_seed).collect::<Result<_>>()?;
    check_held("copies", &found, exact);
    assert!(found.iter().any(|found| found.method == Method::TournamentRounds), "{found:?}");
    Ok(())
}

#[test]
fn sets_that_have_collapsed_have_their_value() -> Result<()> {
    let engine = Engine::cpu();
    let sampling = |seed| sampling(seed).with_panel_rows(8);
    let of = |values: &[f32], dims: usize, t: f64| {
        let x = Embeddings::raw(values, values.len() / dims, dims).expect("good points");
        sampling(0).with_tolerance(1e-3).uniformity(&engine, x, t)
    };
    // All rows equal; all but one; and all within rounding of each other.
    let equal = of(&[0.5; 4000], 2, 2.0)?;
    assert_eq!((equal.method, equal.value, equal.share), (Method::Exact, 0.0, 1.0));
    let mut values = vec![0.5; 4000];
    values[17] = 3.0;
    for values in [&values, &(0..4000).map(|i| 0.5 + 1e-4 * ((i * 7) % 13) as f32).collect::<Vec<_>>()] {
        let (found, exact) = (of(values, 2, 2.0)?, uniformity(values, 2, 2.0));
        assert!(
            found.low <= exact && exact <= found.high && found.meets_tolerance(),
            "{found:?} and {exact}"
        );
    }
    // So far apart that the kernel is 0 in f64, of which nothing can be promised.
    let values: Vec<f32> = (0..4000).map(|i| 100.0 * i as f32).collect();
    let x = || Embeddings::raw(values.as_slice(), 2000, 2).expect("good points");
    let found = sampling(0).with_tolerance(1e-3).estimate_only().uniformity(&engine, x(), 2.0)?;
    assert!(!found.value.is_nan() && !found.meets_tolerance() && found.high < 0.0, "{found:?}");
    Ok(())
}

#[test]
fn few_rows_and_panels_of_any_size_give_the_value() -> Result<()> {
    let engine = Engine::cpu();
    for rows in [2, 3, 5, 54, 300] {
        let values: Vec<f32> = (0..rows * 3).map(|i| (i * i % 101) as f32 * 0.02).collect();
        let exact = uniformity(&values, 3, 2.0);
        for panel_rows in [1, 2, 7, usize::MAX / 2 + 1, usize::MAX] {
            for tolerance in [1e-9, 0.3] {
                let x = Embeddings::raw(values.as_slice(), rows, 3).expect("good points");
                let sampling = sampling(1).with_panel_rows(panel_rows).with_tolerance(tolerance);
                let found = sampling.uniformity(&engine, x, 2.0)?;
                let what =
                    format!("{rows} rows in panels of {panel_rows}, ± {tolerance}: {found:?}, {exact}");
                assert!(found.low <= exact && exact <= found.high && found.meets_tolerance(), "{what}");
                assert!(rows > 5 || found.method == Method::Exact, "{what}");
            }
        }
    }
    let one = Embeddings::new([1.0, 0.0].as_slice(), 1, 2).expect("good points");
    assert!(sampling(0).uniformity(&engine, one, 2.0).is_err());
    Ok(())
}

#[test]
fn rounds_of_two_sets_are_refused() -> Result<()> {
    let (engine, x) = (Engine::cpu(), verses("kjv"));
    let found = sampling(0).cross_uniformity(&engine, borrowed(&x), borrowed(&x), 2.0);
    assert!(matches!(found, Err(Error::Sets { .. })), "{found:?}");
    let path = format!("{}/../../examples/data/verses-kjv.npy", env!("CARGO_MANIFEST_DIR"));
    let file = File::open(path)?;
    let sets = || Sets::two(&file, &file);
    let found = sampling(0).cross_uniformities_of(&engine, sets(), Scaling::Unit, &[2.0]);
    assert!(matches!(found, Err(Error::Sets { .. })), "{found:?}");
    let found = sampling(0).squared_mmds_of(&engine, sets(), Scaling::Unit, &[2.0]);
    assert!(matches!(found, Err(Error::Sets { .. })), "{found:?}");
    Ok(())
}

#[test]
fn a_gpu_draws_the_rounds_of_the_cpu() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (x, rows) = (verses("kjv"), 1200);
    let some = || Embeddings::new(&x.values()[..rows * x.dims()], rows, x.dims()).expect("good points");
    let sampling = sampling(1).with_panel_rows(20).with_tolerance(1e-2);
    let [on_cpu, on_gpu] =
        [&Engine::cpu(), &gpu].map(|engine| sampling.uniformity(engine, some(), 2.0).expect("an estimate"));
    assert_eq!(on_gpu.method, Method::TournamentRounds);
    assert_eq!((on_gpu.blocks, on_gpu.pairs), (on_cpu.blocks, on_cpu.pairs));
    assert!((on_gpu.low - on_cpu.low).abs() < 2e-6 && (on_gpu.high - on_cpu.high).abs() < 2e-6);
    Ok(())
}
