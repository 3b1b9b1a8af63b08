//! `downhill lab`

use clap::Args;
use downhill_lab::{Error, Lab, Options};

use crate::args::RunsArgs;
use crate::{Failure, output};

#[derive(Args)]
pub struct LabArgs {
    #[command(flatten)]
    pub runs: RunsArgs,

    /// The port of this machine to serve the page at; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 7070)]
    pub port: u16,

    /// Only print the address, and open no browser.
    #[arg(long)]
    pub no_open: bool,
}

pub fn lab(options: &LabArgs, quiet: bool) -> Result<(), Failure> {
    let lab = Lab::open(Options { runs: options.runs.runs.clone(), port: options.port });
    let lab = lab.map_err(|error| failure(&error))?;
    let address = lab.address();
    output::print(&format!("{address}\n"))?;
    if !options.no_open && !open(&address) && !quiet {
        output::note("no browser could be started; open the address in one");
    }
    lab.serve().map_err(|error| failure(&error))
}

fn failure(error: &Error) -> Failure {
    let remedy = match error {
        Error::Port { .. } => "; give another one with --port, or 0 for any that is free",
        Error::Folder { .. } => "; give another folder with --runs",
        _ => "",
    };
    Failure::Message(format!("{error}{remedy}"))
}

/// Starts the browser that the system opens addresses with; whether there is one.
fn open(address: &str) -> bool {
    use std::process::{Command, Stdio};
    let mut command = match std::env::consts::OS {
        "macos" => Command::new("open"),
        "windows" => {
            let mut command = Command::new("rundll32");
            command.arg("url.dll,FileProtocolHandler");
            command
        }
        _ => Command::new("xdg-open"),
    };
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
