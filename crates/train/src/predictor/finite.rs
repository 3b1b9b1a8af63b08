//! Predictions that are no numbers are errors.

use downhill_data::Table;

use super::{Predictions, Predictor};
use crate::Error;

impl Predictions {
    /// The first row, counted from 0, that is predicted with something that is not a finite number.
    pub(super) fn not_finite(&self) -> Option<usize> {
        match self {
            Self::Classes { labels, probabilities, .. } => {
                let columns = probabilities.len() / labels.len().max(1);
                probabilities.iter().position(|p| !p.is_finite()).map(|at| at / columns.max(1))
            }
            Self::Values(values) => values.iter().position(|value| !value.is_finite()),
        }
    }
}

impl Predictor {
    /// The error of a row, counted from 0, whose prediction from the features `x` is not a finite number;
    /// where the rows are of a table, with the row there.
    pub(super) fn not_finite(&self, x: &[f32], row: usize, of: Option<(&Table, usize)>) -> Error {
        let place = match of {
            Some((table, row)) => {
                let place = table.place(row, "");
                format!("{}, {}", place.table, place.row)
            }
            None => format!("row {row}"),
        };
        let target = self.encoder().map(|encoder| encoder.target_name().to_string());
        Error::NotFinite { place, target, cause: self.largest(row, x) }
    }

    /// The feature of a row that is furthest from what it is in training, and what it is; none if it is
    /// nothing unusual.
    fn largest(&self, row: usize, x: &[f32]) -> Option<(String, f32)> {
        // Standardised features are of the order of 1.
        const UNUSUAL: f32 = 1e6;
        let inputs = self.members[0].model.inputs();
        let features = x.get(row * inputs..(row + 1) * inputs)?;
        let (at, value) = features
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
            .filter(|found| found.1.abs() > UNUSUAL)?;
        let names = self.encoder().map(|encoder| encoder.feature_names()).unwrap_or_default();
        Some((names.into_iter().nth(at).unwrap_or_else(|| at.to_string()), *value))
    }
}
