//! What the layers do inside: for the log, and for the diagnosis.

use downhill_data::Examples;
use downhill_nn::{Batch, Loss, Model, Trace, Workspace};

use super::{Engine, targets};
use crate::Error;

impl Engine<'_> {
    /// What the hidden layers do with these rows in a step: their outputs, and the gradient of the mean loss.
    pub(crate) fn trace(&self, rows: &Examples, step: u64) -> Result<Vec<Trace<f64>>, Error> {
        let all: Vec<u32> = (0..rows.rows() as u32).collect();
        let batch = Batch { x: &rows.x, targets: targets(&rows.y), rows: &all };
        let traces = traced(&self.model, &batch, rows.weights.as_deref(), &self.loss, self.seed, step)?;
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
        let traces = traces.into_iter().map(|trace| Trace {
            position: trace.position,
            units: trace.units,
            activation: trace.activation,
            outputs: wide(&trace.outputs),
            slopes: wide(&trace.slopes),
            gradient: wide(&trace.gradient),
        });
        Ok(traces.collect())
    }
}

/// What the layers with an activation do in a step on a batch: their outputs, and the gradient of the mean
/// loss. As in training, dropout draws, by `seed` and `step`, and batch normalisation takes the moments of
/// the batch.
pub(crate) fn traced(
    model: &Model<f32>,
    batch: &Batch<'_, f32>,
    weights: Option<&[f32]>,
    loss: &Loss,
    seed: u64,
    step: u64,
) -> Result<Vec<Trace<f32>>, Error> {
    let mut workspace = Workspace::new(model, batch.rows.len(), false).tracing();
    let mut model = model.clone();
    workspace.weighted_gradients(&mut model, batch, weights, loss, seed, step)?;
    Ok(workspace.trace(&model)?.into_iter().filter(|trace| trace.activation.is_some()).collect())
}
