//! The commands in a log, for a run that is resumed or replayed.

use crate::log::{Record, begins};
use crate::{Command, Event};

/// Commands that a run applies at the steps at which it did so before.
#[derive(Clone, Debug, Default)]
pub struct CommandReplay {
    /// In the order in which they take effect, each with the number of steps executed before it.
    commands: Vec<(u64, Command)>,
    next: usize,
}

impl CommandReplay {
    /// The commands of a log.
    pub fn of(records: &[Record]) -> Self {
        let command = |record: &Record| match &record.event {
            Event::Command { steps_executed, command, .. } => Some((*steps_executed, command.clone())),
            _ => None,
        };
        let mut commands: Vec<_> = records.iter().filter_map(command).collect();
        // A run that went on from a checkpoint may have been given commands before those that it had been
        // given already.
        commands.sort_by_key(|(at, _)| *at);
        Self { commands, next: 0 }
    }

    /// Whether the log that this is of tells how its run began, and all of the so many commands that it has
    /// applied.
    pub fn tells(&self, records: &[Record], commands: u64) -> bool {
        begins(records) && self.commands.len() as u64 >= commands
    }

    /// Whether the log has no commands.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Leaves out the first ones, which were applied before.
    pub fn skip(&mut self, applied: u64) {
        self.next = applied as usize;
    }

    /// How many are applied before so many steps are executed.
    pub fn before(&self, executed: u64) -> u64 {
        self.commands.partition_point(|(at, _)| *at < executed) as u64
    }

    /// The next command, if it is to be applied once so many steps are executed.
    pub fn due(&mut self, executed: u64) -> Option<Command> {
        let (at, command) = self.commands.get(self.next)?;
        (*at <= executed).then(|| {
            self.next += 1;
            command.clone()
        })
    }
}

/// The number of steps executed, those gone back over included, when a run last came to a step.
pub fn executed_at(records: &[Record], step: u64) -> u64 {
    let mut rollbacks: Vec<(u64, u64, u64)> = Vec::new();
    for record in records {
        match record.event {
            Event::Start { .. } => rollbacks.clear(),
            // What happened after its checkpoint happens again, or, if a command has changed the run, not.
            Event::Resume { steps_executed, .. } => {
                rollbacks.retain(|rollback| rollback.0 <= steps_executed);
            }
            Event::Rollback { steps_executed, step, to, .. } => rollbacks.push((steps_executed, step, to)),
            _ => {}
        }
    }
    let last = rollbacks.iter().rposition(|&(_, _, to)| to <= step).map_or(0, |last| last + 1);
    let again = rollbacks[..last].iter().map(|(_, step, to)| step - to + 1).sum::<u64>();
    step + again
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    fn records(events: impl IntoIterator<Item = Event>) -> Vec<Record> {
        events.into_iter().map(|event| Record { time: 0.0, event }).collect()
    }

    fn told(steps_executed: u64, factor: f64) -> Event {
        let command = Command::SetLr { lr: crate::RateChange::Times(factor) };
        Event::Command { step: steps_executed, steps_executed, command, lr_before: 1.0, lr: factor }
    }

    #[test]
    fn commands_take_effect_in_the_order_of_their_steps() {
        // Told at 250 first, and at 220 after a resume from 200.
        let mut replay =
            CommandReplay::of(&records([told(100, 1.0), told(250, 2.0), told(220, 3.0), told(250, 4.0)]));
        replay.skip(1);
        let mut factors = Vec::new();
        for executed in [200, 220, 249, 250] {
            while let Some(Command::SetLr { lr: crate::RateChange::Times(factor) }) = replay.due(executed) {
                factors.push((executed, factor));
            }
        }
        assert_eq!(factors, [(220, 3.0), (250, 2.0), (250, 4.0)]);
    }

    #[test]
    fn a_step_is_where_the_run_came_to_it_last() {
        let rollback = |steps_executed, step, to| {
            let (scale, cause) = (0.5, Cause::NotFinite);
            Event::Rollback { steps_executed, step, to, scale, cause }
        };
        // Twice back to 20, from 30 and then from 25, the first one logged again after a resume; then on to
        // 60, back to 40.
        let resume = Event::Resume { step: 20, steps_executed: 20, total_steps: 90, steps_per_epoch: 10 };
        let first = rollback(31, 30, 20);
        let log = [first.clone(), resume.clone(), first.clone(), rollback(37, 25, 20), rollback(78, 60, 40)];
        let log = records(log);
        assert_eq!(executed_at(&log, 10), 10);
        assert_eq!(executed_at(&log, 19), 19);
        assert_eq!(executed_at(&log, 20), 37);
        assert_eq!(executed_at(&log, 39), 56);
        assert_eq!(executed_at(&log, 40), 78);
        assert_eq!(executed_at(&log, 41), 79);
        // Resumed at a lower rate, it does not blow up again.
        assert_eq!(executed_at(&records([first, resume]), 25), 25);
    }
}
