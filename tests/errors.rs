//! Every error that a caller can cause, on every backend: the variant, and the numbers in it.

mod support;

use std::{
    ops::ControlFlow,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use libtest_mimic::Failed;
use support::{
    devices::{self, Check},
    random::{normal, single},
};
use unisphere::{
    Alignment, Candidates, ClosePairs, Contrastive, CosineHistogram, DeviceChoice, DeviceKind, Embeddings,
    Engine, Error, Groups, Loss, Matrix, Metric, Points, Precision, Result, Uniformity, unordered_pairs,
};

fn main() -> ExitCode {
    devices::run(&[
        Check::new("embeddings", embeddings),
        Check::new("parameters", parameters),
        Check::new("too few rows", too_few_rows),
        Check::new("mismatched sets", mismatched_sets),
        Check::new("mixed scaling", mixed_scaling),
        Check::new("a matrix of another shape", another_shape),
        Check::new("weights", weights),
        Check::new("labels", labels),
        Check::new("contrastive", contrastive),
        Check::new("histograms and close pairs", surveys),
        Check::new("overflow", overflow),
        Check::new("a precision of GPUs", precision),
        Check::new("no such device", no_such_device),
        Check::new("another device's points", another_device).of_gpus(),
        Check::new("stopped", stopped),
        Check::new("stopped in a second pass", stopped_again),
        Check::new("progress", progress),
        Check::new("messages", messages),
    ])
}

fn points(engine: &Engine, rows: usize, dims: usize) -> Result<Points> {
    engine.upload(&Embeddings::new(single(&normal(rows, dims, 1)), rows, dims)?)
}

fn raw(engine: &Engine, values: &[f32], rows: usize, dims: usize) -> Result<Points> {
    engine.upload(&Embeddings::raw(values, rows, dims)?)
}

/// Fails unless `result` is the error wanted.
fn expect<T>(result: Result<T>, want: Error) -> Result<(), Failed> {
    expect_that(result, &want.to_string(), |error| *error == want)
}

fn expect_that<T>(result: Result<T>, want: &str, is: impl Fn(&Error) -> bool) -> Result<(), Failed> {
    match result {
        Err(error) if is(&error) => Ok(()),
        Err(error) => Err(format!("want '{want}', got '{error}'").into()),
        Ok(_) => Err(format!("want '{want}', and it passed").into()),
    }
}

fn embeddings(engine: &Engine) -> Result<(), Failed> {
    let new = |values: &[f32], rows, dims| engine.upload(&Embeddings::new(values, rows, dims)?);
    expect(new(&[1.0; 5], 2, 3), Error::Shape { values: 5, rows: 2, dims: 3 })?;
    expect(new(&[1.0; 4], usize::MAX, 2), Error::Shape { values: 4, rows: usize::MAX, dims: 2 })?;
    expect(new(&[], 3, 0), Error::NoDims)?;
    expect(new(&[0.0, 1.0, f32::NAN, 0.0], 2, 2), Error::NotFinite { row: 1, dim: 0 })?;
    expect(new(&[0.0, f32::INFINITY], 1, 2), Error::NotFinite { row: 0, dim: 1 })?;
    expect(new(&[1.0, 0.0, 0.0, -0.0], 2, 2), Error::ZeroRow { row: 1 })?;
    expect_that(new(&[1.0, 1e-31], 2, 1), "row 1 is short", |e| {
        matches!(e, Error::RowLength { row: 1, .. })
    })?;
    expect_that(new(&[3e38], 1, 1), "row 0 is long", |e| matches!(e, Error::RowLength { row: 0, .. }))?;
    expect_that(raw(engine, &[0.0, 1e19], 2, 1), "row 1 is large", |e| {
        matches!(e, Error::TooLarge { row: 1, .. })
    })?;
    expect(engine.upload_matrix(&[0.0, 1.0, f32::NAN, 0.0], 2, 2), Error::NotFinite { row: 1, dim: 0 })?;
    expect(engine.upload_matrix(&[0.0; 5], 2, 3), Error::Shape { values: 5, rows: 2, dims: 3 })
}

fn parameters(engine: &Engine) -> Result<(), Failed> {
    let x = points(engine, 4, 3)?;
    for value in [0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let out_of_range = |name| {
            move |error: &Error| match error {
                Error::Parameter { name: n, value: v, .. } => *n == name && v.to_bits() == value.to_bits(),
                _ => false,
            }
        };
        let (t, alpha) = (Uniformity { t: value }, Alignment { alpha: value });
        let spread = Loss { uniformity: t, ..Loss::default() };
        let close = Loss { alignment: alpha, ..Loss::default() };
        expect_that(engine.uniformity(&x, t), "t", out_of_range("t"))?;
        expect_that(engine.uniformity_with_grad(&x, t), "t", out_of_range("t"))?;
        expect_that(engine.value(t.across(&x, &x)), "t", out_of_range("t"))?;
        expect_that(engine.value_and_grad(t.across(&x, &x)), "t", out_of_range("t"))?;
        expect_that(engine.alignment(&x, &x, alpha), "alpha", out_of_range("alpha"))?;
        expect_that(engine.alignment_with_grad(&x, &x, alpha), "alpha", out_of_range("alpha"))?;
        for (loss, name) in [(spread, "t"), (close, "alpha")] {
            expect_that(engine.loss(&x, &x, loss), name, out_of_range(name))?;
            expect_that(engine.loss_with_grad(&x, &x, loss), name, out_of_range(name))?;
        }
        if !value.is_finite() {
            let loss = Loss { weight: value, ..Loss::default() };
            expect_that(engine.loss(&x, &x, loss), "weight", out_of_range("weight"))?;
        }
    }
    Ok(())
}

fn too_few_rows(engine: &Engine) -> Result<(), Failed> {
    let (none, one, two) = (points(engine, 0, 3)?, points(engine, 1, 3)?, points(engine, 2, 3)?);
    let few = |metric, rows, needed| Error::TooFewRows { metric, rows, needed };
    for (x, rows) in [(&none, 0), (&one, 1)] {
        expect(engine.uniformity(x, Uniformity::default()), few("uniformity", rows, 2))?;
        expect(engine.uniformity_with_grad(x, Uniformity::default()), few("uniformity", rows, 2))?;
    }
    expect(engine.loss(&one, &one, Loss::default()), few("uniformity", 1, 2))?;
    expect(engine.alignment(&none, &none, Alignment::default()), few("alignment", 0, 1))?;
    expect(engine.alignment_with_grad(&none, &none, Alignment::default()), few("alignment", 0, 1))?;
    for (x, y) in [(&none, &two), (&two, &none)] {
        expect(engine.value(Uniformity::default().across(x, y)), few("cross uniformity", 0, 1))?;
    }
    let distances = engine.squared_distances(&none, &two)?;
    let (gx, gy) = engine.squared_distances_grad(&none, &two, &distances)?;
    if (distances.shape(), gx.shape(), gy.shape()) != ((0, 2), (0, 3), (2, 3)) || gy.read()? != [0.0; 6] {
        return Err("an empty set has an empty matrix of distances, and gradients of zero".into());
    }
    Ok(())
}

fn mismatched_sets(engine: &Engine) -> Result<(), Failed> {
    let (x, shorter, wider) = (points(engine, 4, 3)?, points(engine, 3, 3)?, points(engine, 4, 5)?);
    let mismatch = |right_rows, right_dims| {
        move |error: &Error| match *error {
            Error::Mismatch { left_rows, left_dims, right_rows: rows, right_dims: dims, .. } => {
                (left_rows, left_dims, rows, dims) == (4, 3, right_rows, right_dims)
            }
            _ => false,
        }
    };
    for (y, is) in [(&shorter, mismatch(3, 3)), (&wider, mismatch(4, 5))] {
        expect_that(engine.alignment(&x, y, Alignment::default()), "mismatch", is)?;
        expect_that(engine.alignment_with_grad(&x, y, Alignment::default()), "mismatch", is)?;
        expect_that(engine.loss(&x, y, Loss::default()), "mismatch", is)?;
        expect_that(engine.loss_with_grad(&x, y, Loss::default()), "mismatch", is)?;
    }
    let is = mismatch(4, 5);
    expect_that(engine.value(Uniformity::default().across(&x, &wider)), "mismatch", is)?;
    expect_that(engine.value_and_grad(Uniformity::default().across(&x, &wider)), "mismatch", is)?;
    expect_that(engine.squared_distances(&x, &wider), "mismatch", is)
}

fn mixed_scaling(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (points(engine, 4, 3)?, raw(engine, &[1.0; 12], 4, 3)?);
    expect(engine.alignment(&x, &y, Alignment::default()), Error::MixedScaling)?;
    expect(engine.loss(&x, &y, Loss::default()), Error::MixedScaling)?;
    expect(engine.value(Uniformity::default().across(&x, &y)), Error::MixedScaling)?;
    expect(engine.squared_distances(&y, &x), Error::MixedScaling)
}

fn another_shape(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (points(engine, 4, 3)?, points(engine, 2, 3)?);
    for (rows, cols) in [(2, 4), (4, 3), (8, 1)] {
        let upstream = engine.upload_matrix(&vec![1.0; rows * cols], rows, cols)?;
        let what = "the upstream gradient has the shape of the distances";
        let want = Error::Mismatch { what, left_rows: rows, left_dims: cols, right_rows: 4, right_dims: 2 };
        expect(engine.squared_distances_grad(&x, &y, &upstream), want)?;
    }
    Ok(())
}

fn overflow(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (raw(engine, &[0.0, 1e15], 2, 1)?, raw(engine, &[1e15, 0.0], 2, 1)?);
    let (a, u) = (Error::Overflow { metric: "alignment" }, Error::Overflow { metric: "uniformity" });
    let (power, steep) = (Alignment { alpha: 100.0 }, Alignment { alpha: 10.0 });
    let narrow = Uniformity { t: 1e300 };
    expect(engine.alignment(&x, &y, power), a.clone())?;
    expect(engine.alignment_with_grad(&x, &y, power), a.clone())?;
    engine.alignment(&x, &y, steep)?; // 1e150 is a value; its gradient is no f32
    expect(engine.alignment_with_grad(&x, &y, steep), a)?;
    expect(engine.uniformity(&x, narrow), u.clone())?;
    expect(engine.uniformity_with_grad(&x, narrow), u)
}

/// The CPU multiplies in single precision, and says who else there is.
fn precision(engine: &Engine) -> Result<(), Failed> {
    engine.clone().with_precision(Precision::F32)?;
    #[cfg(feature = "gpu")]
    let adapters = unisphere::adapters();
    #[cfg(not(feature = "gpu"))]
    let adapters = Vec::<unisphere::Adapter>::new();
    for precision in [Precision::F16x2, Precision::F16] {
        if engine.device().kind == DeviceKind::Gpu {
            continue;
        }
        let able = || adapters.iter().filter(|adapter| adapter.precisions.contains(&precision));
        expect_that(engine.clone().with_precision(precision), "precision", |error| match error {
            Error::Precision { precision: of, device, reason } => {
                *of == precision
                    && *device == engine.device().name
                    && reason.contains("cooperative matrices")
                    && able().all(|adapter| reason.contains(&adapter.name))
            }
            _ => false,
        })?;
    }
    Ok(())
}

fn no_such_device(_: &Engine) -> Result<(), Failed> {
    for choice in [DeviceChoice::Name("no device has this name".into()), DeviceChoice::Index(1_000_000)] {
        let wanted = choice.to_string();
        expect_that(
            Engine::on(&choice),
            "no such device",
            |e| matches!(e, Error::NoDevice { wanted: w, .. } if *w == wanted),
        )?;
    }
    Ok(())
}

fn another_device(engine: &Engine) -> Result<(), Failed> {
    both_ways(engine, &Engine::cpu())?;
    both_ways(&Engine::cpu(), engine)
}

fn both_ways(engine: &Engine, other: &Engine) -> Result<(), Failed> {
    let (own, foreign) = (points(engine, 4, 3)?, points(other, 4, 3)?);
    let upstream: Matrix = other.upload_matrix(&[1.0; 16], 4, 4)?;
    for (x, y) in [(&own, &foreign), (&foreign, &own), (&foreign, &foreign)] {
        expect(engine.value(Uniformity::default().across(x, y)), Error::OtherDevice)?;
        expect(engine.value_and_grad(Uniformity::default().across(x, y)), Error::OtherDevice)?;
        expect(engine.alignment(x, y, Alignment::default()), Error::OtherDevice)?;
        expect(engine.alignment_with_grad(x, y, Alignment::default()), Error::OtherDevice)?;
        expect(engine.loss(x, y, Loss::default()), Error::OtherDevice)?;
        expect(engine.squared_distances(x, y), Error::OtherDevice)?;
    }
    expect(engine.uniformity(&foreign, Uniformity::default()), Error::OtherDevice)?;
    expect(engine.uniformity_with_grad(&foreign, Uniformity::default()), Error::OtherDevice)?;
    expect(engine.squared_distances_grad(&own, &own, &upstream), Error::OtherDevice)
}

fn stopped(engine: &Engine) -> Result<(), Failed> {
    let engine = engine.clone().observed_by(|_| ControlFlow::Break(()));
    let x = points(&engine, 600, 5)?;
    expect(engine.uniformity(&x, Uniformity::default()), Error::Stopped)?;
    expect(engine.uniformity_with_grad(&x, Uniformity::default()), Error::Stopped)?;
    expect(engine.value(Uniformity::default().across(&x, &x)), Error::Stopped)?;
    expect(engine.value_and_grad(Uniformity::default().across(&x, &x)), Error::Stopped)?;
    expect(engine.loss(&x, &x, Loss::default()), Error::Stopped)?;
    expect(engine.loss_with_grad(&x, &x, Loss::default()), Error::Stopped)
}

/// A set so narrow that its result asks for another pass, which counts no pairs and can be stopped as well.
fn stopped_again(engine: &Engine) -> Result<(), Failed> {
    let values: Vec<f32> = normal(600, 5, 1).iter().map(|v| (1.0 + 1e-4 * v) as f32).collect();
    let x = engine.upload(&Embeddings::new(values, 600, 5)?)?;
    let observed = || {
        let finished = AtomicU64::new(0);
        engine.clone().observed_by(move |progress| {
            let all = progress.done == progress.total;
            let again = all && finished.fetch_add(1, Ordering::Relaxed) > 0;
            if again { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    };
    expect(observed().uniformity(&x, Uniformity::default()), Error::Stopped)?;
    // On the CPU, gradients see that a set is narrow before they begin.
    if engine.device().kind == DeviceKind::Gpu {
        expect(observed().uniformity_with_grad(&x, Uniformity::default()), Error::Stopped)?;
    }
    Ok(())
}

/// Every pair is counted as done once, and the total is known from the start.
fn progress(engine: &Engine) -> Result<(), Failed> {
    let (most, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (seen, expected) = (most.clone(), total.clone());
    let engine = engine.clone().observed_by(move |progress| {
        seen.fetch_max(progress.done, Ordering::Relaxed);
        expected.store(progress.total, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    let (x, y) = (points(&engine, 700, 5)?, points(&engine, 301, 5)?);
    let finished = |what: &str, pairs: u64| {
        let (done, total) = (most.swap(0, Ordering::Relaxed), total.swap(0, Ordering::Relaxed));
        let all = (done, total) == (pairs, pairs);
        if all { Ok(()) } else { Err(Failed::from(format!("{what}: {done} of {total} done, not {pairs}"))) }
    };
    engine.uniformity(&x, Uniformity::default())?;
    finished("uniformity", unordered_pairs(700))?;
    engine.uniformity_with_grad(&x, Uniformity::default())?;
    finished("uniformity with gradient", unordered_pairs(700))?;
    engine.value(Uniformity::default().across(&x, &y))?;
    finished("cross uniformity", 700 * 301)?;
    engine.loss(&x, &x, Loss::default())?;
    finished("loss", 2 * unordered_pairs(700))?;
    // Whatever the precision that a parameter takes, pairs count once.
    engine.value(Uniformity::at(&[2.0, 50.0, 1e4]).within(&x))?;
    finished("uniformity for several t", unordered_pairs(700))?;
    engine.value(Uniformity::at(&[2.0, 50.0]).unpaired(&x, &x))?;
    finished("uniformity of unpaired rows", 2 * unordered_pairs(700))?;
    engine.value(Uniformity::default().potentials(&x))?;
    finished("potentials", unordered_pairs(700))?;
    engine.value_and_grad(Uniformity::default().within(&x).weighted(&[1.0; 700]))?;
    finished("weighted uniformity with gradient", unordered_pairs(700))?;
    let halves = Groups::new(&[[1, 2]; 350].concat())?;
    let weights: Vec<_> = (0..700).map(|row| f64::from(row % 4)).collect();
    engine.value(halves.uniformity(Uniformity::default(), &x).weighted(&weights).across_groups())?;
    finished("weighted uniformity of groups", unordered_pairs(525))?;
    engine.value(Alignment::new(1.0).by_label(&x, &halves).weighted(&weights))?;
    finished("weighted alignment by label", unordered_pairs(350) + unordered_pairs(175))?;
    engine
        .value(Groups::new(&[[1, 2]; 350].concat())?.uniformity(Uniformity::default(), &x).across_groups())?;
    finished("uniformity of groups", unordered_pairs(700))?;
    let other = engine.upload(&Embeddings::new(single(&normal(700, 5, 2)), 700, 5)?)?;
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        for queue in [None, Some(&y)] {
            let request = |tau| Contrastive { tau, candidates }.paired(&x, &other).queue(queue);
            let pairs = |tau| request(tau).pairs();
            let what = |call| format!("{call}, {candidates:?}, queue: {}", queue.is_some());
            engine.value(
                Contrastive::at(&[0.5, 0.07, 0.01, 0.002], candidates).paired(&x, &other).queue(queue),
            )?;
            finished(&what("contrastive losses"), pairs(0.5))?;
            for tau in [0.5, 0.01, 0.002] {
                engine.value_and_grad(request(tau))?;
                finished(&what("contrastive loss with gradient"), pairs(tau))?;
            }
        }
    }
    Ok(())
}

/// A message carries the numbers.
fn messages(engine: &Engine) -> Result<(), Failed> {
    let x = points(engine, 1, 3)?;
    let errors = [
        (Embeddings::new(&[1.0f32; 5], 2, 3).err(), vec!["5", "2", "3"]),
        (Embeddings::new(&[1.0, f32::NAN], 1, 2).err(), vec!["row 0", "dimension 1"]),
        (engine.uniformity(&x, Uniformity::default()).err(), vec!["uniformity", "2", "1"]),
        (engine.alignment(&x, &x, Alignment { alpha: -3.5 }).err(), vec!["alpha", "-3.5", "positive"]),
        (Engine::on(&DeviceChoice::Index(1_000_000)).err(), vec!["1000000"]),
    ];
    for (error, words) in errors {
        let message = error.ok_or("no error")?.to_string();
        if let Some(word) = words.iter().find(|&&word| !message.contains(word)) {
            return Err(format!("'{message}' does not say '{word}'").into());
        }
    }
    Ok(())
}

fn weights(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (points(engine, 4, 3)?, points(engine, 4, 3)?);
    let refuse = |weights: &[f64], what: &str| {
        let is = |error: &Error| matches!(error, Error::Weights { problem } if problem.contains(what));
        let (uniformity, alignment) = (Uniformity::default(), Alignment::default());
        expect_that(engine.value(uniformity.within(&x).weighted(weights)), what, is)?;
        expect_that(engine.value_and_grad(uniformity.within(&x).weighted(weights)), what, is)?;
        expect_that(engine.value(alignment.paired(&x, &y).weighted(weights)), what, is)?;
        expect_that(engine.value_and_grad(alignment.paired(&x, &y).weighted(weights)), what, is)
    };
    refuse(&[1.0; 3], "are 3, and there are 4 rows")?;
    refuse(&[1.0, -1.0, 1.0, 1.0], "row 1 is -1")?;
    refuse(&[1.0, 1.0, f64::NAN, 1.0], "row 2 is NaN")?;
    refuse(&[1.0, 1.0, 1.0, f64::INFINITY], "row 3 is inf")?;
    refuse(&[0.0; 4], "and are for 0")?;
    refuse(&[1e300, 0.0, 1e-300, 1.0], "row 2 is 1e-300 next to 1e300")?;
    let one = engine.value(Uniformity::default().within(&x).weighted(&[0.0, 0.0, 1.0, 0.0]));
    expect_that(one, "two rows", |error| matches!(error, Error::Weights { .. }))?;
    // Weights are proportions: neither huge ones nor tiny ones are lost.
    for scale in [1e-300, 1.0, 1e300] {
        let got = engine.value(Uniformity::default().within(&x).weighted(&[scale, scale, 0.0, 0.0]))?;
        let two = engine.upload(&Embeddings::new(&single(&normal(4, 3, 1))[..6], 2, 3)?)?;
        let want = engine.uniformity(&two, Uniformity::default())?;
        if (got - want).abs() > 1e-6 {
            return Err(format!("weights of {scale:e}: {got} and not {want}").into());
        }
    }
    Ok(())
}

fn labels(engine: &Engine) -> Result<(), Failed> {
    let x = points(engine, 4, 3)?;
    let both = Groups::new(&[1, 2, 1, 2])?;
    let of_weights = |what: &str, weights: &[f64]| {
        let is = |error: &Error| matches!(error, Error::Weights { problem } if problem.contains(what));
        let within = both.uniformity(Uniformity::default(), &x).weighted(weights);
        expect_that(engine.value(within), what, is)?;
        expect_that(engine.value(within.across_groups()), what, is)?;
        expect_that(engine.value(Alignment::default().by_label(&x, &both).weighted(weights)), what, is)
    };
    of_weights("are 3, and there are 4 rows", &[1.0; 3])?;
    of_weights("row 1 is -1", &[1.0, -1.0, 1.0, 1.0])?;
    of_weights("and are for 0", &[0.0; 4])?;
    expect_that(
        engine.value(Alignment::default().by_label(&x, &both).weighted(&[1.0, 1.0, 0.0, 0.0])),
        "weights of no pair",
        |error| matches!(error, Error::Labels { problem } if problem.contains("weights are positive")),
    )?;
    let groups = Groups::new(&[1, 2, 1])?;
    let refused = engine.value(groups.uniformity(Uniformity::default(), &x).across_groups());
    expect_that(
        refused,
        "3 labels of 4 rows",
        |error| matches!(error, Error::Labels { problem } if problem.contains("are 3, and there are 4 rows")),
    )?;
    let alone =
        engine.value(Groups::new(&[1, 2, 1, 1])?.uniformity(Uniformity::default(), &x).across_groups())?;
    match (alone.between(1, 1), alone.between(0, 1)) {
        (None, Some(_)) => Ok(()),
        other => Err(format!("a group of one has {other:?}").into()),
    }
}

fn contrastive(engine: &Engine) -> Result<(), Failed> {
    let (x, y, other) = (points(engine, 4, 3)?, points(engine, 4, 3)?, points(engine, 3, 2)?);
    let one = points(engine, 1, 3)?;
    let metric = Contrastive::default();
    for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let metric = Contrastive { tau, ..metric };
        let is = |error: &Error| matches!(error, Error::Parameter { name: "tau", .. });
        expect_that(engine.contrastive(&x, &y, metric), "tau", is)?;
        expect_that(engine.contrastive_with_grad(&x, &y, metric), "tau", is)?;
    }
    let mismatch = |error: &Error| matches!(error, Error::Mismatch { .. });
    expect_that(engine.contrastive(&x, &other, metric), "another shape", mismatch)?;
    expect_that(engine.value(metric.paired(&x, &y).queue(&other)), "another queue", mismatch)?;
    let few = |error: &Error| matches!(error, Error::TooFewRows { .. });
    expect_that(engine.contrastive(&one, &one, metric), "no negative", few)?;
    // A queue has negatives enough for one pair.
    let alone = engine.value(metric.paired(&one, &one).queue(&x))?;
    if alone.negatives == 4 { Ok(()) } else { Err(format!("{alone:?}").into()) }
}

fn surveys(engine: &Engine) -> Result<(), Failed> {
    let (x, far) = (points(engine, 4, 3)?, raw(engine, &[0.0, 1.0, 2.0], 3, 1)?);
    for bins in [0, 1 << 20] {
        let is = |error: &Error| matches!(error, Error::Parameter { .. });
        expect_that(engine.value(CosineHistogram::new(bins).within(&x)), "bins", is)?;
    }
    expect_that(engine.value(CosineHistogram::new(3).within(&far)), "raw", |error| {
        matches!(error, Error::Raw { .. })
    })?;
    for distance in [-1.0, f64::NAN, f64::INFINITY] {
        let is = |error: &Error| matches!(error, Error::Parameter { .. });
        expect_that(engine.value(ClosePairs::within(&x, distance).limit(1)), "distance", is)?;
    }
    let close = engine.value(ClosePairs::within(&far, 1.0).limit(9))?;
    if close.pairs == [(0, 1, 1.0), (1, 2, 1.0)] { Ok(()) } else { Err(format!("{close:?}").into()) }
}
