//! The same rate throughout.

use serde::{Deserialize, Serialize};

use super::Position;
use downhill_core::{Invalid, invalid};

/// A constant rate: η(t) = a. In flags and files the bare number means this.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// a, above 0.
    pub rate: f64,
}

impl Constant {
    /// The rate at a position.
    pub fn at(&self, _: Position) -> f64 {
        self.rate
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("constant", "rate", self.rate)
    }
}
