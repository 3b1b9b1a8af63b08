//! Adam by the largest gradient.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid};

/// AdaMax: [`Adam`] with the norm of all gradients so far that counts nothing but the largest.
///
/// - m ← β₁·m + (1 − β₁)·g, u ← max(β₂·u, |g| + ε)
/// - p ← p − η·m̂ / u, with m̂ = m / (1 − β₁ᵗ), t counted from 1
///
/// Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 2, which has no ε; it stands
/// where PyTorch and Optax have it. Keras adds it to u.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adamax {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the largest gradient is forgotten, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
}

impl Default for Adamax {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self { beta1, beta2, eps }
    }
}

impl Adamax {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// P after `steps` steps: (1 − β₁ᵗ)·u; see [`Facts::preconditioner`].
    fn divisor(self, steps: u64, [_, u]: [f64; 2]) -> f64 {
        (1.0 - self.beta1.powf(steps as f64)) * u
    }
}

impl UpdateRule for Adamax {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let [correct1, _] = self.adam().corrections(step).map(F::of);
        let (beta1, new1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (beta2, lr, eps) = (F::of(self.beta2), F::of(step.lr), F::of(self.eps));
        #[inline(always)]
        move |p, g, [m, u]| {
            let m = beta1 * m + new1 * g;
            let (old, new) = (beta2 * u, g.abs() + eps);
            let u = if old > new { old } else { new };
            (p - lr * (m * correct1) / u, [m, u])
        }
    }
}

impl NamedRule for Adamax {
    const NAME: &'static str = "adamax";

    fn check(&self) -> Result<(), Invalid> {
        self.adam().check_as("adamax")
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
            preconditioner: Some(|rule, steps, state| rule.divisor(steps, [state[0], state[1]])),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
