//! A moving average of the weights.

use crate::{Step, UpdateRule};
use downhill_core::Float;

/// A rule whose parameters are averaged on the way: e ← βₜ·e + (1 − βₜ)·p after step t, counted from 0, where
/// βₜ = min(β, t/(t + 2)).
///
/// The average is what to evaluate and keep; training goes on with the parameters themselves. Until βₜ has
/// come to β, the parameters after each step count in proportion to its number: Lacoste-Julien, Schmidt and
/// Bach, "A simpler approach to obtaining an O(1/t) convergence rate for the projected stochastic subgradient
/// method" (2012). From then on the weights of old steps fall exponentially: Polyak and Juditsky,
/// "Acceleration of stochastic approximation by averaging" (1992). So the average is worth something from the
/// first step on, as with TensorFlow's `ExponentialMovingAverage` and its `num_updates`. PyTorch's
/// `AveragedModel` and Keras's `use_ema` take β at once: there the first parameters weigh on the average
/// until a few times 1/(1 − β) steps are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averaged<R> {
    /// The rule.
    pub rule: R,
    /// β, how slowly the average moves once it has begun, in [0, 1).
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
        let steps = step.index as f64;
        let new = F::of(1.0 - self.decay.min(steps / (steps + 2.0)));
        #[inline(always)]
        move |p, g, (state, [e])| {
            let (p, state) = update(p, g, state);
            // Written so that the average of what does not move is what it is.
            (p, (state, [e + new * (p - e)]))
        }
    }

    fn initial<F: Float>(self) -> Self::State<F> {
        (self.rule.initial(), [F::zero()])
    }
}
