//! The flags of a run that is made: where it is kept, and what changes no bit of the result.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::number::{age, epochs, threads};
use super::view::ViewArgs;

#[derive(Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// The folder that runs are kept in.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,

    /// What to call the run; a number is added if there is one of that name. [default: the data's name]
    #[arg(long)]
    pub name: Option<String>,

    /// Replace the run of that --name, if there is one, instead of adding a number.
    #[arg(long)]
    pub overwrite: bool,

    #[command(flatten)]
    pub running: Running,
}

#[derive(Args)]
pub struct Threads {
    /// The number of threads; it changes no bit of the result. [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub threads: Option<usize>,
}

// What changes no bit of the result.
#[derive(Args)]
pub struct Running {
    #[command(flatten)]
    pub threads: Threads,

    /// Write a checkpoint at the end, and when an epoch ends and the last one is this many seconds old; 0
    /// writes one after every epoch. [default: 1, or 200 times as long as the last took to write]
    #[arg(long, value_name = "SECONDS", value_parser = age, allow_hyphen_values = true)]
    pub checkpoint_every: Option<Duration>,

    /// Keep a checkpoint after every N epochs, besides the last two and that of the best epoch: branches
    /// begin there at once.
    #[arg(long, value_name = "N", value_parser = epochs, allow_hyphen_values = true)]
    pub keep_every: Option<u64>,

    /// Write losses, metrics, rates, norms, histograms and settings for TensorBoard: each run into a folder
    /// of its own, called like the run, inside this one.
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    #[command(flatten)]
    pub view: ViewArgs,
}
