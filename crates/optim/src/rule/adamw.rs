//! Adam with decoupled weight decay.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// AdamW: [`Adam`], with the weights shrunk beside its step instead of through the gradient.
///
/// p ← (1 − η·λ)·p, then Adam's step
///
/// Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019); the decay follows the rate, as in
/// PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdamW {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
    /// λ, the share of a weight that is taken away at a rate of 1, 0 or above. Default 0.01.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self { beta1, beta2, eps, weight_decay: 0.01 }
    }
}

impl AdamW {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }
}

impl UpdateRule for AdamW {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        self.adam().decoupled_decay(self.weight_decay).at(step)
    }
}

impl NamedRule for AdamW {
    const NAME: &'static str = "adamw";

    fn check(&self) -> Result<(), Invalid> {
        self.adam().check_as("adamw")?;
        invalid::not_negative("adamw", "weight-decay", self.weight_decay)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 3e-3,
            needs_rate: true,
            average: None,
            stability: Some((2.0 + 2.0 * self.beta1) / (1.0 - self.beta1)),
            preconditioner: Some(|rule, steps, state| rule.adam().divisor(steps, state[1])),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
