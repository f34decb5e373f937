//! `unisphere eval`: from files to numbers.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use unisphere::{Alignment, Engine, Loss, Points, Scaling, Storage, Uniformity, unordered_pairs};
use unisphere_io::File;

use crate::{
    args::Eval,
    exit::Failure,
    interrupt, json, output,
    progress::Display,
    report::{Measured, Paired, Report},
    table,
};

pub(crate) fn run(args: &Eval) -> Result<(), Failure> {
    let report = measure(args)?;
    output::print(&if args.json { json::eval(&report) } else { table::eval(&report) })
}

/// Headers and device first: what can be refused is refused before anything is read.
fn measure(args: &Eval) -> Result<Report, Failure> {
    let x = File::open(&args.x)?;
    let y = args.y.as_deref().map(|path| Ok::<_, Failure>((path, File::open(path)?))).transpose()?;
    check(args, &x, y.as_ref())?;
    let (rows, dims) = (x.rows(), x.dims());

    let display = Display::new();
    display.step("opening the device");
    let engine = Engine::on(&args.device)?.with_precision(args.precision)?.with_storage(args.storage)?;
    let engine = engine.observed_by(display.observer());
    let mut session = Session { engine, display, scaling: args.scaling(), computing: Duration::ZERO };

    let points_x = session.load(&args.x, x)?;
    let uniformity = Uniformity { t: args.t };
    let measured = |path: &Path, uniformity| Measured { path: path.into(), uniformity };
    let (x, paired) = match y {
        None => {
            let value = session.compute(1, &points_x, |engine| engine.uniformity(&points_x, uniformity))?;
            (measured(&args.x, value), None)
        }
        Some((path, y)) => {
            let points_y = session.load(path, y)?;
            let metric = Alignment { alpha: args.alpha };
            let loss = Loss { alignment: metric, uniformity, ..Loss::default() };
            let value = session.compute(2, &points_x, |engine| engine.loss(&points_x, &points_y, loss))?;
            let y = measured(path, value.uniformity_y);
            let paired = Paired { y, metric, alignment: value.alignment };
            (measured(&args.x, value.uniformity_x), Some(paired))
        }
    };
    let Session { engine, scaling, computing, .. } = session;
    let (device, precision, storage) = (engine.device().clone(), engine.precision(), engine.storage());
    Ok(Report { device, precision, storage, rows, dims, scaling, uniformity, x, paired, computing })
}

fn check(args: &Eval, x: &File, y: Option<&(&Path, File)>) -> Result<(), Failure> {
    if args.storage == Storage::F16 && args.scaling() == Scaling::Raw {
        return Err(Failure::Usage("raw points are kept as f32; leave out --storage f16 or --raw".into()));
    }
    let name = args.x.display();
    let (rows, dims) = (x.rows(), x.dims());
    if let Some((path, y)) = y
        && (y.rows(), y.dims()) != (rows, dims)
    {
        let (other, other_rows, other_dims) = (path.display(), y.rows(), y.dims());
        return Err(Failure::Input(format!(
            "{name} is {rows} × {dims} and {other} is {other_rows} × {other_dims} (rows × dims)\n\
             row i of both is one positive pair: save the same rows of both, from one encoder",
        )));
    }
    if rows < 2 {
        return Err(Failure::Input(format!(
            "{name} has {rows} row, and uniformity needs at least 2; save more points in it"
        )));
    }
    Ok(())
}

/// An engine at work for one report.
struct Session {
    engine: Engine,
    display: Display,
    scaling: Scaling,
    computing: Duration,
}

impl Session {
    /// Reads a file, and moves its points to the device.
    fn load(&mut self, path: &Path, file: File) -> Result<Points, Failure> {
        self.display.step(format!("reading {}", path.display()));
        let points = interrupt::leaving_at_once(|| file.embeddings(self.scaling))??;
        self.display.step("uploading");
        let start = Instant::now();
        let points = self.engine.upload_owned(points)?;
        self.computing += start.elapsed();
        interrupt::check()?;
        Ok(points)
    }

    /// Does what takes the pairs of so many sets like `points`.
    fn compute<T>(
        &mut self,
        sets: u64,
        points: &Points,
        work: impl FnOnce(&Engine) -> unisphere::Result<T>,
    ) -> Result<T, Failure> {
        self.display.pairs("pairs", sets * unordered_pairs(points.rows()));
        let start = Instant::now();
        let value = work(&self.engine)?;
        self.computing += start.elapsed();
        Ok(value)
    }
}
