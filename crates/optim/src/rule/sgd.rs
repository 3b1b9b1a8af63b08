//! Plain gradient descent.

use serde::{Deserialize, Serialize};

use super::{Step, UpdateRule};
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

impl Sgd {
    /// Nothing to check: the rule has no setting.
    pub fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl UpdateRule for Sgd {
    type State<F: Float> = [F; 0];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 0]) -> (F, [F; 0]) + Copy + Send + Sync {
        let lr = F::of(step.lr);
        #[inline(always)]
        move |p, g, state| (p - lr * g, state)
    }
}
