//! Batch normalisation.

use super::{Affine, add_columns};
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// y = γ·(x − μ)/√(σ² + ε) + β, where μ and σ² (biased) are the mean and the variance of the unit over the batch.
///
/// γ (`scale`) begins at 1, β (`shift`) at 0. In prediction, running statistics stand for those of the batch: after
/// every step, running ← (1 − momentum)·running + momentum·batch, with the unbiased variance, as in PyTorch.
/// `running-mean` begins at 0, `running-variance` at 1. All are `[units]`.
///
/// A batch of one row has no variance: it is normalised to 0, its gradient is 0, and the running variance stays.
///
/// Ioffe & Szegedy, [Batch normalization: accelerating deep network training by reducing internal covariate
/// shift][paper], 2015.
///
/// [paper]: https://arxiv.org/abs/1502.03167
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNorm {
    /// The weight of the newest batch in the running statistics: more than 0, at most 1; 0.1 unless given. (Keras
    /// counts the other way: its 0.99 is 0.01 here.)
    pub momentum: f64,
    /// ε: keeps the root away from 0; 1e-5 unless given, more than 0.
    pub eps: f64,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { momentum: 0.1, eps: 1e-5 }
    }
}

impl BatchNorm {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        let in_range = |momentum| momentum > 0.0 && momentum <= 1.0;
        invalid::ensure("batch-norm", "momentum", self.momentum, in_range, "above 0 and at most 1")?;
        invalid::positive("batch-norm", "eps", self.eps)
    }
}

/// Batch normalisation, as it is run.
///
/// A batch is worked on in shards, but its moments are those of the whole: every shard gives its own
/// ([`moments`](Self::moments)), they are merged in the shards' order ([`BatchMoments::merge`]), and the shards go on
/// ([`forward`](Self::forward)). In the backward pass, the same with the two sums of
/// [`backward_sums`](Self::backward_sums).
#[derive(Clone, Debug)]
pub(crate) struct BatchNormOp {
    /// Which of the network's batch normalisations it is.
    pub index: usize,
    pub width: usize,
    pub momentum: f64,
    pub eps: f64,
    pub affine: Affine,
    /// The places of the running statistics.
    pub mean: Range<usize>,
    pub variance: Range<usize>,
}

/// The moments of one layer's batch, and the sums of its backward pass.
#[derive(Clone, Debug)]
pub(crate) struct BatchMoments<F> {
    count: f64,
    mean: Vec<f64>,
    /// Σ(x − mean)².
    squares: Vec<f64>,
    /// The mean, as the shards use it.
    center: Vec<F>,
    /// 1/√(σ² + ε).
    factor: Vec<F>,
    /// mean(dy) over the batch.
    mean_dy: Vec<F>,
    /// mean(dy·x̂) over the batch.
    mean_dy_normal: Vec<F>,
}

impl<F: Float> BatchMoments<F> {
    pub fn new(width: usize) -> Self {
        Self {
            count: 0.0,
            mean: vec![0.0; width],
            squares: vec![0.0; width],
            center: vec![F::zero(); width],
            factor: vec![F::zero(); width],
            mean_dy: vec![F::zero(); width],
            mean_dy_normal: vec![F::zero(); width],
        }
    }

    /// Before the first shard.
    pub fn clear(&mut self) {
        self.count = 0.0;
        self.mean.fill(0.0);
        self.squares.fill(0.0);
    }

    /// Adds the moments of a shard of so many rows, by the parallel algorithm of Chan, Golub & LeVeque.
    pub fn merge(&mut self, rows: usize, means: &[F], squares: &[F]) {
        let (before, rows) = (self.count, rows as f64);
        self.count += rows;
        let columns = self.mean.iter_mut().zip(&mut self.squares).zip(means.iter().zip(squares));
        for ((mean, square), (&shard_mean, &shard_square)) in columns {
            let delta = shard_mean.f64() - *mean;
            *mean += delta * (rows / self.count);
            *square += shard_square.f64() + delta * delta * (before * rows / self.count);
        }
    }

    /// Behind the last shard: what the shards need to go on, and the new running statistics.
    pub fn finish(&mut self, op: &BatchNormOp, statistics: &mut [F]) {
        for (i, (&mean, &squares)) in self.mean.iter().zip(&self.squares).enumerate() {
            self.center[i] = F::of(mean);
            self.factor[i] = F::of(1.0 / (squares / self.count + op.eps).sqrt());
            let running = &mut statistics[op.mean.start + i];
            *running = F::of((1.0 - op.momentum) * running.f64() + op.momentum * mean);
            if self.count > 1.0 {
                let running = &mut statistics[op.variance.start + i];
                let unbiased = squares / (self.count - 1.0);
                *running = F::of((1.0 - op.momentum) * running.f64() + op.momentum * unbiased);
            }
        }
    }

    /// The means over the batch of dy and dy·x̂, from the shards' gradients of β and γ, in the shards' order.
    pub fn merge_backward<'a>(&mut self, op: &BatchNormOp, gradients: impl Iterator<Item = &'a [F]>)
    where
        F: 'a,
    {
        self.mean.fill(0.0);
        self.squares.fill(0.0);
        for gradient in gradients {
            let (d_scale, d_shift) = gradient.split_at(op.width);
            for (sum, &d) in self.mean.iter_mut().zip(d_shift) {
                *sum += d.f64();
            }
            for (sum, &d) in self.squares.iter_mut().zip(d_scale) {
                *sum += d.f64();
            }
        }
        for i in 0..op.width {
            self.mean_dy[i] = F::of(self.mean[i] / self.count);
            self.mean_dy_normal[i] = F::of(self.squares[i] / self.count);
        }
    }
}

impl BatchNormOp {
    /// The mean and Σ(x − mean)² of every column of a shard.
    pub fn moments<F: Float>(&self, x: &[F], means: &mut [F], squares: &mut [F]) {
        means.fill(F::zero());
        squares.fill(F::zero());
        add_columns(x, means);
        let rows = F::of((x.len() / self.width) as f64);
        means.iter_mut().for_each(|mean| *mean /= rows);
        vectorised(
            #[inline(always)]
            || {
                for x in x.chunks_exact(self.width) {
                    add_squares(x, means, squares);
                }
            },
        );
    }

    /// y = γ·x̂ + β.
    pub fn forward<F: Float>(&self, params: &[F], moments: &BatchMoments<F>, x: &[F], y: &mut [F]) {
        let (scale, shift) = self.affine.of(params);
        vectorised(
            #[inline(always)]
            || {
                for (x, y) in x.chunks_exact(self.width).zip(y.chunks_exact_mut(self.width)) {
                    normalise(&moments.center, &moments.factor, scale, shift, x, y);
                }
            },
        );
    }

    /// y = γ·(x − running mean)/√(running variance + ε) + β.
    pub fn predict<F: Float>(&self, params: &[F], statistics: &[F], x: &[F], y: &mut [F]) {
        let (scale, shift) = self.affine.of(params);
        let mean = &statistics[self.mean.clone()];
        let variance = &statistics[self.variance.clone()];
        vectorised(
            #[inline(always)]
            || {
                for (x, y) in x.chunks_exact(self.width).zip(y.chunks_exact_mut(self.width)) {
                    normalise_running(F::of(self.eps), mean, variance, scale, shift, x, y);
                }
            },
        );
    }

    /// A shard's gradients of γ and, behind it, β: Σ dy·x̂ and Σ dy.
    pub fn backward_sums<F: Float>(&self, moments: &BatchMoments<F>, x: &[F], dy: &[F], gradient: &mut [F]) {
        let (d_scale, d_shift) = gradient.split_at_mut(self.width);
        d_scale.fill(F::zero());
        d_shift.fill(F::zero());
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in x.chunks_exact(self.width).zip(dy.chunks_exact(self.width)) {
                    add_sums(&moments.center, &moments.factor, x, dy, d_scale, d_shift);
                }
            },
        );
    }

    /// dy becomes dx in place: dx = γ/√(σ² + ε)·(dy − mean(dy) − x̂·mean(dy·x̂)), the means over the whole batch.
    pub fn backward<F: Float>(&self, params: &[F], moments: &BatchMoments<F>, x: &[F], dy: &mut [F]) {
        let (scale, _) = self.affine.of(params);
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in x.chunks_exact(self.width).zip(dy.chunks_exact_mut(self.width)) {
                    project(moments, scale, x, dy);
                }
            },
        );
    }
}

#[inline(always)]
fn add_squares<F: Float>(x: &[F], means: &[F], squares: &mut [F]) {
    for ((&x, &mean), square) in x.iter().zip(means).zip(squares) {
        *square += (x - mean) * (x - mean);
    }
}

#[inline(always)]
fn normalise<F: Float>(center: &[F], factor: &[F], scale: &[F], shift: &[F], x: &[F], y: &mut [F]) {
    let columns = center.iter().zip(factor).zip(scale.iter().zip(shift));
    for ((y, &x), ((&center, &factor), (&scale, &shift))) in y.iter_mut().zip(x).zip(columns) {
        *y = (x - center) * factor * scale + shift;
    }
}

#[inline(always)]
fn normalise_running<F: Float>(
    eps: F,
    mean: &[F],
    variance: &[F],
    scale: &[F],
    shift: &[F],
    x: &[F],
    y: &mut [F],
) {
    let columns = mean.iter().zip(variance).zip(scale.iter().zip(shift));
    for ((y, &x), ((&mean, &variance), (&scale, &shift))) in y.iter_mut().zip(x).zip(columns) {
        *y = (x - mean) / (variance + eps).sqrt() * scale + shift;
    }
}

#[inline(always)]
fn add_sums<F: Float>(center: &[F], factor: &[F], x: &[F], dy: &[F], d_scale: &mut [F], d_shift: &mut [F]) {
    let columns = center.iter().zip(factor).zip(d_scale.iter_mut().zip(d_shift));
    for ((&x, &dy), ((&center, &factor), (d_scale, d_shift))) in x.iter().zip(dy).zip(columns) {
        *d_scale += dy * ((x - center) * factor);
        *d_shift += dy;
    }
}

#[inline(always)]
fn project<F: Float>(moments: &BatchMoments<F>, scale: &[F], x: &[F], dy: &mut [F]) {
    let statistics = moments.center.iter().zip(&moments.factor);
    let means = moments.mean_dy.iter().zip(&moments.mean_dy_normal);
    let columns = statistics.zip(means).zip(scale);
    for ((dy, &x), (((&center, &factor), (&mean, &along)), &scale)) in dy.iter_mut().zip(x).zip(columns) {
        let normal = (x - center) * factor;
        *dy = scale * factor * (*dy - mean - normal * along);
    }
}
