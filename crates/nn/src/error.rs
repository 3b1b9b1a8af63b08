//! What can be wrong with a description or with data.

use crate::LayerSpec;
use downhill_core::Invalid;
use std::fmt;

/// Why a model could not be built, or data not be used with it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A setting outside its range.
    Setting(Invalid),
    /// Something is wrong with one layer of a model.
    Layer {
        /// Its position, counted from 0.
        position: usize,
        /// Its name: `batch-norm`.
        layer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Inputs, outputs and targets that do not fit each other, or the model.
    Data(String),
}

impl Error {
    pub(crate) fn layer(position: usize, layer: &LayerSpec, reason: String) -> Self {
        Self::Layer { position, layer: layer.name(), reason }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Setting(invalid)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(invalid) => invalid.fmt(f),
            Self::Layer { position, layer, reason } => write!(f, "layer {position}, {layer}: {reason}"),
            Self::Data(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}
