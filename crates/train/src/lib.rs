#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod archive;
mod batches;
mod branch;
mod checkpoint;
mod comparison;
mod config;
mod diagnosis;
mod engine;
mod ensemble;
mod error;
mod finder;
mod lanczos;
mod layers;
mod metrics;
mod momentum;
mod older;
mod predictor;
mod propagation;
mod replay;
mod run;
mod run_config;
mod sharpness;
mod source;
mod spelled;
mod summary;
mod tables;
mod track;
mod trainer;

pub use branch::BranchPoint;
pub use comparison::{
    BlowUp, Compared, Contender, Course, Shelf, compare, compare_until, is_by_loss, ranking,
};
pub use config::{ClassWeights, Config, Network, USUAL_EMA, usual_rate, usual_schedule};
pub use diagnosis::{
    Branch, Diagnosis, Finding, Fork, Setting, Suggestion, Tried, Trouble, diagnose, diagnose_run,
};
pub use downhill_run::{
    Attempt, Bins, CLEAR, CLOSE, Cause, Choice, ClassMetrics, Classification, Command, Cut, Distribution,
    EarlyStopping, Environment, Epoch, Event, FoundRate, Guard, Keep, Metrics, Monitor, NEGLIGIBLE, Norms,
    Overview, Patience, Plateau, Point, RateChange, RateVerdict, Regression, Rollbacks, RunFolder, State,
    Steering, Stop, ThresholdMode, Verdict, View, control, durable, file, fixed, log, path_text,
    rate_verdicts,
};
pub use engine::{Engine, EngineState};
pub use ensemble::Ensemble;
pub use error::{Error, OfTask};
pub use predictor::{
    Assessment, Coverage, Evaluation, ExplainOptions, Member, Predictions, Predictor, Truth,
};
pub use propagation::{LayerSignals, Propagation, Setup};
pub use replay::{Difference, Replayed};
pub use run::{Best, Progress, Run, Snapshot, StepOutcome, StepRates};
pub use run_config::{Parent, RunConfig};
pub use sharpness::{Sharpness, stability_limit};
pub use source::{Fold, Source, Validation, fingerprint};
pub use summary::{EnsembleSummary, MeanError, NetworkSummary, Summary};
pub use track::{Track, Tracked};
pub use trainer::{Trained, Trainer};
