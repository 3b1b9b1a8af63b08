//! Balanced accuracy.

use super::Classified;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// The mean, over the classes that have rows, of the share of a class's rows whose class is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalancedAccuracy {}

impl BalancedAccuracy {
    pub(crate) fn compute<F: Float>(self, rows: Classified<'_, F>) -> f64 {
        rows.confusion().balanced_accuracy()
    }
}
