//! The self-normalising exponential linear unit.

use super::Pointwise;
use downhill_core::Float;
use downhill_optim::Init;
use serde::{Deserialize, Serialize};

/// λx where x > 0, otherwise λα(eˣ − 1), with λ ≈ 1.0507 and α ≈ 1.6733.
///
/// The constants keep mean 0 and variance 1 from layer to layer, if the weights begin by LeCun's rule.
///
/// Klambauer, Unterthiner, Mayr & Hochreiter, [Self-normalizing neural networks][paper], 2017.
///
/// [paper]: https://arxiv.org/abs/1706.02515
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selu {}

const ALPHA: f64 = 1.673_263_242_354_377_2;
const LAMBDA: f64 = 1.050_700_987_355_480_5;

impl Pointwise for Selu {
    #[inline(always)]
    fn value<F: Float>(self, x: F) -> F {
        if x > F::zero() { F::of(LAMBDA) * x } else { F::of(LAMBDA * ALPHA) * x.fast_exp_m1() }
    }

    #[inline(always)]
    fn derivative<F: Float>(self, y: F) -> F {
        if y > F::zero() { F::of(LAMBDA) } else { y + F::of(LAMBDA * ALPHA) }
    }

    fn second(self, x: f64) -> f64 {
        if x > 0.0 { 0.0 } else { LAMBDA * ALPHA * x.exp() }
    }

    fn init(&self) -> Init {
        super::lecun_normal()
    }

    fn gain(&self) -> f64 {
        0.75
    }
}
