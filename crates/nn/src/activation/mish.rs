//! Mish.

use super::{Pointwise, sigmoid::sigmoid, softplus::softplus};
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// x·tanh(softplus(x)), where softplus(x) = ln(1 + eˣ).
///
/// Misra, [Mish: a self regularized non-monotonic activation function][paper], 2019.
///
/// [paper]: https://arxiv.org/abs/1908.08681
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mish {}

impl Pointwise for Mish {
    const FROM_OUTPUT: bool = false;

    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        x * softplus(x).fast_tanh()
    }

    #[inline(always)]
    fn derivative<F: Float>(self, x: F) -> F {
        self.both(x).1
    }

    fn second(self, x: f64) -> f64 {
        let (s, t) = (sigmoid(x), softplus(x).tanh());
        (1.0 - t * t) * s * (2.0 + x * (1.0 - s) - 2.0 * x * t * s)
    }

    #[inline(always)]
    fn both<F: Float>(self, x: F) -> (F, F) {
        let t = softplus(x).fast_tanh();
        (x * t, t + x * sigmoid(x) * (F::one() - t * t))
    }

    /// 1/√E[f(z)²] for standard normal z, by quadrature.
    fn gain(&self) -> f64 {
        1.486_847_581_273_208
    }
}
