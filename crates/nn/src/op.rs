//! Operations: what networks are made of, each one file.
//!
//! A file in `op/` says everything that an operation is to the system: how it is described ([`Layer`]) and
//! what is computed ([`Operation`]). To add one is to write the file, and to name it in this one: as a module
//! and in the list. An activation is a file in `activation/` and one line in the list.

mod add;
mod average;
mod batch_norm;
mod dense;
mod dropout;
mod embedding;
mod ensemble;
mod heads;
mod layer_norm;
mod members;
mod normal;
mod operation;
mod piecewise_linear;
mod pointwise;
mod rows;
mod scale;

pub use average::Outputs;
pub(crate) use members::check_members;
pub(crate) use operation::{
    Backward, Draw, Flow, Forward, Layer, MOST_INPUTS, Mode, Operation, Planned, Reduction, Weight, Whole,
};
pub(crate) use piecewise_linear::{check_scale, tenth};
pub(crate) use rows::add;

use crate::activation::{
    Elu, Gelu, Identity, LeakyRelu, Mish, Pointwise, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use crate::graph::Site;
use downhill_core::spec::spelled;
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};

/// Makes [`LayerSpec`] and [`Activation`] from one list, so that an operation is named once.
macro_rules! list {
    (
        layers { $($(#[$layer_doc:meta])* $module:ident::$layer:ident,)* }
        activations { $($(#[$doc:meta])* $activation:ident,)* }
    ) => {
        $(pub use $module::$layer;)*

        /// One layer of a network, as it is described. In text, `dense(64)`; in JSON,
        /// `{"dense": {"units": 64}}`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[non_exhaustive]
        pub enum LayerSpec {
            $($(#[$layer_doc])* $layer($layer),)*
            $($(#[$doc])* $activation($activation),)*
        }

        /// An activation, as it is described.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[non_exhaustive]
        pub enum Activation {
            $($(#[$doc])* $activation($activation),)*
        }

        impl LayerSpec {
            /// The activation, if the layer is nothing but one.
            pub fn activation(&self) -> Option<Activation> {
                match self {
                    $(Self::$layer(_) => None,)*
                    $(Self::$activation(inner) => Some(Activation::$activation(*inner)),)*
                }
            }

            /// The names of all layers and activations, as specs begin with them.
            pub fn names() -> Vec<String> {
                [$(stringify!($layer),)* $(stringify!($activation),)*].into_iter().map(kebab).collect()
            }

            /// The layer's name, as it is written in a spec: `batch-norm`.
            pub fn name(&self) -> String {
                kebab(match self {
                    $(Self::$layer(_) => stringify!($layer),)*
                    $(Self::$activation(_) => stringify!($activation),)*
                })
            }

            /// Whether every setting is in its range. Names the layer, the setting, its value and the range.
            pub fn check(&self) -> Result<(), Invalid> {
                match self {
                    $(Self::$layer(inner) => inner.check(),)*
                    $(Self::$activation(inner) => Pointwise::check(inner),)*
                }
            }

            /// The number of outputs for each row that the layer itself sets, beside those that inputs become
            /// one by one: the units of a dense layer, 0 for an activation. It may be the largest number
            /// there is.
            pub fn units(&self) -> usize {
                match self {
                    $(Self::$layer(inner) => inner.units(),)*
                    $(Self::$activation(_) => 0,)*
                }
            }

            /// The place in the description of the layer whose output is the second input, if there are two.
            pub(crate) fn second_input(&self) -> Option<usize> {
                match self {
                    $(Self::$layer(inner) => inner.second_input(),)*
                    $(Self::$activation(_) => None,)*
                }
            }

            /// What the layer comes to where it stands.
            pub(crate) fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
                match self {
                    $(Self::$layer(inner) => inner.plan(site),)*
                    $(Self::$activation(inner) => Activation::$activation(*inner).plan(site),)*
                }
            }
        }

        impl Activation {
            /// Whether every setting is in its range.
            pub fn check(&self) -> Result<(), Invalid> {
                LayerSpec::from(*self).check()
            }
        }

        impl From<Activation> for LayerSpec {
            fn from(activation: Activation) -> Self {
                match activation {
                    $(Activation::$activation(inner) => Self::$activation(inner),)*
                }
            }
        }

        $(impl From<$layer> for LayerSpec {
            fn from(layer: $layer) -> Self {
                Self::$layer(layer)
            }
        })*

        $(impl From<$activation> for LayerSpec {
            fn from(activation: $activation) -> Self {
                Self::$activation(activation)
            }
        }

        impl From<$activation> for Activation {
            fn from(activation: $activation) -> Self {
                Self::$activation(activation)
            }
        })*

        /// Does something with the function inside an [`Activation`], whichever it is.
        macro_rules! with_activation {
            ($value:expr, $f:ident => $body:expr) => {
                match $value {
                    $(crate::Activation::$activation($f) => $body,)*
                }
            };
        }
        pub(crate) use with_activation;
    };
}

list! {
    layers {
        /// Every output a weighted sum of every input.
        dense::Dense,
        /// Silences units at random while training.
        dropout::Dropout,
        /// Normalises every unit over the batch.
        batch_norm::BatchNorm,
        /// Normalises every row over its units.
        layer_norm::LayerNorm,
        /// Adds the output of an earlier layer.
        add::Add,
        /// A learnt vector in the place of each category.
        embedding::Embedding,
        /// Multiplies every input by a learnt factor.
        scale::Scale,
        /// Numbers, and a value for each of their bins.
        piecewise_linear::PiecewiseLinear,
        /// The members of an ensemble, each of which is given the row with factors of its own.
        members::Members,
        /// A dense layer whose weights all members share.
        ensemble::Ensemble,
        /// A dense layer for each member.
        heads::Heads,
        /// The mean of what the members predict.
        average::Average,
    }
    activations {
        /// max(0, x).
        Relu,
        /// x, or a small part of it where negative.
        LeakyRelu,
        /// x, or α(eˣ − 1) where negative.
        Elu,
        /// ELU with the constants that normalise.
        Selu,
        /// x·Φ(x).
        Gelu,
        /// x·σ(x).
        Silu,
        /// x·tanh(softplus(x)).
        Mish,
        /// tanh x.
        Tanh,
        /// 1/(1 + e⁻ˣ).
        Sigmoid,
        /// ln(1 + eˣ).
        Softplus,
        /// x.
        Identity,
    }
}

spelled!(LayerSpec, "a layer");
spelled!(Activation, "an activation");

/// `BatchNorm` as `batch-norm`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}
