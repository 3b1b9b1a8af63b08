//! The training loop of Downhill: events, run folders, checkpoints, early stopping.
//!
//! A run is a function of its configuration, its data and its events. One loop makes the steps and one stream of
//! [`Event`]s tells of them; logs, progress bars and reports are views of that stream.

#![forbid(unsafe_code)]

mod archive;
mod batches;
mod branch;
mod checkpoint;
mod command;
mod comparison;
mod config;
pub mod control;
mod diagnosis;
pub mod durable;
mod early_stopping;
mod engine;
mod environment;
mod error;
mod event;
pub mod file;
mod finder;
mod folder;
mod guard;
mod lanczos;
mod layers;
pub mod log;
mod metrics;
mod momentum;
mod monitor;
mod number;
mod older;
mod overview;
pub mod path_text;
mod plateau;
mod predictor;
mod propagation;
mod replay;
mod run;
mod sharpness;
mod source;
mod spelled;
mod steering;
mod summary;
mod toml_error;
mod track;
mod trainer;
mod verdict;

pub use branch::{BranchPoint, Parent};
pub use command::{Command, RateChange};
pub use comparison::{BlowUp, Compared, Contender, Course, Shelf, compare, is_by_loss, ranking};
pub use config::{ClassWeights, Config, Network, USUAL_EMA, usual_rate, usual_schedule};
pub use diagnosis::{Branch, Diagnosis, Finding, Fork, Tried, Trouble, diagnose, diagnose_run};
pub use early_stopping::{EarlyStopping, Keep, Patience};
pub use engine::{Engine, EngineState};
pub use environment::Environment;
pub use error::Error;
pub use event::{Cause, Epoch, Event, Stop};
pub use finder::{Choice, FoundRate, Point};
pub use folder::{RunConfig, RunFolder};
pub use guard::{Guard, Rollbacks};
pub use layers::{Distribution, Norms};
pub use metrics::{ClassMetrics, Classification, Metrics, Regression};
pub use monitor::Monitor;
pub use number::fixed;
pub use overview::{Overview, State};
pub use plateau::{Cut, Plateau, ThresholdMode};
pub use predictor::{Evaluation, Predictions, Predictor};
pub use propagation::{Bins, LayerSignals, Propagation, Setup, Verdict};
pub use replay::{Difference, Replayed};
pub use run::{Best, Progress, Run, Snapshot, StepOutcome, StepRates, View};
pub use sharpness::{Sharpness, stability_limit};
pub use source::{Source, Validation, fingerprint};
pub use steering::Steering;
pub use summary::Summary;
pub use track::{Track, Tracked};
pub use trainer::{Trained, Trainer};
pub use verdict::{Attempt, CLEAR, CLOSE, NEGLIGIBLE, RateVerdict, rate_verdicts};
