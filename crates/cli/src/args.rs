//! The command line.

use std::ffi::OsString;

use clap::{
    CommandFactory, Parser, builder::NonEmptyStringValueParser, builder::TypedValueParser, error::ErrorKind,
};
use unisphere::{DeviceChoice, Precision};

use crate::{
    bench::{Size, Work},
    eval::{self, Eval},
    exit::Failure,
};

const EXAMPLE: &str = "\
Example:
  unisphere eval images.npy texts.npy    row i of both is one positive pair
  unisphere eval images.npy --json       one set: its uniformity, for a program to read
  unisphere eval x.npy y.npy --full      everything that is known to measure
  unisphere devices                      what --device can name
  unisphere bench                        how fast this machine is, and what it could do at best

Exit codes: 0 done, 1 internal failure, 2 usage, 3 input, 4 device, 130 interrupted.";

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
    #[command(after_help = eval::help())]
    Eval(Box<Eval>),
    /// List the devices of this machine and their limits
    Devices(Devices),
    /// Time uniformity on this machine's devices, each value checked first
    Bench(Bench),
    /// Help or the version, as clap wrote it.
    #[command(skip)]
    Print(String),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Devices {
    /// Print one JSON object; sizes are in bytes
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Points by dimensions, several separated by commas
    #[arg(long, value_name = "NxD", value_delimiter = ',', default_value = "8192x768,8192x128")]
    pub(crate) sizes: Vec<Size>,

    /// What to time, several separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = Work::DEFAULT)]
    pub(crate) work: Vec<Work>,

    /// One device, as eval takes it [default: the CPU and every GPU but software ones]
    #[arg(long, value_parser = device())]
    pub(crate) device: Option<DeviceChoice>,

    /// f32, f16x2 or f16, several separated by commas
    #[arg(long, value_name = "GRADE", value_delimiter = ',', default_values_t = [Precision::F32])]
    pub(crate) precision: Vec<Precision>,

    /// For how many seconds a line's runs go on: at least three runs, and one of more than ten seconds
    #[arg(long, default_value_t = 2.0, value_parser = positive, allow_negative_numbers = true)]
    pub(crate) seconds: f64,

    /// Print one JSON object; `seconds` are the median of the runs
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the command line asks for.
pub(crate) fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let line: Vec<_> = line.into_iter().collect();
    let error = match Args::try_parse_from(&line) {
        Ok(args) => return Ok(args.command),
        Err(error) => error,
    };
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Command::Print(text.ansi().to_string())),
        _ => Err(Failure::Usage(brief(&text.to_string(), line.get(1)))),
    }
}

/// clap's paragraphs in two lines: what is wrong, and a tip where it has one, or else where to read more.
fn brief(error: &str, command: Option<&OsString>) -> String {
    let known = |name: &&OsString| Args::command().find_subcommand(name).is_some();
    let command = command.filter(known).map_or(String::new(), |name| format!(" {}", name.display()));
    let mut paragraphs = error.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
    let wrong = paragraphs.next().unwrap_or_default();
    let cure = paragraphs.find(|p| p.starts_with("tip:")).unwrap_or(format!("see unisphere{command} --help"));
    format!("{}\n{cure}", wrong.trim_start_matches("error: "))
}

pub(crate) fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("must be a positive, finite number"),
    }
}

pub(crate) fn device() -> impl TypedValueParser<Value = DeviceChoice> {
    NonEmptyStringValueParser::new().try_map(|text| text.parse::<DeviceChoice>())
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
            &["unisphere", "eval", "x.npy", "--jsn"],
            &["unisphere", "eval", "x.npy", "--t", "-1"],
            &["unisphere", "eval", "x.npy", "--t", "1,,2"],
            &["unisphere", "eval", "x.npy", "--protocol", "none"],
            &["unisphere", "eval", "x.npy", "--protocol", "paper", "--t", "3"],
            &["unisphere", "eval", "x.npy", "--device", ""],
            &["unisphere", "eval", "x.npy", "--precision", "f64"],
            &["unisphere", "eval", "x.npy", "--storage", "f8"],
            &["unisphere", "bench", "--sizes", "8192"],
            &["unisphere", "bench", "--work", "alignment"],
        ] {
            match parse(line.iter().map(OsString::from)) {
                Err(Failure::Usage(text)) => assert_eq!(text.lines().count(), 2, "{text}"),
                other => panic!("{line:?}: {other:?}"),
            }
        }
    }
}
