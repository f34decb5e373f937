//! Parts of a plan, and what they make together.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use unisphere_io::printable;
use unisphere_scale::{Error, JournalError, JournalFault, Part, Resources};

use super::{
    Listing, MergeOptions, PartOptions, Telling,
    all_pairs::free_memory,
    analysis::group_table,
    files::Files,
    labels::{self, PlannedLabels},
    plan::Plan,
    print,
    report::{Device, Exact, Report},
};
use crate::{
    exit::Failure,
    export::{Beside, Format, Told},
    output,
    progress::Display,
    text,
};

/// Variables that tell a task its number, and what is to be added for the first to be 1.
const TASK_VARIABLES: [(&str, usize); 4] =
    [("SLURM_ARRAY_TASK_ID", 0), ("HQ_TASK_ID", 0), ("JOB_COMPLETION_INDEX", 1), ("PARALLEL_SEQ", 0)];

/// Computes one part, or the rest of it.
pub(crate) fn part(options: &PartOptions) -> Result<(), Failure> {
    let start = Instant::now();
    let plan = Plan::read(&options.plan)?;
    let number = number(&options.part, plan.parts)?;
    let max_memory = options.max_memory.or_else(free_memory);
    let files = Files::open(&plan.task.sets, max_memory, plan.task.is_of_distances())?;
    if (files.x.rows(), files.x.dims()) != (plan.rows, plan.dims) {
        return Err(Failure::Input(format!(
            "{} is {} × {}, and the plan is for {} × {} (rows × dims)\nput the file back, or make a new plan",
            printable(files.x.path()),
            files.x.rows(),
            files.x.dims(),
            plan.rows,
            plan.dims
        )));
    }
    if files.sets().sample()? != plan.sample {
        return Err(Failure::Input(format!(
            "{} has other points than the plan was made of, or the other set has\nput the files back, or make a new plan",
            printable(files.x.path())
        )));
    }
    let labels = plan.labels.as_ref().map(PlannedLabels::read).transpose()?;
    let name = printable(&options.out);
    if options.out.is_file() {
        return Err(Failure::Usage(format!("--out {name} is a file; name a folder")));
    }
    fs::create_dir_all(&options.out).map_err(|error| Failure::Input(format!("--out {name}: {error}")))?;
    let display = Display::new();
    let engines = options.place().open_interruptible(&display)?;
    let file = plan.file(&options.out, number);
    let mut resources = Resources::default();
    let of_labels = labels.as_ref().map_or(0, labels::bytes);
    resources.max_memory = files.left_of(max_memory).map(|bytes| bytes.saturating_sub(of_labels));
    resources.max_device_memory = options.max_device_memory;
    resources.journal = Some(file.clone());
    resources.observer = Some(Arc::new(display.observer()));
    display.counted(format!("part {number} of {}", plan.parts));
    let part = Part { number, of: plan.parts };
    let sets = files.labelled(labels.as_ref());
    let cost = plan.task.evaluation().part_on(&engines, sets, part, &resources).map_err(of_part)?;
    drop(display);
    output::print(&format!(
        "part {number} of {} is in {}: {}, {} of them from an earlier run; {}\n",
        plan.parts,
        printable(file),
        text::plural(cost.blocks, "block"),
        text::count(cost.blocks_recovered),
        text::seconds(start.elapsed().as_secs_f64()),
    ))
}

/// The cure for a file of another plan, which a part cannot name another for.
fn of_part(error: Error) -> Failure {
    match error {
        Error::Journal(JournalError { path, fault: JournalFault::OtherRun }) => Failure::Input(format!(
            "{} is of another plan or of other points; name another folder for --out, or remove it",
            printable(path)
        )),
        error => error.into(),
    }
}

/// Number of a part: as it is given, or as the scheduler of this task says.
fn number(text: &str, parts: usize) -> Result<usize, Failure> {
    let (from, number) = if text == "auto" {
        let told = |(name, add): (&str, usize)| Some((name.to_owned(), env::var(name).ok()?, add));
        let told = TASK_VARIABLES.into_iter().find_map(told);
        let (name, value, add) = told.ok_or_else(|| {
            let names: Vec<_> = TASK_VARIABLES.iter().map(|(name, _)| *name).collect();
            Failure::Usage(format!(
                "auto: none of {} is set; give the number of the part, from 1",
                names.join(", ")
            ))
        })?;
        (
            printable(format!("{name}={value}")),
            value.parse::<usize>().ok().and_then(|number| number.checked_add(add)),
        )
    } else {
        (printable(text), text.parse().ok())
    };
    number.filter(|number| (1..=parts).contains(number)).ok_or_else(|| {
        Failure::Usage(format!("{from} is no part of this plan; parts are numbered from 1 to {parts}"))
    })
}

/// Prints the report that all parts make.
pub(crate) fn merge(options: &MergeOptions) -> Result<(), Failure> {
    let listing = Listing {
        top: options.top.map(|top| top as usize),
        file: options.rows.as_deref().map(output::table_file),
    };
    let telling = Telling {
        format: Format::of(options.json, options.markdown),
        beside: Beside::new(options.csv.as_deref(), options.html.as_deref())?,
        text: None,
    };
    let report = merged(&options.plan, &options.parts, &listing, &telling.beside)?;
    print(report, &telling, None)
}

/// The report that all parts in a folder make, for a caller within this process, with so many crowded rows and farthest pairs and a
/// table of all rows, as `unisphere merge` makes them.
///
/// # Errors
///
/// Those of the program.
pub fn merge_parts(
    plan: &Path,
    folder: &Path,
    top: Option<usize>,
    rows: Option<&Path>,
) -> Result<Told, Failure> {
    let listing = Listing { top, file: rows.map(output::table_file) };
    let mut report = merged(plan, folder, &listing, &Beside::default())?;
    if let (Some(path), Some(table)) = report.analysis.table_and_file() {
        output::write_table(path, table)?;
    }
    Ok(Told::of(report))
}

/// The report. Fails before the work where what is to be written beside cannot be.
fn merged(path: &Path, folder: &Path, listing: &Listing, beside: &Beside) -> Result<Report, Failure> {
    let plan = Plan::read(path)?;
    let files: Vec<_> = (1..=plan.parts).map(|part| plan.file(folder, part)).collect();
    if listing.is_wanted() && !plan.task.potentials {
        return Err(Failure::Usage(format!(
            "--top and --rows take the potentials of rows, which {} has not\n\
             make a plan with --potentials, or leave them out",
            printable(path)
        )));
    }
    let of_sets: Vec<_> = plan.task.sets.files().flat_map(|(_, set)| set.expanded()).collect();
    let of_labels = plan.labels.as_ref().map(PlannedLabels::path);
    let inputs = files.iter().chain(&of_sets).map(PathBuf::as_path).chain([path]).chain(of_labels);
    beside.check(listing.file.as_deref(), inputs)?;
    let shape = plan.shape();
    let evaluation = plan.task.evaluation();
    let labels = plan.labels.as_ref().map(PlannedLabels::read).transpose()?;
    let of_rows = labels.as_ref().map(|labels| labels.of_rows.as_slice());
    let mut found = evaluation.merge(shape, plan.sample, of_rows, &files)?;
    let groups = group_table(&mut found, labels.as_ref(), plan.task.alpha);
    let (device, cost) = (Device::Class(found.device.clone()), found.cost);
    let file_counts = plan.task.sets.files().map(|(_, set)| set.expanded().len()).collect();
    let mut report = Report::of_all_pairs(plan.task, shape, device, found, listing)?;
    report.analysis.groups = groups;
    report.columns.extend(plan.labels.as_ref().map(|labels| ("labels", labels.told())));
    report.file_counts = file_counts;
    report.rounding = plan.rounding;
    report.exact = Some(Exact {
        panel_rows: evaluation.expected(shape, None)?.panel_rows,
        cost,
        bytes_read: 0.0,
        memory: None,
        device_memory: None,
        journal: None,
        parts: Some(plan.parts),
    });
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_from_1() {
        assert_eq!(number("3", 3).ok(), Some(3));
        for wrong in ["0", "4", "-1", "one", ""] {
            assert!(matches!(number(wrong, 3), Err(Failure::Usage(_))), "{wrong}");
        }
    }
}
