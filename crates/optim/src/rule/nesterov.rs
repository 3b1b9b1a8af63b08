//! Momentum that looks ahead.

use serde::{Deserialize, Serialize};

use super::{Facts, Form, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Nesterov's accelerated gradient, written for gradients taken at the point looked ahead to.
///
/// - `velocity`: v ← μ·v − η·g, p ← p + μ·v − η·g
/// - `buffer`: b ← μ·b + g, p ← p − η·(g + μ·b)
///
/// Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)" (1983), in the
/// form of Sutskever et al. (2013), as in Keras; `form=buffer` is PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nesterov {
    /// μ, the share of the last step that is kept, in [0, 1). Default 0.9.
    pub momentum: f64,
    /// What carries the momentum. Default `velocity`.
    pub form: Form,
}

impl Default for Nesterov {
    fn default() -> Self {
        Self { momentum: 0.9, form: Form::Velocity }
    }
}

impl UpdateRule for Nesterov {
    type State<F: Float> = [F; 1];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let mu = F::of(self.momentum);
        // Both forms are s ← μ·s + a·g, p ← p + b·(μ·s + a·g): momentum, with one more step of it looked
        // ahead.
        let (a, b) = self.form.factors::<F>(step.lr);
        #[inline(always)]
        move |p, g, [s]| {
            let s = mu * s + a * g;
            (p + b * (mu * s + a * g), [s])
        }
    }
}

impl NamedRule for Nesterov {
    const NAME: &'static str = "nesterov";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("nesterov", "momentum", self.momentum)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 0.03,
            needs_rate: true,
            average: None,
            // Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability"
            // (2021), appendix B.
            stability: Some((2.0 + 2.0 * self.momentum) / (1.0 + 2.0 * self.momentum)),
            preconditioner: None,
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
