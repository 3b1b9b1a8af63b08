//! Why a rate is recommended, in numbers and in words.

use serde::{Deserialize, Serialize};

use super::search::{Conclusion, Lead};
use super::{FoundRate, number};

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
        /// How much lower the mean loss of the best other rehearsal was, if one was, with the standard error over rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<[f64; 2]>,
    },
    /// Another one was.
    #[serde(rename_all = "kebab-case")]
    Better {
        /// The peak rate of the best rehearsal.
        best: f64,
        /// How much lower its mean loss was than that at the usual rate, with the standard error over rows; none if that
        /// was no finite number.
        lead: Option<[f64; 2]>,
        /// What it was multiplied by, as the lowest point of the parabola through the best three is elsewhere.
        between: f64,
        /// What it was multiplied by, as the run is longer than a rehearsal.
        length: f64,
        /// What it was multiplied by, to draw it towards the usual rate.
        pull: f64,
    },
}

impl Choice {
    /// The choice that rehearsals around the rate `usual` come to, and the rate.
    pub(super) fn of(conclusion: Conclusion, usual: f64) -> (f64, Self) {
        let pair = |lead: Lead| [lead.mean, lead.error];
        match conclusion {
            Conclusion::Diverged { rate } => (usual * rate, Self::AllDiverged),
            Conclusion::NothingLearned => (usual, Self::NothingLearned),
            Conclusion::Usual { lead } => (usual, Self::Usual { lead: lead.map(pair) }),
            Conclusion::Better { rate, lead, factors: [between, length, pull] } => {
                let best = usual * rate / (between * length * pull);
                (usual * rate, Self::Better { best, lead: lead.map(pair), between, length, pull })
            }
        }
    }
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
                "Learning rate {rate}, the usual one: no other of {rehearsals} was better by more than the noise ({cost})"
            ),
            Some(Choice::Better { best, .. }) => format!(
                "Learning rate {rate} found in {cost}: of {rehearsals} the best was {}; a good band is {}",
                number(*best),
                rates()
            ),
        }
    }

    /// How the recommended rate comes from the best rehearsal, with the factors, if it is not just the usual rate.
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
