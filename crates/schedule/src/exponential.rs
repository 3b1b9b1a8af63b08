//! Exponential decay.

use serde::{Deserialize, Serialize};

use super::{Per, Position};
use downhill_core::{Invalid, invalid};

/// Falls by the same factor every time: η(t) = a · rᵗ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// a, the rate at t = 0, above 0.
    pub initial: f64,
    /// r, in (0, 1].
    pub rate: f64,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
    /// What the first step or epoch counts as. Default 0.
    #[serde(default)]
    pub from: u64,
}

impl Exponential {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        self.initial * self.rate.powf(self.per.time(position, self.from))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("exponential", "initial", self.initial)?;
        invalid::ensure("exponential", "rate", self.rate, |r| r > 0.0 && r <= 1.0, "above 0 and at most 1")
    }
}
