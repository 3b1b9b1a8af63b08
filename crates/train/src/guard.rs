//! Going back, at a lower rate, when a run blows up.

use downhill_optim::{Invalid, invalid, spec};
use serde::{Deserialize, Serialize};

/// Whether a run that blows up goes back to where it was still well, at a lower rate: `off`, or
/// `on(rollbacks=5, spike=10)`.
///
/// The loss of a run that blows up stops being a finite number, or comes to many times what the first guess costs. Then
/// the run goes back to the end of the last epoch that was far from it, or to its start, and all rates of the schedule are
/// halved from there on; if it blows up again before an epoch ends well, they are divided by 4, then by 16, by 256 and so
/// on. After so many rollbacks in a row the run stops, with its best weights if it has any. A rollback is an event of the run, so the result
/// is as reproducible as any.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// A run that blows up stops.
    Off,
    /// It goes back.
    On(Rollbacks),
}
spec::spelled!(Guard, "a guard");

/// Settings of [`Guard::On`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rollbacks {
    /// How often a run goes back before an epoch ends well, at least 1. Default 5.
    pub rollbacks: u64,
    /// The mean loss of an epoch that is taken for a blow-up, as a multiple of that of the first guess, which knows
    /// nothing; above 1. Default 10.
    pub spike: f64,
}

impl Default for Rollbacks {
    fn default() -> Self {
        Self { rollbacks: 5, spike: 10.0 }
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::On(Rollbacks::default())
    }
}

impl Guard {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let Self::On(Rollbacks { rollbacks, spike }) = *self else { return Ok(()) };
        invalid::ensure("on", "rollbacks", rollbacks as f64, |n| (1.0..=50.0).contains(&n), "from 1 to 50")?;
        invalid::ensure("on", "spike", spike, |x| x > 1.0, "above 1")
    }

    /// The share of its rates that a run keeps when it goes back for the `nth` time in a row, counted from 0; none if it
    /// does not go back any more.
    pub(crate) fn cut(&self, nth: u64) -> Option<f64> {
        match self {
            Self::On(Rollbacks { rollbacks, .. }) if nth < *rollbacks => {
                // 1/2, 1/4, 1/16, 1/256: far too high a rate is left in a few rollbacks, and a little too high one is
                // not cut by more than it needs.
                let doublings = nth.saturating_sub(1).min(9) as i32;
                Some(if nth == 0 { 0.5 } else { 0.5f64.powi(1 << (doublings + 1)) })
            }
            _ => None,
        }
    }

    /// Whether losses that come to `sum` so far in an epoch of so many rows are a blow-up, `baseline` being the mean loss
    /// of the first guess.
    ///
    /// What is still to come in the epoch can only add to the sum, so a single row that costs much is no blow-up unless
    /// it is one for the whole epoch.
    pub(crate) fn is_spike(&self, sum: f64, rows: usize, baseline: f64) -> bool {
        matches!(self, Self::On(Rollbacks { spike, .. }) if sum > spike * baseline * rows as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_grow_while_they_do_not_help() {
        let guard = Guard::default();
        let cuts: Vec<f64> = (0..6).filter_map(|nth| guard.cut(nth)).collect();
        assert_eq!(cuts, [0.5, 0.25, 1.0 / 16.0, 1.0 / 256.0, 1.0 / 65536.0]);
        assert_eq!(Guard::Off.cut(0), None);
        assert!(Guard::On(Rollbacks { rollbacks: 50, spike: 10.0 }).cut(49).is_some());
    }
}
