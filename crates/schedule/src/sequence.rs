//! One schedule after the other.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position, Schedule};
use downhill_core::Invalid;

/// One schedule, then another: η(t) = S₁(t) for t < n, then S₂(t − n).
///
/// `sequence(first=cosine(0.1), for=100, then=0.001)`, or `sequence(cosine(0.1), 100, 0.001)` for short. Each
/// sees its part of the run as the whole one. PyTorch's SequentialLR.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// S₁.
    pub first: Box<Schedule>,
    /// n, for how long; a length in epochs or a share of the run is rounded to whole steps.
    #[serde(rename = "for")]
    pub length: Length,
    /// S₂.
    pub then: Box<Schedule>,
}

impl Sequence {
    /// `first` for a length, then `then`.
    pub fn new(first: impl Into<Schedule>, length: Length, then: impl Into<Schedule>) -> Self {
        Self { first: Box::new(first.into()), length, then: Box::new(then.into()) }
    }

    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let (schedule, position) = self.part(position);
        schedule.at(position)
    }

    /// The momentum at a position, if the schedule there moves it.
    pub fn momentum(&self, position: Position) -> Option<f64> {
        let (schedule, position) = self.part(position);
        schedule.momentum(position)
    }

    /// The schedule in force at a position, and where in it that is.
    fn part(&self, position: Position) -> (&Schedule, Position) {
        let length = self.length.steps(Per::Step, position).round() as u64;
        if position.step < length {
            (&self.first, Position { total_steps: length, ..position })
        } else {
            (&self.then, position.after(length))
        }
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        self.first.check()?;
        self.length.check("sequence", "for")?;
        self.then.check()
    }
}
