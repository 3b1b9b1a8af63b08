//! A learning rate that was found by trying, and why it is that one, in numbers and in words.

use downhill_schedule::Schedule;
use serde::{Deserialize, Serialize};

use crate::number::two_digits;

/// A learning rate that was found, and by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundRate {
    /// The peak rate to train with, to two digits.
    pub recommended: f64,
    /// The rate that usually suits the rule; 0 in logs of older versions.
    #[serde(default)]
    pub usual: f64,
    /// Why it is that one; none in logs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// The lowest and the highest rate around the best rehearsal whose rehearsals came within 10% of its
    /// loss, and the recommended one.
    pub band: [f64; 2],
    /// The schedule with that peak.
    #[serde(with = "downhill_core::spec")]
    pub schedule: Schedule,
    /// Where the range test's curve falls fastest.
    pub steepest: Option<f64>,
    /// Fastai's valley of the curve.
    pub valley: Option<f64>,
    /// A tenth of the rate at the lowest point of the curve.
    pub minimum_tenth: Option<f64>,
    /// The rate from which on the curve is above its beginning; none if it never is.
    pub diverges: Option<f64>,
    /// The highest rate at which the weights that the run starts from are stable, by the curvature of the
    /// loss around them on up to 500 rows: 2/λ for gradient descent. None where the rule has no known limit,
    /// or none before it has made steps, and where only a rate was needed, as in training. Finding it is
    /// counted neither in `steps` nor in `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The steps made to find it.
    pub steps: u64,
    /// Those of the run it is for, unless that stops early.
    pub run_steps: u64,
    /// How long finding it took.
    pub seconds: f64,
    /// The rehearsals, in the order of their peak rates, each with the mean loss on training rows that it
    /// ended with.
    pub rehearsals: Vec<Point>,
    /// The range test: the smoothed training loss.
    pub curve: Vec<Point>,
}

/// The loss at a rate; in a sweep smoothed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The learning rate.
    pub lr: f64,
    /// The mean loss; none if it was no finite number.
    pub loss: Option<f64>,
}

/// Why a rate is recommended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The run has too few steps to rehearse three rates: the usual one.
    TooFewSteps,
    /// No rehearsal came to a finite loss: a rate below them all.
    AllDiverged,
    /// No rehearsal learned anything: the usual rate.
    NothingLearned,
    /// No rehearsal was better than that of the usual rate by more than the noise: the usual rate.
    #[serde(rename_all = "kebab-case")]
    Usual {
        /// How much lower the mean loss of the best other rehearsal was, if one was, with the standard error
        /// over rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<[f64; 2]>,
    },
    /// Another one was.
    #[serde(rename_all = "kebab-case")]
    Better {
        /// The peak rate of the best rehearsal.
        best: f64,
        /// How much lower its mean loss was than that at the usual rate, with the standard error over rows;
        /// none if that was no finite number.
        lead: Option<[f64; 2]>,
        /// What it was multiplied by, as the lowest point of the parabola through the best three is
        /// elsewhere.
        between: f64,
        /// What it was multiplied by, as the run is longer than a rehearsal.
        length: f64,
        /// What it was multiplied by, to draw it towards the usual rate.
        pull: f64,
    },
}

impl FoundRate {
    /// What was found, and why, in a sentence.
    pub fn text(&self) -> String {
        let Self { recommended, band: [low, high], steps, run_steps, .. } = self;
        let rate = number(*recommended);
        let cost = format!("{steps} steps, {:.0}% of the run's", 100.0 * *steps as f64 / *run_steps as f64);
        let rehearsals = format!("{} rehearsals", self.rehearsals.len());
        let rates = || format!("{} to {}", number(*low), number(*high));
        match &self.choice {
            // By an older version, which kept no more of it.
            None if !self.rehearsals.is_empty() => {
                format!("Learning rate {rate} found in {cost}, by {rehearsals}")
            }
            None | Some(Choice::TooFewSteps) => format!(
                "The run's {run_steps} steps are too few to look for a learning rate: {rate} is what usually suits"
            ),
            Some(Choice::AllDiverged) => format!(
                "Learning rate {rate}: all {rehearsals} blew up ({cost}), so this one is below them all, and untried"
            ),
            Some(Choice::NothingLearned) => {
                format!("Learning rate {rate}, the usual one: none of {rehearsals} learned anything ({cost})")
            }
            Some(Choice::Usual { .. }) => format!(
                "Learning rate {rate}, the usual one: no other of {rehearsals} was better by more than the \
                 noise ({cost})"
            ),
            Some(Choice::Better { best, .. }) => format!(
                "Learning rate {rate} found in {cost}: of {rehearsals} the best was {}; a good band is {}",
                number(*best),
                rates()
            ),
        }
    }

    /// How the recommended rate comes from the best rehearsal, with the factors, if it is not just the usual
    /// rate.
    pub fn correction(&self) -> Option<String> {
        let Some(Choice::Better { best, between, length, pull, .. }) = &self.choice else { return None };
        let times = |factor: &f64| format!("×{factor:.2}");
        Some(format!(
            "best rehearsal {}, {} between it and its neighbours, {} as the run is longer, {} towards the usual {}",
            number(*best),
            times(between),
            times(length),
            times(pull),
            number(self.usual)
        ))
    }
}

/// A rate in few characters.
fn number(rate: f64) -> String {
    if (1e-4..1e4).contains(&rate) { two_digits(rate).to_string() } else { format!("{rate:.1e}") }
}
