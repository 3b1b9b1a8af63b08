#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod error;
mod features;
mod json;
mod layers;
mod onnx;
mod ports;
mod proto;

pub use error::Error;
pub use json::json;
pub use onnx::{Exported, onnx};
pub use ports::{Inputs, Port};

use downhill_data::Encoder;
use downhill_nn::{Loss, Model};

/// A trained network with all that is needed to predict: what a model file of Downhill holds.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// The network with its weights.
    pub model: &'a Model<f32>,
    /// How the columns of a table become its inputs; none if it was trained on plain numbers.
    pub encoder: Option<&'a Encoder>,
    /// What it was trained to minimise: it says what the outputs are.
    pub loss: &'a Loss,
}
