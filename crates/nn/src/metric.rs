//! Metrics: what is reported of a model's outputs.
//!
//! Each is one file, and one line in [`Metric`]. All are computed in `f64`.

mod accuracy;
mod balanced_accuracy;
mod confidence;
mod confusion_matrix;
mod f1;
mod mae;
mod precision;
mod r2;
mod recall;
mod rmse;
mod roc_auc;
mod thresholds;
mod top_k;

pub use accuracy::Accuracy;
pub use balanced_accuracy::BalancedAccuracy;
pub use confidence::{Bin, Confidence};
pub use confusion_matrix::ConfusionMatrix;
pub use f1::F1;
pub use mae::Mae;
pub use precision::Precision;
pub use r2::R2;
pub use recall::Recall;
pub use rmse::Rmse;
pub use roc_auc::RocAuc;
pub use thresholds::{Threshold, Thresholds};
pub use top_k::TopK;

use crate::error::Error;
use crate::targets::Targets;
use downhill_core::spec::spelled;
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};

/// What is reported of a model's outputs.
///
/// The metrics of classes take rows of logits, as [`predict`](crate::Workspace::predict) gives them: the
/// class predicted is that of the largest, the first of several; with a single output, a logit of yes and no,
/// it is 1 if that is above 0, otherwise 0. A metric that the rows do not define, such as the ROC AUC of a
/// single class, is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Metric {
    /// The share of rows whose class is predicted.
    Accuracy(Accuracy),
    /// The share of rows whose class is among the k likeliest.
    TopK(TopK),
    /// The mean over the classes of the share of its rows whose class is predicted.
    BalancedAccuracy(BalancedAccuracy),
    /// The mean over the classes of the share of rows predicted so that are so.
    Precision(Precision),
    /// The mean over the classes of the share of rows that are so that are predicted so.
    Recall(Recall),
    /// The mean over the classes of the harmonic mean of precision and recall.
    F1(F1),
    /// The probability that a row of the class gets a higher score than one of another.
    RocAuc(RocAuc),
    /// The root of the mean squared error.
    Rmse(Rmse),
    /// The mean absolute error.
    Mae(Mae),
    /// The share of the targets' variance that is explained.
    R2(R2),
}
spelled!(Metric, "a metric");

/// Rows of outputs and their classes.
#[derive(Clone, Copy)]
pub(crate) struct Classified<'a, F> {
    pub outputs: &'a [F],
    /// Outputs a row.
    pub width: usize,
    pub classes: &'a [u32],
}

impl<F: Float> Classified<'_, F> {
    /// The number of classes.
    pub fn count(&self) -> usize {
        self.width.max(2)
    }

    /// The class predicted for each row.
    pub fn predicted(&self) -> impl Iterator<Item = u32> {
        self.outputs.chunks_exact(self.width).map(predicted)
    }

    pub fn confusion(&self) -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::new(self.count());
        self.predicted().zip(self.classes).for_each(|(predicted, &class)| matrix.add(class, predicted));
        matrix
    }
}

/// The class that one row of outputs predicts.
fn predicted<F: Float>(row: &[F]) -> u32 {
    if let [logit] = row {
        return u32::from(*logit > F::zero());
    }
    let mut best = 0;
    for (k, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = k;
        }
    }
    best as u32
}

/// Rows of outputs and the values they should have.
#[derive(Clone, Copy)]
pub(crate) struct Fitted<'a, F> {
    pub outputs: &'a [F],
    /// Outputs a row.
    pub width: usize,
    pub values: &'a [F],
}

impl<F: Float> Fitted<'_, F> {
    /// The mean over the columns of something computed of each one's outputs and values.
    pub fn mean_of_columns(&self, of: impl Fn(&mut dyn Iterator<Item = (f64, f64)>) -> f64) -> f64 {
        let columns = (0..self.width).map(|column| {
            let outputs = self.outputs.iter().skip(column).step_by(self.width);
            let values = self.values.iter().skip(column).step_by(self.width);
            of(&mut outputs.zip(values).map(|(o, v)| (o.f64(), v.f64())))
        });
        columns.sum::<f64>() / self.width as f64
    }
}

impl Metric {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::TopK(metric) => metric.check(),
            _ => Ok(()),
        }
    }

    /// The metric of rows of `width` outputs each.
    ///
    /// # Errors
    ///
    /// If there are no rows, the lengths do not fit, a class does not exist, or the targets are not of the
    /// metric's kind: classes for those of classification, values for those of regression.
    pub fn compute<F: Float>(
        &self,
        outputs: &[F],
        width: usize,
        targets: Targets<'_, F>,
    ) -> Result<f64, Error> {
        let rows = match targets {
            Targets::Classes(classes) => classes.len(),
            Targets::Values(values) => values.len() / width.max(1),
        };
        let fits = match targets {
            Targets::Classes(classes) => Some(outputs.len()) == classes.len().checked_mul(width),
            Targets::Values(values) => values.len() == outputs.len() && values.len() == rows * width,
        };
        if width == 0 || rows == 0 || !fits {
            let (outputs, targets) = (outputs.len(), targets.len());
            let reason = format!("{outputs} outputs and {targets} targets are not rows of {width} outputs");
            return Err(Error::Data(reason));
        }
        match targets {
            Targets::Classes(classes) => {
                let rows = Classified { outputs, width, classes };
                if let Some(class) = classes.iter().find(|&&class| class as usize >= rows.count()) {
                    let count = rows.count();
                    return Err(Error::Data(format!("class {class} does not exist: there are {count}")));
                }
                match self {
                    Self::Accuracy(metric) => Ok(metric.compute(rows)),
                    Self::TopK(metric) => Ok(metric.compute(rows)),
                    Self::BalancedAccuracy(metric) => Ok(metric.compute(rows)),
                    Self::Precision(metric) => Ok(metric.compute(rows)),
                    Self::Recall(metric) => Ok(metric.compute(rows)),
                    Self::F1(metric) => Ok(metric.compute(rows)),
                    Self::RocAuc(metric) => Ok(metric.compute(rows)),
                    Self::Rmse(_) | Self::Mae(_) | Self::R2(_) => {
                        Err(Error::Data(format!("{self} needs values as targets, not classes")))
                    }
                }
            }
            Targets::Values(values) => {
                let rows = Fitted { outputs, width, values };
                match self {
                    Self::Rmse(metric) => Ok(metric.compute(rows)),
                    Self::Mae(metric) => Ok(metric.compute(rows)),
                    Self::R2(metric) => Ok(metric.compute(rows)),
                    _ => Err(Error::Data(format!("{self} needs classes as targets, not values"))),
                }
            }
        }
    }
}
