//! Gradients kept within bounds.

use super::Before;
use crate::Step;
use crate::drive::norm;
use downhill_core::Float;

/// Scales each gradient, then limits it to ±`limit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// What every gradient is multiplied by first: 1, or [`clip_norm_scale`].
    pub scale: f64,
    /// The largest absolute value let through; infinite to let all through.
    pub limit: f64,
}

impl Before for Clip {
    fn at<F: Float>(self, _: Step) -> impl Fn(F, F) -> (F, F) + Copy + Send + Sync {
        let (scale, limit) = (F::of(self.scale), F::of(self.limit));
        #[inline(always)]
        move |p, g| {
            let g = scale * g;
            // Written so that a gradient that is not a number stays one, to be seen.
            let g = if g > limit { limit } else { g };
            (p, if g < -limit { -limit } else { g })
        }
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
    scale_to(max, norm(grads, false))
}

/// What brings a norm down to `max`.
pub(crate) fn scale_to(max: f64, norm: f64) -> f64 {
    if norm > max { max / norm } else { 1.0 }
}
