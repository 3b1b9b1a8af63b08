//! Where a run is, from its events alone: the one fold that whatever looks at a run uses.

use downhill_schedule::{Position, Schedule};

use crate::{Command, Epoch, Event, FoundRate, RateChange, Steering, Stop};

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Phase {
    /// Nothing was heard of it yet.
    #[default]
    Waiting,
    /// It looks for a learning rate.
    Searching,
    /// It makes steps.
    Training,
    /// It waits for a command to go on.
    Paused,
    /// It has stopped.
    Over(Stop),
}

/// The size of a run, as its beginning tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// The name of the data.
    pub dataset: String,
    /// The rows of an epoch.
    pub train_rows: u64,
    /// The rows it is measured on.
    pub valid_rows: u64,
    /// The number of inputs.
    pub features: u64,
    /// The number of classes; none in regression.
    pub classes: Option<u64>,
    /// The number of trained parameters.
    pub parameters: u64,
}

/// Where a run is, as far as its events have told: those of a log, or those that are shown while it is under
/// way.
///
/// ```
/// use downhill_run::{Command, Event, Phase, RunState};
///
/// let mut state = RunState::default();
/// state.apply(&Event::Resume { step: 30, steps_executed: 30, total_steps: 90, steps_per_epoch: 10 });
/// state.apply(&Event::Step { step: 30, lr: 0.1, loss: 0.7, rows: 16 });
/// assert_eq!((state.phase, state.step, state.epochs_ended()), (Phase::Training, 31, 3));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunState {
    /// What it is doing.
    pub phase: Phase,
    /// How large it is; none where its beginning was not heard.
    pub size: Option<Size>,
    /// The next step.
    pub step: u64,
    /// The number of steps executed, those gone back over included.
    pub steps_executed: u64,
    /// The length of an epoch in steps; 0 as long as it is not known.
    pub steps_per_epoch: u64,
    /// The length of the run in steps, unless it stops early; 0 as long as it is not known.
    pub total_steps: u64,
    /// The rate of the last step.
    pub lr: Option<f64>,
    /// The loss of the last step's rows, before it.
    pub loss: Option<f64>,
    /// The run's own schedule, if it was told or is set from the run's settings.
    pub schedule: Option<Schedule>,
    /// How the learning rate was found, if it was.
    pub found: Option<FoundRate>,
    /// The last epoch that ended, unless the run has gone back to before its end.
    pub last: Option<Epoch>,
    /// The epochs that were the best so far when they ended, in their order.
    best: Vec<Epoch>,
    /// What was done to the schedule, in the order in which it was told.
    changes: Vec<Change>,
    /// What was done to the schedule, where a plan has told it.
    planned: Option<Steering>,
}

/// A change of the rate that the schedule does not know of.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    /// The number of steps executed when it happened.
    steps_executed: u64,
    /// The first step with the new rate.
    from: u64,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// A cut or a rollback, after which the schedule's rates are multiplied by this.
    Scale(f64),
    /// A command that changes the rate.
    Rate(RateChange),
    /// A command that takes the last change back.
    Undo,
}

impl RunState {
    /// Of a run of which nothing was heard yet, with its own schedule.
    pub fn new(schedule: impl Into<Schedule>) -> Self {
        Self { schedule: Some(schedule.into()), ..Self::default() }
    }

    /// Learns of an event, and returns the step that the run has gone back to, if it has: what happened from
    /// there on does not count any more. Of a step, it allocates nothing.
    pub fn apply(&mut self, event: &Event) -> Option<u64> {
        match event {
            Event::Step { step, lr, loss, .. } => {
                self.steps_executed = self.steps_executed.saturating_add(loss.is_finite().into());
                (self.step, self.lr, self.loss) = (step.saturating_add(1), Some(*lr), Some(*loss));
            }
            Event::Search => self.phase = Phase::Searching,
            Event::Start { total_steps, steps_per_epoch, .. } => {
                // One that was cut off before its first checkpoint starts again.
                let again = self.size.is_some();
                self.size = size(event);
                (self.total_steps, self.steps_per_epoch) = (*total_steps, *steps_per_epoch);
                self.go_on_from(0, 0);
                return again.then_some(0);
            }
            Event::Resume { step, steps_executed, total_steps, steps_per_epoch } => {
                (self.total_steps, self.steps_per_epoch) = (*total_steps, *steps_per_epoch);
                self.go_on_from(*step, *steps_executed);
                return Some(*step);
            }
            Event::Plan { step, total_steps, steps_per_epoch, schedule, steering } => {
                (self.step, self.total_steps, self.steps_per_epoch) = (*step, *total_steps, *steps_per_epoch);
                self.schedule = Some(schedule.clone());
                self.planned = Some(steering.clone());
            }
            Event::Rate(found) => {
                self.schedule.get_or_insert_with(|| found.schedule.clone());
                self.found = Some(found.clone());
            }
            Event::Epoch(epoch) => {
                // In a log, the steps themselves are not told.
                let steps = epoch.step.saturating_sub(self.step);
                self.steps_executed = self.steps_executed.saturating_add(steps);
                (self.step, self.lr) = (epoch.step, Some(epoch.lr));
                if epoch.best {
                    self.best.push(epoch.clone());
                }
                self.last = Some(epoch.clone());
            }
            Event::Cut { step, steps_executed, scale, .. } => {
                self.change(*step, *steps_executed, What::Scale(*scale));
            }
            Event::Rollback { to, steps_executed, scale, .. } => {
                self.change(*to, *steps_executed, What::Scale(*scale));
                self.step = *to;
                self.last.take_if(|last| last.step > *to);
                return Some(*to);
            }
            Event::Command { step, steps_executed, command, .. } => match command {
                Command::SetLr { lr } => self.change(*step, *steps_executed, What::Rate(lr.clone())),
                Command::Undo => self.change(*step, *steps_executed, What::Undo),
                Command::SetEpochs { epochs } => {
                    self.total_steps = epochs.saturating_mul(self.steps_per_epoch);
                }
                Command::Pause => self.phase = Phase::Paused,
                Command::Continue | Command::End => self.phase = Phase::Training,
                Command::Stop | Command::Checkpoint => {}
            },
            Event::Stop { step, steps_executed, reason, .. } => {
                (self.step, self.phase) = (*step, Phase::Over(*reason));
                self.steps_executed = self.steps_executed.max(*steps_executed);
            }
            Event::SearchProgress { .. }
            | Event::Refused { .. }
            | Event::Sharpness { .. }
            | Event::Environment(_)
            | Event::Norms { .. }
            | Event::Distributions { .. }
            | Event::Confusion { .. }
            | Event::Residuals { .. }
            | Event::Checkpoint { .. }
            | Event::Note { .. } => {}
        }
        None
    }

    /// What happened after a checkpoint happens again, or not; commands are not given again, but applied
    /// again.
    fn go_on_from(&mut self, step: u64, steps_executed: u64) {
        (self.step, self.steps_executed, self.phase) = (step, steps_executed, Phase::Training);
        let is_command = |change: &Change| matches!(change.what, What::Rate(_) | What::Undo);
        self.changes.retain(|change| change.steps_executed <= steps_executed || is_command(change));
        self.best.retain(|best| best.step <= step);
        self.last.take_if(|last| last.step > step);
        self.planned = None;
    }

    fn change(&mut self, from: u64, steps_executed: u64, what: What) {
        (self.step, self.steps_executed) = (from, steps_executed);
        self.changes.push(Change { steps_executed, from, what });
        self.planned = None;
    }

    /// The best epoch so far. It stays that if the guard goes back to before it.
    pub fn best(&self) -> Option<&Epoch> {
        self.best.last()
    }

    /// How many epochs have ended.
    pub fn epochs_ended(&self) -> u64 {
        let last = || self.last.as_ref().map_or(0, |last| last.epoch.saturating_add(1));
        self.step.checked_div(self.steps_per_epoch).unwrap_or_else(last)
    }

    /// The length of the run in epochs, as far as it is known.
    pub fn total_epochs(&self) -> Option<u64> {
        self.total_steps.checked_div(self.steps_per_epoch)
    }

    /// Why it stopped; none if it is under way or was killed.
    pub fn stop(&self) -> Option<Stop> {
        if let Phase::Over(stop) = self.phase { Some(stop) } else { None }
    }

    fn position(&self, step: u64) -> Position {
        let (steps_per_epoch, total_steps) = (self.steps_per_epoch.max(1), self.total_steps.max(1));
        Position { step, steps_per_epoch, total_steps }
    }

    /// What has been done to the schedule, each with the step from which on it holds, in the order in which
    /// it took effect.
    pub fn steered(&self) -> Vec<(u64, Steering)> {
        let mut changes: Vec<&Change> = self.changes.iter().collect();
        // What happens at the end of a step comes before what a person says at the next.
        changes.sort_by_key(|change| (change.steps_executed, !matches!(change.what, What::Scale(_))));
        let mut steering = Steering::default();
        let steered = changes.into_iter().map(|change| {
            match &change.what {
                What::Scale(scale) => steering.scale = *scale,
                What::Rate(lr) => steering.change(lr, self.position(change.from)),
                What::Undo => steering.undo(),
            }
            (change.from, steering.clone())
        });
        steered.collect()
    }

    /// What is done to the schedule now.
    pub fn steering(&self) -> Steering {
        let last = || self.steered().pop().map(|(_, steering)| steering);
        self.planned.clone().or_else(last).unwrap_or_default()
    }

    /// The rate that a step to come is made with, as things are; none as long as the schedule is not known.
    pub fn rate(&self, step: u64) -> Option<f64> {
        let rate = |steering: &Steering| Some(steering.rate(self.schedule.as_ref()?, self.position(step)));
        match &self.planned {
            Some(steering) => rate(steering),
            None => rate(&self.steering()),
        }
    }

    /// What a command comes to in a loop that has no other state than this: [`Event::Command`], or
    /// [`Event::Refused`] if it cannot be applied. Nothing has changed before [`apply`](Self::apply) is told
    /// of it.
    pub fn answer(&self, command: Command) -> Event {
        let (step, steps_executed) = (self.step, self.steps_executed);
        let steering = self.steering();
        let schedule = self.schedule.clone().unwrap_or_else(|| 1.0.into());
        let over = self.stop().is_some() || step >= self.total_steps;
        if let Err(error) = command.check(&schedule, &steering, self.position(step), over) {
            let why = error.to_string();
            return Event::Refused { step, steps_executed, command, why };
        }
        let lr_before = steering.rate(&schedule, self.position(step));
        let lr = lr_before;
        let event = Event::Command { step, steps_executed, command, lr_before, lr };
        let mut after = self.clone();
        after.apply(&event);
        let lr = after.rate(step).unwrap_or(lr_before);
        match event {
            Event::Command { command, .. } => Event::Command { step, steps_executed, command, lr_before, lr },
            event => event,
        }
    }
}

/// What the beginning of a run tells of its size.
fn size(event: &Event) -> Option<Size> {
    let Event::Start { dataset, train_rows, valid_rows, features, classes, parameters, .. } = event else {
        return None;
    };
    Some(Size {
        dataset: dataset.clone(),
        train_rows: *train_rows,
        valid_rows: *valid_rows,
        features: *features,
        classes: *classes,
        parameters: *parameters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Metrics, Regression};

    fn resume(step: u64, steps_executed: u64) -> Event {
        Event::Resume { step, steps_executed, total_steps: 90, steps_per_epoch: 10 }
    }

    fn epoch(epoch: u64, best: bool) -> Event {
        let metrics = Metrics::Regression(Regression { rmse: 1.0, mae: 1.0, r2: None });
        let (step, seconds) = (10 * (epoch + 1), 1.0);
        let (lr, train_loss, valid_loss, rows_per_second) = (0.1, 1.0, 1.0, 1.0);
        Event::Epoch(Epoch {
            epoch,
            step,
            lr,
            train_loss,
            valid_loss,
            metrics,
            best,
            seconds,
            rows_per_second,
        })
    }

    fn set_lr(step: u64, steps_executed: u64, lr: &str) -> Event {
        let command = Command::SetLr { lr: lr.parse().unwrap() };
        Event::Command { step, steps_executed, command, lr_before: 1.0, lr: 1.0 }
    }

    fn of(events: &[Event]) -> RunState {
        let mut state = RunState { schedule: Some(1.0.into()), ..RunState::default() };
        events.iter().for_each(|event| _ = state.apply(event));
        state
    }

    #[test]
    fn going_back_takes_epochs_away_and_leaves_the_best_of_a_rollback() {
        let mut state = of(&[resume(0, 0), epoch(0, true), epoch(1, true)]);
        assert_eq!((state.step, state.steps_executed, state.epochs_ended()), (20, 20, 2));
        let rollback =
            Event::Rollback { step: 25, steps_executed: 26, to: 10, scale: 0.5, cause: Cause::Spike };
        assert_eq!(state.apply(&rollback), Some(10));
        assert_eq!((state.step, state.steps_executed, state.epochs_ended()), (10, 26, 1));
        assert_eq!((state.last.is_none(), state.best().map(|best| best.epoch)), (true, Some(1)));
        assert_eq!(state.rate(10), Some(0.5));
        // A checkpoint from before it knows nothing of it.
        assert_eq!(state.apply(&resume(10, 10)), Some(10));
        assert_eq!((state.rate(10), state.best().map(|best| best.epoch)), (Some(1.0), Some(0)));
    }

    #[test]
    fn commands_are_applied_again_after_a_resume_and_cuts_only_if_they_happen_again() {
        let cut = Event::Cut { step: 30, steps_executed: 30, scale: 0.1, back_to: None };
        let state = of(&[resume(0, 0), set_lr(15, 15, "0.5x"), set_lr(25, 25, "0.5x"), cut, resume(20, 20)]);
        assert_eq!(state.rate(26), Some(0.25));
        let steered: Vec<(u64, f64)> =
            state.steered().into_iter().map(|(from, steering)| (from, steering.scale)).collect();
        assert_eq!(steered, [(15, 0.5), (25, 0.25)]);
    }

    #[test]
    fn a_plan_tells_what_is_done_to_the_schedule_until_something_happens() {
        let mut state = of(&[resume(0, 0)]);
        let mut steering = Steering::default();
        steering.change(&"3x".parse().unwrap(), Position { step: 0, steps_per_epoch: 10, total_steps: 90 });
        let plan = Event::Plan {
            step: 0,
            total_steps: 90,
            steps_per_epoch: 10,
            schedule: "linear(1, end=0)".parse().unwrap(),
            steering,
        };
        state.apply(&plan);
        assert_eq!(state.rate(45), Some(1.5));
        state.apply(&Event::Cut { step: 10, steps_executed: 10, scale: 0.5, back_to: None });
        assert_eq!(state.rate(45), Some(0.25));
    }

    #[test]
    fn commands_are_answered_as_a_run_answers_them() {
        let mut state = of(&[resume(0, 0)]);
        let half = state.answer(Command::SetLr { lr: "0.5x".parse().unwrap() });
        assert!(matches!(half, Event::Command { lr_before: 1.0, lr: 0.5, .. }), "{half:?}");
        assert!(matches!(state.answer(Command::Undo), Event::Refused { .. }));
        state.apply(&half);
        assert!(matches!(state.answer(Command::Undo), Event::Command { lr_before: 0.5, lr: 1.0, .. }));
        let short = state.answer(Command::SetEpochs { epochs: 0 });
        assert!(matches!(short, Event::Refused { .. }));
        state.apply(&state.answer(Command::SetEpochs { epochs: 3 }));
        assert_eq!((state.total_steps, state.total_epochs()), (30, Some(3)));
        state.apply(&state.answer(Command::Pause));
        assert_eq!(state.phase, Phase::Paused);
        state.apply(&Event::Stop {
            step: 30,
            steps_executed: 30,
            reason: Stop::Finished,
            weights_sha256: None,
        });
        assert!(matches!(state.answer(Command::SetLr { lr: "1".parse().unwrap() }), Event::Refused { .. }));
    }
}
