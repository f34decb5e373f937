//! The program `unisphere`: how good is this embedding?

mod args;
mod bench;
mod devices;
mod environment;
mod eval;
mod exit;
mod export;
mod interrupt;
mod json;
mod memory;
mod output;
mod progress;
mod reading;
mod scale;
mod set_files;
mod text;
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
    let outcome = panic::catch_unwind(run).unwrap_or(Err(Failure::Panic));
    exit::finish(outcome)
}

fn run() -> Result<(), Failure> {
    match args::parse(env::args_os())? {
        Command::Eval(eval) => eval::run(&eval),
        Command::Plan(options) => scale::plan(&options),
        Command::Part(options) => scale::part(&options),
        Command::Merge(options) => scale::merge(&options),
        Command::Gradient(options) => scale::gradient(&options),
        Command::Devices(devices) => devices::run(&devices),
        Command::Bench(bench) => bench::run(&bench),
        Command::Print(text) => output::print(&text),
    }
}
