//! Dense layers of each member's own.

use super::members::members;
use super::rows::{add, add_scaled, dot};
use super::{Backward, Flow, Forward, Layer, Operation, Planned, Weight};
use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use crate::shape::Shape;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::Scratch;
use downhill_optim::{Init, Normal, Role};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// yᵢ = Wᵢ·xᵢ + bᵢ for every member i: a dense layer for each member of an ensemble.
///
/// W is `[members, units, inputs]` (`weight`), b is `[members, units]` (`bias`) and begins at 0. It stands
/// behind [`members`](crate::Members), as the last layer in front of an [`average`](crate::Average): where
/// there are few outputs, weights of each member's own cost little.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    /// The number of outputs of a member, at least 1.
    pub units: usize,
    /// The standard deviation of the weights at the beginning, at least 0; 0 unless given, so that the first
    /// guess is that nothing is known.
    #[serde(default)]
    pub std: f64,
}

impl Heads {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::ensure("heads", "units", self.units as f64, |units| units >= 1.0, "at least 1")?;
        invalid::not_negative("heads", "std", self.std)
    }
}

impl Layer for Heads {
    fn units(&self) -> usize {
        self.units
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let ([members, inputs], outputs) = (members(site)?, self.units);
        let init = match self.std {
            0.0 => Initial::Constant(0.0),
            std => Initial::Random(Init::Normal(Normal { std }), inputs, outputs),
        };
        let weight = site.parameter("weight", &[members, outputs, inputs], Role::Weight, init)?;
        let own = [members, outputs];
        let bias = site.parameter("bias", &own, Role::Bias, Initial::Constant(0.0))?;
        Ok((Arc::new(HeadsOp { inputs, outputs, members, weight, bias }), Shape::from(own)))
    }
}

/// A dense layer for each member, as it is run.
#[derive(Clone, Debug)]
struct HeadsOp {
    /// Of a member.
    inputs: usize,
    /// Of a member.
    outputs: usize,
    members: usize,
    weight: Range<usize>,
    bias: Range<usize>,
}

impl HeadsOp {
    /// Of each row, the members' inputs and their outputs.
    fn rows<'a, F>(&self, x: &'a [F], y: &'a [F]) -> impl Iterator<Item = (&'a [F], &'a [F])> {
        x.chunks_exact(self.members * self.inputs).zip(y.chunks_exact(self.members * self.outputs))
    }

    /// y += W·x.
    fn add_product<F: Float>(&self, x: &[F], weight: &[F], y: &mut [F]) {
        let rows =
            x.chunks_exact(self.members * self.inputs).zip(y.chunks_exact_mut(self.members * self.outputs));
        vectorised(
            #[inline(always)]
            || {
                for (x, y) in rows {
                    for (at, (y, weight)) in y.iter_mut().zip(weight.chunks_exact(self.inputs)).enumerate() {
                        *y += dot(weight, &x[at / self.outputs * self.inputs..][..self.inputs]);
                    }
                }
            },
        );
    }

    /// dx += Wᵀ·dy.
    fn add_turned<F: Float>(&self, dy: &[F], weight: &[F], dx: &mut [F]) {
        let rows =
            dx.chunks_exact_mut(self.members * self.inputs).zip(dy.chunks_exact(self.members * self.outputs));
        vectorised(
            #[inline(always)]
            || {
                for (dx, dy) in rows {
                    for (at, (&dy, weight)) in dy.iter().zip(weight.chunks_exact(self.inputs)).enumerate() {
                        let dx = &mut dx[at / self.outputs * self.inputs..][..self.inputs];
                        add_scaled(dx, dy, weight);
                    }
                }
            },
        );
    }

    /// Adds dy·xᵀ to some rows of the gradient of the weights, of which each output of each member has one.
    fn add_gradient<F: Float>(&self, rows: Range<usize>, x: &[F], dy: &[F], gradient: &mut [F]) {
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in self.rows(x, dy) {
                    for (at, gradient) in rows.clone().zip(gradient.chunks_exact_mut(self.inputs)) {
                        add_scaled(gradient, dy[at], &x[at / self.outputs * self.inputs..][..self.inputs]);
                    }
                }
            },
        );
    }

    /// Adds the sums of the columns of dy to the gradient of b.
    fn add_bias_gradient<F: Float>(&self, dy: &[F], sums: &mut [F]) {
        dy.chunks_exact(self.members * self.outputs).for_each(|dy| add(sums, dy));
    }
}

impl<F: Float> Operation<F> for HeadsOp {
    fn vectors(&self) -> Range<usize> {
        self.bias.clone()
    }

    fn weight(&self) -> Option<Weight> {
        Some(Weight { range: self.weight.clone(), columns: self.inputs })
    }

    fn flow(&self) -> Flow {
        Flow::Apart
    }

    fn forward(&self, Forward { params, inputs, y, .. }: Forward<'_, F>) {
        let bias = &params[self.bias.clone()];
        y.chunks_exact_mut(bias.len()).for_each(|y| y.copy_from_slice(bias));
        self.add_product(inputs[0], &params[self.weight.clone()], y);
    }

    fn backward(&self, Backward { dy, vectors, .. }: Backward<'_, F>) {
        vectors.fill(F::zero());
        self.add_bias_gradient(dy, vectors);
    }

    fn input_gradient(&self, _: usize, params: &[F], dy: &[F], dx: &mut [F], _: &mut Scratch<F>) {
        dx.fill(F::zero());
        self.add_turned(dy, &params[self.weight.clone()], dx);
    }

    fn weight_gradient(
        &self,
        rows: Range<usize>,
        x: &[F],
        dy: &[F],
        gradient: &mut [F],
        adding: bool,
        _: &mut Scratch<F>,
    ) {
        if !adding {
            gradient.fill(F::zero());
        }
        self.add_gradient(rows, x, dy, gradient);
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(HeadsTangent { op: self.clone(), x: Vec::new(), dy: Vec::new(), moved: Vec::new() })
    }
}

/// A dense layer for each member with its derivatives.
#[derive(Debug)]
struct HeadsTangent {
    op: HeadsOp,
    x: Vec<f64>,
    /// The gradient of y.
    dy: Vec<f64>,
    /// ∂x of the product under way; empty if x does not move.
    moved: Vec<f64>,
}

impl HeadsTangent {
    /// As many rows of the biases as there are of x.
    fn biases(&self, params: &[f64]) -> Vec<f64> {
        params[self.op.bias.clone()].repeat(self.x.len() / (self.op.members * self.op.inputs))
    }
}

impl Tangent for HeadsTangent {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        let mut y = self.biases(params);
        self.op.add_product(&self.x, &params[self.op.weight.clone()], &mut y);
        y
    }

    fn backward(
        &mut self,
        params: &[f64],
        dy: Vec<f64>,
        wanted: &[bool],
        gradient: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        let (op, rows) = (&self.op, 0..self.op.members * self.op.outputs);
        op.add_gradient(rows, &self.x, &dy, &mut gradient[op.weight.clone()]);
        op.add_bias_gradient(&dy, &mut gradient[op.bias.clone()]);
        let mut dx = vec![0.0; if wanted[0] { self.x.len() } else { 0 }];
        op.add_turned(&dy, &params[op.weight.clone()], &mut dx);
        self.dy = dy;
        vec![dx]
    }

    /// ∂y = W·∂x + ∂W·x + ∂b.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        _: &mut Scratch<f64>,
    ) -> Vec<f64> {
        self.moved = moved[0].to_vec();
        let mut along = self.biases(v);
        self.op.add_product(&self.x, &v[self.op.weight.clone()], &mut along);
        self.op.add_product(&self.moved, &params[self.op.weight.clone()], &mut along);
        along
    }

    /// ∂dW = ∂dy·xᵀ + dy·∂xᵀ, ∂dx = Wᵀ·∂dy + ∂Wᵀ·dy.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        moved_dy: Vec<f64>,
        wanted: &[bool],
        out: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        let (op, rows) = (&self.op, 0..self.op.members * self.op.outputs);
        op.add_gradient(rows.clone(), &self.x, &moved_dy, &mut out[op.weight.clone()]);
        op.add_gradient(rows, &self.moved, &self.dy, &mut out[op.weight.clone()]);
        op.add_bias_gradient(&moved_dy, &mut out[op.bias.clone()]);
        let mut dx = vec![0.0; if wanted[0] { self.x.len() } else { 0 }];
        op.add_turned(&moved_dy, &params[op.weight.clone()], &mut dx);
        op.add_turned(&self.dy, &v[op.weight.clone()], &mut dx);
        vec![dx]
    }
}
