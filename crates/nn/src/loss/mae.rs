//! The mean absolute error.

use super::{Elementwise, NamedLoss, TargetKind};
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};

/// |output − target|, averaged over rows and outputs; the derivative is the sign of the difference, and 0 at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mae {}

impl Elementwise for Mae {
    #[inline(always)]
    fn value<F: Float>(self, output: F, target: F) -> F {
        (output - target).abs()
    }

    #[inline(always)]
    fn derivative<F: Float>(self, output: F, target: F) -> F {
        let error = output - target;
        // Not a number stays what it is.
        if error == F::zero() { error } else { error.signum() }
    }

    fn second(self, _: f64, _: f64) -> f64 {
        0.0
    }
}

impl NamedLoss for Mae {
    const NAME: &'static str = "mae";

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }
}
