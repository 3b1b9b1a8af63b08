//! The root of the mean squared error.

use super::Fitted;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// √mean((output − value)²); with several outputs, the mean over them, as in scikit-learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rmse {}

impl Rmse {
    pub(crate) fn compute<F: Float>(self, rows: Fitted<'_, F>) -> f64 {
        let rows_count = (rows.values.len() / rows.width) as f64;
        rows.mean_of_columns(|pairs| (pairs.map(|(o, v)| (o - v) * (o - v)).sum::<f64>() / rows_count).sqrt())
    }
}
