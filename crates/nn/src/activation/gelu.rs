//! The Gaussian error linear unit.

use super::Pointwise;
use downhill_core::Float;
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// x·Φ(x), where Φ(x) = ½(1 + erf(x/√2)) is the normal distribution function; exact, not the tanh
/// approximation.
///
/// Hendrycks & Gimpel, [Gaussian error linear units][paper], 2016.
///
/// [paper]: https://arxiv.org/abs/1606.08415
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gelu {}

#[inline(always)]
fn phi<F: Float>(x: F) -> F {
    F::of(0.5) * (F::one() + (x * F::of(FRAC_1_SQRT_2)).erf())
}

impl Pointwise for Gelu {
    const FROM_OUTPUT: bool = false;

    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        x * phi(x)
    }

    #[inline(always)]
    fn derivative<F: Float>(self, x: F) -> F {
        self.both(x).1
    }

    fn second(self, x: f64) -> f64 {
        (2.0 - x * x) * (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
    }

    #[inline(always)]
    fn both<F: Float>(self, x: F) -> (F, F) {
        let phi = phi(x);
        let density = F::of(1.0 / (2.0 * PI).sqrt()) * (F::of(-0.5) * x * x).fast_exp();
        (x * phi, phi + x * density)
    }

    /// 1/√E[f(z)²] for standard normal z, by quadrature.
    fn gain(&self) -> f64 {
        1.533_530_441_195_533_5
    }
}
