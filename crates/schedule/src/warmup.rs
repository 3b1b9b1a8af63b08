//! A rise to another schedule.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position, Schedule};
use downhill_core::Invalid;

/// Rises in a straight line to the first rate of another schedule, then follows that: η(t) = S(0)·(t + 1)/n
/// for t < n, then S(t − n).
///
/// The first step already moves (at S(0)/n, not at zero), and S sees the run that is left as the whole one.
///
/// Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour" (2017).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// n, how long the rise takes; a length in epochs or a share of the run is rounded to whole steps.
    pub over: Length,
    /// S, what follows.
    pub then: Box<Schedule>,
}

impl Warmup {
    /// A rise over `over` to the start of `then`.
    pub fn new(over: Length, then: impl Into<Schedule>) -> Self {
        Self { over, then: Box::new(then.into()) }
    }

    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let over = self.over.steps(Per::Step, position).round() as u64;
        let rest = self.then.at(position.after(over));
        if position.step < over { rest * (position.step + 1) as f64 / over as f64 } else { rest }
    }

    /// The momentum at a position, if S moves it; it waits at its first value while the rate rises.
    pub fn momentum(&self, position: Position) -> Option<f64> {
        self.then.momentum(position.after(self.over.steps(Per::Step, position).round() as u64))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        self.over.check("warmup", "over")?;
        self.then.check()
    }
}
