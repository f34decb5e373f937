//! The program `unisphere`: how good is this embedding?

use std::process::ExitCode;

fn main() -> ExitCode {
    unisphere_cli::main()
}
