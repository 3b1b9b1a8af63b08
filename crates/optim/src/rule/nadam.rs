//! Adam that looks ahead.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// NAdam: [`Adam`] with Nesterov's look ahead, and a momentum that rises on the way.
///
/// - μₜ = β₁·(1 − ½·0.96^(ψ·t)), t counted from 1; m and v as in Adam
/// - m̂ = μₜ₊₁·m / (1 − μ₁⋯μₜ₊₁) + (1 − μₜ)·g / (1 − μ₁⋯μₜ), v̂ = v / (1 − β₂ᵗ)
/// - p ← p − η·m̂ / (√v̂ + ε)
///
/// Dozat, "Incorporating Nesterov Momentum into Adam" (2016), with its ψ of 1/250, as in PyTorch. Keras has ψ
/// = 1 and ε = 1e-7; Optax keeps the momentum at β₁.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NAdam {
    /// β₁, how slowly the average of the gradient moves and where the momentum rises to, in [0, 1). Default
    /// 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
    /// ψ, how fast the momentum rises from β₁/2 to β₁, 0 or above. Default 0.004.
    pub momentum_decay: f64,
}

impl Default for NAdam {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self { beta1, beta2, eps, momentum_decay: 0.004 }
    }
}

impl NAdam {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// ln q, where qᵗ = 0.96^(ψ·t).
    fn ln_q(self) -> f64 {
        self.momentum_decay * 0.96f64.ln()
    }

    /// μₜ.
    fn momentum(self, t: f64) -> f64 {
        self.beta1 * (1.0 - 0.5 * (t * self.ln_q()).exp())
    }

    /// μ₁⋯μₜ, without going through them.
    ///
    /// ln(1 − x) = −Σₖ xᵏ/k at x = ½qⁱ, summed over i = 1…t as a geometric series, gives
    /// ln(μ₁⋯μₜ) = t·ln β₁ − Σₖ ½ᵏ/k · qᵏ·(1 − qᵏᵗ)/(1 − qᵏ).
    fn momentums(self, t: f64) -> f64 {
        let most = self.beta1.powf(t);
        if most < 1e-17 {
            return most; // no less than the product, and nothing beside the 1 it is taken from
        }
        let term = |k: i32| {
            let ln_qk = f64::from(k) * self.ln_q();
            let sum = if ln_qk < 0.0 { ln_qk.exp() * (t * ln_qk).exp_m1() / ln_qk.exp_m1() } else { t };
            0.5f64.powi(k) / f64::from(k) * sum
        };
        most * (-(1..=60).map(term).sum::<f64>()).exp()
    }
}

impl UpdateRule for NAdam {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let t = (step.index + 1) as f64;
        let averages = self.adam().averages::<F>();
        let [_, correct2] = self.adam().corrections(step).map(F::of);
        let (now, next, product) = (self.momentum(t), self.momentum(t + 1.0), self.momentums(t));
        let old = F::of(next / (1.0 - product * next));
        let new = F::of((1.0 - now) / (1.0 - product));
        let (lr, eps) = (F::of(step.lr), F::of(self.eps));
        #[inline(always)]
        move |p, g, [m, v]| {
            let [m, v] = averages(g, [m, v]);
            (p - lr * (old * m + new * g) / ((v * correct2).sqrt() + eps), [m, v])
        }
    }
}

impl NamedRule for NAdam {
    const NAME: &'static str = "nadam";

    fn check(&self) -> Result<(), Invalid> {
        self.adam().check_as("nadam")?;
        invalid::not_negative("nadam", "momentum-decay", self.momentum_decay)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 3e-3, needs_rate: true, average: None, stability: None, preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        // Its momentum has a schedule of its own.
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
