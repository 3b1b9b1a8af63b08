//! The whole state of a run at one step, in a file.

mod consistent;

use std::path::Path;

use downhill_optim::{Layout, Memory};
use serde::{Deserialize, Serialize};

use crate::archive::{self, Archive, Named};
use crate::engine::{EngineState, Training};
use crate::run::{TrainingState, Weights};
use crate::{Engine, Epoch, Error, Progress};
use downhill_run::step_of;

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Description {
    progress: Written,
    /// What the optimizer remembers that is not of one parameter.
    memory: Memory,
    /// The same as it was at the best epoch, if that can be gone back to, and how many steps the state had
    /// seen.
    best_memory: Option<(Memory, u64)>,
    /// Where the run can go back to, if that is not where it is.
    #[serde(rename = "back")]
    rollback_point: Option<(Written, Memory)>,
    /// The last epoch that ended, if one has.
    last: Option<Epoch>,
    origin: Origin,
}

/// Where a run is, and how many steps its optimizer's state has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    progress: Progress,
    updates: u64,
}

/// The fingerprints of what a run is a function of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Of the rows it is trained and measured on.
    pub data: String,
    /// Of its configuration.
    pub config: String,
}

impl Description {
    /// What a checkpoint says of a run.
    pub fn of(
        progress: &Progress,
        engine: &Engine<'_>,
        best: Option<&Training>,
        rollback_point: Option<&TrainingState>,
        last: Option<Epoch>,
        origin: Origin,
    ) -> Self {
        let written = |progress: &Progress, updates| Written { progress: progress.clone(), updates };
        let point = |point: &TrainingState| {
            let training = &point.engine.training;
            (written(&point.progress, training.updates), training.state.memory())
        };
        Self {
            progress: written(progress, engine.updates()),
            memory: engine.optimizer().state().memory(),
            best_memory: best.map(|training| (training.state.memory(), training.updates)),
            rollback_point: rollback_point.map(point),
            last,
            origin,
        }
    }
}

const BEST: &str = "best.";
const ROLLBACK_POINT: &str = "back.";

const KIND: &str = "checkpoint";

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
pub(crate) struct Whole<'r, 'a> {
    pub description: Description,
    pub engine: &'r Engine<'a>,
    pub best: Option<&'r Weights>,
    pub rollback_point: Option<&'r TrainingState>,
}

impl<'r> Whole<'r, '_> {
    /// All tensors. The best weights, and where the run can go back to, are among them, so that a checkpoint
    /// needs no other file.
    fn tensors(&self) -> Vec<Named<'r>> {
        let Self { engine, best, rollback_point, .. } = self;
        let model = engine.model();
        let mut tensors = named(model.layout(), model.params(), "");
        tensors.extend(named(model.statistics_layout(), model.statistics(), ""));
        for (slot, values) in engine.optimizer().state().slots().iter().enumerate() {
            tensors.extend(named(model.layout(), values, &slot_prefix(slot)));
        }
        if let Some(best) = best {
            tensors.extend(named(model.layout(), &best.params, BEST));
            tensors.extend(named(model.statistics_layout(), &best.statistics, BEST));
            if let Some(training) = &best.training {
                tensors.extend(named_training(training, model.layout(), BEST));
            }
        }
        if let Some(TrainingState { engine, .. }) = rollback_point {
            tensors.extend(named_training(&engine.training, model.layout(), ROLLBACK_POINT));
            tensors.extend(named(model.statistics_layout(), &engine.statistics, ROLLBACK_POINT));
        }
        tensors
    }
}

/// Writes a checkpoint.
pub(crate) fn save(path: &Path, whole: &Whole<'_, '_>) -> Result<(), Error> {
    archive::save("write the checkpoint", path, KIND, &whole.description, &whole.tensors())
}

/// The bytes of a checkpoint.
pub(crate) fn to_bytes(whole: &Whole<'_, '_>) -> Result<Vec<u8>, String> {
    archive::to_bytes(KIND, &whole.description, &whole.tensors())
}

/// Reads the bytes of a checkpoint into an engine, and returns the rest.
pub(crate) fn load_bytes(bytes: &[u8], engine: &mut Engine<'_>) -> Result<Loaded, String> {
    let archive = archive::open::<Description>(bytes, KIND).map_err(|wrong| wrong.why(KIND))?;
    match archive.description.contradiction(None) {
        Some(why) => Err(why),
        None => put(archive, engine),
    }
}

/// Where the run is whose checkpoint this is.
pub(crate) fn progress(path: &Path) -> Result<Progress, Error> {
    Ok(read(path)?.description.progress.progress)
}

fn read(path: &Path) -> Result<Archive<Description>, Error> {
    let archive = archive::load::<Description>("read the checkpoint", path, KIND)?;
    let step = path.file_name().and_then(|name| name.to_str()).and_then(step_of);
    match archive.description.contradiction(step) {
        Some(why) => Err(downhill_run::Error::Damaged { path: path.to_path_buf(), why }.into()),
        None => Ok(archive),
    }
}

/// The fingerprint of the data of the run whose checkpoint this is.
pub(crate) fn data_fingerprint(path: &Path) -> Result<String, Error> {
    Ok(archive::load::<Description>("read the checkpoint", path, KIND)?.description.origin.data)
}

/// What a checkpoint has besides the state of the engine.
pub(crate) struct Loaded {
    pub progress: Progress,
    pub last: Option<Epoch>,
    pub origin: Origin,
    pub best: Option<Weights>,
    pub rollback_point: Option<TrainingState>,
}

/// Reads a checkpoint into an engine, and returns the rest.
pub(crate) fn load(path: &Path, engine: &mut Engine<'_>) -> Result<Loaded, Error> {
    put(read(path)?, engine)
        .map_err(|why| downhill_run::Error::Damaged { path: path.to_path_buf(), why }.into())
}

/// Puts what a checkpoint has into an engine, and returns the rest.
fn put(archive: Archive<Description>, engine: &mut Engine<'_>) -> Result<Loaded, String> {
    let description = &archive.description;
    let (layout, statistics) = (engine.model().layout().clone(), engine.model().statistics_layout().clone());
    let mut best = description.progress.progress.best.is_some().then(|| Weights::of(engine.model()));
    if let Some(best) = &mut best {
        restore(&archive, &layout, &mut best.params, BEST)?;
        restore(&archive, &statistics, &mut best.statistics, BEST)?;
        if let Some((memory, updates)) = description.best_memory {
            let training = Training { updates, ..engine.training() };
            best.training = Some(restore_training(&archive, &layout, training, memory, BEST)?);
        }
    }
    let rollback_point = match &description.rollback_point {
        None => None,
        Some((Written { progress, updates }, memory)) => {
            let EngineState { training, statistics: mut values } = engine.snapshot();
            let training = Training { updates: *updates, ..training };
            let training = restore_training(&archive, &layout, training, *memory, ROLLBACK_POINT)?;
            restore(&archive, &statistics, &mut values, ROLLBACK_POINT)?;
            let engine = EngineState { training, statistics: values };
            Some(TrainingState { progress: progress.clone(), engine })
        }
    };
    let (model, optimizer, updates) = engine.parts_mut();
    restore(&archive, &layout, model.params_mut(), "")?;
    restore(&archive, &statistics, model.statistics_mut(), "")?;
    for (slot, values) in optimizer.state_mut().slots_mut().enumerate() {
        restore(&archive, &layout, values, &slot_prefix(slot))?;
    }
    optimizer.state_mut().set_memory(description.memory);
    *updates = description.progress.updates;
    let Description { progress, last, origin, .. } = archive.description;
    Ok(Loaded { progress: progress.progress, last, origin, best, rollback_point })
}
