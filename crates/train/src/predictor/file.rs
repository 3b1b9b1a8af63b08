//! The file of a model: `docs/format.md`.

use std::path::Path;
use std::sync::Arc;

use downhill_core::spec;
use downhill_data::Encoder;
use downhill_nn::{LayerSpec, Loss, Model};
use serde::{Deserialize, Serialize};

use super::residuals::Residuals;
use super::{Member, Predictor, consistent};
use crate::archive::Archive;
use crate::{Error, archive, checkpoint};

pub(super) const KIND: &str = "model";

/// What a model file says besides its weights.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Description {
    pub version: String,
    pub inputs: usize,
    #[serde(with = "crate::spelled::list")]
    pub layers: Vec<LayerSpec>,
    #[serde(with = "spec")]
    pub loss: Loss,
    pub encoder: Option<Encoder>,
    /// Where there are several networks, what each of them is instead of the above; empty for one network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Own>,
    /// The errors on the validation rows, where a number is predicted. Models of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residuals: Option<Residuals>,
}

/// What one of several networks is instead of what stands above.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Own {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::spelled::list")]
    pub layers: Vec<LayerSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
}

/// What the names of the tensors of one of several networks begin with.
fn prefix(member: usize) -> String {
    format!("members.{member}.")
}

pub(super) fn save(predictor: &Predictor, path: &Path) -> Result<(), Error> {
    let first = &predictor.members[0];
    let own = |member: &Member| Own {
        inputs: Some(member.model.inputs()).filter(|&inputs| inputs != first.model.inputs()),
        layers: if member.model.layers() == first.model.layers() {
            Vec::new()
        } else {
            member.model.layers().to_vec()
        },
        encoder: member.encoder().filter(|_| !member.takes_features_of(first)).cloned(),
    };
    let several = predictor.members.len() > 1;
    let description = Description {
        version: predictor.version.clone(),
        inputs: first.model.inputs(),
        layers: first.model.layers().to_vec(),
        loss: predictor.loss.clone(),
        encoder: first.encoder().cloned(),
        members: if several { predictor.members.iter().map(own).collect() } else { Vec::new() },
        residuals: predictor.residuals.clone(),
    };
    let mut tensors = Vec::new();
    for (at, Member { model, .. }) in predictor.members.iter().enumerate() {
        let prefix = if several { prefix(at) } else { String::new() };
        tensors.extend(checkpoint::named(model.layout(), model.params(), &prefix));
        tensors.extend(checkpoint::named(model.statistics_layout(), model.statistics(), &prefix));
    }
    archive::save("write the model", path, KIND, &description, &tensors)
}

pub(super) fn load(path: &Path) -> Result<Predictor, Error> {
    let mut archive = archive::load::<Description>("read the model", path, KIND)?;
    let members = std::mem::take(&mut archive.description.members);
    predictor(&archive, members)
        .map_err(|why| downhill_run::Error::Damaged { path: path.to_path_buf(), why }.into())
}

/// The predictor in a file, whose networks are `members`, or one where that is empty. The error says what
/// contradicts what.
fn predictor(archive: &Archive<Description>, members: Vec<Own>) -> Result<Predictor, String> {
    let Description { version, inputs, layers, loss, encoder, members: _, residuals } = &archive.description;
    if let Some(contradiction) = residuals.as_ref().and_then(Residuals::contradiction) {
        return Err(contradiction);
    }
    let encoder = encoder.clone().map(Arc::new);
    let network = |inputs, layers: &[LayerSpec], encoder: Option<Arc<Encoder>>, prefix: &str| {
        let model: Model<f32> =
            consistent::model(archive, (inputs, layers), loss, encoder.as_deref(), prefix)?;
        Ok::<_, String>(Member::new(model, encoder))
    };
    let new = |member| Predictor {
        members: vec![member],
        version: version.clone(),
        loss: loss.clone(),
        residuals: residuals.clone(),
    };
    if members.is_empty() {
        return Ok(new(network(*inputs, layers, encoder, "")?));
    }
    let mut average: Option<Predictor> = None;
    for (at, own) in members.into_iter().enumerate() {
        let layers = if own.layers.is_empty() { layers } else { &own.layers };
        let encoder = own.encoder.map(Arc::new).or_else(|| encoder.clone());
        let inputs = own.inputs.unwrap_or(*inputs);
        let of = |why| format!("of its network {at}, {why}");
        let member = network(inputs, layers, encoder, &prefix(at)).map_err(of)?;
        match &mut average {
            None => average = Some(new(member)),
            Some(average) => match average.contradiction(&member, loss) {
                Some(why) => return Err(format!("its networks cannot be averaged: {why}")),
                None => average.members.push(member),
            },
        }
    }
    average.ok_or_else(|| "it has no network".into())
}
