//! Top-k accuracy.

use super::Classified;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};

/// The share of rows whose class is among the k with the largest outputs; of equal outputs, the first come
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopK {
    /// How many classes may be named; 5 unless given, at least 1.
    pub k: usize,
}

impl Default for TopK {
    fn default() -> Self {
        Self { k: 5 }
    }
}

impl TopK {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::ensure("top-k", "k", self.k as f64, |k| k >= 1.0, "at least 1")
    }

    pub(crate) fn compute<F: Float>(self, rows: Classified<'_, F>) -> f64 {
        let right = if rows.width == 1 {
            let named = |(predicted, class): &(u32, &u32)| predicted == *class || self.k >= 2;
            rows.predicted().zip(rows.classes).filter(named).count()
        } else {
            let named = |(row, class): &(&[F], &u32)| ahead(row, **class as usize) < self.k;
            rows.outputs.chunks_exact(rows.width).zip(rows.classes).filter(named).count()
        };
        right as f64 / rows.classes.len() as f64
    }
}

/// How many classes come before this one. One whose output is not a number comes last.
fn ahead<F: Float>(row: &[F], class: usize) -> usize {
    let own = row[class];
    if own.is_nan() {
        return row.len();
    }
    row.iter().enumerate().filter(|&(k, &x)| x > own || (x == own && k < class)).count()
}
