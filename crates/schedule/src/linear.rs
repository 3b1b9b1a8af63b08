//! A straight line.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Polynomial, Position};
use downhill_core::Invalid;

/// Goes to its end in a straight line, down or up: η(t) = a + (e − a)·t/n up to t = n, then stays at e.
///
/// As PyTorch's LinearLR, whose `start_factor` and `end_factor` are a and e over the optimizer's rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
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

impl Linear {
    fn polynomial(self) -> Polynomial {
        Polynomial { initial: self.initial, end: self.end, over: self.over, power: 1.0, per: self.per }
    }

    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        self.polynomial().at(position)
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        self.polynomial().check_as("linear")
    }
}
