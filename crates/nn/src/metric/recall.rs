//! Recall, over the classes.

use super::Classified;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// The mean over the classes of the share of rows of the class that are predicted to be: macro recall.
///
/// Classes with neither rows nor predictions do not count; where the share is of nothing, it is 0; as in
/// scikit-learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {}

impl Recall {
    pub(crate) fn compute<F: Float>(self, rows: Classified<'_, F>) -> f64 {
        rows.confusion().macro_recall()
    }
}
