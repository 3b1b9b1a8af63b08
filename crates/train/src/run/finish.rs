//! A run from where it is to its end, and what it came to.

use downhill_nn::{Loss, Model};

use super::{Observer, Progress, Run};
use crate::predictor::weights_sha256;
use crate::{Epoch, Error, Event, Keep, Stop};

/// What a run came to.
pub(crate) struct Outcome {
    pub model: Model<f32>,
    pub loss: Loss,
    /// The epoch that the weights are of; none if they are of the middle of one.
    pub epoch: Option<Epoch>,
    /// What the weights make of the validation rows, if that is at hand.
    pub outputs: Option<Vec<f32>>,
    pub stop: Stop,
    pub epochs: u64,
    pub seconds: f64,
    /// Over the epochs that have ended; none if not even one has.
    pub rows_per_second: Option<f64>,
}

impl Run<'_> {
    /// Advances until the run is over or asked to stop, or has executed so many steps if that is given; saves
    /// it, and says what it came to.
    pub(crate) fn complete(mut self, until: Option<u64>) -> Result<Outcome, Error> {
        self.begin_observing()?;
        let stop = loop {
            // What the run would be told there is not applied any more.
            if until == Some(self.progress.steps_executed) {
                break Stop::Interrupted;
            }
            if let Some(stop) = self.advance()? {
                break stop;
            }
        };
        self.conclude(stop)
    }

    /// Looks at the layers from now on, if anybody is told.
    pub(crate) fn begin_observing(&mut self) -> Result<(), Error> {
        if self.channels.is_watched() {
            self.observer = Some(Observer::of(self));
            if self.is_at_its_start() {
                self.observe_start()?;
            }
        }
        Ok(())
    }

    /// Saves a run that stops here, and says what it came to.
    pub(crate) fn conclude(mut self, stop: Stop) -> Result<Outcome, Error> {
        if self.checkpoints.unsaved && !matches!(stop, Stop::Diverged { .. }) {
            self.save()?;
        }
        self.finish(stop)
    }

    /// Puts the weights in place that the run comes to, and tells what they are.
    fn finish(mut self, stop: Stop) -> Result<Outcome, Error> {
        // Weights in the middle of an epoch are of none.
        let Progress { step, steps_executed, seconds, epoch_seconds, rows, best, .. } = self.progress;
        let mut epoch = self.last.take().filter(|epoch| epoch.step == step);
        let restores = self.config.keep == Keep::Best || matches!(stop, Stop::Diverged { .. });
        let best_step = best.as_ref().map(|best| best.epoch.step);
        if let (Some(weights), Some(best), true) = (self.best.take(), best, restores) {
            weights.put(self.engine.model_mut());
            epoch = Some(best.epoch);
        } else if self.engine.updates() > 0 {
            self.engine.put_evaluation_weights()?;
        }
        let (data, epochs) = (self.engine.data(), step / self.engine.steps_per_epoch());
        let (model, loss) = self.engine.into_model_and_loss();
        let mut outcome = Outcome {
            model,
            loss,
            outputs: self.best_outputs.filter(|_| epoch.as_ref().map(|epoch| epoch.step) == best_step),
            epoch,
            stop,
            epochs,
            seconds: seconds + epoch_seconds,
            rows_per_second: (rows > 0).then(|| rows as f64 / seconds),
        };
        let mut channels = self.channels;
        if self.observer.is_some() {
            outcome.tell_weights(step, data, &self.config, &mut channels)?;
        }
        let weights_sha256 = channels.folder.as_ref().map(|_| weights_sha256([&outcome.model]));
        channels.tell(&Event::Stop { step, steps_executed, reason: stop, weights_sha256 })?;
        if let Some((_, log)) = &channels.folder {
            log.sync()?;
        }
        Ok(outcome)
    }
}
