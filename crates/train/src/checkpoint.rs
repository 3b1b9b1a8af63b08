//! The whole state of a run at one step, in a file.

use std::path::Path;

use downhill_nn::Model;
use downhill_optim::{Layout, Optimizer};
use serde::{Deserialize, Serialize};

use crate::archive::{self, Archive, Named};
use crate::{Error, Event};

/// Where a run is, besides its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The number of steps made.
    pub step: u64,
    /// The losses of the epoch under way, summed over its rows.
    pub loss_sum: f64,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Epochs since then.
    pub waited: u64,
    /// How long training took.
    pub seconds: f64,
    /// How many rows were trained on in that time.
    pub rows: u64,
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    /// What it was measured by.
    pub score: f64,
    /// What it came to.
    pub epoch: crate::Epoch,
}

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub progress: Progress,
    /// The last epoch that ended, if one has.
    pub last: Option<crate::Epoch>,
    /// The fingerprint of the data that the run is trained on.
    pub data: String,
}

const KIND: &str = "checkpoint";

/// A step's file name.
pub(crate) fn file_name(step: u64) -> String {
    format!("step-{step:08}.safetensors")
}

/// The step of a file name.
pub(crate) fn step_of(file_name: &str) -> Option<u64> {
    file_name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// The tensors of a flat buffer, by name.
pub(crate) fn named<'a>(layout: &Layout, values: &'a [f32], prefix: &str) -> Vec<Named<'a>> {
    let tensors = layout.tensors().iter();
    tensors
        .map(|tensor| Named {
            name: format!("{prefix}{}", tensor.name),
            shape: tensor.shape.clone(),
            values: &values[tensor.range()],
        })
        .collect()
}

/// Copies the tensors of a flat buffer back.
pub(crate) fn restore<D>(
    archive: &Archive<D>,
    layout: &Layout,
    values: &mut [f32],
    prefix: &str,
) -> Result<(), String> {
    layout
        .tensors()
        .iter()
        .try_for_each(|tensor| archive.copy(&format!("{prefix}{}", tensor.name), &mut values[tensor.range()]))
}

fn slot_prefix(slot: usize) -> String {
    format!("optimizer.{slot}.")
}

/// Writes a checkpoint into the folder of checkpoints.
pub(crate) fn save(
    folder: &Path,
    description: &Description,
    model: &Model<f32>,
    optimizer: &Optimizer<f32>,
) -> Result<Event, Error> {
    let step = description.progress.step;
    let mut tensors = named(model.layout(), model.params(), "");
    tensors.extend(named(model.statistics_layout(), model.statistics(), ""));
    for (slot, values) in optimizer.state().slots().iter().enumerate() {
        tensors.extend(named(model.layout(), values, &slot_prefix(slot)));
    }
    let file = file_name(step);
    archive::save("write the checkpoint", &folder.join(&file), KIND, description, &tensors)?;
    Ok(Event::Checkpoint { step, file })
}

/// Reads a checkpoint into a model, and into its optimizer if that is to go on.
pub(crate) fn load(
    path: &Path,
    model: &mut Model<f32>,
    optimizer: Option<&mut Optimizer<f32>>,
) -> Result<Description, Error> {
    let archive = archive::load::<Description>("read the checkpoint", path, KIND)?;
    let read = || -> Result<(), String> {
        let layout = model.layout().clone();
        restore(&archive, &layout, model.params_mut(), "")?;
        restore(&archive, &model.statistics_layout().clone(), model.statistics_mut(), "")?;
        if let Some(optimizer) = optimizer {
            for (slot, values) in optimizer.state_mut().slots_mut().enumerate() {
                restore(&archive, &layout, values, &slot_prefix(slot))?;
            }
        }
        Ok(())
    };
    read().map_err(|why| Error::Damaged { path: path.to_path_buf(), why })?;
    Ok(archive.description)
}
