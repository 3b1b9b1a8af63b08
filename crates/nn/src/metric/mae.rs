//! The mean absolute error.

use super::Fitted;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// mean |output − value|, over rows and outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mae {}

impl Mae {
    pub(crate) fn compute<F: Float>(self, rows: Fitted<'_, F>) -> f64 {
        let rows_count = (rows.values.len() / rows.width) as f64;
        rows.mean_of_columns(|pairs| pairs.map(|(o, v)| (o - v).abs()).sum::<f64>() / rows_count)
    }
}
