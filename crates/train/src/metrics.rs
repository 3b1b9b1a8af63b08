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
    #[serde(alias = "precision")]
    pub macro_precision: f64,
    /// The mean of the classes' recalls.
    #[serde(alias = "recall")]
    pub macro_recall: f64,
    /// The mean of the classes' F1.
    #[serde(alias = "f1")]
    pub macro_f1: f64,
    /// The area under the ROC curve, one class against the rest; none where a single class occurs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    /// Of two classes, the figures of the positive one, which is the second; left out of logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<ClassMetrics>,
    /// The figures of each class; left out of logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_class: Option<Vec<ClassMetrics>>,
    /// A row for each class, a column for each prediction; left out of logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
}

/// How well one class is predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Its name; its number, where it has none.
    pub class: String,
    /// The share of the rows predicted to be of the class that are; 0 if there are none.
    pub precision: f64,
    /// The share of the rows of the class that are predicted to be; 0 if there are none.
    pub recall: f64,
    /// 2·precision·recall/(precision + recall); 0 if both are.
    pub f1: f64,
    /// The number of rows that are of the class.
    pub support: u64,
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
    /// `scale`, its standard deviation. If `whole`, the confusion matrix and the figures of each class are there too.
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
        let matrix = if whole { Some(ConfusionMatrix::of(outputs, width, classes)?) } else { None };
        let by_class = matrix.as_ref().map(ClassMetrics::of_all);
        Ok(Self::Classification(Classification {
            accuracy: figure(Metric::Accuracy(metric::Accuracy {}))?,
            top_3_accuracy: top_3,
            balanced_accuracy: figure(Metric::BalancedAccuracy(metric::BalancedAccuracy {}))?,
            macro_precision: figure(Metric::Precision(metric::Precision {}))?,
            macro_recall: figure(Metric::Recall(metric::Recall {}))?,
            macro_f1: figure(Metric::F1(metric::F1 {}))?,
            roc_auc: finite(figure(Metric::RocAuc(metric::RocAuc {}))?),
            positive: by_class.as_ref().filter(|all| all.len() == 2).map(|all| all[1].clone()),
            by_class,
            confusion: matrix.as_ref().map(counts),
        }))
    }

    /// Calls the classes by their names.
    pub(crate) fn name_classes(&mut self, names: &[String]) {
        let Self::Classification(metrics) = self else { return };
        let positive = metrics.positive.iter_mut().zip(names.get(1));
        let all = metrics.by_class.iter_mut().flatten().zip(names);
        all.chain(positive).for_each(|(metrics, name)| metrics.class.clone_from(name));
    }

    /// The one figure to judge by, as scikit-learn's `score`: accuracy, or R² (not a number where there is none).
    pub fn score(&self) -> f64 {
        match self {
            Self::Classification(metrics) => metrics.accuracy,
            Self::Regression(metrics) => metrics.r2.unwrap_or(f64::NAN),
        }
    }
}

impl ClassMetrics {
    /// The figures of each class of a confusion matrix.
    fn of_all(matrix: &ConfusionMatrix) -> Vec<Self> {
        let of = |class: u32| Self {
            class: class.to_string(),
            precision: matrix.precision(class),
            recall: matrix.recall(class),
            f1: matrix.f1(class),
            support: matrix.rows_of(class),
        };
        (0..matrix.classes() as u32).map(of).collect()
    }

    /// The figures of each of these classes, from a row of counts for each, a column for each prediction.
    pub fn of_counts(classes: &[String], counts: &[Vec<u64>]) -> Vec<Self> {
        let mut matrix = ConfusionMatrix::new(classes.len());
        for (class, row) in counts.iter().enumerate() {
            for (predicted, &count) in row.iter().enumerate() {
                matrix.add_many(class as u32, predicted as u32, count);
            }
        }
        let mut all = Self::of_all(&matrix);
        all.iter_mut().zip(classes).for_each(|(metrics, name)| metrics.class.clone_from(name));
        all
    }
}

/// A row for each class, a column for each prediction.
fn counts(matrix: &ConfusionMatrix) -> Vec<Vec<u64>> {
    let classes = 0..matrix.classes() as u32;
    let row = |class| classes.clone().map(|predicted| matrix.count(class, predicted)).collect();
    classes.clone().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_the_positive_class_are_not_the_means() {
        // Logits of no and yes: of 3 rows that are yes one is found, and of 2 that are no one is taken for yes.
        let outputs = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let targets = Targets::Classes(&[1, 1, 1, 0, 0]);
        let mut metrics = Metrics::of(&outputs, 2, targets, 1.0, true).unwrap();
        metrics.name_classes(&["no".into(), "yes".into()]);
        let Metrics::Classification(metrics) = metrics else { panic!() };
        let yes = metrics.positive.unwrap();
        assert_eq!((yes.class.as_str(), yes.support), ("yes", 3));
        assert_eq!((yes.precision, yes.f1), (0.5, 0.4));
        assert!((yes.recall - 1.0 / 3.0).abs() < 1e-12);
        let all = metrics.by_class.unwrap();
        assert_eq!(all[1], yes);
        assert!((metrics.macro_f1 - (all[0].f1 + all[1].f1) / 2.0).abs() < 1e-12);
        assert_eq!(ClassMetrics::of_counts(&["no".into(), "yes".into()], &metrics.confusion.unwrap()), all);
    }

    #[test]
    fn figures_that_older_versions_logged_are_the_means() {
        let old = r#"{"accuracy":0.9,"balanced_accuracy":0.8,"precision":0.7,"recall":0.8,"f1":0.6}"#;
        let Metrics::Classification(old) = serde_json::from_str(old).unwrap() else { panic!() };
        assert_eq!([old.macro_precision, old.macro_recall, old.macro_f1], [0.7, 0.8, 0.6]);
        assert_eq!(old.positive, None);
    }
}
