//! The description of a model: what is written in configurations and model files.

use crate::activation::{
    Elu, Gelu, Identity, LeakyRelu, Mish, Pointwise, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use crate::layer::{BatchNorm, Dense, Dropout, LayerNorm};
use downhill_core::Invalid;
use downhill_core::spec::spelled;
use serde::{Deserialize, Serialize};

/// Makes [`LayerSpec`] and [`Activation`] from one list, so that an activation is named once.
macro_rules! list {
    (
        layers { $($(#[$layer_doc:meta])* $layer:ident,)* }
        activations { $($(#[$doc:meta])* $activation:ident,)* }
    ) => {
        /// One layer of a network, as it is described. In text, `dense(64)`; in JSON, `{"dense": {"units": 64}}`.
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
        Dense,
        /// Silences units at random while training.
        Dropout,
        /// Normalises every unit over the batch.
        BatchNorm,
        /// Normalises every row over its units.
        LayerNorm,
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
