//! LAMB.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, Memory, NamedRule, Ran, ReductionRule, Run, Scope, Step};
use downhill_core::{Float, Invalid, invalid};

/// LAMB: Adam's direction, scaled for each weight tensor to the tensor's own norm.
///
/// - m, v, m̂ and v̂ as in [`Adam`]
/// - u = m̂ / (√v̂ + ε) + λ·p
/// - p ← p − η·(‖p‖ / ‖u‖)·u; the ratio is 1 where a norm is 0
///
/// You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes" (2020), algorithm 2,
/// as in Optax and Keras, but that biases and normalisation are neither decayed nor scaled, as is usual.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lamb {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-6.
    pub eps: f64,
    /// λ, the weight of p in the step, 0 or above. Default 0.01.
    pub weight_decay: f64,
}

impl Default for Lamb {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-6, weight_decay: 0.01 }
    }
}

impl Lamb {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// u, of a parameter and of m and v after they have moved.
    fn direction<F: Float>(self, step: Step) -> impl Fn(F, [F; 2]) -> F + Copy + Send + Sync {
        let [correct1, correct2] = self.adam().corrections(step).map(F::of);
        let (eps, decay) = (F::of(self.eps), F::of(step.decay * self.weight_decay));
        #[inline(always)]
        move |p, [m, v]| m * correct1 / ((v * correct2).sqrt() + eps) + decay * p
    }
}

impl ReductionRule for Lamb {
    type State<F: Float> = [F; 2];
    const SCOPE: Scope = Scope::Tensor;

    fn accumulate<F: Float>(
        self,
        step: Step,
        _: Memory,
    ) -> impl Fn(F, F, [F; 2]) -> ([F; 2], [F; 2]) + Copy + Send + Sync {
        let (averages, direction) = (self.adam().averages::<F>(), self.direction::<F>(step));
        #[inline(always)]
        move |p, g, state| {
            let state = averages(g, state);
            let u = direction(p, state);
            (state, [p * p, u * u])
        }
    }

    fn finalize(self, step: Step, sums: [f64; 2], memory: &mut Memory) {
        let [p, u] = sums.map(f64::sqrt);
        memory[0] = if step.weights && p > 0.0 && u > 0.0 { p / u } else { 1.0 };
    }

    fn at<F: Float>(
        self,
        step: Step,
        [ratio, ..]: Memory,
    ) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let (direction, rate) = (self.direction::<F>(step), F::of(step.lr * ratio));
        #[inline(always)]
        move |p, _, state| (p - rate * direction(p, state), state)
    }
}

impl NamedRule for Lamb {
    const NAME: &'static str = "lamb";

    fn check(&self) -> Result<(), Invalid> {
        self.adam().check_as("lamb")?;
        invalid::not_negative("lamb", "weight-decay", self.weight_decay)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.reduction(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 0.01, needs_rate: true, average: None, stability: None, preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
