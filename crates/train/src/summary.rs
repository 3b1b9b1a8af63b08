//! What a run came to, in one object.

use downhill_data::Task;
use serde::{Deserialize, Serialize};

use crate::Metrics;

/// What a run came to: what `downhill train --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its folder, if it has one.
    pub run: Option<String>,
    /// The name of the data.
    pub dataset: String,
    /// Classes or a number.
    pub task: Task,
    /// All rows.
    pub rows: usize,
    /// Those trained on.
    pub train_rows: usize,
    /// Those measured on.
    pub valid_rows: usize,
    /// The inputs of the network.
    pub features: usize,
    /// The number of classes; none in regression.
    pub classes: Option<usize>,
    /// The number of trained parameters.
    pub parameters: usize,
    /// The update rule, every setting written out.
    pub optimizer: String,
    /// The learning-rate schedule, every setting written out.
    pub schedule: String,
    /// The seed.
    pub seed: u64,
    /// The number of threads; it changes no bit of the result.
    pub threads: usize,
    /// The rows of a step.
    pub batch: usize,
    /// The number of epochs made.
    pub epochs: u64,
    /// The epoch whose weights are kept, counted from 1; none if they are of the middle of one.
    pub best_epoch: Option<u64>,
    /// Whether it stopped before its last epoch because the metric watched got no better.
    pub stopped_early: bool,
    /// Why it stopped: `finished`, `early-stopping`, `interrupted`, `diverged`.
    pub stop: String,
    /// The mean loss over the training rows in the kept epoch, each row seen in training before its step.
    pub train_loss: Option<f64>,
    /// The mean loss over the validation rows with the kept weights.
    pub valid_loss: f64,
    /// The metrics over the validation rows with the kept weights.
    pub metrics: Metrics,
    /// How long the steps of training took, without measuring and saving.
    pub seconds: f64,
    /// How many rows were trained on in a second, over the epochs that have ended.
    pub rows_per_second: Option<f64>,
    /// SHA-256 over the kept weights and statistics.
    pub weights_sha256: String,
}
