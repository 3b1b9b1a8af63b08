//! Decay with the inverse of time.

use serde::{Deserialize, Serialize};

use super::{Per, Position};
use downhill_core::{Invalid, invalid};

/// Falls with the inverse of time: η(t) = a / (1 + d·t).
///
/// ```
/// use downhill_schedule::{Position, Schedule};
///
/// let schedule: Schedule = "inverse-time(0.2, decay=1, per=epoch, from=1)".parse()?;
/// let rates = [0, 1, 2, 3].map(|step| schedule.at(Position { step, steps_per_epoch: 1, total_steps: 4 }));
/// assert_eq!(rates, [0.2 / 2.0, 0.2 / 3.0, 0.2 / 4.0, 0.2 / 5.0]); // 0.1, 0.067, 0.05, 0.04
/// # Ok::<(), downhill_core::SpecError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseTime {
    /// a, the rate at t = 0, above 0.
    pub initial: f64,
    /// d, 0 or above.
    pub decay: f64,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
    /// What the first step or epoch counts as. Default 0.
    #[serde(default)]
    pub from: u64,
}

impl InverseTime {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        self.initial / (1.0 + self.decay * self.per.time(position, self.from))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("inverse-time", "initial", self.initial)?;
        invalid::not_negative("inverse-time", "decay", self.decay)
    }
}
