//! The multilayer perceptron, described in one line.

use crate::{Activation, BatchNorm, Dense, Dropout, LayerSpec, Numbers, Relu};
use downhill_optim::Init;
use serde::{Deserialize, Serialize};

/// Hidden layers all alike: for every size, dense, batch normalisation (if asked for), the activation,
/// dropout (if its rate is not 0). The head, a dense layer with as many units as the task has outputs, is for
/// the caller to add.
///
/// ```
/// use downhill_nn::{Dense, LayerSpec, Mlp, Model};
///
/// let mut layers = Mlp { hidden: vec![64, 64], ..Mlp::default() }.layers();
/// layers.push(Dense::new(10).into());
/// let model = Model::<f32>::build(&layers, 784, 7)?;
/// assert_eq!(model.params().len(), 784 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10);
/// # Ok::<(), downhill_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mlp {
    /// The numbers of units, from the first layer on; none is a linear model. In files it must be given.
    pub hidden: Vec<usize>,
    /// The activation; ReLU unless given.
    #[serde(default = "relu", with = "downhill_core::spec")]
    pub activation: Activation,
    /// How the weights begin; `auto` unless given.
    #[serde(default, with = "downhill_core::spec")]
    pub init: Init,
    /// Whether batch normalisation stands before every activation; the dense layers then have no bias, as the
    /// shift takes its place.
    #[serde(default)]
    pub batch_norm: bool,
    /// The dropout rate behind every activation; 0 unless given.
    #[serde(default)]
    pub dropout: f64,
    /// What stands in front of the first layer, made for the data; `plain`, which is nothing, unless given.
    #[serde(default, skip_serializing_if = "Numbers::is_plain", with = "downhill_core::spec")]
    pub numbers: Numbers,
}

fn relu() -> Activation {
    Relu {}.into()
}

impl Default for Mlp {
    fn default() -> Self {
        Self {
            hidden: Vec::new(),
            activation: relu(),
            init: Init::Auto,
            batch_norm: false,
            dropout: 0.0,
            numbers: Numbers::default(),
        }
    }
}

impl Mlp {
    /// The layers, without the head, and without what stands in front of them by [`numbers`](Self::numbers):
    /// that takes data to make, [`Numbers::layer`].
    pub fn layers(&self) -> Vec<LayerSpec> {
        let mut layers = Vec::new();
        for &units in &self.hidden {
            layers.push(Dense { units, init: self.init, bias: !self.batch_norm }.into());
            if self.batch_norm {
                layers.push(BatchNorm::default().into());
            }
            layers.push(self.activation.into());
            // A rate that is not a number must not slip through as none.
            if self.dropout != 0.0 {
                layers.push(Dropout { rate: self.dropout }.into());
            }
        }
        layers
    }
}
