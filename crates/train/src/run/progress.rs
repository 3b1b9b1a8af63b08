//! Where a run is, besides its weights.

use downhill_nn::Model;
use downhill_run::Watch;
use serde::{Deserialize, Serialize};

use crate::engine::{EngineState, Training};
use crate::{Epoch, Steering};

/// Where a run is, besides its weights. Steps and epochs are counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The next step.
    pub step: u64,
    /// The number of steps executed, those gone back over included; going back counts as one more.
    #[serde(alias = "made")]
    pub steps_executed: u64,
    /// How many commands the run has applied.
    pub commands: u64,
    /// How many epochs the run has, if a command has changed it.
    pub epochs: Option<u64>,
    /// Whether a command has ended it.
    pub ended: bool,
    /// The losses of the epoch under way, summed over its rows.
    pub loss_sum: f64,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Epochs since then.
    pub waited: u64,
    /// What was done to the rate.
    pub steering: Steering,
    /// What the plateau has seen.
    pub(crate) watch: Watch,
    /// How often the run has gone back since an epoch last ended well.
    pub rollbacks: u64,
    /// How long the steps of the epochs that have ended took.
    pub seconds: f64,
    /// How long the steps of the epoch under way took so far.
    pub epoch_seconds: f64,
    /// How many rows were trained on in the epochs that have ended.
    pub rows: u64,
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// What it was measured by.
    pub score: f64,
    /// What it came to.
    pub epoch: Epoch,
}

/// A place that a run can go on from: where it was, and all that its next step is a function of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrainingState {
    pub progress: Progress,
    pub engine: EngineState,
}

/// Weights that were measured, with the statistics of batch normalisation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub params: Vec<f32>,
    pub statistics: Vec<f32>,
    /// What it takes to train on from there, where that is wanted.
    pub training: Option<Training>,
}

impl Weights {
    /// Those of a model.
    pub fn of(model: &Model<f32>) -> Self {
        Self { params: model.params().to_vec(), statistics: model.statistics().to_vec(), training: None }
    }

    /// Takes those of a model.
    pub fn take(&mut self, model: &Model<f32>) {
        self.params.copy_from_slice(model.params());
        self.statistics.copy_from_slice(model.statistics());
    }

    /// Gives them to a model.
    pub fn put(&self, model: &mut Model<f32>) {
        model.params_mut().copy_from_slice(&self.params);
        model.statistics_mut().copy_from_slice(&self.statistics);
    }
}

/// The whole state of a run, as [`Run::snapshot`](super::Run::snapshot) takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub(crate) now: TrainingState,
    pub(crate) best: Option<Weights>,
    pub(crate) best_outputs: Option<Vec<f32>>,
    pub(crate) last: Option<Epoch>,
    pub(crate) rollback_point: Option<TrainingState>,
}

impl Snapshot {
    /// Where the run was.
    pub fn state(&self) -> &Progress {
        &self.now.progress
    }

    /// The weights that trained then, in the order of the network's layout.
    pub fn weights(&self) -> &[f32] {
        &self.now.engine.training.params
    }
}
