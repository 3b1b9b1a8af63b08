//! One cycle: up, then down.

use serde::{Deserialize, Serialize};

use super::cosine::between;
use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// Rises along half a cosine to its peak, and falls along another far below where it began; the last step of
/// the cycle is the lowest, and the rate stays there.
///
/// From η(0) = a/div to η(s − 1) = a to η(n − 1) = a/(div·final-div), s being the part of n that `start`
/// says. The momentum of a rule that has one, μ or β₁, goes the other way, from `max-momentum` down to
/// `base-momentum` and back.
///
/// Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
/// (2018), with fastai's cosines, as PyTorch's OneCycleLR.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OneCycle {
    /// a, the peak rate, above 0.
    pub max: f64,
    /// n. Default: what is left of the run.
    #[serde(default)]
    pub over: Length,
    /// s, how long the rise takes; a share is one of n. Default 30%.
    #[serde(default = "start")]
    pub start: Length,
    /// What the rate begins below its peak by, at least 1. Default 25.
    #[serde(default = "div")]
    pub div: f64,
    /// What it ends below its beginning by, at least 1. Default 10000.
    #[serde(default = "final_div")]
    pub final_div: f64,
    /// Whether the momentum moves at all. Default true.
    #[serde(default = "cycle_momentum")]
    pub cycle_momentum: bool,
    /// The momentum at the peak of the rate, in [0, 1). Default 0.85.
    #[serde(default = "base_momentum")]
    pub base_momentum: f64,
    /// The momentum at the beginning and at the end, in [0, 1). Default 0.95.
    #[serde(default = "max_momentum")]
    pub max_momentum: f64,
    /// What is counted. Default `step`.
    #[serde(default)]
    pub per: Per,
}

fn start() -> Length {
    Length::Share(0.3)
}

fn div() -> f64 {
    25.0
}

fn final_div() -> f64 {
    1e4
}

fn cycle_momentum() -> bool {
    true
}

fn base_momentum() -> f64 {
    0.85
}

fn max_momentum() -> f64 {
    0.95
}

impl OneCycle {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let first = self.max / self.div;
        self.through([first, self.max, first / self.final_div], position)
    }

    /// The momentum at a position, unless it is left alone.
    pub fn momentum(&self, position: Position) -> Option<f64> {
        let values = [self.max_momentum, self.base_momentum, self.max_momentum];
        self.cycle_momentum.then(|| self.through(values, position))
    }

    /// From the first value along half a cosine to the second, and along another to the last.
    fn through(&self, [first, middle, end]: [f64; 3], position: Position) -> f64 {
        let unit = self.per.steps(position);
        let over = self.over.steps(self.per, position) / unit;
        let start = match self.start {
            Length::Share(share) => share * over,
            length => length.steps(self.per, position) / unit,
        };
        let (peak, last, time) = (start - 1.0, over - 1.0, self.per.time(position, 0));
        if time < peak {
            between(first, middle, time / peak)
        } else if time < last {
            between(middle, end, (time - peak) / (last - peak))
        } else if last <= peak {
            middle
        } else {
            end
        }
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "one-cycle";
        invalid::positive(NAME, "max", self.max)?;
        self.over.check(NAME, "over")?;
        self.start.check(NAME, "start")?;
        invalid::ensure(NAME, "div", self.div, |x| x >= 1.0, "at least 1")?;
        invalid::ensure(NAME, "final-div", self.final_div, |x| x >= 1.0, "at least 1")?;
        invalid::fraction(NAME, "base-momentum", self.base_momentum)?;
        invalid::fraction(NAME, "max-momentum", self.max_momentum)
    }
}
