//! What a run would come to if it stopped where it is.

use downhill_nn::{Inference, Model};

use super::Run;
use crate::{Error, Keep};

impl Run<'_> {
    /// The outputs on the validation rows of the weights that would be kept if the run stopped here, in front
    /// of the first step of an epoch; none if no epoch has ended.
    pub(crate) fn kept_outputs(&mut self) -> Result<Option<Vec<f32>>, Error> {
        if self.last.is_none() && self.best.is_none() {
            return Ok(None);
        }
        if self.config.keep == Keep::Last {
            let outputs = |engine: &mut crate::Engine<'_>| predict(engine.model(), &engine.data().valid.x);
            return self.engine.with_evaluation_weights(outputs).map(Some);
        }
        // They are those of an epoch made since the run began or went on, or of the weights in a checkpoint.
        if let (None, Some(best)) = (&self.best_outputs, &self.best) {
            let mut model = self.engine.model().clone();
            best.put(&mut model);
            self.best_outputs = Some(predict(&model, &self.engine.data().valid.x)?);
        }
        Ok(self.best_outputs.clone())
    }
}

fn predict(model: &Model<f32>, x: &[f32]) -> Result<Vec<f32>, Error> {
    let mut outputs = vec![0.0; x.len() / model.inputs() * model.outputs()];
    Inference::new(model, false).predict(model, x, &mut outputs)?;
    Ok(outputs)
}
