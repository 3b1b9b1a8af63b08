//! Initial values of weights.

mod gain;
mod lsuv;
mod orthogonal;

pub use gain::Gain;
pub use lsuv::Lsuv;
pub use orthogonal::Orthogonal;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use downhill_core::{Float, Invalid, invalid};

/// Where weights start from. n_in and n_out are the inputs and outputs of the layer.
///
/// ```
/// use downhill_core::random;
/// use downhill_optim::Init;
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
    /// What suits the activation that follows: Glorot for sigmoid and tanh, He for the ReLU family, LeCun for
    /// SELU.
    #[default]
    Auto,
    /// All zero; units that start alike stay alike, so this is for biases and last layers.
    Zeros,
    /// All one.
    Ones,
    /// All the same; in flags and files the bare number means this.
    Constant(Fill),
    /// Normal with a given standard deviation.
    Normal(Normal),
    /// Normal, drawn anew where it would be beyond two standard deviations of zero.
    TruncatedNormal(TruncatedNormal),
    /// Uniform in ± a given limit.
    Uniform(Uniform),
    /// Uniform in ± gain·√(6 / (n_in + n_out)). Glorot and Bengio, "Understanding the difficulty of training
    /// deep feedforward neural networks" (2010).
    #[serde(alias = "xavier", alias = "xavier-uniform", alias = "glorot")]
    GlorotUniform(Glorot),
    /// Normal with standard deviation gain·√(2 / (n_in + n_out)), of the same paper.
    #[serde(alias = "xavier-normal")]
    GlorotNormal(Glorot),
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
    /// A random matrix whose columns, or rows if these are fewer, are orthogonal and of one length.
    Orthogonal(Orthogonal),
    /// One where input and output have the same number, zero elsewhere.
    Identity,
    /// Normal, with most of each unit's inputs cut off.
    Sparse(Sparse),
    /// Orthogonal, then scaled until the layer's outputs on some rows of data have variance 1.
    Lsuv(Lsuv),
}

/// Settings of [`Init::GlorotUniform`] and [`Init::GlorotNormal`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Glorot {
    /// What the papers' limit or standard deviation is multiplied by, above 0. Default 1.
    pub gain: Gain,
}

/// Settings of [`Init::Constant`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The value of every weight.
    pub value: f64,
}

/// Settings of [`Init::Normal`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Normal {
    /// The standard deviation, above 0. Default 0.05.
    pub std: f64,
}

/// Settings of [`Init::TruncatedNormal`].
///
/// As in Keras. What is left of the normal distribution has a standard deviation of 0.88 of the given one.
/// PyTorch cuts at ±2 unless told otherwise, which is the same for `std=1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TruncatedNormal {
    /// The standard deviation before the cut, above 0. Default 0.05.
    pub std: f64,
}

/// Settings of [`Init::Sparse`].
///
/// Martens, "Deep learning via Hessian-free optimization" (2010): every unit has the same number of inputs.
/// PyTorch, whose matrices lie the other way round, gives every input the same number of units instead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sparse {
    /// The share of each unit's weights that are zero, rounded up to whole ones, in [0, 1).
    pub sparsity: f64,
    /// The standard deviation of the others, above 0. Default 0.01, as in PyTorch; the paper has 1.
    #[serde(default = "sparse_std")]
    pub std: f64,
}

fn sparse_std() -> f64 {
    0.01
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

impl Default for TruncatedNormal {
    fn default() -> Self {
        Self { std: 0.05 }
    }
}

impl Default for Uniform {
    fn default() -> Self {
        Self { limit: 0.05 }
    }
}

/// What a matrix is filled with.
enum Spread {
    Constant(f64),
    Normal(f64),
    TruncatedNormal(f64),
    Uniform(f64),
    Orthogonal(Orthogonal),
    Identity,
    Sparse(Sparse),
}

impl Init {
    /// Fills `weights`, the matrix of a layer with `fan_in` inputs and `fan_out` outputs.
    ///
    /// [`Init::Auto`] knows no activation here and takes He normal.
    ///
    /// # Panics
    ///
    /// If `orthogonal`, `lsuv`, `identity` or `sparse` is to fill what is no matrix of `fan_in` rows.
    pub fn fill<F: Float>(self, weights: &mut [F], fan_in: usize, fan_out: usize, rng: &mut impl Rng) {
        let mut normal = |std: f64| std * rng.sample::<f64, _>(StandardNormal);
        match self.spread(fan_in as f64, fan_out as f64) {
            Spread::Constant(value) => weights.fill(F::of(value)),
            Spread::Normal(std) => weights.fill_with(|| F::of(normal(std))),
            Spread::TruncatedNormal(std) => weights.fill_with(|| {
                let mut drawn = std::iter::repeat_with(|| normal(std));
                F::of(drawn.find(|x| x.abs() <= 2.0 * std).expect("there is no end to them"))
            }),
            Spread::Uniform(limit) => weights.fill_with(|| F::of(limit * (2.0 * rng.random::<f64>() - 1.0))),
            Spread::Orthogonal(orthogonal) => orthogonal.fill(weights, columns(weights, fan_in), rng),
            Spread::Identity => {
                let columns = columns(weights, fan_in);
                let one = |i: usize| i / columns == i % columns;
                let values = (0..).map(|i| if one(i) { F::one() } else { F::zero() });
                weights.iter_mut().zip(values).for_each(|(weight, value)| *weight = value);
            }
            Spread::Sparse(sparse) => sparse.fill(weights, columns(weights, fan_in), rng),
        }
    }

    fn spread(self, n_in: f64, n_out: f64) -> Spread {
        match self {
            Self::Zeros => Spread::Constant(0.0),
            Self::Ones => Spread::Constant(1.0),
            Self::Constant(Fill { value }) => Spread::Constant(value),
            Self::Normal(Normal { std }) => Spread::Normal(std),
            Self::TruncatedNormal(TruncatedNormal { std }) => Spread::TruncatedNormal(std),
            Self::Uniform(Uniform { limit }) => Spread::Uniform(limit),
            Self::GlorotUniform(Glorot { gain }) => {
                Spread::Uniform(gain.factor() * (6.0 / (n_in + n_out)).sqrt())
            }
            Self::GlorotNormal(Glorot { gain }) => {
                Spread::Normal(gain.factor() * (2.0 / (n_in + n_out)).sqrt())
            }
            Self::HeUniform => Spread::Uniform((6.0 / n_in).sqrt()),
            Self::Auto | Self::HeNormal => Spread::Normal((2.0 / n_in).sqrt()),
            Self::LecunUniform => Spread::Uniform((3.0 / n_in).sqrt()),
            Self::LecunNormal => Spread::Normal((1.0 / n_in).sqrt()),
            Self::Orthogonal(orthogonal) => Spread::Orthogonal(orthogonal),
            Self::Identity => Spread::Identity,
            Self::Sparse(sparse) => Spread::Sparse(sparse),
            Self::Lsuv(_) => Spread::Orthogonal(Orthogonal::default()),
        }
    }

    /// The same with [`Gain::Auto`] replaced by the gain that is right before the activation that follows.
    pub fn with_gain(self, of_activation: f64) -> Self {
        let resolved = |gain| if gain == Gain::Auto { Gain::Of(of_activation) } else { gain };
        match self {
            Self::GlorotUniform(Glorot { gain }) => Self::GlorotUniform(Glorot { gain: resolved(gain) }),
            Self::GlorotNormal(Glorot { gain }) => Self::GlorotNormal(Glorot { gain: resolved(gain) }),
            Self::Orthogonal(Orthogonal { gain }) => Self::Orthogonal(Orthogonal { gain: resolved(gain) }),
            other => other,
        }
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Constant(fill) => invalid::ensure("constant", "value", fill.value, |_| true, "finite"),
            Self::Normal(normal) => invalid::positive("normal", "std", normal.std),
            Self::TruncatedNormal(normal) => invalid::positive("truncated-normal", "std", normal.std),
            Self::Uniform(uniform) => invalid::positive("uniform", "limit", uniform.limit),
            Self::GlorotUniform(glorot) => glorot.gain.check("glorot-uniform"),
            Self::GlorotNormal(glorot) => glorot.gain.check("glorot-normal"),
            Self::Orthogonal(orthogonal) => orthogonal.gain.check("orthogonal"),
            Self::Sparse(sparse) => {
                invalid::fraction("sparse", "sparsity", sparse.sparsity)?;
                invalid::positive("sparse", "std", sparse.std)
            }
            Self::Lsuv(lsuv) => lsuv.check(),
            _ => Ok(()),
        }
    }
}

/// How many columns a matrix of so many rows has.
fn columns<F>(weights: &[F], rows: usize) -> usize {
    let columns = weights.len() / rows.max(1);
    assert_eq!(rows * columns, weights.len(), "a matrix of {rows} rows");
    columns
}

impl Sparse {
    fn fill<F: Float>(self, weights: &mut [F], columns: usize, rng: &mut impl Rng) {
        let rows = weights.len() / columns.max(1);
        // A hair more than a whole number is one: 0.07·100 is 7.000000000000001.
        let zeros = (self.sparsity * rows as f64 - 1e-9).ceil() as usize;
        for column in 0..columns {
            let mut zeros = zeros;
            for row in 0..rows {
                // Of the weights that are left, each is as likely to be one of the zeros that are left.
                let cut = rng.random_range(0..rows - row) < zeros;
                zeros -= usize::from(cut);
                let value = if cut { 0.0 } else { self.std * rng.sample::<f64, _>(StandardNormal) };
                weights[row * columns + column] = F::of(value);
            }
        }
    }
}

downhill_core::spec::spelled!(Init, "an initialiser");
