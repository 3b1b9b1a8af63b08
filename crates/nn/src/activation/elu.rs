//! The exponential linear unit.

use super::Pointwise;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};

/// x where x > 0, otherwise α(eˣ − 1).
///
/// Clevert, Unterthiner & Hochreiter, [Fast and accurate deep network learning by exponential linear
/// units][paper], 2016.
///
/// [paper]: https://arxiv.org/abs/1511.07289
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elu {
    /// α: −α is the value far to the left; 1 unless given, more than 0.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl Pointwise for Elu {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        if x > F::zero() { x } else { F::of(self.alpha) * x.fast_exp_m1() }
    }

    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        if y > F::zero() { F::one() } else { y + F::of(self.alpha) }
    }

    fn second(self, x: f64) -> f64 {
        if x > 0.0 { 0.0 } else { self.alpha * x.exp() }
    }

    fn check(&self) -> Result<(), Invalid> {
        invalid::positive("elu", "alpha", self.alpha)
    }

    /// 1/√E[f(z)²] for standard normal z: E[f²; z < 0] is α²(e²Φ(−2) − 2e^½Φ(−1) + ½).
    fn gain(&self) -> f64 {
        const BELOW: f64 = 0.144_945_417_492_923_86;
        (0.5 + self.alpha * self.alpha * BELOW).sqrt().recip()
    }
}
