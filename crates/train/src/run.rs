//! A run: the loop over an [`Engine`], with the policies that look at what its steps and epochs come to.
//!
//! The loop is [`Run::advance`], one step at a time. What it asks lies beside it, a file each: the rates, the
//! commands, the end of an epoch (early stopping and the plateau), the guard's rollbacks, the checkpoints.

mod branch_from;
mod checkpoints;
mod commands;
mod epochs;
mod finish;
mod kept;
mod observer;
mod progress;
mod rates;
mod rollback;
mod start;
#[cfg(test)]
pub(crate) mod tests;

use std::cell::OnceCell;
use std::time::Instant;

use downhill_data::Dataset;
use downhill_run::Channels;
use downhill_schedule::{Position, Schedule};

use crate::checkpoint::Origin;
use crate::engine::{constant_loss, first_guess};
use crate::momentum::check_momentum;
use crate::{Config, Engine, Epoch, Error, Event, Stop};

use checkpoints::Checkpoints;
pub(crate) use finish::Outcome;
use observer::Observer;
pub(crate) use observer::tell_predictions;
pub use progress::{Best, Progress, Snapshot};
pub(crate) use progress::{TrainingState, Weights};
pub use rates::StepRates;
pub(crate) use start::start_event;

/// A run under way: a function of its configuration, its data and its events.
///
/// ```
/// use downhill_data::Table;
/// use downhill_train::{Config, Run};
///
/// let data = Table::bundled("iris")?.default_target().split(0.2, 7)?;
/// let (config, _) = Config { lr: Some("cosine(0.01)".parse()?), ..Config::default() }.resolve(&data)?;
/// let mut run = Run::new(&config, &data, false)?;
/// while run.state().step < 100 && run.advance()?.is_none() {}
/// let middle = run.snapshot();
/// while run.advance()?.is_none() {}
/// let end = run.snapshot();
/// // From there again, it comes to the same bits.
/// run.restore(&middle);
/// while run.advance()?.is_none() {}
/// assert_eq!(run.snapshot().weights(), end.weights());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Run<'a> {
    config: Config,
    lr: Schedule,
    engine: Engine<'a>,
    progress: Progress,
    /// The weights of the best epoch.
    best: Option<Weights>,
    /// Its outputs on the validation rows, if it is one of those made since the run began or went on.
    best_outputs: Option<Vec<f32>>,
    /// The last epoch that ended.
    last: Option<Epoch>,
    /// Where the run was still well.
    rollback_point: Option<TrainingState>,
    /// The mean training loss of the untrained network, whose outputs are zero.
    baseline: f64,
    /// What the best prediction that is the same for every row costs, over the training and over the
    /// validation rows.
    constant_loss: [f64; 2],
    checkpoints: Checkpoints,
    channels: Channels,
    /// What looks at the layers on the way, if anybody is told.
    observer: Option<Observer>,
    /// Computed when the first checkpoint asks: a run that is not kept needs no hash of its data.
    origin: OnceCell<Origin>,
    /// The steps that were executed when it began: those of another run, if it is a branch.
    began_at: u64,
    notes: Vec<String>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutcome {
    /// The rate that it was made with.
    pub lr: f64,
    /// The mean loss of its rows before it. If that is no finite number, the step has changed nothing and
    /// does not count.
    pub loss: f64,
}

impl<'a> Run<'a> {
    /// A run before its first step. `config` must be [resolved](Config::resolve) and have a schedule. If
    /// `parallel`, a step is shared among the threads of the rayon pool that the run is advanced in; the
    /// result is the same.
    ///
    /// # Errors
    ///
    /// If a setting does not go with the data.
    pub fn new(config: &Config, data: &'a Dataset, parallel: bool) -> Result<Self, Error> {
        let unresolved = || Error::Mismatch("the configuration is not resolved".into());
        let lr = config.lr.clone().ok_or_else(unresolved)?;
        let (engine, notes) = Engine::new(config, data, parallel)?;
        check_momentum(config, engine.steps_per_epoch(), engine.steps_per_epoch() * config.epochs)?;
        Ok(Self {
            lr,
            baseline: first_guess(engine.loss(), data)?,
            constant_loss: constant_loss(engine.loss(), data)?,
            engine,
            progress: Progress::default(),
            best: None,
            best_outputs: None,
            last: None,
            rollback_point: None,
            checkpoints: Checkpoints::default(),
            channels: Channels::default(),
            observer: None,
            origin: OnceCell::new(),
            began_at: 0,
            notes,
            config: config.clone(),
        })
    }

    /// Applies the commands that have come, and makes one step unless the run is over; at the end of an
    /// epoch, measures it, and does what the policies decide. Returns why the run stops, if it does; called
    /// again then, it goes on only if a command lets it.
    ///
    /// # Errors
    ///
    /// If the loss stops being a number before an epoch has ended, or the run cannot be logged or saved.
    pub fn advance(&mut self) -> Result<Option<Stop>, Error> {
        let interrupted = self.apply_commands()?;
        if let Some(stop) = self.over().or(interrupted) {
            return Ok(Some(stop));
        }
        self.mark_rollback_point();
        self.track_sharpness()?;
        self.observe_before_step();
        let epoch = self.position().epoch();
        let step = self.step_at(self.scheduled())?;
        let mut trouble = self.trouble_of_step(step);
        if trouble.is_none() && self.is_between_epochs() {
            self.observe_after_step()?;
            trouble = self.end_epoch(epoch, step)?;
            if trouble.is_none() {
                self.save_if_due()?;
            }
        }
        match trouble {
            Some(cause) if !self.roll_back(cause)? => self.diverged(epoch, step.lr).map(Some),
            _ => Ok(None),
        }
    }

    /// Makes one step at these rates and nothing else: no command is applied, no epoch measured, and no
    /// policy asked. Allocates nothing.
    ///
    /// # Errors
    ///
    /// If a row cannot be computed with, or the momentum is not in [0, 1).
    pub fn step_at(&mut self, rates: StepRates) -> Result<StepOutcome, Error> {
        let StepRates { lr, momentum } = rates;
        let step = self.progress.step;
        self.engine.order_rows(step);
        let began = Instant::now();
        let loss = self.engine.gradients(step)?;
        let rows = self.engine.rows_of(step);
        if loss.is_finite() {
            if let Some(momentum) = momentum {
                self.engine.set_momentum(momentum, step)?;
            }
            self.engine.apply(lr);
            self.progress.step += 1;
            self.progress.steps_executed += 1;
            self.progress.loss_sum += loss * rows as f64;
            self.checkpoints.unsaved = true;
        }
        self.progress.epoch_seconds += began.elapsed().as_secs_f64();
        self.channels.show(&Event::Step { step, lr, loss, rows });
        Ok(StepOutcome { lr, loss })
    }

    /// Where the run is, besides its weights.
    pub fn state(&self) -> &Progress {
        &self.progress
    }

    /// The last epoch that ended, if one has.
    pub fn last_epoch(&self) -> Option<&Epoch> {
        self.last.as_ref()
    }

    /// Takes a copy of the whole state: what it takes to go on from here, with the same bits.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            now: self.training_state(),
            best: self.best.clone(),
            best_outputs: self.best_outputs.clone(),
            last: self.last.clone(),
            rollback_point: self.rollback_point.clone(),
        }
    }

    /// Goes to a state of a run of the same configuration and data, this one or another.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.go_to(&snapshot.now);
        let Snapshot { best, best_outputs, last, rollback_point, .. } = snapshot.clone();
        (self.best, self.best_outputs, self.last) = (best, best_outputs, last);
        self.rollback_point = rollback_point;
    }

    /// Shows all events from now on to `view`, on the thread that advances the run.
    pub fn watch(&mut self, view: impl FnMut(&Event) + Send + 'static) {
        self.channels.views.push(Box::new(view));
    }

    /// Takes commands from `inbox` between steps.
    pub fn listen(&mut self, inbox: std::sync::mpsc::Receiver<crate::Command>) {
        self.channels.inbox = Some(inbox);
    }

    /// What it takes to go on from here, without the best epoch and the rollback point.
    pub(crate) fn training_state(&self) -> TrainingState {
        TrainingState { progress: self.progress.clone(), engine: self.engine.snapshot() }
    }

    /// Goes to where a run of the same configuration and data was, but for its best epoch and its rollback
    /// point.
    pub(crate) fn go_to(&mut self, state: &TrainingState) {
        self.progress = state.progress.clone();
        self.engine.restore(&state.engine);
    }

    /// The length of the run in steps.
    pub fn total_steps(&self) -> u64 {
        self.engine.steps_per_epoch().saturating_mul(self.progress.epochs.unwrap_or(self.config.epochs))
    }

    /// Where in the run it is.
    pub fn position(&self) -> Position {
        let (steps_per_epoch, total_steps) = (self.engine.steps_per_epoch(), self.total_steps());
        Position { step: self.progress.step, steps_per_epoch, total_steps }
    }

    /// Whether the last step made was the last of its epoch, or none was made.
    fn is_between_epochs(&self) -> bool {
        self.progress.step.is_multiple_of(self.engine.steps_per_epoch())
    }

    /// Why the run is over, if it is.
    pub(crate) fn over(&self) -> Option<Stop> {
        if self.progress.step >= self.total_steps() {
            Some(Stop::Finished)
        } else if self.progress.ended {
            Some(Stop::Ended)
        } else if self.is_between_epochs()
            && self.progress.rollbacks == 0
            && self.config.early_stopping.stops(self.progress.waited)
        {
            Some(Stop::EarlyStopping)
        } else {
            None
        }
    }

    pub(crate) fn engine(&self) -> &Engine<'a> {
        &self.engine
    }

    pub(crate) fn engine_mut(&mut self) -> &mut Engine<'a> {
        &mut self.engine
    }

    /// The mean training loss of the untrained network, whose outputs are zero.
    pub fn baseline(&self) -> f64 {
        self.baseline
    }
}
