//! Whether data fits a model.

use super::Batch;
use crate::error::Error;
use crate::loss::Loss;
use crate::model::Model;
use crate::targets::Targets;
use downhill_core::Float;

/// Whether this is a batch of at most so many rows for such a model.
pub(crate) fn check_batch<F: Float>(
    model: &Model<F>,
    batch: &Batch<'_, F>,
    most: usize,
) -> Result<(), Error> {
    let (inputs, outputs) = (model.inputs(), model.outputs());
    let error = |reason| Err(Error::Data(reason));
    let all = batch.x.len() / inputs;
    if batch.x.len() != all * inputs {
        return error(format!("{} inputs are not rows of {inputs}", batch.x.len()));
    }
    let wanted = match batch.targets {
        Targets::Classes(_) => all,
        Targets::Values(_) => all * outputs,
    };
    if batch.targets.len() != wanted {
        return error(format!("{all} rows need {wanted} targets, not {}", batch.targets.len()));
    }
    if batch.rows.is_empty() || batch.rows.len() > most {
        return error(format!("a batch has 1 to {most} rows here, not {}", batch.rows.len()));
    }
    if let Some(row) = batch.rows.iter().find(|&&row| row as usize >= all) {
        return error(format!("row {row} does not exist: there are {all}"));
    }
    model.graph().accepts(batch.x, batch.rows.iter().map(|&row| row as usize))
}

/// Whether a loss goes with a batch; if so, what the sum of its losses is to be divided by.
pub(crate) fn check_loss<F: Float>(
    model: &Model<F>,
    batch: &Batch<'_, F>,
    loss: &Loss,
) -> Result<f64, Error> {
    let outputs = model.outputs();
    loss.accepts(outputs, batch.targets)?;
    if let Targets::Classes(classes) = batch.targets {
        loss.accepts_classes(outputs, batch.rows.iter().map(|&row| classes[row as usize]))?;
    }
    Ok(loss.batch_weight(outputs, batch.targets, batch.rows))
}
