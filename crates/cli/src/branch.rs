//! `downhill branch`

use std::path::Path;

use clap::Args;
use downhill::prelude::Trainer;
use downhill::train::{BranchPoint, Command, Overview, RateChange, RunConfig, RunFolder, path_text};

use crate::args::{Format, NetworkArgs, RunArgs, SourceArgs, TrainingArgs, path_as_text};
use crate::train::{Board, conclude, connect, overwriting};
use crate::{Failure, evaluate};

#[derive(Args)]
pub struct BranchArgs {
    /// The run's folder or its name inside --runs, and where to branch off: RUN@12ep, @-3ep, @step:1234,
    /// @best.
    #[arg(value_name = "RUN[@POINT]", value_parser = path_as_text())]
    pub run: String,

    /// Other data to go on with, of the same columns: a bundled data set, a file, or a folder of images.
    #[arg(value_parser = path_as_text())]
    pub data: Option<String>,

    /// Change the rate from the first step of the branch on: a rate such as 0.003, a factor such as 0.5x,
    /// `schedule` for what the run was started with, or a schedule, which then counts its steps from there.
    #[arg(long, value_name = "CHANGE", allow_hyphen_values = true)]
    pub lr: Option<RateChange>,

    #[command(flatten)]
    pub source: SourceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub training: TrainingArgs,

    #[command(flatten)]
    pub run_args: RunArgs,
}

impl BranchArgs {
    /// The configuration of the branch of a run with this one.
    pub fn config(&self, mut config: RunConfig) -> Result<RunConfig, Failure> {
        let its = config.data.clone();
        self.source.apply(self.data.as_deref(), &mut config.data);
        self.network.apply(&mut config)?;
        self.training.apply(&mut config)?;
        if config.data != its {
            config.data = config.data.absolute();
        }
        Ok(config)
    }
}

pub fn branch(options: &BranchArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let runs = &options.run_args.runs;
    let (parent, at) = parse(&options.run, runs)?;
    let mut config = RunConfig::of(&parent)?;
    if let Some(epochs) = Overview::of(parent.path()).total_epochs {
        config.training.epochs = epochs; // a command may have changed its length
    }
    let config = options.config(config)?;
    let running = &options.run_args.running;
    let board = Board { config: config.training.clone(), goes_on: false };
    let mut trainer = connect(Trainer::default(), running, board, Vec::new(), quiet)?;
    if let Some(lr) = options.lr.clone() {
        trainer = trainer.command(Command::SetLr { lr });
    }
    let its_own = options.run_args.name.as_ref().is_some_and(|name| *name == parent.name());
    if options.run_args.overwrite && its_own {
        return Err(Failure::Usage("--overwrite cannot replace the run that is branched off".into()));
    }
    let (trainer, _aside) = overwriting(trainer, &options.run_args)?;
    let trained = trainer.branch(&parent, at, config, runs, options.run_args.name.as_deref())?;
    conclude(&trained, format, quiet)
}

/// A run and a point in it: `digits-1@12ep`.
fn parse(text: &str, runs: &Path) -> Result<(RunFolder, BranchPoint), Failure> {
    let path = path_text::from_text;
    let whole = evaluate::run_folder(&path(text), runs).exists();
    let (run, at) = match text.rsplit_once('@').filter(|_| !whole) {
        Some((run, at)) => (run, at.parse().map_err(Failure::Usage)?),
        None => (text, BranchPoint::Last),
    };
    Ok((evaluate::open(&path(run), runs)?, at))
}
