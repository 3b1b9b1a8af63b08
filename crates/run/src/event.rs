//! What happens in a run: the one stream that logs, progress bars and reports are views of.

use std::time::Duration;

use downhill_schedule::Schedule;
use serde::{Deserialize, Serialize};

use crate::{Command, Distribution, Environment, FoundRate, Metrics, Norms, RunState, Steering, number};

/// Something that happened. Steps and epochs are counted from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A run begins.
    Start {
        /// The version of Downhill.
        version: String,
        /// The name of the data.
        dataset: String,
        /// The number of inputs.
        features: u64,
        /// The number of classes; none in regression.
        classes: Option<u64>,
        /// The length of the run in steps, unless it stops early.
        total_steps: u64,
        /// The length of an epoch in steps.
        steps_per_epoch: u64,
        /// The rows of an epoch.
        train_rows: u64,
        /// The rows it is measured on.
        valid_rows: u64,
        /// The number of trained parameters.
        parameters: u64,
        /// The fingerprint of the data, where the run is kept in a folder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_fingerprint: Option<String>,
    },
    /// The learning rate is being looked for. Shown, not logged.
    Search,
    /// How far the search for the learning rate is: told now and then. Shown, not logged.
    SearchProgress {
        /// The number of steps executed so far.
        #[serde(alias = "made")]
        steps_executed: u64,
        /// A number of steps that the search does not exceed.
        at_most: u64,
    },
    /// The learning rate was found by trying, before the first step.
    Rate(FoundRate),
    /// A run goes on from a checkpoint.
    Resume {
        /// The next step.
        step: u64,
        /// The number of steps executed, those gone back over included; `made` in logs of older versions.
        #[serde(default, alias = "made")]
        steps_executed: u64,
        /// The length of the run in steps, unless it stops early.
        total_steps: u64,
        /// The length of an epoch in steps.
        steps_per_epoch: u64,
    },
    /// What the rates of the steps to come are, unless something happens. Shown, not logged: when a run
    /// begins or goes on, and after everything that changes them.
    Plan {
        /// The next step.
        step: u64,
        /// The length of the run in steps, unless it stops early.
        total_steps: u64,
        /// The length of an epoch in steps.
        steps_per_epoch: u64,
        /// The run's own schedule.
        schedule: Schedule,
        /// What was done to it so far.
        steering: Steering,
    },
    /// A step was made. Shown, not logged.
    Step {
        /// Which one.
        step: u64,
        /// The learning rate it was made with.
        lr: f64,
        /// The mean loss of its batch, before it.
        loss: f64,
        /// The number of rows in its batch.
        rows: u64,
    },
    /// An epoch ended and was measured.
    Epoch(Epoch),
    /// The learning rate was cut, because nothing got better.
    Cut {
        /// The next step, the first with the new rate.
        step: u64,
        /// The number of steps executed, those gone back over included; `made` in logs of older versions.
        #[serde(default, alias = "made")]
        steps_executed: u64,
        /// What all rates of the schedule are multiplied by from here on.
        scale: f64,
        /// The epoch whose weights are gone back to, if the cut does that.
        back_to: Option<u64>,
    },
    /// The run blew up, and went back.
    Rollback {
        /// The step at which it was seen.
        step: u64,
        /// The number of steps executed, those gone back over included, and one for going back.
        #[serde(default, alias = "made")]
        steps_executed: u64,
        /// The next step, where the run was still well.
        to: u64,
        /// What all rates of the schedule are multiplied by from there on.
        scale: f64,
        /// What was wrong.
        cause: Cause,
    },
    /// A command was applied.
    Command {
        /// The next step, the first that knows of it.
        step: u64,
        /// The number of steps executed, those gone back over included: it says when, even if the run comes
        /// to a step twice.
        #[serde(alias = "made")]
        steps_executed: u64,
        /// The command, `told` in logs of older versions.
        #[serde(alias = "told")]
        command: Command,
        /// The rate that the next step would have been made with.
        lr_before: f64,
        /// The rate that it is made with.
        lr: f64,
    },
    /// A command could not be applied.
    Refused {
        /// The next step.
        step: u64,
        /// The number of steps executed, those gone back over included.
        #[serde(alias = "made")]
        steps_executed: u64,
        /// The command, `told` in logs of older versions.
        #[serde(alias = "told")]
        command: Command,
        /// Why it was not done.
        why: String,
    },
    /// The curvature of the training loss was measured; see `downhill_train::Sharpness`.
    Sharpness {
        /// The next step.
        step: u64,
        /// The largest curvature: of the preconditioned Hessian, where there is a limit by it.
        sharpness: f64,
        /// The rate of the next step.
        lr: f64,
        /// The rate from which on training is not stable, if it is known.
        limit: Option<f64>,
        /// The rate as a multiple of that limit.
        ratio: Option<f64>,
    },
    /// What the run is made with; it changes no bit of the result on machines with the same vector
    /// instructions.
    Environment(Environment),
    /// How far the last step of an epoch moved the weights, which was at the training loss's own gradient:
    /// told at the end of about two hundred epochs of a run at most, spread over it evenly.
    Norms {
        /// The number of steps made.
        step: u64,
        /// A weight tensor each.
        tensors: Vec<Norms>,
    },
    /// How weights and activations are spread: before the first step, and with the weights that are kept.
    Distributions {
        /// The number of steps that had been made when the weights were these.
        step: u64,
        /// A weight tensor each.
        weights: Vec<Distribution>,
        /// A layer with an activation each, in training mode, over some rows of the training set.
        activations: Vec<Distribution>,
    },
    /// How the validation rows are classified with the weights that are kept, if there are at most 64
    /// classes.
    Confusion {
        /// The number of steps that had been made when the weights were these.
        step: u64,
        /// The classes' labels.
        classes: Vec<String>,
        /// A row for each class, a column for each prediction.
        counts: Vec<Vec<u64>>,
    },
    /// By how much the validation rows are missed with the weights that are kept, in the target's own unit.
    Residuals {
        /// The number of steps that had been made when the weights were these.
        step: u64,
        /// Of what the target is more than its prediction.
        residuals: Distribution,
        /// Predictions and targets of up to 400 rows, spread evenly over all.
        pairs: Vec<[f64; 2]>,
    },
    /// A checkpoint was written.
    Checkpoint {
        /// The next step.
        step: u64,
        /// Its name in the folder of checkpoints.
        file: String,
    },
    /// Something a person should know.
    Note {
        /// In a sentence.
        text: String,
    },
    /// The run stopped.
    Stop {
        /// The next step there would have been.
        step: u64,
        /// The number of steps executed, those gone back over included; `made` in logs of older versions.
        #[serde(default, alias = "made")]
        steps_executed: u64,
        /// Why.
        reason: Stop,
        /// The SHA-256 of the weights it came to, where the run is kept in a folder and came to some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights_sha256: Option<String>,
    },
}

impl Event {
    /// The start of a run of so many epochs that tells nothing of rows and parameters.
    pub fn start(data: &str, steps_per_epoch: u64, epochs: u64) -> Self {
        Self::Start {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: data.into(),
            features: 0,
            classes: None,
            total_steps: steps_per_epoch.saturating_mul(epochs),
            steps_per_epoch,
            train_rows: 0,
            valid_rows: 0,
            parameters: 0,
            data_fingerprint: None,
        }
    }

    /// Whether it stands in the log of a run that is kept; the others are only shown.
    pub fn is_logged(&self) -> bool {
        !matches!(self, Self::Step { .. } | Self::Search | Self::SearchProgress { .. } | Self::Plan { .. })
    }

    /// The step that it happened in front of, if it has one.
    pub fn step(&self) -> Option<u64> {
        match self {
            Self::Start { .. }
            | Self::Search
            | Self::SearchProgress { .. }
            | Self::Rate(_)
            | Self::Environment(_)
            | Self::Note { .. } => None,
            Self::Epoch(epoch) => Some(epoch.step),
            Self::Resume { step, .. }
            | Self::Step { step, .. }
            | Self::Plan { step, .. }
            | Self::Cut { step, .. }
            | Self::Command { step, .. }
            | Self::Refused { step, .. }
            | Self::Rollback { step, .. }
            | Self::Sharpness { step, .. }
            | Self::Norms { step, .. }
            | Self::Distributions { step, .. }
            | Self::Confusion { step, .. }
            | Self::Residuals { step, .. }
            | Self::Checkpoint { step, .. }
            | Self::Stop { step, .. } => Some(*step),
        }
    }

    /// What a person should be told of it, in a sentence, if there is something.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Note { text } => Some(text.clone()),
            Self::Rate(found) => Some(found.text()),
            Self::Cut { step, scale, back_to, .. } => {
                let back = back_to
                    .map_or(String::new(), |epoch| format!(", from the weights of epoch {}", epoch + 1));
                Some(format!(
                    "Nothing got better: from step {step} on the rate is {scale:.3e} times the schedule's{back}"
                ))
            }
            Self::Rollback { step, to, scale, cause, .. } => {
                let what = match cause {
                    Cause::NotFinite => "stopped being a finite number",
                    Cause::Spike => "blew up",
                    Cause::Stuck => "has been no better than a constant prediction's since it blew up, seen",
                };
                Some(format!(
                    "The loss {what} at step {step}: back to step {to}, from which on the rate is {scale:.3e} times the \
                     schedule's"
                ))
            }
            Self::Command { step, command, lr_before, lr, .. } => {
                let change = if lr == lr_before {
                    String::new()
                } else {
                    format!("; the rate was {lr_before:.3e} and is {lr:.3e}")
                };
                Some(format!("Told at step {step}: {}{change}", command.text()))
            }
            Self::Refused { step, command, why, .. } => {
                Some(format!("Not done at step {step}: {}: {why}", command.text()))
            }
            Self::Sharpness { step, sharpness, lr, limit, ratio } => {
                let rate = match (limit, ratio) {
                    (Some(limit), Some(ratio)) => {
                        let ratio = number::ratio(*ratio);
                        format!("the rate of {lr:.3e} is {ratio} times the stability limit, {limit:.3e}")
                    }
                    _ => "no stability limit is known here".into(),
                };
                let sharpness = number::fixed(*sharpness);
                Some(format!("The sharpness is {sharpness} at step {step}: {rate}"))
            }
            _ => None,
        }
    }
}

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which one, counted from 0.
    pub epoch: u64,
    /// The number of steps made by its end.
    pub step: u64,
    /// The learning rate of its last step.
    pub lr: f64,
    /// The mean loss over its rows, each seen in training before its step.
    pub train_loss: f64,
    /// The mean loss over the validation rows at its end.
    pub valid_loss: f64,
    /// The metrics over the validation rows at its end.
    pub metrics: Metrics,
    /// Whether it is the best so far.
    pub best: bool,
    /// How long its steps took.
    pub seconds: f64,
    /// How many rows were trained on in a second.
    pub rows_per_second: f64,
}

impl Epoch {
    /// The epoch that has ended with the last step of a run, with its mean training and validation losses and
    /// the time that it took. It is the best so far if its validation loss is below all others'.
    pub fn measured(state: &RunState, losses: [f64; 2], metrics: Metrics, taken: Duration) -> Self {
        let [train_loss, valid_loss] = losses;
        let seconds = taken.as_secs_f64();
        let rows = state.size.as_ref().map_or(0, |size| size.train_rows);
        Self {
            epoch: state.epochs_ended().saturating_sub(1),
            step: state.step,
            lr: state.lr.unwrap_or(0.0),
            train_loss,
            valid_loss,
            metrics,
            best: state.best().is_none_or(|best| valid_loss < best.valid_loss),
            seconds,
            // A clock may stand still, and the log has no word for infinity.
            rows_per_second: rows as f64 / seconds.max(1e-9),
        }
    }
}

/// Why a run went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The loss was no finite number.
    NotFinite,
    /// The loss was very high.
    Spike,
    /// Having gone back before, it did not learn anything.
    Stuck,
}

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// All its epochs are done.
    Finished,
    /// The metric watched stopped getting better.
    EarlyStopping,
    /// Somebody ended it.
    Ended,
    /// Somebody asked it to stop; if it is kept in a folder, it can be resumed.
    Interrupted,
    /// The loss stopped being a number; the best epoch is kept.
    Diverged {
        /// The learning rate of the step at which it did.
        lr: f64,
    },
}
