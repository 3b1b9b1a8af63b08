//! The rectified linear unit.

use super::Pointwise;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// max(0, x). The derivative at 0 is taken as 0.
///
/// Nair & Hinton, [Rectified linear units improve restricted Boltzmann machines][paper], 2010.
///
/// [paper]: https://icml.cc/Conferences/2010/papers/432.pdf
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl Pointwise for Relu {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        // Not a number stays what it is: a diverged run must not look like a dead unit.
        if x < F::zero() { F::zero() } else { x }
    }

    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        if y > F::zero() { F::one() } else { F::zero() }
    }

    fn second(self, _: f64) -> f64 {
        0.0
    }

    fn gain(&self) -> f64 {
        std::f64::consts::SQRT_2
    }
}
