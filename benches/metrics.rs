//! Values and gradients on the CPU and on every adapter.
//!
//! Inside the timed block: the call, from points that are already on the device to a value on the host and,
//! where there is a gradient, a matrix that is finished on the device and not read. Outside of it: making,
//! uploading and scaling the points, compiling shaders, and comparing the first result with the formula in
//! f64, which ends the program where it differs. Throughput counts pairs. Software adapters, which are there
//! for tests, get the smallest sets only.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say so and end")]

use std::{cell::OnceCell, hint::black_box, time::Duration};

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use unisphere::{Alignment, DeviceChoice, Embeddings, Engine, Matrix, Points, Uniformity, unordered_pairs};

#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../tests/support/oracle.rs"]
mod oracle;
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../tests/support/random.rs"]
mod random;

use oracle::Rows;

const ROWS: [usize; 3] = [1024, 4096, 8192];
const DIMS: [usize; 3] = [64, 128, 768];
const T: f64 = 2.0;
/// Eight values of t for the price of one, nearly.
const TS: [f64; 8] = [0.5, 1.0, 1.5, T, 3.0, 4.0, 5.0, 8.0];
const ALPHA: f64 = 2.0;

criterion_group!(benches, metrics);
criterion_main!(benches);

/// What `cargo bench` says of each.
const INSIDE: &str = "\
Inside the timed block, points being on the device and shaders compiled:
  uniformity            points to a value on the host
  uniformities_8_t      points to eight values on the host, in one sweep
  uniformity_with_grad  points to a value on the host and a finished gradient on the device
  alignment_with_grad   two sets to a value on the host and two finished gradients on the device
Before it: each value, and rows of uniformity's gradient, are held against the formula in f64.
";

#[expect(clippy::print_stdout, reason = "a figure without its meaning misleads")]
fn metrics(criterion: &mut Criterion) {
    println!("{INSIDE}");
    for engine in engines() {
        let device = engine.device();
        let mut group = criterion.benchmark_group(format!("{} {}", device.kind, device.name));
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
        // Without `--bench`, as a test of itself, each benchmark runs once.
        let timed = std::env::args().any(|argument| argument == "--bench");
        let rows = if device.software || !timed { &ROWS[..1] } else { &ROWS };
        for (&n, d) in rows.iter().flat_map(|n| DIMS.map(|d| (n, d))) {
            Sets::new(n, d).bench(&mut group, &engine);
        }
        group.finish();
    }
}

/// The CPU, and every adapter that opens.
fn engines() -> impl Iterator<Item = Engine> {
    #[cfg(feature = "gpu")]
    let adapters = unisphere::adapters().into_iter();
    #[cfg(not(feature = "gpu"))]
    let adapters = std::iter::empty::<unisphere::Adapter>();
    let gpus = adapters.filter_map(|adapter| Engine::on(&DeviceChoice::Index(adapter.index)).ok());
    std::iter::once(Engine::cpu()).chain(gpus)
}

/// Two sets on the sphere, made anew for every engine, so that no more than two are held at once.
struct Sets {
    dims: usize,
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Sets {
    fn new(rows: usize, dims: usize) -> Self {
        let set = |seed| random::single(&random::on_the_sphere(random::normal(rows, dims, seed), dims));
        Self { dims, x: set(1), y: set(2) }
    }

    fn rows(&self) -> usize {
        self.x.len() / self.dims
    }

    fn seen(&self, values: &[f32]) -> Rows {
        oracle::unit_rows(&oracle::rows(values, self.dims))
    }

    fn upload(&self, engine: &Engine, values: &[f32]) -> Points {
        engine.upload(&Embeddings::new(values, self.rows(), self.dims).unwrap()).unwrap()
    }

    fn bench(&self, group: &mut BenchmarkGroup<'_, WallTime>, engine: &Engine) {
        let size = format!("{}×{}", self.rows(), self.dims);
        let (uniformity, alignment) = (Uniformity { t: T }, Alignment { alpha: ALPHA });

        // Uploaded and checked once, and only if the benchmark is asked for.
        let (plain, several) = (OnceCell::new(), OnceCell::new());
        let (with_grad, paired) = (OnceCell::new(), OnceCell::new());

        group.throughput(Throughput::Elements(unordered_pairs(self.rows())));
        group.bench_function(BenchmarkId::new("uniformity", &size), |bencher| {
            let x = plain.get_or_init(|| {
                let x = self.upload(engine, &self.x);
                self.check_uniformity(engine.uniformity(&x, uniformity).unwrap(), None);
                x
            });
            bencher.iter(|| engine.uniformity(black_box(x), uniformity).unwrap());
        });
        group.bench_function(BenchmarkId::new("uniformities_8_t", &size), |bencher| {
            let x = several.get_or_init(|| {
                let x = self.upload(engine, &self.x);
                let squares = oracle::squares_within(&self.seen(&self.x));
                for (t, got) in TS.into_iter().zip(engine.value(Uniformity::at(&TS).within(&x)).unwrap()) {
                    let want = oracle::log_sum_exp(&squares, t) - (unordered_pairs(self.rows()) as f64).ln();
                    close("uniformity among others", got, want, if t > 5.0 { 3e-6 } else { 1e-6 });
                }
                x
            });
            bencher.iter(|| engine.value(Uniformity::at(&TS).within(black_box(x))).unwrap());
        });
        group.bench_function(BenchmarkId::new("uniformity_with_grad", &size), |bencher| {
            let x = with_grad.get_or_init(|| {
                let x = self.upload(engine, &self.x);
                let (value, grad) = engine.uniformity_with_grad(&x, uniformity).unwrap();
                self.check_uniformity(value, Some(&grad));
                x
            });
            bencher.iter(|| engine.uniformity_with_grad(black_box(x), uniformity).unwrap());
        });

        group.throughput(Throughput::Elements(self.rows() as u64));
        group.bench_function(BenchmarkId::new("alignment_with_grad", &size), |bencher| {
            let (x, y) = paired.get_or_init(|| {
                let (x, y) = (self.upload(engine, &self.x), self.upload(engine, &self.y));
                let want = oracle::alignment(&self.seen(&self.x), &self.seen(&self.y), ALPHA);
                close("alignment", engine.alignment(&x, &y, alignment).unwrap(), want, 1e-6);
                (x, y)
            });
            bencher.iter(|| engine.alignment_with_grad(black_box(x), black_box(y), alignment).unwrap());
        });
    }

    /// The value, and the first and last row of the gradient.
    fn check_uniformity(&self, value: f64, grad: Option<&Matrix>) {
        let x = self.seen(&self.x);
        let log_sum = oracle::log_sum_exp(&oracle::squares_within(&x), T);
        close("uniformity", value, log_sum - (unordered_pairs(self.rows()) as f64).ln(), 1e-6);
        let Some(grad) = grad else { return };
        let got = oracle::rows(&grad.read().unwrap(), self.dims);
        for i in [0, self.rows() - 1] {
            let want = vec![oracle::potential_grad(&x[i], &x, T, log_sum)];
            let want = oracle::through_unit(&vec![x[i].clone()], &want);
            let error = oracle::norm(&oracle::sum(&vec![got[i].clone()], &want, -1.0)) / oracle::norm(&want);
            // Of one row, not of the whole: rows differ in length.
            close("error of a gradient row", error, 0.0, 1e-4);
        }
    }
}

fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{what} is {got}, not {want}: no use in timing it");
}
