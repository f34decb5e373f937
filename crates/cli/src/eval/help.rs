//! The text of `unisphere eval --help` below the options.

use clap::Command;
use unisphere_eval::{Protocol, Settings, Weighed};

const COSTS: &str = "\
Time grows with the square of the rows. --full takes four to twelve times as long as a report without it: it goes
through all pairs again for the table over t, the losses, the ranks of partners, the histogram of cosines and the close
pairs. It also makes the spectrum of the covariance, which is slow in thousands of dimensions.

For sets of any size: --tolerance estimates uniformity from a small part of the pairs, with an interval that is proven
for any data, and with --draw rounds from a smaller one, simulated, not proven; --max-memory reads the files in pieces;
--journal keeps what is finished. They measure alignment and uniformity, and with --tau the contrastive loss, of which
--tolerance gives an interval that is simulated, not proven; without --tolerance also what --top, --rows, --near,
--labels and --full ask for. unisphere plan, part and merge do the same as --max-memory on many machines, but for
the spectrum and the test against uniform points.";

const EXIT_CODES: &str = "\
Exit codes:
  0    a report was printed
  1    a fault of this program, or a report that could not be printed
  2    options that are wrong or contradict each other
  3    a file that cannot be read or written, or whose rows cannot be measured; a tolerance not reached
  4    a device that is missing, failed, or does not offer what was asked for
  5    a disk that failed or is full, a journal that another run holds, no thread to be had: try again
  130  as shells show an end of Ctrl-C; 143 of SIGTERM, 129 of SIGHUP";

/// The options that most people need, in the order in which they are told.
const MOST_USED: [&str; 10] =
    ["full", "t", "tau", "labels", "columns", "rows", "tolerance", "max_memory", "device", "json"];

/// Puts the options that most people need before all others, and no others into `-h`.
pub(crate) fn most_used_first(eval: Command) -> Command {
    eval.mut_args(|arg| match MOST_USED.iter().position(|name| arg.get_id() == name) {
        Some(place) => arg.help_heading("Most used").display_order(place),
        None if arg.is_positional() => arg,
        None => arg.hide_short_help(true),
    })
}

/// Where the other options are, and exit codes, for `-h`.
pub(crate) fn short() -> &'static str {
    "unisphere eval --help has all options, by what they are for, and more of these.\n\n\
     Exit codes: 0 done, 1 internal failure, 2 usage, 3 input, 4 device, 5 disk, 130 Ctrl-C, 143 SIGTERM."
}

/// Protocols, costs and exit codes, for `--help`.
pub(crate) fn long() -> String {
    format!("{}\n\n{COSTS}\n\n{EXIT_CODES}", protocols())
}

fn protocols() -> String {
    let line = |settings: &Settings| {
        let loss = settings.formula().map_or("no loss".into(), |formula| format!("loss {formula}"));
        let of_scores = |score| format!("; --scores: positives are pairs {score}, or by --min-score");
        let weights = match settings.weighed {
            Weighed::RowsAndPairs => "; --weights of rows and pairs: how frequent they are".into(),
            _ => settings.min_score.map_or(String::new(), of_scores),
        };
        format!(
            "  {:<9} t {}, alpha {}; uniformity: {}; {loss}{weights}\n            {}\n",
            settings.name,
            settings.uniformity.t,
            settings.alignment.alpha,
            settings.pooling.name(),
            settings.source
        )
    };
    let lines: String = Protocol::ALL.iter().map(|protocol| line(protocol.settings())).collect();
    format!(
        "Protocols set t, alpha, the pairs without the diagonal (u), rows of unit length, and which uniformity counts:\n{}",
        lines.trim_end()
    )
}
