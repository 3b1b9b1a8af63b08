//! Whether probabilities are as good as they say.

use crate::error::Error;
use serde::{Deserialize, Serialize};

/// The intervals of equal width that probabilities are sorted into.
const BINS: usize = 10;

/// How far probabilities can be trusted: what they cost, and what happened where they said so much.
///
/// With two classes, what is sorted into the bins is the probability of class 1, beside the share of rows
/// that are of class 1. With more, it is the probability of the predicted class, beside the share of rows
/// whose class is predicted.
///
/// Guo, Pleiss, Sun & Weinberger, [On calibration of modern neural networks][paper], 2017.
///
/// [paper]: https://arxiv.org/abs/1706.04599
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// The mean of −ln of the probability that the right class was given, which is taken to be 2⁻²³ at least.
    pub log_loss: f64,
    /// The mean squared distance of the probabilities from what happened, 0 or 1: of that of class 1 where
    /// there are two classes, which is from 0 to 1; the sum over the classes where there are more, up to 2.
    pub brier: f64,
    /// The expected calibration error: the mean over the rows of how far the mean probability of their bin is
    /// from the share of its rows where it came true.
    pub calibration_error: f64,
    /// Those of ten intervals of equal width that hold rows, from the lowest probability on.
    pub bins: Vec<Bin>,
}

/// Rows of about the same probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many rows.
    pub rows: usize,
    /// The mean probability.
    pub probability: f64,
    /// The share of rows where it came true.
    pub share: f64,
}

impl Confidence {
    /// From the probabilities of the classes, two or more a row, and the classes of the rows.
    ///
    /// # Errors
    ///
    /// If there are no rows, the probabilities are not as many as the rows need, or a class does not exist.
    pub fn of(probabilities: &[f32], classes: usize, labels: &[u32]) -> Result<Self, Error> {
        check(probabilities, classes, labels)?;
        let rows = || probabilities.chunks_exact(classes).zip(labels);
        let count = labels.len() as f64;
        let right = |(row, &label): (&[f32], &u32)| row[label as usize].max(f32::EPSILON);
        let log_loss = rows().map(|row| -f64::from(right(row)).ln()).sum::<f64>() / count;
        let squares = rows().map(|(row, &label)| match row {
            [_, yes] => (f64::from(*yes) - f64::from(label)).powi(2),
            _ => {
                let happened = |class: usize| if class == label as usize { 1.0 } else { 0.0 };
                row.iter().enumerate().map(|(class, &p)| (f64::from(p) - happened(class)).powi(2)).sum()
            }
        });
        let brier = squares.sum::<f64>() / count;
        let mut bins = [Bin { rows: 0, probability: 0.0, share: 0.0 }; BINS];
        for (row, &label) in rows() {
            let (probability, came_true) = match row {
                [_, yes] => (*yes, label == 1),
                _ => {
                    let better =
                        |best: usize, class: usize| if row[class] > row[best] { class } else { best };
                    let predicted = (0..classes).reduce(better).unwrap_or(0);
                    (row[predicted], predicted == label as usize)
                }
            };
            let probability = f64::from(probability);
            // What lies on an edge belongs to the bin below.
            let bin = (1..BINS).filter(|edge| probability > *edge as f64 / BINS as f64).count();
            bins[bin].rows += 1;
            bins[bin].probability += probability;
            bins[bin].share += f64::from(u8::from(came_true));
        }
        let mut bins: Vec<Bin> = bins.into_iter().filter(|bin| bin.rows > 0).collect();
        // Both are sums still.
        let apart = bins.iter().map(|bin| (bin.probability - bin.share).abs());
        let calibration_error = apart.sum::<f64>() / count;
        for bin in &mut bins {
            bin.probability /= bin.rows as f64;
            bin.share /= bin.rows as f64;
        }
        Ok(Self { log_loss, brier, calibration_error, bins })
    }
}

/// Whether these are rows of probabilities with their classes.
fn check(probabilities: &[f32], classes: usize, labels: &[u32]) -> Result<(), Error> {
    let fits = labels.len().checked_mul(classes) == Some(probabilities.len());
    if classes < 2 || labels.is_empty() || !fits {
        let (found, rows) = (probabilities.len(), labels.len());
        return Err(Error::Data(format!("{found} probabilities are not {rows} rows of {classes} classes")));
    }
    match labels.iter().find(|&&label| label as usize >= classes) {
        Some(label) => Err(Error::Data(format!("class {label} does not exist: there are {classes}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_and_hopeless_probabilities() {
        let sure = Confidence::of(&[0.0, 1.0, 1.0, 0.0], 2, &[1, 0]).unwrap();
        assert_eq!((sure.log_loss, sure.brier, sure.calibration_error), (0.0, 0.0, 0.0));
        let wrong = Confidence::of(&[0.0, 1.0, 1.0, 0.0], 2, &[0, 1]).unwrap();
        assert_eq!((wrong.brier, wrong.calibration_error), (1.0, 1.0));
        assert!((wrong.log_loss - 23.0 * 2f64.ln()).abs() < 1e-12);
        // Three classes by chance.
        let even = Confidence::of(&[1.0 / 3.0; 9], 3, &[0, 1, 2]).unwrap();
        assert!((even.log_loss - 3f64.ln()).abs() < 1e-6 && (even.brier - 2.0 / 3.0).abs() < 1e-6);
        assert!(even.calibration_error < 1e-6 && even.bins.len() == 1, "{even:?}");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(Confidence::of(&[], 2, &[]).is_err());
        assert!(Confidence::of(&[0.5; 3], 2, &[0]).is_err());
        assert!(Confidence::of(&[0.5; 2], 2, &[2]).is_err());
        assert!(Confidence::of(&[1.0], 1, &[0]).is_err());
    }
}
