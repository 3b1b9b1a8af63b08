//! The flags of a run that there is already.

use std::path::PathBuf;

use clap::Args;

use super::running::Threads;

/// A run that is made again.
#[derive(Args)]
pub struct AgainArgs {
    /// The run's folder, or its name inside --runs.
    pub run: PathBuf,

    #[command(flatten)]
    pub runs: RunsArgs,

    #[command(flatten)]
    pub threads: Threads,
}

// A run that another process makes.
#[derive(Args)]
pub struct SteerArgs {
    /// The run's folder, or its name inside --runs.
    pub run: PathBuf,

    #[command(flatten)]
    pub runs: RunsArgs,
}

#[derive(Args)]
pub struct RunsArgs {
    /// The folder that runs are kept in.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
}
