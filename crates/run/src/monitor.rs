//! What early stopping and the plateau watch.

use serde::{Deserialize, Serialize};

use crate::{Error, Metrics};

/// A figure of the validation rows that can be watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monitor {
    /// The loss, whatever the task.
    #[default]
    Loss,
    /// Classification.
    Accuracy,
    /// Classification.
    BalancedAccuracy,
    /// Classification: the mean of the classes' F1.
    F1,
    /// Classification.
    RocAuc,
    /// Regression.
    Rmse,
    /// Regression.
    Mae,
    /// Regression.
    R2,
}

impl Monitor {
    /// Its value, if the task has it.
    pub fn of(self, loss: f64, metrics: &Metrics) -> Option<f64> {
        match (self, metrics) {
            (Self::Loss, _) => Some(loss),
            (Self::Accuracy, Metrics::Classification(metrics)) => Some(metrics.accuracy),
            (Self::BalancedAccuracy, Metrics::Classification(metrics)) => Some(metrics.balanced_accuracy),
            (Self::F1, Metrics::Classification(metrics)) => Some(metrics.macro_f1),
            (Self::RocAuc, Metrics::Classification(metrics)) => metrics.roc_auc,
            (Self::Rmse, Metrics::Regression(metrics)) => Some(metrics.rmse),
            (Self::Mae, Metrics::Regression(metrics)) => Some(metrics.mae),
            (Self::R2, Metrics::Regression(metrics)) => metrics.r2,
            (_, Metrics::Named(figures)) => figures.get(self.name()).copied(),
            _ => None,
        }
    }

    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced-accuracy",
            Self::F1 => "f1",
            Self::RocAuc => "roc-auc",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::R2 => "r2",
        }
    }

    /// Fails if there is no such figure for the task, or for these validation rows, of which `metrics` are
    /// some.
    pub fn check(self, who: &str, metrics: &Metrics) -> Result<(), Error> {
        if self.of(0.0, metrics).is_some() {
            return Ok(());
        }
        let name = self.name();
        Err(Error::Mismatch(match (self, metrics) {
            (Self::RocAuc, Metrics::Classification(_)) => format!(
                "{who} is to watch `{name}`, and the validation rows are all of one class, which have none; \
                 watch loss or accuracy, or validate on more rows"
            ),
            (Self::R2, Metrics::Regression(_)) => format!(
                "{who} is to watch `{name}`, and a single validation row has none; watch loss, rmse or mae, \
                 or validate on more rows"
            ),
            (_, Metrics::Named(figures)) => format!(
                "{who} is to watch `{name}`, which the loop does not report; it reports the loss{}",
                figures.keys().map(|name| format!(", {name}")).collect::<String>()
            ),
            (_, Metrics::Classification(_)) => format!(
                "{who} is to watch `{name}`, which is for regression, and the target is classes; watch loss, \
                 accuracy, balanced-accuracy, f1 or roc-auc"
            ),
            (_, Metrics::Regression(_)) => format!(
                "{who} is to watch `{name}`, which is for classes, and the target is a number; watch loss, \
                 rmse, mae or r2"
            ),
        }))
    }

    /// By how much a value is better than another.
    pub fn gain(self, value: f64, than: f64) -> f64 {
        match self {
            Self::Loss | Self::Rmse | Self::Mae => than - value,
            Self::Accuracy | Self::BalancedAccuracy | Self::F1 | Self::RocAuc | Self::R2 => value - than,
        }
    }
}
