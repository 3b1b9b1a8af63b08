//! How good predictions are, in figures.

use downhill_nn::metric::{self, ConfusionMatrix, Metric};
use downhill_nn::{Error, Targets};
use serde::{Deserialize, Serialize};

/// The figures of some rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metrics {
    /// Of predicted classes.
    Classification(Classification),
    /// Of predicted numbers.
    Regression(Regression),
}

/// How good predicted classes are. All are shares, 1 being perfect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// Of rows whose class is predicted.
    pub accuracy: f64,
    /// Of rows whose class is among the three likeliest, where there are more than three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_3_accuracy: Option<f64>,
    /// The mean of the classes' recalls.
    pub balanced_accuracy: f64,
    /// The mean of the classes' precisions.
    pub precision: f64,
    /// The mean of the classes' recalls.
    pub recall: f64,
    /// The mean of the classes' F1.
    pub f1: f64,
    /// The area under the ROC curve, one class against the rest; none where a single class occurs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    /// A row for each class, a column for each prediction; left out of logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
}

/// How good predicted numbers are, in the target's own unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// The root of the mean squared error.
    pub rmse: f64,
    /// The mean absolute error.
    pub mae: f64,
    /// The share of the variance that is explained; none for a single row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

impl Metrics {
    /// The metrics of a network's outputs, `width` a row. A standardised target is measured in its own unit by
    /// `scale`, its standard deviation. The confusion matrix is counted if `whole`.
    pub(crate) fn of(
        outputs: &[f32],
        width: usize,
        targets: Targets<'_, f32>,
        scale: f64,
        whole: bool,
    ) -> Result<Self, Error> {
        let figure = |metric: Metric| metric.compute(outputs, width, targets);
        let finite = |value: f64| value.is_finite().then_some(value);
        let Targets::Classes(classes) = targets else {
            return Ok(Self::Regression(Regression {
                rmse: scale * figure(Metric::Rmse(metric::Rmse {}))?,
                mae: scale * figure(Metric::Mae(metric::Mae {}))?,
                r2: finite(figure(Metric::R2(metric::R2 {}))?),
            }));
        };
        let top_3 = if width > 3 { Some(figure(Metric::TopK(metric::TopK { k: 3 }))?) } else { None };
        let confusion = |matrix: ConfusionMatrix| {
            let classes = 0..matrix.classes() as u32;
            classes
                .clone()
                .map(|class| classes.clone().map(|other| matrix.count(class, other)).collect())
                .collect()
        };
        Ok(Self::Classification(Classification {
            accuracy: figure(Metric::Accuracy(metric::Accuracy {}))?,
            top_3_accuracy: top_3,
            balanced_accuracy: figure(Metric::BalancedAccuracy(metric::BalancedAccuracy {}))?,
            precision: figure(Metric::Precision(metric::Precision {}))?,
            recall: figure(Metric::Recall(metric::Recall {}))?,
            f1: figure(Metric::F1(metric::F1 {}))?,
            roc_auc: finite(figure(Metric::RocAuc(metric::RocAuc {}))?),
            confusion: if whole {
                Some(confusion(ConfusionMatrix::of(outputs, width, classes)?))
            } else {
                None
            },
        }))
    }

    /// The one figure to judge by, as scikit-learn's `score`: accuracy, or R² (not a number where there is none).
    pub fn score(&self) -> f64 {
        match self {
            Self::Classification(metrics) => metrics.accuracy,
            Self::Regression(metrics) => metrics.r2.unwrap_or(f64::NAN),
        }
    }
}
