//! Decoupled weight decay around any rule.

use super::Before;
use crate::Step;
use downhill_core::Float;

/// Shrinks parameters beside the rule's step: p ← (1 − η·λ − λ′)·p, then the rule.
///
/// Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019). For plain gradient descent λ equals
/// the L2 penalty; for rules that divide by the size of the gradient it does not. λ follows the rate, as in
/// PyTorch, Keras and Optax; λ′ does not, which is the form of the paper: Wortsman et al., "Small-scale
/// proxies for large-scale Transformer training instabilities" (2023), found that it makes the best rate
/// depend less on everything else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// λ, the share that is taken away at a rate of 1, 0 or above.
    pub decay: f64,
    /// λ′, the share that is taken away at every step, whatever the rate, in [0, 1).
    pub independent: f64,
}

impl Before for Decay {
    fn at<F: Float>(self, step: Step) -> impl Fn(F, F) -> (F, F) + Copy + Send + Sync {
        let keep = F::of(step.keep(self.decay) - step.decay * self.independent);
        #[inline(always)]
        move |p, g| (p * keep, g)
    }
}
