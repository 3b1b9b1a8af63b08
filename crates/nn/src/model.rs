//! A network: its description, its parameters and its running statistics.

mod plan;

use crate::error::Error;
use crate::layer::{BatchNormOp, DenseOp, DropoutOp, LayerNormOp};
use crate::{Activation, LayerSpec};
use downhill_core::Buffer;
use downhill_core::Float;
use downhill_core::random::{Purpose, stream};
use downhill_matmul::Scratch;
use downhill_optim::Layout;
use plan::{Initial, Plan};
use std::ops::Range;

/// A network of layers, one behind the other, with its parameters and running statistics, each one flat buffer.
///
/// The parameters' tensors are named by the position of their layer in the description, counted from 0: `0.weight`
/// `[inputs, outputs]`, `0.bias`, `1.scale`, `1.shift`; the statistics' `1.running-mean`, `1.running-variance`.
#[derive(Clone, Debug)]
pub struct Model<F> {
    layers: Vec<LayerSpec>,
    inputs: usize,
    outputs: usize,
    layout: Layout,
    statistics_layout: Layout,
    params: Buffer<F>,
    statistics: Vec<F>,
    nodes: Vec<Node>,
}

/// One layer as it is run: a dense layer together with the activation behind it, or any other.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub outputs: usize,
    /// Its place in the description: that of the dense layer, where an activation is behind it.
    pub position: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Dense(DenseOp),
    Activation(Activation),
    Dropout(DropoutOp),
    BatchNorm(BatchNormOp),
    LayerNorm(LayerNormOp),
}

impl Node {
    /// How many values are kept for the backward pass for each row, beside the output.
    pub fn kept(&self) -> usize {
        match &self.op {
            Op::Dense(op) => op.kept(),
            Op::Activation(op) if op.keeps_derivative() => self.outputs,
            Op::Dropout(_) => self.outputs,
            Op::LayerNorm(op) => op.kept(),
            Op::Activation(_) | Op::BatchNorm(_) => 0,
        }
    }

    /// The places of its parameters beside a weight matrix: a bias, or γ and β.
    pub fn vectors(&self) -> Range<usize> {
        match &self.op {
            Op::Dense(op) => op.bias.clone().unwrap_or(0..0),
            Op::BatchNorm(op) => op.affine.both(),
            Op::LayerNorm(op) => op.affine.both(),
            Op::Activation(_) | Op::Dropout(_) => 0..0,
        }
    }

    /// Its outputs in evaluation mode: batch normalisation takes the running statistics, dropout does nothing.
    pub fn predict<F: Float>(
        &self,
        params: &[F],
        statistics: &[F],
        x: &[F],
        y: &mut [F],
        scratch: &mut Scratch<F>,
    ) {
        match &self.op {
            Op::Dense(op) => op.forward(params, x, y, &mut [], scratch),
            Op::Activation(op) => {
                y.copy_from_slice(x);
                op.forward(None, y, &mut []);
            }
            Op::Dropout(_) => y.copy_from_slice(x),
            Op::LayerNorm(op) => op.forward(params, x, y, &mut []),
            Op::BatchNorm(op) => op.predict(params, statistics, x, y),
        }
    }

    /// Whether it has parameters.
    pub fn is_trained(&self) -> bool {
        matches!(self.op, Op::Dense(_) | Op::BatchNorm(_) | Op::LayerNorm(_))
    }
}

impl<F: Float> Model<F> {
    /// A network for rows of so many inputs. The initial parameters are a function of the description and the seed.
    ///
    /// # Errors
    ///
    /// If there are no layers or no inputs, or a setting of a layer is out of its range; the error names the layer.
    pub fn build(layers: &[LayerSpec], inputs: usize, seed: u64) -> Result<Self, Error> {
        let (mut model, inits): (Self, _) = Plan::of(layers, inputs)?.allocate(layers, inputs);
        for (index, (tensor, init)) in model.layout.tensors().iter().zip(inits).enumerate() {
            let values = &mut model.params[tensor.range()];
            match init {
                Initial::Constant(value) => values.fill(F::of(value)),
                Initial::Random(init, fan_in, fan_out) => {
                    let mut rng = stream(seed, Purpose::Init, index as u64);
                    init.fill(values, fan_in, fan_out, &mut rng);
                }
            }
        }
        Ok(model)
    }

    /// The tensors that a network of this description has, its parameters and its running statistics, without taking
    /// memory for them: to compare a description with what there is before it is believed.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn layouts(layers: &[LayerSpec], inputs: usize) -> Result<(Layout, Layout), Error> {
        Plan::of(layers, inputs).map(|plan| (plan.layout, plan.statistics_layout))
    }

    /// A network whose parameters are all 0, to be filled with those of another: nothing is initialised, which may take
    /// long.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn zeroed(layers: &[LayerSpec], inputs: usize) -> Result<Self, Error> {
        Ok(Plan::of(layers, inputs)?.allocate(layers, inputs).0)
    }

    /// The description.
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// The number of values in a row of input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of values in a row of output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The parameters' tensors.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The running statistics' tensors.
    pub fn statistics_layout(&self) -> &Layout {
        &self.statistics_layout
    }

    /// The parameters: what training changes.
    pub fn params(&self) -> &[F] {
        &self.params
    }

    /// The parameters, to change them.
    pub fn params_mut(&mut self) -> &mut [F] {
        &mut self.params
    }

    /// The running statistics of batch normalisation.
    pub fn statistics(&self) -> &[F] {
        &self.statistics
    }

    /// The running statistics, to restore them.
    pub fn statistics_mut(&mut self) -> &mut [F] {
        &mut self.statistics
    }

    /// What a step reads and what it changes: the nodes, the parameters, the running statistics.
    pub(crate) fn parts_mut(&mut self) -> (&[Node], &mut [F], &mut [F]) {
        (&self.nodes, &mut self.params, &mut self.statistics)
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}
