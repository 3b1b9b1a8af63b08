//! Decay in steps.

use serde::{Deserialize, Serialize};

use super::length::whole;
use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// Falls like a staircase: η(t) = a · f^⌊t/n⌋. Its name in flags and files is `step`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staircase {
    /// a, the rate at t = 0, above 0.
    pub initial: f64,
    /// n, how long each step of the stairs is.
    pub every: Length,
    /// f, in (0, 1]. Default 0.5.
    #[serde(default = "half")]
    pub factor: f64,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
    /// What the first step or epoch counts as. Default 0.
    #[serde(default)]
    pub from: u64,
}

fn half() -> f64 {
    0.5
}

impl Staircase {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let every = self.every.steps(self.per, position) / self.per.steps(position);
        self.initial * self.factor.powf(whole(self.per.time(position, self.from) / every))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("step", "initial", self.initial)?;
        self.every.check("step", "every")?;
        invalid::ensure("step", "factor", self.factor, |f| f > 0.0 && f <= 1.0, "above 0 and at most 1")
    }
}
