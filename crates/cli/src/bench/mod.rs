//! `unisphere bench`: how fast each device is, and how near to what it could do.

mod ceiling;
mod check;
mod clock;
mod formula;
mod json;
mod options;
mod places;
mod report;
mod size;
mod sphere;
mod table;
mod work;

use std::time::Duration;

use unisphere::Embeddings;

use self::{
    check::Expected,
    clock::Clock,
    places::Place,
    report::{Report, Row},
    work::{Sets, Work},
};
pub(crate) use self::{options::Bench, size::Size, sphere::points as points_on_sphere};
use crate::{exit::Failure, interrupt, output, progress::Display};

pub(crate) fn run(args: &Bench) -> Result<(), Failure> {
    let report = measure(args)?;
    output::print(&if args.json { json::bench(&report) } else { table::bench(&report) })
}

/// Sizes and devices first: what can be refused is refused before anything is timed.
fn measure(args: &Bench) -> Result<Report, Failure> {
    let copies = Work::copies(&args.work);
    args.sizes.iter().try_for_each(|size| size.check(copies))?;
    let display = Display::new();
    display.step("opening the devices");
    let (mut places, skipped) = places::open(args, &display)?;
    let mut rows = Vec::new();
    for &size in &args.sizes {
        display.step(format!("making {size} points and measuring some of them by the formula"));
        let (x, y, expected) = interrupt::leaving_at_once(|| {
            let x = sphere::points(size, 1)?;
            let two = args.work.iter().any(|work| work.contrastive().is_some());
            let y = two.then(|| sphere::points(size, 2)).transpose()?;
            let expected = Expected::new(&x, y.as_deref(), size);
            Ok::<_, Failure>((x, y, expected))
        })??;
        let first = rows.len();
        for (number, place) in places.iter_mut().enumerate() {
            let set = Set { size, x: &x, y: y.as_deref(), expected: &expected };
            rows.extend(set.measure(args, &display, number, place)?);
        }
        // Devices side by side.
        rows[first..].sort_by_key(|row| args.work.iter().position(|&work| work == row.work));
    }
    drop(display);
    Ok(Report { places, skipped, rows })
}

/// Points, and what is known of them.
struct Set<'a> {
    size: Size,
    x: &'a [f32],
    y: Option<&'a [f32]>,
    expected: &'a Expected,
}

impl Set<'_> {
    fn measure(
        &self,
        args: &Bench,
        display: &Display,
        number: usize,
        place: &mut Place,
    ) -> Result<Vec<Row>, Failure> {
        let Size { n, d } = self.size;
        let clock = Clock { display, budget: Duration::from_secs_f64(args.seconds) };
        let mut rows = Vec::new();
        display.step(format!("{}: checking, {}", place.label, self.size));
        for engine in &place.engines {
            self.expected.check_sample(engine, &args.work)?;
        }
        let upload = |values| place.engines[0].upload(&Embeddings::new(values, n, d)?);
        let sets = Sets { x: upload(self.x)?, y: self.y.map(upload).transpose()? };
        for &work in &args.work {
            for (engine, precision) in place.engines.iter().map(|engine| (engine, engine.precision())) {
                display.step(format!("{}: what it could do at best", place.label));
                place.ceilings.observe(engine)?;
                interrupt::check()?;
                let what = format!("{}: {work} of {}, {precision}", place.label, self.size);
                let check = |result| self.expected.check(engine, (work, &sets, self.x), result);
                let (seconds, runs) = clock.time(&what, || work.run(engine, &sets), check)?;
                rows.push(Row { work, place: number, precision, size: self.size, seconds, runs });
            }
        }
        Ok(rows)
    }
}
