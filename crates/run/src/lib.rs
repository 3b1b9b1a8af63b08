#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod channels;
mod command;
mod command_replay;
pub mod control;
pub mod durable;
mod early_stopping;
mod environment;
mod error;
mod event;
mod explanation;
pub mod file;
mod folder;
mod found_rate;
mod guard;
mod layers;
mod lines;
pub mod log;
mod metrics;
mod monitor;
mod number;
mod older;
mod overview;
pub mod path_text;
mod plateau;
pub mod rehearsal;
mod settings;
mod state;
mod steering;
mod toml_error;
mod verdict;

pub use channels::{Channels, View};
pub use command::{Command, RateChange};
pub use command_replay::{CommandReplay, executed_at};
pub use early_stopping::{EarlyStopping, Keep, Patience};
pub use environment::Environment;
pub use error::{Error, reason};
pub use event::{Cause, Epoch, Event, Stop};
pub use explanation::{Dependence, DependencePoint, Explanation, Importance, WorstRow};
pub use folder::{RunFolder, checkpoint_name, is_name, step_of};
pub use found_rate::{Choice, FoundRate, Point};
pub use guard::{EpochOutcome, Guard, Look, Rollbacks};
pub use layers::{Bins, Distribution, Norms, moments, range};
pub use lines::{Lines, Opened};
pub use metrics::{ClassMetrics, Classification, Metrics, Regression};
pub use monitor::Monitor;
pub use number::{fixed, ratio, two_digits};
pub use older::{RESTORE, upgraded};
pub use overview::{Overview, State};
pub use plateau::{Cut, Plateau, ThresholdMode, Watch};
pub use settings::{Settings, data_name};
pub use state::{Phase, RunState, Size};
pub use steering::Steering;
pub use toml_error::explain;
pub use verdict::{
    Attempt, CLEAR, CLOSE, NEGLIGIBLE, RateVerdict, Verdict, distance, has_grown, rate_verdicts,
};
