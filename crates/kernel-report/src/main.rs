//! What a compiler of GPU code makes of the kernels, for a GPU that need not be here. `scripts/kernel-report` runs it.

mod check;
mod driver;
mod kernels;
mod listing;
mod main_loop;
mod speed;
mod table;

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use driver::Driver;
use table::{Report, Row};

const USAGE: &str = "usage: kernel-report driver                     the driver that would compile
       kernel-report compile KERNELS [LISTINGS] a report of the kernels in a folder; their machine code to another
       kernel-report check BASELINE REPORT      what is worse than in an earlier report
       kernel-report speed BASELINES            what GPUs would take by the reports in a folder";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["driver"] => Driver::open().map(|driver| driver.name.clone() + "\n"),
        ["compile", kernels] => compile(Path::new(kernels), None),
        ["compile", kernels, listings] => compile(Path::new(kernels), Some(Path::new(listings))),
        ["check", baseline, report] => checked(baseline, report),
        ["speed", baselines] => foretold(Path::new(baselines)),
        _ => Err(USAGE.into()),
    };
    let (written, code) = match done {
        Ok(text) => (io::stdout().write_all(text.as_bytes()), ExitCode::SUCCESS),
        Err(error) => (writeln!(io::stderr(), "error: {error}"), ExitCode::FAILURE),
    };
    if written.is_ok() { code } else { ExitCode::FAILURE }
}

fn compile(kernels: &Path, listings: Option<&Path>) -> Result<String, String> {
    let driver = Driver::open()?;
    let mut rows = Vec::new();
    for kernel in kernels::read(kernels)? {
        if kernel.by_matrices() && !driver.has_matrices {
            continue;
        }
        let compiled = driver
            .compile(&kernel.words, &kernel.entry, kernel.buffers)
            .map_err(|error| format!("{}: {error}", kernel.name))?;
        if let Some(folder) = listings {
            let file = folder.join(kernel.name.replace([' ', '/'], "-") + ".s");
            fs::write(&file, &compiled.listing).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        rows.push(Row::of(&kernel.name, &compiled)?);
    }
    Ok(Report { driver: driver.name.clone(), rows }.markdown())
}

fn checked(baseline: &str, report: &str) -> Result<String, String> {
    let (old, new) = (read(Path::new(baseline))?, read(Path::new(report))?);
    let worse = check::worse(&old, &new);
    if worse.is_empty() {
        return Ok(format!("{}: no kernel is worse than in {baseline}\n", new.driver));
    }
    let mut error = format!("worse than in {baseline}:\n{}", worse.join("\n"));
    if old.driver != new.driver {
        error += &format!("\nThe baseline is of another driver: {}, not {}", old.driver, new.driver);
    }
    Err(error)
}

fn foretold(baselines: &Path) -> Result<String, String> {
    let [rdna2, rdna3] = ["rdna2.md", "rdna3.md"].map(|file| read(&baselines.join(file)));
    speed::tables(&rdna2?, &rdna3?)
}

fn read(path: &Path) -> Result<Report, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Report::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}
