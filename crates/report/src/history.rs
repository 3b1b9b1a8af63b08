//! What the log of a run says it came to.

use std::collections::BTreeMap;
use std::path::Path;

use downhill_run::log::Record;
use downhill_run::{
    ClassMetrics, Distribution, Environment, Epoch, Error, Event, Keep, Norms, RunState, Settings, Steering,
    Stop, file,
};
use downhill_schedule::Position;

use crate::number::counted;

/// An event that is pointed out beside the rate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Marked {
    /// The step that it happened in front of.
    pub step: u64,
    /// What kind it is, in a word.
    pub kind: &'static str,
    /// What happened.
    pub text: String,
}

/// How weights and activations are spread after so many steps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distributions {
    pub step: u64,
    pub weights: Vec<Distribution>,
    pub activations: Vec<Distribution>,
}

/// How the held-out rows are classified.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Confusion {
    pub classes: Vec<String>,
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// How well each class is predicted.
    pub fn by_class(&self) -> Vec<ClassMetrics> {
        ClassMetrics::of_counts(&self.classes, &self.counts)
    }
}

/// By how much the held-out rows are missed, with some predictions and their targets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Residuals {
    pub residuals: Distribution,
    pub pairs: Vec<[f64; 2]>,
}

/// A schedule is drawn at no more steps than about this many.
const MOST_STEPS: u64 = 20_000;

/// The log of a run, the epochs that were made again after a resume being there once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    /// The epochs, each of which ended and counts.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights are kept.
    pub kept: Option<Epoch>,
    /// Where it is: how it was found, how long it is, what was done to its rate, why it stopped.
    pub run: RunState,
    /// The rates as multiples of the stability limit, by their steps, where they were tracked.
    pub ratios: BTreeMap<u64, f64>,
    /// What is pointed out beside the rate.
    pub marked: Vec<Marked>,
    /// The norms of each weight tensor, by the number of steps made.
    pub norms: BTreeMap<u64, Vec<Norms>>,
    /// How weights and activations were spread before the first step, and with the weights that are kept.
    pub first: Option<Distributions>,
    pub last: Option<Distributions>,
    /// How the held-out rows are predicted with the weights that are kept.
    pub confusion: Option<Confusion>,
    pub residuals: Option<Residuals>,
    /// What the run was made with, the last time.
    pub environment: Option<Environment>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl History {
    /// Reads a log. A line that is no event, torn or of another version, is left out, with a note: the rest
    /// is worth a look all the same.
    pub fn read(path: &Path, settings: &Settings) -> Result<Self, Error> {
        let text = file::read("read the log", path)?;
        let lines = text.split_inclusive(|&byte| byte == b'\n');
        let events: Vec<Option<Event>> =
            lines.map(|line| Some(serde_json::from_slice::<Record>(line).ok()?.event)).collect();
        let unread = events.iter().filter(|event| event.is_none()).count() as u64;
        let mut history = Self::of(events.into_iter().flatten(), settings);
        if unread > 0 {
            let were = if unread == 1 { "was torn or is no event, and is" } else { "are no events, and are" };
            history.notes.push(format!("{} of the log {were} left out here.", counted(unread, "line")));
        }
        Ok(history)
    }

    fn of(events: impl Iterator<Item = Event>, settings: &Settings) -> Self {
        let mut history = Self::default();
        history.run.schedule = settings.text_of("training.lr").and_then(|lr| lr.parse().ok());
        let mut epochs: BTreeMap<u64, Epoch> = BTreeMap::new();
        for event in events {
            // What is measured has a chart of its own.
            if let (Some(step), Some(text), false) =
                (event.step(), event.text(), matches!(event, Event::Sharpness { .. }))
            {
                history.marked.push(Marked { step, kind: kind(&event), text });
            }
            let stop = history.run.stop();
            if let Some(back) = history.run.apply(&event) {
                // What was made from there on is made again.
                epochs.retain(|_, epoch| epoch.step <= back);
                history.ratios.retain(|&at, _| at <= back);
                history.norms.retain(|&at, _| at <= back);
            }
            match event {
                Event::Resume { step, .. } => {
                    history.marked.retain(|marked| marked.step <= step || marked.kind == TOLD);
                    // A run that is over goes on with nothing; it only gives its result again.
                    if !matches!(stop, Some(Stop::Finished | Stop::EarlyStopping | Stop::Ended)) {
                        let text = "from the checkpoint of that step".into();
                        history.marked.push(Marked { step, kind: "resumed", text });
                    }
                }
                Event::Epoch(epoch) => {
                    epochs.insert(epoch.epoch, epoch);
                }
                Event::Rate(found) => history.notes.push(format!("{}.", found.text())),
                Event::Sharpness { step, ratio: Some(ratio), .. } => {
                    history.ratios.insert(step, ratio);
                }
                Event::Norms { step, tensors } => {
                    history.norms.insert(step, tensors);
                }
                Event::Distributions { step, weights, activations } => {
                    let found = Distributions { step, weights, activations };
                    if history.first.is_none() {
                        history.first = Some(found);
                    } else {
                        history.last = Some(found);
                    }
                }
                Event::Confusion { classes, counts, .. } => {
                    history.confusion = Some(Confusion { classes, counts });
                }
                Event::Residuals { residuals, pairs, .. } => {
                    history.residuals = Some(Residuals { residuals, pairs });
                }
                Event::Environment(environment) => history.environment = Some(environment),
                Event::Note { text } if history.notes.contains(&text) => {}
                Event::Note { text } => history.notes.push(text),
                Event::Refused { .. } => {
                    history.notes.extend(event.text().map(|text| format!("{text}.")));
                }
                _ => {}
            }
        }
        history.epochs = epochs.into_values().collect();
        let keep = settings.text_of("training.keep").map(str::parse::<Keep>);
        let restores = !matches!(keep, Some(Ok(Keep::Last)));
        let diverged = matches!(history.run.stop(), Some(Stop::Diverged { .. }));
        let best = history.epochs.iter().rev().find(|epoch| epoch.best);
        history.kept = best.filter(|_| restores || diverged).or(history.epochs.last()).cloned();
        history
    }

    /// The length of the run in epochs, as far as the log says it.
    pub fn epochs_planned(&self) -> Option<u64> {
        self.run.total_epochs()
    }

    /// Where commands changed the run, in epochs made before.
    pub fn told(&self) -> impl Iterator<Item = f64> + '_ {
        let steps_per_epoch = self.run.steps_per_epoch.max(1);
        let told = self.marked.iter().filter(|marked| marked.kind == TOLD);
        told.map(move |marked| marked.step as f64 / steps_per_epoch as f64)
    }

    /// How many epochs ended.
    pub fn epochs_made(&self) -> u64 {
        self.epochs.last().map_or(0, |epoch| epoch.epoch.saturating_add(1))
    }

    /// A figure of every epoch, against its number, which is counted from 1 for people.
    pub fn each(&self, figure: impl Fn(&Epoch) -> f64) -> Vec<(f64, f64)> {
        self.epochs.iter().map(|epoch| (epoch.epoch as f64 + 1.0, figure(epoch))).collect()
    }

    /// The learning rates against their steps: those that steps were made with, and those that were still
    /// planned.
    ///
    /// The log has the rate of every epoch's last step. Where the schedule gives the same one, it is believed
    /// for the steps before it; where not (the configuration was changed on the way), the logged rate is all
    /// that is known.
    pub fn rates(&self) -> [Vec<(f64, f64)>; 2] {
        let RunState { steps_per_epoch, total_steps, .. } = self.run;
        let Some(schedule) = self.run.schedule.as_ref().filter(|_| steps_per_epoch > 0) else {
            let last = |epoch: &Epoch| (epoch.step.saturating_sub(1) as f64, epoch.lr);
            return [self.epochs.iter().map(last).collect(), Vec::new()];
        };
        let (unchanged, steered) = (Steering::default(), self.run.steered());
        let rate = |step| {
            let steering = steered.iter().rev().find(|(from, _)| *from <= step);
            let steering = steering.map_or(&unchanged, |(_, steering)| steering);
            steering.rate(schedule, Position { step, steps_per_epoch, total_steps })
        };
        // A log may say of any epoch that it ended anywhere.
        let end = self.epochs.iter().map(|epoch| epoch.step).max().unwrap_or(0);
        let stride = end.max(total_steps).div_ceil(MOST_STEPS).max(1) as usize;
        let mut made = Vec::new();
        let mut first = 0;
        for epoch in &self.epochs {
            let last = epoch.step.saturating_sub(1);
            if made.len() < 4 * MOST_STEPS as usize && (rate(last) - epoch.lr).abs() <= 1e-9 * epoch.lr.abs()
            {
                made.extend((first..last).step_by(stride).map(|step| (step as f64, rate(step))));
            }
            made.push((last as f64, epoch.lr));
            first = epoch.step;
        }
        let planned = (end.saturating_sub(1)..total_steps).step_by(stride);
        let planned = planned.map(|step| (step as f64, rate(step))).collect();
        [made, if end < total_steps { planned } else { Vec::new() }]
    }
}

/// The kind of an event that is pointed out, in a word.
const TOLD: &str = "told";

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Cut { .. } => "rate cut",
        Event::Rollback { .. } => "rolled back",
        Event::Command { .. } => TOLD,
        _ => "event",
    }
}
