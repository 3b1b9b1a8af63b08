//! The multilayer perceptron, described in one line.

use crate::op::check_members;
use crate::{
    Activation, Average, BatchNorm, Dense, Dropout, Ensemble, Heads, LayerSpec, Members, Numbers, Outputs,
    Relu,
};
use downhill_core::Invalid;
use downhill_optim::Init;
use serde::{Deserialize, Serialize};

/// Hidden layers all alike: for every size, dense, batch normalisation (if asked for), the activation,
/// dropout (if its rate is not 0). The [head](Self::head), with as many units as the task has outputs, is for
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
    /// How many networks it is that share the weights of their hidden layers and whose predictions are
    /// averaged, from 1 to 1024: see [`Members`]. 1, which is no ensemble, unless given; `None`, `auto` in
    /// files, is for whoever knows the data to choose, and taken for 1 here.
    #[serde(default = "one", skip_serializing_if = "is_one", with = "or_auto")]
    pub ensemble: Option<usize>,
}

fn one() -> Option<usize> {
    Some(1)
}

fn is_one(members: &Option<usize>) -> bool {
    *members == Some(1)
}

/// A number of members, or `auto`.
mod or_auto {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use std::fmt;

    pub(super) fn serialize<S: Serializer>(
        members: &Option<usize>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match members {
            Some(members) => serializer.serialize_u64(*members as u64),
            None => serializer.serialize_str("auto"),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_any(OrAuto)
    }

    struct OrAuto;

    impl Visitor<'_> for OrAuto {
        type Value = Option<usize>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number of members, or `auto`")
        }

        fn visit_u64<E: Error>(self, members: u64) -> Result<Self::Value, E> {
            usize::try_from(members).map(Some).map_err(E::custom)
        }

        fn visit_i64<E: Error>(self, members: i64) -> Result<Self::Value, E> {
            usize::try_from(members)
                .map(Some)
                .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(members), &self))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            match text {
                "auto" => Ok(None),
                other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
            }
        }
    }
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
            ensemble: one(),
        }
    }
}

impl Mlp {
    /// The layers, without the head, and without what stands in front of them by [`numbers`](Self::numbers):
    /// that takes data to make, [`Numbers::layer`].
    pub fn layers(&self) -> Vec<LayerSpec> {
        let mut layers = Vec::new();
        if self.members() > 1 {
            layers.push(Members { count: self.members() }.into());
        }
        for &units in &self.hidden {
            layers.push(match self.members() {
                1 => Dense { units, init: self.init, bias: !self.batch_norm }.into(),
                _ => Ensemble { units, init: self.init }.into(),
            });
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

    /// The layers behind them: a dense layer whose weights begin at 0, and, of an ensemble, one for each member
    /// and the average of what they predict.
    pub fn head(&self, units: usize, of: Outputs) -> Vec<LayerSpec> {
        match self.members() {
            // The first guess is that nothing is known, not something random to be unlearned.
            1 => vec![Dense { init: Init::Zeros, ..Dense::new(units) }.into()],
            _ => vec![Heads { units, std: 0.0 }.into(), Average { of }.into()],
        }
    }

    fn members(&self) -> usize {
        self.ensemble.unwrap_or(1)
    }

    /// Whether the number of members is in its range.
    pub fn check_ensemble(&self) -> Result<(), Invalid> {
        check_members(self.members())
    }
}
