//! When a checkpoint is written, and which ones stay.

use std::time::{Duration, Instant};

use downhill_run::checkpoint_name;

use super::Run;
use crate::checkpoint::{self, Description, Loaded, Origin, Whole};
use crate::{Error, Event};

/// What is done again after a crash, at most, beside an epoch; a checkpoint costs milliseconds, which is as
/// long as many epochs of a small network.
const EVERY: Duration = Duration::from_secs(1);
/// The least age of a checkpoint against the time that it takes to write one, so that those of a large
/// network do not cost more than half a percent.
const REST: u32 = 200;

/// When checkpoints are written.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    /// How old the last one is at least when an epoch ends with another; chosen unless given.
    pub every: Option<Duration>,
    /// After how many epochs, again and again, there is one that stays.
    pub keep_every: Option<u64>,
    /// When the last one was written, or the run began, and how long that took.
    saved: Instant,
    saving: Duration,
    /// Whether the run has changed since.
    pub unsaved: bool,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { every: None, keep_every: None, saved: Instant::now(), saving: Duration::ZERO, unsaved: false }
    }
}

impl Checkpoints {
    /// Whether one is written at the end of an epoch, in front of a step.
    fn is_due(&self, step: u64, steps_per_epoch: u64) -> bool {
        let age = self.every.unwrap_or_else(|| EVERY.max(self.saving * REST));
        self.saved.elapsed() >= age || self.stays(step, steps_per_epoch)
    }

    /// Whether one in front of a step stays, because every so many epochs one does.
    fn stays(&self, step: u64, steps_per_epoch: u64) -> bool {
        self.keep_every.is_some_and(|epochs| step.is_multiple_of(epochs.saturating_mul(steps_per_epoch)))
    }

    /// Which of those of the `existing` steps, the latest first, stay besides the one in front of `step`: the
    /// one before it, that of the best epoch, and those that stay anyway.
    fn kept(&self, existing: &[u64], step: u64, best: Option<u64>, steps_per_epoch: u64) -> Vec<u64> {
        let before = existing.iter().copied().find(|&existing| existing < step);
        let mut kept: Vec<u64> = [Some(step), before, best].into_iter().flatten().collect();
        kept.extend(existing.iter().copied().filter(|&step| self.stays(step, steps_per_epoch)));
        // Later ones are of what was gone back over, and would be taken for where the run is.
        kept.retain(|&kept| kept <= step);
        kept
    }
}

impl Run<'_> {
    /// Sets when checkpoints are written, and which ones stay.
    pub(crate) fn set_checkpoints(&mut self, every: Option<Duration>, keep_every: Option<u64>) {
        (self.checkpoints.every, self.checkpoints.keep_every) = (every, keep_every);
    }

    /// The whole state as it is now.
    pub(super) fn whole(&self, origin: Origin) -> Whole<'_, '_> {
        // Mostly it is where the run is.
        let rollback_point =
            self.rollback_point.as_ref().filter(|point| point.progress.step != self.progress.step);
        let best = self.best.as_ref();
        let description = Description::of(
            &self.progress,
            &self.engine,
            best.and_then(|best| best.training.as_ref()),
            rollback_point,
            self.last.clone(),
            origin,
        );
        Whole { description, engine: &self.engine, best, rollback_point }
    }

    /// The whole state as bytes, from which a run of the same configuration and data goes on with the same
    /// bits, in this process or another: a checkpoint, as safetensors. That the data is the same is for
    /// whoever keeps them to know.
    ///
    /// # Errors
    ///
    /// If it cannot be written as such.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let origin = Origin { data: String::new(), config: self.config.fingerprint() };
        let broken = |why| Error::Mismatch(format!("the state of the run cannot be written down: {why}"));
        checkpoint::to_bytes(&self.whole(origin)).map_err(broken)
    }

    /// Goes to a state that [`to_bytes`](Self::to_bytes) wrote down.
    ///
    /// # Errors
    ///
    /// If the bytes are not what was written, or are of a run of another configuration. The run is then to be
    /// made anew.
    pub fn restore_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let broken = |why| Error::Mismatch(format!("the state of the run cannot be read: {why}"));
        let Loaded { progress, last, origin, best, rollback_point } =
            checkpoint::load_bytes(bytes, &mut self.engine).map_err(broken)?;
        if !self.config.has_fingerprint(&origin.config) {
            return Err(broken("it is of another configuration".into()));
        }
        (self.progress, self.last, self.best) = (progress, last, best);
        (self.rollback_point, self.best_outputs) = (rollback_point, None);
        Ok(())
    }

    /// Writes a checkpoint at the end of an epoch, if it is time to.
    pub(super) fn save_if_due(&mut self) -> Result<(), Error> {
        match self.checkpoints.is_due(self.progress.step, self.engine.steps_per_epoch()) {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// Writes a checkpoint, and keeps besides it the one before and that of the best epoch. Does nothing
    /// where the run is not kept.
    pub(crate) fn save(&mut self) -> Result<(), Error> {
        let Some((folder, log)) = &mut self.channels.folder else { return Ok(()) };
        let began = Instant::now();
        let folder = folder.clone();
        // A checkpoint must not know of a command that a crash then takes out of the log.
        log.sync()?;
        let step = self.progress.step;
        checkpoint::save(&folder.checkpoint(step), &self.whole(self.origin().clone()))?;
        let best = self.progress.best.as_ref().map(|best| best.epoch.step);
        let existing = folder.steps()?;
        let kept = self.checkpoints.kept(&existing, step, best, self.engine.steps_per_epoch());
        self.channels.tell(&Event::Checkpoint { step, file: checkpoint_name(step) })?;
        folder.keep(&kept)?;
        (self.checkpoints.saved, self.checkpoints.saving) = (Instant::now(), began.elapsed());
        self.checkpoints.unsaved = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_before_the_best_and_some_stay() {
        let policy = Checkpoints { keep_every: Some(2), ..Checkpoints::default() };
        let mut kept = policy.kept(&[50, 40, 30, 20, 10], 40, Some(10), 10);
        kept.sort_unstable();
        kept.dedup();
        assert_eq!(
            kept,
            [10, 20, 30, 40],
            "30 as the one before, 20 as one of two epochs, not 50, which is later"
        );
        let plain = Checkpoints::default();
        assert_eq!(plain.kept(&[30, 20, 10], 30, None, 10), [30, 20]);
    }

    #[test]
    fn one_is_due_when_the_last_is_old_enough_or_one_stays() {
        let long = Some(Duration::from_secs(3600));
        let policy = Checkpoints { every: long, keep_every: Some(3), ..Checkpoints::default() };
        assert!(!policy.is_due(10, 10) && policy.is_due(30, 10));
        assert!(Checkpoints { every: Some(Duration::ZERO), ..Checkpoints::default() }.is_due(10, 10));
        assert!(!Checkpoints::default().is_due(10, 10), "not in the first second");
    }
}
