//! Where a run is, and how a schedule counts the way there.

use serde::{Deserialize, Serialize};

/// A position in a run. Steps are counted from 0; the rate at step i is the one used to make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of steps made so far.
    pub step: u64,
    /// How many steps an epoch has.
    pub steps_per_epoch: u64,
    /// How many steps the whole run has.
    pub total_steps: u64,
}

impl Position {
    /// The epoch this step belongs to, counted from 0.
    pub fn epoch(self) -> u64 {
        self.step / self.steps_per_epoch.max(1)
    }

    /// The position as a schedule sees it that begins after the first `steps` steps.
    pub(super) fn after(self, steps: u64) -> Self {
        Self {
            step: self.step.saturating_sub(steps),
            total_steps: self.total_steps.saturating_sub(steps),
            ..self
        }
    }
}

/// What a schedule counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Steps: the rate changes at every one.
    #[default]
    Step,
    /// Epochs: the rate holds still inside each.
    Epoch,
}

impl Per {
    /// The time at a position, in what is counted, the first counting as `from`.
    pub(super) fn time(self, position: Position, from: u64) -> f64 {
        let count = match self {
            Self::Step => position.step,
            Self::Epoch => position.epoch(),
        };
        count as f64 + from as f64
    }

    /// How many steps one of what is counted has.
    pub(super) fn steps(self, position: Position) -> f64 {
        match self {
            Self::Step => 1.0,
            Self::Epoch => position.steps_per_epoch.max(1) as f64,
        }
    }
}
