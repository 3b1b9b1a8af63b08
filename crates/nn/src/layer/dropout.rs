//! Dropout.

use downhill_optim::random::{Purpose, stream};
use downhill_optim::{Float, Invalid, invalid};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Inverted dropout: while training, every value is set to 0 with probability `rate`, and the others are divided by
/// the probability of being kept, so that the expectation stays the same. In prediction it does nothing.
///
/// The probability is rounded to a multiple of 2⁻¹⁶, and the division is by the rounded one.
///
/// Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, [Dropout: a simple way to prevent neural networks from
/// overfitting][paper], 2014.
///
/// [paper]: https://jmlr.org/papers/v15/srivastava14a.html
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dropout {
    /// The probability of being silenced: at least 0, less than 1; 0.5 unless given.
    pub rate: f64,
}

impl Default for Dropout {
    fn default() -> Self {
        Self { rate: 0.5 }
    }
}

impl Dropout {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("dropout", "rate", self.rate)
    }
}

/// Where a layer's random numbers come from in this step.
#[derive(Clone, Copy)]
pub(crate) struct Draw {
    pub seed: u64,
    pub step: u64,
    /// The place in the batch of the first row at hand, so that a row's numbers do not depend on how the batch is cut.
    pub first_row: usize,
}

/// Dropout, as it is run.
#[derive(Clone, Debug)]
pub(crate) struct DropoutOp {
    width: usize,
    layer: u32,
    /// Values whose 16 random bits are below this are silenced.
    threshold: u16,
}

/// How many values are drawn at once.
const DRAWN: usize = 512;

impl DropoutOp {
    pub fn new(dropout: Dropout, width: usize, layer: usize) -> Self {
        let threshold = (dropout.rate * 65536.0).round().min(65535.0) as u16;
        Self { width, layer: layer as u32, threshold }
    }

    /// y = x·mask, where the mask is 0 or 1/(1 − rate).
    pub fn forward<F: Float>(&self, draw: Draw, x: &[F], y: &mut [F], mask: &mut [F]) {
        let scale = F::of(65536.0 / (65536.0 - f64::from(self.threshold)));
        let mut rng = stream(draw.seed, Purpose::Dropout { layer: self.layer }, draw.step);
        // Two values share a word of the stream; a shard may begin at the second of them.
        let first = draw.first_row as u128 * self.width as u128;
        rng.set_word_pos(first / 2);
        let mut bytes = [0; 2 * DRAWN];
        let mut skip = (first % 2) as usize;
        let mut rest = &mut mask[..x.len()];
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(rest.len().min(DRAWN - skip));
            rng.fill_bytes(&mut bytes);
            for (mask, bits) in now.iter_mut().zip(bytes[2 * skip..].chunks_exact(2)) {
                let silenced = u16::from_le_bytes([bits[0], bits[1]]) < self.threshold;
                *mask = if silenced { F::zero() } else { scale };
            }
            rest = later;
            skip = 0;
        }
        for ((y, &x), &mask) in y.iter_mut().zip(x).zip(mask.iter()) {
            *y = x * mask;
        }
    }

    /// dx = dy·mask, in place.
    pub fn backward<F: Float>(&self, mask: &[F], gradient: &mut [F]) {
        for (g, &mask) in gradient.iter_mut().zip(mask) {
            *g *= mask;
        }
    }
}
