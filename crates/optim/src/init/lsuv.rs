//! Layer-sequential unit variance.

use serde::{Deserialize, Serialize};

use downhill_core::{Invalid, invalid};

/// Settings of [`Init::Lsuv`](crate::Init::Lsuv): an orthogonal matrix, scaled until what the layer puts out
/// has variance 1.
///
/// The scale comes from data, so who fills weights alone gets the orthogonal matrix it begins with; a network
/// is scaled as a whole, layer after layer.
///
/// Mishkin and Matas, "All you need is a good init" (2015).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lsuv {
    /// How far from 1 the variance may stay, above 0. Default 0.1; the paper finds no difference from 0.01 to
    /// 0.1.
    pub tolerance: f64,
    /// How often a layer is scaled at most, at least 1. Default 10, as in the authors' program. Without a
    /// bias the first time is exact.
    pub iterations: u32,
}

impl Default for Lsuv {
    fn default() -> Self {
        Self { tolerance: 0.1, iterations: 10 }
    }
}

impl Lsuv {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        invalid::positive("lsuv", "tolerance", self.tolerance)?;
        let iterations = f64::from(self.iterations);
        invalid::ensure("lsuv", "iterations", iterations, |n| n >= 1.0, "at least 1")
    }
}
