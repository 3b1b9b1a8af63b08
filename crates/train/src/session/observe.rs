//! What a run tells of its layers on the way; it changes nothing in it.

use downhill_data::{Dataset, Targets, permutation};
use downhill_nn::{Batch, Loss, Model};

use super::fork::traced;
use super::{Outcome, Outside, Session, targets};
use crate::layers::{Distribution, Norms};
use crate::predictor::Predictor;
use crate::{Config, Error, Event, Predictions};

/// Norms are told of no more than about this many epochs, so that a log of thousands of short ones stays short.
const MOST_EPOCHS: u64 = 200;
/// Activations are looked at on no more rows than these.
const ROWS: usize = 128;
/// The confusion matrix of more classes is not told.
const MOST_CLASSES: usize = 64;
/// Of no more rows than about these are both prediction and target told.
const MOST_PAIRS: usize = 400;

/// Looks on while a run is made. What it tells is a function of the run alone: one that is resumed tells the same.
pub(super) struct Observer {
    /// The parameters before the last step of an epoch.
    before: Vec<f32>,
}

impl Observer {
    /// None if there is nobody to tell.
    pub fn of(session: &Session<'_>, outside: &Outside) -> Option<Self> {
        let looks = outside.folder.is_some() || !outside.views.is_empty();
        looks.then(|| Self { before: session.model.params().to_vec() })
    }

    /// Whether the norms of the next step are told: it is the last of its epoch, and that is one of those to tell of.
    pub fn is_due(session: &Session<'_>) -> bool {
        let every = session.progress.epochs.unwrap_or(session.config.epochs).div_ceil(MOST_EPOCHS).max(1);
        (session.progress.step + 1).is_multiple_of(session.steps_per_epoch)
            && session.position().epoch().is_multiple_of(every)
    }

    /// Keeps the weights before a step whose norms are told.
    pub fn before_step(&mut self, session: &Session<'_>) {
        self.before.copy_from_slice(session.model.params());
    }

    /// Tells the norms of the step that was just made, if they are numbers.
    pub fn after_step(&self, session: &Session<'_>, outside: &mut Outside) -> Result<(), Error> {
        let model = &session.model;
        let tensors = Norms::of(model.layout(), &self.before, model.params(), session.gradient());
        let finite = |norms: &Norms| (norms.weights + norms.gradient + norms.update).is_finite();
        if !tensors.iter().all(finite) {
            return Ok(());
        }
        outside.tell(&Event::Norms { step: session.progress.step, tensors })
    }

    /// Tells how the weights begin.
    pub fn at_the_start(&self, session: &Session<'_>, outside: &mut Outside) -> Result<(), Error> {
        let Session { model, loss, data, config, .. } = session;
        tell_distributions(model, loss, session.progress.step, data, config, outside)
    }

    /// Tells what the weights are that are kept, and how they do on the validation rows. The run has stopped at `step`.
    pub fn at_the_end(
        &self,
        outcome: &mut Outcome,
        step: u64,
        data: &Dataset,
        config: &Config,
        outside: &mut Outside,
    ) -> Result<(), Error> {
        let Outcome { model, loss, epoch, outputs, .. } = outcome;
        let step = epoch.as_ref().map_or(step, |epoch| epoch.step);
        tell_distributions(model, loss, step, data, config, outside)?;
        let predictor = Predictor::new(model.clone(), loss.clone(), data.encoder.clone());
        let mut predicted = || match outputs.take() {
            Some(outputs) => Ok(predictor.read(outputs)),
            None => predictor.predict_rows(&data.valid.x),
        };
        match &data.valid.y {
            Targets::Classes { classes, .. } if *classes > MOST_CLASSES => Ok(()),
            Targets::Classes { labels, .. } => {
                let Predictions::Classes { labels: predicted, classes, .. } = predicted()? else {
                    return Ok(());
                };
                let mut counts = vec![vec![0; classes.len()]; classes.len()];
                let pairs = labels.iter().zip(predicted);
                pairs.for_each(|(&class, predicted)| counts[class as usize][predicted as usize] += 1);
                outside.tell(&Event::Confusion { step, classes, counts })
            }
            Targets::Values(values) => {
                let Predictions::Values(predicted) = predicted()? else { return Ok(()) };
                let (mean, std) = predictor.encoder().map_or((0.0, 1.0), |encoder| encoder.target_scale());
                let actual = values.iter().map(|&value| f64::from(value) * std + mean);
                let pairs: Vec<[f64; 2]> = predicted.into_iter().zip(actual).map(Into::into).collect();
                let missed: Vec<f64> = pairs.iter().map(|[predicted, actual]| actual - predicted).collect();
                let Some(residuals) = Distribution::of("residuals".into(), &missed) else { return Ok(()) };
                let stride = pairs.len().div_ceil(MOST_PAIRS).max(1);
                let pairs = pairs.into_iter().step_by(stride).collect();
                outside.tell(&Event::Residuals { step, residuals, pairs })
            }
        }
    }
}

/// Tells how the weights of a network are spread, and its activations over the first rows that training sees.
fn tell_distributions(
    model: &Model<f32>,
    loss: &Loss,
    step: u64,
    data: &Dataset,
    config: &Config,
    outside: &mut Outside,
) -> Result<(), Error> {
    let mut order = vec![0; data.train.rows()];
    permutation(&mut order, config.seed, 0);
    order.truncate(ROWS);
    let batch = Batch { x: &data.train.x, targets: targets(&data.train.y), rows: &order };
    let traces = traced(model, &batch, loss, config.seed, step)?;
    outside.tell(&Event::Distributions {
        step,
        weights: Distribution::of_weights(model.layout(), model.params()),
        activations: Distribution::of_activations(&traces),
    })
}
