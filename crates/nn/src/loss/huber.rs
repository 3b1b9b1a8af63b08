//! The Huber loss.

use super::{Elementwise, NamedLoss, TargetKind};
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};

/// With e = output − target: ½e² where |e| ≤ δ, otherwise δ(|e| − ½δ); averaged over rows and outputs. The
/// derivative is e, held within ±δ.
///
/// Huber, [Robust estimation of a location parameter][paper], 1964.
///
/// [paper]: https://doi.org/10.1214/aoms/1177703732
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// δ: the error from which on it counts linearly; 1 unless given, more than 0.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl Elementwise for Huber {
    #[inline(always)]
    fn value<F: Float>(self, output: F, target: F) -> F {
        let (error, delta, half) = ((output - target).abs(), F::of(self.delta), F::of(0.5));
        if error > delta { delta * (error - half * delta) } else { half * error * error }
    }

    #[inline(always)]
    fn derivative<F: Float>(self, output: F, target: F) -> F {
        let (error, delta) = (output - target, F::of(self.delta));
        if error > delta {
            delta
        } else if error < -delta {
            -delta
        } else {
            error
        }
    }

    fn second(self, output: f64, target: f64) -> f64 {
        if (output - target).abs() > self.delta { 0.0 } else { 1.0 }
    }
}

impl NamedLoss for Huber {
    const NAME: &'static str = "huber";

    fn check(&self) -> Result<(), Invalid> {
        invalid::positive("huber", "delta", self.delta)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }
}
