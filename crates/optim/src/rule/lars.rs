//! LARS.

use serde::{Deserialize, Serialize};

use super::{Facts, Memory, NamedRule, Ran, ReductionRule, Run, Scope, Step};
use downhill_core::{Float, Invalid, invalid};

/// LARS: momentum, with a rate of its own for each weight tensor, so that the step is a fixed share of the
/// tensor's norm.
///
/// - r = κ·‖p‖ / (‖g‖ + λ·‖p‖) for a tensor of weights in which neither norm is 0, otherwise 1
/// - v ← μ·v + η·r·(g + λ·p), p ← p − v
///
/// You, Gitman and Ginsburg, "Large Batch Training of Convolutional Networks" (2017). Optax divides by ‖g +
/// λ·p‖, which is the same without decay. Biases and normalisation keep the plain rate, as is usual.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lars {
    /// μ, the share of the last step that is kept, in [0, 1). Default 0.9.
    pub momentum: f64,
    /// λ, the weight of p in the step, 0 or above. Default 0.
    pub weight_decay: f64,
    /// κ, the share of a tensor's norm that a step at a rate of 1 makes, above 0. Default 0.001.
    pub trust: f64,
}

impl Default for Lars {
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 0.0, trust: 1e-3 }
    }
}

impl ReductionRule for Lars {
    type State<F: Float> = [F; 1];
    const SCOPE: Scope = Scope::Tensor;

    fn accumulate<F: Float>(
        self,
        _: Step,
        _: Memory,
    ) -> impl Fn(F, F, [F; 1]) -> ([F; 1], [F; 2]) + Copy + Send + Sync {
        #[inline(always)]
        |p, g, v| (v, [p * p, g * g])
    }

    fn finalize(self, step: Step, sums: [f64; 2], memory: &mut Memory) {
        let [p, g] = sums.map(f64::sqrt);
        let adapts = step.weights && p > 0.0 && g > 0.0;
        memory[0] = if adapts { self.trust * p / (g + step.decay * self.weight_decay * p) } else { 1.0 };
    }

    fn at<F: Float>(
        self,
        step: Step,
        [ratio, ..]: Memory,
    ) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let (mu, decay) = (F::of(self.momentum), F::of(step.decay * self.weight_decay));
        let rate = F::of(step.lr * ratio);
        #[inline(always)]
        move |p, g, [v]| {
            let v = mu * v + rate * (g + decay * p);
            (p - v, [v])
        }
    }
}

impl NamedRule for Lars {
    const NAME: &'static str = "lars";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("lars", "momentum", self.momentum)?;
        invalid::not_negative("lars", "weight-decay", self.weight_decay)?;
        invalid::positive("lars", "trust", self.trust)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.reduction(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 1.0, needs_rate: true, average: None, stability: None, preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
