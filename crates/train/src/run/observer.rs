//! What a run tells of its layers on the way; it changes nothing in it.

use downhill_data::{Dataset, Targets, permutation};
use downhill_nn::{Batch, Loss, Model};
use downhill_run::Channels;

use super::{Outcome, Run};
use crate::engine::{targets, traced};
use crate::layers;
use crate::predictor::Predictor;
use crate::{Config, Distribution, Error, Event, Norms, Predictions};

/// Norms are told of no more than about this many epochs, so that a log of thousands of short ones stays
/// short.
const MOST_EPOCHS: u64 = 200;
/// Activations are looked at on no more rows than these.
const ROWS: usize = 128;
/// The confusion matrix of more classes is not told.
const MOST_CLASSES: usize = 64;
/// Of no more rows than about these are both prediction and target told.
const MOST_PAIRS: usize = 400;

/// Looks on while a run is made. What it tells is a function of the run alone: one that is resumed tells the
/// same.
pub(super) struct Observer {
    /// The parameters before the last step of an epoch.
    before: Vec<f32>,
    /// Whether the norms of the step under way are told.
    is_due: bool,
}

impl Observer {
    pub fn of(run: &Run<'_>) -> Self {
        Self { before: run.engine.model().params().to_vec(), is_due: false }
    }
}

impl Run<'_> {
    /// Tells how the weights begin.
    pub(super) fn observe_start(&mut self) -> Result<(), Error> {
        let Self { engine, progress, config, channels, .. } = self;
        tell_distributions(engine.model(), engine.loss(), progress.step, engine.data(), config, channels)
    }

    /// Keeps the weights before a step whose norms are told: the last of its epoch, if that is one of those
    /// to tell of.
    pub(super) fn observe_before_step(&mut self) {
        let position = self.position();
        let Some(observer) = &mut self.observer else { return };
        let every = self.progress.epochs.unwrap_or(self.config.epochs).div_ceil(MOST_EPOCHS).max(1);
        observer.is_due = (position.step + 1).is_multiple_of(position.steps_per_epoch)
            && position.epoch().is_multiple_of(every);
        if observer.is_due {
            observer.before.copy_from_slice(self.engine.model().params());
        }
    }

    /// Tells the norms of the step that was just made, if they are numbers.
    pub(super) fn observe_after_step(&mut self) -> Result<(), Error> {
        let Some(observer) = self.observer.as_ref().filter(|observer| observer.is_due) else { return Ok(()) };
        let model = self.engine.model();
        let tensors = layers::norms(model.layout(), &observer.before, model.params(), self.engine.gradient());
        let finite = |norms: &Norms| (norms.weights + norms.gradient + norms.update).is_finite();
        if !tensors.iter().all(finite) {
            return Ok(());
        }
        Ok(self.channels.tell(&Event::Norms { step: self.progress.step, tensors })?)
    }
}

impl Outcome {
    /// Tells what the weights are that are kept, and how they do on the validation rows. The run has stopped
    /// at `step`.
    pub(super) fn tell_weights(
        &mut self,
        step: u64,
        data: &Dataset,
        config: &Config,
        channels: &mut Channels,
    ) -> Result<(), Error> {
        let Self { model, loss, epoch, outputs, .. } = self;
        let step = epoch.as_ref().map_or(step, |epoch| epoch.step);
        tell_distributions(model, loss, step, data, config, channels)?;
        let predictor = Predictor::new(model.clone(), loss.clone(), data.encoder.clone());
        if !tells_predictions(&data.valid.y) {
            return Ok(());
        }
        let predictions = match outputs.take() {
            Some(outputs) => predictor.read(outputs),
            None => predictor.predict_rows(&data.valid.x)?,
        };
        tell_predictions(&predictor, predictions, &data.valid.y, step, channels)
    }
}

/// Whether it is told how rows with these targets are predicted.
fn tells_predictions(y: &Targets) -> bool {
    match y {
        Targets::Classes { classes, .. } => *classes <= MOST_CLASSES,
        Targets::Values(_) => true,
    }
}

/// Tells how rows with these targets are predicted: the confusion matrix, or by how much they are missed.
pub(crate) fn tell_predictions(
    predictor: &Predictor,
    predictions: Predictions,
    y: &Targets,
    step: u64,
    channels: &mut Channels,
) -> Result<(), Error> {
    match (y, predictions) {
        _ if !tells_predictions(y) => Ok(()),
        (Targets::Classes { labels, .. }, Predictions::Classes { labels: predicted, classes, .. }) => {
            let mut counts = vec![vec![0; classes.len()]; classes.len()];
            let pairs = labels.iter().zip(predicted);
            pairs.for_each(|(&class, predicted)| counts[class as usize][predicted as usize] += 1);
            Ok(channels.tell(&Event::Confusion { step, classes, counts })?)
        }
        (Targets::Values(values), Predictions::Values(predicted)) => {
            let (mean, std) = predictor.encoder().map_or((0.0, 1.0), |encoder| encoder.target_scale());
            let actual = values.iter().map(|&value| f64::from(value) * std + mean);
            let pairs: Vec<[f64; 2]> = predicted.into_iter().zip(actual).map(Into::into).collect();
            let missed: Vec<f64> = pairs.iter().map(|[predicted, actual]| actual - predicted).collect();
            let Some(residuals) = Distribution::of("residuals".into(), &missed) else { return Ok(()) };
            let stride = pairs.len().div_ceil(MOST_PAIRS).max(1);
            let pairs = pairs.into_iter().step_by(stride).collect();
            Ok(channels.tell(&Event::Residuals { step, residuals, pairs })?)
        }
        (Targets::Classes { .. }, Predictions::Values(_))
        | (Targets::Values(_), Predictions::Classes { .. }) => Ok(()),
    }
}

/// Tells how the weights of a network are spread, and its activations over the first rows that training sees.
fn tell_distributions(
    model: &Model<f32>,
    loss: &Loss,
    step: u64,
    data: &Dataset,
    config: &Config,
    channels: &mut Channels,
) -> Result<(), Error> {
    let mut order = vec![0; data.train.rows()];
    permutation(&mut order, config.seed, 0);
    order.truncate(ROWS);
    let batch = Batch { x: &data.train.x, targets: targets(&data.train.y), rows: &order };
    let traces = traced(model, &batch, data.train.weights.as_deref(), loss, config.seed, step)?;
    Ok(channels.tell(&Event::Distributions {
        step,
        weights: layers::of_weights(model.layout(), model.params()),
        activations: layers::of_activations(&traces),
    })?)
}
