//! What happens in a study.

use serde::{Deserialize, Serialize};

use crate::Settings;

/// What happens in a study: a line of its `trials.jsonl`. Jobs, trials and slots are counted from 0.
///
/// The log is append-only. Everything but a `result` comes in logical order, and is the same however many
/// workers there are; results come as they come in, and name their slot, which is their place in that order.
/// `halt` and `budget` are there if the study was stopped and went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A trial begins.
    Start {
        /// The place of the job in the logical order.
        slot: u64,
        /// Its number.
        trial: u64,
        /// What is tried.
        settings: Settings,
        /// The epoch at which it will be judged.
        until: u64,
        /// Why it is these settings.
        reason: String,
    },
    /// A trial that was paused goes on.
    Promote {
        /// The place of the job in the logical order.
        slot: u64,
        /// Its number.
        trial: u64,
        /// The epochs that it has made.
        from: u64,
        /// The epoch at which it will be judged next.
        until: u64,
        /// Why it goes on.
        reason: String,
    },
    /// Nothing can be begun before more results are seen, or the budget is spent.
    Wait {
        /// The place in the logical order.
        slot: u64,
    },
    /// A job has come to its end.
    Result {
        /// Its place in the logical order.
        slot: u64,
        /// The trial.
        trial: u64,
        /// How many epochs the trial has made.
        epochs: u64,
        /// The value of what it keeps; none if that is no finite number.
        value: Option<f64>,
        /// Whether it is over, even if it could have made more epochs.
        done: bool,
        /// How long the job took, which is no part of what the study is a function of.
        seconds: f64,
        /// What a person should know of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A trial is paused.
    Pause {
        /// Its number.
        trial: u64,
        /// How many epochs it has made.
        epochs: u64,
        /// Why.
        reason: String,
    },
    /// A trial is stopped for good.
    Stop {
        /// Its number.
        trial: u64,
        /// How many epochs it has made.
        epochs: u64,
        /// Why.
        reason: String,
    },
    /// A trial is over.
    Complete {
        /// Its number.
        trial: u64,
        /// How many epochs it has made.
        epochs: u64,
        /// In words.
        reason: String,
    },
    /// A trial came to no value.
    Fail {
        /// Its number.
        trial: u64,
        /// Why.
        reason: String,
    },
    /// Whoever leads the study has stopped it; who else works on it stops too.
    Halt {
        /// Why.
        reason: String,
    },
    /// The study goes on, perhaps with another budget than before.
    Budget {
        /// The number of trials, if it is limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trials: Option<u64>,
        /// The number of epochs of all trials together, if it is limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epochs_total: Option<u64>,
        /// Seconds, if they are limited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
    },
}
