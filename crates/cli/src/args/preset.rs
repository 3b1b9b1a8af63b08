//! Settings that go together, by how much time they take.

use clap::ValueEnum;
use downhill::nn::{Auto, Numbers, Plain};
use downhill::train::{Config, Network};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// One network without members, that takes numbers as they are.
    Fast,
    /// One network, with members and numbers in the way that suits the table.
    Default,
    /// The same, and `train` averages several of it.
    Best,
}

impl Preset {
    /// Sets what the preset is about; a network that is a list of layers says so itself.
    pub fn apply(self, config: &mut Config) {
        if let Network::Mlp(mlp) = &mut config.network {
            (mlp.numbers, mlp.ensemble) = match self {
                Self::Fast => (Numbers::Plain(Plain {}), Some(1)),
                Self::Default | Self::Best => (Numbers::Auto(Auto {}), None),
            };
        }
    }

    /// How many networks `train` averages.
    pub fn members(self) -> usize {
        match self {
            Self::Fast | Self::Default => 1,
            Self::Best => 8,
        }
    }
}
