//! Why a network cannot be exported.

use std::fmt;

/// Why a network cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no network.
    NoNetwork,
    /// Several networks take a column for different things, or different numbers of plain features.
    DifferentInputs {
        /// The column, or `x` for plain features.
        column: String,
    },
    /// A layer that has no counterpart here.
    UnknownLayer {
        /// Its place in the network, counted from 0.
        position: usize,
        /// Its name.
        layer: String,
    },
    /// A loss that does not say here what the outputs are: one of a type of your own.
    UnknownLoss {
        /// The loss, as a spec.
        loss: String,
    },
    /// A layer lacks what it should have: the model contradicts itself.
    MissingTensor {
        /// The place of the layer, counted from 0.
        position: usize,
        /// What is not there.
        what: String,
    },
    /// The mean or the standard deviation of a column is not a number of 32 bits.
    NotIn32Bits {
        /// The column.
        column: String,
    },
    /// There are more weights than a file can hold.
    TooLarge {
        /// How many bytes they are.
        bytes: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNetwork => f.write_str("there is no network to export"),
            Self::DifferentInputs { column } => {
                write!(f, "the networks take `{column}` for different things, and cannot be given the same")
            }
            Self::UnknownLayer { position, layer } => {
                write!(f, "layer {position} is `{layer}`, which cannot be exported yet")
            }
            Self::UnknownLoss { loss } => write!(
                f,
                "the loss is `{loss}`, and what the outputs of a network with a loss of your own mean is not known"
            ),
            Self::MissingTensor { position, what } => write!(f, "layer {position} lacks {what}"),
            Self::NotIn32Bits { column } => write!(
                f,
                "the mean or the standard deviation of the column `{column}` is too large or too small for \
                 numbers of 32 bits"
            ),
            Self::TooLarge { bytes } => {
                write!(f, "the weights are {bytes} bytes, and an ONNX file holds at most 2 GB")
            }
        }
    }
}

impl std::error::Error for Error {}
