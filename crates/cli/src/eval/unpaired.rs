//! `unisphere eval --unpaired`: two sets of any numbers of rows.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use unisphere::LabelledPairs;
use unisphere_eval::{Session, unpaired::measure};
use unisphere_io::{File, Labels, printable};

use super::{engine, listener, options::Eval, whole};
use crate::{
    exit::Failure,
    export::{self, Log, UnpairedDocument},
    interrupt,
    origin::all_about_mean,
    output,
    progress::Display,
    reading::{Of, check_together},
    scale::{check_one_a_row, open_column},
    set_files::SetFiles,
};

/// The help against a row of zeros.
const CURE_OF_ZEROS: &str = "leave such rows out of the file; --raw takes rows as they are";

/// Measures two sets and prints the report.
pub(super) fn run(options: &Eval) -> Result<(), Failure> {
    let (mut plan, files_of_y) = options.unpaired_plan()?;
    let open = |files: &SetFiles, set, other| {
        let fault = |error| SetFiles::fault_beside(Some(other), &options.reading, set, error);
        let file = whole::open_or(files.path(), &options.reading.reading(set), plan.scaling, fault)?;
        whole::check_enough(&file, file.rows())?;
        Ok::<_, Failure>(file)
    };
    let (x, y) = (open(&options.x, Of::X, files_of_y)?, open(files_of_y, Of::Y, &options.x)?);
    check_together([&x, &y].into_iter())?;
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
    let beside = options.beside_of(Log::unpaired)?;
    let columns = [&options.labels, &options.labels_y].into_iter().flatten().map(PathBuf::as_path);
    beside.check(None, [x.path(), y.path()].into_iter().chain(columns))?;
    if let (Some(of_x), Some(of_y)) = (&options.labels, &options.labels_y) {
        let column = options.labels_column.as_deref();
        let read = |path, file| labels(path, column, file);
        plan.positives = Some(positives([of_x, of_y], &read(of_x, &x)?, &read(of_y, &y)?)?);
    }
    // Partners are ranked by products.
    let of_distances = plan.positives.is_none();
    let located = interrupt::leaving_at_once(|| all_about_mean(vec![x, y], plan.scaling, of_distances));
    let (sets, rounding) = located??;
    let display = Display::new();
    let engine = engine(options, &display)?;
    let session = Session::new(&engine, listener(&display));
    let read = |file: &File| whole::read(file, &display, CURE_OF_ZEROS, |file| file.embeddings(plan.scaling));
    let [x, y] = sets.as_slice() else { return Err(Failure::Usage("--unpaired compares two sets".into())) };
    let mut report = measure(&plan, read(x)?, read(y)?, session)?;
    report.rounding = rounding;
    let told = |files: &SetFiles, set, file| options.reading.told_of(files.path(), set, file);
    let named = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let files = [
        ("x", Some(told(&options.x, Of::X, x))),
        ("y", Some(told(files_of_y, Of::Y, y))),
        ("labels", named(&options.labels)),
        ("labels_y", named(&options.labels_y)),
    ];
    let files = files.into_iter().filter_map(|(role, file)| Some((role, file?))).collect();
    let document = UnpairedDocument { report, files, read: options.reading.to_json() };
    let written = beside.write_plain(&document);
    output::print(&export::exporter(options.format()).export(&document)).and(written)
}

/// The label of every row of a set.
fn labels(path: &Path, column: Option<&str>, set: &File) -> Result<Labels, Failure> {
    let column = open_column(path, column, "label")?;
    check_one_a_row(&column, "label", set)?;
    Ok(interrupt::leaving_at_once(|| column.labels())??)
}

/// Which rows have one label. Numbers are names too, where the other file has names.
fn positives([path_x, path_y]: [&Path; 2], of_x: &Labels, of_y: &Labels) -> Result<LabelledPairs, Failure> {
    let pairs = if of_x.names.is_none() && of_y.names.is_none() {
        LabelledPairs::new(&of_x.of_rows, &of_y.of_rows)?
    } else {
        let mut numbers = HashMap::new();
        let mut numbered = |labels: &Labels| -> Vec<i64> {
            let mut number = |row| {
                let next = numbers.len() as i64;
                *numbers.entry(labels.name(row)).or_insert(next)
            };
            (0..labels.of_rows.len()).map(&mut number).collect()
        };
        let (x, y) = (numbered(of_x), numbered(of_y));
        LabelledPairs::new(&x, &y)?
    };
    let [without_x, without_y] = pairs.without_positive();
    for (path, other, labels, row) in [(path_x, path_y, of_x, without_x), (path_y, path_x, of_y, without_y)] {
        if let Some(row) = row {
            return Err(Failure::Input(format!(
                "{}: row {row} has the label {}, which no row of {} has\n\
                 leave out rows without a partner, in the points as in the labels",
                printable(path),
                printable(labels.name(row)),
                printable(other),
            )));
        }
    }
    Ok(pairs)
}
