//! Cosine decay with warm restarts.

use serde::{Deserialize, Serialize};

use super::cosine::between;
use super::length::whole;
use super::{Length, Per, Position};
use downhill_core::{Invalid, invalid};

/// SGDR: cosines one after the other. Period i is n·mⁱ long and begins at a·kⁱ, though never below the end.
/// (In Keras, k also shrinks the way to the end, which is the same if that is 0.)
///
/// Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CosineRestarts {
    /// a, the rate at the start, above 0.
    pub initial: f64,
    /// n, the length of the first period.
    pub first: Length,
    /// m, how many times as long as the last the next period is, at least 1. Default 1.
    #[serde(default = "one")]
    pub t_mul: f64,
    /// k, how many times as high as the last the next period begins, in (0, 1]. Default 1.
    #[serde(default = "one")]
    pub m_mul: f64,
    /// The rate towards which each period falls, 0 or above. Default 0.
    #[serde(default)]
    pub end: f64,
    /// What is counted. Default `step`.
    #[serde(default)]
    pub per: Per,
}

fn one() -> f64 {
    1.0
}

impl CosineRestarts {
    /// The rate at a position.
    pub fn at(&self, position: Position) -> f64 {
        let (period, share) = self.locate(self.first.passed(self.per, position));
        between((self.initial * self.m_mul.powf(period)).max(self.end), self.end, share)
    }

    /// The period that a time lies in, and how far into it, the first period being 1 long.
    fn locate(&self, time: f64) -> (f64, f64) {
        let m = self.t_mul;
        let (period, start) = if m == 1.0 {
            let period = whole(time);
            (period, period)
        } else {
            // 1 + m + … + mⁱ⁻¹, where period i starts, and its inverse.
            let growth = (m - 1.0).ln_1p();
            let period = whole((time * (m - 1.0)).ln_1p() / growth);
            (period, (period * growth).exp_m1() / (m - 1.0))
        };
        (period, ((time - start) / m.powf(period)).max(0.0))
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "cosine-restarts";
        invalid::positive(NAME, "initial", self.initial)?;
        self.first.check(NAME, "first")?;
        invalid::ensure(NAME, "t-mul", self.t_mul, |m| m >= 1.0, "at least 1")?;
        invalid::ensure(NAME, "m-mul", self.m_mul, |k| k > 0.0 && k <= 1.0, "above 0 and at most 1")?;
        invalid::not_negative(NAME, "end", self.end)
    }
}
