//! Penalties on the size of the weights.

use super::Before;
use crate::Step;
use downhill_core::Float;

/// Adds the gradient of l1·|p| + l2/2·p² to each gradient: g + l1·sign(p) + l2·p.
///
/// L1 (lasso) pulls every weight towards zero by the same amount, L2 (ridge) in proportion; both together are
/// the elastic net.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty {
    /// The weight of |p|, 0 or above.
    pub l1: f64,
    /// The weight of p²/2, 0 or above.
    pub l2: f64,
}

impl Before for Penalty {
    fn at<F: Float>(self, step: Step) -> impl Fn(F, F) -> (F, F) + Copy + Send + Sync {
        let [l1, l2] = [self.l1, self.l2].map(|weight| F::of(step.decay * weight));
        #[inline(always)]
        move |p, g| {
            let pull = if p > F::zero() { l1 } else { -l1 };
            let pull = if p == F::zero() { F::zero() } else { pull };
            (p, g + pull + l2 * p)
        }
    }
}
