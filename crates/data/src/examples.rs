//! What a network is trained on: rows of numbers, each with its target.

use crate::Error;

/// Rows of features, each with its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// The number of features of a row.
    pub features: usize,
    /// The features, `rows × features`, one row behind the other.
    pub x: Vec<f32>,
    /// The target of each row.
    pub y: Targets,
    /// How much each row counts, at least 0 and finite; none if all count the same.
    pub weights: Option<Vec<f32>>,
}

/// The targets of some rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Classes, counted from 0.
    Classes {
        /// The class of each row, less than `classes`.
        labels: Vec<u32>,
        /// The number of classes.
        classes: usize,
    },
    /// Numbers; standardised where they come from an [`Encoder`](crate::Encoder).
    Values(Vec<f32>),
}

impl Targets {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Examples {
    /// Examples from plain data: `x` holds `rows × features` numbers, one row behind the other, `y` one
    /// target a row.
    ///
    /// ```
    /// use downhill_data::{Examples, Targets};
    ///
    /// let y = Targets::Classes { labels: vec![0, 1], classes: 2 };
    /// let examples = Examples::new(vec![0.5, 1.0, -0.5, 2.0], 2, y)?;
    /// assert_eq!(examples.rows(), 2);
    /// # Ok::<(), downhill_data::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the lengths do not fit together, there is no row or no feature, a number is not finite, or a label
    /// is not less than the number of classes.
    pub fn new(x: Vec<f32>, features: usize, y: Targets) -> Result<Self, Error> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        let rows = y.len();
        if rows == 0 || features == 0 {
            return invalid(format!(
                "there must be a row and a feature, not {rows} rows of {features} features"
            ));
        }
        if rows.checked_mul(features) != Some(x.len()) {
            return invalid(format!(
                "{rows} targets and {features} features do not go with {} numbers",
                x.len()
            ));
        }
        if let Some(i) = x.iter().position(|x| !x.is_finite()) {
            return invalid(format!(
                "feature {} of row {} is {}, not a finite number",
                i % features,
                i / features,
                x[i]
            ));
        }
        match &y {
            Targets::Classes { labels, classes } => {
                if let Some(row) = labels.iter().position(|&label| label as usize >= *classes) {
                    let label = labels[row];
                    return invalid(format!(
                        "row {row} has label {label}, and {classes} classes are counted from 0"
                    ));
                }
            }
            Targets::Values(values) => {
                if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                    return invalid(format!(
                        "the target of row {row} is {}, not a finite number",
                        values[row]
                    ));
                }
            }
        }
        Ok(Self { features, x, y, weights: None })
    }

    /// The same with a weight for each row: one of weight 2 counts as two rows, one of weight 0 not at all.
    ///
    /// # Errors
    ///
    /// If there is not one for each row, one is negative or not finite, or none is above 0.
    pub fn weighted(mut self, weights: Vec<f32>) -> Result<Self, Error> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        if weights.len() != self.rows() {
            return invalid(format!("{} weights do not go with {} rows", weights.len(), self.rows()));
        }
        if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return invalid(format!("the weight of row {row} is {}, not a number from 0 on", weights[row]));
        }
        if weights.iter().all(|&weight| weight == 0.0) {
            return invalid("no row has a weight above 0".to_owned());
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.y.len()
    }

    /// The features of one row; empty beyond the last.
    pub fn row(&self, row: usize) -> &[f32] {
        let start = row.saturating_mul(self.features);
        self.x.get(start..start.saturating_add(self.features)).unwrap_or_default()
    }
}
