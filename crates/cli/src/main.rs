//! The `downhill` program.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    downhill_cli::main(std::env::args_os()).into()
}
