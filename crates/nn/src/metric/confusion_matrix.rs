//! The confusion matrix.

use super::Classified;
use crate::error::Error;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// How often rows of each class were predicted to be of each class.
///
/// ```
/// use downhill_nn::ConfusionMatrix;
///
/// let mut matrix = ConfusionMatrix::new(2);
/// matrix.add(0, 0);
/// matrix.add(0, 1);
/// matrix.add(1, 1);
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.precision(1), 0.5);
/// assert_eq!(matrix.recall(1), 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row-major: a row for each class, a column for each prediction.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// An empty matrix for so many classes.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// The matrix of rows of outputs, logits, `width` a row, one for yes and no.
    ///
    /// # Errors
    ///
    /// If the lengths do not fit, or a class does not exist.
    pub fn of<F: Float>(outputs: &[F], width: usize, classes: &[u32]) -> Result<Self, Error> {
        let rows = Classified { outputs, width, classes };
        if width == 0 || Some(outputs.len()) != classes.len().checked_mul(width) {
            let (outputs, rows) = (outputs.len(), classes.len());
            return Err(Error::Data(format!("{outputs} outputs are not {rows} rows of {width}")));
        }
        match classes.iter().find(|&&class| class as usize >= rows.count()) {
            Some(class) => {
                let count = rows.count();
                Err(Error::Data(format!("class {class} does not exist: there are {count}")))
            }
            None => Ok(rows.confusion()),
        }
    }

    /// Counts one row; a class that does not exist is not counted.
    pub fn add(&mut self, class: u32, predicted: u32) {
        self.add_many(class, predicted, 1);
    }

    /// Adds `rows` rows to the counts; a class that does not exist is not counted.
    pub fn add_many(&mut self, class: u32, predicted: u32, rows: u64) {
        let (class, predicted) = (class as usize, predicted as usize);
        if class < self.classes && predicted < self.classes {
            let count = &mut self.counts[class * self.classes + predicted];
            *count = count.saturating_add(rows);
        }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many rows of a class were predicted so; 0 for classes that do not exist.
    pub fn count(&self, class: u32, predicted: u32) -> u64 {
        let (class, predicted) = (class as usize, predicted as usize);
        if class < self.classes && predicted < self.classes {
            self.counts[class * self.classes + predicted]
        } else {
            0
        }
    }

    /// How many rows are of a class.
    pub fn rows_of(&self, class: u32) -> u64 {
        (0..self.classes as u32).map(|predicted| self.count(class, predicted)).fold(0, u64::saturating_add)
    }

    /// How many rows were predicted to be of a class.
    pub fn predicted_as(&self, predicted: u32) -> u64 {
        (0..self.classes as u32).map(|class| self.count(class, predicted)).fold(0, u64::saturating_add)
    }

    /// The share of the rows predicted to be of the class that are; 0 if there are none.
    pub fn precision(&self, class: u32) -> f64 {
        share(self.count(class, class), self.predicted_as(class))
    }

    /// The share of the rows of the class that were predicted to be; 0 if there are none.
    pub fn recall(&self, class: u32) -> f64 {
        share(self.count(class, class), self.rows_of(class))
    }

    /// 2·precision·recall/(precision + recall); 0 if both are.
    pub fn f1(&self, class: u32) -> f64 {
        let whole = self.predicted_as(class).saturating_add(self.rows_of(class));
        share(self.count(class, class).saturating_mul(2), whole)
    }

    /// The share of rows whose class was predicted: [`Accuracy`](super::Accuracy).
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes as u32).map(|class| self.count(class, class));
        share(right.fold(0, u64::saturating_add), self.counts.iter().copied().fold(0, u64::saturating_add))
    }

    /// The mean recall of the classes that have rows: [`BalancedAccuracy`](super::BalancedAccuracy).
    pub fn balanced_accuracy(&self) -> f64 {
        self.mean((0..self.classes as u32).filter(|&class| self.rows_of(class) > 0), Self::recall)
    }

    /// The mean precision of the classes that have rows or were predicted: [`Precision`](super::Precision).
    pub fn macro_precision(&self) -> f64 {
        self.mean(self.seen(), Self::precision)
    }

    /// The mean recall of the classes that have rows or were predicted: [`Recall`](super::Recall).
    pub fn macro_recall(&self) -> f64 {
        self.mean(self.seen(), Self::recall)
    }

    /// The mean F1 of the classes that have rows or were predicted: [`F1`](super::F1).
    pub fn macro_f1(&self) -> f64 {
        self.mean(self.seen(), Self::f1)
    }

    /// The classes that have rows or were predicted.
    fn seen(&self) -> impl Iterator<Item = u32> {
        (0..self.classes as u32).filter(|&class| self.rows_of(class) + self.predicted_as(class) > 0)
    }

    /// The mean of something over these classes.
    fn mean(&self, classes: impl Iterator<Item = u32>, of: impl Fn(&Self, u32) -> f64) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for class in classes {
            sum += of(self, class);
            count += 1.0;
        }
        sum / count
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
