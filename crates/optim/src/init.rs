//! Initial values of weights.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use crate::{Float, Invalid, invalid};

/// Where weights start from. n_in and n_out are the inputs and outputs of the layer.
///
/// ```
/// use downhill_optim::{Init, random};
///
/// let mut weights = vec![0.0f32; 100 * 50];
/// let mut rng = random::stream(7, random::Purpose::Init, 0);
/// Init::HeNormal.fill(&mut weights, 100, 50, &mut rng);
/// let variance = weights.iter().map(|w| w * w).sum::<f32>() / 5000.0;
/// assert!((variance - 2.0 / 100.0).abs() < 0.001);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "an initialiser")]
pub enum Init {
    /// What suits the activation that follows: Glorot for sigmoid and tanh, He for the ReLU family, LeCun for SELU.
    #[default]
    Auto,
    /// All zero; units that start alike stay alike, so this is for biases and last layers.
    Zeros,
    /// Normal with a given standard deviation.
    Normal(Normal),
    /// Uniform in ± a given limit.
    Uniform(Uniform),
    /// Uniform in ±√(6 / (n_in + n_out)). Glorot and Bengio, "Understanding the difficulty of training deep
    /// feedforward neural networks" (2010).
    #[serde(alias = "xavier", alias = "xavier-uniform", alias = "glorot")]
    GlorotUniform,
    /// Normal with standard deviation √(2 / (n_in + n_out)), of the same paper.
    #[serde(alias = "xavier-normal")]
    GlorotNormal,
    /// Uniform in ±√(6 / n_in). He et al., "Delving Deep into Rectifiers" (2015).
    #[serde(alias = "kaiming-uniform")]
    HeUniform,
    /// Normal with standard deviation √(2 / n_in), of the same paper.
    #[serde(alias = "he", alias = "kaiming", alias = "kaiming-normal")]
    HeNormal,
    /// Uniform in ±√(3 / n_in). LeCun et al., "Efficient BackProp" (1998).
    LecunUniform,
    /// Normal with standard deviation √(1 / n_in), of the same paper.
    #[serde(alias = "lecun")]
    LecunNormal,
}

/// Settings of [`Init::Normal`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Normal {
    /// The standard deviation, above 0. Default 0.05.
    pub std: f64,
}

/// Settings of [`Init::Uniform`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Uniform {
    /// The largest absolute value, above 0. Default 0.05.
    pub limit: f64,
}

impl Default for Normal {
    fn default() -> Self {
        Self { std: 0.05 }
    }
}

impl Default for Uniform {
    fn default() -> Self {
        Self { limit: 0.05 }
    }
}

/// A distribution around zero.
enum Spread {
    Zero,
    Normal(f64),
    Uniform(f64),
}

impl Init {
    /// Fills `weights`, the matrix of a layer with `fan_in` inputs and `fan_out` outputs.
    ///
    /// [`Init::Auto`] knows no activation here and takes He normal.
    pub fn fill<F: Float>(self, weights: &mut [F], fan_in: usize, fan_out: usize, rng: &mut impl Rng) {
        match self.spread(fan_in as f64, fan_out as f64) {
            Spread::Zero => weights.fill(F::zero()),
            Spread::Normal(std) => weights.fill_with(|| F::of(std * rng.sample::<f64, _>(StandardNormal))),
            Spread::Uniform(limit) => weights.fill_with(|| F::of(limit * (2.0 * rng.random::<f64>() - 1.0))),
        }
    }

    fn spread(self, n_in: f64, n_out: f64) -> Spread {
        match self {
            Self::Zeros => Spread::Zero,
            Self::Normal(Normal { std }) => Spread::Normal(std),
            Self::Uniform(Uniform { limit }) => Spread::Uniform(limit),
            Self::GlorotUniform => Spread::Uniform((6.0 / (n_in + n_out)).sqrt()),
            Self::GlorotNormal => Spread::Normal((2.0 / (n_in + n_out)).sqrt()),
            Self::HeUniform => Spread::Uniform((6.0 / n_in).sqrt()),
            Self::Auto | Self::HeNormal => Spread::Normal((2.0 / n_in).sqrt()),
            Self::LecunUniform => Spread::Uniform((3.0 / n_in).sqrt()),
            Self::LecunNormal => Spread::Normal((1.0 / n_in).sqrt()),
        }
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Normal(normal) => invalid::positive("normal", "std", normal.std),
            Self::Uniform(uniform) => invalid::positive("uniform", "limit", uniform.limit),
            _ => Ok(()),
        }
    }
}
crate::spec::spelled!(Init, "an initialiser");
