//! The area under the receiver operating characteristic.

use super::Classified;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// The probability that a row of the class gets a higher score than a row of another, a tie counting half:
/// the area under the ROC curve.
///
/// With two classes, one output or two, the score is that of class 1. With more, it is the probability that
/// the softmax gives to the class, and the mean over the classes is taken, each against the rest
/// (one-vs-rest, macro). Classes without rows, or with all of them, have no area and do not count; if that is
/// every class, or a score is not a number, the result is not a number.
///
/// Hanley & McNeil, [The meaning and use of the area under a receiver operating characteristic (ROC)
/// curve][paper], 1982.
///
/// [paper]: https://doi.org/10.1148/radiology.143.1.7063747
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RocAuc {}

impl RocAuc {
    pub(crate) fn compute<F: Float>(self, rows: Classified<'_, F>) -> f64 {
        let outputs = || rows.outputs.chunks_exact(rows.width);
        let area_of = |class: u32, scores: Vec<f64>| {
            area(scores.into_iter().zip(rows.classes.iter().map(|&c| c == class)).collect())
        };
        match rows.width {
            1 => return area_of(1, outputs().map(|row| row[0].f64()).collect()),
            2 => return area_of(1, outputs().map(|row| row[1].f64() - row[0].f64()).collect()),
            _ => {}
        }
        let mut probabilities: Vec<f64> = rows.outputs.iter().map(|x| x.f64()).collect();
        probabilities.chunks_exact_mut(rows.width).for_each(crate::loss::softmax);
        let (mut sum, mut count) = (0.0, 0.0);
        for class in 0..rows.width {
            let own = rows.classes.iter().filter(|&&c| c as usize == class).count();
            if own > 0 && own < rows.classes.len() {
                let scores = probabilities.iter().skip(class).step_by(rows.width).copied();
                sum += area_of(class as u32, scores.collect());
                count += 1.0;
            }
        }
        sum / count
    }
}

/// The area from the ranks of the positives (the Mann–Whitney statistic), equal scores sharing their mean
/// rank.
fn area(mut scores: Vec<(f64, bool)>) -> f64 {
    if scores.iter().any(|(score, _)| score.is_nan()) {
        return f64::NAN;
    }
    scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scores.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = scores.len() as f64 - positives;
    let mut ranks = 0.0;
    let mut before = 0.0;
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = before + (tied.len() as f64 + 1.0) / 2.0;
        ranks += mean_rank * tied.iter().filter(|(_, positive)| *positive).count() as f64;
        before += tied.len() as f64;
    }
    (ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}
