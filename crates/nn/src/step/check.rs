//! Whether data fits a model.

use super::Batch;
use crate::error::Error;
use crate::loss::{Loss, check_weights};
use crate::model::Model;
use crate::targets::Targets;
use downhill_core::Float;

/// Checks that a batch fits the model and has at most the workspace's number of rows.
pub(crate) fn check_batch<F: Float>(
    model: &Model<F>,
    batch: &Batch<'_, F>,
    most: usize,
) -> Result<(), Error> {
    let all = batch.x.len() / model.inputs();
    let wanted = match batch.targets {
        Targets::Classes(_) => all,
        Targets::Values(_) => all * model.outputs(),
    };
    check_rows(model, batch.x, batch.rows, most)?;
    if batch.targets.len() != wanted {
        return Err(Error::Data(format!("{all} rows need {wanted} targets, not {}", batch.targets.len())));
    }
    Ok(())
}

/// Whether these are at most so many of the rows in `x`, for such a model.
pub(super) fn check_rows<F: Float>(
    model: &Model<F>,
    x: &[F],
    rows: &[u32],
    most: usize,
) -> Result<(), Error> {
    let inputs = model.inputs();
    let error = |reason| Err(Error::Data(reason));
    let all = x.len() / inputs;
    if x.len() != all * inputs {
        return error(format!("{} inputs are not rows of {inputs}", x.len()));
    }
    if rows.is_empty() || rows.len() > most {
        return error(format!("a batch has 1 to {most} rows here, not {}", rows.len()));
    }
    if let Some(row) = rows.iter().find(|&&row| row as usize >= all) {
        return error(format!("row {row} does not exist: there are {all}"));
    }
    model.graph().accepts(x, rows.iter().map(|&row| row as usize))
}

/// Checks that there is one number for each output of each row in training.
pub(super) fn check_outputs<F: Float>(model: &Model<F>, rows: usize, len: usize) -> Result<(), Error> {
    let outputs = model.training_outputs();
    if len != rows * outputs {
        return Err(Error::Data(format!("{rows} rows of {outputs} outputs are not {len} numbers")));
    }
    Ok(())
}

/// Whether a loss goes with a batch; if so, what the sum of its losses is to be divided by.
pub(crate) fn check_loss<F: Float>(
    model: &Model<F>,
    batch: &Batch<'_, F>,
    weights: Option<&[F]>,
    loss: &Loss,
) -> Result<f64, Error> {
    let outputs = model.outputs();
    loss.accepts(outputs, batch.targets)?;
    if let Targets::Classes(classes) = batch.targets {
        loss.accepts_classes(outputs, batch.rows.iter().map(|&row| classes[row as usize]))?;
    }
    let Some(weights) = weights else { return Ok(loss.batch_weight(outputs, batch.targets, batch.rows)) };
    let all = batch.x.len() / model.inputs();
    if weights.len() != all {
        return Err(Error::Data(format!("{all} rows need as many weights, not {}", weights.len())));
    }
    check_weights(weights, batch.rows)?;
    Ok(loss.weighted_batch_weight(outputs, batch.targets, batch.rows, weights))
}
