//! Adan.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Adan: Adam with Nesterov's momentum, estimated from how the gradient changes instead of at a point ahead.
///
/// - d = g − the last g, 0 in the first step
/// - m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·d, n ← β₃·n + (1 − β₃)·(g + β₂·d)²
/// - p ← (p − η·(m̂ + β₂·v̂) / (√n̂ + ε)) / (1 + η·λ), each corrected for starting at zero: m̂ = m / (1 −
///   β₁ᵗ), t counted from 1
///
/// Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models" (2022),
/// algorithm 1, as in the authors' code; the paper's β are 1 − these. It keeps four numbers a parameter.
/// Optax multiplies d by 1 − β₂ and decays as AdamW does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Adan {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.98.
    pub beta1: f64,
    /// β₂, how slowly the average of its change moves, and how much of that counts, in [0, 1). Default 0.92.
    pub beta2: f64,
    /// β₃, how slowly the average of the square moves, in [0, 1). Default 0.99.
    pub beta3: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
    /// λ, the strength of the decay, 0 or above. Default 0.02.
    pub weight_decay: f64,
}

impl Default for Adan {
    fn default() -> Self {
        Self { beta1: 0.98, beta2: 0.92, beta3: 0.99, eps: 1e-8, weight_decay: 0.02 }
    }
}

impl UpdateRule for Adan {
    /// m, v, n and the last g.
    type State<F: Float> = [F; 4];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 4]) -> (F, [F; 4]) + Copy + Send + Sync {
        let t = (step.index + 1) as f64;
        let betas = [self.beta1, self.beta2, self.beta3];
        let [beta1, beta2, beta3] = betas.map(F::of);
        let [new1, new2, new3] = betas.map(|beta| F::of(1.0 - beta));
        let [left1, left2, left3] = betas.map(|beta| 1.0 - beta.powf(t));
        let [rate1, rate2] = [step.lr / left1, step.lr * self.beta2 / left2].map(F::of);
        let (correct3, eps) = (F::of(1.0 / left3), F::of(self.eps));
        let keep = F::of(1.0 / (1.0 + step.decay * step.lr * self.weight_decay));
        let first = step.index == 0;
        #[inline(always)]
        move |p, g, [m, v, n, last]| {
            let d = if first { F::zero() } else { g - last };
            let m = beta1 * m + new1 * g;
            let v = beta2 * v + new2 * d;
            let ahead = g + beta2 * d;
            let n = beta3 * n + new3 * ahead * ahead;
            let p = (p - (rate1 * m + rate2 * v) / ((n * correct3).sqrt() + eps)) * keep;
            (p, [m, v, n, g])
        }
    }
}

impl NamedRule for Adan {
    const NAME: &'static str = "adan";

    fn check(&self) -> Result<(), Invalid> {
        for (key, beta) in [("beta1", self.beta1), ("beta2", self.beta2), ("beta3", self.beta3)] {
            invalid::fraction("adan", key, beta)?;
        }
        invalid::positive("adan", "eps", self.eps)?;
        invalid::not_negative("adan", "weight-decay", self.weight_decay)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 3e-3, needs_rate: true, average: None, stability: None, preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
