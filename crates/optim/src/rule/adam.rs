//! Adam.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Adam: m and v are moving averages of the gradient and of its square, corrected for starting at zero.
///
/// - m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²
/// - p ← p − η·m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ), t counted from 1
///
/// Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1, as in PyTorch. Keras
/// follows the paper's remark before section 2.1, in which ε is not corrected with v.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

impl Adam {
    /// The same under the name of a rule built on this one.
    pub(super) fn check_as(&self, owner: &'static str) -> Result<(), Invalid> {
        invalid::fraction(owner, "beta1", self.beta1)?;
        invalid::fraction(owner, "beta2", self.beta2)?;
        invalid::positive(owner, "eps", self.eps)
    }

    /// P after `steps` steps, where v is `v`: (1 − β₁ᵗ)·(√v̂ + ε), so that the correction of m counts too.
    pub(super) fn divisor(self, steps: u64, v: f64) -> f64 {
        let [left1, left2] = [self.beta1, self.beta2].map(|beta| 1.0 - beta.powf(steps as f64));
        left1 * ((v / left2).sqrt() + self.eps)
    }

    /// How m and v move under a gradient, here and in the rules built on this one.
    pub(super) fn averages<F: Float>(self) -> impl Fn(F, [F; 2]) -> [F; 2] + Copy + Send + Sync {
        let (beta1, new1) = (F::of(self.beta1), F::of(1.0 - self.beta1));
        let (beta2, new2) = (F::of(self.beta2), F::of(1.0 - self.beta2));
        #[inline(always)]
        move |g, [m, v]| [beta1 * m + new1 * g, beta2 * v + new2 * g * g]
    }

    /// What makes m̂ of m, and v̂ of v.
    pub(super) fn corrections(self, step: Step) -> [f64; 2] {
        let t = (step.index + 1) as f64;
        [self.beta1, self.beta2].map(|beta| 1.0 / (1.0 - beta.powf(t)))
    }
}

impl UpdateRule for Adam {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let averages = self.averages::<F>();
        let [correct1, correct2] = self.corrections(step).map(F::of);
        let (lr, eps) = (F::of(step.lr), F::of(self.eps));
        #[inline(always)]
        move |p, g, [m, v]| {
            let [m, v] = averages(g, [m, v]);
            (p - lr * (m * correct1) / ((v * correct2).sqrt() + eps), [m, v])
        }
    }
}

impl NamedRule for Adam {
    const NAME: &'static str = "adam";

    fn check(&self) -> Result<(), Invalid> {
        self.check_as("adam")
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 3e-3,
            needs_rate: true,
            average: None,
            // Cohen et al., "Adaptive Gradient Methods at the Edge of Stability" (2022).
            stability: Some((2.0 + 2.0 * self.beta1) / (1.0 - self.beta1)),
            preconditioner: Some(|rule, steps, state| rule.divisor(steps, state[1])),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
