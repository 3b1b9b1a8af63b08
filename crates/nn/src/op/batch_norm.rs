//! Batch normalisation.

use super::normal::{Affine, Norm};
use super::rows::add_columns;
use super::{Backward, Forward, Layer, Mode, Operation, Planned, Reduction, Whole};
use crate::curvature::Tangent;
use crate::graph::Site;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// y = γ·(x − μ)/√(σ² + ε) + β, where μ and σ² (biased) are the mean and the variance of the unit over the
/// batch.
///
/// γ (`scale`) begins at 1, β (`shift`) at 0. In prediction, running statistics stand for those of the batch:
/// after every step, running ← (1 − momentum)·running + momentum·batch, with the unbiased variance, as in
/// PyTorch. `running-mean` begins at 0, `running-variance` at 1. All are `[units]`.
///
/// A batch of one row has no variance: it is normalised to 0, its gradient is 0, and the running variance
/// stays.
///
/// Ioffe & Szegedy, [Batch normalization: accelerating deep network training by reducing internal covariate
/// shift][paper], 2015.
///
/// [paper]: https://arxiv.org/abs/1502.03167
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNorm {
    /// The weight of the newest batch in the running statistics: more than 0, at most 1; 0.1 unless given.
    /// (Keras counts the other way: its 0.99 is 0.01 here.)
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

impl Layer for BatchNorm {
    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let width = site.input().len();
        let mean = site.statistic("running-mean", &[width], 0.0);
        let variance = site.statistic("running-variance", &[width], 1.0);
        let affine = Affine::plan(site)?;
        let Self { momentum, eps } = *self;
        let op = BatchNormOp { width, momentum, eps, affine, mean, variance };
        Ok((Arc::new(op), site.input().clone()))
    }
}

/// Batch normalisation, as it is run.
///
/// A part gives the means of its columns and, behind them, Σ(x − mean)². The whole has the same two as sums
/// in `f64`, and as values for the shards four numbers for each column: the mean, 1/√(σ² + ε), mean(dy) and
/// mean(dy·x̂).
#[derive(Clone, Debug)]
struct BatchNormOp {
    width: usize,
    momentum: f64,
    eps: f64,
    affine: Affine,
    /// The places of the running statistics.
    mean: Range<usize>,
    variance: Range<usize>,
}

impl BatchNormOp {
    /// The mean and Σ(x − mean)² of every column.
    fn moments<F: Float>(&self, x: &[F], means: &mut [F], squares: &mut [F]) {
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

    /// The mean and 1/√(σ² + ε) of every column.
    fn normal<'a, F: Float>(&self, whole: &'a Whole<F>) -> (&'a [F], &'a [F]) {
        whole.values[..2 * self.width].split_at(self.width)
    }

    /// y = γ·(x − running mean)/√(running variance + ε) + β.
    fn predict<F: Float>(&self, params: &[F], statistics: &[F], x: &[F], y: &mut [F]) {
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
}

impl<F: Float> Operation<F> for BatchNormOp {
    fn vectors(&self) -> Range<usize> {
        self.affine.both()
    }

    fn reduction(&self) -> Reduction {
        Reduction { part: 2 * self.width, sums: 2 * self.width, values: 4 * self.width }
    }

    fn measure(&self, inputs: &[&[F]], part: &mut [F]) {
        let (means, squares) = part.split_at_mut(self.width);
        self.moments(inputs[0], means, squares);
    }

    /// By the parallel algorithm of Chan, Golub & LeVeque.
    fn merge(
        &self,
        parts: &mut dyn Iterator<Item = (usize, &[F])>,
        whole: &mut Whole<F>,
        statistics: &mut [F],
    ) {
        let (means, sums) = whole.sums.split_at_mut(self.width);
        means.fill(0.0);
        sums.fill(0.0);
        whole.count = 0.0;
        for (rows, part) in parts {
            let (before, rows) = (whole.count, rows as f64);
            whole.count += rows;
            let (part_means, part_squares) = part.split_at(self.width);
            let columns = means.iter_mut().zip(&mut *sums).zip(part_means.iter().zip(part_squares));
            for ((mean, square), (&part_mean, &part_square)) in columns {
                let delta = part_mean.f64() - *mean;
                *mean += delta * (rows / whole.count);
                *square += part_square.f64() + delta * delta * (before * rows / whole.count);
            }
        }
        let (centers, factors) = whole.values.split_at_mut(self.width);
        for (i, (&mean, &squares)) in means.iter().zip(&*sums).enumerate() {
            centers[i] = F::of(mean);
            factors[i] = F::of(1.0 / (squares / whole.count + self.eps).sqrt());
            let running = &mut statistics[self.mean.start + i];
            *running = F::of((1.0 - self.momentum) * running.f64() + self.momentum * mean);
            if whole.count > 1.0 {
                let running = &mut statistics[self.variance.start + i];
                let unbiased = squares / (whole.count - 1.0);
                *running = F::of((1.0 - self.momentum) * running.f64() + self.momentum * unbiased);
            }
        }
    }

    /// y = γ·x̂ + β.
    fn forward(&self, Forward { params, inputs, y, mode, .. }: Forward<'_, F>) {
        let whole = match mode {
            Mode::Training { whole, .. } => whole,
            Mode::Evaluation { statistics } => return self.predict(params, statistics, inputs[0], y),
        };
        let (scale, shift) = self.affine.of(params);
        let (center, factor) = self.normal(whole);
        vectorised(
            #[inline(always)]
            || {
                for (x, y) in inputs[0].chunks_exact(self.width).zip(y.chunks_exact_mut(self.width)) {
                    normalise(center, factor, scale, shift, x, y);
                }
            },
        );
    }

    /// The gradients of γ and, behind it, β: Σ dy·x̂ and Σ dy.
    fn backward(&self, Backward { inputs, whole, dy, vectors, .. }: Backward<'_, F>) {
        let (d_scale, d_shift) = vectors.split_at_mut(self.width);
        d_scale.fill(F::zero());
        d_shift.fill(F::zero());
        let (center, factor) = self.normal(whole);
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in inputs[0].chunks_exact(self.width).zip(dy.chunks_exact(self.width)) {
                    add_sums(center, factor, x, dy, d_scale, d_shift);
                }
            },
        );
    }

    /// The means over the batch of dy and dy·x̂, from the parts' gradients of β and γ.
    fn merge_backward(&self, parts: &mut dyn Iterator<Item = &[F]>, whole: &mut Whole<F>) {
        let (shifts, scales) = whole.sums.split_at_mut(self.width);
        shifts.fill(0.0);
        scales.fill(0.0);
        for part in parts {
            let (d_scale, d_shift) = part.split_at(self.width);
            for (sum, &d) in shifts.iter_mut().zip(d_shift) {
                *sum += d.f64();
            }
            for (sum, &d) in scales.iter_mut().zip(d_scale) {
                *sum += d.f64();
            }
        }
        let (mean_dy, mean_dy_normal) = whole.values[2 * self.width..].split_at_mut(self.width);
        for i in 0..self.width {
            mean_dy[i] = F::of(shifts[i] / whole.count);
            mean_dy_normal[i] = F::of(scales[i] / whole.count);
        }
    }

    /// dx = γ/√(σ² + ε)·(dy − mean(dy) − x̂·mean(dy·x̂)), the means over the whole batch.
    fn backward_merged(&self, params: &[F], inputs: &[&[F]], whole: &Whole<F>, dy: &mut [F]) {
        let (scale, _) = self.affine.of(params);
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in inputs[0].chunks_exact(self.width).zip(dy.chunks_exact_mut(self.width)) {
                    project(&whole.values, scale, x, dy);
                }
            },
        );
    }

    fn retake_statistics(&self, inputs: &[&[F]], statistics: &mut [F]) {
        let (mut means, mut squares) = (vec![F::zero(); self.width], vec![F::zero(); self.width]);
        self.moments(inputs[0], &mut means, &mut squares);
        let rows = F::of((inputs[0].len() / self.width) as f64);
        statistics[self.mean.clone()].copy_from_slice(&means);
        for (variance, sum) in statistics[self.variance.clone()].iter_mut().zip(squares) {
            *variance = sum / rows;
        }
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(Norm::by_column(self.affine.clone(), self.width, self.eps))
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
fn project<F: Float>(values: &[F], scale: &[F], x: &[F], dy: &mut [F]) {
    let (normal, means) = values.split_at(values.len() / 2);
    let (center, factor) = normal.split_at(normal.len() / 2);
    let (mean_dy, mean_dy_normal) = means.split_at(means.len() / 2);
    let statistics = center.iter().zip(factor);
    let means = mean_dy.iter().zip(mean_dy_normal);
    let columns = statistics.zip(means).zip(scale);
    for ((dy, &x), (((&center, &factor), (&mean, &along)), &scale)) in dy.iter_mut().zip(x).zip(columns) {
        let normal = (x - center) * factor;
        *dy = scale * factor * (*dy - mean - normal * along);
    }
}
