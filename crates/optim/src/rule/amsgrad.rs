//! AMSGrad.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid};

/// AMSGrad: [`Adam`], with the largest v so far in the place of v, so that no parameter's rate rises again.
///
/// - m and v as in Adam, w ← max(w, v)
/// - p ← p − η·m̂ / (√ŵ + ε), with m̂ = m / (1 − β₁ᵗ) and ŵ = w / (1 − β₂ᵗ), t counted from 1
///
/// Reddi, Kale, Kumar, "On the Convergence of Adam and Beyond" (2018); they leave the averages uncorrected.
/// Corrected as in PyTorch. Keras leaves ε uncorrected, as in its Adam; Optax takes the largest of the
/// corrected v̂.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmsGrad {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
}

impl Default for AmsGrad {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self { beta1, beta2, eps }
    }
}

impl AmsGrad {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// P after `steps` steps; see [`Facts::preconditioner`].
    fn divisor(self, steps: u64, [_, _, w]: [f64; 3]) -> f64 {
        self.adam().divisor(steps, w)
    }
}

impl UpdateRule for AmsGrad {
    type State<F: Float> = [F; 3];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 3]) -> (F, [F; 3]) + Copy + Send + Sync {
        let averages = self.adam().averages::<F>();
        let [correct1, correct2] = self.adam().corrections(step).map(F::of);
        let (lr, eps) = (F::of(step.lr), F::of(self.eps));
        #[inline(always)]
        move |p, g, [m, v, w]| {
            let [m, v] = averages(g, [m, v]);
            let w = if v > w { v } else { w };
            (p - lr * (m * correct1) / ((w * correct2).sqrt() + eps), [m, v, w])
        }
    }
}

impl NamedRule for AmsGrad {
    const NAME: &'static str = "amsgrad";

    fn check(&self) -> Result<(), Invalid> {
        self.adam().check_as("amsgrad")
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
            preconditioner: Some(|rule, steps, state| rule.divisor(steps, [state[0], state[1], state[2]])),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
