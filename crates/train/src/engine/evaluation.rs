//! The weights that are measured, where they are others than those that train: an average of them.

use downhill_data::Examples;
use downhill_nn::Model;
use downhill_optim::Optimizer;

use super::Engine;
use crate::Error;

/// The statistics of batch normalisation are taken anew from about so many rows at most: their error is then
/// a few percent of a standard deviation.
const STATISTICS_ROWS: usize = 1024;

/// Room for the weights to measure, and for the running statistics of those that train meanwhile.
pub(super) struct EvaluationWeights {
    weights: Vec<f32>,
    statistics: Vec<f32>,
    /// The rows that the statistics of the weights to measure are taken from; none if there is nothing to
    /// take.
    rows: Vec<f32>,
}

impl EvaluationWeights {
    pub fn new(model: &Model<f32>, optimizer: &Optimizer<f32>, rows: &Examples) -> Self {
        let has_evaluation = optimizer.has_evaluation();
        let weights = if has_evaluation { model.params().len() } else { 0 };
        let averages_statistics = has_evaluation && !model.statistics().is_empty();
        Self {
            weights: vec![0.0; weights],
            statistics: model.statistics().to_vec(),
            rows: if averages_statistics { spread_rows(rows) } else { Vec::new() },
        }
    }
}

/// The inputs of no more rows than [`STATISTICS_ROWS`], evenly over all.
fn spread_rows(rows: &Examples) -> Vec<f32> {
    let stride = rows.rows().div_ceil(STATISTICS_ROWS).max(1);
    (0..rows.rows()).step_by(stride).flat_map(|row| rows.row(row)).copied().collect()
}

impl Engine<'_> {
    /// Does something with the weights to measure in the place of those that train, which are put back.
    pub(crate) fn with_evaluation_weights<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.put_evaluation_weights()?;
        let done = work(self);
        if self.optimizer.has_evaluation() {
            self.model.params_mut().swap_with_slice(&mut self.evaluation.weights);
        }
        if !self.evaluation.rows.is_empty() {
            self.model.statistics_mut().copy_from_slice(&self.evaluation.statistics);
        }
        done
    }

    /// Puts the weights to measure in the place of those that train, if they are others, with statistics of
    /// their own.
    pub(crate) fn put_evaluation_weights(&mut self) -> Result<(), Error> {
        let EvaluationWeights { weights, statistics, rows } = &mut self.evaluation;
        if self.optimizer.has_evaluation() {
            self.optimizer.evaluation(self.model.params(), weights);
            self.model.params_mut().swap_with_slice(weights);
        }
        if !rows.is_empty() {
            statistics.copy_from_slice(self.model.statistics());
            self.model.retake_statistics(rows)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::{config, iris};

    #[test]
    fn an_average_is_measured_and_does_not_train() {
        let data = iris();
        let config = config(&data, |config| config.ema = Some(0.9));
        let (mut engine, _) = Engine::new(&config, &data, false).unwrap();
        for step in 0..5 {
            engine.gradients(step).unwrap();
            engine.apply(0.01);
        }
        let before = engine.snapshot();
        let measured = engine.with_evaluation_weights(|engine| Ok(engine.snapshot())).unwrap();
        assert_ne!(measured.training.params, before.training.params);
        assert_ne!(measured.statistics, before.statistics, "batch normalisation is retaken");
        assert_eq!(engine.snapshot(), before);
        // What goes wrong meanwhile does not leave them in place.
        let failed = engine.with_evaluation_weights(|_| Err::<(), _>(Error::Interrupted));
        assert!(failed.is_err());
        assert_eq!(engine.snapshot(), before);
    }

    #[test]
    fn without_an_average_the_weights_are_those_that_train() {
        let data = iris();
        let config = config(&data, |config| config.ema = Some(0.0));
        let (mut engine, _) = Engine::new(&config, &data, false).unwrap();
        engine.gradients(0).unwrap();
        engine.apply(0.01);
        let before = engine.snapshot();
        let measured = engine.with_evaluation_weights(|engine| Ok(engine.snapshot())).unwrap();
        assert_eq!(measured, before);
    }
}
