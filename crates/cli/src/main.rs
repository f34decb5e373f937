//! The program `unisphere`: how good is this embedding?

mod args;
mod bench;
mod compare;
mod devices;
mod environment;
mod eval;
mod exit;
mod export;
mod interrupt;
mod json;
mod manual;
mod memory;
mod output;
mod progress;
mod reading;
mod scale;
mod set_files;
mod text;
mod threads;
mod values;
mod warnings;

use std::{env, panic, process::ExitCode};

use args::Command;
use exit::Failure;

fn main() -> ExitCode {
    environment::prepare();
    exit::report_panics();
    interrupt::listen();
    warnings::listen();
    match panic::catch_unwind(run).unwrap_or(Err(Failure::Panic)) {
        Err(Failure::Interrupted) => {
            exit::say("interrupted");
            interrupt::end()
        }
        outcome => exit::finish(outcome),
    }
}

fn run() -> Result<(), Failure> {
    let command = args::parse(env::args_os())?;
    output::check()?;
    if command.computes() {
        threads::start()?;
    }
    match command {
        Command::Eval(eval) => eval::run(&eval),
        Command::Compare(options) => compare::run(&options),
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
