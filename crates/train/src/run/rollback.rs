//! Going back, at a lower rate, when the guard sees that the run blows up.

use downhill_run::{EpochOutcome, Look};

use super::{Progress, Run, StepOutcome};
use crate::{Cause, Error, Event, Guard, Stop};

impl Run<'_> {
    /// Takes the place where the run begins, or goes on, for one to go back to.
    pub(super) fn mark_rollback_point(&mut self) {
        if self.rollback_point.is_none() && self.config.guard != Guard::Off {
            self.rollback_point = Some(self.training_state());
        }
    }

    /// What is wrong with the run after a step, if something is.
    pub(super) fn trouble_of_step(&self, step: StepOutcome) -> Option<Cause> {
        let rows = self.engine.data().train.rows();
        self.config.guard.after_step(step.loss, self.progress.loss_sum, rows, self.baseline)
    }

    /// Takes the end of an epoch for where to go back to if it has learned something, or sees that the run is
    /// stuck. `before` is the mean training loss of the epoch before it, and `last_batch` the loss of its
    /// last step.
    pub(super) fn look_back(&mut self, before: Option<f64>, last_batch: f64) -> Option<Cause> {
        let is_over = self.over().is_some();
        let (point, ended) = (self.rollback_point.as_mut()?, self.last.as_ref()?);
        let outcome = EpochOutcome {
            train_loss: ended.train_loss,
            valid_loss: ended.valid_loss,
            before,
            last_batch,
            epochs_since_rollback: (self.progress.step - point.progress.step) / self.engine.steps_per_epoch(),
            is_over,
        };
        match self.config.guard.after_epoch(
            outcome,
            self.progress.rollbacks,
            self.baseline,
            self.constant_loss,
        ) {
            Look::Well => {
                self.progress.rollbacks = 0;
                point.progress.clone_from(&self.progress);
                self.engine.snapshot_into(&mut point.engine);
                None
            }
            Look::Wait => None,
            Look::Stuck => Some(Cause::Stuck),
        }
    }

    /// Goes back to where the run was still well, at a lower rate; false if it is not to do so any more.
    pub(super) fn roll_back(&mut self, cause: Cause) -> Result<bool, Error> {
        let (Some(cut), Some(point)) =
            (self.config.guard.cut(self.progress.rollbacks, cause), &self.rollback_point)
        else {
            return Ok(false);
        };
        // The best epoch stays that, even if it is made again, and commands that were applied stay applied.
        let Progress { step, steps_executed, commands, epochs, ended, rollbacks, best, steering, .. } =
            std::mem::take(&mut self.progress);
        let rollbacks = rollbacks + 1;
        let well = point.progress.clone();
        // Before and after it are two moments, even if the step that was seen to be bad did not count.
        let steps_executed = steps_executed + 1;
        self.progress =
            Progress { steps_executed, commands, epochs, ended, rollbacks, best, steering, ..well };
        self.progress.steering.scale *= cut;
        self.engine.restore(&point.engine);
        self.checkpoints.unsaved = true;
        let (to, scale) = (self.progress.step, self.progress.steering.scale);
        self.channels.tell(&Event::Rollback { step, steps_executed, to, scale, cause })?;
        self.show_plan();
        Ok(true)
    }

    /// The loss is no number any more, and the run does not go back: the best epoch is what is left.
    ///
    /// # Errors
    ///
    /// If there was none.
    pub(super) fn diverged(&mut self, epoch: u64, lr: f64) -> Result<Stop, Error> {
        let (step, steps_executed) = (self.progress.step, self.progress.steps_executed);
        let reason = Stop::Diverged { lr };
        if self.best.is_some() {
            return Ok(reason);
        }
        self.channels.tell(&Event::Stop { step, steps_executed, reason, weights_sha256: None })?;
        Err(Error::Diverged { step, epoch, lr })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{config, events, iris};
    use crate::{Command, Config};

    /// A run whose rate is far too high from the third epoch on.
    fn blows_up(data: &downhill_data::Dataset) -> Config {
        config(data, |config| {
            config.lr = Some("piecewise(0.03, at=[2ep], rates=[1e38])".parse().unwrap());
            (config.epochs, config.ema) = (4, Some(0.0));
        })
    }

    #[test]
    fn it_goes_back_to_where_the_run_was_well() {
        let data = iris();
        let mut run = Run::new(&blows_up(&data), &data, false).unwrap();
        let seen = events(&mut run);
        let mut well = None;
        let rollback = loop {
            assert_eq!(run.advance().unwrap(), None);
            if run.state().step == 2 * run.position().steps_per_epoch && well.is_none() {
                well = Some((run.state().clone(), run.engine().snapshot()));
            }
            let rollback = |event: &Event| matches!(event, Event::Rollback { .. });
            if let Some(event) = seen.lock().unwrap().iter().find(|event| rollback(event)) {
                break event.clone();
            }
        };
        let (progress, engine) = well.unwrap();
        let Event::Rollback { step, steps_executed, to, scale, .. } = rollback else { unreachable!() };
        assert!(step >= to && to == progress.step, "{step} to {to}");
        assert_eq!((scale, run.state().steering.scale), (0.5, 0.5));
        assert_eq!(run.engine().snapshot(), engine, "weights, statistics and memory are those of then");
        assert_eq!(run.state().steps_executed, steps_executed);
        assert_eq!(steps_executed, step + 1, "going back counts");
        let expected = Progress {
            steps_executed,
            rollbacks: 1,
            steering: run.state().steering.clone(),
            seconds: run.state().seconds,
            epoch_seconds: run.state().epoch_seconds,
            ..progress
        };
        assert_eq!(run.state(), &expected);
    }

    #[test]
    fn rates_fall_ever_faster_until_the_guard_gives_up() {
        let data = iris();
        let config = config(&data, |config| {
            config.lr = Some("1e38".parse().unwrap());
            config.optimizer = "sgd".parse().unwrap();
            config.guard = "on(rollbacks=3)".parse().unwrap();
        });
        let mut run = Run::new(&config, &data, false).unwrap();
        let seen = events(&mut run);
        let error = loop {
            match run.advance() {
                Ok(stop) => assert_eq!(stop, None),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Diverged { epoch: 0, .. }), "{error}");
        let scales: Vec<f64> = seen
            .lock()
            .unwrap()
            .iter()
            .filter_map(|event| match event {
                Event::Rollback { scale, to: 0, .. } => Some(*scale),
                _ => None,
            })
            .collect();
        assert_eq!(scales, [0.5, 0.5 / 4.0, 0.5 / 4.0 / 8.0]);
    }

    #[test]
    fn what_a_command_has_changed_stays_changed() {
        let data = iris();
        let mut run = Run::new(&blows_up(&data), &data, false).unwrap();
        let (sender, inbox) = std::sync::mpsc::channel();
        run.listen(inbox);
        while run.state().step < 2 * run.position().steps_per_epoch {
            run.advance().unwrap();
        }
        sender.send(Command::SetLr { lr: "0.25x".parse().unwrap() }).unwrap();
        sender.send(Command::SetEpochs { epochs: 3 }).unwrap();
        while run.state().rollbacks == 0 {
            assert_eq!(run.advance().unwrap(), None);
        }
        let state = run.state();
        assert_eq!((state.commands, state.epochs, state.steering.scale), (2, Some(3), 0.125));
        assert!(state.steering.can_undo());
    }

    #[test]
    fn without_a_guard_the_best_epoch_is_what_is_left() {
        let data = iris();
        let config = Config { guard: Guard::Off, ..blows_up(&data) };
        let mut run = Run::new(&config, &data, false).unwrap();
        let stop = loop {
            if let Some(stop) = run.advance().unwrap() {
                break stop;
            }
        };
        assert!(matches!(stop, Stop::Diverged { lr } if lr > 1e20), "{stop:?}");
        assert!(run.rollback_point.is_none());
        assert_eq!(run.state().best.as_ref().unwrap().epoch.epoch, 1);
    }
}
