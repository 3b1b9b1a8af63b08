//! Up and down, again and again.

use serde::{Deserialize, Serialize};

use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// What becomes of the height of the cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It stays.
    #[default]
    Triangular,
    /// It halves with every cycle.
    Triangular2,
    /// It shrinks by the factor γ with every step or epoch.
    ExpRange,
}

/// Goes up and down in straight lines, up for n and down for n: η(t) = low + (high − low)·x·k, where x rises
/// from 0 to 1 and falls to 0 in every cycle, and k is 1, ½ᶜ in cycle c, or γᵗ.
///
/// Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), as PyTorch's CyclicLR with halves of
/// one length; the momentum is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// The rate at t = 0 and between cycles, above 0.
    pub low: f64,
    /// The rate at the top of the first cycle, at least `low`.
    pub high: f64,
    /// n, half the length of a cycle; the paper recommends two to ten epochs.
    pub half: Length,
    /// What becomes of the height of the cycles. Default `triangular`.
    #[serde(default)]
    pub mode: Mode,
    /// γ of `exp-range`, in (0, 1]. Default 0.99994, as in the paper; PyTorch has 1.
    #[serde(default = "gamma")]
    pub gamma: f64,
    /// What t counts. Default `step`.
    #[serde(default)]
    pub per: Per,
}

fn gamma() -> f64 {
    0.99994
}

impl Cyclic {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let halves = self.half.passed(self.per, position);
        let cycle = (halves / 2.0).floor();
        let within = halves - 2.0 * cycle;
        let height = match self.mode {
            Mode::Triangular => 1.0,
            Mode::Triangular2 => 0.5f64.powf(cycle),
            Mode::ExpRange => self.gamma.powf(self.per.time(position, 0)),
        };
        self.low + (self.high - self.low) * (1.0 - (within - 1.0).abs()) * height
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "cyclic";
        invalid::positive(NAME, "low", self.low)?;
        invalid::ensure(NAME, "high", self.high, |high| high >= self.low, "at least `low`")?;
        self.half.check(NAME, "half")?;
        invalid::ensure(NAME, "gamma", self.gamma, |x| x > 0.0 && x <= 1.0, "above 0 and at most 1")
    }
}
