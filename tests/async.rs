//! Values awaited: the executor goes on, tasks move between threads, bits are those of calls that block, and a future
//! that is dropped takes nothing with it.

mod support;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use support::{
    devices::{self, Check},
    random::{normal, single},
};
use unisphere::{
    Alignment, Candidates, ClosePairs, Contrastive, CosineHistogram, DeviceKind, Differentiable, Embeddings,
    Engine, Error, Groups, Loss, Matrix, Metric, Pending, Points, Result, Sigmoid, Spectrum, SquaredMmd,
    SupCon, Uniformity,
};

/// More than one panel on either side, ragged.
const ROWS: usize = 700;
const DIMS: usize = 33;
/// Ticks that show that a timer goes on.
const TICKS: u32 = 3;
/// How long anything here may take, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    devices::run(&[
        Check::new("a timer goes on", timer),
        Check::new("a timer goes on beside a large set", timer_beside_a_large_set),
        Check::new("tasks on several threads", tasks),
        Check::new("the same bits as calls that block", same_bits),
        Check::new("dropped on the way", dropped),
        Check::new("an observer stops what is awaited", stopped),
        Check::new("a panic of an observer goes on in the task", panicked),
        Check::new("the memory of an earlier step", reused),
        Check::new("values read into a slice", read_into),
        Check::new("an engine opened", opened),
    ])
}

fn points(engine: &Engine, (rows, dims): (usize, usize), seed: u64) -> Result<Points> {
    engine.upload(&Embeddings::new(single(&normal(rows, dims, seed)), rows, dims)?)
}

/// A counter of ticks, from a task beside others.
fn ticking() -> Arc<AtomicU32> {
    let ticks = Arc::new(AtomicU32::new(0));
    let counted = ticks.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    ticks
}

fn current_thread() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_time().build()?)
}

/// Were values computed in place, the one thread that there is would never come to the timer.
fn timer(engine: &Engine) -> Result<(), Failed> {
    let x = points(engine, (ROWS, DIMS), 1)?;
    let want = engine.value(Uniformity::new(2.0).within(&x))?;
    current_thread()?.block_on(async {
        let (ticks, begin) = (ticking(), Instant::now());
        while ticks.load(Ordering::Relaxed) < TICKS {
            if begin.elapsed() > LIMIT {
                return Err(Failed::from("the timer stands still"));
            }
            let got = engine.value_async(Uniformity::new(2.0).within(&x)).await?;
            if got.to_bits() != want.to_bits() {
                return Err(format!("{got} where a call that blocks says {want}").into());
            }
        }
        Ok(())
    })
}

fn timer_beside_a_large_set(engine: &Engine) -> Result<(), Failed> {
    // About a second on two cores; software GPUs are far slower.
    let shape = if engine.device().kind == DeviceKind::Cpu { (16_000, 256) } else { (3000, 64) };
    let x = points(engine, shape, 2)?;
    let (want, of_want) = engine.value_and_grad(Uniformity::new(2.0).within(&x))?;
    current_thread()?.block_on(async {
        let (ticks, begin) = (ticking(), Instant::now());
        let (value, gradient) = engine.value_and_grad_async(Uniformity::new(2.0).within(&x)).await?;
        let (ticks, took) = (ticks.load(Ordering::Relaxed), begin.elapsed());
        if took > Duration::from_millis(100) && ticks < TICKS {
            return Err(format!("{ticks} ticks in {took:?}").into());
        }
        if value.to_bits() == want.to_bits() && gradient.read_async().await? == of_want.read()? {
            Ok(())
        } else {
            Err(format!("{value} awaited, {want} blocking, or other gradients").into())
        }
    })
}

fn tasks(engine: &Engine) -> Result<(), Failed> {
    let x = Arc::new(points(engine, (ROWS, DIMS), 3)?);
    let y = points(engine, (ROWS, DIMS), 4)?;
    let want = engine.value_and_grad(Uniformity::new(2.0).across(&x, &y))?.0;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_time().build()?;
    runtime.block_on(async {
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let (engine, x, y) = (engine.clone(), x.clone(), y.clone());
                tokio::spawn(async move {
                    engine
                        .value_and_grad_async(Uniformity::new(2.0).across(&x, &y))
                        .await
                        .map(|(value, _)| value)
                })
            })
            .collect();
        for task in tasks {
            let got = task.await??;
            if got.to_bits() != want.to_bits() {
                return Err(format!("{got} of a task, and {want} of a call that blocks").into());
            }
        }
        Ok(())
    })
}

/// A request that blocks and one that is awaited, with pollster alone.
fn same_value<M: Metric + Copy>(engine: &Engine, what: &str, request: M) -> Result<(), Failed>
where
    M::Value: PartialEq + std::fmt::Debug,
{
    let (want, got) = (engine.value(request)?, pollster::block_on(engine.value_async(request))?);
    if got == want { Ok(()) } else { Err(format!("{what}: {got:?} awaited, {want:?} blocking").into()) }
}

fn same_gradients<M>(engine: &Engine, what: &str, request: M) -> Result<(), Failed>
where
    M: Differentiable<Gradients = (Matrix, Matrix)> + Copy,
    M::Value: PartialEq + std::fmt::Debug,
{
    let (want, (wx, wy)) = engine.value_and_grad(request)?;
    let (got, (gx, gy)) = pollster::block_on(engine.value_and_grad_async(request))?;
    if got != want {
        return Err(format!("{what}: {got:?} awaited, {want:?} blocking").into());
    }
    for (got, want) in [(gx, wx), (gy, wy)] {
        if pollster::block_on(got.read_async())? != want.read()? {
            return Err(format!("{what}: the gradients differ").into());
        }
    }
    Ok(())
}

fn same_bits(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (points(engine, (ROWS, DIMS), 5)?, points(engine, (ROWS, DIMS), 6)?);
    let few = points(engine, (20, 50), 7)?;
    let weights: Vec<f64> = (1..=ROWS).map(|row| row as f64).collect();
    let groups = Groups::new(&(0..ROWS as i64).map(|row| row % 5).collect::<Vec<_>>())?;
    let u = Uniformity::new(2.0);
    same_value(engine, "uniformity", u.within(&x))?;
    same_value(engine, "uniformity across", u.across(&x, &y))?;
    same_value(engine, "several t", Uniformity::at(&[0.5, 2.0, 9.0]).unpaired(&x, &y))?;
    same_value(engine, "weighted", u.within(&x).weighted(&weights))?;
    same_value(engine, "pooled", u.pooled(&x, &y))?;
    same_value(engine, "potentials", u.potentials(&x))?;
    same_value(engine, "groups", groups.uniformity(u, &x).across_groups())?;
    same_value(engine, "squared MMD", SquaredMmd::new(2.0).unpaired(&x, &y))?;
    same_value(engine, "close pairs", ClosePairs::within(&x, 1.0).limit(10))?;
    same_value(engine, "a histogram", CosineHistogram::new(64).within(&x))?;
    same_value(engine, "a spectrum", Spectrum::within(&x))?;
    same_value(engine, "a spectrum of few rows", Spectrum::within(&few))?;
    same_value(engine, "distances", Alignment::distances(&x, &y))?;
    same_value(engine, "the sigmoid loss", Sigmoid::default().paired(&x, &y))?;
    same_value(engine, "alignment by label", Alignment::new(2.0).by_label(&x, &groups))?;
    same_value(engine, "the supervised contrastive loss", SupCon::default().within(&x, &groups))?;
    same_gradients(engine, "the same of views", SupCon::default().views(&x, &y, &groups))?;
    same_gradients(engine, "uniformity across", u.across(&x, &y))?;
    same_gradients(engine, "weighted", u.across(&x, &y).weighted(&weights, &weights))?;
    same_gradients(engine, "alignment", Alignment::new(2.0).paired(&x, &y))?;
    same_gradients(engine, "the loss", Loss::default().paired(&x, &y))?;
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        let metric = Contrastive { tau: 0.1, candidates };
        same_gradients(engine, "contrastive", metric.paired(&x, &y).queue(&few_like(engine)?))?;
    }
    let squares = engine.squared_distances(&x, &y)?;
    let (gx, _) = engine.squared_distances_grad(&x, &y, &squares)?;
    let (awaited, of_awaited) = pollster::block_on(async {
        let squares = engine.squared_distances_async(&x, &y).await?;
        let (gx, _) = engine.squared_distances_grad_async(&x, &y, &squares).await?;
        Ok::<_, Error>((squares, gx))
    })?;
    if squares.read()? != awaited.read()? || gx.read()? != of_awaited.read()? {
        return Err("squared distances differ".into());
    }
    Ok(())
}

fn few_like(engine: &Engine) -> Result<Points> {
    points(engine, (90, DIMS), 8)
}

/// Polls a future as often as it may be, and drops it; whether it was ready before.
fn dropped_after<T>(polls: usize, mut pending: Pending<'_, T>) -> bool {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    for _ in 0..polls {
        if pending.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return true;
        }
        thread::park_timeout(Duration::from_millis(100));
    }
    false
}

/// After any number of polls, and while threads are at work for it.
fn dropped(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (points(engine, (ROWS, DIMS), 9)?, points(engine, (ROWS, DIMS), 10)?);
    let request = || Contrastive::new(0.1).paired(&x, &y);
    let (want, (wx, _)) = engine.value_and_grad(request())?;
    let mut polls = 0;
    while !dropped_after(polls, engine.value_and_grad_async(request())) && polls < 200 {
        polls += 1;
        if polls % 8 == 1 {
            let (got, (gx, _)) = engine.value_and_grad(request())?;
            if got != want || gx.read()? != wx.read()? {
                return Err(
                    format!("another value after a future that was dropped after {polls} polls").into()
                );
            }
        }
    }
    let again = pollster::block_on(engine.value_and_grad_async(request()))?.0;
    if again == want { Ok(()) } else { Err("another value in the end".into()) }
}

fn stopped(engine: &Engine) -> Result<(), Failed> {
    let x = points(engine, (ROWS, DIMS), 11)?;
    let engine = engine.clone().observed_by(|_| std::ops::ControlFlow::Break(()));
    let got = pollster::block_on(engine.value_async(Uniformity::new(2.0).within(&x)));
    if got == Err(Error::Stopped) { Ok(()) } else { Err(format!("{got:?}").into()) }
}

fn panicked(engine: &Engine) -> Result<(), Failed> {
    let (x, y) = (points(engine, (ROWS, DIMS), 12)?, points(engine, (ROWS, DIMS), 13)?);
    let want = engine.value_and_grad(Contrastive::new(0.1).paired(&x, &y))?.0;
    let fails = engine.clone().observed_by(|_| panic!("an observer's own"));
    let outcome = current_thread()?.block_on(async {
        let (x, y) = (x.clone(), y.clone());
        let awaited = async move { fails.value_and_grad_async(Contrastive::new(0.1).paired(&x, &y)).await };
        tokio::spawn(async move { awaited.await.map(drop) }).await
    });
    if !outcome.is_err_and(|error| error.is_panic()) {
        return Err("no panic arrived".into());
    }
    let got = engine.value_and_grad(Contrastive::new(0.1).paired(&x, &y))?.0;
    if got == want { Ok(()) } else { Err("another value after a panic".into()) }
}

/// Points of the last step give their memory up, unless somebody else has them too.
fn reused(engine: &Engine) -> Result<(), Failed> {
    let value = |x: &Points| engine.value(Uniformity::new(2.0).within(x));
    let steps: Vec<_> = (20..23).map(|seed| single(&normal(ROWS, DIMS, seed))).collect();
    let mut x = points(engine, (ROWS, DIMS), 14)?;
    let kept = x.clone();
    let of_kept = value(&kept)?;
    for step in &steps {
        let embeddings = Embeddings::new(step, ROWS, DIMS)?;
        let want = value(&engine.upload(&embeddings)?)?;
        x = engine.upload_into(&embeddings, x)?;
        let got = value(&x)?;
        x = pollster::block_on(engine.upload_into_async(&embeddings, x))?;
        if [got, value(&x)?].iter().any(|got| got.to_bits() != want.to_bits()) {
            return Err(format!("{got} of points in used memory, {want} of others").into());
        }
    }
    if value(&kept)?.to_bits() != of_kept.to_bits() {
        return Err("points that are still in use were overwritten".into());
    }
    // Another shape and another scaling.
    let raw = Embeddings::raw(&steps[0], ROWS, DIMS)?;
    let fewer = Embeddings::new(&steps[0][DIMS..], ROWS - 1, DIMS)?;
    for embeddings in [raw, fewer] {
        let want = value(&engine.upload(&embeddings)?)?;
        x = engine.upload_into(&embeddings, x)?;
        if value(&x)?.to_bits() != want.to_bits() {
            return Err(format!("another value of {embeddings:?}").into());
        }
    }
    Ok(())
}

fn read_into(engine: &Engine) -> Result<(), Failed> {
    let x = points(engine, (ROWS, DIMS), 15)?;
    let (_, gradient) = engine.uniformity_with_grad(&x, Uniformity::new(2.0))?;
    let want = gradient.read()?;
    let mut values = vec![f32::NAN; ROWS * DIMS];
    gradient.read_into(&mut values)?;
    let mut awaited = vec![f32::NAN; ROWS * DIMS];
    pollster::block_on(gradient.read_into_async(&mut awaited))?;
    if values != want || awaited != want {
        return Err("other values in a slice".into());
    }
    let (_, mine) = engine.uniformity_with_grad(&x, Uniformity::new(2.0))?;
    if mine.into_values()? != want {
        return Err("other values taken out".into());
    }
    let short = gradient.read_into(&mut values[1..]);
    let shape = Error::Shape { values: ROWS * DIMS - 1, rows: ROWS, dims: DIMS };
    if short == Err(shape) { Ok(()) } else { Err(format!("{short:?} of a short slice").into()) }
}

fn opened(engine: &Engine) -> Result<(), Failed> {
    let name = engine.device().name.clone();
    let choice = match engine.device().kind {
        DeviceKind::Cpu => unisphere::DeviceChoice::Cpu,
        _ => unisphere::DeviceChoice::Name(name.clone()),
    };
    let again = pollster::block_on(Engine::on_async(&choice))?;
    let any = pollster::block_on(Engine::new_async())?;
    if again.device().name == name && !any.device().software {
        Ok(())
    } else {
        Err(format!("{again:?}, {any:?}").into())
    }
}

/// Futures that executors may send from thread to thread.
#[expect(dead_code, reason = "it is to compile")]
fn futures_are_sent(engine: &Engine, x: &Points, gradient: &Matrix) {
    fn sent(_: impl Future + Send) {}
    sent(engine.value_async(Uniformity::new(2.0).within(x)));
    sent(engine.value_and_grad_async(Contrastive::new(0.1).paired(x, x)));
    sent(engine.squared_distances_async(x, x));
    sent(gradient.read_async());
    sent(Engine::new_async());
}
