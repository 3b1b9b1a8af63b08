//! Making a run again in memory.

use std::sync::{Arc, Mutex};

use crate::checkpoint::Snapshot;
use crate::script::Script;
use crate::session::{Outside, Session};
use crate::{Epoch, Error, Event, Stop};

/// What making the run again showed.
pub(super) struct Replay {
    /// Its states before the steps that were asked for, as far as it came.
    pub starts: Vec<Snapshot>,
    /// Its state at the end; none if it blew up before an epoch had ended.
    pub end: Option<Snapshot>,
    pub epochs: Vec<Epoch>,
    /// The step and the rate at which it first blew up.
    pub blow_up: Option<(u64, f64)>,
    /// The highest rate that a step was made with.
    pub peak: f64,
    pub steps: u64,
}

/// Makes the run again, and keeps its states before these steps, of which there must be some, and at its end.
pub(super) fn replay(session: Session<'_>, keep: Vec<u64>, script: Script) -> Result<Replay, Error> {
    #[derive(Default)]
    struct Seen {
        epochs: Vec<Epoch>,
        blow_up: Option<(u64, f64)>,
        lr: f64,
        peak: f64,
        steps: u64,
    }
    let seen = Arc::new(Mutex::new(Seen::default()));
    let view = {
        let seen = seen.clone();
        move |event: &Event| {
            let mut seen = seen.lock().expect("nobody panics with it");
            match event {
                Event::Step { lr, .. } => {
                    seen.lr = *lr;
                    seen.peak = seen.peak.max(*lr);
                    seen.steps += 1;
                }
                Event::Epoch(epoch) => seen.epochs.push(epoch.clone()),
                Event::Rollback { step, to, .. } => {
                    let lr = seen.lr;
                    seen.blow_up.get_or_insert((*step, lr));
                    seen.epochs.retain(|epoch| epoch.step <= *to);
                }
                Event::Stop { step, reason: Stop::Diverged { lr }, .. } => {
                    seen.blow_up.get_or_insert((*step, *lr));
                }
                _ => {}
            }
        }
    };
    let mut outside = Outside { views: vec![Box::new(view)], keep, script, ..Outside::default() };
    let ended = match session.run(&mut outside) {
        Ok(_) => true,
        Err(Error::Diverged { .. }) => false,
        Err(error) => return Err(error),
    };
    let Seen { epochs, blow_up, peak, steps, .. } =
        std::mem::take(&mut *seen.lock().expect("nobody panics with it"));
    let mut starts = outside.kept;
    let end = if ended { starts.pop() } else { None };
    Ok(Replay { starts, end, epochs, blow_up, peak, steps })
}
