//! The mean squared error.

use super::{Elementwise, NamedLoss, TargetKind};
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};

/// (output − target)², averaged over rows and outputs; the derivative is 2(output − target).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mse {}

impl Elementwise for Mse {
    #[inline(always)]
    fn value<F: Float>(self, output: F, target: F) -> F {
        (output - target) * (output - target)
    }

    #[inline(always)]
    fn derivative<F: Float>(self, output: F, target: F) -> F {
        F::of(2.0) * (output - target)
    }

    fn second(self, _: f64, _: f64) -> f64 {
        2.0
    }
}

impl NamedLoss for Mse {
    const NAME: &'static str = "mse";

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }
}
