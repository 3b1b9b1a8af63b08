//! Lookahead around any rule.

use serde::{Deserialize, Serialize};

use crate::{Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Whether the weights are now and then drawn back towards where they were: `off`, or `every(5, alpha=0.5)`.
///
/// Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back" (2019), as Optax's `lookahead`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookahead {
    /// Never.
    #[default]
    Off,
    /// After every so many steps.
    Every(Every),
}
downhill_core::spec::spelled!(Lookahead, "a way to look ahead");

/// Settings of [`Lookahead::Every`]: slow weights s follow the fast ones p, which start again from there.
///
/// After every k steps: s ← s + α·(p − s), p ← s. What to evaluate and keep is s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Every {
    /// k, at least 1. Default 5.
    pub steps: u64,
    /// α, the share of the way that the slow weights follow, above 0 and at most 1. Default 0.5.
    pub alpha: f64,
}

impl Default for Every {
    fn default() -> Self {
        Self { steps: 5, alpha: 0.5 }
    }
}

impl Lookahead {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let Self::Every(Every { steps, alpha }) = *self else { return Ok(()) };
        invalid::ensure("every", "steps", steps as f64, |steps| steps >= 1.0, "at least 1")?;
        invalid::ensure("every", "alpha", alpha, |alpha| alpha > 0.0 && alpha <= 1.0, "above 0 and at most 1")
    }
}

/// The step back, as a rule whose state are the slow weights.
#[derive(Clone, Copy)]
pub(crate) struct Back {
    pub alpha: f64,
}

impl UpdateRule for Back {
    type State<F: Float> = [F; 1];

    fn at<F: Float>(self, _: Step) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let alpha = F::of(self.alpha);
        #[inline(always)]
        move |p, _, [slow]| {
            let slow = slow + alpha * (p - slow);
            (slow, [slow])
        }
    }
}
