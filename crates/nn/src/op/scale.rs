//! Learnt factors.

use super::{Backward, Forward, Layer, Operation, Planned};
use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::Scratch;
use downhill_optim::Role;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// y = w·x, with a learnt factor w (`scale`, `[inputs]`) for each input.
///
/// In front of everything it learns which inputs count. At the end of a residual branch, with a small
/// `value`, it lets a deep network begin near the identity: Touvron et al.,
/// [Going deeper with image transformers][paper], 2021 (LayerScale).
///
/// [paper]: https://arxiv.org/abs/2103.17239
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scale {
    /// What every factor begins at; 1 unless given.
    pub value: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { value: 1.0 }
    }
}

impl Scale {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::ensure("scale", "value", self.value, |_| true, "finite")
    }
}

impl Layer for Scale {
    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let width = site.input().len();
        let factors = site.parameter("scale", &[width], Role::Scale, Initial::Constant(self.value))?;
        Ok((Arc::new(ScaleOp { factors }), site.input().clone()))
    }
}

/// Learnt factors, as they are run.
#[derive(Clone, Debug)]
struct ScaleOp {
    factors: Range<usize>,
}

impl<F: Float> Operation<F> for ScaleOp {
    fn vectors(&self) -> Range<usize> {
        self.factors.clone()
    }

    fn forward(&self, Forward { params, inputs, y, .. }: Forward<'_, F>) {
        let factors = &params[self.factors.clone()];
        let rows = inputs[0].chunks_exact(factors.len()).zip(y.chunks_exact_mut(factors.len()));
        vectorised(
            #[inline(always)]
            || {
                for (x, y) in rows {
                    for ((y, &x), &factor) in y.iter_mut().zip(x).zip(factors) {
                        *y = x * factor;
                    }
                }
            },
        );
    }

    /// dw = Σ dy·x over the rows, dx = dy·w.
    fn backward(&self, Backward { params, inputs, dy, vectors, .. }: Backward<'_, F>) {
        let factors = &params[self.factors.clone()];
        let rows = inputs[0].chunks_exact(factors.len()).zip(dy.chunks_exact_mut(factors.len()));
        vectors.fill(F::zero());
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in rows {
                    let columns = vectors.iter_mut().zip(factors);
                    for ((dy, &x), (sum, &factor)) in dy.iter_mut().zip(x).zip(columns) {
                        *sum += *dy * x;
                        *dy *= factor;
                    }
                }
            },
        );
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        let factors = self.factors.clone();
        Box::new(ScaleTangent { factors, x: Vec::new(), dy: Vec::new(), moved: Vec::new() })
    }
}

/// Learnt factors with their derivatives. All are rows × inputs.
#[derive(Debug)]
struct ScaleTangent {
    factors: Range<usize>,
    x: Vec<f64>,
    /// The gradient of y.
    dy: Vec<f64>,
    /// ∂x of the product under way; empty if x does not move.
    moved: Vec<f64>,
}

impl ScaleTangent {
    /// Values times the factor of their column, from among these parameters.
    fn times(&self, values: &[f64], params: &[f64]) -> Vec<f64> {
        let factors = params[self.factors.clone()].iter().cycle();
        values.iter().zip(factors).map(|(value, factor)| value * factor).collect()
    }

    /// Adds the sums over the rows of a·b to the gradient of w.
    fn add_gradient(&self, a: &[f64], b: &[f64], gradient: &mut [f64]) {
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            gradient[self.factors.start + i % self.factors.len()] += a * b;
        }
    }
}

impl Tangent for ScaleTangent {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        self.times(&self.x, params)
    }

    fn backward(
        &mut self,
        params: &[f64],
        dy: Vec<f64>,
        _: &[bool],
        gradient: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_gradient(&dy, &self.x, gradient);
        self.dy = dy;
        vec![self.times(&self.dy, params)]
    }

    /// ∂y = w·∂x + ∂w·x.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        _: &mut Scratch<f64>,
    ) -> Vec<f64> {
        self.moved = moved[0].to_vec();
        let mut along = self.times(&self.x, v);
        along.iter_mut().zip(self.times(&self.moved, params)).for_each(|(along, passed)| *along += passed);
        along
    }

    /// ∂dw = Σ (∂dy·x + dy·∂x), ∂dx = w·∂dy + ∂w·dy.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        moved_dy: Vec<f64>,
        _: &[bool],
        out: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_gradient(&moved_dy, &self.x, out);
        self.add_gradient(&self.dy, &self.moved, out);
        let mut dx = self.times(&moved_dy, params);
        dx.iter_mut().zip(self.times(&self.dy, v)).for_each(|(dx, turned)| *dx += turned);
        vec![dx]
    }
}
