//! Schedule-free gradient descent and AdamW.

use serde::{Deserialize, Serialize};

use super::{Adam, Average, Facts, Memory, NamedRule, Ran, ReductionRule, Run, Scope, Step};
use downhill_core::{Float, Invalid, invalid};

/// Schedule-free gradient descent: an average of all points so far takes the place of a falling rate.
///
/// Gradients are taken at y, between the average x, which is what to evaluate and keep, and the point z,
/// which moves as in plain gradient descent. What trains is y;
/// [`Optimizer::evaluation`](crate::Optimizer::evaluation) gives x.
///
/// - z ← z − η·(g + λ·y)
/// - x ← (1 − c)·x + c·z, with c = w / Σw and w = tʳ·(the highest η so far)², t counted from 1
/// - y ← (1 − μ)·z + μ·x
///
/// Defazio et al., "The Road Less Scheduled" (2024), as in the authors' package `schedulefree`. A constant
/// rate, after a warmup, is what it is made for; the best is higher than a schedule's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleFreeSgd {
    /// μ, how near to the average gradients are taken, above 0 and below 1. Default 0.9.
    pub momentum: f64,
    /// λ, the weight of y in the step, 0 or above. Default 0.
    pub weight_decay: f64,
    /// r, by which power of the step later points weigh more, 0 or above. Default 0.
    pub r: f64,
    /// By which power of the rate points at a high rate weigh more, 0 or above. Default 2.
    pub lr_power: f64,
}

/// Schedule-free AdamW: as [`ScheduleFreeSgd`], with the gradient divided by the root of the average of its
/// square.
///
/// - v ← β₂·v + (1 − β₂)·g², z ← z − η·(g / (√v̂ + ε) + λ·y), with v̂ = v / (1 − β₂ᵗ)
/// - x and y as there, with β₁ for μ
///
/// Defazio et al., "The Road Less Scheduled" (2024), as in the authors' package `schedulefree`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleFreeAdamW {
    /// β₁, how near to the average gradients are taken, above 0 and below 1. Default 0.9.
    pub beta1: f64,
    /// β₂, how slowly the average of the gradient's square moves, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
    /// λ, the weight of y in the step, 0 or above. Default 0.
    pub weight_decay: f64,
    /// r, by which power of the step later points weigh more, 0 or above. Default 0.
    pub r: f64,
    /// By which power of the rate points at a high rate weigh more, 0 or above. Default 2.
    pub lr_power: f64,
}

impl Default for ScheduleFreeSgd {
    fn default() -> Self {
        Self { momentum: 0.9, weight_decay: 0.0, r: 0.0, lr_power: 2.0 }
    }
}

impl Default for ScheduleFreeAdamW {
    fn default() -> Self {
        let Adam { beta1, beta2, eps } = Adam::default();
        Self { beta1, beta2, eps, weight_decay: 0.0, r: 0.0, lr_power: 2.0 }
    }
}

/// What both have in common: the average, and how y lies between it and z.
#[derive(Clone, Copy)]
struct Averaging {
    beta: f64,
    r: f64,
    lr_power: f64,
    weight_decay: f64,
}

// The places in the memory: the sum of the weights so far, the highest rate so far, and the weight c of this
// step.
const SUM: usize = 0;
const HIGHEST: usize = 1;
const C: usize = 2;

impl Averaging {
    fn check(self, owner: &'static str, beta: &'static str) -> Result<(), Invalid> {
        // At 0 gradients would be taken at z, and x could not be told from y and z.
        invalid::ensure(owner, beta, self.beta, |x| x > 0.0 && x < 1.0, "above 0 and below 1")?;
        invalid::not_negative(owner, "weight-decay", self.weight_decay)?;
        invalid::not_negative(owner, "r", self.r)?;
        invalid::not_negative(owner, "lr-power", self.lr_power)
    }

    fn finalize(self, step: Step, memory: &mut Memory) {
        memory[HIGHEST] = memory[HIGHEST].max(step.lr);
        let weight = ((step.index + 1) as f64).powf(self.r) * memory[HIGHEST].powf(self.lr_power);
        memory[SUM] += weight;
        memory[C] = if memory[SUM] > 0.0 { weight / memory[SUM] } else { 0.0 };
    }

    /// y and z after a step along `d`.
    fn at<F: Float>(self, step: Step, memory: Memory) -> impl Fn(F, F, F) -> [F; 2] + Copy + Send + Sync {
        let c = memory[C];
        let (lr, decay) = (F::of(step.lr), F::of(step.decay * self.weight_decay));
        let (along, c, first) = (F::of(step.lr * (self.beta * (1.0 - c) - 1.0)), F::of(c), step.index == 0);
        #[inline(always)]
        move |y, z, d| {
            let z = if first { y } else { z };
            let d = d + decay * y;
            [y + c * (z - y) + along * d, z - lr * d]
        }
    }

    /// x, of y and z.
    fn average(self) -> Average {
        Average { slot: 0, share: 1.0 - 1.0 / self.beta }
    }
}

impl ScheduleFreeSgd {
    fn averaging(self) -> Averaging {
        let Self { momentum, weight_decay, r, lr_power } = self;
        Averaging { beta: momentum, r, lr_power, weight_decay }
    }
}

impl ReductionRule for ScheduleFreeSgd {
    /// z.
    type State<F: Float> = [F; 1];
    const SCOPE: Scope = Scope::Nothing;

    fn finalize(self, step: Step, _: [f64; 2], memory: &mut Memory) {
        self.averaging().finalize(step, memory);
    }

    fn at<F: Float>(
        self,
        step: Step,
        memory: Memory,
    ) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let update = self.averaging().at::<F>(step, memory);
        #[inline(always)]
        move |y, g, [z]| {
            let [y, z] = update(y, z, g);
            (y, [z])
        }
    }
}

impl NamedRule for ScheduleFreeSgd {
    const NAME: &'static str = "schedule-free-sgd";

    fn check(&self) -> Result<(), Invalid> {
        self.averaging().check("schedule-free-sgd", "momentum")
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.reduction(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 0.3,
            needs_rate: true,
            average: Some(self.averaging().average()),
            stability: None,
            preconditioner: None,
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        // The average depends on it.
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}

impl ScheduleFreeAdamW {
    fn averaging(self) -> Averaging {
        let Self { beta1, r, lr_power, weight_decay, .. } = self;
        Averaging { beta: beta1, r, lr_power, weight_decay }
    }
}

impl ReductionRule for ScheduleFreeAdamW {
    /// z and v.
    type State<F: Float> = [F; 2];
    const SCOPE: Scope = Scope::Nothing;

    fn finalize(self, step: Step, _: [f64; 2], memory: &mut Memory) {
        self.averaging().finalize(step, memory);
    }

    fn at<F: Float>(
        self,
        step: Step,
        memory: Memory,
    ) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let update = self.averaging().at::<F>(step, memory);
        let (beta2, new2, eps) = (F::of(self.beta2), F::of(1.0 - self.beta2), F::of(self.eps));
        let correct2 = F::of(1.0 / (1.0 - self.beta2.powf((step.index + 1) as f64)));
        #[inline(always)]
        move |y, g, [z, v]| {
            let v = beta2 * v + new2 * g * g;
            let [y, z] = update(y, z, g / ((v * correct2).sqrt() + eps));
            (y, [z, v])
        }
    }
}

impl NamedRule for ScheduleFreeAdamW {
    const NAME: &'static str = "schedule-free-adamw";

    fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "schedule-free-adamw";
        self.averaging().check(NAME, "beta1")?;
        invalid::fraction(NAME, "beta2", self.beta2)?;
        invalid::positive(NAME, "eps", self.eps)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.reduction(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 3e-3,
            needs_rate: true,
            average: Some(self.averaging().average()),
            stability: None,
            preconditioner: None,
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        // The average depends on it.
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}
