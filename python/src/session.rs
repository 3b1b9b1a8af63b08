//! The record of a loop that is not Downhill's: its folder, log, socket, the rate in force, and what guard and
//! plateau decide. What a snapshot is, and when one is taken, is Python's.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use downhill::optim::{Position, Schedule, SpecError};
use downhill::run::rehearsal::{self, RUNG, Tried};
use downhill::run::{
    Cause, Channels, Choice, Command, Environment, Epoch, EpochOutcome, Error, Event, Guard, Look, Metrics,
    Phase, Plateau, RunFolder, RunState, Stop, Watch, checkpoint_name, log, two_digits,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::failure::raise;
use crate::model::json;

/// How often a run that is paused looks for commands and for Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// What a checkpoint says of where a run is, besides what its log says.
#[derive(Clone, Default, Deserialize, Serialize)]
struct Progress {
    step: u64,
    steps_executed: u64,
    /// How many commands were applied.
    commands: u64,
    /// How often it went back since it was last well.
    rollbacks: u64,
    /// The step to go back to.
    point: u64,
    /// The loss of its first step, by which the guard knows a blow-up.
    baseline: Option<f64>,
    /// The losses of the epoch so far, and how many.
    loss_sum: f64,
    counted: u64,
    /// The mean loss of the epoch before.
    before: Option<f64>,
    watch: Watch,
    epoch_seconds: f64,
}

struct Inner {
    channels: Channels,
    folder: RunFolder,
    #[cfg(unix)]
    control: Option<downhill::run::control::Control>,
    commands: Sender<Command>,
    state: RunState,
    /// Commands of the log that are applied again, in the order in which they were.
    replay: VecDeque<Event>,
    guard: Guard,
    plateau: Plateau,
    progress: Progress,
    /// What it was when it was last well.
    well: Progress,
    /// When the last step began, for the time that steps take.
    began: Instant,
}

/// The record of a loop.
#[pyclass(frozen, module = "downhill._downhill")]
pub struct Session(Mutex<Inner>);

fn spec<T: std::str::FromStr<Err = SpecError>>(name: &str, text: &str) -> PyResult<T> {
    text.parse().map_err(|error| PyValueError::new_err(format!("{name}={text:?}: {error}")))
}

impl Inner {
    /// Opens the log and the socket of a run.
    fn open(folder: RunFolder, schedule: &str, guard: &str, plateau: &str) -> PyResult<Self> {
        let (guard, plateau): (Guard, Plateau) = (spec("guard", guard)?, spec("plateau", plateau)?);
        guard.check().and(plateau.check()).map_err(raise)?;
        let schedule: Schedule = spec("lr", schedule)?;
        schedule.check().map_err(raise)?;
        let (commands, inbox) = mpsc::channel();
        let channels = Channels::kept(&folder, inbox).map_err(raise)?;
        Ok(Self {
            channels,
            folder,
            #[cfg(unix)]
            control: None,
            commands,
            state: RunState::new(schedule),
            replay: VecDeque::new(),
            guard,
            plateau,
            progress: Progress::default(),
            well: Progress::default(),
            began: Instant::now(),
        })
    }

    /// Lets other processes watch and steer the run; a note says why they cannot.
    fn listen(&mut self) -> Result<(), Error> {
        #[cfg(unix)]
        match self.channels.open_control(self.commands.clone()) {
            Ok(control) => self.control = control,
            Err(text) => self.tell(&Event::Note { text })?,
        }
        Ok(())
    }

    fn tell(&mut self, event: &Event) -> Result<(), Error> {
        self.channels.tell_and_apply(event, &mut self.state)
    }

    /// Tells whoever looks what the rates to come are.
    fn show_plan(&mut self) {
        let Some(schedule) = self.state.schedule.clone() else { return };
        let RunState { step, total_steps, steps_per_epoch, .. } = self.state;
        let steering = self.state.steering();
        self.channels.show(&Event::Plan { step, total_steps, steps_per_epoch, schedule, steering });
    }

    fn rate(&self) -> f64 {
        self.state.rate(self.state.step).unwrap_or_default()
    }

    /// The loss by which a blow-up is known; none is where the loss may be anything.
    fn baseline(&self) -> f64 {
        self.progress.baseline.filter(|&loss| loss > 0.0).unwrap_or(f64::INFINITY)
    }

    /// Applies the commands of the log that are due.
    fn apply_logged(&mut self) {
        let due = |event: &Event| matches!(event, Event::Command { steps_executed, .. } if *steps_executed <= self.state.steps_executed);
        if !self.replay.front().is_some_and(due) {
            return;
        }
        let executed = self.state.steps_executed;
        while let Some(Event::Command { steps_executed, .. }) = self.replay.front()
            && *steps_executed <= executed
            && let Some(event) = self.replay.pop_front()
        {
            // Where the run is stays what it is.
            let (step, steps_executed) = (self.state.step, self.state.steps_executed);
            self.state.apply(&event);
            (self.state.step, self.state.steps_executed) = (step, steps_executed);
            self.progress.commands += 1;
        }
        self.state.phase = Phase::Training;
        self.show_plan();
    }
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here is half done when something panics.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[pymethods]
impl Session {
    /// Begins a run in a new folder inside `runs`.
    #[staticmethod]
    #[pyo3(signature = (runs, name, data, toml, schedule, guard, plateau, total_steps, steps_per_epoch, parameters))]
    #[allow(clippy::too_many_arguments)] // keywords, in Python
    fn create(
        runs: PathBuf,
        name: Option<String>,
        data: &str,
        toml: &str,
        schedule: &str,
        guard: &str,
        plateau: &str,
        total_steps: u64,
        steps_per_epoch: u64,
        parameters: u64,
    ) -> PyResult<Self> {
        // What is wrong is said before a folder is made.
        spec::<Schedule>("lr", schedule)?.check().map_err(raise)?;
        spec::<Guard>("guard", guard)?.check().map_err(raise)?;
        spec::<Plateau>("plateau", plateau)?.check().map_err(raise)?;
        let folder = RunFolder::create(&runs, name.as_deref(), data, toml).map_err(raise)?;
        let mut inner = Inner::open(folder, schedule, guard, plateau)?;
        let Event::Start { version, dataset, features, classes, train_rows, valid_rows, .. } =
            Event::start(data, steps_per_epoch, 1)
        else {
            unreachable!("it is the start of a run")
        };
        let start = Event::Start {
            version,
            dataset,
            features,
            classes,
            total_steps,
            steps_per_epoch,
            train_rows,
            valid_rows,
            parameters,
            data_fingerprint: None,
        };
        inner.listen().map_err(raise)?;
        inner.tell(&start).map_err(raise)?;
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        inner.tell(&Event::Environment(Environment::here(threads))).map_err(raise)?;
        inner.show_plan();
        Ok(Self(Mutex::new(inner)))
    }

    /// Goes on with a run from what a checkpoint says of it; from its start where there is none.
    #[staticmethod]
    fn resume(
        path: PathBuf,
        progress: Option<&str>,
        schedule: &str,
        guard: &str,
        plateau: &str,
        total_steps: u64,
        steps_per_epoch: u64,
    ) -> PyResult<Self> {
        let folder = RunFolder::open(&path).map_err(raise)?;
        let mut inner = Inner::open(folder, schedule, guard, plateau)?;
        let progress: Progress = match progress {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| PyValueError::new_err(format!("the checkpoint is damaged: {error}")))?,
            None => Progress::default(),
        };
        let (records, warning) = log::read(&inner.folder.log_path()).map_err(raise)?;
        // The commands that were applied before the checkpoint count at once, the others when it is their turn.
        let mut commands: Vec<(u64, usize)> = Vec::new();
        for (place, record) in records.iter().enumerate() {
            if let Event::Command { steps_executed, .. } = record.event {
                commands.push((steps_executed, place));
            }
        }
        commands.sort();
        let applied = (progress.commands as usize).min(commands.len());
        let later = commands.split_off(applied);
        for (place, record) in records.iter().enumerate() {
            if !later.iter().any(|&(_, other)| other == place) {
                inner.state.apply(&record.event);
            }
        }
        inner.replay = later.iter().map(|&(_, place)| records[place].event.clone()).collect();
        let Progress { step, steps_executed, .. } = progress;
        let torn = warning.into_iter().map(|text| Event::Note { text }).collect::<Vec<_>>();
        (inner.well, inner.progress) = (progress.clone(), progress);
        inner.listen().map_err(raise)?;
        inner.tell(&Event::Resume { step, steps_executed, total_steps, steps_per_epoch }).map_err(raise)?;
        for note in torn {
            inner.tell(&note).map_err(raise)?;
        }
        inner.apply_logged();
        inner.show_plan();
        Ok(Self(Mutex::new(inner)))
    }

    /// The folder.
    #[getter]
    fn path(&self) -> PathBuf {
        self.lock().folder.path().to_path_buf()
    }

    /// The next step, and the length of the run in steps.
    #[getter]
    fn position(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.state.step, inner.state.total_steps)
    }

    /// The rate of the next step.
    fn rate(&self) -> f64 {
        self.lock().rate()
    }

    /// Applies the commands that have come, waiting in a pause; returns what is left to do: "checkpoint", and last
    /// "stop" or "end".
    fn poll(&self, py: Python<'_>) -> PyResult<Vec<&'static str>> {
        let mut to_do = Vec::new();
        loop {
            let mut inner = self.lock();
            inner.apply_logged();
            let Some(command) = inner.channels.command() else {
                if inner.state.phase != Phase::Paused {
                    return Ok(to_do);
                }
                drop(inner);
                py.detach(|| std::thread::sleep(TICK));
                py.check_signals()?;
                continue;
            };
            if command == Command::Stop {
                to_do.push("stop");
                return Ok(to_do);
            }
            let answer = inner.state.answer(command);
            inner.tell(&answer).map_err(raise)?;
            let Event::Command { command, .. } = answer else { continue };
            inner.progress.commands += 1;
            match command {
                Command::End => {
                    to_do.push("end");
                    return Ok(to_do);
                }
                Command::Checkpoint => to_do.push("checkpoint"),
                Command::SetLr { .. } | Command::Undo | Command::SetEpochs { .. } => inner.show_plan(),
                Command::Stop | Command::Pause | Command::Continue => {}
            }
        }
    }

    /// Gives the run a command of its own, as if somebody had.
    fn command(&self, command: &str) -> PyResult<()> {
        let command: Command =
            serde_json::from_str(command).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let mut inner = self.lock();
        let answer = inner.state.answer(command);
        inner.tell(&answer).map_err(raise)?;
        match answer {
            Event::Refused { why, .. } => Err(PyValueError::new_err(why)),
            _ => {
                inner.progress.commands += 1;
                inner.show_plan();
                Ok(())
            }
        }
    }

    /// Takes in the loss of a step, before its update: "well", "not-finite" or "spike". Only a step that is well
    /// counts.
    fn step(&self, loss: f64, rows: u64) -> PyResult<&'static str> {
        let mut inner = self.lock();
        let per_epoch = inner.state.steps_per_epoch.max(1) as usize;
        if loss.is_finite() {
            inner.progress.baseline.get_or_insert(loss);
            inner.progress.loss_sum += loss;
            inner.progress.counted += 1;
        }
        match inner.guard.after_step(loss, inner.progress.loss_sum, per_epoch, inner.baseline()) {
            Some(Cause::NotFinite) => return Ok("not-finite"),
            Some(Cause::Spike | Cause::Stuck) => return Ok("spike"),
            None => {}
        }
        let (step, lr) = (inner.state.step, inner.rate());
        inner.tell(&Event::Step { step, lr, loss, rows }).map_err(raise)?;
        let taken = inner.began.elapsed().as_secs_f64();
        inner.progress.epoch_seconds += taken;
        inner.began = Instant::now();
        Ok("well")
    }

    /// Says that a step begins now, after what is not counted to any.
    fn begin_step(&self) {
        self.lock().began = Instant::now();
    }

    /// Whether an epoch has ended with the last step.
    fn ends_epoch(&self) -> bool {
        let inner = self.lock();
        let RunState { step, total_steps, steps_per_epoch, .. } = inner.state;
        inner.progress.counted > 0 && (step.is_multiple_of(steps_per_epoch.max(1)) || step >= total_steps)
    }

    /// Ends an epoch with its validation loss, if it was measured, and other figures. Returns what to make of it
    /// ("well": the run can go back to here; "wait"; "stuck": it is to go back), whether it is the best so far, and
    /// whether the rate was cut.
    fn end_epoch(
        &self,
        valid_loss: Option<f64>,
        figures: Vec<(String, f64)>,
    ) -> PyResult<(&'static str, bool, bool)> {
        let mut inner = self.lock();
        let train_loss = inner.progress.loss_sum / inner.progress.counted.max(1) as f64;
        let valid_loss = valid_loss.unwrap_or(train_loss);
        let metrics = Metrics::Named(figures.into_iter().filter(|(_, figure)| figure.is_finite()).collect());
        let taken = Duration::from_secs_f64(inner.progress.epoch_seconds.clamp(0.0, 1e9));
        if !valid_loss.is_finite() {
            return Ok(("stuck", false, false));
        }
        let RunState { step, steps_per_epoch, .. } = inner.state;
        let mut epoch = Epoch::measured(&inner.state, [train_loss, valid_loss], metrics.clone(), taken);
        // The last one may have fewer steps.
        epoch.epoch = step.div_ceil(steps_per_epoch.max(1)).saturating_sub(1);
        let best = epoch.best;
        inner.tell(&Event::Epoch(epoch)).map_err(raise)?;
        let RunState { total_steps, steps_executed, .. } = inner.state;
        let is_over = step >= total_steps;
        let before = inner.progress.before;
        let outcome = EpochOutcome {
            train_loss,
            valid_loss,
            before,
            last_batch: inner.state.loss.unwrap_or(train_loss),
            epochs_since_rollback: (step - inner.progress.point.min(step)) / steps_per_epoch.max(1),
            is_over,
        };
        let baseline = inner.baseline();
        // What a constant prediction costs is not known here, so any epoch that is far from a blow-up is well.
        let look = inner.guard.after_epoch(outcome, inner.progress.rollbacks, baseline, [f64::INFINITY; 2]);
        let mut cut_made = false;
        if let (Plateau::Cut(cut), false) = (inner.plateau, is_over) {
            let Some(value) = cut.metric.of(valid_loss, &metrics) else {
                cut.metric.check("the plateau", &metrics).map_err(raise)?;
                return Err(PyValueError::new_err("the plateau has nothing to watch"));
            };
            let steering = inner.state.steering();
            let own = inner.state.schedule.clone().unwrap_or_else(|| 0.0.into());
            let position =
                Position { step, steps_per_epoch: steps_per_epoch.max(1), total_steps: total_steps.max(1) };
            let (schedule, place) = steering.in_force(&own, position);
            let rate = schedule.at(place);
            if let Some(scale) = cut.after_epoch(&mut inner.progress.watch, value, steering.scale, rate) {
                let back_to = inner.state.best().filter(|_| cut.backtrack).map(|best| best.epoch);
                inner.tell(&Event::Cut { step, steps_executed, scale, back_to }).map_err(raise)?;
                inner.show_plan();
                cut_made = true;
            }
        }
        let progress = &mut inner.progress;
        (progress.loss_sum, progress.counted, progress.epoch_seconds) = (0.0, 0, 0.0);
        progress.before = Some(train_loss);
        let look = match look {
            Look::Well => {
                progress.rollbacks = 0;
                "well"
            }
            Look::Wait => "wait",
            Look::Stuck => "stuck",
        };
        Ok((look, best, cut_made))
    }

    /// Says that there is a snapshot of the run as it is now, to go back to.
    fn mark(&self) {
        let mut inner = self.lock();
        inner.progress.point = inner.state.step;
        inner.well = inner.progress.clone();
    }

    /// Goes back to where the run was last well, at a lower rate, for a cause that [`step`](Self::step) or
    /// [`end_epoch`](Self::end_epoch) has told; false if it does not go back any more.
    fn roll_back(&self, cause: &str) -> PyResult<bool> {
        let mut inner = self.lock();
        let cause = match cause {
            "not-finite" => Cause::NotFinite,
            "spike" => Cause::Spike,
            _ => Cause::Stuck,
        };
        let Some(cut) = inner.guard.cut(inner.progress.rollbacks, cause) else { return Ok(false) };
        let scale = inner.state.steering().scale * cut;
        let (step, steps_executed) = (inner.state.step, inner.state.steps_executed + 1);
        let well = inner.well.clone();
        let to = well.point;
        let rollback = Event::Rollback { step, steps_executed, to, scale, cause };
        inner.tell(&rollback).map_err(raise)?;
        let Progress { commands, rollbacks, .. } = inner.progress;
        // Before and after it are two moments.
        inner.progress = Progress { commands, rollbacks: rollbacks + 1, ..well };
        inner.show_plan();
        Ok(true)
    }

    /// What a checkpoint has to say of where the run is.
    fn progress(&self) -> PyResult<String> {
        let mut inner = self.lock();
        (inner.progress.step, inner.progress.steps_executed) = (inner.state.step, inner.state.steps_executed);
        json(&inner.progress)
    }

    /// Where the checkpoint of the run as it is now belongs.
    fn checkpoint_path(&self) -> PathBuf {
        let inner = self.lock();
        inner.folder.checkpoint(inner.state.step)
    }

    /// Says that a checkpoint was written, and removes all but those of these steps.
    fn saved(&self, keep: Vec<u64>) -> PyResult<()> {
        let mut inner = self.lock();
        let step = inner.state.step;
        inner.tell(&Event::Checkpoint { step, file: checkpoint_name(step) }).map_err(raise)?;
        inner.folder.keep(&keep).map_err(raise)
    }

    /// Tells that a learning rate was found, as JSON.
    fn found(&self, found: &str) -> PyResult<()> {
        let found = serde_json::from_str(found).map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.lock().tell(&Event::Rate(found)).map_err(raise)
    }

    /// Tells a person something.
    fn note(&self, text: String) -> PyResult<()> {
        self.lock().tell(&Event::Note { text }).map_err(raise)
    }

    /// Ends the record: "finished", "ended", "interrupted" or "diverged". The report is drawn.
    fn finish(&self, reason: &str) -> PyResult<()> {
        let mut inner = self.lock();
        let (step, steps_executed) = (inner.state.step, inner.state.steps_executed);
        let reason = match reason {
            "finished" => Stop::Finished,
            "ended" => Stop::Ended,
            "interrupted" => Stop::Interrupted,
            _ => Stop::Diverged { lr: inner.rate() },
        };
        inner.tell(&Event::Stop { step, steps_executed, reason, weights_sha256: None }).map_err(raise)?;
        // The log and the socket are let go of, so that others can take the run up.
        inner.channels = Channels::default();
        #[cfg(unix)]
        {
            inner.control = None;
        }
        let _ = downhill_report::write(&inner.folder);
        Ok(())
    }
}

/// The steps of the checkpoints of a run, the latest first.
#[pyfunction]
pub fn checkpoints(path: PathBuf) -> PyResult<Vec<(u64, PathBuf)>> {
    let folder = RunFolder::open(&path).map_err(raise)?;
    let steps = folder.steps().map_err(raise)?;
    Ok(steps.into_iter().map(|step| (step, folder.checkpoint(step))).collect())
}

/// What a rehearsal of each rung came to: the losses of its last steps, or none if one was no finite number.
type Rehearsed = Vec<(i32, Option<Vec<f64>>)>;

fn tried(rehearsed: Rehearsed) -> Vec<Tried> {
    let mut all: Vec<Tried> = rehearsed.into_iter().map(|(rung, losses)| Tried { rung, losses }).collect();
    all.sort_by_key(|tried| tried.rung);
    all
}

/// The rate to rehearse next: its rung and its rate; none if those that were are enough.
#[pyfunction]
pub fn next_rehearsal(rehearsed: Rehearsed, guess: f64, usual: f64) -> Option<(i32, f64)> {
    let first = rehearsal::FIRST.get(rehearsed.len()).copied();
    let rung = first.or_else(|| rehearsal::next(&tried(rehearsed), guess))?;
    Some((rung, usual * RUNG.powi(rung)))
}

/// What rehearsals come to for a run that is so many times as long as one: the rate, why, and the band of good
/// ones, the middle one as JSON.
#[pyfunction]
pub fn conclude_rehearsals(
    rehearsed: Rehearsed,
    guess: f64,
    usual: f64,
    times_longer: f64,
    rows: usize,
) -> PyResult<(f64, String, [f64; 2])> {
    if rehearsed.len() < rehearsal::FIRST.len() {
        return Ok((usual, json(&Choice::TooFewSteps)?, [usual; 2]));
    }
    let tried = tried(rehearsed);
    let (recommended, why) = rehearsal::conclude(&tried, guess, times_longer, rows).choice(usual);
    let recommended = two_digits(recommended);
    let band = rehearsal::band(&tried, guess);
    let [low, high] =
        band.map_or([recommended; 2], |rungs| rungs.map(|rung| two_digits(usual * RUNG.powi(rung))));
    Ok((recommended, json(&why)?, [low.min(recommended), high.max(recommended)]))
}

/// A schedule in the one way in which it is written; an error if it is none.
#[pyfunction]
pub fn schedule(text: &str) -> PyResult<String> {
    let schedule: Schedule = spec("lr", text)?;
    schedule.check().map_err(raise)?;
    Ok(schedule.to_string())
}

/// The rate of one step of a schedule.
#[pyfunction]
pub fn rate_at(schedule: &str, step: u64, total_steps: u64, steps_per_epoch: u64) -> PyResult<f64> {
    let schedule: Schedule = spec("lr", schedule)?;
    let (total_steps, steps_per_epoch) = (total_steps.max(1), steps_per_epoch.max(1));
    Ok(schedule.at(Position { step, steps_per_epoch, total_steps }))
}
