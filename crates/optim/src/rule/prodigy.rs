//! Prodigy.

use serde::{Deserialize, Serialize};

use super::{Adam, Facts, Memory, NamedRule, Ran, ReductionRule, Run, Scope, Step};
use downhill_core::{Float, Invalid, invalid};

/// Prodigy: AdamW that estimates the distance d from the start to the solution on the way, and steps in
/// proportion to it; the learning rate, best left at 1 or at a schedule down from 1, only scales it.
///
/// - r ← β₃·r + (d/d₀)·γ·⟨g, p₀ − p⟩, s ← β₃·s + (d/d₀)·γ·g, with γ = η·d and β₃ = √β₂
/// - m ← β₁·m + (1 − β₁)·d·g, v ← β₂·v + (1 − β₂)·d²·g²
/// - p ← (1 − γ·λ)·p − γ·m / (√v + d·ε)
/// - d ← max(d, c·r / ‖s‖₁), at most `growth-rate` times the last one
///
/// Mishchenko and Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner" (2024), in the form of
/// the authors' package `prodigyopt`, in which a step still uses the d from before it. It keeps four numbers
/// a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prodigy {
    /// β₁, how slowly the average of the gradient moves, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of its square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
    /// λ, decoupled weight decay, 0 or above. Default 0.
    pub weight_decay: f64,
    /// d₀, the first estimate, above 0 and far too small. Default 1e-6.
    pub d0: f64,
    /// c, what the estimate is multiplied by, above 0. Default 1.
    pub d_coef: f64,
    /// The most that the estimate may grow by in a step, above 1. Default: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_rate: Option<f64>,
    /// Whether γ is corrected as in Adam, by √(1 − β₂ᵗ) / (1 − β₁ᵗ). Default false.
    pub bias_correction: bool,
    /// Leaves the rate out of s, so that a long warmup does not blow the estimate up. Default false.
    pub safeguard_warmup: bool,
}

impl Default for Prodigy {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self {
            beta1,
            beta2,
            eps,
            weight_decay: 0.0,
            d0: 1e-6,
            d_coef: 1.0,
            growth_rate: None,
            bias_correction: false,
            safeguard_warmup: false,
        }
    }
}

// The places in the memory: the estimate, the largest one so far, r, and the estimate that the step under way
// uses.
const D: usize = 0;
const LARGEST: usize = 1;
const R: usize = 2;
const IN_USE: usize = 3;

impl Prodigy {
    fn adam(self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// γ, the rate times the estimate.
    fn rate(self, step: Step, d: f64) -> f64 {
        let [correct1, correct2] = self.adam().corrections(step);
        let correction = if self.bias_correction { correct1 / correct2.sqrt() } else { 1.0 };
        step.lr * d * correction
    }
}

impl ReductionRule for Prodigy {
    /// m, v, s and p₀.
    type State<F: Float> = [F; 4];
    const SCOPE: Scope = Scope::Model;

    fn memory(self) -> Memory {
        [self.d0, self.d0, 0.0, self.d0]
    }

    fn accumulate<F: Float>(
        self,
        step: Step,
        memory: Memory,
    ) -> impl Fn(F, F, [F; 4]) -> ([F; 4], [F; 2]) + Copy + Send + Sync {
        let d = memory[D];
        let (averages, beta3) = (self.adam().averages::<F>(), F::of(self.beta2.sqrt()));
        let rate = d / self.d0 * self.rate(step, d);
        // What is held still says nothing of the distance.
        let weight = if self.safeguard_warmup && step.lr > 0.0 { d / self.d0 * d } else { rate };
        let weight = F::of(weight);
        let (rate, d, first) = (F::of(rate), F::of(d), step.index == 0);
        #[inline(always)]
        move |p, g, [m, v, s, start]| {
            let start = if first { p } else { start };
            let [m, v] = averages(d * g, [m, v]);
            let s = beta3 * s + weight * g;
            ([m, v, s, start], [rate * (g * (start - p)), s.abs()])
        }
    }

    fn finalize(self, step: Step, [along, s]: [f64; 2], memory: &mut Memory) {
        let d = memory[D];
        memory[IN_USE] = d;
        // Without any gradient, or any rate, nothing has been learnt.
        if s == 0.0 || step.lr == 0.0 {
            return;
        }
        memory[R] = self.beta2.sqrt() * memory[R] + along;
        let estimate = self.d_coef * memory[R] / s;
        let first = if d == self.d0 { d.max(estimate) } else { d };
        memory[LARGEST] = memory[LARGEST].max(estimate);
        memory[D] = memory[LARGEST].min(first * self.growth_rate.unwrap_or(f64::INFINITY));
    }

    fn at<F: Float>(
        self,
        step: Step,
        memory: Memory,
    ) -> impl Fn(F, F, [F; 4]) -> (F, [F; 4]) + Copy + Send + Sync {
        let d = memory[IN_USE];
        let rate = self.rate(step, d);
        let keep = F::of(1.0 - step.decay * rate * self.weight_decay);
        // The authors' code divides by the new estimate's ε.
        let (rate, floor) = (F::of(rate), F::of(memory[D] * self.eps));
        #[inline(always)]
        move |p, _, [m, v, s, start]| (keep * p - rate * m / (v.sqrt() + floor), [m, v, s, start])
    }
}

impl NamedRule for Prodigy {
    const NAME: &'static str = "prodigy";

    fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "prodigy";
        self.adam().check_as(NAME)?;
        invalid::not_negative(NAME, "weight-decay", self.weight_decay)?;
        invalid::positive(NAME, "d0", self.d0)?;
        invalid::positive(NAME, "d-coef", self.d_coef)?;
        self.growth_rate
            .map_or(Ok(()), |rate| invalid::ensure(NAME, "growth-rate", rate, |rate| rate > 1.0, "above 1"))
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.reduction(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 1.0,
            // It finds its own.
            needs_rate: false,
            average: None,
            stability: None,
            preconditioner: None,
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        // The estimate of the distance depends on it.
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
