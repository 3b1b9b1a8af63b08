//! A network: its description, its parameters and its running statistics.

use crate::error::Error;
use crate::layer::{Affine, BatchNormOp, DenseOp, DropoutOp, LayerNormOp};
use crate::{Activation, LayerSpec};
use downhill_matmul::{Buffer, Scratch};
use downhill_optim::random::{Purpose, stream};
use downhill_optim::{Float, Init, Layout, Role, Uniform};
use std::ops::Range;

/// More parameters than this are taken for a mistake: in `f32` they are 1 GiB, and training takes several times that.
const MOST_PARAMETERS: usize = 1 << 28;

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
        if layers.is_empty() {
            return Err(Error::Data("a network needs at least one layer".into()));
        }
        if inputs == 0 {
            return Err(Error::Data("a network needs at least one input".into()));
        }
        for (position, layer) in layers.iter().enumerate() {
            layer.check().map_err(|invalid| Error::layer(position, layer, invalid.to_string()))?;
        }
        let mut layout = Layout::default();
        let mut statistics_layout = Layout::default();
        let mut nodes: Vec<Node> = Vec::new();
        let mut inits = Vec::new();
        let mut width = inputs;
        let mut norms = 0;
        for (position, layer) in layers.iter().enumerate() {
            let mut affine = |layout: &mut Layout| {
                inits.extend([Initial::Constant(1.0), Initial::Constant(0.0)]);
                Affine {
                    scale: layout.push(format!("{position}.scale"), &[width], Role::Scale),
                    shift: layout.push(format!("{position}.shift"), &[width], Role::Shift),
                }
            };
            let op = match layer {
                LayerSpec::Dense(dense) => {
                    let all = width.checked_mul(dense.units).and_then(|n| n.checked_add(layout.len()));
                    if all.is_none_or(|n| n > MOST_PARAMETERS) {
                        let reason = format!(
                            "{width} times {} weights are too many: a network has at most {MOST_PARAMETERS}",
                            dense.units
                        );
                        return Err(Error::layer(position, layer, reason));
                    }
                    let shape = [width, dense.units];
                    let weight = layout.push(format!("{position}.weight"), &shape, Role::Weight);
                    let init = resolve(dense.init, &layers[position + 1..]);
                    inits.push(Initial::Random(init, width, dense.units));
                    let bias = dense.bias.then(|| {
                        inits.push(bias_init(init, width));
                        layout.push(format!("{position}.bias"), &[dense.units], Role::Bias)
                    });
                    let op = DenseOp { inputs: width, outputs: dense.units, weight, bias, activation: None };
                    width = dense.units;
                    Op::Dense(op)
                }
                LayerSpec::Dropout(dropout) => Op::Dropout(DropoutOp::new(*dropout, width, position)),
                LayerSpec::BatchNorm(norm) => {
                    let mut running = |name| {
                        statistics_layout.push(
                            format!("{position}.running-{name}"),
                            &[width],
                            Role::Statistic,
                        )
                    };
                    let (mean, variance) = (running("mean"), running("variance"));
                    let affine = affine(&mut layout);
                    let (momentum, eps) = (norm.momentum, norm.eps);
                    let index = norms;
                    norms += 1;
                    Op::BatchNorm(BatchNormOp { index, width, momentum, eps, affine, mean, variance })
                }
                LayerSpec::LayerNorm(norm) => {
                    Op::LayerNorm(LayerNormOp { width, eps: norm.eps, affine: affine(&mut layout) })
                }
                other => {
                    let Some(activation) = other.activation() else {
                        return Err(Error::layer(position, layer, "this layer cannot be run".into()));
                    };
                    // A dense layer computes the activation behind it in its own last pass.
                    if let Some(Node { op: Op::Dense(dense), .. }) = nodes.last_mut()
                        && dense.activation.is_none()
                    {
                        dense.activation = Some(activation);
                        continue;
                    }
                    Op::Activation(activation)
                }
            };
            nodes.push(Node { op, outputs: width, position });
        }

        let mut params = Buffer::zeros(layout.len());
        for (index, (tensor, init)) in layout.tensors().iter().zip(inits).enumerate() {
            let values = &mut params[tensor.range()];
            match init {
                Initial::Constant(value) => values.fill(F::of(value)),
                Initial::Random(init, fan_in, fan_out) => {
                    let mut rng = stream(seed, Purpose::Init, index as u64);
                    init.fill(values, fan_in, fan_out, &mut rng);
                }
            }
        }
        let mut statistics = vec![F::zero(); statistics_layout.len()];
        for node in &nodes {
            if let Op::BatchNorm(op) = &node.op {
                statistics[op.variance.clone()].fill(F::one());
            }
        }
        let layers = layers.to_vec();
        Ok(Self { layers, inputs, outputs: width, layout, statistics_layout, params, statistics, nodes })
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

/// How a tensor begins.
enum Initial {
    Constant(f64),
    Random(Init, usize, usize),
}

/// Biases start uniform in ±1/√n_in, as PyTorch's do, unless the weights start at zero too.
///
/// With biases of zero every unit of the first layer changes its slope at the same point, the mean of the data, and a
/// network on few features and few rows learns directions where it should learn places: with 96 rows of iris it gets
/// 84% of the others right instead of 95%.
fn bias_init(weights: Init, inputs: usize) -> Initial {
    match weights {
        Init::Zeros => Initial::Constant(0.0),
        _ => {
            let limit = 1.0 / (inputs as f64).sqrt();
            Initial::Random(Init::Uniform(Uniform { limit }), inputs, 1)
        }
    }
}

/// What `auto`, as an initialiser or as its gain, means in front of these layers: it is the first activation before the
/// next dense layer that counts.
fn resolve(init: Init, following: &[LayerSpec]) -> Init {
    let activation = following
        .iter()
        .take_while(|layer| !matches!(layer, LayerSpec::Dense(_)))
        .find_map(LayerSpec::activation);
    match init {
        Init::Auto => activation.map_or_else(crate::activation::glorot_uniform, Activation::init),
        given => given.with_gain(activation.map_or(1.0, Activation::gain)),
    }
}
