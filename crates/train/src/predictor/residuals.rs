//! Intervals around predicted numbers, by the errors on rows that were not trained on.

use serde::{Deserialize, Serialize};

/// Of more errors, so many are kept, evenly over all: an interval is then wider by a thousandth of the rows at
/// most.
const MOST: usize = 1000;

/// The absolute errors on the validation rows: what split conformal prediction makes intervals by.
///
/// Papadopoulos, Proedrou, Vovk & Gammerman, [Inductive confidence machines for regression][paper], 2002; Lei,
/// G'Sell, Rinaldo, Tibshirani & Wasserman, [Distribution-free predictive inference for
/// regression](https://arxiv.org/abs/1604.04173), 2018.
///
/// [paper]: https://doi.org/10.1007/3-540-36755-1_29
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Residuals {
    /// How many rows were measured.
    rows: usize,
    /// Their absolute errors in standard deviations of the target, ascending: all, or each of which as many
    /// rows as of any other are at most.
    errors: Vec<f32>,
}

impl Residuals {
    /// Of outputs beside what they should be; none if there are no rows, or an error is not finite.
    pub fn of(outputs: &[f32], targets: &[f32]) -> Option<Self> {
        let mut errors: Vec<f32> = outputs.iter().zip(targets).map(|(a, b)| (a - b).abs()).collect();
        if errors.is_empty() || errors.iter().any(|error| !error.is_finite()) {
            return None;
        }
        errors.sort_unstable_by(f32::total_cmp);
        let rows = errors.len();
        if rows > MOST {
            errors = (1..=MOST).map(|i| errors[(i * rows).div_ceil(MOST) - 1]).collect();
        }
        Some(Self { rows, errors })
    }

    /// What an error exceeds in a share of `1 − level` of rows like these, in standard deviations: the
    /// ⌈(n + 1)·level⌉-th least of n. None if so many rows cannot say.
    pub fn margin(&self, level: f64) -> Option<f64> {
        let rank = ((self.rows as f64 + 1.0) * level).ceil();
        let kept = if self.rows > MOST { (rank * MOST as f64 / self.rows as f64).ceil() } else { rank };
        let error = self.errors.get((kept as usize).saturating_sub(1));
        error.filter(|_| rank <= self.rows as f64).map(|&error| f64::from(error))
    }

    /// How many rows were measured.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What a file says that cannot have been measured, in words.
    pub fn contradiction(&self) -> Option<String> {
        let Self { rows, errors } = self;
        let ascending = errors.is_sorted() && errors.iter().all(|error| error.is_finite() && *error >= 0.0);
        if errors.is_empty() || errors.len() != (*rows).min(MOST) {
            return Some(format!("it keeps {} errors of {rows} validation rows", errors.len()));
        }
        (!ascending).then(|| "the errors that it keeps of validation rows do not ascend from 0".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errors: impl Iterator<Item = f32>) -> Residuals {
        let errors: Vec<f32> = errors.collect();
        Residuals::of(&errors, &vec![0.0; errors.len()]).unwrap()
    }

    #[test]
    fn the_rank_is_that_of_split_conformal_prediction() {
        // Errors 1 to 9, in any order and with any sign.
        let nine = of([3, -1, 9, 4, -7, 5, 8, 6, 2].into_iter().map(|error| error as f32));
        assert_eq!(nine.margin(0.5), Some(5.0));
        assert_eq!(nine.margin(0.75), Some(8.0));
        assert_eq!(nine.margin(0.9), Some(9.0));
        assert_eq!(nine.margin(0.91), None, "with 9 rows, 0.9 is the most");
        assert_eq!(nine.contradiction(), None);
    }

    #[test]
    fn of_many_rows_a_thousand_errors_are_kept() {
        for rows in [1000, 1001, 2500, 12_345] {
            let all = of((1..=rows).map(|error| error as f32));
            assert_eq!((all.errors.len(), all.contradiction()), (1000, None));
            for level in [0.001, 0.5, 0.8, 0.9, 0.95, 0.999] {
                let rank = ((f64::from(rows) + 1.0) * level).ceil();
                let margin = all.margin(level).unwrap();
                assert!(
                    margin >= rank && margin <= rank + f64::from(rows) / 1000.0,
                    "{rows}, {level}: {margin}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_have_been_measured_is_told() {
        assert_eq!(Residuals::of(&[], &[]), None);
        assert_eq!(Residuals::of(&[f32::NAN], &[0.0]), None);
        for (rows, errors) in [(3, vec![1.0]), (0, vec![]), (2, vec![2.0, 1.0]), (1, vec![-1.0])] {
            assert!(Residuals { rows, errors }.contradiction().is_some());
        }
        assert!(Residuals { rows: usize::MAX, errors: vec![0.0; 1000] }.contradiction().is_none());
    }
}
