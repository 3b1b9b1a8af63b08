//! How numbers enter a network.

use crate::op::{check_scale, tenth};
use crate::{LayerSpec, PiecewiseLinear};
use downhill_core::{Float, Invalid, invalid, spec::spelled};
use serde::{Deserialize, Serialize};

/// What stands between the numbers of a row and the first layer: it is described here, and
/// [made](Self::layer) for the rows that are trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Numbers {
    /// Nothing: they are taken as they are.
    Plain(Plain),
    /// To be chosen by whoever knows the data; here it is taken for nothing.
    Auto(Auto),
    /// A value for each bin: [`PiecewiseLinear`].
    PiecewiseLinear(QuantileBins),
}

spelled!(Numbers, "a way to take numbers");

impl Default for Numbers {
    fn default() -> Self {
        Self::Plain(Plain {})
    }
}

/// Numbers as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plain {}

/// To be chosen for the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auto {}

/// Bins of a [`PiecewiseLinear`] layer, with about the same number of rows in each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuantileBins {
    /// The most bins of an input, from 2 to 1000. Default 16.
    pub bins: usize,
    /// The layer's scale, from above 0 to 1000. Default 0.1.
    pub scale: f64,
}

impl Default for QuantileBins {
    fn default() -> Self {
        Self { bins: 16, scale: tenth() }
    }
}

impl Numbers {
    /// Whether they are taken as they are.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Plain(Plain {}) | Self::Auto(Auto {}) => Ok(()),
            Self::PiecewiseLinear(QuantileBins { bins, scale }) => {
                let range = |bins: f64| (2.0..=1000.0).contains(&bins);
                invalid::ensure("piecewise-linear", "bins", *bins as f64, range, "from 2 to 1000")?;
                check_scale(*scale)
            }
        }
    }

    /// The layer for rows of so many inputs; none where it would do nothing. Inputs with two values or fewer
    /// (indicators, the slots of categories) are passed on as they are. Of more than 10 000 rows, evenly spaced
    /// ones are looked at.
    pub fn layer<F: Float>(&self, x: &[F], inputs: usize) -> Option<LayerSpec> {
        match *self {
            Self::Plain(Plain {}) | Self::Auto(Auto {}) => None,
            Self::PiecewiseLinear(QuantileBins { bins, scale }) => {
                let every = (x.len() / inputs.max(1)).div_ceil(MOST_ROWS).max(1);
                let column = |input: usize| x.iter().skip(input).step_by(inputs * every).map(|x| x.f64());
                let mut edges: Vec<Vec<f64>> = (0..inputs).map(|input| edges(column(input), bins)).collect();
                let last = edges.iter().rposition(|edges| !edges.is_empty())?;
                edges.truncate(last + 1);
                Some(PiecewiseLinear { edges, scale }.into())
            }
        }
    }
}

/// Edges are taken from no more rows than about these: more say little more, and take long to sort.
const MOST_ROWS: usize = 10_000;

/// The edges of at most so many bins: all values, if they are few enough, and otherwise quantiles, of which
/// equal ones count once. None of two values or fewer.
fn edges(column: impl Iterator<Item = f64> + Clone, bins: usize) -> Vec<f64> {
    let column = column.filter(|value| value.is_finite());
    let first = column.clone().next();
    let second = column.clone().find(|&value| Some(value) != first);
    if column.clone().all(|value| Some(value) == first || Some(value) == second) {
        return Vec::new();
    }
    let mut values: Vec<f64> = column.collect();
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    if distinct.len() > bins + 1 {
        distinct = (0..=bins).map(|i| quantile(&values, i as f64 / bins as f64)).collect();
        // Rounding may put one a little below the one in front.
        distinct.dedup_by(|next, last| *next <= *last);
    }
    // Almost all rows have the same value: one bin would be what the number is.
    if distinct.len() > 2 { distinct } else { Vec::new() }
}

/// A quantile of sorted values, on the straight line between the two that it lies between.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = sorted[place as usize];
    let above = sorted[(place as usize + 1).min(sorted.len() - 1)];
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins_of(bins: usize) -> Numbers {
        Numbers::PiecewiseLinear(QuantileBins { bins, ..QuantileBins::default() })
    }

    fn edges_of(column: &[f32], bins: usize) -> Vec<f64> {
        match bins_of(bins).layer(column, 1) {
            Some(LayerSpec::PiecewiseLinear(PiecewiseLinear { edges, .. })) => edges[0].clone(),
            layer => layer.map_or(Vec::new(), |layer| panic!("{layer}")),
        }
    }

    #[test]
    fn few_values_are_all_edges_and_many_are_cut_evenly() {
        assert_eq!(edges_of(&[3.0, 1.0, 1.0, 2.0, 1.0, 1.0], 4), [1.0, 2.0, 3.0]);
        let many: Vec<f32> = (0..101).map(|i| (i * 37 % 101) as f32).collect();
        assert_eq!(edges_of(&many, 4), [0.0, 25.0, 50.0, 75.0, 100.0]);
        // Quantiles that fall together.
        let skewed: Vec<f32> = (0..101).map(|i| if i < 60 { 0.0 } else { i as f32 }).collect();
        assert_eq!(edges_of(&skewed, 4), [0.0, 75.0, 100.0]);
    }

    #[test]
    fn two_values_are_passed_on() {
        assert!(edges_of(&[0.0, 1.0, 1.0, 0.0], 4).is_empty() && edges_of(&[2.0; 5], 4).is_empty());
        let mixed = bins_of(2).layer(&[0.0, 5.0, 1.0, 6.0, 0.0, 7.0], 2);
        let wanted = PiecewiseLinear { edges: vec![vec![], vec![5.0, 6.0, 7.0]], scale: 0.1 };
        assert_eq!(mixed, Some(wanted.into()));
    }

    #[test]
    fn of_many_rows_some_are_looked_at() {
        let many: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
        let edges = edges_of(&many, 2);
        assert!((edges[1] - 5e4).abs() < 100.0 && edges[0] == 0.0, "{edges:?}");
    }
}
