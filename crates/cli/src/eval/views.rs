//! `unisphere eval --views`: several views of the same rows, a file each or all in one array.

use std::{iter, path::Path, slice};

use unisphere::{Points, Scaling};
use unisphere_eval::{Rounding, Session, views::measure};
use unisphere_io::{File, printable};

use super::{engine, listener, options::Eval, whole};
use crate::{
    exit::Failure,
    export::{self, Log, ViewsDocument},
    interrupt,
    origin::{about_mean, all_about_mean},
    output,
    progress::Display,
    reading::{Of, check_together},
    scale::check_pairs,
    set_files::SetFiles,
    text::plural,
};

/// The help against a row of zeros.
const CURE_OF_ZEROS: &str = "leave such rows out of all views; --raw takes rows as they are";
/// The same where all views are in one file.
const CURE_OF_ZEROS_IN_ARRAY: &str =
    "rows are those of x.reshape(-1, x.shape[-1]): leave its row out of x; --raw takes rows as they are";

/// The most views of an array: 32,640 pairs of views. More are rows in the place of views.
const MAX_VIEWS: usize = 256;
/// The help where the first two axes are in the other order.
const SWAPPED: &str = "where views are the first axis, save numpy.ascontiguousarray(x.swapaxes(0, 1))";

/// Measures the views and prints the report.
pub(super) fn run(options: &Eval) -> Result<(), Failure> {
    let plan = options.views_plan()?;
    let beside = options.beside_of(Log::views)?;
    beside.check(None, paths(options))?;
    let (files, rounding) = Files::open(options, plan.scaling)?;
    let display = Display::new();
    let engine = engine(options, &display)?;
    let mut session = Session::new(&engine, listener(&display));
    let told = files.told(options);
    let views = files.load(plan.scaling, &mut session, &display)?;
    let mut report = measure(&plan, &views, session)?;
    report.rounding = rounding;
    let document = ViewsDocument { report, files: told, read: options.reading.to_json() };
    let written = beside.write_plain(&document);
    output::print(&export::exporter(options.format()).export(&document)).and(written)
}

/// The files of the views, in their order.
fn paths(options: &Eval) -> impl Iterator<Item = &Path> + Clone {
    let named = iter::once(&options.x).chain(&options.y).map(SetFiles::path);
    named.chain(options.views.iter().flatten().map(AsRef::as_ref))
}

/// The first view is read as X, and others as Y.
fn set_of(view: usize) -> Of {
    if view == 0 { Of::X } else { Of::Y }
}

/// Where the views are.
enum Files {
    /// A file each, of one shape.
    Each(Vec<File>),
    /// All in one array (n, views, d).
    Array(File),
}

impl Files {
    fn open(options: &Eval, scaling: Scaling) -> Result<(Self, Option<Rounding>), Failure> {
        let all: Vec<_> = paths(options).collect();
        if let [only] = all.as_slice() {
            return Self::open_array(options, only, scaling);
        }
        let mut files: Vec<File> = Vec::new();
        for (view, path) in all.into_iter().enumerate() {
            let file = whole::open(path, &options.reading.reading(set_of(view)), scaling)?;
            files.first().map_or(Ok(()), |first| check_pairs(first, &file))?;
            whole::check_enough(&file, file.rows())?;
            files.push(file);
        }
        check_together(files.iter())?;
        whole::check_memory(files.iter(), "--views")?;
        let (files, rounding) = interrupt::leaving_at_once(|| all_about_mean(files, scaling, true))??;
        Ok((Self::Each(files), rounding))
    }

    fn open_array(
        options: &Eval,
        path: &Path,
        scaling: Scaling,
    ) -> Result<(Self, Option<Rounding>), Failure> {
        let file = whole::open(path, &options.reading.reading(Of::X).with_views(), scaling)?;
        File::check_together([&file])?;
        let refuse = |found: String| Err(Failure::Input(format!("{} {found}", printable(path))));
        match file.views() {
            None => refuse(format!(
                "is {} × {}, and --views alone takes an array (n, views, dims)\nname the files of the other views: --views FILE FILE",
                file.rows(),
                file.dims()
            )),
            Some(1) => refuse(
                "has one view, and alignment takes two or more\nsave numpy.stack([x, y], axis=1); without views, save x[:, 0]".into(),
            ),
            Some(views) if views > MAX_VIEWS => refuse(format!(
                "is {views} views of {}, and --views takes at most {MAX_VIEWS}\n{SWAPPED}",
                plural((file.rows() / views) as u64, "row")
            )),
            Some(views) => {
                let rows = file.rows() / views;
                whole::check_enough(&file, rows)?;
                if views > rows {
                    log::warn!("{} is taken for {views} views of {rows} rows\n{SWAPPED}", printable(path));
                }
                whole::check_memory(iter::once(&file), "--views")?;
                let (file, _, rounding) =
                    interrupt::leaving_at_once(|| about_mean(file, None, scaling, true))??;
                // Any two views are of the one set.
                let rounding = rounding.map(|of| Rounding { y: of.x, ..of });
                Ok((Self::Array(file), rounding))
            }
        }
    }

    /// The files, and how they are read.
    fn told(&self, options: &Eval) -> Vec<String> {
        let files = match self {
            Self::Each(files) => files.as_slice(),
            Self::Array(file) => slice::from_ref(file),
        };
        let of_views = paths(options).zip(files).enumerate();
        of_views.map(|(view, (path, file))| options.reading.told_of(path, set_of(view), file)).collect()
    }

    /// Reads the views, each copied to the device before the next file is read.
    fn load(
        self,
        scaling: Scaling,
        session: &mut Session<'_>,
        display: &Display,
    ) -> Result<Vec<Points>, Failure> {
        let mut points = Vec::new();
        match self {
            Self::Each(files) => {
                for file in files {
                    let view = whole::read(&file, display, CURE_OF_ZEROS, |file| file.embeddings(scaling))?;
                    points.push(session.upload_points(view)?);
                }
            }
            Self::Array(file) => {
                let views = whole::read(&file, display, CURE_OF_ZEROS_IN_ARRAY, |file| {
                    file.embeddings_of_views(scaling)
                })?;
                for view in views {
                    points.push(session.upload_points(view)?);
                }
            }
        }
        Ok(points)
    }
}
