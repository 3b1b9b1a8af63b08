//! Beginning where another run is.

use std::mem::discriminant;

use downhill_core::spec;
use downhill_optim::Lookahead;
use downhill_run::Watch;

use super::{Progress, Run};
use crate::Error;

impl Run<'_> {
    /// Takes over where another run is, as far as the two have it in common, and returns notes on what begins
    /// anew.
    ///
    /// # Errors
    ///
    /// If the networks differ, or the other run is in the middle of an epoch whose rows are others here.
    pub(crate) fn branch_from(&mut self, parent: &Self) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        let (own, its) = (self.config.clone(), &parent.config);
        let (model, its_model) = (self.engine.model_mut(), parent.engine.model());
        if model.layout() != its_model.layout() {
            return Err(Error::Mismatch(
                "a branch goes on with the weights of its run, and its network has others: leave the layers \
                 as they are, and \
                 the columns and classes of the data, or train anew"
                    .into(),
            ));
        }
        model.params_mut().copy_from_slice(its_model.params());
        model.statistics_mut().copy_from_slice(its_model.statistics());

        self.progress = Progress { commands: 0, ended: false, epochs: None, ..parent.progress.clone() };
        let (optimizer, its_optimizer) = (self.engine.optimizer(), parent.engine.optimizer());
        let same_rule = spec::name(&own.optimizer) == spec::name(&its.optimizer);
        let same_slots = optimizer.state().slots().len() == its_optimizer.state().slots().len();
        let same_around = own.average().is_some() == its.average().is_some()
            && discriminant::<Lookahead>(&own.lookahead) == discriminant(&its.lookahead);
        let goes_on = same_rule && same_slots && same_around;
        if goes_on {
            self.engine.take_memory_of(&parent.engine);
        } else {
            notes.push("what the optimizer remembers begins anew: its settings need something else".into());
        }
        if !same_rule {
            notes.push(format!(
                "the rate is {:.3e} at first, and it was meant for {}: give another if it does not suit {}",
                parent.rate(),
                spec::name(&its.optimizer),
                spec::name(&own.optimizer)
            ));
        }

        let same_data = self.origin().data == parent.origin().data;
        let same_stopping = own.early_stopping.monitor() == its.early_stopping.monitor();
        if same_data && same_stopping && self.engine.loss() == parent.engine.loss() {
            (self.best, self.last) = (parent.best.clone(), parent.last.clone());
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

        let rows_per_step = |run: &Self| run.engine.batches().rows_per_step;
        let same_batches = rows_per_step(self) == rows_per_step(parent) && own.seed == its.seed;
        if !same_batches || !same_data {
            self.count_steps_as(parent)?;
        }
        if own.early_stopping.stops(self.progress.waited) {
            // It is branched off to go on.
            self.progress.waited = 0;
        }
        self.progress.steps_executed = self.progress.step;
        if self.progress.step >= self.total_steps() {
            let epochs = self.progress.step / self.engine.steps_per_epoch();
            return Err(Error::BranchIsOver { epochs });
        }
        Ok(notes)
    }

    /// Counts in its own steps what was taken over from a run whose epochs may have others.
    fn count_steps_as(&mut self, parent: &Self) -> Result<(), Error> {
        if !parent.is_between_epochs() {
            return Err(Error::Mismatch(format!(
                "step {} is in the middle of an epoch, and with other data or another batch the rest of it is another; \
                 branch off where an epoch ends, as with @{}ep",
                parent.progress.step,
                parent.progress.step / parent.engine.steps_per_epoch()
            )));
        }
        let (its, own) = (parent.engine.steps_per_epoch(), self.engine.steps_per_epoch());
        let here = |step: &mut u64| *step = (u128::from(*step) * u128::from(own) / u128::from(its)) as u64;
        here(&mut self.progress.step);
        self.progress.steering.steps_mut().for_each(here);
        self.progress.best.iter_mut().for_each(|best| here(&mut best.epoch.step));
        self.last.iter_mut().for_each(|last| here(&mut last.step));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{config, iris};

    #[test]
    fn a_branch_begins_where_its_parent_is() {
        let data = iris();
        let its = config(&data, |_| {});
        let mut parent = Run::new(&its, &data, false).unwrap();
        while parent.state().step < 11 {
            parent.advance().unwrap();
        }
        let mut branch = Run::new(&its, &data, false).unwrap();
        assert!(branch.branch_from(&parent).unwrap().is_empty());
        assert_eq!(branch.engine().snapshot(), parent.engine().snapshot());
        assert_eq!(branch.state(), parent.state());
        // With another rule its memory is new, and with other batches an epoch must have ended.
        let other = config(&data, |config| config.optimizer = "momentum".parse().unwrap());
        let mut branch = Run::new(&other, &data, false).unwrap();
        assert_eq!(branch.branch_from(&parent).unwrap().len(), 2);
        assert_eq!(branch.engine().updates(), 0);
        assert_eq!(branch.engine().model().params(), parent.engine().model().params());
        let other = config(&data, |config| config.batch = Some(30));
        let why = Run::new(&other, &data, false).unwrap().branch_from(&parent).unwrap_err().to_string();
        assert!(why.contains("step 11 is in the middle of an epoch"), "{why}");
        while parent.state().step < 16 {
            parent.advance().unwrap();
        }
        let mut branch = Run::new(&other, &data, false).unwrap();
        branch.branch_from(&parent).unwrap();
        assert_eq!((branch.state().step, branch.state().steps_executed), (8, 8), "half the steps an epoch");
    }
}
