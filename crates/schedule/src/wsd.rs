//! Warmup, stable, decay.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// Rises in a straight line, holds, and falls in a straight line over the last part of the run: the lowest of
/// a·(t + 1)/n, of a, and of e + (a − e)·(T − t)/m, T being the length of the run.
///
/// The first step already moves, and the rate gets to e where the run ends.
///
/// Hu et al., "MiniCPM" (2024), gave it its name, with an exponential fall; the straight one is that of Zhai
/// et al., "Scaling Vision Transformers" (2022), and Hägele et al., "Scaling Laws and Compute-Optimal
/// Training Beyond Fixed Training Durations" (2024).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wsd {
    /// a, the rate in between, above 0.
    pub max: f64,
    /// n, how long the rise takes.
    pub warmup: Length,
    /// m, how long the fall takes.
    pub decay: Length,
    /// e, the rate at the end of the run, 0 or above and at most a. Default 0.
    #[serde(default)]
    pub end: f64,
}

impl Wsd {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let rise = (position.step as f64 + 1.0) / self.warmup.steps(Per::Step, position);
        let left = position.total_steps.saturating_sub(position.step) as f64;
        let fall = left / self.decay.steps(Per::Step, position);
        let falling = self.end + (self.max - self.end) * fall.min(1.0);
        falling.min(self.max * rise)
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("wsd", "max", self.max)?;
        self.warmup.check("wsd", "warmup")?;
        self.decay.check("wsd", "decay")?;
        invalid::ensure("wsd", "end", self.end, |end| (0.0..=self.max).contains(&end), "between 0 and `max`")
    }
}
