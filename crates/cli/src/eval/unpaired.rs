//! `unisphere eval --unpaired`: two sets of any numbers of rows.

use unisphere::Embeddings;
use unisphere_eval::{Session, unpaired::measure};
use unisphere_io::{File, printable};

use super::options::Eval;
use crate::{
    devices,
    exit::Failure,
    export::{self, Format, UnpairedDocument},
    interrupt, output,
    progress::Display,
    reading::Of,
    scale::{Excess, check_dims},
    set_files::SetFiles,
    text::plural,
};

/// Measures two sets and prints the report.
pub(super) fn run(options: &Eval) -> Result<(), Failure> {
    let (plan, files_of_y) = options.unpaired_plan()?;
    let open = |files: &SetFiles, set| {
        let reading = options.reading.reading(set);
        let file = interrupt::leaving_at_once(|| File::open_with(files.path(), &reading))??;
        check_dims(&file, plan.scaling)?;
        enough(&file)?;
        Ok::<_, Failure>(file)
    };
    let (x, y) = (open(&options.x, Of::X)?, open(files_of_y, Of::Y)?);
    if x.dims() != y.dims() {
        return Err(Failure::Input(format!(
            "{} has {} dimensions, and {} has {}\nname two files of one encoder",
            printable(x.path()),
            x.dims(),
            printable(y.path()),
            y.dims()
        )));
    }
    if let Some(excess) = Excess::of([&x, &y].into_iter()) {
        return Err(Failure::Input(excess.refusal_unpaired()));
    }
    let display = Display::new();
    display.step("opening the device");
    let engine =
        devices::open(&options.device)?.with_precision(options.precision)?.with_storage(options.storage)?;
    let engine = engine.observed_by(display.observer());
    let mut last = String::new();
    let session = Session::new(&engine, |step| {
        // A step that goes on asks again, for an interruption.
        let step = step.to_string();
        if step != last {
            display.counted(step.clone());
            last = step;
        }
        interrupt::control()
    });
    let read = |file: &File| {
        display.step(format!("reading {}", printable(file.path())));
        let points = interrupt::leaving_at_once(|| file.embeddings(plan.scaling))??;
        Ok::<Embeddings<'static>, Failure>(points)
    };
    let report = measure(&plan, read(&x)?, read(&y)?, session)?;
    let told = |files: &SetFiles, set| options.reading.told(files.path(), set);
    let told = [told(&options.x, Of::X), told(files_of_y, Of::Y)];
    let document = UnpairedDocument { report, files: told, read: options.reading.to_json() };
    let format = if options.json { Format::Json } else { Format::Text };
    output::print(&export::unpaired(format, &document))
}

fn enough(file: &File) -> Result<(), Failure> {
    if file.rows() >= 2 {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{} has {}, and uniformity needs at least 2; save more points in it",
        printable(file.path()),
        plural(file.rows() as u64, "row")
    )))
}
