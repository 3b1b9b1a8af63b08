//! What goes around a rule, fused into its one pass over memory.

mod clip;
mod decay;
mod ema;
mod penalty;

pub(crate) use clip::scale_to;
pub use clip::{Clip, clip_norm_scale};
pub use decay::Decay;
pub use ema::Averaged;
pub use penalty::Penalty;

use crate::{Step, UpdateRule};
use downhill_core::Float;

/// What happens to a parameter and its gradient before a rule sees them.
pub trait Before: Copy + Send + Sync {
    /// The arithmetic of one step on one parameter and its gradient.
    fn at<F: Float>(self, step: Step) -> impl Fn(F, F) -> (F, F) + Copy + Send + Sync;
}

/// One thing, then the other.
impl<A: Before, B: Before> Before for (A, B) {
    fn at<F: Float>(self, step: Step) -> impl Fn(F, F) -> (F, F) + Copy + Send + Sync {
        let (first, second) = (self.0.at::<F>(step), self.1.at::<F>(step));
        #[inline(always)]
        move |p, g| {
            let (p, g) = first(p, g);
            second(p, g)
        }
    }
}

/// Nothing.
impl Before for () {
    fn at<F: Float>(self, _: Step) -> impl Fn(F, F) -> (F, F) + Copy + Send + Sync {
        #[inline(always)]
        |p, g| (p, g)
    }
}

/// A rule that sees its parameters and gradients only after something has been done to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prepared<B, R> {
    /// What is done first.
    pub before: B,
    /// The rule.
    pub rule: R,
}

impl<B: Before, R: UpdateRule> UpdateRule for Prepared<B, R> {
    type State<F: Float> = R::State<F>;

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, R::State<F>) -> (F, R::State<F>) + Copy + Send + Sync {
        let (before, update) = (self.before.at::<F>(step), self.rule.at::<F>(step));
        #[inline(always)]
        move |p, g, state| {
            let (p, g) = before(p, g);
            update(p, g, state)
        }
    }

    fn initial<F: Float>(self) -> R::State<F> {
        self.rule.initial()
    }
}
