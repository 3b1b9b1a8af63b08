//! Whether what a model file says goes together.

use downhill_data::{Encoder, Task};
use downhill_nn::loss::TargetKind;
use downhill_nn::{LayerSpec, Loss, Model};
use downhill_optim::Layout;

use super::file::Description;
use crate::archive::Archive;
use crate::checkpoint;

/// Reads a network of so many inputs and of these layers, whose tensors' names begin with `prefix`, once
/// everything that the file says of it is known to go together.
///
/// A file may be written by anybody, with a checksum that is right: what contradicts itself would stop the
/// program, take memory without end, or predict with the weights of other features. The error says what
/// contradicts what.
pub(super) fn model(
    archive: &Archive<Description>,
    (inputs, layers): (usize, &[LayerSpec]),
    loss: &Loss,
    encoder: Option<&Encoder>,
    prefix: &str,
) -> Result<Model<f32>, String> {
    let cannot = |error: downhill_nn::Error| format!("its network cannot be built ({error})");
    let (layout, statistics) = Model::<f32>::layouts(layers, inputs).map_err(cannot)?;
    // The file has as many values as the network that is built now.
    has(archive, &layout, prefix)?;
    has(archive, &statistics, prefix)?;
    let mut model = Model::zeroed(layers, inputs).map_err(cannot)?;
    check(loss, inputs, model.outputs(), encoder)?;
    checkpoint::restore(archive, &layout, model.params_mut(), prefix)?;
    checkpoint::restore(archive, &statistics, model.statistics_mut(), prefix)?;
    Ok(model)
}

/// Fails if a tensor is missing, or of another shape.
fn has<D>(archive: &Archive<D>, layout: &Layout, prefix: &str) -> Result<(), String> {
    let has = |name: &str, shape: &[usize]| archive.tensor(&format!("{prefix}{name}"), shape).map(|_| ());
    layout.tensors().iter().try_for_each(|tensor| has(&tensor.name, &tensor.shape))
}

fn check(loss: &Loss, inputs: usize, outputs: usize, encoder: Option<&Encoder>) -> Result<(), String> {
    loss.check().map_err(|invalid| invalid.to_string())?;
    let wanted = match loss.targets() {
        TargetKind::Classes => loss.outputs(outputs.max(2)),
        TargetKind::Values => loss.outputs(1),
    };
    let weights = loss.class_weights().len();
    if outputs != wanted {
        return Err(format!("its network has {outputs} outputs, and its loss needs {wanted}"));
    }
    if loss.targets() == TargetKind::Classes && ![0, outputs.max(2)].contains(&weights) {
        let each = format!("an output for each of its {weights} class weights");
        return Err(format!("its network has {outputs} outputs, and its loss needs {each}"));
    }
    let Some(encoder) = encoder else { return Ok(()) };
    if let Some(contradiction) = encoder.contradiction() {
        return Err(contradiction);
    }
    let features = encoder.features();
    if features != inputs {
        return Err(format!("its encoder makes {features} features, and its network has {inputs} inputs"));
    }
    let classes = encoder.classes().len();
    match (super::task_of(loss), encoder.task()) {
        (Task::Classification, Task::Classification) if classes == outputs.max(2) => Ok(()),
        (Task::Classification, Task::Classification) => {
            Err(format!("its target has {classes} classes, and its network tells {} apart", outputs.max(2)))
        }
        (Task::Regression, Task::Regression) => Ok(()),
        (Task::Classification, Task::Regression) => {
            Err("its loss is for classes, and its target is a number".to_string())
        }
        (Task::Regression, Task::Classification) => {
            Err("its loss is for numbers, and its target is classes".to_string())
        }
    }
}
