//! `unisphere eval --unpaired`: two sets of any numbers of rows.

use unisphere_eval::{Session, unpaired::measure};
use unisphere_io::{File, printable};

use super::{engine, options::Eval, whole};
use crate::{
    exit::Failure,
    export::{self, Format, UnpairedDocument},
    interrupt, output,
    progress::Display,
    reading::Of,
    set_files::SetFiles,
};

/// The help against a row of zeros.
const CURE_OF_ZEROS: &str = "leave such rows out of the file; --raw takes rows as they are";

/// Measures two sets and prints the report.
pub(super) fn run(options: &Eval) -> Result<(), Failure> {
    let (plan, files_of_y) = options.unpaired_plan()?;
    let open = |files: &SetFiles, set| {
        let file = whole::open(files.path(), &options.reading.reading(set), plan.scaling)?;
        whole::check_enough(&file, file.rows())?;
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
    whole::check_memory([&x, &y].into_iter(), "--unpaired")?;
    let display = Display::new();
    let engine = engine(options, &display)?;
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
    let read = |file: &File| whole::read(file, &display, CURE_OF_ZEROS, |file| file.embeddings(plan.scaling));
    let report = measure(&plan, read(&x)?, read(&y)?, session)?;
    let told = |files: &SetFiles, set| options.reading.told(files.path(), set);
    let told = [told(&options.x, Of::X), told(files_of_y, Of::Y)];
    let document = UnpairedDocument { report, files: told, read: options.reading.to_json() };
    let format = if options.json { Format::Json } else { Format::Text };
    output::print(&export::unpaired(format, &document))
}
