//! The softplus function.

use super::{Pointwise, sigmoid::sigmoid};
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// ln(1 + eˣ).
///
/// Dugas et al., [Incorporating second-order functional knowledge for better option pricing][paper], 2001.
///
/// [paper]: https://papers.nips.cc/paper/1920-incorporating-second-order-functional-knowledge-for-better-option-pricing
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softplus {}

/// ln(1 + eˣ) as max(x, 0) + ln(1 + e^−|x|), which overflows nowhere.
#[inline(always)]
pub(crate) fn softplus<F: Float>(x: F) -> F {
    let positive = if x < F::zero() { F::zero() } else { x };
    positive + (-x.abs()).fast_exp().fast_ln_1p()
}

impl Pointwise for Softplus {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        softplus(x)
    }

    // σ(x) = 1 − e⁻ʸ.
    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        -(-y).fast_exp_m1()
    }

    fn second(self, x: f64) -> f64 {
        let s = sigmoid(x);
        s * (1.0 - s)
    }

    /// 1/√E[f(z)²] for standard normal z, by quadrature.
    fn gain(&self) -> f64 {
        1.041_866_835_535_301_8
    }
}
