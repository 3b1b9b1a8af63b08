//! Layer normalisation.

use super::normal::{Affine, Norm};
use super::{Backward, Forward, Layer, Operation, Planned, add};
use crate::curvature::Tangent;
use crate::graph::Site;
use crate::sum::{dot, sum};
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// y = γ·(x − μ)/√(σ² + ε) + β, where μ and σ² (biased) are the mean and the variance of the row.
///
/// γ (`scale`) begins at 1, β (`shift`) at 0, both `[units]`. Rows do not know of each other, and training
/// and prediction compute the same.
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

impl Layer for LayerNorm {
    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let affine = Affine::plan(site)?;
        Ok((Arc::new(LayerNormOp { width: site.input().len(), eps: self.eps, affine }), site.input().clone()))
    }
}

/// Layer normalisation, as it is run.
#[derive(Clone, Debug)]
struct LayerNormOp {
    width: usize,
    eps: f64,
    affine: Affine,
}

impl<F: Float> Operation<F> for LayerNormOp {
    /// x̂ = (x − μ)/√(σ² + ε), and 1/√(σ² + ε) behind it.
    fn kept(&self) -> usize {
        self.width + 1
    }

    fn vectors(&self) -> Range<usize> {
        self.affine.both()
    }

    /// y = γ·x̂ + β.
    fn forward(&self, Forward { params, inputs, y, kept, .. }: Forward<'_, F>) {
        let rows_kept = self.width + 1;
        let (scale, shift) = self.affine.of(params);
        vectorised(
            #[inline(always)]
            || {
                let rows = inputs[0].chunks_exact(self.width).zip(y.chunks_exact_mut(self.width));
                for (i, (x, y)) in rows.enumerate() {
                    let factor = standardise(self.eps, x, y);
                    if !kept.is_empty() {
                        let kept = &mut kept[i * rows_kept..][..rows_kept];
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

    /// The gradient of γ and, behind it, β.
    ///
    /// dx = (d − mean(d) − x̂·mean(d·x̂))/√(σ² + ε), where d = γ·dy and the means are over the row.
    fn backward(&self, Backward { params, kept, dy, vectors, .. }: Backward<'_, F>) {
        let (scale, _) = self.affine.of(params);
        let (d_scale, d_shift) = vectors.split_at_mut(self.width);
        d_scale.fill(F::zero());
        d_shift.fill(F::zero());
        let n = F::of(self.width as f64);
        vectorised(
            #[inline(always)]
            || {
                for (kept, dy) in kept.chunks_exact(self.width + 1).zip(dy.chunks_exact_mut(self.width)) {
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

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(Norm::by_row(self.affine.clone(), self.width, self.eps))
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
