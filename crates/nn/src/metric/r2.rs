//! The coefficient of determination.

use super::Fitted;
use downhill_core::Float;
use serde::{Deserialize, Serialize};

/// 1 − Σ(value − output)²/Σ(value − mean value)²; with several outputs, the mean over them.
///
/// Where all values are the same, it is 1 if every output is right, otherwise 0, as in scikit-learn. Of a
/// single row it is not defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct R2 {}

impl R2 {
    pub(crate) fn compute<F: Float>(self, rows: Fitted<'_, F>) -> f64 {
        let count = (rows.values.len() / rows.width) as f64;
        if count < 2.0 {
            return f64::NAN;
        }
        let columns = (0..rows.width).map(|column| {
            let values = || rows.values.iter().skip(column).step_by(rows.width).map(|v| v.f64());
            let outputs = rows.outputs.iter().skip(column).step_by(rows.width).map(|o| o.f64());
            let mean = values().sum::<f64>() / count;
            let total: f64 = values().map(|v| (v - mean) * (v - mean)).sum();
            let left: f64 = outputs.zip(values()).map(|(o, v)| (v - o) * (v - o)).sum();
            match (left == 0.0, total == 0.0) {
                (true, _) => 1.0,
                (false, true) => 0.0,
                (false, false) => 1.0 - left / total,
            }
        });
        columns.sum::<f64>() / rows.width as f64
    }
}
