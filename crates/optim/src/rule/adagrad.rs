//! AdaGrad.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid, invalid};

/// AdaGrad: each parameter's rate is divided by the root of all its squared gradients so far, so that rarely
/// moved parameters move further. The rate only ever falls.
///
/// h ← h + g², p ← p − η·g / (√h + ε)
///
/// Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"
/// (2011). As in PyTorch; Keras starts h at 0.1 (`initial=0.1`) and adds ε under the root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    /// ε, which keeps the division finite, above 0. Default 1e-10.
    pub eps: f64,
    /// What h starts from, 0 or above. Default 0.
    pub initial: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self { eps: 1e-10, initial: 0.0 }
    }
}

impl Adagrad {
    /// P: √h + ε; see [`Facts::preconditioner`].
    fn divisor(self, [h]: [f64; 1]) -> f64 {
        h.sqrt() + self.eps
    }
}

impl UpdateRule for Adagrad {
    type State<F: Float> = [F; 1];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 1]) -> (F, [F; 1]) + Copy + Send + Sync {
        let (lr, eps) = (F::of(step.lr), F::of(self.eps));
        #[inline(always)]
        move |p, g, [h]| {
            let h = h + g * g;
            (p - lr * g / (h.sqrt() + eps), [h])
        }
    }

    fn initial<F: Float>(self) -> [F; 1] {
        [F::of(self.initial)]
    }
}

impl NamedRule for Adagrad {
    const NAME: &'static str = "adagrad";

    fn check(&self) -> Result<(), Invalid> {
        invalid::positive("adagrad", "eps", self.eps)?;
        invalid::not_negative("adagrad", "initial", self.initial)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 0.03,
            needs_rate: true,
            average: None,
            stability: Some(2.0),
            preconditioner: Some(|rule, _, state| rule.divisor([state[0]])),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
