//! A moving average of the weights.

use crate::{Float, Step, UpdateRule};

/// A rule whose parameters are averaged on the way: e ← β·e + (1 − β)·p after each step, e being p after the first.
///
/// The average is what to evaluate and keep; training goes on with the parameters themselves. Polyak and Juditsky,
/// "Acceleration of stochastic approximation by averaging" (1992), with exponentially falling weights; as PyTorch's
/// `AveragedModel` with `get_ema_multi_avg_fn`, and Keras's `use_ema`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averaged<R> {
    /// The rule.
    pub rule: R,
    /// β, how slowly the average moves, in [0, 1).
    pub decay: f64,
}

impl<R: UpdateRule> UpdateRule for Averaged<R> {
    /// The rule's own, and the average behind it.
    type State<F: Float> = (R::State<F>, [F; 1]);

    fn at<F: Float>(
        self,
        step: Step,
    ) -> impl Fn(F, F, Self::State<F>) -> (F, Self::State<F>) + Copy + Send + Sync {
        let update = self.rule.at::<F>(step);
        let decay = if step.index == 0 { 0.0 } else { self.decay };
        let (decay, new) = (F::of(decay), F::of(1.0 - decay));
        #[inline(always)]
        move |p, g, (state, [e])| {
            let (p, state) = update(p, g, state);
            (p, (state, [decay * e + new * p]))
        }
    }

    fn initial<F: Float>(self) -> Self::State<F> {
        (self.rule.initial(), [F::zero()])
    }
}
