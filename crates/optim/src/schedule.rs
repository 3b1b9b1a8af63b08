//! Learning-rate schedules: the rate as a pure function of the position in the run.
//!
//! A schedule has no state, so there is none to save, to restore or to get wrong: the rate of step 12 345 is
//! `schedule.at(position)`.

mod clock;
mod constant;
mod cosine;
mod cosine_restarts;
mod exponential;
mod inverse_sqrt;
mod inverse_time;
mod length;
mod staircase;
mod warmup;

pub use clock::{Per, Position};
pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use exponential::Exponential;
pub use inverse_sqrt::InverseSqrt;
pub use inverse_time::InverseTime;
pub use length::Length;
pub use staircase::Staircase;
pub use warmup::Warmup;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// Every schedule by its name, for flags and files: `0.01`, `cosine(1e-3)`, `warmup(5%, then=cosine(1e-3))`.
///
/// ```
/// use downhill_optim::{Position, Schedule};
///
/// let schedule: Schedule = "warmup(10, then=cosine(0.1))".parse()?;
/// let rate = |step| schedule.at(Position { step, steps_per_epoch: 10, total_steps: 100 });
/// assert_eq!(rate(4), 0.05); // half way up
/// assert_eq!(rate(10), 0.1); // the top
/// assert!((rate(55) - 0.05).abs() < 1e-12); // half way down
/// # Ok::<(), downhill_optim::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "a schedule")]
pub enum Schedule {
    /// Always the same.
    Constant(Constant),
    /// Falls as 1 / (1 + decay·t).
    InverseTime(InverseTime),
    /// Falls by the same factor every time.
    Exponential(Exponential),
    /// Falls as 1 / √t.
    InverseSqrt(InverseSqrt),
    /// Falls in steps, like a staircase.
    Step(Staircase),
    /// Falls along half a cosine.
    Cosine(Cosine),
    /// Cosines, one after the other.
    CosineRestarts(CosineRestarts),
    /// Rises to another schedule.
    Warmup(Warmup),
}

/// Runs `$body` with `$schedule` bound to the schedule inside a [`Schedule`], whichever it is.
macro_rules! with_schedule {
    ($value:expr, $schedule:ident => $body:expr) => {
        match $value {
            Schedule::Constant($schedule) => $body,
            Schedule::InverseTime($schedule) => $body,
            Schedule::Exponential($schedule) => $body,
            Schedule::InverseSqrt($schedule) => $body,
            Schedule::Step($schedule) => $body,
            Schedule::Cosine($schedule) => $body,
            Schedule::CosineRestarts($schedule) => $body,
            Schedule::Warmup($schedule) => $body,
        }
    };
}

impl Schedule {
    /// The learning rate at a position of the run.
    pub fn at(&self, position: Position) -> f64 {
        with_schedule!(self, schedule => schedule.at(position))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        with_schedule!(self, schedule => schedule.check())
    }
}

impl From<f64> for Schedule {
    fn from(rate: f64) -> Self {
        Self::Constant(Constant { rate })
    }
}

macro_rules! from_schedule {
    ($($variant:ident($schedule:ident)),*) => {
        $(impl From<$schedule> for Schedule {
            fn from(schedule: $schedule) -> Self {
                Self::$variant(schedule)
            }
        })*
    };
}
from_schedule!(
    Constant(Constant),
    InverseTime(InverseTime),
    Exponential(Exponential),
    InverseSqrt(InverseSqrt),
    Step(Staircase),
    Cosine(Cosine),
    CosineRestarts(CosineRestarts),
    Warmup(Warmup)
);
crate::spec::spelled!(Schedule, "a schedule");
