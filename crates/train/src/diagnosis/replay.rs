//! Making a run again in memory.

use std::sync::{Arc, Mutex};

use crate::run::{Run, TrainingState};
use crate::{Epoch, Error, Event, Stop};

/// What making the run again showed.
pub(super) struct Replay {
    /// Its states before the steps that were asked for, as far as it came; if the run went back, as they were
    /// the last time.
    pub starts: Vec<TrainingState>,
    /// Its state at the end; none if it blew up before an epoch had ended.
    pub end: Option<TrainingState>,
    pub epochs: Vec<Epoch>,
    /// The step and the rate at which it first blew up.
    pub blow_up: Option<(u64, f64)>,
    /// The highest rate that a step was made with.
    pub peak: f64,
    pub steps: u64,
}

#[derive(Default)]
struct Seen {
    epochs: Vec<Epoch>,
    blow_up: Option<(u64, f64)>,
    lr: f64,
    peak: f64,
    steps: u64,
}

impl Seen {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Step { lr, .. } => {
                self.lr = *lr;
                self.peak = self.peak.max(*lr);
                self.steps += 1;
            }
            Event::Epoch(epoch) => self.epochs.push(epoch.clone()),
            Event::Rollback { step, to, .. } => {
                let lr = self.lr;
                self.blow_up.get_or_insert((*step, lr));
                self.epochs.retain(|epoch| epoch.step <= *to);
            }
            _ => {}
        }
    }
}

/// Makes the run again, and keeps its states before these steps and at its end.
pub(super) fn replay(mut run: Run<'_>, keep: &[u64]) -> Result<Replay, Error> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let view = seen.clone();
    run.watch(move |event| view.lock().expect("nobody panics with it").take(event));
    let mut starts: Vec<TrainingState> = Vec::new();
    let stop = loop {
        // What the run is told in front of a step belongs to the state there.
        run.apply_commands()?;
        let step = run.state().step;
        if keep.contains(&step) {
            starts.retain(|start| start.progress.step < step);
            starts.push(run.training_state());
        }
        match run.advance() {
            Ok(None) => {}
            Ok(Some(stop)) => break Ok(stop),
            Err(Error::Diverged { step, lr, .. }) => break Err((step, lr)),
            Err(error) => return Err(error),
        }
    };
    let Seen { epochs, mut blow_up, peak, steps, .. } =
        std::mem::take(&mut *seen.lock().expect("nobody panics with it"));
    let end = run.training_state();
    let step = end.progress.step;
    match stop {
        Err(place) => _ = blow_up.get_or_insert(place),
        Ok(Stop::Diverged { lr }) => _ = blow_up.get_or_insert((step, lr)),
        Ok(Stop::Finished | Stop::EarlyStopping | Stop::Ended | Stop::Interrupted) => {}
    }
    if stop.is_ok() {
        starts.retain(|start| start.progress.step < step);
    }
    Ok(Replay { starts, end: stop.is_ok().then_some(end), epochs, blow_up, peak, steps })
}
