//! Decay with the inverse square root of time.

use serde::{Deserialize, Serialize};

use super::{Per, Position};
use downhill_core::{Invalid, invalid};

/// Falls with the inverse root of time: η(t) = a / √t, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseSqrt {
    /// a, the rate at t = 1, above 0.
    pub initial: f64,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
    /// What the first step or epoch counts as, at least 1. Default 1.
    #[serde(default = "one")]
    pub from: u64,
}

fn one() -> u64 {
    1
}

impl InverseSqrt {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        self.initial / self.per.time(position, self.from).sqrt()
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("inverse-sqrt", "initial", self.initial)?;
        invalid::ensure("inverse-sqrt", "from", self.from as f64, |from| from >= 1.0, "at least 1")
    }
}
