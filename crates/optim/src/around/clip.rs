//! Gradients kept within bounds.

use crate::{Float, Step, UpdateRule};

/// Scales each gradient, then limits it to ±`limit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipValue<R> {
    /// The rule that gets the clipped gradient.
    pub rule: R,
    /// What every gradient is multiplied by first: 1, or [`clip_norm_scale`].
    pub scale: f64,
    /// The largest absolute value let through; infinite to let all through.
    pub limit: f64,
}

impl<R: UpdateRule> UpdateRule for ClipValue<R> {
    type State<F: Float> = R::State<F>;

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, R::State<F>) -> (F, R::State<F>) + Copy + Send + Sync {
        let update = self.rule.at::<F>(step);
        let (scale, limit) = (F::of(self.scale), F::of(self.limit));
        #[inline(always)]
        move |p, g, state| {
            let g = scale * g;
            // Written so that a gradient that is not a number stays one, to be seen.
            let g = if g > limit { limit } else { g };
            update(p, if g < -limit { -limit } else { g }, state)
        }
    }

    fn initial<F: Float>(self) -> R::State<F> {
        self.rule.initial()
    }
}

/// What to multiply gradients by so that their Euclidean norm is at most `max`: min(1, max / ‖g‖).
///
/// Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks" (2013).
///
/// ```
/// use downhill_optim::clip_norm_scale;
///
/// assert_eq!(clip_norm_scale(&[3.0f32, 4.0], 1.0), 0.2);
/// assert_eq!(clip_norm_scale(&[3.0f32, 4.0], 9.0), 1.0);
/// ```
pub fn clip_norm_scale<F: Float>(grads: &[F], max: f64) -> f64 {
    let norm = crate::simd::sum_of_squares(grads).sqrt();
    if norm > max { max / norm } else { 1.0 }
}
