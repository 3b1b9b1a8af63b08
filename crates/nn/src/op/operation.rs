//! What every operation says of itself.

use super::Activation;
use crate::curvature::Tangent;
use crate::graph::Site;
use crate::shape::Shape;
use downhill_core::Float;
use downhill_matmul::Scratch;
use downhill_optim::Lsuv;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// The most inputs that an operation has.
pub(crate) const MOST_INPUTS: usize = 2;

/// A layer of a description: what it comes to where it stands.
pub(crate) trait Layer {
    /// The place in the description of the layer whose output is the second input. The first input is always
    /// the output of the layer in front.
    fn second_input(&self) -> Option<usize> {
        None
    }

    /// The number of outputs for each row that the layer itself sets, beside those that inputs become one by
    /// one.
    fn units(&self) -> usize {
        0
    }

    /// The operation and the shape of its output; its parameters are taken from the site, in their order.
    ///
    /// # Errors
    ///
    /// Says in words why it cannot stand there.
    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String>;
}

/// An operation, and the shape of its output.
pub(crate) type Planned<F> = (Arc<dyn Operation<F>>, Shape);

/// An operation, as it is run.
///
/// A call is for some rows, all of a shard or of one of its parts, and rows do not know of each other. What
/// must see the whole batch ([`reduction`](Self::reduction)) is run in two halves: each part is
/// [measured](Self::measure), the parts are [merged](Self::merge) in their order, and the shards go on
/// forward; in the backward pass, likewise.
///
/// Wherever results are put, what was there before is not to be relied on.
pub(crate) trait Operation<F: Float>: Debug + Send + Sync {
    /// How many values are kept for the backward pass for each row, beside the output.
    fn kept(&self) -> usize {
        0
    }

    /// The places of its parameters beside a weight matrix: their gradients are summed over each part by
    /// [`backward`](Self::backward), and the parts' sums then in their order.
    fn vectors(&self) -> Range<usize> {
        0..0
    }

    /// Its weights: their gradient is computed last, each element over all rows of the batch in their order.
    fn weight(&self) -> Option<Weight> {
        None
    }

    /// How the gradient of the inputs is come by.
    fn flow(&self) -> Flow {
        Flow::InPlace
    }

    /// How much room what it reduces over the batch takes; none, unless it must see the whole batch.
    fn reduction(&self) -> Reduction {
        Reduction::default()
    }

    /// If it makes one prediction of those of several members: of how many. It is the last operation then, and
    /// training ends in front of it: every member's outputs are compared with the row's target.
    fn averages(&self) -> Option<usize> {
        None
    }

    /// The activation that makes the outputs, if one does.
    fn activation(&self) -> Option<Activation> {
        None
    }

    /// This and the activation behind it as one operation, if it has a loop that can do both.
    fn fuse(&self, _: Activation) -> Option<Arc<dyn Operation<F>>> {
        None
    }

    /// If its weights are to be scaled by what they make of data: how, and the operation without the
    /// activation in it.
    fn calibration(&self) -> Option<(Lsuv, Arc<dyn Operation<F>>)> {
        None
    }

    /// Whether these rows of the data are something that it can take; only asked where the data itself is the
    /// input.
    ///
    /// # Errors
    ///
    /// Says what is wrong with which row.
    fn accepts(&self, _x: &[F], _rows: &mut dyn Iterator<Item = usize>) -> Result<(), String> {
        Ok(())
    }

    /// The output.
    fn forward(&self, call: Forward<'_, F>);

    /// From the gradient dy of the output: the gradients of the [`vectors`](Self::vectors), and in the place
    /// of dy that of the inputs, or what [`Flow::Apart`] says. Where there is a
    /// [`reduction`](Self::reduction), dy is left as it is.
    fn backward(&self, call: Backward<'_, F>);

    /// With [`Flow::Apart`], the gradient dx of one input, from what [`backward`](Self::backward) left in dy.
    fn input_gradient(&self, input: usize, params: &[F], dy: &[F], dx: &mut [F], scratch: &mut Scratch<F>) {
        let _ = (input, params, dy, dx, scratch);
        unreachable!("{self:?} has the gradient of its inputs in place");
    }

    /// With a [`weight`](Self::weight), some rows of its gradient, from the first input and what
    /// [`backward`](Self::backward) left in dy; put into `gradient`, or added to it. The same bits however
    /// rows are taken together.
    fn weight_gradient(
        &self,
        rows: Range<usize>,
        x: &[F],
        dy: &[F],
        gradient: &mut [F],
        adding: bool,
        scratch: &mut Scratch<F>,
    ) {
        let _ = (rows, x, dy, gradient, adding, scratch);
        unreachable!("{self:?} has no weights");
    }

    /// What one part gives to the whole batch.
    fn measure(&self, inputs: &[&[F]], part: &mut [F]) {
        let _ = (inputs, part);
    }

    /// What the shards need to go forward, from the numbers of rows of the parts and what they gave; and new
    /// running statistics.
    fn merge(
        &self,
        parts: &mut dyn Iterator<Item = (usize, &[F])>,
        whole: &mut Whole<F>,
        statistics: &mut [F],
    ) {
        let _ = (parts, whole, statistics);
    }

    /// What the shards need to go backward, from the parts' gradients of the [`vectors`](Self::vectors).
    fn merge_backward(&self, parts: &mut dyn Iterator<Item = &[F]>, whole: &mut Whole<F>) {
        let _ = (parts, whole);
    }

    /// With a [`reduction`](Self::reduction), dy becomes the gradient of the inputs in place.
    fn backward_merged(&self, params: &[F], inputs: &[&[F]], whole: &Whole<F>, dy: &mut [F]) {
        let _ = (params, inputs, whole, dy);
    }

    /// The running statistics that all these rows together would give.
    fn retake_statistics(&self, inputs: &[&[F]], statistics: &mut [F]) {
        let _ = (inputs, statistics);
    }

    /// The operation with its derivatives, to products with the Hessian.
    fn tangent(&self) -> Box<dyn Tangent>;
}

/// A forward pass of some rows. `inputs`, `y` and `kept` are rows × their widths.
pub(crate) struct Forward<'a, F> {
    /// All parameters of the network.
    pub params: &'a [F],
    pub inputs: &'a [&'a [F]],
    /// The output.
    pub y: &'a mut [F],
    /// For the backward pass; empty if none follows.
    pub kept: &'a mut [F],
    pub mode: Mode<'a, F>,
    pub scratch: &'a mut Scratch<F>,
}

/// What a forward pass is for.
#[derive(Clone, Copy)]
pub(crate) enum Mode<'a, F> {
    /// A step: random numbers are drawn, and what is reduced is that of the batch.
    Training { draw: Draw, whole: &'a Whole<F> },
    /// Prediction: nothing is drawn, and running statistics stand for those of a batch.
    Evaluation { statistics: &'a [F] },
}

/// Where the random numbers of an operation come from in a step.
#[derive(Clone, Copy)]
pub(crate) struct Draw {
    pub seed: u64,
    pub step: u64,
    /// The place in the batch of the first row at hand, so that a row's numbers do not depend on how the
    /// batch is cut.
    pub first_row: usize,
}

/// A backward pass of some rows.
pub(crate) struct Backward<'a, F> {
    /// All parameters of the network.
    pub params: &'a [F],
    pub inputs: &'a [&'a [F]],
    /// The output.
    pub y: &'a [F],
    pub kept: &'a [F],
    pub whole: &'a Whole<F>,
    /// The gradient of the output.
    pub dy: &'a mut [F],
    /// The gradients of the [`vectors`](Operation::vectors), summed over these rows.
    pub vectors: &'a mut [F],
}

/// How the gradient of the inputs is come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// That of every input is in the place of that of the output, behind the backward pass.
    InPlace,
    /// It is computed from what the backward pass leaves in that place, which is kept for the gradient of the
    /// weights.
    Apart,
}

/// A matrix of weights among the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    pub range: Range<usize>,
    pub columns: usize,
}

/// How much room what is reduced over a batch takes; zeros if nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reduction {
    /// What each part gives.
    pub part: usize,
    /// Sums over the batch.
    pub sums: usize,
    /// What the shards use.
    pub values: usize,
}

/// What is reduced over a batch.
#[derive(Clone, Debug)]
pub(crate) struct Whole<F> {
    /// The number of rows.
    pub count: f64,
    /// Sums over the batch; in which order they lie is the operation's affair, as it is of the values.
    pub sums: Vec<f64>,
    /// What the shards use.
    pub values: Vec<F>,
}

impl<F: Float> Whole<F> {
    pub fn new(reduction: Reduction) -> Self {
        Self { count: 0.0, sums: vec![0.0; reduction.sums], values: vec![F::zero(); reduction.values] }
    }
}
