//! Adadelta.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Adadelta: steps as large as the last ones were, relative to the gradients as large as the last ones were,
/// so that they have the units of the parameter and no rate needs to be set.
///
/// - h ← ρ·h + (1 − ρ)·g²
/// - Δ = √((d + ε) / (h + ε)) · g, p ← p − η·Δ
/// - d ← ρ·d + (1 − ρ)·Δ²
///
/// Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012), with the ρ and ε of its experiments; there η
/// is 1. PyTorch starts from ρ = 0.9, Keras from ε = 1e-7.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adadelta {
    /// ρ, how slowly the averages move, in [0, 1). Default 0.95.
    pub rho: f64,
    /// ε, which keeps the division finite and sets the size of the first steps, above 0. Default 1e-6.
    pub eps: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self { rho: 0.95, eps: 1e-6 }
    }
}

impl Adadelta {
    /// P: √((h + ε) / (d + ε)); see [`Facts::preconditioner`].
    fn divisor(self, [h, d]: [f64; 2]) -> f64 {
        ((h + self.eps) / (d + self.eps)).sqrt()
    }
}

impl UpdateRule for Adadelta {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let (lr, eps) = (F::of(step.lr), F::of(self.eps));
        let (rho, new) = (F::of(self.rho), F::of(1.0 - self.rho));
        #[inline(always)]
        move |p, g, [h, d]| {
            let h = rho * h + new * g * g;
            let delta = ((d + eps) / (h + eps)).sqrt() * g;
            (p - lr * delta, [h, rho * d + new * delta * delta])
        }
    }
}

impl NamedRule for Adadelta {
    const NAME: &'static str = "adadelta";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("adadelta", "rho", self.rho)?;
        invalid::positive("adadelta", "eps", self.eps)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 1.0,
            // It has none but 1.
            needs_rate: false,
            average: None,
            stability: Some(2.0),
            preconditioner: Some(|rule, _, state| rule.divisor([state[0], state[1]])),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
