//! Accuracy.

use super::Classified;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// The share of rows whose class is predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {}

impl Accuracy {
    pub(crate) fn compute<F: Float>(self, rows: Classified<'_, F>) -> f64 {
        let right = rows.predicted().zip(rows.classes).filter(|(predicted, class)| predicted == *class);
        right.count() as f64 / rows.classes.len() as f64
    }
}
