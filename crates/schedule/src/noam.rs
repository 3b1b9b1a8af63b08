//! The Transformer's schedule.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// Rises in a straight line, then falls with the inverse root of time:
/// η(t) = a · d^(−1/2) · min(t^(−1/2), t·n^(−3/2)), t counted from 1.
///
/// Vaswani et al., "Attention Is All You Need" (2017), equation 3, where a is 1; named after Noam Shazeer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noam {
    /// a, above 0.
    pub factor: f64,
    /// d, the width of the model, at least 1.
    pub model: u64,
    /// n, how long the rise takes.
    pub warmup: Length,
}

impl Noam {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let time = Per::Step.time(position, 1);
        let warmup = self.warmup.steps(Per::Step, position);
        self.factor / (self.model as f64).sqrt() * time.sqrt().recip().min(time * warmup.powf(-1.5))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("noam", "factor", self.factor)?;
        invalid::ensure("noam", "model", self.model as f64, |model| model >= 1.0, "at least 1")?;
        self.warmup.check("noam", "warmup")
    }
}
