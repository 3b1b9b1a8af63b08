//! Beginning where another run is.

use std::mem::discriminant;

use downhill_core::spec;
use downhill_optim::Lookahead;

use super::Session;
use crate::Error;
use crate::checkpoint::Progress;
use crate::plateau::Watch;

impl Session<'_> {
    /// Takes over where another run is, as far as the two have it in common, and returns notes on what begins anew.
    ///
    /// # Errors
    ///
    /// If the networks differ, or the other run is in the middle of an epoch whose rows are others here.
    pub fn adopt(&mut self, other: &Self) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        if self.model.layout() != other.model.layout() {
            return Err(Error::Mismatch(
                "a branch goes on with the weights of its run, and its network has others: leave the layers as they are, and \
                 the columns and classes of the data, or train anew"
                    .into(),
            ));
        }
        self.model.params_mut().copy_from_slice(other.model.params());
        self.model.statistics_mut().copy_from_slice(other.model.statistics());

        self.progress = Progress { commands: 0, ended: false, epochs: None, ..other.progress.clone() };
        let (own, its) = (self.config, other.config);
        let same_rule = spec::name(&own.optimizer) == spec::name(&its.optimizer);
        let same_slots = self.optimizer.state().slots().len() == other.optimizer.state().slots().len();
        let same_around = own.average().is_some() == its.average().is_some()
            && discriminant::<Lookahead>(&own.lookahead) == discriminant(&its.lookahead);
        let goes_on = same_rule && same_slots && same_around;
        if goes_on {
            self.optimizer.state_mut().clone_from(other.optimizer.state());
        } else {
            self.progress.updates = 0;
            notes.push("what the optimizer remembers begins anew: its settings need something else".into());
        }
        if !same_rule {
            notes.push(format!(
                "the rate is {:.3e} at first, and it was meant for {}: give one with --lr if it does not suit {}",
                other.rate(),
                spec::name(&its.optimizer),
                spec::name(&own.optimizer)
            ));
        }

        let same_data = self.origin().data == other.origin().data;
        let same_stopping = own.early_stopping.monitor() == its.early_stopping.monitor();
        if same_data && same_stopping && self.loss == other.loss {
            (self.best, self.last) = (other.best.clone(), other.last.clone());
            if let (Some(best), false) = (&mut self.best, goes_on) {
                best.training = None;
            }
        } else {
            (self.progress.best, self.progress.waited, self.last) = (None, 0, None);
            notes.push(
                "the best epoch is looked for anew: losses before the branch cannot be compared".into(),
            );
        }
        if own.plateau != its.plateau || !same_data {
            self.progress.watch = Watch::default();
        }

        let same_batches = self.batches.rows_per_step == other.batches.rows_per_step && own.seed == its.seed;
        if !same_batches || !same_data {
            if !other.is_between_epochs() {
                return Err(Error::Mismatch(format!(
                    "step {} is in the middle of an epoch, and with other data or another batch the rest of it is another; \
                     branch off where an epoch ends, as with @{}ep",
                    other.progress.step,
                    other.progress.step / other.steps_per_epoch
                )));
            }
            let (its, own) = (other.steps_per_epoch, self.steps_per_epoch);
            let here =
                |step: &mut u64| *step = (u128::from(*step) * u128::from(own) / u128::from(its)) as u64;
            here(&mut self.progress.step);
            self.progress.steering.steps_mut().for_each(here);
            self.progress.best.iter_mut().for_each(|best| here(&mut best.epoch.step));
            self.last.iter_mut().for_each(|last| here(&mut last.step));
        }
        if own.early_stopping.stops(self.progress.waited) {
            // It is branched off to go on.
            self.progress.waited = 0;
        }
        self.progress.made = self.progress.step;
        if self.progress.step >= self.total_steps() {
            let epochs = self.progress.step / self.steps_per_epoch;
            return Err(Error::Mismatch(format!(
                "the branch would be over where it begins, after {epochs} epochs: give it more with --epochs, or branch off \
                 earlier"
            )));
        }
        Ok(notes)
    }
}
