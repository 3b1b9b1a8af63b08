//! RMSProp.

use serde::{Deserialize, Serialize};

use super::{Step, UpdateRule};
use crate::{Float, Invalid, invalid};

/// RMSProp: AdaGrad that forgets. The rate is divided by the root of a moving average of the squared gradients.
///
/// h ← ρ·h + (1 − ρ)·g², p ← p − η·g / (√h + ε)
///
/// Tieleman and Hinton, "Lecture 6.5: rmsprop" (Coursera, 2012), with their ρ = 0.9; PyTorch calls it `alpha` and
/// starts from 0.99. ε stands outside the root, as in PyTorch; Keras adds it under the root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// ρ, how slowly the average moves, in [0, 1). Default 0.9.
    pub rho: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { rho: 0.9, eps: 1e-8 }
    }
}

impl RmsProp {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("rmsprop", "rho", self.rho)?;
        invalid::positive("rmsprop", "eps", self.eps)
    }
}

impl UpdateRule for RmsProp {
    type State<F: Float> = [F; 1];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let (lr, eps) = (F::of(step.lr), F::of(self.eps));
        let (rho, new) = (F::of(self.rho), F::of(1.0 - self.rho));
        #[inline(always)]
        move |p, g, [h]| {
            let h = rho * h + new * g * g;
            (p - lr * g / (h.sqrt() + eps), [h])
        }
    }
}
