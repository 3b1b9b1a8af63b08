//! Plain gradient descent.

use serde::{Deserialize, Serialize};

use super::{Facts, NamedRule, Ran, Run, Step, UpdateRule};
use downhill_core::{Float, Invalid};

/// Gradient descent: a step against the slope, as long as the slope times the learning rate.
///
/// p ← p − η·g
///
/// ```
/// use downhill_optim::{Sgd, Step, UpdateRule};
///
/// let (mut p, rule) = ([1.0], Sgd {});
/// rule.step(Step::new(0, 0.1), &mut p, &[2.0], &mut rule.state(1));
/// assert_eq!(p, [0.8]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {}

impl UpdateRule for Sgd {
    type State<F: Float> = [F; 0];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 0]) -> (F, [F; 0]) + Copy + Send + Sync {
        let lr = F::of(step.lr);
        #[inline(always)]
        move |p, g, state| (p - lr * g, state)
    }
}

impl NamedRule for Sgd {
    const NAME: &'static str = "sgd";

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 0.1, needs_rate: true, average: None, stability: Some(2.0), preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}
