//! Products of the loss's Hessian with vectors, exact.
//!
//! The Hessian of a loss L in the parameters p is too large to be written down, but H·v, the derivative of
//! the gradient along v, costs about as much as two gradients: every step of the forward and of the backward
//! pass is differentiated along v with the step itself (forward over reverse). Pearlmutter, "Fast Exact
//! Multiplication by the Hessian" (1994). Nothing is approximated; ∂ means the derivative along v. Every
//! operation brings its own derivatives ([`Tangent`]); here they are only strung together.

use crate::error::Error;
use crate::graph::Edge;
use crate::loss::{Loss, Rows};
use crate::model::Model;
use crate::op::add;
use crate::step::{Batch, check_batch, check_loss};
use crate::targets::Targets;
use downhill_core::Float;
use downhill_matmul::Scratch;
use std::fmt::Debug;

/// An operation at some rows, with what its derivatives are made of. `forward` is called first, then
/// `backward`, and for each product `forward_along` and `backward_along`.
///
/// An input that is the same whatever the parameters are does not move: its ∂ is no numbers at all.
pub(crate) trait Tangent: Debug + Send + Sync {
    /// The output, from the parameters and the inputs.
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], scratch: &mut Scratch<f64>) -> Vec<f64>;

    /// From the gradient of the output: those of the inputs, no numbers for one that is not wanted; the
    /// gradient of the operation's own parameters is added to `gradient`.
    fn backward(
        &mut self,
        params: &[f64],
        dy: Vec<f64>,
        wanted: &[bool],
        gradient: &mut [f64],
        scratch: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>>;

    /// ∂ of the output along `v`, from ∂ of the inputs.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        scratch: &mut Scratch<f64>,
    ) -> Vec<f64>;

    /// From ∂ of the gradient of the output: ∂ of those of the inputs, no numbers for one that is not wanted;
    /// ∂ of the gradient of the operation's own parameters is added to `out`.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        moved_dy: Vec<f64>,
        wanted: &[bool],
        out: &mut [f64],
        scratch: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>>;
}

/// The Hessian of the mean loss of some rows at a model's parameters, in `f64`.
///
/// The model is in training mode, but nothing is dropped: batch normalisation takes the moments of these
/// rows, whose dependence on the parameters counts, and dropout passes everything on. What has a kink (ReLU,
/// leaky ReLU, the absolute error, the ends of Huber's parabola) has no curvature there: its second
/// derivative is taken on one side, as automatic differentiation does.
///
/// It holds about four numbers for every output of every layer and row.
///
/// ```
/// use downhill_nn::{Batch, Hessian, LayerSpec, Loss, Model, Targets};
///
/// // (w·x − t)² over the rows x = 1 and x = 3 has the second derivative 2·(1 + 9)/2.
/// let layers: [LayerSpec; 1] = ["dense(1, bias=false)".parse().unwrap()];
/// let model = Model::<f32>::build(&layers, 1, 7)?;
/// let batch = Batch { x: &[1.0, 3.0], targets: Targets::Values(&[0.5, 0.5]), rows: &[0, 1] };
/// let mut product = [0.0];
/// Hessian::new(&model, &batch, &"mse".parse::<Loss>().unwrap())?.product(&[1.0], &mut product);
/// assert_eq!(product, [10.0]);
/// # Ok::<(), downhill_nn::Error>(())
/// ```
#[derive(Debug)]
pub struct Hessian {
    params: Vec<f64>,
    steps: Vec<Step>,
    outputs: Vec<f64>,
    width: usize,
    classes: Vec<u32>,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    loss: Loss,
    scale: f64,
    gradient: Vec<f64>,
    scratch: Scratch<f64>,
}

/// One node of the graph.
#[derive(Debug)]
struct Step {
    tangent: Box<dyn Tangent>,
    /// The values that are its inputs, as they are counted in the graph.
    inputs: Vec<usize>,
    /// Of which inputs the gradient is wanted: of those that move.
    wanted: Vec<bool>,
    /// Whether the output moves.
    moves: bool,
}

impl Hessian {
    /// The Hessian of the mean loss of a batch of any size.
    ///
    /// # Errors
    ///
    /// If the batch is empty, or inputs, targets, rows and loss do not fit the model or each other.
    pub fn new<F: Float>(model: &Model<F>, batch: &Batch<'_, F>, loss: &Loss) -> Result<Self, Error> {
        Self::weighted(model, batch, None, loss)
    }

    /// The same where the rows count differently, as in
    /// [`weighted_gradients`](crate::Workspace::weighted_gradients).
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), or if there is not one weight for each row of the data set, finite and at least 0.
    pub fn weighted<F: Float>(
        model: &Model<F>,
        batch: &Batch<'_, F>,
        weights: Option<&[F]>,
        loss: &Loss,
    ) -> Result<Self, Error> {
        check_batch(model, batch, usize::MAX)?;
        let weight = check_loss(model, batch, weights, loss)?;
        let wide = |values: &[F]| values.iter().map(|x| x.f64()).collect::<Vec<f64>>();
        let gathered = |values: &[F], width: usize| -> Vec<f64> {
            batch.rows.iter().flat_map(|&row| wide(&values[row as usize * width..][..width])).collect()
        };
        let (members, width) = (model.graph().members(), model.outputs());
        let (classes, values) = match batch.targets {
            Targets::Classes(classes) => {
                let class = |&row: &u32| std::iter::repeat_n(classes[row as usize], members);
                (batch.rows.iter().flat_map(class).collect(), vec![])
            }
            Targets::Values(values) => {
                let rows = gathered(values, width);
                (vec![], rows.chunks(width).flat_map(|row| row.repeat(members)).collect())
            }
        };
        let nodes = model.graph().trained();
        let moves = |edge: &Edge| edge.value > 0 && nodes[edge.value - 1].needed;
        let steps = nodes.iter().map(|node| Step {
            tangent: node.op.tangent(),
            inputs: node.inputs.iter().map(|edge| edge.value).collect(),
            wanted: node.inputs.iter().map(moves).collect(),
            moves: node.needed,
        });
        let mut hessian = Self {
            params: wide(model.params()),
            steps: steps.collect(),
            outputs: Vec::new(),
            width,
            classes,
            values,
            weights: weights.map(|weights| gathered(weights, 1)),
            loss: loss.clone(),
            scale: if weight > 0.0 { 1.0 / (weight * members as f64) } else { 0.0 },
            gradient: vec![0.0; model.params().len()],
            scratch: Scratch::new(),
        };
        hessian.forward(gathered(batch.x, model.inputs()));
        hessian.backward();
        Ok(hessian)
    }

    /// The gradient of the mean loss.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn rows(&self) -> Rows<'_, f64> {
        let Self { outputs, width, classes, values, .. } = self;
        let targets = if values.is_empty() { Targets::Classes(classes) } else { Targets::Values(values) };
        Rows { outputs, width: *width, targets }
    }

    /// Goes forward through all rows; every step keeps what products need.
    fn forward(&mut self, x: Vec<f64>) {
        let mut values = Values::new(x, &self.steps);
        for step in &mut self.steps {
            let y = step.tangent.forward(&self.params, &values.of(&step.inputs), &mut self.scratch);
            values.push(y, &step.inputs);
        }
        self.outputs = values.last();
    }

    /// Goes backward; every step keeps the gradients that products need.
    fn backward(&mut self) {
        let mut dy = vec![0.0; self.outputs.len()];
        match &self.weights {
            None => self.loss.gradient(self.rows(), self.scale, &mut dy),
            Some(weights) => self.loss.weighted_gradient(self.rows(), weights, self.scale, &mut dy),
        };
        let Self { steps, params, gradient, scratch, .. } = self;
        let mut gradients = Gradients::new(steps.len(), dy);
        for (at, step) in steps.iter_mut().enumerate().rev().filter(|(_, step)| step.moves) {
            let dy = gradients.take(at);
            let dx = step.tangent.backward(params, dy, &step.wanted, gradient, scratch);
            gradients.add(step, dx);
        }
    }

    /// `out` = H·`v`.
    ///
    /// # Panics
    ///
    /// If they are not as long as the parameters.
    pub fn product(&mut self, v: &[f64], out: &mut [f64]) {
        assert_eq!(v.len(), self.params.len(), "as many numbers as parameters");
        out.fill(0.0);
        let moved = self.forward_along(v);
        self.backward_along(v, moved, out);
    }

    /// ∂ of the outputs.
    fn forward_along(&mut self, v: &[f64]) -> Vec<f64> {
        let mut moved = Values::new(Vec::new(), &self.steps);
        for step in &mut self.steps {
            let y = if step.moves {
                step.tangent.forward_along(&self.params, v, &moved.of(&step.inputs), &mut self.scratch)
            } else {
                Vec::new()
            };
            moved.push(y, &step.inputs);
        }
        moved.last()
    }

    /// From ∂ of the outputs to ∂ of the gradient.
    fn backward_along(&mut self, v: &[f64], mut moved: Vec<f64>, out: &mut [f64]) {
        if moved.is_empty() {
            return; // nothing has parameters
        }
        match &self.weights {
            None => self.loss.gradient_tangent(self.rows(), self.scale, &mut moved),
            Some(weights) => {
                self.loss.weighted_gradient_tangent(self.rows(), weights, self.scale, &mut moved);
            }
        }
        let Self { steps, params, scratch, .. } = self;
        let mut gradients = Gradients::new(steps.len(), moved);
        for (at, step) in steps.iter().enumerate().rev().filter(|(_, step)| step.moves) {
            let moved_dy = gradients.take(at);
            let moved_dx = step.tangent.backward_along(params, v, moved_dy, &step.wanted, out, scratch);
            gradients.add(step, moved_dx);
        }
    }
}

/// The values of the graph on the way forward, each as long as it is used.
struct Values {
    values: Vec<Vec<f64>>,
    /// How often each is still to be used.
    uses: Vec<usize>,
}

impl Values {
    fn new(x: Vec<f64>, steps: &[Step]) -> Self {
        let mut uses = vec![0; steps.len() + 1];
        steps.iter().flat_map(|step| &step.inputs).for_each(|&value| uses[value] += 1);
        Self { values: vec![x], uses }
    }

    fn of(&self, inputs: &[usize]) -> Vec<&[f64]> {
        inputs.iter().map(|&value| &self.values[value][..]).collect()
    }

    /// Adds what has been made of these inputs.
    fn push(&mut self, y: Vec<f64>, inputs: &[usize]) {
        for &value in inputs {
            self.uses[value] -= 1;
            if self.uses[value] == 0 {
                self.values[value] = Vec::new();
            }
        }
        self.values.push(y);
    }

    fn last(mut self) -> Vec<f64> {
        self.values.pop().unwrap_or_default()
    }
}

/// The gradients of the outputs of all steps on the way back, as far as they are known.
struct Gradients(Vec<Vec<f64>>);

impl Gradients {
    fn new(steps: usize, last: Vec<f64>) -> Self {
        let mut gradients = vec![Vec::new(); steps];
        gradients[steps - 1] = last;
        Self(gradients)
    }

    fn take(&mut self, at: usize) -> Vec<f64> {
        std::mem::take(&mut self.0[at])
    }

    /// Adds the gradients of a step's inputs to what the steps behind it gave.
    fn add(&mut self, step: &Step, gradients: Vec<Vec<f64>>) {
        let wanted = step.inputs.iter().zip(&step.wanted).zip(gradients).filter(|((_, wanted), _)| **wanted);
        for ((&value, _), gradient) in wanted {
            let sum = &mut self.0[value - 1];
            if sum.is_empty() {
                *sum = gradient;
            } else {
                add(sum, &gradient);
            }
        }
    }
}
