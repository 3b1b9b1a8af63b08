//! Stopping when the validation metric stops getting better, and which weights are kept.

use downhill_core::{Invalid, invalid, spec};
use serde::{Deserialize, Serialize};

use crate::Monitor;

/// When to stop before the last epoch: `off`, or `after(10, metric=accuracy)`. Which weights are kept is
/// another setting: [`Keep`].
///
/// Prechelt, "Early Stopping – But When?" (1998).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EarlyStopping {
    /// Never: all epochs are made.
    Off,
    /// After some epochs in which the metric watched did not get better.
    After(Patience),
}
spec::spelled!(EarlyStopping, "a way to stop early");

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Patience {
    /// How many epochs may pass without a better one, at least 1. Default 30, half of the usual number of
    /// epochs: sooner, a noisy validation loss ends runs before their rate has come down.
    pub patience: u64,
    /// What is watched. Default the loss.
    pub metric: Monitor,
    /// By how much a better epoch must be better, 0 or above. Default 0.
    pub min_delta: f64,
}

/// Which weights a run comes to: `best` or `last`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Those of the epoch that was best by what early stopping watches; by the validation loss if nothing
    /// stops early.
    #[default]
    Best,
    /// Those after the last step, unless the run blew up: then those of the best epoch.
    Last,
}
spec::spelled!(Keep, "a choice of the weights to keep");

impl Keep {
    /// Nothing to check: there are no settings.
    pub fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { patience: 30, metric: Monitor::Loss, min_delta: 0.0 }
    }
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self::After(Patience::default())
    }
}

impl EarlyStopping {
    /// Stops after `patience` epochs without a lower validation loss.
    pub fn after(patience: u64) -> Self {
        Self::After(Patience { patience, ..Patience::default() })
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let Self::After(after) = self else { return Ok(()) };
        invalid::ensure("after", "patience", after.patience as f64, |epochs| epochs >= 1.0, "at least 1")?;
        invalid::not_negative("after", "min-delta", after.min_delta)
    }

    /// What is watched; the loss where nothing stops early.
    pub fn monitor(&self) -> Monitor {
        match self {
            Self::Off => Monitor::Loss,
            Self::After(after) => after.metric,
        }
    }

    /// Whether a score is better than the best so far, by enough.
    pub fn better(&self, score: f64, best: f64) -> bool {
        match self {
            Self::Off => self.monitor().gain(score, best) > 0.0,
            Self::After(after) => after.metric.gain(score, best) > after.min_delta,
        }
    }

    /// Whether it is time to stop, after so many epochs without a better one.
    pub fn stops(&self, waited: u64) -> bool {
        matches!(self, Self::After(after) if waited >= after.patience)
    }
}
