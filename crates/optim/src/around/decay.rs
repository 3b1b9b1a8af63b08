//! Decoupled weight decay around any rule.

use crate::{Float, Step, UpdateRule};

/// Shrinks parameters beside the rule's step: p ← (1 − η·λ)·p, then the rule.
///
/// Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019). For plain gradient descent it equals the L2
/// penalty; for rules that divide by the size of the gradient it does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoupledDecay<R> {
    /// The rule that makes the step.
    pub rule: R,
    /// λ, 0 or above.
    pub decay: f64,
}

impl<R: UpdateRule> UpdateRule for DecoupledDecay<R> {
    type State<F: Float> = R::State<F>;

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, R::State<F>) -> (F, R::State<F>) + Copy + Send + Sync {
        let update = self.rule.at::<F>(step);
        let keep = F::of(step.keep(self.decay));
        #[inline(always)]
        move |p, g, state| update(p * keep, g, state)
    }

    fn initial<F: Float>(self) -> R::State<F> {
        self.rule.initial()
    }
}
