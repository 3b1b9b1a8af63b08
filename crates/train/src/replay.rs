//! Making a run again from its log.

use std::sync::{Arc, Mutex};

use downhill_run::{CommandReplay, RunState};

use crate::trainer::Target;
use crate::{Epoch, Error, Event, RunConfig, RunFolder, Stop, Trained, Trainer, log};

/// A run that was made again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// What it came to this time.
    pub trained: Trained,
    /// Whether its weights are those of the log, bit for bit.
    pub matches: bool,
    /// The SHA-256 of the weights that the log ends with.
    pub logged_sha256: String,
    /// Where the two are first known to differ.
    pub difference: Option<Difference>,
}

/// A figure of a run that is another one when it is made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The step at whose end it was measured.
    pub step: u64,
    /// What differs, in words.
    pub what: String,
}

impl Trainer {
    /// Makes a run again in memory, from its configuration, its data and the commands in its log: where it
    /// was cut and rolled back, it is again. Nothing in its folder is changed.
    ///
    /// Of this trainer's settings only threads and views may be given.
    ///
    /// # Errors
    ///
    /// If the folder is not that of a run, its log has no end or was written by a version that did not log
    /// the weights, or its data cannot be read.
    pub fn replay(mut self, folder: &RunFolder) -> Result<Replayed, Error> {
        let config = RunConfig::of(folder)?;
        let (records, _) = log::read(&folder.log_path())?;
        let run = folder.path().display();
        if !log::begins(&records) {
            return Err(Error::Mismatch(format!(
                "the log of the run {run} does not begin with its start: some of it is gone, and the run cannot be made \
                 again from it"
            )));
        }
        let end = records.iter().rev().find_map(|record| match &record.event {
            Event::Stop { steps_executed, reason, weights_sha256, .. } => {
                Some((*steps_executed, *reason, weights_sha256.clone()))
            }
            _ => None,
        });
        let went_on =
            records.iter().rposition(|record| matches!(record.event, Event::Stop { .. })).is_some_and(
                |stop| records[stop + 1..].iter().any(|record| matches!(record.event, Event::Epoch(_))),
            );
        let Some((steps_executed, reason, Some(logged_sha256))) = end.filter(|_| !went_on) else {
            return Err(Error::NoEnd { run: folder.path().to_path_buf() });
        };
        if let Some(ensemble) = &config.ensemble {
            let (trained, difference) = self.replay_together(folder, &config, ensemble)?;
            let matches = trained.summary().weights_sha256 == logged_sha256;
            return Ok(Replayed { trained, matches, logged_sha256, difference });
        }
        let data = config.load_data(folder)?;
        let logged = surviving(records.iter().map(|record| &record.event));

        let seen = Arc::new(Mutex::new(Vec::new()));
        let view = {
            let seen = seen.clone();
            move |event: &Event| {
                if matches!(event, Event::Epoch(_) | Event::Rollback { .. } | Event::Cut { .. }) {
                    seen.lock().expect("nobody panics with it").push(event.clone());
                }
            }
        };
        self.channels.views.push(Box::new(view));
        // What it was told after its end, it has not applied.
        let last = records.iter().rposition(|record| matches!(record.event, Event::Stop { .. }));
        self.channels.replay = CommandReplay::of(&records[..last.unwrap_or_default()]);
        // What was interrupted is replayed up to there.
        self.until = (reason == Stop::Interrupted).then_some(steps_executed);
        self.config = config.training;
        let trained = self.go(&data, Target::Replay(folder))?;
        let replayed = surviving(seen.lock().expect("nobody panics with it").iter());

        let matches = trained.summary().weights_sha256 == logged_sha256;
        let difference = (!matches).then(|| first_difference(&logged, &replayed, steps_executed));
        Ok(Replayed { trained, matches, logged_sha256, difference })
    }
}

/// The epochs, cuts and rollbacks that a run came by in the end: without those made again after a resume or a
/// rollback.
fn surviving<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<Event> {
    let mut kept: Vec<Event> = Vec::new();
    let at = |event: &Event| match event {
        Event::Epoch(Epoch { step, .. }) | Event::Cut { step, .. } | Event::Rollback { to: step, .. } => {
            *step
        }
        _ => 0,
    };
    let mut state = RunState::default();
    for event in events {
        if let Some(back) = state.apply(event) {
            kept.retain(|event| at(event) <= back);
        }
        if matches!(event, Event::Epoch(_) | Event::Cut { .. } | Event::Rollback { .. }) {
            kept.push(event.clone());
        }
    }
    kept
}

/// What differs first between two courses of a run that ended in different weights.
fn first_difference(logged: &[Event], replayed: &[Event], end: u64) -> Difference {
    for (a, b) in logged.iter().zip(replayed) {
        let (step, what) = match (a, b) {
            (Event::Epoch(a), Event::Epoch(b)) => {
                let figures = [
                    ("the training loss", a.train_loss, b.train_loss),
                    ("the validation loss", a.valid_loss, b.valid_loss),
                    ("the learning rate", a.lr, b.lr),
                ];
                let Some((name, logged, now)) = figures.into_iter().find(|(_, a, b)| a != b) else {
                    continue;
                };
                (a.step, format!("{name} of epoch {} is {now:e}, and was {logged:e}", a.epoch + 1))
            }
            (Event::Cut { step, scale, .. }, Event::Cut { step: now, scale: again, .. })
            | (Event::Rollback { step, scale, .. }, Event::Rollback { step: now, scale: again, .. })
                if (step, scale) == (now, again) =>
            {
                continue;
            }
            (a, b) => (step_of(a).min(step_of(b)), "the log and the replay have other events here".into()),
        };
        return Difference { step, what };
    }
    let step = match logged.len().cmp(&replayed.len()) {
        std::cmp::Ordering::Equal => {
            let what = "all epochs are the same, and the weights at the end are others".into();
            return Difference { step: end, what };
        }
        std::cmp::Ordering::Less => step_of(&replayed[logged.len()]),
        std::cmp::Ordering::Greater => step_of(&logged[replayed.len()]),
    };
    Difference { step, what: "one of the two goes on where the other ends".into() }
}

fn step_of(event: &Event) -> u64 {
    match event {
        Event::Epoch(Epoch { step, .. }) | Event::Cut { step, .. } | Event::Rollback { step, .. } => *step,
        _ => 0,
    }
}
