//! What a run came to, in one object.

use downhill_data::Task;
use serde::{Deserialize, Serialize};

use crate::{Metrics, fixed};

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
    /// What each of several networks came to; none of one. The loss and the metrics above are then those of
    /// their average, or, in cross-validation, those over all rows that were validated on, each predicted by
    /// the network that was trained without it. So are the other figures of all: the parameters of all
    /// networks, the most epochs, the mean training loss; no epoch is the best of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<EnsembleSummary>,
}

/// What each of several networks came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnsembleSummary {
    /// Whether they are the folds of a cross-validation; if not, all have the same rows.
    pub folds: bool,
    /// The mean of their validation losses.
    pub mean_valid_loss: f64,
    /// Its standard error.
    pub valid_loss_error: f64,
    /// The mean of their scores: accuracy, or R²; none if one of them has none.
    pub mean_score: Option<f64>,
    /// Its standard error.
    pub score_error: Option<f64>,
    /// Each of them.
    pub networks: Vec<NetworkSummary>,
}

/// What one of several networks came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkSummary {
    /// Its seed.
    pub seed: u64,
    /// The number of epochs made.
    pub epochs: u64,
    /// The epoch whose weights are kept, counted from 1; none if they are of the middle of one.
    pub best_epoch: Option<u64>,
    /// Why it stopped.
    pub stop: String,
    /// The number of rows that it is validated on.
    pub valid_rows: usize,
    /// The mean loss over them.
    pub valid_loss: f64,
    /// The metrics over them.
    pub metrics: Metrics,
    /// SHA-256 over its kept weights and statistics.
    pub weights_sha256: String,
}

impl EnsembleSummary {
    pub(crate) fn of(folds: bool, all: &[&Summary]) -> Self {
        let losses: Vec<f64> = all.iter().map(|summary| summary.valid_loss).collect();
        let scores: Vec<f64> = all.iter().map(|summary| summary.metrics.score()).collect();
        let (loss, score) = (MeanError::of(&losses), MeanError::of(&scores));
        let finite = |value: f64| value.is_finite().then_some(value);
        let network = |summary: &&Summary| NetworkSummary {
            seed: summary.seed,
            epochs: summary.epochs,
            best_epoch: summary.best_epoch,
            stop: summary.stop.clone(),
            valid_rows: summary.valid_rows,
            valid_loss: summary.valid_loss,
            metrics: summary.metrics.clone(),
            weights_sha256: summary.weights_sha256.clone(),
        };
        Self {
            folds,
            mean_valid_loss: loss.mean,
            valid_loss_error: loss.standard_error,
            mean_score: finite(score.mean),
            score_error: finite(score.standard_error),
            networks: all.iter().map(network).collect(),
        }
    }
}

impl EnsembleSummary {
    /// The means with their standard errors, for people.
    pub fn text(&self) -> String {
        let score = match (
            self.networks.first().map(|network| &network.metrics),
            self.mean_score,
            self.score_error,
        ) {
            (Some(Metrics::Classification(_)), Some(mean), Some(error)) => {
                format!(", accuracy {:.1}% ± {:.1}%", 100.0 * mean, 100.0 * error)
            }
            (Some(Metrics::Regression(_)), Some(mean), Some(error)) => format!(", R² {mean:.3} ± {error:.3}"),
            _ => String::new(),
        };
        let of = match self.folds {
            true => format!("over {} folds", self.networks.len()),
            false => format!("of {} networks, each alone", self.networks.len()),
        };
        let (loss, error) = (fixed(self.mean_valid_loss), fixed(self.valid_loss_error));
        format!("validation loss {loss} ± {error}{score} (mean ± standard error {of})")
    }
}

/// A mean with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanError {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, with n − 1, over √n. That of one value is not known, and no number.
    pub standard_error: f64,
}

impl MeanError {
    /// Of some values, as of the folds of a cross-validation.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, standard_error: (squares / (n - 1.0) / n).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_error_is_that_of_the_textbook() {
        // Of 2, 4, 4, 4, 5, 5, 7, 9 the mean is 5 and the sum of squares 32: √(32/7)/√8.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let MeanError { mean, standard_error } = MeanError::of(&values);
        assert_eq!(mean, 5.0);
        assert!((standard_error - (32.0f64 / 7.0 / 8.0).sqrt()).abs() < 1e-15);
        assert!(MeanError::of(&[1.0]).standard_error.is_nan());
    }
}
