//! Layer normalisation.

use super::{Affine, add};
use crate::sum::{dot, sum};
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};

/// y = γ·(x − μ)/√(σ² + ε) + β, where μ and σ² (biased) are the mean and the variance of the row.
///
/// γ (`scale`) begins at 1, β (`shift`) at 0, both `[units]`. Rows do not know of each other, and training and
/// prediction compute the same.
///
/// Ba, Kiros & Hinton, [Layer normalization][paper], 2016.
///
/// [paper]: https://arxiv.org/abs/1607.06450
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNorm {
    /// ε: keeps the root away from 0; 1e-5 unless given, more than 0.
    pub eps: f64,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { eps: 1e-5 }
    }
}

impl LayerNorm {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::positive("layer-norm", "eps", self.eps)
    }
}

/// Layer normalisation, as it is run.
#[derive(Clone, Debug)]
pub(crate) struct LayerNormOp {
    pub width: usize,
    pub eps: f64,
    pub affine: Affine,
}

impl LayerNormOp {
    /// What is kept for the backward pass, for each row: x̂ = (x − μ)/√(σ² + ε), and 1/√(σ² + ε) behind it.
    pub fn kept(&self) -> usize {
        self.width + 1
    }

    /// y = γ·x̂ + β. `kept` is empty if nothing is to be kept.
    pub fn forward<F: Float>(&self, params: &[F], x: &[F], y: &mut [F], kept: &mut [F]) {
        let (scale, shift) = self.affine.of(params);
        vectorised(
            #[inline(always)]
            || {
                let rows = x.chunks_exact(self.width).zip(y.chunks_exact_mut(self.width));
                for (i, (x, y)) in rows.enumerate() {
                    let factor = standardise(self.eps, x, y);
                    if !kept.is_empty() {
                        let kept = &mut kept[i * self.kept()..][..self.kept()];
                        kept[..self.width].copy_from_slice(y);
                        kept[self.width] = factor;
                    }
                    for ((y, &scale), &shift) in y.iter_mut().zip(scale).zip(shift) {
                        *y = *y * scale + shift;
                    }
                }
            },
        );
    }

    /// From dy, which becomes dx in place: the gradient of γ and, behind it, β.
    ///
    /// dx = (d − mean(d) − x̂·mean(d·x̂))/√(σ² + ε), where d = γ·dy and the means are over the row.
    pub fn backward<F: Float>(&self, params: &[F], kept: &[F], dy: &mut [F], gradient: &mut [F]) {
        let (scale, _) = self.affine.of(params);
        let (d_scale, d_shift) = gradient.split_at_mut(self.width);
        d_scale.fill(F::zero());
        d_shift.fill(F::zero());
        let n = F::of(self.width as f64);
        vectorised(
            #[inline(always)]
            || {
                for (kept, dy) in kept.chunks_exact(self.kept()).zip(dy.chunks_exact_mut(self.width)) {
                    let (normal, factor) = kept.split_at(self.width);
                    add(d_shift, dy);
                    add_product(d_scale, dy, normal);
                    multiply(dy, scale);
                    let mean = sum(dy) / n;
                    let along = dot(dy, normal) / n;
                    project(dy, normal, mean, along, factor[0]);
                }
            },
        );
    }
}

/// y = (x − mean)/√(variance + ε) of one row; returns 1/√(variance + ε).
#[inline(always)]
fn standardise<F: Float>(eps: f64, x: &[F], y: &mut [F]) -> F {
    let n = F::of(x.len() as f64);
    let mean = sum(x) / n;
    for (y, &x) in y.iter_mut().zip(x) {
        *y = x - mean;
    }
    let factor = F::one() / (dot(y, y) / n + F::of(eps)).sqrt();
    for y in y {
        *y *= factor;
    }
    factor
}

/// to += a·b.
#[inline(always)]
fn add_product<F: Float>(to: &mut [F], a: &[F], b: &[F]) {
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        *to += a * b;
    }
}

/// to = to·by.
#[inline(always)]
fn multiply<F: Float>(to: &mut [F], by: &[F]) {
    for (to, &by) in to.iter_mut().zip(by) {
        *to *= by;
    }
}

/// d = (d − mean − x̂·along)·factor.
#[inline(always)]
fn project<F: Float>(d: &mut [F], normal: &[F], mean: F, along: F, factor: F) {
    for (d, &normal) in d.iter_mut().zip(normal) {
        *d = (*d - mean - normal * along) * factor;
    }
}
