//! The leaky rectified linear unit.

use super::Pointwise;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};

/// x where x > 0, otherwise `slope`·x. The derivative at 0 is taken as `slope`.
///
/// Maas, Hannun & Ng, [Rectifier nonlinearities improve neural network acoustic models][paper], 2013.
///
/// [paper]: https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeakyRelu {
    /// What negative values are multiplied by; 0.01 unless given, at least 0.
    pub slope: f64,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { slope: 0.01 }
    }
}

impl Pointwise for LeakyRelu {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        if x > F::zero() { x } else { x * F::of(self.slope) }
    }

    // The output has the input's sign, because the slope is not negative.
    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        if y > F::zero() { F::one() } else { F::of(self.slope) }
    }

    fn second(self, _: f64) -> f64 {
        0.0
    }

    fn check(&self) -> Result<(), Invalid> {
        invalid::not_negative("leaky-relu", "slope", self.slope)
    }

    fn gain(&self) -> f64 {
        (2.0 / (1.0 + self.slope * self.slope)).sqrt()
    }
}
