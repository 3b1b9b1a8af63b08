//! Orthogonal matrices.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::Gain;
use downhill_core::Float;
use downhill_core::simd::vectorised;

/// Settings of [`Init::Orthogonal`](crate::Init::Orthogonal): a matrix that stretches nothing it does not
/// have to.
///
/// WᵀW = gain²·I, or WWᵀ if there are fewer rows than columns; any such matrix is as likely as any other.
///
/// Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
/// networks" (2014), as in PyTorch and Keras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orthogonal {
    /// The length of the columns or rows, above 0. Default 1.
    pub gain: Gain,
}

impl Orthogonal {
    /// Fills a matrix of so many columns.
    ///
    /// Normal vectors are made orthogonal one after the other, by the modified Gram-Schmidt process. That is
    /// the QR factorisation whose R has a positive diagonal, the one that favours no matrix (Mezzadri, "How
    /// to generate random matrices from the classical compact groups", 2007).
    pub(super) fn fill<F: Float>(self, weights: &mut [F], columns: usize, rng: &mut impl Rng) {
        let rows = weights.len() / columns.max(1);
        let (count, len) = (rows.min(columns), rows.max(columns));
        let mut vectors: Vec<f64> = (0..count * len).map(|_| rng.sample(StandardNormal)).collect();
        for i in 0..count {
            let (done, vector) = vectors.split_at_mut(i * len);
            let vector = &mut vector[..len];
            for other in done.chunks_exact(len) {
                let share = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
            let norm = dot(vector, vector).sqrt();
            vector.iter_mut().for_each(|x| *x /= norm);
        }
        let gain = self.gain.factor();
        for (i, weight) in weights.iter_mut().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let at = if rows < columns { i } else { column * len + row };
            *weight = F::of(gain * vectors[at]);
        }
    }
}

/// The inner product, in the same order whatever the processor.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 16;
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    vectorised(
        #[inline(always)]
        || {
            for (a, b) in a.zip(b) {
                for ((lane, x), y) in lanes.iter_mut().zip(a).zip(b) {
                    *lane += x * y;
                }
            }
        },
    );
    lanes.iter().sum::<f64>() + rest
}
