//! The sigmoid linear unit, also called swish.

use super::{Pointwise, sigmoid::sigmoid};
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// x·σ(x), where σ(x) = 1/(1 + e⁻ˣ).
///
/// Elfwing, Uchibe & Doya, [Sigmoid-weighted linear units][paper], 2017; as swish: Ramachandran, Zoph & Le,
/// 2017.
///
/// [paper]: https://arxiv.org/abs/1702.03118
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silu {}

impl Pointwise for Silu {
    const FROM_OUTPUT: bool = false;

    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        x * sigmoid(x)
    }

    #[inline(always)]
    fn derivative<F: Float>(self, x: F) -> F {
        self.both(x).1
    }

    fn second(self, x: f64) -> f64 {
        let s = sigmoid(x);
        s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s))
    }

    #[inline(always)]
    fn both<F: Float>(self, x: F) -> (F, F) {
        let s = sigmoid(x);
        (x * s, s * (F::one() + x * (F::one() - s)))
    }

    /// 1/√E[f(z)²] for standard normal z, by quadrature.
    fn gain(&self) -> f64 {
        1.676_532_470_331_091
    }
}
