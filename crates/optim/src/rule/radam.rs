//! Rectified Adam.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid};

/// RAdam: [`Adam`] that trusts v as far as there are gradients behind it. The first few steps are momentum's,
/// without v at all, and the next ones are held back by a factor that rises to 1: a warmup that needs no
/// setting.
///
/// - m and v as in Adam, m̂ = m / (1 − β₁ᵗ), t counted from 1
/// - ρ∞ = 2/(1 − β₂) − 1, ρₜ = ρ∞ − 2t·β₂ᵗ/(1 − β₂ᵗ)
/// - if ρₜ > 5: p ← p − η·r·m̂·√(1 − β₂ᵗ) / (√v + ε), with r² = (ρₜ − 4)(ρₜ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρₜ)
/// - else: p ← p − η·m̂
///
/// Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (2020). The paper switches at ρₜ >
/// 4 and has no ε; the authors' code and PyTorch do it as here. Optax corrects v before it adds ε.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RAdam {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
}

impl Default for RAdam {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self { beta1, beta2, eps }
    }
}

impl RAdam {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// r at step t, or none if v is not to be trusted yet.
    fn rectification(self, t: f64) -> Option<f64> {
        let forgotten = self.beta2.powf(t);
        let limit = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = limit - 2.0 * t * forgotten / (1.0 - forgotten);
        let square = (rho - 4.0) * (rho - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * rho);
        (rho > 5.0).then(|| square.sqrt())
    }

    /// P after `steps` steps: that of Adam over r, or 1 − β₁ᵗ before v is trusted; see
    /// [`Facts::preconditioner`].
    fn divisor(self, steps: u64, [_, v]: [f64; 2]) -> f64 {
        let t = steps as f64;
        let [left1, left2] = [self.beta1, self.beta2].map(|beta| 1.0 - beta.powf(t));
        self.rectification(t).map_or(left1, |r| left1 * (v.sqrt() + self.eps) / (r * left2.sqrt()))
    }
}

impl UpdateRule for RAdam {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let averages = self.adam().averages::<F>();
        let [correct1, correct2] = self.adam().corrections(step);
        // Both forms are p − lr·m / (a·√v + b).
        let (lr, a, b) = match self.rectification((step.index + 1) as f64) {
            Some(r) => (step.lr * r * correct1 / correct2.sqrt(), 1.0, self.eps),
            None => (step.lr * correct1, 0.0, 1.0),
        };
        let [lr, a, b] = [lr, a, b].map(F::of);
        #[inline(always)]
        move |p, g, [m, v]| {
            let [m, v] = averages(g, [m, v]);
            (p - lr * m / (a * v.sqrt() + b), [m, v])
        }
    }
}

impl NamedRule for RAdam {
    const NAME: &'static str = "radam";

    fn check(&self) -> Result<(), Invalid> {
        self.adam().check_as("radam")
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
