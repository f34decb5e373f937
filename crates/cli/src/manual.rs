//! What a shell completes, and pages for `man`: both follow from the command line itself.

use std::io;

use clap::Command;
use clap_complete::Shell;

use crate::{exit::Failure, output};

/// The options of `unisphere completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell: for bash, source <(unisphere completions bash); zsh, fish and others take a file
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// The options of `unisphere man`.
#[derive(Debug, clap::Args)]
pub(crate) struct Manual {
    /// The command that the page is of, such as eval [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Prints the completions of a shell for this command line.
pub(crate) fn completions(options: &Completions, mut command: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// Prints a page on this command line, in the form that `man -l` reads.
pub(crate) fn manual(options: &Manual, program: Command) -> Result<(), Failure> {
    output::print(&page(program, options.command.as_deref())?)
}

fn page(mut program: Command, of: Option<&str>) -> Result<String, Failure> {
    program.build();
    let command = match of {
        None => program,
        Some(name) => {
            let all: Vec<_> =
                program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
            let Some(command) = program.find_subcommand(name) else {
                let (name, all) = (unisphere_io::printable(name), all.join(", "));
                return Err(Failure::Usage(format!("man: there is no command '{name}'; there are {all}")));
            };
            command.clone()
        }
    };
    let (mut page, failed) = (Vec::new(), |error: io::Error| Failure::Internal(error.to_string()));
    clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
