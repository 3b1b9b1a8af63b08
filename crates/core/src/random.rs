//! Randomness as a function: of the seed, of what it is for, and of when.
//!
//! Nothing here keeps state between calls, so nothing has to be saved to resume a run, and nothing depends on
//! the order in which threads come to it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for. Different purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Which rows are held out.
    Split,
    /// Initial values; the index is that of the tensor.
    Init,
    /// The order of the rows; the index is the epoch.
    Shuffle,
    /// Which units a dropout layer silences; the index is the step.
    Dropout {
        /// The position of the layer in the network.
        layer: u32,
    },
    /// What is added to the gradients of a surface; the index is the step.
    Noise,
    /// Rows and gradients made up to look at a network with.
    Probe,
    /// What a search tries; the index is the number of the trial.
    Suggest,
    /// The seeds of networks whose predictions are averaged; the index is that of the network.
    Member,
}

impl Purpose {
    fn code(self) -> u64 {
        match self {
            Self::Split => 1,
            Self::Init => 2,
            Self::Shuffle => 3,
            Self::Dropout { layer } => 4 | u64::from(layer) << 32,
            Self::Noise => 5,
            Self::Probe => 6,
            Self::Suggest => 7,
            Self::Member => 8,
        }
    }
}

/// A seed for something with random numbers of its own: 32 bits, which are easy to write down.
pub fn derived_seed(seed: u64, purpose: Purpose, index: u64) -> u64 {
    stream(seed, purpose, index).next_u32().into()
}

/// The random numbers for one purpose at one moment: ChaCha with 8 rounds, keyed by all three arguments.
///
/// The generator can be moved to any position (`set_word_pos`), so that parts of one stream can be drawn on
/// several threads.
///
/// ```
/// use downhill_core::random::{Purpose, stream};
/// use rand::RngExt;
///
/// let draw = |epoch| stream(7, Purpose::Shuffle, epoch).random::<u32>();
/// assert_eq!(draw(3), draw(3));
/// assert_ne!(draw(3), draw(4));
/// ```
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[0..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&purpose.code().to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}
