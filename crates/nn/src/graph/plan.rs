//! What a description comes to: the tensors of a network, what runs them, and how they begin.

use super::fuse::fuse;
use super::{Draft, Graph};
use crate::error::Error;
use crate::op::LayerSpec;
use crate::shape::Shape;
use downhill_core::Float;
use downhill_optim::{Init, Layout, Role};
use std::ops::Range;

/// More parameters than this are taken for a mistake: in `f32` they are 1 GiB, and training takes several
/// times that.
const MOST_PARAMETERS: usize = 1 << 28;

/// What a description comes to, before memory is taken for it.
pub(crate) struct Plan<F> {
    pub graph: Graph<F>,
    pub parameters: Tensors<Initial>,
    pub statistics: Tensors<f64>,
}

/// Tensors in one buffer, and how each begins.
pub(crate) struct Tensors<I> {
    pub layout: Layout,
    pub initial: Vec<I>,
}

impl<I> Tensors<I> {
    fn none() -> Self {
        Self { layout: Layout::default(), initial: Vec::new() }
    }
}

/// How a tensor begins.
pub(crate) enum Initial {
    Constant(f64),
    /// 1 and −1 at random.
    Signs,
    /// By an initialiser, with numbers of inputs and outputs.
    Random(Init, usize, usize),
}

/// Where an operation is to stand, and where it gets its tensors from.
pub(crate) struct Site<'a> {
    position: usize,
    inputs: Vec<Shape>,
    following: &'a [LayerSpec],
    parameters: &'a mut Tensors<Initial>,
    statistics: &'a mut Tensors<f64>,
}

impl Site<'_> {
    /// The place in the description; the first layer's input is the data.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The shapes of the inputs.
    pub fn inputs(&self) -> &[Shape] {
        &self.inputs
    }

    /// The shape of the first input.
    pub fn input(&self) -> &Shape {
        &self.inputs()[0]
    }

    /// The layers behind it.
    pub fn following(&self) -> &[LayerSpec] {
        self.following
    }

    /// Takes the next tensor of the parameters; returns its place.
    ///
    /// # Errors
    ///
    /// If the network would have too many.
    pub fn parameter(
        &mut self,
        name: &str,
        shape: &[usize],
        role: Role,
        initial: Initial,
    ) -> Result<Range<usize>, String> {
        let layout = &mut self.parameters.layout;
        let len = shape.iter().try_fold(1, |len: usize, &dim| len.checked_mul(dim));
        let all = len.and_then(|len| len.checked_add(layout.len()));
        if all.is_none_or(|all| all > MOST_PARAMETERS) {
            let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
            let dims = dims.join(" times ");
            return Err(format!(
                "{dims} more parameters are too many: a network has at most {MOST_PARAMETERS}"
            ));
        }
        self.parameters.initial.push(initial);
        Ok(layout.push(format!("{}.{name}", self.position), shape, role))
    }

    /// Takes the next tensor of the running statistics, with the value that it begins with; returns its
    /// place.
    pub fn statistic(&mut self, name: &str, shape: &[usize], value: f64) -> Range<usize> {
        self.statistics.initial.push(value);
        self.statistics.layout.push(format!("{}.{name}", self.position), shape, Role::Statistic)
    }
}

impl<F: Float> Plan<F> {
    pub fn of(layers: &[LayerSpec], input: Shape) -> Result<Self, Error> {
        if layers.is_empty() {
            return Err(Error::Data("a network needs at least one layer".into()));
        }
        if input.is_empty() {
            return Err(Error::Data("a network needs at least one input".into()));
        }
        if input.len() > MOST_PARAMETERS {
            return Err(Error::Data(format!(
                "{} inputs are more than the {MOST_PARAMETERS} there can be",
                input.len()
            )));
        }
        for (position, layer) in layers.iter().enumerate() {
            layer.check().map_err(|invalid| Error::layer(position, layer, invalid.to_string()))?;
        }
        let (mut parameters, mut statistics) = (Tensors::none(), Tensors::none());
        let mut drafts: Vec<Draft<F>> = Vec::new();
        for (position, layer) in layers.iter().enumerate() {
            let error = |reason| Error::layer(position, layer, reason);
            let mut inputs = vec![position];
            if let Some(from) = layer.second_input() {
                if from >= position {
                    return Err(error(format!("layer {from} does not stand in front of it")));
                }
                inputs.push(from + 1);
            }
            let shape = |&value: &usize| match value {
                0 => input.clone(),
                _ => drafts[value - 1].shape.clone(),
            };
            let mut site = Site {
                position,
                inputs: inputs.iter().map(shape).collect(),
                following: &layers[position + 1..],
                parameters: &mut parameters,
                statistics: &mut statistics,
            };
            let (op, shape) = layer.plan(&mut site).map_err(error)?;
            drafts.push(Draft { op, position, inputs, shape });
        }
        let drafts = fuse(drafts, |position| layers[position].activation());
        Ok(Self { graph: Graph::new(input, drafts), parameters, statistics })
    }
}
