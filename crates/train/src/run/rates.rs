//! The rate and the momentum of the next step: the schedules' at the position, under the events so far.

use downhill_schedule::{Position, Schedule};

use super::Run;
use crate::finder::peak;
use crate::momentum::momentum;
use crate::{Error, Event, RateChange, Sharpness, Steering};

/// What a step is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRates {
    /// The learning rate.
    pub lr: f64,
    /// The momentum, μ or β₁, in [0, 1); none to leave it as it is.
    pub momentum: Option<f64>,
}

impl Run<'_> {
    /// What the next step is made with, unless something happens.
    pub fn scheduled(&self) -> StepRates {
        StepRates { lr: self.rate(), momentum: self.momentum() }
    }

    /// The rate of the next step: the schedule's, under the events so far.
    pub fn rate(&self) -> f64 {
        self.progress.steering.rate(&self.lr, self.position())
    }

    /// The momentum of the next step, if it is not just the rule's own.
    fn momentum(&self) -> Option<f64> {
        let position = self.position();
        let scheduled = momentum(&self.config, position, self.progress.steering.in_force(&self.lr, position));
        // Another schedule may have moved it, and left it where it was.
        let own = || self.config.optimizer.clone().momentum_mut().copied();
        scheduled.or_else(|| if self.progress.commands > 0 { own() } else { None })
    }

    /// What a step at another position is made with by the run's own schedules, before anything has happened,
    /// its rate multiplied by `scale`.
    pub(crate) fn scheduled_at(&self, position: Position, scale: f64) -> StepRates {
        self.with_rate(scale * self.lr.at(position), position)
    }

    /// What a step at a position is made with at a rate that is not the schedule's.
    pub(crate) fn with_rate(&self, lr: f64, position: Position) -> StepRates {
        StepRates { lr, momentum: momentum(&self.config, position, (&self.lr, position)) }
    }

    /// The highest rate of the schedule in force, under all that was done to it so far.
    pub(crate) fn peak_in_force(&self) -> f64 {
        let steering = &self.progress.steering;
        let (schedule, place) = steering.in_force(&self.lr, self.position());
        steering.scale * peak(schedule, Position { step: 0, ..place })
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.lr
    }

    pub(crate) fn steering_mut(&mut self) -> &mut Steering {
        &mut self.progress.steering
    }

    /// Follows another schedule from here on, for so many epochs if the run was given another length: as the
    /// run would if it were started with that one.
    pub(crate) fn follow(&mut self, schedule: &Schedule, epochs: Option<u64>) {
        let position = self.position();
        self.progress.steering.change(&RateChange::Follow(schedule.clone()), position);
        self.progress.epochs = epochs;
    }

    /// Shows what the rates to come are.
    pub(crate) fn show_plan(&mut self) {
        if self.channels.views.is_empty() {
            return;
        }
        let Position { step, steps_per_epoch, total_steps } = self.position();
        let (schedule, steering) = (self.lr.clone(), self.progress.steering.clone());
        self.channels.show(&Event::Plan { step, total_steps, steps_per_epoch, schedule, steering });
    }

    /// The sharpness of the training loss on `rows` rows, and the stability limit of the optimizer as it
    /// stands.
    pub(crate) fn sharpness(&mut self, rows: usize) -> Result<Sharpness, Error> {
        if let Some(momentum) = self.momentum() {
            self.engine.set_momentum(momentum, self.progress.step)?;
        }
        self.engine.sharpness(rows)
    }

    /// Measures how curved the training loss is, if it is time to, and tells, unless it is no number any
    /// more.
    pub(super) fn track_sharpness(&mut self) -> Result<(), Error> {
        let Some(rows) = self.config.track.due(self.position()) else { return Ok(()) };
        let found = self.sharpness(rows)?;
        if !found.value.is_finite() {
            return Ok(());
        }
        let (step, lr, limit) = (self.progress.step, self.rate(), found.limit());
        let ratio = limit.map(|limit| lr / limit);
        Ok(self.channels.tell(&Event::Sharpness { step, sharpness: found.value, lr, limit, ratio })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{config, iris};

    #[test]
    fn the_rate_is_the_schedules_under_the_events() {
        let data = iris();
        let config = config(&data, |config| config.lr = Some("linear(0.1, end=0)".parse().unwrap()));
        let mut run = Run::new(&config, &data, false).unwrap();
        let total = run.total_steps();
        run.progress.step = total / 2;
        assert!((run.rate() - 0.05).abs() < 1e-12);
        run.steering_mut().scale = 0.5;
        assert!((run.rate() - 0.025).abs() < 1e-12 && (run.peak_in_force() - 0.05).abs() < 1e-12);
        run.follow(&"0.3".parse().unwrap(), Some(2));
        assert_eq!((run.rate(), run.progress.epochs), (0.3, Some(2)));
        let start = Position { step: 0, ..run.position() };
        assert_eq!(run.scheduled_at(start, 2.0).lr, 0.2, "the run's own schedule");
    }
}
