#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod columns;
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

/// All that is needed to predict: what a model file of Downhill holds.
///
/// Of several networks the predictions are averaged: of classes their probabilities, of numbers the numbers.
#[derive(Clone, Debug)]
pub struct Predictor<'a> {
    /// The networks, at least one. All predict the same.
    pub networks: Vec<Network<'a>>,
    /// What they were trained to minimise: it says what the outputs are.
    pub loss: &'a Loss,
}

/// A trained network with its preprocessing.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// The network with its weights.
    pub model: &'a Model<f32>,
    /// How the columns of a table become its inputs; none if it was trained on plain numbers. Where several
    /// networks have the same one, it should be the same reference: its work is then done once.
    pub encoder: Option<&'a Encoder>,
}

impl<'a> Predictor<'a> {
    /// The first network, which says what all predict.
    fn first(&self) -> Result<Network<'a>, Error> {
        self.networks.first().copied().ok_or(Error::NoNetwork)
    }
}
