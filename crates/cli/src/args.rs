//! The command line.

use std::{ffi::OsString, fs, path::Path};

use clap::{
    CommandFactory, FromArgMatches as _, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use unisphere_io::{is_report, printable};

use crate::{
    bench::Bench,
    compare::{self, CompareOptions, WatchOptions},
    devices::Devices,
    endings::{is_of_points, is_of_text},
    eval::{self, Eval},
    exit::Failure,
    manual::{Completions, Manual},
    scale::{GradientOptions, MergeOptions, PartOptions, PlanOptions},
    text::words,
};

const EXAMPLE: &str = "\
Example:
  unisphere eval images.npy texts.npy    row i of both is one positive pair
  unisphere eval images.npy --json       one set: its uniformity, for a program to read
  unisphere eval x.npy y.npy --full      everything that needs no further file
  unisphere eval x.npy --tolerance 1e-4  an estimate in seconds, with a proven interval
  unisphere eval x.npy --max-memory 4G   all pairs of a set that is larger than memory
  unisphere compare a.npy b.npy c.npy    which model is better, and is the difference real
  unisphere watch runs/checkpoints       every checkpoint of a training, as it comes
  unisphere devices                      the devices that --device and --devices can name
  unisphere bench                        the speed of this machine, and its ceiling

Exit codes: 0 done, 1 internal failure, 2 usage, 3 input, 4 device, 5 disk, 130 Ctrl-C, 143 SIGTERM.";

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
    /// Compare models: one table, differences with their p-values, and correlations with a score
    #[command(after_long_help = compare::HELP)]
    Compare(Box<CompareOptions>),
    /// Measure the checkpoints of a training as they come: a CSV line each, and a page of all
    #[command(after_long_help = compare::HELP_OF_WATCH)]
    Watch(Box<WatchOptions>),
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
    /// Print what a shell completes: names of commands, options and their values
    Completions(Completions),
    /// Print a page for man: unisphere man eval | man -l -
    Man(Manual),
    /// Help or the version, as clap wrote it.
    #[command(skip)]
    Print(String),
}

impl Command {
    /// Whether it needs threads to compute with.
    pub(crate) fn computes(&self) -> bool {
        !matches!(self, Self::Completions(_) | Self::Man(_) | Self::Print(_))
    }
}

/// The command line as clap knows it.
pub(crate) fn command() -> clap::Command {
    Args::command().mut_subcommand("eval", eval::most_used_first)
}

/// What the command line asks for.
pub(crate) fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let line: Vec<_> = line.into_iter().collect();
    let matches = command().try_get_matches_from(&line);
    let parsed = matches.and_then(|matches| Args::from_arg_matches(&matches));
    let may_be_list = parsed.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::UnknownArgument);
    if let Some(cure) = list_as_words(&line).filter(|_| may_be_list) {
        return Err(Failure::Usage(cure));
    }
    let mut error = match parsed {
        Ok(Args { command: Command::Watch(options) }) => {
            return Ok(Command::Watch(Box::new(options.of_line(line.get(2..).unwrap_or_default()))));
        }
        Ok(args) => return Ok(args.command),
        Err(error) => error,
    };
    remove_strange_tip(&mut error);
    let text = error.render();
    if let (ErrorKind::UnknownArgument, Some(files)) = (error.kind(), too_many_files(&line)) {
        let first = line.get(2).map(std::slice::from_ref).map_or(String::new(), words);
        return Err(Failure::Usage(format!(
            "X and Y are taken, and {files} files are named\n\
             where they are one set, write --shards before {first}; eval takes more views of X behind --views"
        )));
    }
    if let (false, Some(cure)) = (error.exit_code() == 0, list_with_space(&line)) {
        return Err(Failure::Usage(cure));
    }
    let own = match error.kind() {
        ErrorKind::InvalidSubcommand => without_command(&line),
        ErrorKind::UnknownArgument => several_folders(&line).or_else(|| name_elsewhere(&line, &error)),
        ErrorKind::MissingRequiredArgument => views_without_x(&line).or_else(|| pipe_without_x(&line)),
        _ => None,
    };
    if let Some(text) = own {
        return Err(Failure::Usage(text));
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Command::Print(text.ansi().to_string())),
        _ => Err(Failure::Usage(brief(&text.to_string(), line.get(1)))),
    }
}

/// Whether an argument names a file of points: by its ending, or as there is a file that is called so.
fn is_file(argument: &OsString) -> bool {
    let path = Path::new(argument);
    path.is_file() || is_of_points(path) || is_of_text(path)
}

/// The words before the first option, and those from it on.
fn before_options(line: &[OsString]) -> (&[OsString], &[OsString]) {
    let is_option = |word: &OsString| word != "-" && word.as_encoded_bytes().starts_with(b"-");
    line.split_at(line.iter().position(is_option).unwrap_or(line.len()))
}

/// What a line with a file or a folder in the place of a command means.
fn without_command(line: &[OsString]) -> Option<String> {
    let (first, line) = (line.get(1)?, line.get(1..)?);
    let (paths, _) = before_options(line);
    let (name, rest) = (printable(first), words(line));
    let kind = if Path::new(first).is_dir() {
        "folder"
    } else if is_file(first) {
        "file"
    } else {
        return None;
    };
    let has_folder = paths.iter().any(|path| Path::new(path).is_dir());
    let cure = match (kind, paths.len()) {
        ("folder", 1) => format!(
            "unisphere watch {rest} measures the checkpoints in it, and unisphere compare {rest} takes it as a model"
        ),
        ("file", 1 | 2) if !has_folder => format!("write unisphere eval {rest}"),
        _ => format!("unisphere compare {rest} takes each of them as a model"),
    };
    Some(format!("{name} is a {kind}, and a command comes first\n{cure}"))
}

/// The cure for a line for watch with several paths, as the shell makes of a pattern.
fn several_folders(line: &[OsString]) -> Option<String> {
    let line = line.get(2..).filter(|_| line[1] == "watch")?;
    let (paths, options) = before_options(line);
    let first = Path::new(paths.first().filter(|_| paths.len() > 1)?);
    let wrong = format!("watch takes one folder, and {} paths are named", paths.len());
    let write = |folder: &Path, pattern: Option<String>| {
        let pattern = pattern.map(|pattern| [OsString::from("--pattern"), pattern.into()]);
        let behind = pattern.iter().flatten().chain(options);
        compare::watch_line(folder, behind.map(OsString::as_os_str))
    };
    let holder = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
    let is_folder = |path: &OsString| Path::new(path).is_dir() || !is_file(path);
    if is_folder(&paths[0]) {
        let is_checkpoint = |path: &OsString| {
            let files = fs::read_dir(path).into_iter().flatten().flatten();
            files.map(|file| file.path()).any(|file| file.file_stem().is_some_and(|stem| stem == "x"))
        };
        return Some(if paths.iter().any(|path| !is_folder(path) || is_checkpoint(path)) {
            format!("{wrong}\nname the folder that they are in: {}", write(&holder(first), None))
        } else {
            format!("{wrong}\nname each in a line of its own: {}", write(first, None))
        });
    }
    let all = || paths.iter().map(Path::new);
    let may_be_points = |path: &&Path| is_of_text(path) && !is_report(path);
    let found = all().find(|path| is_of_points(path)).or_else(|| all().find(may_be_points));
    let has_pattern = options.iter().any(|word| word.as_encoded_bytes().starts_with(b"--pattern"));
    Some(match found.and_then(|path| Some((path, path.extension()?))) {
        Some((path, ending)) if !has_pattern => format!(
            "{wrong}\nname the folder, and its checkpoints by a pattern in quotes: {}",
            write(&holder(path), Some(format!("*.{}", ending.display())))
        ),
        _ => format!(
            "{wrong}\nname the folder that they are in: {}",
            write(&holder(found.unwrap_or(first)), None)
        ),
    })
}

/// The cure for a line without X behind a pipe.
fn pipe_without_x(line: &[OsString]) -> Option<String> {
    let behind = line.get(2..).filter(|_| line[1] == "eval" && is_pipe_at_stdin())?;
    let eval = [OsString::from("unisphere"), "eval".into(), "-".into()];
    Some(format!(
        "no X is named, and something is piped in\nname - for the pipe: {}",
        words(eval.iter().chain(behind))
    ))
}

/// Whether another program writes to standard input.
fn is_pipe_at_stdin() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        fs::metadata("/dev/stdin").is_ok_and(|there| there.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    false
}

/// The cure for a line with views and no X.
fn views_without_x(line: &[OsString]) -> Option<String> {
    let line = line.get(2..).filter(|_| line[1] == "eval")?;
    let (before, views) = line.split_at(line.iter().position(|word| word == "--views")?);
    let (views, behind) = before_options(views.get(1..)?);
    let (first, others) = views.split_first()?;
    // Where a file comes first, it is X, and something else is missing.
    if !before_options(before).0.is_empty() {
        return None;
    }
    let eval = |others: &[OsString]| {
        let line = [OsString::from("unisphere"), "eval".into(), first.clone()];
        words(line.iter().chain(before).chain(others).chain(behind))
    };
    Some(match others {
        [] => format!(
            "--views takes the views beside X, and no X is named\n\
             name one more view, or leave out --views: {}",
            eval(&[])
        ),
        _ => format!(
            "--views takes the views beside X, and no X is named\n\
             name the first view before --views: {}",
            eval(&[&[OsString::from("--views")], others].concat())
        ),
    })
}

/// How many files a line for eval, plan or gradient names, where it names more than two, as it does with a pattern that the shell has expanded.
fn too_many_files(line: &[OsString]) -> Option<usize> {
    let is_path = |argument: &&OsString| !argument.as_encoded_bytes().starts_with(b"-") && is_file(argument);
    let files = line.iter().skip(2).take_while(is_path).count();
    let takes_two =
        ["eval", "plan", "gradient"].iter().any(|name| line.get(1).is_some_and(|word| word == name));
    (takes_two && files > 2).then_some(files)
}

/// The cure for a list of numbers with a space in it, as in `--t 0.5, 1`, whose end is an argument of its own.
fn list_with_space(line: &[OsString]) -> Option<String> {
    let words: Vec<_> = line.iter().map(printable).collect();
    let is_cut =
        |pair: &[String]| pair[0].ends_with(',') && pair[1].starts_with(|c: char| c.is_ascii_digit());
    let at = words.windows(2).position(is_cut)?;
    let from = if words[at].starts_with('-') { at } else { at.saturating_sub(1) };
    let (start, end) = (words[from..=at].join(" "), &words[at + 1]);
    Some(format!(
        "there is a space behind a comma in '{start} {end}'\nwrite commas and no spaces between them: {start}{end}"
    ))
}

/// Options that take lists of numbers.
const LISTS: [&str; 3] = ["--t", "--tau", "--supcon"];

/// The cure for a list whose numbers are words of their own: but for the first, they are taken for files.
fn list_as_words(line: &[OsString]) -> Option<String> {
    line.get(1).filter(|command| ["eval", "compare", "watch"].iter().any(|takes| command == takes))?;
    let words: Vec<_> = line.iter().skip(2).map(printable).collect();
    let is_number = |word: &&str| word.parse::<f64>().is_ok() && !Path::new(word).exists();
    (0..words.len()).find_map(|at| {
        let (option, first) =
            words[at].split_once('=').map_or((&*words[at], None), |(option, first)| (option, Some(first)));
        let behind = words[at + 1..].iter().map(String::as_str);
        let numbers: Vec<_> = first.into_iter().chain(behind).take_while(is_number).collect();
        (LISTS.contains(&option) && numbers.len() > 1).then(|| {
            let list = numbers.join(",");
            format!("{option} takes several numbers as one word\nwrite commas between them: {option} {list}")
        })
    })
}

/// What other programs call by a name that eval does not know, and the cure.
const NAMES_ELSEWHERE: [(&[&str], &str); 6] = [
    (&["--temperature", "--temp"], "the temperature of the contrastive loss is --tau"),
    (
        &["--metric", "--metrics"],
        "eval measures alignment and uniformity, and with --full whatever needs no further file",
    ),
    (&["--gpu", "--cuda", "--cpu"], "the device is chosen by --device gpu or --device cpu"),
    (&["--normalize", "--normalise", "--l2"], "rows are scaled to unit length, unless --raw is given"),
    (&["--batch-size", "--chunk-size", "--memory"], "a limit of memory is --max-memory, such as 4G"),
    (
        &["--output", "--out", "-o"],
        "a report goes to standard output: write > report.txt behind, or --json > report.json, or --html page.html",
    ),
];

/// The cure for an option that has another name here.
fn name_elsewhere(line: &[OsString], error: &clap::Error) -> Option<String> {
    line.get(1).filter(|command| *command == "eval")?;
    let ContextValue::String(given) = error.get(ContextKind::InvalidArg)? else { return None };
    let name = given.split('=').next()?;
    let (_, cure) = NAMES_ELSEWHERE.iter().find(|(names, _)| names.contains(&name))?;
    Some(format!("unexpected argument '{}' found\n{cure}", printable(name)))
}

/// Removes the tip of another option that is no misspelling of the one that was given.
fn remove_strange_tip(error: &mut clap::Error) {
    let (Some(ContextValue::String(given)), Some(ContextValue::String(tip))) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::SuggestedArg))
    else {
        return;
    };
    let given = given.split('=').next().unwrap_or_default().trim_start_matches('-');
    let tip = tip.trim_start_matches('-');
    // A misspelling has one wrong letter in three at most; a shortened name is the beginning of one.
    let wrong = strsim::damerau_levenshtein(given, tip);
    if 3 * wrong > given.chars().count() && !tip.starts_with(given) && !given.starts_with(tip) {
        error.remove(ContextKind::SuggestedArg);
    }
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
    format!("{}\n{}", printable(wrong.trim_start_matches("error: ")), printable(cure))
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
            &["unisphere", "x.npy"],
            &["unisphere", "."],
            &["unisphere", "eval", "--views", "x.npy", "y.npy"],
            &["unisphere", "watch", "a", "b"],
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

    #[test]
    fn what_people_try_first_has_a_cure() {
        for (line, cure) in [
            ("eval x.npy --temperature=0.1", "loss is --tau"),
            ("eval x.npy -o report.txt", "> report.txt"),
            ("eval x.npy --cuda", "--device gpu"),
            ("eval x.npy --t 2 0.5", "--t 2,0.5"),
            ("eval x.npy --t=2 0.5 --json", "--t 2,0.5"),
            ("eval --t 2 0.5 x.npy", "--t 2,0.5"),
            ("eval x.npy --tau 0.1 --t 2 0.5", "--t 2,0.5"),
            ("eval x.npy y.npy --tau 0.07 0.5 1", "--tau 0.07,0.5,1"),
            ("compare x.npy y.npy --t 2 0.5", "--t 2,0.5"),
            ("watch --t 2 0.5", "--t 2,0.5"),
            ("watch runs --t 2 0.5", "--t 2,0.5"),
            ("eval x.npy y.npy z.npy", "--shards"),
            ("eval x.npy y.npy --negatives=z.npy", "see unisphere eval --help"),
            ("eval x.npy --groups=g.npy", "see unisphere eval --help"),
            ("eval x.npy --lables=g.npy", "'--labels'"),
            ("eval x.npy --max-mem 4G", "'--max-memory'"),
        ] {
            let words = std::iter::once("unisphere").chain(line.split(' ')).map(OsString::from);
            match parse(words) {
                Err(Failure::Usage(text)) => assert!(text.contains(cure), "{line}: {text}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert!(parse(["unisphere", "eval", "--t", "2", "x.npy", "y.npy"].map(OsString::from)).is_ok());
    }
}
