//! Lion.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Lion: steps of one size, along the sign of an average of the gradients. It wants a rate three to ten times
/// lower than Adam, and a decay as many times higher.
///
/// - p ← p − η·(sign(β₁·m + (1 − β₁)·g) + λ·p)
/// - m ← β₂·m + (1 − β₂)·g
///
/// Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023); PyTorch has none, Keras and Optax
/// have this one. λ is 0 unless given, as in the authors' code and in Keras; Optax has 1e-3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lion {
    /// β₁, what the average counts for beside the gradient of now, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average moves, in [0, 1). Default 0.99.
    pub beta2: f64,
    /// λ, the share of a weight that is taken away at a rate of 1, 0 or above. Default 0.
    pub weight_decay: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.99, weight_decay: 0.0 }
    }
}

impl UpdateRule for Lion {
    type State<F: Float> = [F; 1];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let (beta1, new1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (beta2, new2) = (F::of(self.beta2), F::of(1.0 - self.beta2));
        let (lr, keep) = (F::of(step.lr), F::of(step.keep(self.weight_decay)));
        #[inline(always)]
        move |p, g, [m]| {
            let c = beta1 * m + new1 * g;
            // Written so that a gradient that is not a number stays one, to be seen.
            let sign = if c > F::zero() { F::one() } else { c };
            let sign = if c < F::zero() { -F::one() } else { sign };
            (keep * p - lr * sign, [beta2 * m + new2 * g])
        }
    }
}

impl NamedRule for Lion {
    const NAME: &'static str = "lion";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("lion", "beta1", self.beta1)?;
        invalid::fraction("lion", "beta2", self.beta2)?;
        invalid::not_negative("lion", "weight-decay", self.weight_decay)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 3e-4, needs_rate: true, average: None, stability: None, preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
