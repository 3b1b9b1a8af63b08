//! Gradient descent with momentum.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// Which quantity carries the momentum. The two differ exactly when the learning rate changes on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The velocity holds steps already scaled by the rate of their time: Polyak, Sutskever, Keras.
    #[default]
    Velocity,
    /// The buffer holds gradients, and the whole of it is scaled by the rate of now: PyTorch, Optax.
    Buffer,
}

/// Momentum: the step keeps a share μ of the step before, so that steps which agree add up and steps which
/// zigzag cancel.
///
/// - `velocity`: v ← μ·v − η·g, p ← p + v
/// - `buffer`: b ← μ·b + g, p ← p − η·b
///
/// Polyak, "Some methods of speeding up the convergence of iteration methods" (1964); Sutskever et al., "On
/// the importance of initialization and momentum in deep learning" (2013).
///
/// ```
/// use downhill_optim::{Momentum, Step, UpdateRule};
///
/// let rule = Momentum { momentum: 0.5, ..Momentum::default() };
/// let (mut p, mut state) = ([1.0], rule.state(1));
/// rule.step(Step::new(0, 0.1), &mut p, &[2.0], &mut state); // v = −0.2
/// rule.step(Step::new(1, 0.1), &mut p, &[0.0], &mut state); // v = −0.1
/// assert!((p[0] - 0.7f64).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Momentum {
    /// μ, the share of the last step that is kept, in [0, 1). Default 0.9.
    pub momentum: f64,
    /// What carries the momentum. Default `velocity`.
    pub form: Form,
}

impl Default for Momentum {
    fn default() -> Self {
        Self { momentum: 0.9, form: Form::Velocity }
    }
}

impl UpdateRule for Momentum {
    type State<F: Float> = [F; 1];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let mu = F::of(self.momentum);
        // Both forms are s ← μ·s + a·g, p ← p + b·s.
        let (a, b) = self.form.factors::<F>(step.lr);
        #[inline(always)]
        move |p, g, [s]| {
            let s = mu * s + a * g;
            (p + b * s, [s])
        }
    }
}

impl NamedRule for Momentum {
    const NAME: &'static str = "momentum";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("momentum", "momentum", self.momentum)
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
            stability: Some(2.0 + 2.0 * self.momentum),
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

impl Form {
    /// What scales the gradient on its way into the state, and the state on its way into the parameter.
    pub(super) fn factors<F: Float>(self, lr: f64) -> (F, F) {
        match self {
            Self::Velocity => (F::of(-lr), F::one()),
            Self::Buffer => (F::one(), F::of(-lr)),
        }
    }
}
