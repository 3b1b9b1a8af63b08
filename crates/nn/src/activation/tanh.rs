//! The hyperbolic tangent.

use super::Pointwise;
use downhill_core::Float;
use downhill_optim::Init;
use serde::{Deserialize, Serialize};

/// tanh x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl Pointwise for Tanh {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        x.fast_tanh()
    }

    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        F::one() - y * y
    }

    fn second(self, x: f64) -> f64 {
        let t = x.tanh();
        2.0 * t * (t * t - 1.0)
    }

    fn init(&self) -> Init {
        super::glorot_uniform()
    }

    fn gain(&self) -> f64 {
        5.0 / 3.0
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((-1.0, 1.0))
    }
}
