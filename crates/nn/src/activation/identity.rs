//! No activation.

use super::Pointwise;
use downhill_core::Float;
use downhill_optim::Init;
use serde::{Deserialize, Serialize};

/// x, unchanged: for a network that is linear on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {}

impl Pointwise for Identity {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        x
    }

    #[inline(always)]
    fn derivative<F: Float>(self, _: F) -> F {
        F::one()
    }

    fn second(self, _: f64) -> f64 {
        0.0
    }

    fn init(&self) -> Init {
        super::glorot_uniform()
    }

    fn gain(&self) -> f64 {
        1.0
    }
}
