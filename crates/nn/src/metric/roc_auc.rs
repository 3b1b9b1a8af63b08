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
        match rows.width {
            1 => return area(1, rows.classes, outputs().map(|row| row[0].f64())),
            2 => return area(1, rows.classes, outputs().map(|row| row[1].f64() - row[0].f64())),
            _ => {}
        }
        let mut probabilities: Vec<f64> = rows.outputs.iter().map(|x| x.f64()).collect();
        probabilities.chunks_exact_mut(rows.width).for_each(crate::loss::softmax);
        let (mut sum, mut count) = (0.0, 0.0);
        for class in 0..rows.width {
            let own = rows.classes.iter().filter(|&&c| c as usize == class).count();
            if own > 0 && own < rows.classes.len() {
                let scores = probabilities.iter().skip(class).step_by(rows.width).copied();
                sum += area(class as u32, rows.classes, scores);
                count += 1.0;
            }
        }
        sum / count
    }
}

/// The area of a class against the rest, from how many of the others each of its rows is ahead of (the
/// Mann–Whitney statistic); of equal scores each is ahead of half the others.
fn area(class: u32, classes: &[u32], scores: impl Iterator<Item = f64>) -> f64 {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (score, &c) in scores.zip(classes) {
        if score.is_nan() {
            return f64::NAN;
        }
        if c == class { &mut own } else { &mut others }.push(key(score));
    }
    // Whole numbers are sorted in a third of the time that pairs of a score and a class take.
    own.sort_unstable();
    others.sort_unstable();
    let (mut below, mut through, mut twice) = (0, 0, 0u64);
    for score in &own {
        while others.get(below).is_some_and(|other| other < score) {
            below += 1;
        }
        through = through.max(below);
        while others.get(through).is_some_and(|other| other <= score) {
            through += 1;
        }
        twice += (below + through) as u64;
    }
    twice as f64 / 2.0 / (own.len() as f64 * others.len() as f64)
}

/// A whole number that is as large among others as the score is; the two zeros are one.
fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}
