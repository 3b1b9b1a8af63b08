//! F1, over the classes.

use super::Classified;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// The mean over the classes of 2·precision·recall/(precision + recall): macro F1.
///
/// Classes with neither rows nor predictions do not count; where it is 0/0, it is 0; as in scikit-learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct F1 {}

impl F1 {
    pub(crate) fn compute<F: Float>(self, rows: Classified<'_, F>) -> f64 {
        rows.confusion().macro_f1()
    }
}
