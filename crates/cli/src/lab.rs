//! `downhill lab`

use std::path::PathBuf;

use clap::{Args, Command};
use downhill::data::bundled;
use downhill_lab::{Data, Error, Field, Form, Lab, Options};

use crate::args::RunsArgs;
use crate::train::TrainArgs;
use crate::{Failure, output};

#[derive(Args)]
pub struct LabArgs {
    #[command(flatten)]
    pub runs: RunsArgs,

    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = "studies")]
    pub studies: PathBuf,

    /// The port of this machine to serve the page at; 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 7070)]
    pub port: u16,

    /// Only print the address, and open no browser.
    #[arg(long)]
    pub no_open: bool,
}

pub fn lab(options: &LabArgs, quiet: bool) -> Result<(), Failure> {
    let (runs, studies) = (options.runs.runs.clone(), options.studies.clone());
    let program = std::env::current_exe().ok();
    let lab = Lab::open(Options { runs, studies, port: options.port, program, form: form() });
    let lab = lab.map_err(|error| failure(&error))?;
    let address = lab.address();
    output::print(&format!("{address}\n"))?;
    if !options.no_open && !open(&address) && !quiet {
        output::note("no browser could be started; open the address in one");
    }
    lab.serve().map_err(|error| failure(&error))
}

/// What `train` can be given, in the words of its help.
fn form() -> Form {
    let command = TrainArgs::augment_args(Command::new("train"));
    // What the page says itself, or what is for a terminal.
    let left_out = ["runs", "name", "overwrite", "view", "tensorboard", "config", "images", "labels"];
    let field = |flag: &clap::Arg| {
        let name = flag.get_long().filter(|name| !left_out.contains(name))?.to_string();
        let help = flag.get_long_help().or(flag.get_help()).map(ToString::to_string).unwrap_or_default();
        // Defaults that depend on the data stand in words at the end of the help.
        let (help, worded) = match help.rsplit_once("[default: ") {
            Some((help, default)) => (help.trim().to_string(), default.strip_suffix(']')),
            None => (help.clone(), None),
        };
        let given = flag.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
        let default = given.or_else(|| worded.map(str::to_string));
        let value = flag.get_action().takes_values().then(|| {
            let names = flag.get_value_names().unwrap_or_default();
            names.first().map_or_else(|| name.to_uppercase(), ToString::to_string)
        });
        let choices = match &value {
            Some(_) => flag.get_possible_values().iter().map(|value| value.get_name().to_string()).collect(),
            None => Vec::new(),
        };
        let group = flag.get_help_heading().unwrap_or("Data").to_string();
        Some(Field { name, help, default, value, choices, group })
    };
    let fields = command.get_arguments().filter(|flag| !flag.is_hide_set()).filter_map(field).collect();
    let data = |data: &bundled::Bundled| Data { name: data.name.into(), about: data.description.into() };
    Form { fields, data: bundled::catalogue().iter().map(data).collect() }
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
