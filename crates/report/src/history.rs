//! What the log of a run says it came to.

use std::collections::BTreeMap;
use std::path::Path;

use downhill_run::log::Record;
use downhill_run::{
    ClassMetrics, Command, Distribution, Environment, Epoch, Error, Event, FoundRate, Keep, Norms, Settings,
    Steering, Stop, file,
};
use downhill_schedule::{Position, Schedule};

use crate::number::counted;

/// A change of the rate that the schedule does not know of.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    /// The number of steps executed when it happened.
    steps_executed: u64,
    /// The first step with the new rate.
    from: u64,
    /// What happened.
    event: Event,
    /// What was done to the schedule so far.
    steering: Steering,
}

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
    /// Why it stopped; none if it is under way or was killed.
    pub stop: Option<Stop>,
    /// The size of the run, if the log says how it began.
    pub size: Option<Size>,
    /// The length of an epoch and of the run, in steps.
    lengths: Option<(u64, u64)>,
    /// The run's own schedule, if its settings have one.
    schedule: Option<Schedule>,
    changes: Vec<Change>,
    /// How the learning rate was found, if it was.
    pub found: Option<FoundRate>,
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

/// The size of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// The rows of an epoch.
    pub train_rows: u64,
    /// The rows it is measured on.
    pub valid_rows: u64,
    /// The number of inputs.
    pub features: u64,
    /// The number of classes; none in regression.
    pub classes: Option<u64>,
    /// The number of trained parameters.
    pub parameters: u64,
}

impl History {
    /// Reads a log. A line that is no event, torn or of another version, is left out, with a note: the rest is worth
    /// a look all the same.
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
        let lr = settings.text_of("training.lr").and_then(|lr| lr.parse().ok());
        let mut history = Self { schedule: lr, ..Self::default() };
        let mut epochs = BTreeMap::new();
        for event in events {
            // What is measured has a chart of its own.
            if let (Some(step), Some(text), false) =
                (event.step(), event.text(), matches!(event, Event::Sharpness { .. }))
            {
                history.marked.push(Marked { step, kind: kind(&event), text });
            }
            match event {
                Event::Start {
                    total_steps,
                    steps_per_epoch,
                    train_rows,
                    valid_rows,
                    features,
                    classes,
                    parameters,
                    ..
                } => {
                    history.size = Some(Size { train_rows, valid_rows, features, classes, parameters });
                    history.lengths = Some((steps_per_epoch, total_steps));
                }
                Event::Resume { step, steps_executed, total_steps, steps_per_epoch } => {
                    // What was made after the checkpoint is made again.
                    epochs.retain(|_, epoch: &mut Epoch| epoch.step <= step);
                    // Commands are kept: the steps that are made again follow them too.
                    let again = |change: &Change| !matches!(change.event, Event::Command { .. });
                    history
                        .changes
                        .retain(|change| change.steps_executed <= steps_executed || !again(change));
                    history.ratios.retain(|&at, _| at <= step);
                    history.norms.retain(|&at, _| at <= step);
                    history.marked.retain(|marked| marked.step <= step || marked.kind == TOLD);
                    history.lengths = Some((steps_per_epoch, total_steps));
                    // A run that is over goes on with nothing; it only gives its result again.
                    if !matches!(
                        history.stop.take(),
                        Some(Stop::Finished | Stop::EarlyStopping | Stop::Ended)
                    ) {
                        let text = "from the checkpoint of that step".into();
                        history.marked.push(Marked { step, kind: "resumed", text });
                    }
                }
                Event::Cut { step: from, steps_executed, .. }
                | Event::Command { step: from, steps_executed, .. } => {
                    if let (
                        Event::Command { told: Command::SetEpochs { epochs }, .. },
                        Some((of_epoch, total)),
                    ) = (&event, &mut history.lengths)
                    {
                        *total = epochs.saturating_mul(*of_epoch);
                    }
                    history.changes.push(Change {
                        steps_executed,
                        from,
                        event,
                        steering: Steering::default(),
                    });
                }
                Event::Rollback { steps_executed, to, .. } => {
                    epochs.retain(|_, epoch: &mut Epoch| epoch.step <= to);
                    history.ratios.retain(|&at, _| at <= to);
                    history.norms.retain(|&at, _| at <= to);
                    history.changes.push(Change {
                        steps_executed,
                        from: to,
                        event,
                        steering: Steering::default(),
                    });
                }
                Event::Epoch(epoch) => {
                    epochs.insert(epoch.epoch, epoch);
                }
                Event::Rate(found) => {
                    history.notes.push(format!("{}.", found.text()));
                    history.found = Some(found);
                }
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
                Event::Stop { reason, .. } => history.stop = Some(reason),
                _ => {}
            }
        }
        history.epochs = epochs.into_values().collect();
        history.steer();
        let keep = settings.text_of("training.keep").map(str::parse::<Keep>);
        let restores = !matches!(keep, Some(Ok(Keep::Last)));
        let diverged = matches!(history.stop, Some(Stop::Diverged { .. }));
        let best = history.epochs.iter().rev().find(|epoch| epoch.best);
        history.kept = best.filter(|_| restores || diverged).or(history.epochs.last()).cloned();
        history
    }

    /// Works out what the changes, in the order in which they took effect, come to.
    fn steer(&mut self) {
        // What happens at the end of a step comes before what a person says at the next.
        self.changes
            .sort_by_key(|change| (change.steps_executed, matches!(change.event, Event::Command { .. })));
        let (steps_per_epoch, total_steps) = self.lengths.unwrap_or((1, 1));
        let mut steering = Steering::default();
        for change in &mut self.changes {
            let position = Position { step: change.from, steps_per_epoch, total_steps };
            match &change.event {
                Event::Cut { scale, .. } | Event::Rollback { scale, .. } => steering.scale = *scale,
                Event::Command { told: Command::SetLr { lr }, .. } => steering.change(lr, position),
                Event::Command { told: Command::Undo, .. } => steering.undo(),
                _ => {}
            }
            change.steering.clone_from(&steering);
        }
    }

    /// The length of the run in epochs, as far as the log says it.
    pub fn epochs_planned(&self) -> Option<u64> {
        self.lengths.map(|(steps_per_epoch, total_steps)| total_steps / steps_per_epoch.max(1))
    }

    /// Where commands changed the run, in epochs made before.
    pub fn told(&self) -> impl Iterator<Item = f64> + '_ {
        let steps_per_epoch = self.lengths.map_or(1, |(steps_per_epoch, _)| steps_per_epoch.max(1));
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
    /// The log has the rate of every epoch's last step. Where the schedule gives the same one, it is believed for the
    /// steps before it; where not (the configuration was changed on the way), the logged rate is all that is known.
    pub fn rates(&self) -> [Vec<(f64, f64)>; 2] {
        let (Some((steps_per_epoch, total_steps)), Some(schedule)) = (self.lengths, &self.schedule) else {
            let last = |epoch: &Epoch| (epoch.step.saturating_sub(1) as f64, epoch.lr);
            return [self.epochs.iter().map(last).collect(), Vec::new()];
        };
        let unchanged = Steering::default();
        let rate = |step| {
            let change = self.changes.iter().rev().find(|change| change.from <= step);
            let steering = change.map_or(&unchanged, |change| &change.steering);
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
