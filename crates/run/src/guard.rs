//! Going back, at a lower rate, when a run blows up.

use downhill_core::{Invalid, invalid, spec};
use serde::{Deserialize, Serialize};

use crate::Cause;

/// Whether a run that blows up goes back to where it was still well, at a lower rate: `off`, or
/// `on(rollbacks=5, spike=10)`.
///
/// The loss of a run that blows up stops being a finite number, or comes to many times what the first guess
/// costs. Then the run goes back to the end of the last epoch in which it had learned something, or to its
/// start, and all rates of the schedule are halved from there on. If it blows up again before it has learned
/// something, they are divided by 4, then by 8 and so on: in all by 1024 in four rollbacks, and by 32768 in
/// five.
///
/// Not every blow-up is seen as one: units that a far too long step has moved out of reach of the data are
/// dead, and what is left predicts the same for every row, at a harmless loss. So a run that has gone back,
/// and after three epochs or at its end has learned nothing and is not on its way down either, goes back once
/// more, at a quarter of its rates; nor does it stop early before it has learned something. A run that never
/// blew up is left alone. *To have learned something* is, in an epoch, a mean training loss 5% below that of
/// the best prediction that is the same for every row, the shares of the classes or the mean, and a
/// validation loss below that of the same prediction.
///
/// After so many rollbacks in a row, a run that blows up stops, with its best weights if it has any. A
/// rollback is an event of the run, so the result is as reproducible as any.
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
    /// How often a run goes back before it has learned something, at least 1. Default 5.
    pub rollbacks: u64,
    /// The mean loss of an epoch that is taken for a blow-up, as a multiple of that of the first guess, which
    /// knows nothing; above 1. Default 10.
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

    /// The share of its rates that a run keeps when it goes back for the `nth` time in a row, counted from 0;
    /// none if it does not go back any more.
    pub fn cut(&self, nth: u64, cause: Cause) -> Option<f64> {
        match self {
            // What does not blow up any more is not far from a rate that does well.
            Self::On(Rollbacks { rollbacks, .. }) if nth < *rollbacks && cause == Cause::Stuck => Some(0.25),
            Self::On(Rollbacks { rollbacks, .. }) if nth < *rollbacks => {
                // A little too high a rate is not cut by more than it needs, and far too high a one soon.
                Some(0.5f64.powi(nth.min(9) as i32 + 1))
            }
            _ => None,
        }
    }

    /// What is wrong after a step of this loss, if something is: losses that come to `sum` so far in an epoch
    /// of so many rows are a blow-up or not, `baseline` being the mean loss of the first guess.
    ///
    /// What is still to come in the epoch can only add to the sum, so a single row that costs much is no
    /// blow-up unless it is one for the whole epoch.
    pub fn after_step(&self, loss: f64, sum: f64, rows: usize, baseline: f64) -> Option<Cause> {
        if !loss.is_finite() {
            return Some(Cause::NotFinite);
        }
        self.is_spike(sum, rows, baseline).then_some(Cause::Spike)
    }

    fn is_spike(&self, sum: f64, rows: usize, baseline: f64) -> bool {
        matches!(self, Self::On(Rollbacks { spike, .. }) if sum > spike * baseline * rows as f64)
    }

    /// What to make of an epoch, after so many rollbacks in a row; `constant_loss` is what the best constant
    /// prediction costs on the training and on the validation rows.
    pub fn after_epoch(
        &self,
        epoch: EpochOutcome,
        rollbacks: u64,
        baseline: f64,
        constant_loss: [f64; 2],
    ) -> Look {
        // What is gone back to must be far from a blow-up, or no rate could help.
        let near = self.is_spike(2.0 * epoch.last_batch, 1, baseline);
        if epoch.has_learned(constant_loss) && !near {
            return Look::Well;
        }
        // It never ends a run.
        let may = rollbacks > 0 && self.cut(rollbacks, Cause::Stuck).is_some();
        if may && epoch.is_stuck() { Look::Stuck } else { Look::Wait }
    }
}

/// The share of what the best constant prediction costs that an epoch may cost at most in training to have
/// learned something.
const LEARNED: f64 = 0.95;

/// How many epochs a run that has gone back has to learn something in.
const PATIENCE: u64 = 3;

/// What the guard makes of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It has learned something: here the run can go back to.
    Well,
    /// It has not, yet.
    Wait,
    /// It will not.
    Stuck,
}

/// What the guard looks at of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct EpochOutcome {
    /// Its mean training loss.
    pub train_loss: f64,
    /// Its validation loss.
    pub valid_loss: f64,
    /// The training loss of the epoch before it, if there was one.
    pub before: Option<f64>,
    /// The loss of its last batch.
    pub last_batch: f64,
    /// The epochs since the run was where it would go back to.
    pub epochs_since_rollback: u64,
    /// Whether the run is over with it.
    pub is_over: bool,
}

impl EpochOutcome {
    fn has_learned(&self, constant_loss: [f64; 2]) -> bool {
        self.train_loss < LEARNED * constant_loss[0] && self.valid_loss < constant_loss[1]
    }

    /// Whether a run is stuck that has not learned anything since it went back. One that is only slow is on
    /// its way down.
    fn is_stuck(&self) -> bool {
        (self.epochs_since_rollback >= PATIENCE || self.is_over)
            && self.before.is_none_or(|before| self.train_loss >= before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_grow_while_they_do_not_help() {
        let guard = Guard::default();
        let cuts: Vec<f64> = (0..6).filter_map(|nth| guard.cut(nth, Cause::Spike)).collect();
        assert_eq!(cuts, [1.0 / 2.0, 1.0 / 4.0, 1.0 / 8.0, 1.0 / 16.0, 1.0 / 32.0]);
        assert_eq!(Guard::Off.cut(0, Cause::Spike), None);
        assert!(Guard::On(Rollbacks { rollbacks: 50, spike: 10.0 }).cut(49, Cause::Spike).is_some());
    }

    fn epoch(
        epochs_since_rollback: u64,
        is_over: bool,
        before: Option<f64>,
        train_loss: f64,
    ) -> EpochOutcome {
        let valid_loss = train_loss;
        EpochOutcome {
            train_loss,
            valid_loss,
            before,
            last_batch: train_loss,
            epochs_since_rollback,
            is_over,
        }
    }

    #[test]
    fn slow_is_not_stuck() {
        let look = |epoch, rollbacks| Guard::default().after_epoch(epoch, rollbacks, 0.7, [0.7, 0.7]);
        assert_eq!(look(epoch(3, false, Some(0.7), 0.7), 1), Look::Stuck);
        assert_eq!(look(epoch(1, true, None, 0.7), 1), Look::Stuck);
        assert_eq!(look(epoch(3, false, Some(0.7), 0.69), 1), Look::Wait, "on its way down");
        assert_eq!(look(epoch(2, false, Some(0.7), 0.7), 1), Look::Wait, "too soon");
        assert_eq!(look(epoch(3, false, Some(0.7), 0.7), 0), Look::Wait, "it never blew up");
        assert_eq!(look(epoch(3, false, Some(0.7), 0.7), 5), Look::Wait, "no rollback is left");
    }

    #[test]
    fn what_has_learned_is_gone_back_to_unless_it_is_about_to_blow_up() {
        let look = |epoch| Guard::default().after_epoch(epoch, 1, 0.7, [0.7, 0.7]);
        let learned = epoch(3, false, Some(0.7), 0.6);
        assert_eq!(look(learned), Look::Well);
        assert_eq!(look(EpochOutcome { valid_loss: 0.8, before: Some(0.5), ..learned }), Look::Stuck);
        assert_eq!(look(EpochOutcome { last_batch: 3.6, ..learned }), Look::Wait, "2 · 3.6 > 10 · 0.7");
    }

    #[test]
    fn a_step_blows_up_if_the_whole_epoch_does() {
        let after = |loss, sum| Guard::default().after_step(loss, sum, 100, 0.7);
        assert_eq!(after(f64::NAN, 0.0), Some(Cause::NotFinite));
        assert_eq!((after(50.0, 699.0), after(50.0, 701.0)), (None, Some(Cause::Spike)));
        assert_eq!(Guard::Off.after_step(50.0, 1e9, 100, 0.7), None);
        assert_eq!(Guard::Off.after_step(f64::INFINITY, 0.0, 100, 0.7), Some(Cause::NotFinite));
    }
}
