//! Whether a learning rate was low, good, high or very high: the definition, by what runs at several rates
//! came to; and how the layers of a network begin.

use serde::{Deserialize, Serialize};

/// What a learning rate was for a run. [`rate_verdicts`] says which, of runs at several rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateVerdict {
    /// A higher rate comes further in the same number of steps.
    Low,
    /// No other rate comes clearly further.
    Good,
    /// It learns, but a lower rate comes further.
    High,
    /// The loss grows.
    VeryHigh,
}

impl RateVerdict {
    /// All, from the lowest rates to the highest.
    pub const ALL: [Self; 4] = [Self::Low, Self::Good, Self::High, Self::VeryHigh];

    /// In words: `very high`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Good => "good",
            Self::High => "high",
            Self::VeryHigh => "very high",
        }
    }
}

/// How a layer or a network begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// None of the others.
    Healthy,
    /// The signal is less than a thousandth of the first layer's, or the gradient less than a thousandth of
    /// the last's.
    ///
    /// How fast weights learn goes with the product of the signal in front of them and the gradient behind
    /// them. Learning rates are looked for from 1e-4 to 1e-1: layers that are further apart than these three
    /// decades have no rate that suits both.
    Vanishing,
    /// The signal is more than a hundred times the first layer's, or the gradient more than a hundred times
    /// the last's, or one of them is no finite number.
    ///
    /// Less is borne than on the way down: an output that is a hundred times too large is a loss that is at
    /// least as much too large from the first step on, and so is its gradient.
    Exploding,
    /// More than half of the activations are saturated: most of what comes back is cut to less than a tenth.
    Saturated,
}

/// A run at one of several rates, all else being the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The rate, or the highest that its schedule comes to.
    pub rate: f64,
    /// The training loss of each epoch, up to where the run blew up if it did.
    pub losses: Vec<f64>,
    /// Whether it blew up: stopped with a loss that was no finite number, or was rolled back by the guard.
    pub diverged: bool,
}

/// How much of what the best run gains over the first guess another may miss, and still have a good rate.
pub const CLEAR: f64 = 0.05;

/// How far above the best run's loss another may end, as a share of that loss, and still have a good rate.
///
/// Where the best loss is small, 5% of the gain is many times that loss: of a first guess of 2.3 and a best
/// of 0.066, it would take 0.17 for as good.
pub const CLOSE: f64 = 0.5;

/// Differences below this share of the first guess's loss do not count: losses of nearly nothing are all the
/// same.
pub const NEGLIGIBLE: f64 = 0.01;

/// A run is still falling if more than this share of all it gained came in its second half.
///
/// Where progress goes with the sum of the rates, it is 50% of it at a constant rate and 18% under a cosine.
const FALLING: f64 = 0.15;

impl Attempt {
    /// The loss at the end: the mean of the last tenth of the epochs, as that of one epoch is noisy. None if
    /// the run blew up.
    pub fn end(&self) -> Option<f64> {
        let last = self.losses.len().div_ceil(10).max(1);
        let tail = &self.losses[self.losses.len().saturating_sub(last)..];
        let mean = tail.iter().sum::<f64>() / tail.len() as f64;
        (!self.diverged && mean.is_finite()).then_some(mean)
    }

    /// Whether it was far from done when it ended.
    fn is_falling(&self, baseline: f64) -> bool {
        let Some(end) = self.end() else { return false };
        let middle = self.losses[(self.losses.len() - 1) / 2];
        middle - end > FALLING * (baseline - end)
    }
}

/// The share of the first guess's loss that must be gained for anything to have been learned.
const LEARNED: f64 = 1e-3;

/// How far above the best loss another is, as a multiple of how far it may be: 0 is as good, above 1 it is
/// not good. None if even the best has learned nothing.
pub fn distance(baseline: f64, best: f64, end: f64) -> Option<f64> {
    let gain = baseline - best;
    let allowed = (CLEAR * gain).min((CLOSE * best).max(NEGLIGIBLE * baseline));
    (gain > LEARNED * baseline).then(|| (end - best) / allowed)
}

/// Whether a loss is clearly above the first guess's.
pub fn has_grown(baseline: f64, end: f64) -> bool {
    !end.is_finite() || end > (1.0 + CLEAR) * baseline
}

/// The verdict on each of several rates, `baseline` being the mean loss of the first guess, which knows
/// nothing.
///
/// - *Very high*: the run blew up, or ended with a loss more than 5% above the first guess's.
/// - *Good*: its loss is near the best of all: it has at least 95% of the best one's gain over the first
///   guess, and its loss is at most half as much again as the best, or above it by no more than 1% of the
///   first guess's loss where the best is nearly nothing. But if it is the highest rate that was tried and
///   its loss was still falling (more than 15% of its gain came in the second half of its epochs), it is low:
///   the best rate is not among those.
/// - *Low* and *high*: the others whose rate is below and above the best one's.
///
/// Losses are those of training: the rate is what optimisation needs, and a rate that fits the data faster is
/// not worse for overfitting sooner. If no run gains more than a thousandth of the first guess's loss,
/// nothing has been learned, and all that did not blow up are low.
pub fn rate_verdicts(baseline: f64, attempts: &[Attempt]) -> Vec<RateVerdict> {
    let end = |attempt: &Attempt| attempt.end().filter(|&end| !has_grown(baseline, end));
    let ends = attempts.iter().filter_map(|attempt| Some((end(attempt)?, attempt.rate)));
    let best = ends.min_by(|a, b| a.0.total_cmp(&b.0));
    let highest = attempts.iter().map(|attempt| attempt.rate).fold(0.0, f64::max);
    let judge = |attempt: &Attempt| {
        let (Some(end), Some((best, best_rate))) = (end(attempt), best) else { return RateVerdict::VeryHigh };
        match distance(baseline, best, end) {
            None => RateVerdict::Low,
            Some(distance) if distance > 1.0 && attempt.rate > best_rate => RateVerdict::High,
            Some(distance) if distance > 1.0 => RateVerdict::Low,
            Some(_) if attempt.rate >= highest && attempt.is_falling(baseline) => RateVerdict::Low,
            Some(_) => RateVerdict::Good,
        }
    };
    attempts.iter().map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use RateVerdict::{Good, High, Low, VeryHigh};

    /// Twenty epochs from 1 down to `end`, most of it early if `speed` is high.
    fn attempt(rate: f64, end: f64, speed: f64) -> Attempt {
        let loss = |epoch: f64| end + (1.0 - end) * (-speed * epoch).exp();
        Attempt { rate, losses: (1..=20).map(|epoch| loss(epoch as f64)).collect(), diverged: false }
    }

    fn blown_up(rate: f64) -> Attempt {
        Attempt { rate, losses: vec![1.5], diverged: true }
    }

    #[test]
    fn the_four_curves() {
        let attempts = [
            attempt(1e-4, 0.1, 0.01),
            attempt(1e-2, 0.1, 0.5),
            attempt(3e-2, 0.12, 0.9),
            attempt(1e-1, 0.4, 2.0),
            blown_up(1.0),
        ];
        assert_eq!(rate_verdicts(1.0, &attempts), [Low, Good, Good, High, VeryHigh]);
        // In any order.
        let reversed: Vec<_> = attempts.iter().rev().cloned().collect();
        assert_eq!(rate_verdicts(1.0, &reversed), [VeryHigh, High, Good, Good, Low]);
    }

    #[test]
    fn the_highest_of_low_rates_is_low() {
        let falling = [attempt(1e-5, 0.1, 0.001), attempt(1e-4, 0.1, 0.01)];
        assert_eq!(rate_verdicts(1.0, &falling), [Low, Low]);
        // A higher one that blew up shows that there is none better.
        let attempts = [falling[0].clone(), falling[1].clone(), blown_up(1e-3)];
        assert_eq!(rate_verdicts(1.0, &attempts), [Low, Good, VeryHigh]);
        let settled = [attempt(1e-3, 0.5, 0.02), attempt(1e-2, 0.1, 0.5)];
        assert_eq!(rate_verdicts(1.0, &settled), [Low, Good]);
    }

    #[test]
    fn a_loss_that_has_grown_is_very_high_without_blowing_up() {
        assert_eq!(rate_verdicts(1.0, &[attempt(0.1, 0.2, 1.0), attempt(10.0, 3.0, 1.0)]), [Good, VeryHigh]);
        let not_finite = Attempt { losses: vec![0.9, f64::NAN], ..attempt(10.0, 0.0, 1.0) };
        assert_eq!(rate_verdicts(1.0, &[attempt(0.1, 0.2, 1.0), not_finite]), [Good, VeryHigh]);
    }

    #[test]
    fn where_nothing_is_learned_rates_are_low_or_very_high() {
        let flat = Attempt { rate: 1e-9, losses: vec![1.0; 5], diverged: false };
        assert_eq!(rate_verdicts(1.0, &[flat, blown_up(10.0)]), [Low, VeryHigh]);
        assert_eq!(rate_verdicts(1.0, &[blown_up(1.0), blown_up(10.0)]), [VeryHigh, VeryHigh]);
        let none = Attempt { rate: 1.0, losses: vec![], diverged: false };
        assert_eq!(rate_verdicts(1.0, &[none]), [VeryHigh]);
        assert_eq!(rate_verdicts(1.0, &[]), []);
    }

    #[test]
    fn good_is_near_the_best() {
        let just = |best, end| rate_verdicts(2.0, &[attempt(0.1, best, 9.0), attempt(0.3, end, 9.0)])[1];
        // The best gains 1.6; 0.08 of that may be missed.
        assert_eq!((just(0.4, 0.479), just(0.4, 0.481)), (Good, High));
        // Of a small loss half as much again is the line, though it is a little of the gain.
        assert_eq!((just(0.06, 0.089), just(0.06, 0.091)), (Good, High));
        // Of nearly nothing it is 1% of the first guess's.
        assert_eq!((just(1e-4, 0.0200), just(1e-4, 0.0202)), (Good, High));
        assert_eq!(rate_verdicts(2.3, &[attempt(0.1, 0.066, 9.0), attempt(0.2, 0.17, 9.0)]), [Good, High]);
        assert_eq!(rate_verdicts(2.3, &[attempt(0.1, 0.17, 9.0), attempt(0.2, 0.066, 9.0)]), [Low, Good]);
    }
}
