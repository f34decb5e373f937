//! The command line.

use std::ffi::OsString;

use clap::{CommandFactory, Parser, error::ErrorKind};

use crate::{
    bench::Bench,
    devices::Devices,
    eval::{self, Eval},
    exit::Failure,
    scale::{GradientOptions, MergeOptions, PartOptions, PlanOptions},
};

const EXAMPLE: &str = "\
Example:
  unisphere eval images.npy texts.npy    row i of both is one positive pair
  unisphere eval images.npy --json       one set: its uniformity, for a program to read
  unisphere eval x.npy y.npy --full      everything that needs no further file
  unisphere eval x.npy --tolerance 1e-4  an estimate in seconds, with a proven interval
  unisphere eval x.npy --max-memory 4G   all pairs of a set that is larger than memory
  unisphere devices                      the devices that --device and --devices can name
  unisphere bench                        the speed of this machine, and its ceiling

Exit codes: 0 done, 1 internal failure, 2 usage, 3 input, 4 device, 5 disk, 130 interrupted.";

/// How good is this embedding? Alignment and uniformity (Wang & Isola 2020) of points on the sphere.
#[derive(Debug, Parser)]
#[command(name = "unisphere", version, after_help = EXAMPLE, arg_required_else_help = false)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Measure one set of embeddings, or two whose rows are positive pairs
    #[command(after_help = eval::short_help(), after_long_help = eval::long_help())]
    Eval(Box<Eval>),
    /// Divide an evaluation of sets of any size into parts, for many machines: prints a plan
    Plan(Box<PlanOptions>),
    /// Compute one part of a plan, or go on with it
    Part(PartOptions),
    /// Merge the parts of a plan into its report
    Merge(MergeOptions),
    /// Write the gradient of a metric with respect to every row, of sets of any size
    Gradient(Box<GradientOptions>),
    /// List the devices of this machine and their limits
    Devices(Devices),
    /// Time uniformity on this machine's devices, each value checked first
    Bench(Bench),
    /// Help or the version, as clap wrote it.
    #[command(skip)]
    Print(String),
}

/// What the command line asks for.
pub(crate) fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let line: Vec<_> = line.into_iter().collect();
    let error = match Args::try_parse_from(&line) {
        Ok(args) => return Ok(args.command),
        Err(error) => error,
    };
    let text = error.render();
    if let (ErrorKind::UnknownArgument, Some(files)) = (error.kind(), too_many_files(&line)) {
        return Err(Failure::Usage(format!(
            "X and Y are taken, and {files} files are named\n\
             name files that are one set behind --shards: --shards emb_*.npy"
        )));
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Command::Print(text.ansi().to_string())),
        _ => Err(Failure::Usage(brief(&text.to_string(), line.get(1)))),
    }
}

/// How many files a line for eval, plan or gradient names, where it names more than two, as it does with a pattern that the shell has expanded.
fn too_many_files(line: &[OsString]) -> Option<usize> {
    const ENDINGS: [&str; 7] = [".npy", ".npz", ".parquet", ".arrow", ".safetensors", ".jsonl", ".csv"];
    let is_file = |argument: &&OsString| ENDINGS.iter().any(|end| argument.to_string_lossy().ends_with(end));
    let files = line.iter().skip(2).take_while(is_file).count();
    let takes_two =
        ["eval", "plan", "gradient"].iter().any(|name| line.get(1).is_some_and(|word| word == name));
    (takes_two && files > 2).then_some(files)
}

/// clap's paragraphs in two lines: what is wrong, and a tip where it has one, or else where to read more.
fn brief(error: &str, command: Option<&OsString>) -> String {
    let known = |name: &&OsString| Args::command().find_subcommand(name).is_some();
    let command = command.filter(known).map_or(String::new(), |name| format!(" {}", name.display()));
    let mut paragraphs = error.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
    let wrong = paragraphs.next().unwrap_or_default();
    // No argument of this program begins with a dash, so that its way to pass one is no cure.
    let tip = paragraphs.find(|p| p.starts_with("tip:") && !p.contains("as a value, use '--"));
    let cure = tip.unwrap_or(format!("see unisphere{command} --help"));
    format!("{}\n{cure}", wrong.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_two_lines() {
        for line in [
            &["unisphere"][..],
            &["unisphere", "eval"],
            &["unisphere", "evil"],
            &["unisphere", "eval", "x.npy", "y.npy", "z.npy"],
            &["unisphere", "eval", "emb_0.npy", "emb_1.npy", "emb_10.npy", "emb_2.npy", "--json"],
            &["unisphere", "eval", "x.npy", "--jsn"],
            &["unisphere", "eval", "x.npy", "--t", "-1"],
            &["unisphere", "eval", "x.npy", "--t", "1,,2"],
            &["unisphere", "eval", "x.npy", "--temperature", "0.1"],
            &["unisphere", "eval", "x.npy", "--sigmoid", "10", "-10"],
            &["unisphere", "eval", "x.npy", "--protocol", "none"],
            &["unisphere", "eval", "x.npy", "--protocol", "paper", "--t", "3"],
            &["unisphere", "eval", "x.npy", "--device", ""],
            &["unisphere", "eval", "x.npy", "--precision", "f64"],
            &["unisphere", "eval", "x.npy", "--storage", "f8"],
            &["unisphere", "gradient", "x.npy", "--out", "g.npy"],
            &["unisphere", "gradient", "x.npy", "--of", "uniformity"],
            &["unisphere", "gradient", "x.npy", "--of", "sigmoid", "--out", "g.npy"],
            &["unisphere", "bench", "--sizes", "8192"],
            &["unisphere", "bench", "--work", "alignment"],
        ] {
            match parse(line.iter().map(OsString::from)) {
                Err(Failure::Usage(text)) => {
                    assert!(text.lines().count() == 2 && !text.contains("'-- "), "{text}");
                }
                other => panic!("{line:?}: {other:?}"),
            }
        }
    }
}
