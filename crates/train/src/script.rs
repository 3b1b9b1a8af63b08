//! The commands in a log, for a run that is resumed or replayed.

use crate::checkpoint::Progress;
use crate::log::{Record, begins};
use crate::{Command, Event};

/// Commands that a run obeys at the steps at which it did so before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// In the order in which they take effect, each with the number of steps made before it.
    commands: Vec<(u64, Command)>,
    next: usize,
}

impl Script {
    /// The commands of a log.
    pub fn of(records: &[Record]) -> Self {
        let told = |record: &Record| match &record.event {
            Event::Command { made, told, .. } => Some((*made, told.clone())),
            _ => None,
        };
        let mut commands: Vec<_> = records.iter().filter_map(told).collect();
        // A run that went on from a checkpoint may have been told things before what it had been told already.
        commands.sort_by_key(|(made, _)| *made);
        Self { commands, next: 0 }
    }

    /// Whether the log that this is of tells how a run began that has come so far, and all that it was told.
    pub fn tells(&self, records: &[Record], progress: &Progress) -> bool {
        begins(records) && self.commands.len() as u64 >= progress.commands
    }

    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Leaves out the first ones, which were obeyed before.
    pub fn skip(&mut self, obeyed: u64) {
        self.next = obeyed as usize;
    }

    /// How many are obeyed before so many steps are made.
    pub fn before(&self, made: u64) -> u64 {
        self.commands.partition_point(|(at, _)| *at < made) as u64
    }

    /// The next command, if it is to be obeyed once so many steps are made.
    pub fn due(&mut self, made: u64) -> Option<Command> {
        let (at, command) = self.commands.get(self.next)?;
        (*at <= made).then(|| {
            self.next += 1;
            command.clone()
        })
    }
}

/// The number of steps made, those gone back over included, when a run last came to a step.
pub(crate) fn made_at(records: &[Record], step: u64) -> u64 {
    let mut rollbacks: Vec<(u64, u64, u64)> = Vec::new();
    for record in records {
        match record.event {
            Event::Start { .. } => rollbacks.clear(),
            // What happened after its checkpoint happens again, or, if the run was told to change, not.
            Event::Resume { made, .. } => rollbacks.retain(|rollback| rollback.0 <= made),
            Event::Rollback { made, step, to, .. } => rollbacks.push((made, step, to)),
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

    fn told(made: u64, factor: f64) -> Event {
        let told = Command::SetLr { lr: crate::RateChange::Times(factor) };
        Event::Command { step: made, made, told, lr_before: 1.0, lr: factor }
    }

    #[test]
    fn commands_take_effect_in_the_order_of_their_steps() {
        // Told at 250 first, and at 220 after a resume from 200.
        let mut script =
            Script::of(&records([told(100, 1.0), told(250, 2.0), told(220, 3.0), told(250, 4.0)]));
        script.skip(1);
        let mut factors = Vec::new();
        for made in [200, 220, 249, 250] {
            while let Some(Command::SetLr { lr: crate::RateChange::Times(factor) }) = script.due(made) {
                factors.push((made, factor));
            }
        }
        assert_eq!(factors, [(220, 3.0), (250, 2.0), (250, 4.0)]);
    }

    #[test]
    fn a_step_is_where_the_run_came_to_it_last() {
        let rollback =
            |made, step, to| Event::Rollback { made, step, to, scale: 0.5, cause: Cause::NotFinite };
        // Twice back to 20, from 30 and then from 25, the first one logged again after a resume; then on to 60, back to 40.
        let resume = Event::Resume { step: 20, made: 20, total_steps: 90, steps_per_epoch: 10 };
        let first = rollback(31, 30, 20);
        let log = [first.clone(), resume.clone(), first.clone(), rollback(37, 25, 20), rollback(78, 60, 40)];
        let log = records(log);
        assert_eq!(made_at(&log, 10), 10);
        assert_eq!(made_at(&log, 19), 19);
        assert_eq!(made_at(&log, 20), 37);
        assert_eq!(made_at(&log, 39), 56);
        assert_eq!(made_at(&log, 40), 78);
        assert_eq!(made_at(&log, 41), 79);
        // Resumed at a lower rate, it does not blow up again.
        assert_eq!(made_at(&records([first, resume]), 25), 25);
    }
}
