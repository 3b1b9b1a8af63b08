//! The whole state of a run at one step, in a file.

mod consistent;

use std::path::Path;

use downhill_nn::Model;
use downhill_optim::{Layout, Memory, Optimizer, State};
use serde::{Deserialize, Serialize};

use crate::archive::{self, Archive, Named};
use crate::plateau::Watch;
use crate::steering::Steering;
use crate::{Error, durable};

/// Where a run is, besides its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The next step.
    pub step: u64,
    /// The number of steps made, those gone back over included; going back counts as one more.
    pub made: u64,
    /// How many commands the run has obeyed.
    pub commands: u64,
    /// How many epochs the run has, if it was told.
    pub epochs: Option<u64>,
    /// Whether it was told to end.
    pub ended: bool,
    /// The losses of the epoch under way, summed over its rows.
    pub loss_sum: f64,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Epochs since then.
    pub waited: u64,
    /// What was done to the rate.
    pub steering: Steering,
    /// How many steps the optimizer's state has seen; fewer than were made once a cut has gone back.
    pub updates: u64,
    /// What the plateau has seen.
    pub watch: Watch,
    /// How often the run has gone back since an epoch last ended well.
    pub rollbacks: u64,
    /// How long the steps of the epochs that have ended took.
    pub seconds: f64,
    /// How long the steps of the epoch under way took so far.
    pub epoch_seconds: f64,
    /// How many rows were trained on in the epochs that have ended.
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

/// Where a run can go back to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    pub progress: Progress,
    pub training: Training,
    pub statistics: Vec<f32>,
}

impl Snapshot {
    pub fn of(progress: &Progress, model: &Model<f32>, optimizer: &Optimizer<f32>) -> Self {
        let training = Training::of(model, optimizer, progress.updates);
        let statistics = model.statistics().to_vec();
        Self { progress: progress.clone(), training, statistics }
    }

    /// Takes what there is now.
    pub fn take(&mut self, progress: &Progress, model: &Model<f32>, optimizer: &Optimizer<f32>) {
        self.progress.clone_from(progress);
        self.training.take(model, optimizer, progress.updates);
        self.statistics.copy_from_slice(model.statistics());
    }
}

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub progress: Progress,
    /// What the optimizer remembers that is not of one parameter.
    pub memory: Memory,
    /// The same as it was at the best epoch, if that can be gone back to, and how many steps the state had seen.
    pub best_memory: Option<(Memory, u64)>,
    /// Where the run can go back to, if that is not where it is.
    pub back: Option<(Progress, Memory)>,
    /// The last epoch that ended, if one has.
    pub last: Option<crate::Epoch>,
    pub origin: Origin,
}

/// The fingerprints of what a run is a function of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Of the rows it is trained and measured on.
    pub data: String,
    /// Of its configuration.
    pub config: String,
}

/// Weights and statistics as they were at some step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub params: Vec<f32>,
    pub statistics: Vec<f32>,
    /// What it takes to train on from there.
    pub training: Option<Training>,
}

/// The parameters that were trained, where others were measured, and the optimizer's state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Training {
    pub params: Vec<f32>,
    pub state: State<f32>,
    /// How many steps the state has seen.
    pub updates: u64,
}

impl Training {
    pub fn of(model: &Model<f32>, optimizer: &Optimizer<f32>, updates: u64) -> Self {
        Self { params: model.params().to_vec(), state: optimizer.state().clone(), updates }
    }

    /// Takes what there is now.
    pub fn take(&mut self, model: &Model<f32>, optimizer: &Optimizer<f32>, updates: u64) {
        self.updates = updates;
        self.params.copy_from_slice(model.params());
        self.state.clone_from(optimizer.state());
    }

    /// Goes back to what there was.
    pub fn put(&self, model: &mut Model<f32>, optimizer: &mut Optimizer<f32>) {
        model.params_mut().copy_from_slice(&self.params);
        optimizer.state_mut().clone_from(&self.state);
    }
}

impl Weights {
    /// Those of a model.
    pub fn of(model: &Model<f32>) -> Self {
        Self { params: model.params().to_vec(), statistics: model.statistics().to_vec(), training: None }
    }

    /// Takes those of a model.
    pub fn take(&mut self, model: &Model<f32>) {
        self.params.copy_from_slice(model.params());
        self.statistics.copy_from_slice(model.statistics());
    }

    /// Gives them to a model.
    pub fn put(&self, model: &mut Model<f32>) {
        model.params_mut().copy_from_slice(&self.params);
        model.statistics_mut().copy_from_slice(&self.statistics);
    }
}

const BEST: &str = "best.";
const BACK: &str = "back.";

const KIND: &str = "checkpoint";

/// A step's file name.
pub(crate) fn file_name(step: u64) -> String {
    format!("step-{step:08}.safetensors")
}

/// The step of a file name.
pub(crate) fn step_of(file_name: &str) -> Option<u64> {
    file_name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// Whether a file was being written in place of a checkpoint.
pub(crate) fn is_aside(file_name: &str) -> bool {
    const END: &str = ".safetensors";
    let checkpoint = file_name.find(END).map(|at| &file_name[..at + END.len()]);
    checkpoint.is_some_and(|name| step_of(name).is_some() && durable::is_aside(file_name, name))
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
    layout.tensors().iter().try_for_each(|tensor| {
        archive.copy(&format!("{prefix}{}", tensor.name), &tensor.shape, &mut values[tensor.range()])
    })
}

fn slot_prefix(slot: usize) -> String {
    format!("optimizer.{slot}.")
}

/// The tensors of what it takes to train on from somewhere.
fn named_training<'a>(training: &'a Training, layout: &Layout, prefix: &str) -> Vec<Named<'a>> {
    let mut tensors = named(layout, &training.params, &format!("{prefix}training."));
    for (slot, values) in training.state.slots().iter().enumerate() {
        tensors.extend(named(layout, values, &format!("{prefix}{}", slot_prefix(slot))));
    }
    tensors
}

/// Reads them back into a copy of what there is now.
fn restore_training<D>(
    archive: &Archive<D>,
    layout: &Layout,
    mut training: Training,
    memory: Memory,
    prefix: &str,
) -> Result<Training, String> {
    restore(archive, layout, &mut training.params, &format!("{prefix}training."))?;
    for (slot, values) in training.state.slots_mut().enumerate() {
        restore(archive, layout, values, &format!("{prefix}{}", slot_prefix(slot)))?;
    }
    training.state.set_memory(memory);
    Ok(training)
}

/// Everything that a checkpoint holds.
pub(crate) struct Whole<'a> {
    pub description: Description,
    pub model: &'a Model<f32>,
    pub optimizer: &'a Optimizer<f32>,
    pub best: Option<&'a Weights>,
    pub back: Option<&'a Snapshot>,
}

/// Writes a checkpoint. The best weights, and where the run can go back to, are in it, so that it needs no other file.
pub(crate) fn save(path: &Path, state: &Whole<'_>) -> Result<(), Error> {
    let Whole { description, model, optimizer, best, back } = state;
    let mut tensors = named(model.layout(), model.params(), "");
    tensors.extend(named(model.statistics_layout(), model.statistics(), ""));
    for (slot, values) in optimizer.state().slots().iter().enumerate() {
        tensors.extend(named(model.layout(), values, &slot_prefix(slot)));
    }
    if let Some(best) = best {
        tensors.extend(named(model.layout(), &best.params, BEST));
        tensors.extend(named(model.statistics_layout(), &best.statistics, BEST));
        if let Some(training) = &best.training {
            tensors.extend(named_training(training, model.layout(), BEST));
        }
    }
    if let Some(back) = back {
        tensors.extend(named_training(&back.training, model.layout(), BACK));
        tensors.extend(named(model.statistics_layout(), &back.statistics, BACK));
    }
    archive::save("write the checkpoint", path, KIND, description, &tensors)
}

/// Where the run is whose checkpoint this is.
pub(crate) fn progress(path: &Path) -> Result<Progress, Error> {
    Ok(read(path)?.description.progress)
}

fn read(path: &Path) -> Result<Archive<Description>, Error> {
    let archive = archive::load::<Description>("read the checkpoint", path, KIND)?;
    let step = path.file_name().and_then(|name| name.to_str()).and_then(step_of);
    match archive.description.contradiction(step) {
        Some(why) => Err(Error::Damaged { path: path.to_path_buf(), why }),
        None => Ok(archive),
    }
}

/// The fingerprint of the data of the run whose checkpoint this is.
pub(crate) fn data_fingerprint(path: &Path) -> Result<String, Error> {
    Ok(archive::load::<Description>("read the checkpoint", path, KIND)?.description.origin.data)
}

/// What a checkpoint has besides the model and its optimizer.
pub(crate) struct Loaded {
    pub description: Description,
    pub best: Option<Weights>,
    pub back: Option<Snapshot>,
}

/// Reads a checkpoint into a model and its optimizer, and returns the rest.
pub(crate) fn load(
    path: &Path,
    model: &mut Model<f32>,
    optimizer: &mut Optimizer<f32>,
) -> Result<Loaded, Error> {
    let archive = read(path)?;
    let (layout, statistics) = (model.layout().clone(), model.statistics_layout().clone());
    let mut read = || -> Result<(Option<Weights>, Option<Snapshot>), String> {
        let mut best = archive.description.progress.best.is_some().then(|| Weights::of(model));
        if let Some(best) = &mut best {
            restore(&archive, &layout, &mut best.params, BEST)?;
            restore(&archive, &statistics, &mut best.statistics, BEST)?;
            if let Some((memory, updates)) = archive.description.best_memory {
                let training = Training::of(model, optimizer, updates);
                best.training = Some(restore_training(&archive, &layout, training, memory, BEST)?);
            }
        }
        let back = match &archive.description.back {
            None => None,
            Some((progress, memory)) => {
                let mut back = Snapshot::of(progress, model, optimizer);
                back.training = restore_training(&archive, &layout, back.training, *memory, BACK)?;
                restore(&archive, &statistics, &mut back.statistics, BACK)?;
                Some(back)
            }
        };
        restore(&archive, &layout, model.params_mut(), "")?;
        restore(&archive, &statistics, model.statistics_mut(), "")?;
        for (slot, values) in optimizer.state_mut().slots_mut().enumerate() {
            restore(&archive, &layout, values, &slot_prefix(slot))?;
        }
        optimizer.state_mut().set_memory(archive.description.memory);
        Ok((best, back))
    };
    let (best, back) = read().map_err(|why| Error::Damaged { path: path.to_path_buf(), why })?;
    Ok(Loaded { description: archive.description, best, back })
}
