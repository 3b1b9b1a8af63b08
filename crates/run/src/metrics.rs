//! How good predictions are, in figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The figures of some rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Metrics {
    /// Of predicted classes.
    Classification(Classification),
    /// Of predicted numbers.
    Regression(Regression),
    /// What a loop that is not Downhill's reports of itself, by the names that it has for it; may be none.
    Named(BTreeMap<String, f64>),
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
    /// Calls the classes by their names.
    pub fn name_classes(&mut self, names: &[String]) {
        let Self::Classification(metrics) = self else { return };
        let positive = metrics.positive.iter_mut().zip(names.get(1));
        let all = metrics.by_class.iter_mut().flatten().zip(names);
        all.chain(positive).for_each(|(metrics, name)| metrics.class.clone_from(name));
    }

    /// The one figure to judge by, as scikit-learn's `score`: accuracy, or R² (not a number where there is
    /// none).
    pub fn score(&self) -> f64 {
        match self {
            Self::Classification(metrics) => metrics.accuracy,
            Self::Regression(metrics) => metrics.r2.unwrap_or(f64::NAN),
            Self::Named(_) => self.headline().map_or(f64::NAN, |(_, figure)| figure),
        }
    }

    /// The one figure to follow a run by, with its name, as a key of data: `accuracy`; `r2`, or `rmse` where
    /// there is no R²; of those that are named, accuracy or else the first. None if it is no finite number.
    pub fn headline(&self) -> Option<(&str, f64)> {
        let found = match self {
            Self::Classification(metrics) => ("accuracy", metrics.accuracy),
            Self::Regression(metrics) => metrics.r2.map_or(("rmse", metrics.rmse), |r2| ("r2", r2)),
            Self::Named(figures) => {
                let named = figures.get_key_value("accuracy").or_else(|| figures.first_key_value());
                named.map(|(name, &figure)| (name.as_str(), figure))?
            }
        };
        found.1.is_finite().then_some(found)
    }
}

impl ClassMetrics {
    /// The figures of each of these classes, from a row of counts for each, a column for each prediction.
    /// Counts of what is not among the classes do not count.
    pub fn of_counts(classes: &[String], counts: &[Vec<u64>]) -> Vec<Self> {
        let count = |class: usize, predicted: usize| {
            counts.get(class).and_then(|row| row.get(predicted)).copied().unwrap_or(0)
        };
        let sum = |of: &dyn Fn(usize) -> u64| (0..classes.len()).map(of).fold(0, u64::saturating_add);
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let of = |(class, name): (usize, &String)| {
            let right = count(class, class);
            let (rows, predicted) = (sum(&|other| count(class, other)), sum(&|other| count(other, class)));
            Self {
                class: name.clone(),
                precision: share(right, predicted),
                recall: share(right, rows),
                f1: share(right.saturating_mul(2), predicted.saturating_add(rows)),
                support: rows,
            }
        };
        classes.iter().enumerate().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_older_versions_logged_are_the_means() {
        let old = r#"{"accuracy":0.9,"balanced_accuracy":0.8,"precision":0.7,"recall":0.8,"f1":0.6}"#;
        let Metrics::Classification(old) = serde_json::from_str(old).unwrap() else { panic!() };
        assert_eq!([old.macro_precision, old.macro_recall, old.macro_f1], [0.7, 0.8, 0.6]);
        assert_eq!(old.positive, None);
    }

    #[test]
    fn figures_of_a_loop_of_ones_own_are_read_back() {
        for text in [r#"{"bleu":0.25,"perplexity":12.5}"#, "{}"] {
            let named: Metrics = serde_json::from_str(text).unwrap();
            assert!(matches!(named, Metrics::Named(_)));
            assert_eq!(serde_json::to_string(&named).unwrap(), text);
        }
        let headline = |text: &str| {
            let named: Metrics = serde_json::from_str(text).unwrap();
            named.headline().map(|(name, figure)| (name.to_string(), figure))
        };
        assert_eq!(headline(r#"{"aaa":1.0,"accuracy":0.5}"#), Some(("accuracy".into(), 0.5)));
        assert_eq!(headline(r#"{"bleu":0.25}"#), Some(("bleu".into(), 0.25)));
        assert_eq!(headline("{}"), None);
    }
}
