//! Plain gradient descent.

use serde::{Deserialize, Serialize};

use super::{Average, NamedRule, Preconditioner, Ran, Run, Step, UpdateRule};
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

    fn usual_rate(&self) -> f64 {
        0.1
    }

    fn needs_rate(&self) -> bool {
        true
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }

    fn average(&self) -> Option<Average> {
        None
    }

    fn stability(&self) -> Option<f64> {
        Some(2.0)
    }

    fn preconditioner(&self) -> Option<Preconditioner<Self>> {
        None
    }
}
