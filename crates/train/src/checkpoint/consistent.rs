//! Whether what a checkpoint says of a run can have been.

use super::{Description, Written};
use crate::Progress;

/// No run has come as far, and numbers of this size can be added to and multiplied with a length.
const FURTHEST: u64 = 1 << 40;

/// A run has no more epochs than these; a command that asks for more is refused.
const MOST_EPOCHS: u64 = 1_000_000_000;

impl Description {
    /// What contradicts itself in it, in words; none for every checkpoint that was written. The step is that
    /// of the file's name, if it has one.
    pub(super) fn contradiction(&self, step: Option<u64>) -> Option<String> {
        let Written { progress, .. } = &self.progress;
        let own = progress.step;
        if let Some(step) = step.filter(|&step| step != own) {
            return Some(format!("its name says step {step}, and its content step {own}"));
        }
        let rollback_point = self.rollback_point.as_ref().map(|(written, _)| written);
        let last = self.last.as_ref().map(|last| ("its last epoch", last));
        let epochs =
            last.into_iter().chain(progress.best.as_ref().map(|best| ("its best epoch", &best.epoch)));
        let late = |(what, epoch): (&str, &crate::Epoch)| {
            let made = progress.steps_executed;
            if epoch.step > made {
                return Some(format!("{what} ended at step {}, and {made} steps were made", epoch.step));
            }
            (epoch.epoch > FURTHEST).then(|| format!("{what} is the {}th", epoch.epoch))
        };
        self.progress
            .contradiction()
            .or_else(|| rollback_point?.contradiction())
            .or_else(|| epochs.into_iter().find_map(late))
    }
}

impl Written {
    fn contradiction(&self) -> Option<String> {
        let Self { progress: Progress { step, steps_executed: made, epochs, steering, .. }, updates } = self;
        let scale = steering.scale;
        match epochs {
            // Going back makes more steps, not fewer.
            _ if step > made => Some(format!("it is after {step} steps of which only {made} were made")),
            _ if *made > FURTHEST => Some(format!("it is after {made} steps")),
            _ if *updates > FURTHEST => Some(format!("it is after {updates} updates")),
            Some(epochs) if *epochs > MOST_EPOCHS => Some(format!("the run is {epochs} epochs long")),
            _ if !(scale > 0.0 && scale.is_finite()) => Some(format!("its rate has a scale of {scale:e}")),
            _ => None,
        }
    }
}
