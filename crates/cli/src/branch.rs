//! `downhill branch`

use std::path::Path;

use downhill::prelude::Trainer;
use downhill::train::{BranchPoint, Command, Overview, RunConfig, RunFolder, path_text};

use crate::args::{BranchArgs, Format};
use crate::train::{Board, conclude, connect, overwriting};
use crate::{Failure, evaluate};

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
