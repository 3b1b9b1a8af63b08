//! A network: its description, its parameters and its running statistics.

use crate::error::Error;
use crate::graph::{Graph, Initial, Plan};
use crate::op::LayerSpec;
use crate::shape::Shape;
use downhill_core::Buffer;
use downhill_core::Float;
use downhill_core::random::{Purpose, stream};
use downhill_optim::Layout;
use rand::RngExt;
use std::sync::Arc;

/// A network of layers with its parameters and running statistics, each one flat buffer.
///
/// Every layer's input is the output of the layer in front of it; a layer with two inputs names the other one
/// by its position in the description, counted from 0. So are the parameters' tensors named: `0.weight`
/// `[inputs, outputs]`, `0.bias`, `1.scale`, `1.shift`; the statistics' `1.running-mean`,
/// `1.running-variance`.
#[derive(Clone, Debug)]
pub struct Model<F> {
    layers: Vec<LayerSpec>,
    graph: Arc<Graph<F>>,
    layout: Layout,
    statistics_layout: Layout,
    params: Buffer<F>,
    statistics: Vec<F>,
}

impl<F: Float> Model<F> {
    /// A network for rows of this shape, or of so many inputs. The initial parameters are a function of the
    /// description and the seed.
    ///
    /// # Errors
    ///
    /// If there are no layers or no inputs, a setting of a layer is out of its range, or a layer cannot stand
    /// where it does; the error names the layer.
    pub fn build(layers: &[LayerSpec], inputs: impl Into<Shape>, seed: u64) -> Result<Self, Error> {
        let (mut model, initial) = Self::allocate(layers, inputs.into())?;
        for (index, (tensor, initial)) in model.layout.tensors().iter().zip(initial).enumerate() {
            let values = &mut model.params[tensor.range()];
            match initial {
                Initial::Constant(value) => values.fill(F::of(value)),
                Initial::Signs => {
                    let mut rng = stream(seed, Purpose::Init, index as u64);
                    values.fill_with(|| F::of(if rng.random() { 1.0 } else { -1.0 }));
                }
                Initial::Random(init, fan_in, fan_out) => {
                    let mut rng = stream(seed, Purpose::Init, index as u64);
                    init.fill(values, fan_in, fan_out, &mut rng);
                }
            }
        }
        Ok(model)
    }

    /// The tensors that a network of this description has, its parameters and its running statistics, without
    /// taking memory for them: to compare a description with what there is before it is believed.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn layouts(layers: &[LayerSpec], inputs: impl Into<Shape>) -> Result<(Layout, Layout), Error> {
        let plan = Plan::<F>::of(layers, inputs.into())?;
        Ok((plan.parameters.layout, plan.statistics.layout))
    }

    /// A network whose parameters are all 0, to be filled with those of another: nothing is initialised,
    /// which may take long.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn zeroed(layers: &[LayerSpec], inputs: impl Into<Shape>) -> Result<Self, Error> {
        Ok(Self::allocate(layers, inputs.into())?.0)
    }

    /// A network with parameters of 0, and how they should begin.
    fn allocate(layers: &[LayerSpec], input: Shape) -> Result<(Self, Vec<Initial>), Error> {
        let Plan { graph, parameters, statistics } = Plan::of(layers, input)?;
        let mut running = vec![F::zero(); statistics.layout.len()];
        for (tensor, &value) in statistics.layout.tensors().iter().zip(&statistics.initial) {
            running[tensor.range()].fill(F::of(value));
        }
        let model = Self {
            layers: layers.to_vec(),
            graph: Arc::new(graph),
            params: Buffer::zeros(parameters.layout.len()),
            layout: parameters.layout,
            statistics_layout: statistics.layout,
            statistics: running,
        };
        Ok((model, parameters.initial))
    }

    /// The description.
    pub fn layers(&self) -> &[LayerSpec] {
        &self.layers
    }

    /// The shape of a row of input.
    pub fn input_shape(&self) -> &Shape {
        &self.graph.input
    }

    /// The number of values in a row of input.
    pub fn inputs(&self) -> usize {
        self.graph.input.len()
    }

    /// The shape of a row of output.
    pub fn output_shape(&self) -> &Shape {
        self.graph.output()
    }

    /// The number of values in a row of output.
    pub fn outputs(&self) -> usize {
        self.graph.output().len()
    }

    /// The number of values that the loss compares of a row, in training: the outputs, or, of an ensemble, those
    /// of all of its members, the first one's first.
    pub fn training_outputs(&self) -> usize {
        self.graph.members() * self.outputs()
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

    /// What a step reads and what it changes: the graph, the parameters, the running statistics.
    pub(crate) fn parts_mut(&mut self) -> (&Graph<F>, &mut [F], &mut [F]) {
        (&self.graph, &mut self.params, &mut self.statistics)
    }

    pub(crate) fn graph(&self) -> &Arc<Graph<F>> {
        &self.graph
    }

    /// How many rows these inputs are, if they are whole rows and at least one, and such that the network can
    /// take them.
    ///
    /// # Errors
    ///
    /// If they are not.
    pub(crate) fn whole_rows(&self, x: &[F]) -> Result<usize, Error> {
        let rows = x.len() / self.inputs();
        if rows == 0 || x.len() != rows * self.inputs() {
            return Err(Error::Data(format!("{} inputs are not rows of {}", x.len(), self.inputs())));
        }
        self.graph.accepts(x, 0..rows)?;
        Ok(rows)
    }
}
