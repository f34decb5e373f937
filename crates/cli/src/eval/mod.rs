//! `unisphere eval`: from files to numbers.
//!
//! Options → [`plan`], without contradictions → [`inputs`], checked → [`work`], sets on a device → sections of the
//! [`report`], each measured, printed and put into JSON in a file of its own.

mod contrastive;
mod duplicates;
mod estimator;
mod groups;
mod histograms;
mod inputs;
mod offenders;
mod options;
mod plan;
mod protocol;
mod published;
mod report;
mod rows_file;
mod section;
mod session;
mod significance;
mod spectrum;
mod summary;
mod sweep;
mod work;

pub(crate) use options::Eval;
pub(crate) use protocol::help;

use crate::{exit::Failure, output};
use inputs::Inputs;
use plan::Plan;
use report::Report;
use section::Section;
use session::Session;
use summary::Summary;
use sweep::Sweep;
use work::Work;

pub(crate) fn run(options: &Eval) -> Result<(), Failure> {
    let report = measure(options)?;
    output::print(&if options.json { report.json() } else { report.text() })
}

/// What can be refused is refused before anything is computed: the command line, headers and the device first.
fn measure(options: &Eval) -> Result<Report, Failure> {
    let plan = Plan::new(options)?;
    let inputs = Inputs::open(options, &plan)?;
    let mut work = Work::load(plan, inputs, Session::open(options)?)?;

    let summary = Summary::measure(&mut work)?;
    let sweep = Sweep::measure(&mut work, &summary)?;
    let mut sections: Vec<Box<dyn Section>> = Vec::new();
    let mut add = |section: Option<Box<dyn Section>>| sections.extend(section);
    add(published::measure(&mut work, &summary)?);
    add(contrastive::measure(&mut work, &sweep)?);
    add(significance::measure(&work, &summary));
    add(spectrum::measure(&mut work)?);
    add(histograms::measure(&mut work)?);
    add(duplicates::measure(&mut work)?);
    add(offenders::measure(&work));
    add(groups::measure(&mut work, options)?);
    add(rows_file::write(&work, options)?);
    let tables: [Option<Box<dyn Section>>; 2] =
        [Some(Box::new(summary)), sweep.shown().map(|sweep| Box::new(sweep) as Box<dyn Section>)];
    sections.splice(0..0, tables.into_iter().flatten());
    Ok(Report::new(options, work, sections))
}
