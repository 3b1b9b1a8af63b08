//! Penalties on the size of the weights.

use crate::{Float, Step, UpdateRule};

/// Adds the gradient of l1·|p| + l2/2·p² to each gradient: g + l1·sign(p) + l2·p.
///
/// L1 (lasso) pulls every weight towards zero by the same amount, L2 (ridge) in proportion; both together are the
/// elastic net.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalty<R> {
    /// The rule that gets the penalised gradient.
    pub rule: R,
    /// The weight of |p|, 0 or above.
    pub l1: f64,
    /// The weight of p²/2, 0 or above.
    pub l2: f64,
}

impl<R: UpdateRule> UpdateRule for Penalty<R> {
    type State<F: Float> = R::State<F>;

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, R::State<F>) -> (F, R::State<F>) + Copy + Send + Sync {
        let update = self.rule.at::<F>(step);
        let [l1, l2] = if step.decay { [F::of(self.l1), F::of(self.l2)] } else { [F::zero(); 2] };
        #[inline(always)]
        move |p, g, state| {
            let pull = if p > F::zero() { l1 } else { -l1 };
            let pull = if p == F::zero() { F::zero() } else { pull };
            update(p, g + pull + l2 * p, state)
        }
    }

    fn initial<F: Float>(self) -> R::State<F> {
        self.rule.initial()
    }
}
