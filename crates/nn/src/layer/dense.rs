//! The fully connected layer.

use super::{add_columns, add_to_rows};
use crate::Activation;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::{self as matmul, Scratch, Shape};
use downhill_optim::Init;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// y = x·W + b: every output is a weighted sum of every input.
///
/// W is `[inputs, outputs]` (`weight`), b is `[outputs]` (`bias`) and begins uniform in ±1/√inputs, or at 0 where W
/// does. An activation that follows is computed in the same pass that adds the bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Dense {
    /// The number of outputs, at least 1.
    pub units: usize,
    /// How the weights begin. `auto`, the default, looks at the activation that follows: LeCun normal for SELU,
    /// Glorot uniform for tanh, sigmoid, identity and for none (the head of the network), He normal for the others.
    #[serde(default)]
    pub init: Init,
    /// Whether there is a bias; true unless given. Before batch normalisation it has no effect and can be left out.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn yes() -> bool {
    true
}

impl Dense {
    /// A layer of so many units, with the default initialiser and a bias.
    pub fn new(units: usize) -> Self {
        Self { units, init: Init::Auto, bias: true }
    }

    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::ensure("dense", "units", self.units as f64, |units| units >= 1.0, "at least 1")?;
        self.init.check()
    }
}

/// A dense layer and the activation behind it, as they are run.
#[derive(Clone, Debug)]
pub(crate) struct DenseOp {
    pub inputs: usize,
    pub outputs: usize,
    pub weight: Range<usize>,
    pub bias: Option<Range<usize>>,
    pub activation: Option<Activation>,
}

impl DenseOp {
    /// What is kept for the backward pass, for each row.
    pub fn kept(&self) -> usize {
        if self.activation.is_some_and(Activation::keeps_derivative) { self.outputs } else { 0 }
    }

    /// y = f(x·W + b). `kept` is empty if nothing is to be kept.
    pub fn forward<F: Float>(
        &self,
        params: &[F],
        x: &[F],
        y: &mut [F],
        kept: &mut [F],
        scratch: &mut Scratch<F>,
    ) {
        let weight = &params[self.weight.clone()];
        let shape = Shape { rows: y.len() / self.outputs, inner: self.inputs, columns: self.outputs };
        matmul::multiply(shape, x, weight, y, scratch);
        let bias = self.bias.clone().map(|range| &params[range]);
        match (self.activation, bias) {
            (Some(activation), bias) => activation.forward(bias, y, kept),
            (None, Some(bias)) => add_to_rows(bias, y),
            (None, None) => {}
        }
    }

    /// dy, the gradient of y, becomes that of x·W + b in place, and its sums over the rows the gradient of b.
    pub fn backward<F: Float>(&self, y: &[F], kept: &[F], dy: &mut [F], d_bias: &mut [F]) {
        let from = if kept.is_empty() { y } else { kept };
        d_bias.fill(F::zero());
        match (self.activation, &self.bias) {
            (Some(activation), Some(_)) => activation.backward_summing(from, dy, d_bias),
            (Some(activation), None) => activation.backward(from, dy),
            (None, Some(_)) => add_columns(dy, d_bias),
            (None, None) => {}
        }
    }

    /// The gradient of x, dy·Wᵀ, where dy is what [`backward`](Self::backward) left.
    pub fn input_gradient<F: Float>(&self, params: &[F], dy: &[F], dx: &mut [F], scratch: &mut Scratch<F>) {
        let shape = Shape { rows: dy.len() / self.outputs, inner: self.outputs, columns: self.inputs };
        matmul::multiply_bt(shape, dy, &params[self.weight.clone()], dx, scratch);
    }

    /// Some rows of the gradient of W, xᵀ·dy, where dy is what [`backward`](Self::backward) left; put into `gradient`
    /// or added to it. The same bits however rows are taken together.
    pub fn weight_gradient<F: Float>(
        &self,
        rows: Range<usize>,
        x: &[F],
        dy: &[F],
        gradient: &mut [F],
        adding: bool,
        scratch: &mut Scratch<F>,
    ) {
        let shape = Shape { rows: self.inputs, inner: dy.len() / self.outputs, columns: self.outputs };
        matmul::multiply_at_part(shape, rows, x, dy, gradient, adding, scratch);
    }
}
