//! The program `unisphere` as a library: [`main`] is all that the binary does, [`run`] is the program within another process, such as
//! that of Python. [`Told`] is a report as the program tells it: of what `unisphere_eval` has measured, of sets of any size
//! ([`evaluate_large`], [`estimate_large`], [`merge_parts`]), or of several models ([`compare_models`]).

mod args;
mod bench;
mod compare;
mod devices;
mod endings;
mod environment;
mod eval;
mod exit;
mod export;
mod interrupt;
mod json;
mod manual;
mod memory;
mod one_a_row;
mod origin;
mod output;
mod progress;
mod reading;
mod scale;
mod set_files;
mod text;
mod threads;
mod values;
mod warnings;

pub use compare::{CompareRequest, GivenModel, compare_models};
pub use exit::Failure;
pub use export::{Inputs, Skipped, Told};
pub use origin::{Located, about_mean};
pub use progress::Caller;
pub use reading::{Of, ReadingOptions, check_together, warn_of_guess};
pub use scale::{
    EstimateOptions, LargeOptions, LargeSet, LargeSets, estimate_large, evaluate_large, merge_parts,
};

use std::{
    env,
    ffi::OsString,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
};

use args::Command;

/// The program: the line that this process was started with, to its exit code.
pub fn main() -> ExitCode {
    environment::prepare();
    ExitCode::from(run(env::args_os()))
}

/// Runs the program on a command line, whose first word is the program's own name, and returns its exit code. Where it was asked to end,
/// by Ctrl-C or SIGTERM, it ends the process, of the same signal.
///
/// It takes the process over: it prints, listens to signals, and starts the global pool of rayon's threads. It is to be called once,
/// and before anything else is computed.
pub fn run(line: impl IntoIterator<Item = OsString>) -> u8 {
    exit::report_panics();
    interrupt::listen();
    warnings::listen();
    match panic::catch_unwind(AssertUnwindSafe(|| obey(line))).unwrap_or(Err(Failure::Panic)) {
        Err(Failure::Interrupted) => {
            exit::say("interrupted");
            interrupt::end()
        }
        outcome => exit::finish(outcome),
    }
}

fn obey(line: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    let command = args::parse(line)?;
    output::check()?;
    if command.computes() {
        threads::start()?;
    }
    match command {
        Command::Eval(eval) => eval::run(&eval),
        Command::Compare(options) => compare::run(&options),
        Command::Watch(options) => compare::watch(&options),
        Command::Plan(options) => scale::plan(&options),
        Command::Part(options) => scale::part(&options),
        Command::Merge(options) => scale::merge(&options),
        Command::Gradient(options) => scale::gradient(&options),
        Command::Devices(devices) => devices::run(&devices),
        Command::Bench(bench) => bench::run(&bench),
        Command::Completions(options) => manual::completions(&options, args::command()),
        Command::Man(options) => manual::manual(&options, args::command()),
        Command::Print(text) => output::show(&text),
    }
}
