//! One training step, and prediction, on buffers that are allocated once.
//!
//! A batch is cut into [parts](parts) by its size alone, and a thread has a [shard](shard) of them, on which
//! it goes all the way forward and back. What is computed of the whole batch (the loss, what operations
//! reduce over it, the gradients of vectors) is computed for each part, and put together in the parts' order.
//! Last come the gradients of the [weights](weights), each of whose elements is one sum over the rows of the
//! batch in their order; here the weights are what is cut for the threads. So the number of threads changes
//! no bit of the result. What the operations are, nothing here knows.

mod check;
mod copies;
mod parts;
mod shard;
mod weights;

pub(crate) use check::{check_batch, check_loss};
use check::{check_outputs, check_rows};

use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::graph::{Graph, Node};
use crate::inference::{BLOCK_ROWS, predict};
use crate::loss::Loss;
use crate::model::Model;
use crate::op::{Whole, add};
use crate::targets::Targets;
use crate::trace::Trace;
use copies::spread;
use downhill_core::Buffer;
use downhill_core::Float;
use downhill_core::threads::awake;
use parts::{Cut, largest_shard, part_count, useful_threads};
use shard::{Goal, Pass, Shard, each, parts};
use std::ops::Range;
use std::sync::Arc;
use weights::weight_gradients;

/// Each shard has its own copy of up to so many parameters: more do not stay in the caches of the cores
/// anyway.
const COPIED: usize = 1 << 20;

/// Some rows of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, F> {
    /// The inputs of all rows of the data set, row by row.
    pub x: &'a [F],
    /// The targets of all rows of the data set.
    pub targets: Targets<'a, F>,
    /// Which of them the batch consists of; a row may come more than once.
    pub rows: &'a [u32],
}

/// The buffers of a training step.
#[derive(Debug)]
pub struct Workspace<F> {
    /// What they are for.
    graph: Arc<Graph<F>>,
    shards: Vec<Shard<F>>,
    /// The parameters, one copy for each shard; none where all read those of the model.
    copies: Vec<Buffer<F>>,
    /// What every node reduces over the batch.
    wholes: Vec<Whole<F>>,
    gradient: Buffer<F>,
    /// What each thread needs to predict, or for the gradients of weights.
    lanes: Vec<Evaluation<F>>,
    max_batch: usize,
    /// The number of rows that have gone forward and can go back; 0 if none have.
    forwarded: usize,
}

/// How many of the shards of a step have a copy of the parameters: all or none.
fn copied<F>(shards: &[Shard<F>], copies: &[Buffer<F>]) -> usize {
    if shards.len() > 1 { shards.len().min(copies.len()) } else { 0 }
}

/// The rest of the way back, which the shards have gone as far as they could, each for itself; and the
/// gradient.
fn finish<F: Float>(
    pass: &Pass<'_, F>,
    shards: &mut [Shard<F>],
    wholes: &mut [Whole<F>],
    gradient: &mut [F],
    lanes: &mut [Evaluation<F>],
) {
    let graph = pass.graph;
    for (at, node) in graph.reducing().rev().filter(|(_, node)| node.needed) {
        node.op.merge_backward(&mut parts(shards).map(|part| &part.vectors[at][..]), &mut wholes[at]);
        if graph.nodes[..at].iter().any(|node| node.needed) {
            each(shards, &|shard| shard.backward_from(pass, at, wholes));
        }
    }

    for (at, node) in graph.nodes.iter().enumerate() {
        let whole = &mut gradient[node.vectors.clone()];
        whole.copy_from_slice(&shards[0].parts[0].vectors[at]);
        parts(shards).skip(1).for_each(|part| add(whole, &part.vectors[at]));
    }
    weight_gradients(graph, shards, gradient, 0, lanes);
}

/// Where the values of these rows are, of which each has so many.
fn span(rows: &Range<usize>, width: usize) -> Range<usize> {
    rows.start * width..rows.end * width
}

impl<F: Float> Workspace<F> {
    /// Buffers for steps on batches of up to `max_batch` rows with models of this model's description.
    ///
    /// If `parallel`, work is spread over the threads of the rayon pool that a call comes from; the results
    /// are the same bit for bit.
    pub fn new(model: &Model<F>, max_batch: usize, parallel: bool) -> Self {
        let (graph, parameters) = (model.graph(), model.params().len());
        let threads = if parallel { rayon::current_num_threads() } else { 1 };
        let (parts, rows) = largest_shard(max_batch, parameters, threads);
        let shards = part_count(max_batch).min(useful_threads(max_batch, parameters, threads));
        let copies = if parameters <= COPIED && shards > 1 { shards } else { 0 };
        Self {
            graph: Arc::clone(graph),
            shards: (0..shards).map(|index| Shard::new(index, graph, rows, parts)).collect(),
            copies: vec![Buffer::zeros(parameters); copies],
            wholes: graph.nodes.iter().map(|node| Whole::new(node.reduction)).collect(),
            gradient: Buffer::zeros(parameters),
            lanes: (0..threads).map(|_| Evaluation::new(graph, BLOCK_ROWS)).collect(),
            max_batch,
            forwarded: 0,
        }
    }

    /// The gradient of the mean loss over a batch, which [`gradient`](Self::gradient) then gives; returns
    /// that mean.
    ///
    /// The model is in training mode: batch normalisation takes the moments of the batch, and updates the
    /// running statistics; dropout draws by `seed` and `step`. Nothing is allocated.
    ///
    /// # Errors
    ///
    /// If the batch is empty or larger than the workspace, the workspace is for another model, or inputs,
    /// targets, rows and loss do not fit the model or each other. Nothing is changed then.
    pub fn gradients(
        &mut self,
        model: &mut Model<F>,
        batch: &Batch<'_, F>,
        loss: &Loss,
        seed: u64,
        step: u64,
    ) -> Result<f64, Error> {
        self.weighted_gradients(model, batch, None, loss, seed, step)
    }

    /// The same where the rows count differently: the gradient of Σ wᵢ·ℓᵢ / Σ wᵢ over the batch. `weights` has
    /// one for each row of the data set, finite and at least 0; without them, every row counts 1. A row of
    /// weight 2 counts as two rows, but batch normalisation and dropout see it once.
    ///
    /// # Errors
    ///
    /// As [`gradients`](Self::gradients), or if the weights are not that.
    pub fn weighted_gradients(
        &mut self,
        model: &mut Model<F>,
        batch: &Batch<'_, F>,
        weights: Option<&[F]>,
        loss: &Loss,
        seed: u64,
        step: u64,
    ) -> Result<f64, Error> {
        self.check(model)?;
        check_batch(model, batch, self.max_batch)?;
        let weight = check_loss(model, batch, weights, loss)?;
        // A batch whose every row has weight 0 asks for no change.
        let scale = if weight > 0.0 { 1.0 / weight } else { 0.0 };
        let threads = self.threads(batch.rows.len());
        let goal = Some(Goal { loss, targets: batch.targets, weights, scale: F::of(scale) });
        awake(threads, || self.pass(model, batch.x, batch.rows, goal, seed, step));
        let shards = &self.shards[..Cut::new(batch.rows.len(), threads).shards()];
        Ok(parts(shards).map(|part| part.loss).sum::<f64>() * scale)
    }

    /// The first half of a step with a loss of one's own: the outputs for some rows of those in `x`, rows ×
    /// [outputs in training](Model::training_outputs), into `out`. [`backward`](Self::backward) is the second.
    ///
    /// The model is in training mode, as in [`gradients`](Self::gradients). Nothing is allocated.
    ///
    /// ```
    /// use downhill_nn::{LayerSpec, Model, Workspace};
    ///
    /// let layers: [LayerSpec; 1] = ["dense(1, bias=false)".parse().unwrap()];
    /// let mut model = Model::<f64>::build(&layers, 1, 7)?;
    /// model.params_mut()[0] = 0.5;
    /// let mut workspace = Workspace::new(&model, 2, false);
    /// let (mut y, mut dy) = ([0.0; 2], [0.0; 2]);
    /// workspace.forward(&mut model, &[1.0, 4.0, 3.0], &[0, 2], 0, 0, &mut y)?;
    /// assert_eq!(y, [0.5, 1.5]);
    /// // Of ln cosh(y − 1), the derivative is tanh(y − 1); the mean is over two rows.
    /// dy.iter_mut().zip(y).for_each(|(dy, y)| *dy = (y - 1.0).tanh() / 2.0);
    /// workspace.backward(&model, &dy)?;
    /// assert!((workspace.gradient()[0] - (dy[0] + 3.0 * dy[1])).abs() < 1e-12);
    /// # Ok::<(), downhill_nn::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there are no rows or more than the workspace has room for, the workspace is for another model, or
    /// inputs, rows and `out` do not fit the model or each other. Nothing is changed then.
    pub fn forward(
        &mut self,
        model: &mut Model<F>,
        x: &[F],
        rows: &[u32],
        seed: u64,
        step: u64,
        out: &mut [F],
    ) -> Result<(), Error> {
        self.check(model)?;
        check_rows(model, x, rows, self.max_batch)?;
        check_outputs(model, rows.len(), out.len())?;
        let threads = self.threads(rows.len());
        awake(threads, || self.pass(model, x, rows, None, seed, step));
        self.forwarded = rows.len();
        for shard in &self.shards[..Cut::new(rows.len(), threads).shards()] {
            let (outputs, out) = shard.outputs(&self.graph, out);
            out.copy_from_slice(outputs);
        }
        Ok(())
    }

    /// The second half of a step with a loss of one's own: the gradient of the parameters, given that of the
    /// outputs, `dy`, for the rows of the last [`forward`](Self::forward), as many as there: that of Σ dy·y.
    /// [`gradient`](Self::gradient) then gives it.
    ///
    /// The parameters must be what they were. It may be called again, with another `dy`. Nothing is
    /// allocated.
    ///
    /// # Errors
    ///
    /// If the last step was not begun by [`forward`](Self::forward), the workspace is for another model, or
    /// `dy` is of another length. Nothing is changed then.
    pub fn backward(&mut self, model: &Model<F>, dy: &[F]) -> Result<(), Error> {
        self.check(model)?;
        if self.forwarded == 0 {
            return Err(Error::Data("there is no way back: `forward` comes first".into()));
        }
        check_outputs(model, self.forwarded, dy.len())?;
        let threads = self.threads(self.forwarded);
        awake(threads, || {
            let shards = &mut self.shards[..Cut::new(self.forwarded, threads).shards()];
            let copies = &self.copies[..copied(shards, &self.copies)];
            // Nothing is drawn on the way back.
            let (graph, params) = (model.graph(), model.params());
            let pass = Pass { graph, params, copies, goal: None, seed: 0, step: 0 };
            let wholes = &mut self.wholes;
            each(shards, &|shard| shard.backward_given(&pass, dy, wholes));
            finish(&pass, shards, wholes, &mut self.gradient, &mut self.lanes[..threads]);
        });
        Ok(())
    }

    /// The gradient of the parameters, given that of the outputs, `dy`, beforehand:
    /// [`forward`](Self::forward) for all the rows in `x`, and [`backward`](Self::backward).
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn backpropagate(
        &mut self,
        model: &mut Model<F>,
        x: &[F],
        dy: &[F],
        seed: u64,
        step: u64,
    ) -> Result<(), Error> {
        self.check(model)?;
        let rows: Vec<u32> = (0..(x.len() / model.inputs()) as u32).collect();
        check_rows(model, x, &rows, self.max_batch)?;
        check_outputs(model, rows.len(), dy.len())?;
        awake(self.threads(rows.len()), || self.pass(model, x, &rows, None, seed, step));
        self.forwarded = rows.len();
        self.backward(model, dy)
    }

    /// The number of threads that a step on `rows` rows uses.
    fn threads(&self, rows: usize) -> usize {
        useful_threads(rows, self.gradient.len(), self.lanes.len())
    }

    /// Goes forward, and, if there is a goal, backward.
    fn pass(
        &mut self,
        model: &mut Model<F>,
        x: &[F],
        rows: &[u32],
        goal: Option<Goal<'_, F>>,
        seed: u64,
        step: u64,
    ) {
        self.forwarded = 0;
        let threads = self.threads(rows.len());
        let cut = Cut::new(rows.len(), threads);
        // Those without rows in this step must know that too.
        self.shards.iter_mut().for_each(|shard| shard.take(cut));
        let shards = &mut self.shards[..cut.shards()];
        let copied = copied(shards, &self.copies);
        let copies = &mut self.copies[..copied];
        let (graph, params, statistics) = model.parts_mut();
        if !copies.is_empty() {
            spread(params, copies);
        }
        let pass = Pass { graph, params, copies, goal, seed, step };

        let wholes = &mut self.wholes;
        each(shards, &|shard| {
            shard.gather(&pass, x, rows);
            shard.forward(&pass, 0, wholes);
        });
        // What must see the whole batch needs all shards at once, on the way forward and on the way back.
        for (at, node) in graph.reducing() {
            let (whole, len) = (&mut wholes[at], node.reduction.part);
            node.op.merge(
                &mut parts(shards).map(|part| (part.rows.len(), &part.measured[..len])),
                whole,
                statistics,
            );
            each(shards, &|shard| shard.forward_from(&pass, at, wholes));
        }
        if pass.goal.is_some() {
            finish(&pass, shards, wholes, &mut self.gradient, &mut self.lanes[..threads]);
        }
    }

    /// The gradient of the last step, in the layout of the model's parameters.
    pub fn gradient(&self) -> &[F] {
        &self.gradient
    }

    /// The gradient of the last step, to clip it or to add to it.
    pub fn gradient_mut(&mut self) -> &mut [F] {
        &mut self.gradient
    }

    /// Begins to keep what [`trace`](Self::trace) shows; it costs memory, and time to copy.
    pub fn tracing(mut self) -> Self {
        for shard in &mut self.shards {
            shard.traced = shard.values[1..].to_vec();
        }
        self
    }

    /// What the layers did in the last step, in their order: to see dead and saturated units and what becomes
    /// of signals on their way. Nothing, unless the workspace is [`tracing`](Self::tracing).
    ///
    /// A dense layer and the activation behind it are one. Layers that have no parameters and none in front
    /// of them are left out: no gradient comes to them.
    ///
    /// # Errors
    ///
    /// If the workspace is for another model.
    pub fn trace(&self, model: &Model<F>) -> Result<Vec<Trace<F>>, Error> {
        self.check(model)?;
        let nodes = model.graph().trained().iter().enumerate().filter(|(_, node)| node.needed);
        let trace = |(at, node): (usize, &Node<F>)| {
            let mut trace = Trace::new(node);
            for shard in self.shards.iter().filter(|shard| !shard.traced.is_empty()) {
                let (len, kept) = (shard.rows * node.width, shard.rows * node.kept);
                let (y, dy) = (&shard.values[at + 1][..len], &shard.traced[at][..len]);
                trace.extend(y, &shard.kept[at][..kept], dy);
            }
            trace
        };
        Ok(nodes.map(trace).filter(|trace| !trace.outputs.is_empty()).collect())
    }

    /// The outputs for rows of inputs, into `out`, rows × outputs: logits for classes, values for regression.
    ///
    /// The model is in evaluation mode: batch normalisation takes the running statistics, dropout does
    /// nothing. There may be any number of rows; they are worked on in blocks, cut by their number alone.
    ///
    /// # Errors
    ///
    /// If the workspace is for another model, or the lengths of `x` and `out` do not fit it or each other.
    pub fn predict(&mut self, model: &Model<F>, x: &[F], out: &mut [F]) -> Result<(), Error> {
        self.check(model)?;
        predict(&mut self.lanes, model, x, out)
    }

    /// Whether this is a workspace for such a model.
    fn check(&self, model: &Model<F>) -> Result<(), Error> {
        let graph = model.graph();
        if Arc::ptr_eq(&self.graph, graph) || self.graph.is_like(graph) {
            Ok(())
        } else {
            Err(Error::Data("the workspace was made for another model".into()))
        }
    }
}
