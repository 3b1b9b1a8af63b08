//! RMSProp.

use serde::{Deserialize, Serialize};

use super::{Facts, Form, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// RMSProp: AdaGrad that forgets. The rate is divided by the root of a moving average of the squared
/// gradients.
///
/// - h ← ρ·h + (1 − ρ)·g², p ← p − η·g / (√h + ε)
/// - `centered`: ḡ ← ρ·ḡ + (1 − ρ)·g, and h − ḡ², the variance, in the place of h
/// - `momentum`: v ← μ·v − η·g / (√h + ε), p ← p + v; or with `form=buffer`: b ← μ·b + g / (√h + ε), p ← p −
///   η·b
///
/// Tieleman and Hinton, "Lecture 6.5: rmsprop" (Coursera, 2012), with their ρ = 0.9; PyTorch calls it `alpha`
/// and starts from 0.99. Centred and with momentum: Graves, "Generating Sequences With Recurrent Neural
/// Networks" (2013). ε stands outside the root, as in PyTorch; Keras adds it under the root. The momentum is
/// the velocity's, as in Keras, unless `form=buffer` makes it PyTorch's.
///
/// As a rule of its own it keeps three numbers a parameter; inside [`Rule`](crate::Rule), only those its
/// settings need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// ρ, how slowly the averages move, in [0, 1). Default 0.9.
    pub rho: f64,
    /// ε, which keeps the division finite, above 0. Default 1e-8.
    pub eps: f64,
    /// Whether the gradient's mean is taken out of its average square. Default `false`.
    pub centered: bool,
    /// μ, the share of the last step that is kept, in [0, 1). Default 0.
    pub momentum: f64,
    /// What carries the momentum. Default `velocity`.
    pub form: Form,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { rho: 0.9, eps: 1e-8, centered: false, momentum: 0.0, form: Form::Velocity }
    }
}

impl RmsProp {
    /// P: √h + ε, or √(h − ḡ²) + ε if centred; see [`Facts::preconditioner`].
    fn divisor(self, state: &[f64]) -> f64 {
        let mean = if self.centered { state[1] } else { 0.0 };
        (state[0] - mean * mean).max(0.0).sqrt() + self.eps
    }
}

impl UpdateRule for RmsProp {
    type State<F: Float> = [F; 3];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 3]) -> (F, [F; 3]) + Copy + Send + Sync {
        let eps = F::of(self.eps);
        let (rho, new) = (F::of(self.rho), F::of(1.0 - self.rho));
        let mu = F::of(self.momentum);
        let (a, b) = self.form.factors::<F>(step.lr);
        #[inline(always)]
        move |p, g, [h, mean, s]| {
            let h = rho * h + new * g * g;
            let mean = if self.centered { rho * mean + new * g } else { mean };
            let variance = if self.centered { h - mean * mean } else { h };
            // Gradients that hardly change leave nothing, or by rounding less.
            let variance = if variance < F::zero() { F::zero() } else { variance };
            let change = a * g / (variance.sqrt() + eps);
            let s = if self.momentum > 0.0 { mu * s + change } else { change };
            (p + b * s, [h, mean, s])
        }
    }
}

impl NamedRule for RmsProp {
    const NAME: &'static str = "rmsprop";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("rmsprop", "rho", self.rho)?;
        invalid::positive("rmsprop", "eps", self.eps)?;
        invalid::fraction("rmsprop", "momentum", self.momentum)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => run.update(Trimmed::<false, false, 1>(self)),
            (true, false) => run.update(Trimmed::<true, false, 2>(self)),
            (false, true) => run.update(Trimmed::<false, true, 2>(self)),
            (true, true) => run.update(self),
        }
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 1e-3,
            needs_rate: true,
            average: None,
            stability: Some(2.0 + 2.0 * self.momentum),
            preconditioner: Some(|rule, _, state| rule.divisor(state)),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        // Without momentum it has no room to begin one.
        Some(&mut self.momentum).filter(|momentum| **momentum > 0.0)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}

/// [`RmsProp`] without the numbers that its settings leave unused: it is `CENTERED` or not, has `MOMENTUM` or
/// not, and keeps `N` numbers.
#[derive(Clone, Copy, Debug)]
struct Trimmed<const CENTERED: bool, const MOMENTUM: bool, const N: usize>(RmsProp);

impl<const CENTERED: bool, const MOMENTUM: bool, const N: usize> UpdateRule
    for Trimmed<CENTERED, MOMENTUM, N>
{
    type State<F: Float> = [F; N];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; N]) -> (F, [F; N]) + Copy + Send + Sync {
        let momentum = if MOMENTUM { self.0.momentum } else { 0.0 };
        let update = RmsProp { centered: CENTERED, momentum, ..self.0 }.at::<F>(step);
        #[inline(always)]
        move |p, g, mut state| {
            let mean = if CENTERED { state[1] } else { F::zero() };
            let last = if MOMENTUM { state[N - 1] } else { F::zero() };
            let (p, [h, mean, last]) = update(p, g, [state[0], mean, last]);
            state[0] = h;
            if CENTERED {
                state[1] = mean;
            }
            if MOMENTUM {
                state[N - 1] = last;
            }
            (p, state)
        }
    }
}
