//! Cosine decay.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// Falls along half a cosine: η(t) = e + (a − e)·(1 + cos(π·t/n))/2 up to t = n, then stays at e.
///
/// Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5, for one
/// period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// a, the rate at t = 0, above 0.
    pub initial: f64,
    /// e, the rate at t = n, 0 or above. Default 0.
    #[serde(default)]
    pub end: f64,
    /// n. Default: what is left of the run.
    #[serde(default)]
    pub over: Length,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
}

impl Cosine {
    /// From `initial` to zero, over the whole run.
    pub fn new(initial: f64) -> Self {
        Self { initial, end: 0.0, over: Length::default(), per: Per::Step }
    }

    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        between(self.initial, self.end, self.over.passed(self.per, position))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("cosine", "initial", self.initial)?;
        invalid::not_negative("cosine", "end", self.end)?;
        self.over.check("cosine", "over")
    }
}

/// The way from `start` to `end` along half a cosine, at the share `at` of it.
pub(super) fn between(start: f64, end: f64, at: f64) -> f64 {
    if at >= 1.0 { end } else { end + (start - end) * (1.0 + (PI * at).cos()) / 2.0 }
}
