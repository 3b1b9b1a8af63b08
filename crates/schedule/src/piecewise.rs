//! Rates from a table.

use serde::{Deserialize, Serialize};

use super::length::whole;
use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// A table of rates: a at first, and from the time `at[i]` on `rates[i]`.
///
/// `piecewise(0.1, at=[50%, 75%], rates=[0.01, 0.001])`. The first step at a new rate is the one at its time,
/// as in PyTorch and Optax; in Keras it is the one after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piecewise {
    /// a, the rate at first, above 0.
    pub initial: f64,
    /// When the rate changes, in order.
    pub at: Vec<Length>,
    /// What it changes to, 0 or above, as many as there are times.
    pub rates: Vec<f64>,
    /// What times in plain numbers count. Default `step`.
    #[serde(default)]
    pub per: Per,
}

impl Piecewise {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let begun = |at: &Length| whole(at.passed(self.per, position)) >= 1.0;
        let last = self.at.iter().rposition(begun);
        last.map_or(self.initial, |last| self.rates[last])
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "piecewise";
        invalid::positive(NAME, "initial", self.initial)?;
        self.at.iter().try_for_each(|at| at.check(NAME, "at"))?;
        if let Some(pair) = self.at.windows(2).find(|pair| pair[1].within(pair[0])) {
            let message = format!("must be in order, not {} and then {}", pair[0], pair[1]);
            return Err(Invalid { owner: NAME, key: "at", message });
        }
        if self.rates.len() != self.at.len() {
            let message = format!("must be as many as there are times in `at`, not {}", self.rates.len());
            return Err(Invalid { owner: NAME, key: "rates", message });
        }
        self.rates.iter().try_for_each(|&rate| invalid::not_negative(NAME, "rates", rate))
    }
}
