//! The record of one run, as the page gets it: its log, line by line, and its rates, past and to come.

use std::collections::BTreeSet;
use std::io;

use downhill_run::log::Record;
use downhill_run::{Command, Event, RunFolder, RunState, Settings, file};
use downhill_schedule::{Position, Schedule};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::follow::Follow;

/// The epochs of a log that are sent at first are at most so many, spread evenly.
const MOST_EPOCHS: usize = 4000;

/// Rates are told at so many steps of a run, and at both ends of every jump.
const MOST_RATES: u64 = 400;

/// The kinds of event that a view of epochs alone has.
const SHORT: [&str; 4] =
    ["\"event\":\"epoch\"", "\"event\":\"stop\"", "\"event\":\"start\"", "\"event\":\"resume\""];

/// The rates of a run: those that it had, and those that it will have as things are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rates {
    /// The next step.
    pub step: u64,
    /// The length of the run in steps, unless it stops early.
    pub total_steps: u64,
    /// The length of an epoch in steps.
    pub steps_per_epoch: u64,
    /// Some steps, in order.
    pub steps: Vec<u64>,
    /// The rate of each of them.
    pub rates: Vec<f64>,
    /// The schedule in force, without what plateau, guard and factors have done to it.
    pub schedule: String,
}

/// What was read of a log.
#[derive(Debug, Serialize)]
pub struct Batch {
    /// Whether what was told before does not count any more.
    pub anew: bool,
    /// The lines, which are JSON.
    pub records: Vec<Box<RawValue>>,
    /// The rates, where they are others than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// Whether there is more to be read at once.
    #[serde(skip)]
    pub more: bool,
}

/// The log of a run as it is read.
#[derive(Debug)]
pub struct Reader {
    folder: RunFolder,
    log: Follow,
    state: RunState,
    /// The run's own schedule, where its settings have it.
    own: Option<Schedule>,
    /// One epoch of so many is sent.
    every: usize,
    epochs: usize,
    /// Whether only epochs are wanted.
    short: bool,
    /// Whether the rates have changed since they were told.
    changed: bool,
}

impl Reader {
    /// Of a run, from its beginning.
    pub fn new(folder: RunFolder, short: bool) -> Self {
        let settings = Settings::of(&folder).unwrap_or_default();
        let own: Option<Schedule> = settings.text_of("training.lr").and_then(|lr| lr.parse().ok());
        let text = file::read("read the log", &folder.log_path()).unwrap_or_default();
        let epochs = SHORT[0].as_bytes();
        let is_epoch =
            |line: &&[u8]| line[..line.len().min(100)].windows(epochs.len()).any(|part| part == epochs);
        let most = if short { MOST_EPOCHS / 4 } else { MOST_EPOCHS };
        let every = text.split(|&byte| byte == b'\n').filter(is_epoch).count().div_ceil(most).max(1);
        let log = Follow::new(&folder.log_path());
        let state = beginning(&own);
        Self { folder, log, state, own, every, epochs: 0, short, changed: true }
    }

    /// Whether a process makes the run.
    pub fn is_running(&self) -> bool {
        self.folder.is_under_way()
    }

    /// What has been appended to the log since the last time.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&mut self) -> io::Result<Batch> {
        let grown = self.log.grown()?;
        if grown.anew {
            self.state = beginning(&self.own);
            (self.epochs, self.changed) = (0, true);
        }
        let mut records = Vec::new();
        for line in grown.lines {
            // What is no event of this version is left out, as everywhere.
            let Ok(record) = serde_json::from_str::<Record>(&line) else { continue };
            self.state.apply(&record.event);
            self.changed |= changes_rates(&record.event);
            let wanted = match &record.event {
                Event::Epoch(epoch) => {
                    self.epochs += 1;
                    epoch.best || self.epochs.is_multiple_of(self.every)
                }
                _ => !self.short || SHORT.iter().any(|kind| line.contains(kind)),
            };
            if wanted && let Ok(raw) = RawValue::from_string(line) {
                records.push(raw);
            }
        }
        let rates = if self.changed && !grown.more { self.rates() } else { None };
        self.changed &= grown.more;
        Ok(Batch { anew: grown.anew, records, rates, more: grown.more })
    }

    /// All that there is now, for who does not wait for more.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn all(&mut self) -> io::Result<Box<RawValue>> {
        let mut all = self.read()?;
        while all.more {
            let next = self.read()?;
            if next.anew {
                all.records.clear();
            }
            all.records.extend(next.records);
            (all.rates, all.more) = (next.rates, next.more);
        }
        Ok(to_raw_value(&all).expect("records are plain data"))
    }

    /// The rates as things are; none where the schedule or the length of the run is not known.
    fn rates(&self) -> Option<Rates> {
        let state = &self.state;
        let own = state.schedule.as_ref()?;
        let (total_steps, steps_per_epoch) = (state.total_steps, state.steps_per_epoch);
        if total_steps == 0 || steps_per_epoch == 0 {
            return None;
        }
        let steered = state.steered();
        let even = total_steps.min(MOST_RATES);
        let mut steps: BTreeSet<u64> = (0..=even)
            .map(|part| (u128::from(part) * u128::from(total_steps) / u128::from(even)) as u64)
            .collect();
        steps.extend(steered.iter().flat_map(|(from, _)| [from.saturating_sub(1), *from]));
        let position = |step| Position { step, steps_per_epoch, total_steps };
        let rate = |step: u64| match steered.iter().rev().find(|(from, _)| *from <= step) {
            Some((_, steering)) => steering.rate(own, position(step)),
            None => own.at(position(step)),
        };
        let steps: Vec<u64> = steps.into_iter().filter(|&step| step <= total_steps).collect();
        let rates = steps.iter().map(|&step| rate(step)).collect();
        let steering = state.steering();
        let (schedule, _) = steering.in_force(own, position(state.step));
        Some(Rates {
            step: state.step,
            total_steps,
            steps_per_epoch,
            steps,
            rates,
            schedule: schedule.to_string(),
        })
    }
}

/// A run of which nothing was heard yet.
fn beginning(own: &Option<Schedule>) -> RunState {
    let mut state = RunState::default();
    state.schedule.clone_from(own);
    state
}

/// Whether what is planned is something else after an event.
fn changes_rates(event: &Event) -> bool {
    match event {
        Event::Start { .. }
        | Event::Rate(_)
        | Event::Resume { .. }
        | Event::Cut { .. }
        | Event::Rollback { .. }
        | Event::Stop { .. } => true,
        Event::Command { command, .. } => match command {
            Command::SetLr { .. } | Command::Undo | Command::SetEpochs { .. } => true,
            Command::Stop | Command::End | Command::Pause | Command::Continue | Command::Checkpoint => false,
        },
        _ => false,
    }
}

/// What a schedule comes to that begins at a step of a run.
///
/// # Errors
///
/// If it is none; the error says where and what.
pub fn preview(spec: &str, from: u64, total_steps: u64, steps_per_epoch: u64) -> Result<Rates, String> {
    if spec.len() > 8000 {
        return Err("a schedule has at most 8000 characters".into());
    }
    let schedule: Schedule = spec.parse().map_err(|error| format!("{error}"))?;
    let left = total_steps.saturating_sub(from).max(1);
    let even = left.min(MOST_RATES);
    let steps: Vec<u64> =
        (0..=even).map(|part| (u128::from(part) * u128::from(left) / u128::from(even)) as u64).collect();
    let at = |&step: &u64| {
        schedule.at(Position { step, steps_per_epoch: steps_per_epoch.max(1), total_steps: left })
    };
    let rates = steps.iter().map(at).collect();
    let steps = steps.iter().map(|step| from.saturating_add(*step)).collect();
    Ok(Rates { step: from, total_steps, steps_per_epoch, steps, rates, schedule: schedule.to_string() })
}
