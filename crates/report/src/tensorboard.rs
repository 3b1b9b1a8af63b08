//! A run's events as a file that TensorBoard shows.
//!
//! The messages are those of `event.proto`, `summary.proto` and the hyperparameters' `plugin_data.proto` and
//! `api.proto` of TensorBoard 2; <https://github.com/tensorflow/tensorboard>.

mod proto;
mod record;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use downhill_run::{Distribution, Error, Event, Metrics, Norms, RunState, Stop};
use downhill_schedule::{Position, Schedule};
use serde::Serialize;
use serde_json::Value;

use proto::Message;
use record::record;

/// The loss and the rate of single steps are written at no more steps than about this many.
const MOST_STEPS: u64 = 1000;
/// What the names of event files begin with.
const PREFIX: &str = "events.out.tfevents.";

/// Writes the events of a run into a folder that is TensorBoard's `--logdir`, or inside it: losses, metrics,
/// rates and norms as scalars, weights and activations as histograms, and the settings as hyperparameters.
///
/// Steps are counted by how many were made. A run that goes on from a checkpoint, or goes back, has
/// TensorBoard forget the steps that are made again.
///
/// ```no_run
/// use std::path::Path;
///
/// use downhill_report::TensorBoard;
/// use downhill_train::{Config, Trainer};
///
/// let config = Config::default();
/// let mut board = TensorBoard::new(Path::new("logs/first"), &config);
/// let trainer = Trainer::from_config(config).view(move |event| {
///     if let Err(error) = board.show(event) {
///         eprintln!("{error}");
///     }
/// });
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    /// The file and where it is, once there was something to write.
    file: Option<(File, PathBuf)>,
    hyperparameters: Vec<(String, Value)>,
    /// Where the run is.
    run: RunState,
    /// How many batches a step has.
    accumulate: u64,
    /// Whether the hyperparameters are written.
    begun: bool,
    is_classification: Option<bool>,
    /// Every how manieth step is written.
    stride: u64,
    /// Whether writing has failed, which ends it.
    failed: bool,
}

impl TensorBoard {
    /// Writes into `folder`, which is made with the first event. The settings are shown as hyperparameters;
    /// of those that Downhill's own have, `lr` is shown as a number and a schedule.
    pub fn new(folder: &Path, settings: &impl Serialize) -> Self {
        let settings = serde_json::to_value(settings).unwrap_or_default();
        let schedule = settings["lr"].as_str().and_then(|lr| lr.parse::<Schedule>().ok());
        let accumulate = settings["accumulate"].as_u64().unwrap_or(1);
        let mut hyperparameters = Vec::new();
        flatten(settings, String::new(), &mut hyperparameters);
        // As a number and a schedule, below.
        hyperparameters.retain(|(name, _)| name != "lr" && !name.starts_with("lr."));
        let run = schedule.map_or_else(RunState::default, RunState::new);
        Self {
            folder: folder.to_path_buf(),
            file: None,
            hyperparameters,
            run,
            accumulate,
            begun: false,
            is_classification: None,
            stride: 1,
            failed: false,
        }
    }

    /// Whether there are event files in a folder, which TensorBoard would show as one run with a new one.
    pub fn is_taken(folder: &Path) -> bool {
        event_files(folder).next().is_some()
    }

    /// Writes an event.
    ///
    /// # Errors
    ///
    /// The first time that something cannot be written; nothing is written from there on.
    pub fn show(&mut self, event: &Event) -> Result<(), Error> {
        if self.failed {
            return Ok(());
        }
        let written = self.write(event, now());
        written.map_err(|source| {
            self.failed = true;
            let path = self.file.as_ref().map_or(&self.folder, |(_, path)| path).clone();
            Error::Io { doing: "write for TensorBoard to", path, source }
        })
    }

    fn write(&mut self, event: &Event, time: f64) -> io::Result<()> {
        let back = self.run.apply(event);
        match event {
            Event::Start { classes, .. } => {
                self.is_classification = Some(classes.is_some());
                self.begin(0, time)
            }
            Event::Resume { step, .. } => self.begin(step + 1, time),
            Event::Rollback { .. } => back.map_or(Ok(()), |to| self.put(&session(time, to + 1))),
            Event::Step { step, lr, loss, rows } => {
                if !self.begun {
                    self.begun = true;
                    if !self.hyperparameters.iter().any(|(name, _)| name == "batch") {
                        self.hyperparameters.push(("batch".into(), (rows / self.accumulate.max(1)).into()));
                    }
                    if let Some(schedule) = &self.run.schedule {
                        let peak = peak(schedule, &self.run);
                        self.hyperparameters.push(("lr".into(), peak.into()));
                        self.hyperparameters.push(("schedule".into(), schedule.to_string().into()));
                    }
                    let hyperparameters =
                        hyperparameters(&self.hyperparameters, self.is_classification, time);
                    self.put(&summary(time, 0, hyperparameters))?;
                }
                if step.is_multiple_of(self.stride) {
                    let values = [scalar("loss/batch", *loss), scalar("learning_rate", *lr)];
                    self.put(&summary(time, step + 1, values))?;
                }
                Ok(())
            }
            Event::Epoch(epoch) => {
                let mut values = vec![
                    scalar("loss/training", epoch.train_loss),
                    scalar("loss/validation", epoch.valid_loss),
                    scalar("rows_per_second", epoch.rows_per_second),
                ];
                values.extend(
                    metrics(&epoch.metrics)
                        .into_iter()
                        .map(|(name, value)| scalar(&format!("metrics/{name}"), value)),
                );
                self.put(&summary(time, epoch.step, values))
            }
            Event::Norms { step, tensors } => {
                let values = tensors.iter().flat_map(|Norms { name, weights, gradient, update }| {
                    [("gradient", gradient), ("update", update), ("weight", weights)]
                        .map(|(what, norm)| scalar(&format!("{what}_norm/{name}"), *norm))
                });
                self.put(&summary(time, *step, values))
            }
            Event::Sharpness { step, sharpness, ratio, .. } => {
                let ratio = ratio.map(|ratio| scalar("sharpness/rate_over_limit", ratio));
                let values = std::iter::once(scalar("sharpness/sharpness", *sharpness)).chain(ratio);
                self.put(&summary(time, *step, values))
            }
            Event::Distributions { step, weights, activations } => {
                let all = [("weights", weights), ("activations", activations)];
                let values = all.into_iter().flat_map(|(kind, found)| {
                    found.iter().map(move |found| histogram(&format!("{kind}/{}", found.name), found))
                });
                self.put(&summary(time, *step, values))
            }
            Event::Stop { reason, .. } => {
                let status = if matches!(reason, Stop::Diverged { .. }) { 2 } else { 1 };
                let end = Message::default().whole(1, status).double(2, time);
                let end = plugin("_hparams_/session_end_info", Message::default().message(4, end));
                self.put(&summary(time, 0, [end]))
            }
            _ => Ok(()),
        }
    }

    /// Begins a file from whose first step on TensorBoard is to forget what other files say.
    fn begin(&mut self, first: u64, time: f64) -> io::Result<()> {
        self.stride = self.run.total_steps.div_ceil(MOST_STEPS).max(1);
        self.put(&version(time))?;
        self.put(&session(time, first))
    }

    fn put(&mut self, event: &Message) -> io::Result<()> {
        let (file, _) = match &mut self.file {
            Some(file) => file,
            None => {
                fs::create_dir_all(&self.folder)?;
                // Files are read in the order of their names, so each is later than all before it.
                let seconds = |name: String| name[PREFIX.len()..].split('.').next()?.parse::<u64>().ok();
                let last = event_files(&self.folder).filter_map(seconds).max();
                let seconds = (now() as u64).max(last.map_or(0, |last| last + 1));
                let name = format!("{PREFIX}{seconds:010}.downhill.{}.0", std::process::id());
                let path = self.folder.join(name);
                let file = File::options().write(true).create_new(true).open(&path)?;
                self.file.insert((file, path))
            }
        };
        file.write_all(&record(&event.clone().into_bytes()))
    }
}

/// The names of the event files in a folder.
fn event_files(folder: &Path) -> impl Iterator<Item = String> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.starts_with(PREFIX))
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The highest rate of a run's schedule.
fn peak(schedule: &Schedule, run: &RunState) -> f64 {
    let (steps_per_epoch, total_steps) = (run.steps_per_epoch, run.total_steps);
    let stride = (total_steps / MOST_STEPS).max(1) as usize;
    let rate = |step| schedule.at(Position { step, steps_per_epoch, total_steps });
    (0..total_steps).step_by(stride).map(rate).fold(0.0, f64::max)
}

/// The settings in a tree, each with its path for a name.
pub(crate) fn flatten(value: Value, name: String, settings: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                flatten(value, name, settings);
            }
        }
        Value::Null => {}
        Value::Array(_) => settings.push((name, value.to_string().into())),
        value => settings.push((name, value)),
    }
}

/// Every figure of some metrics, by its name.
fn metrics(metrics: &Metrics) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    flatten(serde_json::to_value(metrics).unwrap_or_default(), String::new(), &mut all);
    all.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect()
}

/// What a file begins with.
fn version(time: f64) -> Message {
    Message::default().double(1, time).text(3, "brain.Event:2")
}

/// The start of a session, which makes TensorBoard forget steps from this on.
fn session(time: f64, step: u64) -> Message {
    let start = Message::default().whole(1, 1);
    Message::default().double(1, time).whole(2, step).message(7, start)
}

fn summary(time: f64, step: u64, values: impl IntoIterator<Item = Message>) -> Message {
    let summary = Message::default().messages(1, values);
    Message::default().double(1, time).whole(2, step).message(5, summary)
}

fn scalar(tag: &str, value: f64) -> Message {
    Message::default().text(1, tag).float_of_several(2, value as f32)
}

fn histogram(tag: &str, Distribution { mean, std, bins, .. }: &Distribution) -> Message {
    let count: u64 = bins.counts.iter().sum();
    let histogram = Message::default()
        .double(1, bins.edges.first().copied().unwrap_or_default())
        .double(2, bins.edges.last().copied().unwrap_or_default())
        .double(3, count as f64)
        .double(4, mean * count as f64)
        .double(5, (mean * mean + std * std) * count as f64)
        .doubles(6, bins.edges.iter().skip(1).copied())
        .doubles(7, bins.counts.iter().map(|&count| count as f64));
    Message::default().text(1, tag).message(5, histogram)
}

/// A value of the plugin for hyperparameters.
fn plugin(tag: &str, data: Message) -> Message {
    let plugin = Message::default().text(1, "hparams").bytes(2, &data.into_bytes());
    Message::default().text(1, tag).message(9, Message::default().message(1, plugin))
}

/// What the hyperparameters are, in which metrics to compare them, and their values in this run.
fn hyperparameters(settings: &[(String, Value)], is_classification: Option<bool>, time: f64) -> [Message; 2] {
    let info = |(name, value): &(String, Value)| {
        let kind = match value {
            Value::Bool(_) => 2,
            Value::Number(_) => 3,
            _ => 1,
        };
        Message::default().text(1, name).whole(4, kind)
    };
    let metric = |tag: &str| Message::default().message(1, Message::default().text(2, tag));
    let score = is_classification.map(|yes| if yes { "metrics/accuracy" } else { "metrics/rmse" });
    let experiment = Message::default()
        .double(3, time)
        .messages(4, settings.iter().map(info))
        .messages(5, ["loss/validation", "loss/training"].into_iter().chain(score).map(metric));
    let entry = |(name, value): &(String, Value)| {
        let value = match value {
            Value::Bool(yes) => Message::default().bool_of_several(4, *yes),
            Value::Number(number) => {
                Message::default().double_of_several(2, number.as_f64().unwrap_or(f64::NAN))
            }
            Value::String(text) => Message::default().text(3, text),
            other => Message::default().text(3, &other.to_string()),
        };
        Message::default().text(1, name).message(2, value)
    };
    let session = Message::default().messages(1, settings.iter().map(entry)).double(5, time);
    [
        plugin("_hparams_/experiment", Message::default().message(2, experiment)),
        plugin("_hparams_/session_start_info", Message::default().message(3, session)),
    ]
}

#[cfg(test)]
mod tests {
    use downhill_run::Bins;
    use downhill_train::Config;

    use super::*;

    /// The records that TensorBoard's own writer makes of the same events.
    fn golden(name: &str) -> Vec<u8> {
        let golden: Value = serde_json::from_str(include_str!("../tests/golden/tensorboard.json")).unwrap();
        let hex = golden[name].as_str().unwrap();
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn check(name: &str, event: Message) {
        assert_eq!(record(&event.into_bytes()), golden(name), "{name}");
    }

    #[test]
    fn the_rate_is_a_number() {
        let config =
            Config { lr: Some("warmup(5%, then=cosine(0.1))".parse().unwrap()), ..Config::default() };
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::new(folder.path(), &config);
        (board.run.steps_per_epoch, board.run.total_steps) = (10, 1000);
        assert_eq!(board.run.schedule.as_ref().map(|schedule| peak(schedule, &board.run)), Some(0.1));
        let step = Event::Step { step: 0, lr: 0.002, loss: 1.0, rows: 32 };
        board.show(&step).unwrap();
        let rate = |(name, _): &&(String, Value)| name == "lr";
        let of_rate: Vec<_> = board.hyperparameters.iter().filter(rate).collect();
        assert_eq!(of_rate.len(), 1);
        assert!(of_rate[0].1.is_f64(), "{of_rate:?}");
    }

    #[test]
    fn records_are_those_of_tensorboard() {
        check("version", version(1.5));
        check("session", session(2.5, 300));
        check("scalars", summary(3.25, 70_000, [scalar("loss/training", 0.125), scalar("zero", 0.0)]));
        let bins = Bins { edges: vec![-1.0, 0.0, 0.5, 2.0], counts: vec![3, 0, 5], zeros: 0 };
        let found = Distribution { name: "0.weight".into(), mean: 0.25, std: 0.5, bins };
        check("histogram", summary(4.0, 1, [histogram("weights/0.weight", &found)]));
        let settings = [
            ("lr".to_string(), Value::from("cosine(0.1)")),
            ("epochs".into(), 60.into()),
            ("network.mlp.batch-norm".into(), false.into()),
        ];
        let [experiment, _] = hyperparameters(&settings, Some(true), 5.0);
        check("experiment", summary(5.0, 0, [experiment]));
        // Of one setting: the order of a map is any.
        let [_, session] = hyperparameters(&settings[..1], None, 5.0);
        check("session_start", summary(5.0, 0, [session]));
    }
}
