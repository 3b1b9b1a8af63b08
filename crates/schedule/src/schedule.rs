//! Every schedule under one name.

use downhill_core::{Invalid, spec::spelled};
use serde::{Deserialize, Serialize};

use crate::{
    Constant, Cosine, CosineRestarts, Cyclic, Exponential, InverseSqrt, InverseTime, Linear, Noam, OneCycle,
    Piecewise, Polynomial, Position, Sequence, Staircase, Warmup, Wsd,
};

/// Every schedule by its name, for flags and files: `0.01`, `cosine(1e-3)`, `warmup(5%, then=cosine(1e-3))`.
///
/// ```
/// use downhill_schedule::{Position, Schedule};
///
/// let schedule: Schedule = "warmup(10, then=cosine(0.1))".parse()?;
/// let rate = |step| schedule.at(Position { step, steps_per_epoch: 10, total_steps: 100 });
/// assert_eq!(rate(4), 0.05); // half way up
/// assert_eq!(rate(10), 0.1); // the top
/// assert!((rate(55) - 0.05).abs() < 1e-12); // half way down
/// # Ok::<(), downhill_core::SpecError>(())
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
    /// A table of rates.
    Piecewise(Piecewise),
    /// A straight line.
    Linear(Linear),
    /// Falls with a power of the time that is left.
    Polynomial(Polynomial),
    /// Falls along half a cosine.
    Cosine(Cosine),
    /// Cosines, one after the other.
    CosineRestarts(CosineRestarts),
    /// Up, then down.
    OneCycle(OneCycle),
    /// Up and down, again and again.
    Cyclic(Cyclic),
    /// Warmup, stable, decay.
    Wsd(Wsd),
    /// The Transformer's: rises, then falls as 1 / √t.
    Noam(Noam),
    /// Rises to another schedule.
    Warmup(Warmup),
    /// One schedule, then another.
    Sequence(Sequence),
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
            Schedule::Piecewise($schedule) => $body,
            Schedule::Linear($schedule) => $body,
            Schedule::Polynomial($schedule) => $body,
            Schedule::Cosine($schedule) => $body,
            Schedule::CosineRestarts($schedule) => $body,
            Schedule::OneCycle($schedule) => $body,
            Schedule::Cyclic($schedule) => $body,
            Schedule::Wsd($schedule) => $body,
            Schedule::Noam($schedule) => $body,
            Schedule::Warmup($schedule) => $body,
            Schedule::Sequence($schedule) => $body,
        }
    };
}

impl Schedule {
    /// The learning rate at a position of the run.
    pub fn at(&self, position: Position) -> f64 {
        with_schedule!(self, schedule => schedule.at(position))
    }

    /// The momentum, μ or β₁, at a position, if the schedule moves it beside the rate: [`OneCycle`] does.
    pub fn momentum(&self, position: Position) -> Option<f64> {
        match self {
            Self::OneCycle(schedule) => schedule.momentum(position),
            Self::Warmup(schedule) => schedule.momentum(position),
            Self::Sequence(schedule) => schedule.momentum(position),
            _ => None,
        }
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
    Piecewise(Piecewise),
    Linear(Linear),
    Polynomial(Polynomial),
    Cosine(Cosine),
    CosineRestarts(CosineRestarts),
    OneCycle(OneCycle),
    Cyclic(Cyclic),
    Wsd(Wsd),
    Noam(Noam),
    Warmup(Warmup),
    Sequence(Sequence)
);
spelled!(Schedule, "a schedule");
