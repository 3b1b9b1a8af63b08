//! Dropout.

use downhill_core::random::{Purpose, stream};
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
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
        let mut begin = 0;
        while begin < x.len() {
            let end = x.len().min(begin + DRAWN - skip);
            rng.fill_bytes(&mut bytes);
            let (bits, _) = bytes[2 * skip..].as_chunks();
            silence(self.threshold, scale, bits, &x[begin..end], &mut y[begin..end], &mut mask[begin..end]);
            (begin, skip) = (end, 0);
        }
    }

    /// dx = dy·mask, in place.
    pub fn backward<F: Float>(&self, mask: &[F], gradient: &mut [F]) {
        vectorised(
            #[inline(always)]
            || {
                for (g, &mask) in gradient.iter_mut().zip(mask) {
                    *g *= mask;
                }
            },
        );
    }
}

/// Each value's mask by its random bits, and the values times their masks.
fn silence<F: Float>(threshold: u16, scale: F, bits: &[[u8; 2]], x: &[F], y: &mut [F], mask: &mut [F]) {
    vectorised(
        #[inline(always)]
        || {
            for (((y, &x), mask), &bits) in y.iter_mut().zip(x).zip(mask).zip(bits) {
                let silenced = u16::from_le_bytes(bits) < threshold;
                *mask = if silenced { F::zero() } else { scale };
                *y = x * *mask;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rate: f64, width: usize, draw: Draw, rows: usize) -> Vec<f64> {
        let ones = vec![1.0; rows * width];
        let (mut y, mut mask) = (ones.clone(), ones.clone());
        DropoutOp::new(Dropout { rate }, width, 3).forward(draw, &ones, &mut y, &mut mask);
        assert_eq!(y, mask);
        mask
    }

    #[test]
    fn a_row_is_silenced_alike_wherever_the_batch_is_cut() {
        for width in [1, 3, 8, 333, 1030] {
            let draw = |first_row| Draw { seed: 5, step: 9, first_row };
            let whole = mask(0.3, width, draw(0), 20);
            for cut in [1, 7, 10] {
                let mut parts = mask(0.3, width, draw(0), cut);
                parts.extend(mask(0.3, width, draw(cut), 20 - cut));
                assert!(parts == whole, "{width} units, cut at {cut}");
            }
        }
    }

    #[test]
    fn the_rate_is_kept_and_so_is_the_mean() {
        for rate in [0.0, 0.1, 0.5, 0.9] {
            let mask = mask(rate, 1000, Draw { seed: 1, step: 0, first_row: 0 }, 200);
            let silenced = mask.iter().filter(|&&m| m == 0.0).count() as f64 / mask.len() as f64;
            assert!((silenced - rate).abs() < 0.005, "{rate}: {silenced}");
            let mean = mask.iter().sum::<f64>() / mask.len() as f64;
            assert!((mean - 1.0).abs() < 0.02, "{rate}: {mean}");
        }
    }

    #[test]
    fn every_step_layer_and_seed_draws_anew() {
        let first = mask(0.5, 100, Draw { seed: 1, step: 0, first_row: 0 }, 1);
        assert_ne!(first, mask(0.5, 100, Draw { seed: 1, step: 1, first_row: 0 }, 1));
        assert_ne!(first, mask(0.5, 100, Draw { seed: 2, step: 0, first_row: 0 }, 1));
        assert_ne!(first, mask(0.5, 100, Draw { seed: 1, step: 0, first_row: 1 }, 1));
    }
}
