//! `downhill train` and `downhill resume`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};

use clap::Args;
use downhill::prelude::{Error, Trained, Trainer};
use downhill::train::{
    Command, Config, Ensemble, EnsembleSummary, Event, RateChange, RunConfig, RunFolder, Stop, Summary, log,
    path_text,
};

use crate::args::{EnsembleArgs, Format, RunArgs, Running, RunsArgs, SetupArgs, epochs};
use crate::dashboard::{self, Action};
use crate::overwrite::Aside;
use crate::{Failure, bar, board, classes, evaluate, output, view};

#[derive(Args)]
pub struct TrainArgs {
    #[command(flatten)]
    pub setup: SetupArgs,

    #[command(flatten)]
    pub ensemble: EnsembleArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

pub fn train(options: TrainArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let mut config = options.setup.config_of_any()?;
    options.ensemble.apply(options.setup.preset, &mut config);
    let running = &options.run.running;
    let board = Board { config: config.training.clone(), goes_on: false };
    let trainer = Trainer::from_config(config.training);
    let trainer = match config.ensemble {
        None => trainer,
        Some(Ensemble::Members(count)) => trainer.members(count),
        Some(Ensemble::Folds(folds)) => trainer.folds(folds),
    };
    let trainer = connect(trainer, running, board, Vec::new(), quiet)?;
    let (trainer, _aside) = overwriting(trainer, &options.run)?;
    let trained = match trainer.fit_in(&options.run.runs, options.run.name.as_deref(), &config.data) {
        Err(Error::Interrupted) => return Err(nothing_saved(quiet)),
        trained => trained?,
    };
    conclude(&trained, format, quiet)
}

#[derive(Args)]
pub struct ResumeArgs {
    /// The run's folder, or its name inside --runs.
    pub run: PathBuf,

    /// Change the rate from the next step on: a rate such as 0.003, a factor such as 0.5x, `schedule` for
    /// what the run was started with, or a schedule, which then counts its steps from there.
    #[arg(long, value_name = "CHANGE", allow_hyphen_values = true)]
    pub lr: Option<RateChange>,

    /// The new length of the run in epochs, counted from its start.
    #[arg(long, value_name = "N", value_parser = epochs, allow_hyphen_values = true)]
    pub epochs: Option<u64>,

    #[command(flatten)]
    pub runs: RunsArgs,

    #[command(flatten)]
    pub running: Running,
}

pub fn resume(options: &ResumeArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let folder = evaluate::open(&options.run, &options.runs.runs)?;
    let board = Board { config: RunConfig::of(&folder)?.training, goes_on: true };
    // One that was cut off before its first word has no log yet.
    let path = folder.log_path();
    let past = if path.exists() { log::read(&path)?.0 } else { Vec::new() };
    let past = past.into_iter().map(|record| record.event);
    let mut trainer = connect(Trainer::default(), &options.running, board, past.collect(), quiet)?;
    // A run that is over must be longer before its rate can change.
    let longer = options.epochs.map(|epochs| Command::SetEpochs { epochs });
    let rate = options.lr.clone().map(|lr| Command::SetLr { lr });
    for command in longer.into_iter().chain(rate) {
        trainer = trainer.command(command);
    }
    let trained = trainer.resume(folder)?;
    conclude(&trained, format, quiet)
}

/// Puts the run aside that is to be overwritten, for as long as the new one has not begun.
pub fn overwriting(trainer: Trainer, run: &RunArgs) -> Result<(Trainer, Option<Aside>), Failure> {
    if !run.overwrite {
        return Ok((trainer, None));
    }
    let aside = Aside::put(&run.runs, run.name.as_deref())?;
    let remove = aside.remover();
    Ok((trainer.with_folder(move |_| remove()), Some(aside)))
}

/// Says that a run was interrupted before there was anything to save.
pub fn nothing_saved(quiet: bool) -> Failure {
    if !quiet {
        output::tell("interrupted while the learning rate was looked for: nothing was saved");
    }
    Failure::Interrupted
}

/// What is written of a run for TensorBoard, if anything is.
pub struct Board {
    pub config: Config,
    /// Whether the run began before.
    pub goes_on: bool,
}

/// Stops a run: at the next step, and at once if it is asked for again.
struct Stopper {
    commands: Sender<Command>,
    asked: AtomicBool,
}

impl Stopper {
    fn stop(&self) {
        if self.asked.swap(true, Ordering::Relaxed) || self.commands.send(Command::Stop).is_err() {
            dashboard::give_back();
            bar::leave();
            std::process::exit(130);
        }
    }
}

/// Connects a trainer with the terminal: what happens is shown, after what happened in the past, and Ctrl-C
/// stops it at the next step.
pub fn connect(
    trainer: Trainer,
    running: &Running,
    board: Board,
    past: Vec<Event>,
    quiet: bool,
) -> Result<Trainer, Failure> {
    let (commands, inbox) = mpsc::channel();
    let stopper = Arc::new(Stopper { commands: commands.clone(), asked: AtomicBool::new(false) });
    let on_signal = stopper.clone();
    ctrlc::set_handler(move || on_signal.stop())?;
    let mut trainer = trainer.inbox(inbox).control(commands.clone());
    let act = move |action| match action {
        Action::Tell(command) => commands.send(command).map_err(|_| "the run is over".to_string()),
        Action::Quit if stopper.asked.load(Ordering::Relaxed) => Ok(()),
        Action::Quit | Action::Interrupt => {
            stopper.stop();
            Ok(())
        }
    };
    if let Some(threads) = running.threads.threads {
        trainer = trainer.threads(threads);
    }
    if let Some(age) = running.checkpoint_every {
        trainer = trainer.checkpoint_every(age);
    }
    if let Some(epochs) = running.keep_every {
        trainer = trainer.keep_every(epochs);
    }
    if let Some(view) = view::of(running.view.view, quiet, past, view::STOPS, act)? {
        trainer = trainer.view(view);
    }
    // Behind the view, so that it goes after it: a dashboard would cover what it says.
    Ok(match &running.tensorboard {
        Some(into) => board::attach(trainer, into, &board.config, board.goes_on),
        None => trainer,
    })
}

pub fn conclude(trained: &Trained, format: Format, quiet: bool) -> Result<(), Failure> {
    let summary = trained.summary();
    if let Some(run) = &summary.run {
        let report = RunFolder::open(&path_text::from_text(run))
            .and_then(|folder| downhill_report::write_in(&folder, output::lang()));
        if let (Err(error), false) = (report, quiet) {
            output::note(&format!("the run has no report: {error}"));
        }
    }
    match format {
        Format::Json => output::print_json(summary)?,
        Format::Csv => output::print_flat_csv(summary)?,
        Format::Text if trained.stop() == Stop::Interrupted => {}
        Format::Text => output::print(&text(trained))?,
    }
    let run = summary.run.as_deref().unwrap_or_default();
    match trained.stop() {
        Stop::Finished | Stop::EarlyStopping | Stop::Ended => Ok(()),
        Stop::Interrupted => {
            if !quiet {
                output::tell(&format!("interrupted and saved; go on with: downhill resume {run}"));
            }
            Err(Failure::Interrupted)
        }
        Stop::Diverged { lr } if summary.ensemble.is_some() => Err(Failure::Message(format!(
            "the loss of one of the networks stopped being a finite number, at a learning rate of {lr:.3e}; of it and \
             of the others the best weights are kept in {run}; try a tenth of the rate, or --clip-norm 1"
        ))),
        Stop::Diverged { lr } => Err(Failure::Message(format!(
            "the loss stopped being a finite number after {}, at a learning rate of {lr:.3e}; the weights of epoch {} \
             are kept in {run}; try a tenth of the rate, or --clip-norm 1",
            output::count(summary.epochs, "epoch"),
            summary.best_epoch.unwrap_or_default()
        ))),
    }
}

fn text(trained: &Trained) -> String {
    let Summary { epochs, best_epoch, seconds, metrics, valid_loss, run, ensemble, .. } = trained.summary();
    let table = classes::tables(metrics, 5).unwrap_or_default();
    let run = run.as_deref().unwrap_or_default();
    let time = output::seconds(*seconds);
    let loss = output::fixed(*valid_loss);
    let metrics = output::metrics_line(metrics);
    let Some(ensemble) = ensemble else {
        let kept =
            best_epoch.map_or(String::new(), |epoch| format!("; the weights of epoch {epoch} are kept"));
        let epochs = output::count(*epochs, "epoch");
        let ended = match trained.stop() {
            Stop::EarlyStopping => format!("stopped early after {epochs}"),
            Stop::Ended => format!("ended after {epochs}"),
            Stop::Finished | Stop::Interrupted | Stop::Diverged { .. } => epochs,
        };
        return format!("{ended} in {time}{kept}\nvalidation loss {loss}, {metrics}\n{table}{run}\n");
    };
    let EnsembleSummary { folds, networks, .. } = ensemble;
    let least = networks.iter().map(|network| network.epochs).min().unwrap_or(0);
    let range = if least == *epochs {
        output::count(*epochs, "epoch")
    } else {
        format!("{least} to {}", output::count(*epochs, "epoch"))
    };
    let count = networks.len();
    let each = ensemble.text();
    let ended = match trained.stop() {
        Stop::EarlyStopping => format!(", stopped early after {range},"),
        Stop::Ended => format!(", ended after {range},"),
        Stop::Finished | Stop::Interrupted | Stop::Diverged { .. } => format!(" of {range}"),
    };
    if *folds {
        return format!(
            "{count} folds{ended} in {time}; the model is the average of their networks\n\
             {each}\n\
             all rows, each by a network that was trained without it: validation loss {loss}, {metrics}\n{table}{run}\n"
        );
    }
    format!(
        "{count} networks{ended} in {time}; their predictions are averaged\n\
         validation loss {loss}, {metrics}\n\
         {each}\n{table}{run}\n"
    )
}
