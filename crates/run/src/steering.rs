//! The rate in force: the schedule at the position, under the events so far.

use downhill_schedule::{Position, Schedule};
use serde::{Deserialize, Serialize};

use crate::RateChange;

/// What the plateau, the guard and people have done to the schedule so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Steering {
    /// What all rates of the schedule are multiplied by.
    pub scale: f64,
    /// The schedule in the place of the run's own, if a person gave one.
    given: Option<Given>,
    /// The changes that can be taken back, the last one last.
    before: Vec<Before>,
}

/// A schedule that begins in the middle of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Given {
    schedule: Schedule,
    /// The step that is its first.
    from: u64,
}

/// What a change has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Before {
    given: Option<Given>,
    /// What the scale was before and after it.
    scale: [f64; 2],
}

impl Default for Steering {
    /// As the schedule says.
    fn default() -> Self {
        Self { scale: 1.0, given: None, before: Vec::new() }
    }
}

impl Steering {
    /// The schedule in force, and where in it a position of the run is.
    pub fn in_force<'a>(&'a self, own: &'a Schedule, position: Position) -> (&'a Schedule, Position) {
        let Some(Given { schedule, from }) = &self.given else { return (own, position) };
        let Position { step, steps_per_epoch, total_steps } = position;
        // A rollback may have gone back to before it was given; there it has its first rate.
        let since = |step: u64| step.saturating_sub(*from);
        (schedule, Position { step: since(step), steps_per_epoch, total_steps: since(total_steps).max(1) })
    }

    /// The rate of the step at a position.
    pub fn rate(&self, own: &Schedule, position: Position) -> f64 {
        let (schedule, position) = self.in_force(own, position);
        self.scale * schedule.at(position)
    }

    /// Changes the rate from the step at a position on.
    pub fn change(&mut self, change: &RateChange, position: Position) {
        let (given, scale) = (self.given.clone(), self.scale);
        match change {
            RateChange::Times(factor) => self.scale *= factor,
            RateChange::Schedule => (self.given, self.scale) = (None, 1.0),
            RateChange::Follow(schedule) => {
                self.given = Some(Given { schedule: schedule.clone(), from: position.step });
                self.scale = 1.0;
            }
        }
        self.before.push(Before { given, scale: [scale, self.scale] });
    }

    /// The steps that it counts from.
    pub fn steps_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        let before = self.before.iter_mut().filter_map(|before| before.given.as_mut());
        self.given.as_mut().into_iter().chain(before).map(|given| &mut given.from)
    }

    /// Whether there is a change to take back.
    pub fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Takes the last change back; cuts since then stay.
    pub fn undo(&mut self) {
        if let Some(Before { given, scale: [before, after] }) = self.before.pop() {
            (self.given, self.scale) = (given, before * (self.scale / after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64) -> Position {
        Position { step, steps_per_epoch: 10, total_steps: 100 }
    }

    fn steer(steering: &mut Steering, change: &str, step: u64) {
        steering.change(&change.parse().unwrap(), at(step));
    }

    #[test]
    fn changes_are_undone_one_by_one() {
        let own: Schedule = "linear(1, end=0)".parse().unwrap();
        let mut steering = Steering::default();
        let rate = |steering: &Steering, step| steering.rate(&own, at(step));
        assert_eq!(rate(&steering, 50), 0.5);
        steer(&mut steering, "0.5x", 10);
        assert_eq!(rate(&steering, 50), 0.25);
        steer(&mut steering, "0.1", 20);
        assert_eq!(rate(&steering, 50), 0.1);
        // A schedule counts from where it is given, and ends where the run does.
        steer(&mut steering, "linear(0.4, end=0)", 60);
        assert_eq!(rate(&steering, 60), 0.4);
        assert!((rate(&steering, 80) - 0.2).abs() < 1e-15);
        assert_eq!(rate(&steering, 40), 0.4, "before it begins it has its first rate");
        steering.scale *= 0.5; // a cut
        steering.undo();
        assert_eq!(rate(&steering, 80), 0.05, "the constant, cut");
        steering.undo();
        assert!((rate(&steering, 80) - 0.2 * 0.25).abs() < 1e-15, "half the schedule, cut");
        steer(&mut steering, "schedule", 80);
        assert!((rate(&steering, 80) - 0.2).abs() < 1e-15);
        steering.undo();
        steering.undo();
        assert!((rate(&steering, 80) - 0.2 * 0.5).abs() < 1e-15, "only the cut is left");
        assert!(!steering.can_undo());
        steering.undo();
    }
}
