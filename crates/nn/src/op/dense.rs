//! The fully connected layer.

use super::pointwise::Curve;
use super::rows::{add, add_columns, add_to_rows};
use super::{Activation, Backward, Flow, Forward, Layer, LayerSpec, Operation, Planned, Weight};
use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use crate::shape::Shape;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::{self as matmul, Scratch};
use downhill_optim::{Init, Lsuv, Role, Uniform};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// y = x·W + b: every output is a weighted sum of every input.
///
/// W is `[inputs, outputs]` (`weight`), b is `[outputs]` (`bias`) and begins uniform in ±1/√inputs, or at 0
/// where W does. An activation that follows is computed in the same pass that adds the bias. However a row is
/// laid out, its inputs are all of its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Dense {
    /// The number of outputs, at least 1.
    pub units: usize,
    /// How the weights begin. `auto`, the default, looks at the activation that follows: LeCun normal for
    /// SELU, Glorot uniform for tanh, sigmoid, identity and for none (the head of the network), He normal for
    /// the others.
    #[serde(default)]
    pub init: Init,
    /// Whether there is a bias; true unless given. Before batch normalisation it has no effect and can be
    /// left out.
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

impl Layer for Dense {
    fn units(&self) -> usize {
        self.units
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let (inputs, outputs) = (site.input().len(), self.units);
        let init = resolve(self.init, site.following());
        let weight = Initial::Random(init, inputs, outputs);
        let weight = site.parameter("weight", &[inputs, outputs], Role::Weight, weight)?;
        let bias = if self.bias {
            Some(site.parameter("bias", &[outputs], Role::Bias, bias_init(init, inputs))?)
        } else {
            None
        };
        let lsuv = if let Init::Lsuv(lsuv) = self.init { Some(lsuv) } else { None };
        let op = DenseOp { inputs, outputs, weight, bias, activation: None, lsuv };
        Ok((Arc::new(op), Shape::from(outputs)))
    }
}

/// Biases start uniform in ±1/√n_in, as PyTorch's do, unless the weights start at zero too.
///
/// With biases of zero every unit of the first layer changes its slope at the same point, the mean of the
/// data, and a network on few features and few rows learns directions where it should learn places: with 96
/// rows of iris it gets 84% of the others right instead of 95%.
pub(super) fn bias_init(weights: Init, inputs: usize) -> Initial {
    match weights {
        Init::Zeros => Initial::Constant(0.0),
        _ => {
            let limit = 1.0 / (inputs as f64).sqrt();
            Initial::Random(Init::Uniform(Uniform { limit }), inputs, 1)
        }
    }
}

/// What `auto`, as an initialiser or as its gain, means in front of these layers: it is the first activation
/// before the next dense layer that counts.
pub(super) fn resolve(init: Init, following: &[LayerSpec]) -> Init {
    let activation = following
        .iter()
        .take_while(|layer| {
            !matches!(layer, LayerSpec::Dense(_) | LayerSpec::Ensemble(_) | LayerSpec::Heads(_))
        })
        .find_map(LayerSpec::activation);
    match init {
        Init::Auto => activation.map_or_else(crate::activation::glorot_uniform, Activation::init),
        given => given.with_gain(activation.map_or(1.0, Activation::gain)),
    }
}

/// A dense layer and the activation behind it, as they are run.
#[derive(Clone, Debug)]
struct DenseOp {
    inputs: usize,
    outputs: usize,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    activation: Option<Activation>,
    /// How the weights are scaled on data before they are trained, if they are.
    lsuv: Option<Lsuv>,
}

impl<F: Float> Operation<F> for DenseOp {
    fn kept(&self) -> usize {
        if self.activation.is_some_and(Activation::keeps_derivative) { self.outputs } else { 0 }
    }

    fn vectors(&self) -> Range<usize> {
        self.bias.clone().unwrap_or(0..0)
    }

    fn weight(&self) -> Option<Weight> {
        Some(Weight { range: self.weight.clone(), columns: self.outputs })
    }

    fn flow(&self) -> Flow {
        Flow::Apart
    }

    fn activation(&self) -> Option<Activation> {
        self.activation
    }

    fn fuse(&self, activation: Activation) -> Option<Arc<dyn Operation<F>>> {
        match self.activation {
            Some(_) => None,
            None => Some(Arc::new(Self { activation: Some(activation), ..self.clone() })),
        }
    }

    fn calibration(&self) -> Option<(Lsuv, Arc<dyn Operation<F>>)> {
        let lsuv = self.lsuv?;
        Some((lsuv, Arc::new(Self { activation: None, ..self.clone() })))
    }

    /// y = f(x·W + b).
    fn forward(&self, Forward { params, inputs, y, kept, scratch, .. }: Forward<'_, F>) {
        let weight = &params[self.weight.clone()];
        let rows = y.len() / self.outputs;
        let shape = matmul::Shape { rows, inner: self.inputs, columns: self.outputs };
        matmul::multiply(shape, inputs[0], weight, y, scratch);
        let bias = self.bias.clone().map(|range| &params[range]);
        match (self.activation, bias) {
            (Some(activation), bias) => activation.forward(bias, y, kept),
            (None, Some(bias)) => add_to_rows(bias, y),
            (None, None) => {}
        }
    }

    /// dy becomes the gradient of x·W + b in place, and its sums over the rows the gradient of b.
    fn backward(&self, Backward { y, kept, dy, vectors: d_bias, .. }: Backward<'_, F>) {
        let from = if kept.is_empty() { y } else { kept };
        d_bias.fill(F::zero());
        match (self.activation, &self.bias) {
            (Some(activation), Some(_)) => activation.backward_summing(from, dy, d_bias),
            (Some(activation), None) => activation.backward(from, dy),
            (None, Some(_)) => add_columns(dy, d_bias),
            (None, None) => {}
        }
    }

    /// dx = dy·Wᵀ.
    fn input_gradient(&self, _: usize, params: &[F], dy: &[F], dx: &mut [F], scratch: &mut Scratch<F>) {
        let rows = dy.len() / self.outputs;
        let shape = matmul::Shape { rows, inner: self.outputs, columns: self.inputs };
        matmul::multiply_bt(shape, dy, &params[self.weight.clone()], dx, scratch);
    }

    /// dW = xᵀ·dy.
    fn weight_gradient(
        &self,
        rows: Range<usize>,
        x: &[F],
        dy: &[F],
        gradient: &mut [F],
        adding: bool,
        scratch: &mut Scratch<F>,
    ) {
        let inner = dy.len() / self.outputs;
        let shape = matmul::Shape { rows: self.inputs, inner, columns: self.outputs };
        matmul::multiply_at_part(shape, rows, x, dy, gradient, adding, scratch);
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(DenseTangent {
            op: self.clone(),
            x: Vec::new(),
            dy: Vec::new(),
            moved: Vec::new(),
            curve: self.activation.map(Curve::new),
        })
    }
}

/// A dense layer with its derivatives. All are rows × units.
#[derive(Debug)]
struct DenseTangent {
    op: DenseOp,
    x: Vec<f64>,
    /// The gradient of x·W + b.
    dy: Vec<f64>,
    /// ∂x of the product under way; empty if x does not move.
    moved: Vec<f64>,
    curve: Option<Curve>,
}

impl DenseTangent {
    /// The shape of x·W.
    fn product(&self) -> matmul::Shape {
        let DenseOp { inputs, outputs, .. } = self.op;
        matmul::Shape { rows: self.x.len() / inputs, inner: inputs, columns: outputs }
    }

    /// The shape of xᵀ·dy.
    fn weight_product(&self) -> matmul::Shape {
        let matmul::Shape { rows, inner, columns } = self.product();
        matmul::Shape { rows: inner, inner: rows, columns }
    }

    /// dy·Wᵀ.
    fn turned(&self, dy: &[f64], params: &[f64], scratch: &mut Scratch<f64>) -> Vec<f64> {
        let matmul::Shape { rows, inner, columns } = self.product();
        let mut dx = vec![0.0; rows * inner];
        let shape = matmul::Shape { rows, inner: columns, columns: inner };
        matmul::multiply_bt(shape, dy, &params[self.op.weight.clone()], &mut dx, scratch);
        dx
    }

    /// Adds b to every row.
    fn add_bias(&self, params: &[f64], y: &mut [f64]) {
        if let Some(bias) = &self.op.bias {
            y.chunks_exact_mut(self.op.outputs).for_each(|row| add(row, &params[bias.clone()]));
        }
    }

    /// Adds the sums of the columns of dy to the gradient of b.
    fn add_bias_gradient(&self, dy: &[f64], gradient: &mut [f64]) {
        if let Some(bias) = &self.op.bias {
            dy.chunks_exact(self.op.outputs).for_each(|row| add(&mut gradient[bias.clone()], row));
        }
    }
}

impl Tangent for DenseTangent {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], scratch: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        let shape = self.product();
        let mut y = vec![0.0; shape.rows * shape.columns];
        matmul::multiply(shape, &self.x, &params[self.op.weight.clone()], &mut y, scratch);
        self.add_bias(params, &mut y);
        if let Some(curve) = &mut self.curve {
            curve.forward(&mut y);
        }
        y
    }

    fn backward(
        &mut self,
        params: &[f64],
        mut dy: Vec<f64>,
        wanted: &[bool],
        gradient: &mut [f64],
        scratch: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        if let Some(curve) = &mut self.curve {
            curve.backward(&mut dy);
        }
        let weight = &mut gradient[self.op.weight.clone()];
        matmul::multiply_at(self.weight_product(), &self.x, &dy, weight, scratch);
        self.add_bias_gradient(&dy, gradient);
        let dx = if wanted[0] { self.turned(&dy, params, scratch) } else { Vec::new() };
        self.dy = dy;
        vec![dx]
    }

    /// ∂y = ∂x·W + x·∂W + ∂b, in front of the activation.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        scratch: &mut Scratch<f64>,
    ) -> Vec<f64> {
        self.moved = moved[0].to_vec();
        let shape = self.product();
        let mut along = vec![0.0; shape.rows * shape.columns];
        matmul::multiply(shape, &self.x, &v[self.op.weight.clone()], &mut along, scratch);
        if !self.moved.is_empty() {
            let mut passed = vec![0.0; along.len()];
            matmul::multiply(shape, &self.moved, &params[self.op.weight.clone()], &mut passed, scratch);
            add(&mut along, &passed);
        }
        self.add_bias(v, &mut along);
        if let Some(curve) = &mut self.curve {
            curve.forward_along(&mut along);
        }
        along
    }

    /// dW = xᵀ·dy, so ∂dW = xᵀ·∂dy + ∂xᵀ·dy; dx = dy·Wᵀ, so ∂dx = ∂dy·Wᵀ + dy·∂Wᵀ.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        mut moved_dy: Vec<f64>,
        wanted: &[bool],
        out: &mut [f64],
        scratch: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        if let Some(curve) = &self.curve {
            curve.backward_along(&mut moved_dy);
        }
        let shape = self.weight_product();
        let weight = &mut out[self.op.weight.clone()];
        matmul::multiply_at(shape, &self.x, &moved_dy, weight, scratch);
        if !self.moved.is_empty() {
            matmul::multiply_at_part(shape, 0..shape.rows, &self.moved, &self.dy, weight, true, scratch);
        }
        self.add_bias_gradient(&moved_dy, out);
        if !wanted[0] {
            return vec![Vec::new()];
        }
        let mut dx = self.turned(&moved_dy, params, scratch);
        add(&mut dx, &self.turned(&self.dy, v, scratch));
        vec![dx]
    }
}
