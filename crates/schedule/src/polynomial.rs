//! Decay by a power of what is left.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// Goes to its end with a power of the time that is left: η(t) = e + (a − e)·(1 − t/n)ᵖ up to t = n, then
/// stays at e.
///
/// As PyTorch's PolynomialLR, whose end is 0, and Keras's PolynomialDecay. With p = 1 it is
/// [`Linear`](super::Linear).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// a, the rate at t = 0, above 0.
    pub initial: f64,
    /// e, the rate at t = n, 0 or above. Default 0.
    #[serde(default)]
    pub end: f64,
    /// n. Default: what is left of the run.
    #[serde(default)]
    pub over: Length,
    /// p, above 0; it has no default, for that of PyTorch and Keras, 1, is a line.
    pub power: f64,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
}

impl Polynomial {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let left = (1.0 - self.over.passed(self.per, position)).max(0.0);
        self.end + (self.initial - self.end) * left.powf(self.power)
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        self.check_as("polynomial")?;
        invalid::positive("polynomial", "power", self.power)
    }

    /// The same, but for the power, under the name of a schedule built on this one.
    pub(super) fn check_as(&self, owner: &'static str) -> Result<(), Invalid> {
        invalid::positive(owner, "initial", self.initial)?;
        invalid::not_negative(owner, "end", self.end)?;
        self.over.check(owner, "over")
    }
}
