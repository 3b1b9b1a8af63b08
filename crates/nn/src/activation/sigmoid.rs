//! The logistic function.

use super::Pointwise;
use downhill_core::Float;
use downhill_optim::Init;
use serde::{Deserialize, Serialize};

/// σ(x) = 1/(1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

/// 1/(1 + e⁻ˣ): exact at both ends, since e⁻ˣ overflows to infinity and 1/∞ is 0.
#[inline(always)]
pub(crate) fn sigmoid<F: Float>(x: F) -> F {
    F::one() / (F::one() + (-x).fast_exp())
}

impl Pointwise for Sigmoid {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        sigmoid(x)
    }

    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        y * (F::one() - y)
    }

    fn second(self, x: f64) -> f64 {
        let s = sigmoid(x);
        s * (1.0 - s) * (1.0 - 2.0 * s)
    }

    fn init(&self) -> Init {
        super::glorot_uniform()
    }

    fn gain(&self) -> f64 {
        1.0
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((0.0, 1.0))
    }
}
