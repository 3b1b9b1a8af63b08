//! One training step, and prediction, on buffers that are allocated once.
//!
//! A batch is cut into *parts* by its size alone. A *shard* is the parts of one thread; it is worked on from the gathering
//! of its rows back to the gradient of its first layer's outputs on its own buffers. What is computed of the whole batch
//! (the moments of batch normalisation, the loss, the gradients of biases) is computed for each part, and added up in the
//! parts' order. Last come the gradients of the weights, each of whose elements is one sum over the rows of the batch in
//! their order; here the weights are what is cut for the threads. So the number of threads changes no bit of the result.

use crate::copies::spread;
use crate::error::Error;
use crate::layer::{BatchMoments, BatchNormOp, DenseOp, Draw, add};
use crate::loss::Loss;
use crate::model::{Model, Node, Op};
use crate::targets::Targets;
use crate::trace::Trace;
use downhill_core::Buffer;
use downhill_core::Float;
use downhill_core::threads::{awake, join};
use downhill_matmul::Scratch;
use rayon::prelude::*;
use std::ops::Range;

/// A part has about as many rows, if the batch has them.
const PART_ROWS: usize = 16;

/// There are not more parts than this, and so not more shards.
const MAX_PARTS: usize = 16;

/// Each shard has its own copy of up to so many parameters: more do not stay in the caches of the cores anyway.
const COPIED: usize = 1 << 20;

/// How many rows are predicted at once.
const BLOCK_ROWS: usize = 128;

/// Weights are cut where this many rows of them end: all tiles of a product but the last are whole.
const WHOLE_TILES: usize = 24;

/// So many multiplications, a third of those of a step, are worth a thread.
const SPLIT: usize = 1 << 18;

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
    shards: Vec<Shard<F>>,
    /// The parameters, one copy for each shard; none where all read those of the model.
    copies: Vec<Buffer<F>>,
    /// One for each batch normalisation, in order.
    moments: Vec<BatchMoments<F>>,
    gradient: Buffer<F>,
    lanes: Vec<Lane<F>>,
    max_batch: usize,
    widths: Vec<usize>,
    parameters: usize,
}

/// What one shard of a batch needs.
#[derive(Debug)]
struct Shard<F> {
    /// Its place among the shards.
    index: usize,
    /// The number of rows in this step, and the place of the first in the batch.
    rows: usize,
    first: usize,
    /// Its parts in this step, and behind them those that others may have.
    parts: Vec<Part<F>>,
    x: Buffer<F>,
    classes: Vec<u32>,
    values: Buffer<F>,
    /// The outputs of every node.
    outputs: Vec<Buffer<F>>,
    /// What every node keeps for the backward pass.
    kept: Vec<Buffer<F>>,
    /// The gradient of the outputs of the node at hand, and room for that of its inputs.
    dy: Buffer<F>,
    dx: Buffer<F>,
    /// Of every dense node, the gradient of its outputs before the activation; empty for other nodes.
    deltas: Vec<Buffer<F>>,
    /// The gradients of the outputs of every node, where they are traced.
    traced: Vec<Buffer<F>>,
    scratch: Scratch<F>,
}

/// What is summed over one part of a batch.
#[derive(Debug)]
struct Part<F> {
    /// Its rows in the shard; empty if it has none in this step.
    rows: Range<usize>,
    /// The moments, on the way to those of the batch.
    means: Buffer<F>,
    squares: Buffer<F>,
    /// The gradients of every node's parameters beside the weights.
    vectors: Vec<Buffer<F>>,
    loss: f64,
}

/// What one thread needs to predict, or for the gradients of weights.
#[derive(Debug)]
struct Lane<F> {
    from: Buffer<F>,
    to: Buffer<F>,
    scratch: Scratch<F>,
}

/// What all shards share in a step.
struct Pass<'a, F> {
    nodes: &'a [Node],
    params: &'a [F],
    copies: &'a [Buffer<F>],
    batch: &'a Batch<'a, F>,
    inputs: usize,
    outputs: usize,
    /// What the outputs are compared with the targets by; if none, the targets are the gradients of the outputs.
    loss: Option<&'a Loss>,
    /// What the sum of the losses is multiplied by to be their mean.
    scale: F,
    seed: u64,
    step: u64,
    /// The first node with parameters: in front of it, no gradient is needed.
    first_trained: usize,
}

/// Into how many parts so many rows are cut.
fn part_count(rows: usize) -> usize {
    (rows / PART_ROWS).clamp(1, MAX_PARTS)
}

/// How many of these threads a step on so many rows is worth.
fn useful_threads(rows: usize, parameters: usize, threads: usize) -> usize {
    (rows.saturating_mul(parameters) / SPLIT).clamp(1, threads)
}

/// The parts of this step, in their order.
fn parts<F>(shards: &[Shard<F>]) -> impl Iterator<Item = &Part<F>> {
    shards.iter().flat_map(|shard| &shard.parts).filter(|part| !part.rows.is_empty())
}

/// Does the work for every shard, with a thread of the rayon pool for each.
fn each<F: Float>(shards: &mut [Shard<F>], work: &(impl Fn(&mut Shard<F>) + Sync)) {
    match shards {
        [] => {}
        [shard] => work(shard),
        _ => {
            let (left, right) = shards.split_at_mut(shards.len() / 2);
            join(|| each(left, work), || each(right, work));
        }
    }
}

impl<F: Float> Workspace<F> {
    /// Buffers for steps on batches of up to `max_batch` rows with models of this model's description.
    ///
    /// If `parallel`, work is spread over the threads of the rayon pool that a call comes from; the results are the
    /// same bit for bit.
    pub fn new(model: &Model<F>, max_batch: usize, parallel: bool) -> Self {
        let parameters = model.params().len();
        let threads = if parallel { rayon::current_num_threads() } else { 1 };
        // The parts and the rows of the largest shard: a smaller batch may have fewer threads.
        let (mut together, mut largest) = (0, 0);
        for rows in 1..=max_batch {
            let parts = part_count(rows);
            let most = parts.div_ceil(useful_threads(rows, parameters, threads));
            together = most.max(together);
            largest = (most * rows.div_ceil(parts)).max(largest);
        }
        let shards = part_count(max_batch).min(useful_threads(max_batch, parameters, threads));
        let copies = if parameters <= COPIED && shards > 1 { shards } else { 0 };
        let norms = model.nodes().iter().filter_map(|node| match &node.op {
            Op::BatchNorm(op) => Some(BatchMoments::new(op.width)),
            _ => None,
        });
        let widest = widths(model).max().unwrap_or(0);
        Self {
            shards: (0..shards).map(|index| Shard::new(index, model, largest, together)).collect(),
            copies: vec![Buffer::zeros(parameters); copies],
            moments: norms.collect(),
            gradient: Buffer::zeros(parameters),
            lanes: (0..threads).map(|_| Lane::new(widest)).collect(),
            max_batch,
            widths: widths(model).collect(),
            parameters,
        }
    }

    /// The gradient of the mean loss over a batch, which [`gradient`](Self::gradient) then gives; returns that mean.
    ///
    /// The model is in training mode: batch normalisation takes the moments of the batch, and updates the running
    /// statistics; dropout draws by `seed` and `step`. Nothing is allocated.
    ///
    /// # Errors
    ///
    /// If the batch is empty or larger than the workspace, the workspace is for another model, or inputs, targets,
    /// rows and loss do not fit the model or each other. Nothing is changed then.
    pub fn gradients(
        &mut self,
        model: &mut Model<F>,
        batch: &Batch<'_, F>,
        loss: &Loss,
        seed: u64,
        step: u64,
    ) -> Result<f64, Error> {
        self.check(model)?;
        check_batch(model, batch, self.max_batch)?;
        let weight = check_loss(model, batch, loss)?;
        // A batch whose every class has weight 0 asks for no change.
        let scale = if weight > 0.0 { 1.0 / weight } else { 0.0 };
        let threads = self.threads(batch.rows.len());
        let sum = awake(threads, || self.pass(model, batch, Some(loss), scale, seed, step));
        Ok(sum * scale)
    }

    /// The gradient of the parameters, given that of the outputs: of Σ dy·y, where y are the outputs for the rows `x`.
    /// [`gradient`](Self::gradient) then gives it.
    ///
    /// It is for those who have a loss of their own, or none. `x` is rows × inputs and `dy` rows × outputs. The model is
    /// in training mode, as in [`gradients`](Self::gradients).
    ///
    /// # Errors
    ///
    /// As [`gradients`](Self::gradients).
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
        let batch = Batch { x, targets: Targets::Values(dy), rows: &rows };
        check_batch(model, &batch, self.max_batch)?;
        awake(self.threads(rows.len()), || self.pass(model, &batch, None, 1.0, seed, step));
        Ok(())
    }

    /// How many threads a step on so many rows takes.
    fn threads(&self, rows: usize) -> usize {
        useful_threads(rows, self.parameters, self.lanes.len())
    }

    /// Divides the rows of a step among the shards and their parts; returns how many shards have some.
    fn cut(&mut self, rows: usize) -> usize {
        let count = part_count(rows);
        let taken = count.min(self.threads(rows));
        for (i, shard) in self.shards.iter_mut().enumerate() {
            // Those behind the last of this step have no rows.
            let part = |shard: usize| (count * shard / taken).min(count);
            let row = |part: usize| rows * part.min(count) / count;
            shard.first = row(part(i));
            shard.rows = row(part(i + 1)) - shard.first;
            for (j, to) in shard.parts.iter_mut().enumerate() {
                let begin = (part(i) + j).min(part(i + 1));
                let end = (begin + 1).min(part(i + 1));
                to.rows = row(begin) - shard.first..row(end) - shard.first;
            }
        }
        taken
    }

    /// Goes forward and backward, and returns the sum of the losses.
    fn pass(
        &mut self,
        model: &mut Model<F>,
        batch: &Batch<'_, F>,
        loss: Option<&Loss>,
        scale: f64,
        seed: u64,
        step: u64,
    ) -> f64 {
        let taken = self.cut(batch.rows.len());
        let threads = self.threads(batch.rows.len());
        let shards = &mut self.shards[..taken];
        let copied = if taken > 1 { taken.min(self.copies.len()) } else { 0 };
        let copies = &mut self.copies[..copied];
        let (inputs, outputs) = (model.inputs(), model.outputs());
        let (nodes, params, statistics) = model.parts_mut();
        if !copies.is_empty() {
            spread(params, copies);
        }
        let first_trained = nodes.iter().position(Node::is_trained).unwrap_or(nodes.len());
        let pass = Pass {
            nodes,
            params,
            copies,
            batch,
            inputs,
            outputs,
            loss,
            scale: F::of(scale),
            seed,
            step,
            first_trained,
        };

        let moments = &mut self.moments;
        each(shards, &|shard| {
            shard.gather(&pass);
            shard.forward(&pass, 0, moments);
        });
        // Every batch normalisation needs all shards at once, on the way forward and on the way back.
        for (at, op) in norms(nodes) {
            let whole = &mut moments[op.index];
            whole.clear();
            for part in parts(shards) {
                whole.merge(part.rows.len(), &part.means[..op.width], &part.squares[..op.width]);
            }
            whole.finish(op, statistics);
            each(shards, &|shard| shard.forward_from_norm(&pass, at, op, moments));
        }
        for (at, op) in norms(nodes).rev() {
            moments[op.index].merge_backward(op, parts(shards).map(|part| &part.vectors[at][..]));
            if at > first_trained {
                each(shards, &|shard| shard.backward_from_norm(&pass, at, op, moments));
            }
        }

        for (at, node) in nodes.iter().enumerate() {
            let whole = &mut self.gradient[node.vectors()];
            whole.copy_from_slice(&shards[0].parts[0].vectors[at]);
            parts(shards).skip(1).for_each(|part| add(whole, &part.vectors[at]));
        }
        let shards = &*shards;
        pass.weight_gradients(shards, &mut self.gradient, 0, &mut self.lanes[..threads]);
        parts(shards).map(|part| part.loss).sum()
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
            shard.traced.clone_from(&shard.outputs);
        }
        self
    }

    /// What the layers did in the last step, in their order: to see dead and saturated units and what becomes of
    /// signals on their way. Nothing, unless the workspace is [`tracing`](Self::tracing).
    ///
    /// A dense layer and the activation behind it are one. Layers in front of the first that has parameters are left
    /// out: no gradient comes to them.
    ///
    /// # Errors
    ///
    /// If the workspace is for another model.
    pub fn trace(&self, model: &Model<F>) -> Result<Vec<Trace<F>>, Error> {
        self.check(model)?;
        let nodes = model.nodes().iter().enumerate().skip_while(|(_, node)| !node.is_trained());
        let trace = |(at, node): (usize, &Node)| {
            let mut trace = Trace::new(node);
            for shard in self.shards.iter().filter(|shard| !shard.traced.is_empty()) {
                let (len, kept) = (shard.rows * node.outputs, shard.rows * node.kept());
                trace.extend(&shard.outputs[at][..len], &shard.kept[at][..kept], &shard.traced[at][..len]);
            }
            trace
        };
        Ok(nodes.map(trace).filter(|trace| !trace.outputs.is_empty()).collect())
    }

    /// The outputs for rows of inputs, into `out`, rows × outputs: logits for classes, values for regression.
    ///
    /// The model is in evaluation mode: batch normalisation takes the running statistics, dropout does nothing. There
    /// may be any number of rows; they are worked on in blocks, cut by their number alone.
    ///
    /// # Errors
    ///
    /// If the workspace is for another model, or the lengths of `x` and `out` do not fit it or each other.
    pub fn predict(&mut self, model: &Model<F>, x: &[F], out: &mut [F]) -> Result<(), Error> {
        self.check(model)?;
        let (inputs, outputs) = (model.inputs(), model.outputs());
        let rows = x.len() / inputs;
        if x.len() != rows * inputs || out.len() != rows * outputs {
            let (x, out) = (x.len(), out.len());
            let reason = format!("{x} inputs and {out} outputs do not fit rows of {inputs} and {outputs}");
            return Err(Error::Data(reason));
        }
        // Every lane takes a run of whole blocks.
        let run = rows.div_ceil(BLOCK_ROWS).div_ceil(self.lanes.len()) * BLOCK_ROWS;
        if run == 0 {
            return Ok(());
        }
        let work = |((lane, x), out): ((&mut Lane<F>, &[F]), &mut [F])| {
            let blocks = x.chunks(BLOCK_ROWS * inputs).zip(out.chunks_mut(BLOCK_ROWS * outputs));
            blocks.for_each(|(x, out)| lane.predict(model, x, out));
        };
        if rows > run {
            let lanes = self.lanes.par_iter_mut();
            lanes.zip(x.par_chunks(run * inputs)).zip(out.par_chunks_mut(run * outputs)).for_each(work);
        } else {
            work(((&mut self.lanes[0], x), out));
        }
        Ok(())
    }

    /// Whether this is a workspace for such a model.
    fn check(&self, model: &Model<F>) -> Result<(), Error> {
        if widths(model).eq(self.widths.iter().copied()) && model.params().len() == self.parameters {
            Ok(())
        } else {
            Err(Error::Data("the workspace was made for another model".into()))
        }
    }
}

/// Whether this is a batch of at most so many rows for such a model.
pub(crate) fn check_batch<F: Float>(
    model: &Model<F>,
    batch: &Batch<'_, F>,
    most: usize,
) -> Result<(), Error> {
    let (inputs, outputs) = (model.inputs(), model.outputs());
    let error = |reason| Err(Error::Data(reason));
    let all = batch.x.len() / inputs;
    if batch.x.len() != all * inputs {
        return error(format!("{} inputs are not rows of {inputs}", batch.x.len()));
    }
    let wanted = match batch.targets {
        Targets::Classes(_) => all,
        Targets::Values(_) => all * outputs,
    };
    if batch.targets.len() != wanted {
        return error(format!("{all} rows need {wanted} targets, not {}", batch.targets.len()));
    }
    if batch.rows.is_empty() || batch.rows.len() > most {
        return error(format!("a batch has 1 to {most} rows here, not {}", batch.rows.len()));
    }
    if let Some(row) = batch.rows.iter().find(|&&row| row as usize >= all) {
        return error(format!("row {row} does not exist: there are {all}"));
    }
    Ok(())
}

/// Whether a loss goes with a batch; if so, what the sum of its losses is to be divided by.
pub(crate) fn check_loss<F: Float>(
    model: &Model<F>,
    batch: &Batch<'_, F>,
    loss: &Loss,
) -> Result<f64, Error> {
    let outputs = model.outputs();
    loss.accepts(outputs, batch.targets)?;
    if let Targets::Classes(classes) = batch.targets {
        loss.accepts_classes(outputs, batch.rows.iter().map(|&row| classes[row as usize]))?;
    }
    Ok(loss.batch_weight(outputs, batch.targets, batch.rows))
}

/// The numbers of inputs and of every node's outputs.
fn widths<F: Float>(model: &Model<F>) -> impl Iterator<Item = usize> {
    std::iter::once(model.inputs()).chain(model.nodes().iter().map(|node| node.outputs))
}

/// The batch normalisations, with their places among the nodes.
fn norms(nodes: &[Node]) -> impl DoubleEndedIterator<Item = (usize, &BatchNormOp)> {
    nodes.iter().enumerate().filter_map(|(at, node)| match &node.op {
        Op::BatchNorm(op) => Some((at, op)),
        _ => None,
    })
}

impl<F: Float> Pass<'_, F> {
    /// The parameters for a shard.
    fn params(&self, shard: usize) -> &[F] {
        self.copies.get(shard).map_or(self.params, |copy| copy)
    }

    /// How many inputs a node has.
    fn width(&self, at: usize) -> usize {
        if at == 0 { self.inputs } else { self.nodes[at - 1].outputs }
    }

    /// The dense nodes, with their places among the nodes.
    fn dense(&self) -> impl Iterator<Item = (usize, &DenseOp)> {
        self.nodes.iter().enumerate().filter_map(|(at, node)| match &node.op {
            Op::Dense(op) => Some((at, op)),
            _ => None,
        })
    }

    /// The gradients of the weights among the parameters from `begin` on, shared among the lanes.
    fn weight_gradients(&self, shards: &[Shard<F>], gradient: &mut [F], begin: usize, lanes: &mut [Lane<F>]) {
        if let [lane] = lanes {
            for (at, op) in self.dense() {
                let from = op.weight.start.max(begin);
                let to = op.weight.end.min(begin + gradient.len());
                if from >= to {
                    continue;
                }
                let rows = (from - op.weight.start) / op.outputs..(to - op.weight.start) / op.outputs;
                let gradient = &mut gradient[from - begin..to - begin];
                for (i, shard) in shards.iter().enumerate() {
                    let (x, dy) = (shard.inputs(self, at), &shard.deltas[at][..shard.rows * op.outputs]);
                    op.weight_gradient(rows.clone(), x, dy, gradient, i > 0, &mut lane.scratch);
                }
            }
            return;
        }
        let (left, right) = lanes.split_at_mut(lanes.len() / 2);
        let middle = begin + gradient.len() * left.len() / (left.len() + right.len());
        let middle = self.cut(middle).clamp(begin, begin + gradient.len());
        let (before, behind) = gradient.split_at_mut(middle - begin);
        join(
            || self.weight_gradients(shards, before, begin, left),
            || self.weight_gradients(shards, behind, middle, right),
        );
    }

    /// A place near this one at which no row of weights is cut.
    fn cut(&self, place: usize) -> usize {
        let mut dense = self.dense().map(|(_, op)| op);
        let Some(op) = dense.find(|op| op.weight.contains(&place)) else { return place };
        let row = (place - op.weight.start) / op.outputs;
        (op.weight.start + row.next_multiple_of(WHOLE_TILES) * op.outputs).min(op.weight.end)
    }
}

/// Brings rows of a data set together.
///
/// Some are copied side by side, piece by piece: far memory answers several requests as soon as one.
fn gather<F: Copy>(all: &[F], width: usize, rows: &[u32], to: &mut [F]) {
    const TOGETHER: usize = 8;
    const PIECE: usize = 64;
    for (to, rows) in to.chunks_mut(TOGETHER * width).zip(rows.chunks(TOGETHER)) {
        for begin in (0..width).step_by(PIECE) {
            let piece = begin..(begin + PIECE).min(width);
            for (to, &row) in to.chunks_exact_mut(width).zip(rows) {
                to[piece.clone()].copy_from_slice(&all[row as usize * width..][piece.clone()]);
            }
        }
    }
}

/// Where the values of these rows are, of which each has so many.
fn span(rows: &Range<usize>, width: usize) -> Range<usize> {
    rows.start * width..rows.end * width
}

impl<F: Float> Shard<F> {
    fn new(index: usize, model: &Model<F>, rows: usize, parts: usize) -> Self {
        let zeros = Buffer::zeros;
        let widest = widths(model).max().unwrap_or(0);
        let part = || Part {
            rows: 0..0,
            means: zeros(widest),
            squares: zeros(widest),
            vectors: model.nodes().iter().map(|node| zeros(node.vectors().len())).collect(),
            loss: 0.0,
        };
        // All as wide as the widest: they change places with `dy`.
        let delta = |node: &Node| zeros(if matches!(node.op, Op::Dense(_)) { rows * widest } else { 0 });
        Self {
            index,
            rows: 0,
            first: 0,
            parts: (0..parts).map(|_| part()).collect(),
            x: zeros(rows * model.inputs()),
            classes: vec![0; rows],
            values: zeros(rows * model.outputs()),
            outputs: model.nodes().iter().map(|node| zeros(rows * node.outputs)).collect(),
            kept: model.nodes().iter().map(|node| zeros(rows * node.kept())).collect(),
            dy: zeros(rows * widest),
            dx: zeros(rows * widest),
            deltas: model.nodes().iter().map(delta).collect(),
            traced: Vec::new(),
            scratch: Scratch::new(),
        }
    }

    /// The inputs of a node.
    fn inputs(&self, pass: &Pass<'_, F>, at: usize) -> &[F] {
        &self.outputs[..at].last().unwrap_or(&self.x)[..self.rows * pass.width(at)]
    }

    /// Brings the shard's rows of the batch together.
    fn gather(&mut self, pass: &Pass<'_, F>) {
        let rows = &pass.batch.rows[self.first..self.first + self.rows];
        gather(pass.batch.x, pass.inputs, rows, &mut self.x);
        match pass.batch.targets {
            Targets::Classes(classes) => {
                for (to, &row) in self.classes.iter_mut().zip(rows) {
                    *to = classes[row as usize];
                }
            }
            Targets::Values(values) => gather(values, pass.outputs, rows, &mut self.values),
        }
    }

    /// Goes forward from this node on. Stops at a batch normalisation, with the moments of the shard; at the end,
    /// turns round and goes backward.
    fn forward(&mut self, pass: &Pass<'_, F>, from: usize, moments: &[BatchMoments<F>]) {
        for (at, node) in pass.nodes.iter().enumerate().skip(from) {
            let (before, rest) = self.outputs.split_at_mut(at);
            let x = &before.last().unwrap_or(&self.x)[..self.rows * pass.width(at)];
            let y = &mut rest[0][..self.rows * node.outputs];
            let kept = &mut self.kept[at][..self.rows * node.kept()];
            match &node.op {
                Op::Dense(op) => op.forward(pass.params(self.index), x, y, kept, &mut self.scratch),
                Op::Activation(op) => {
                    y.copy_from_slice(x);
                    op.forward(None, y, kept);
                }
                Op::Dropout(op) => {
                    let draw = Draw { seed: pass.seed, step: pass.step, first_row: self.first };
                    op.forward(draw, x, y, kept);
                }
                Op::LayerNorm(op) => op.forward(pass.params(self.index), x, y, kept),
                Op::BatchNorm(op) => {
                    for Part { rows, means, squares, .. } in &mut self.parts {
                        let x = &x[span(rows, op.width)];
                        op.moments(x, &mut means[..op.width], &mut squares[..op.width]);
                    }
                    return;
                }
            }
        }
        self.compare(pass);
        self.backward(pass, pass.nodes.len(), moments);
    }

    /// Goes on forward at a batch normalisation, from the moments of the batch.
    fn forward_from_norm(
        &mut self,
        pass: &Pass<'_, F>,
        at: usize,
        op: &BatchNormOp,
        moments: &[BatchMoments<F>],
    ) {
        let (before, rest) = self.outputs.split_at_mut(at);
        let x = &before.last().unwrap_or(&self.x)[..self.rows * op.width];
        let y = &mut rest[0][..self.rows * op.width];
        op.forward(pass.params(self.index), &moments[op.index], x, y);
        self.forward(pass, at + 1, moments);
    }

    /// The losses of the rows, and the gradient of the outputs.
    fn compare(&mut self, pass: &Pass<'_, F>) {
        let width = pass.outputs;
        for Part { rows, loss, .. } in &mut self.parts {
            let outputs = &self.outputs[pass.nodes.len() - 1][span(rows, width)];
            let dy = &mut self.dy[span(rows, width)];
            let values = &self.values[span(rows, width)];
            let targets = match pass.batch.targets {
                Targets::Classes(_) => Targets::Classes(&self.classes[rows.clone()]),
                Targets::Values(_) => Targets::Values(values),
            };
            *loss = match pass.loss {
                Some(loss) => loss.gradient(outputs, width, targets, pass.scale, dy),
                None => {
                    dy.copy_from_slice(values);
                    0.0
                }
            };
        }
    }

    /// Goes backward from the outputs of the node before `end`. Stops at a batch normalisation, with the sums of the
    /// shard, and at the first node that has parameters.
    fn backward(&mut self, pass: &Pass<'_, F>, end: usize, moments: &[BatchMoments<F>]) {
        for at in (pass.first_trained..end).rev() {
            let node = &pass.nodes[at];
            let inputs = self.rows * pass.width(at);
            let y = &self.outputs[at][..self.rows * node.outputs];
            let kept = &self.kept[at][..self.rows * node.kept()];
            let dy = &mut self.dy[..self.rows * node.outputs];
            if let Some(traced) = self.traced.get_mut(at) {
                traced[..dy.len()].copy_from_slice(dy);
            }
            let rows_kept = node.kept();
            match &node.op {
                Op::Dense(op) => {
                    for Part { rows, vectors, .. } in &mut self.parts {
                        let (y, kept) = (&y[span(rows, op.outputs)], &kept[span(rows, rows_kept)]);
                        let dy = &mut dy[span(rows, op.outputs)];
                        op.backward(y, kept, dy, &mut vectors[at]);
                    }
                    let needed = at > pass.first_trained;
                    if needed {
                        op.input_gradient(
                            pass.params(self.index),
                            dy,
                            &mut self.dx[..inputs],
                            &mut self.scratch,
                        );
                    }
                    std::mem::swap(&mut self.dy, &mut self.deltas[at]);
                    if needed {
                        std::mem::swap(&mut self.dy, &mut self.dx);
                    }
                }
                Op::Activation(op) => op.backward(if kept.is_empty() { y } else { kept }, dy),
                Op::Dropout(op) => op.backward(kept, dy),
                Op::LayerNorm(op) => {
                    for Part { rows, vectors, .. } in &mut self.parts {
                        let dy = &mut dy[span(rows, node.outputs)];
                        op.backward(
                            pass.params(self.index),
                            &kept[span(rows, rows_kept)],
                            dy,
                            &mut vectors[at],
                        );
                    }
                }
                Op::BatchNorm(op) => {
                    let x = &self.outputs[..at].last().unwrap_or(&self.x)[..inputs];
                    for Part { rows, vectors, .. } in &mut self.parts {
                        let (x, dy) = (&x[span(rows, op.width)], &dy[span(rows, op.width)]);
                        op.backward_sums(&moments[op.index], x, dy, &mut vectors[at]);
                    }
                    return;
                }
            }
        }
    }

    /// Goes on backward at a batch normalisation, from the sums of the batch.
    fn backward_from_norm(
        &mut self,
        pass: &Pass<'_, F>,
        at: usize,
        op: &BatchNormOp,
        moments: &[BatchMoments<F>],
    ) {
        let len = self.rows * op.width;
        let x = &self.outputs[..at].last().unwrap_or(&self.x)[..len];
        op.backward(pass.params(self.index), &moments[op.index], x, &mut self.dy[..len]);
        self.backward(pass, at, moments);
    }
}

impl<F: Float> Lane<F> {
    fn new(widest: usize) -> Self {
        let zeros = || Buffer::zeros(BLOCK_ROWS * widest);
        Self { from: zeros(), to: zeros(), scratch: Scratch::new() }
    }

    /// The outputs for a block of rows.
    fn predict(&mut self, model: &Model<F>, x: &[F], out: &mut [F]) {
        let rows = x.len() / model.inputs();
        let (params, statistics, last) = (model.params(), model.statistics(), model.nodes().len() - 1);
        let mut width = model.inputs();
        for (at, node) in model.nodes().iter().enumerate() {
            let x = if at == 0 { x } else { &self.from[..rows * width] };
            let y = if at == last { &mut *out } else { &mut self.to[..rows * node.outputs] };
            node.predict(params, statistics, x, y, &mut self.scratch);
            std::mem::swap(&mut self.from, &mut self.to);
            width = node.outputs;
        }
    }
}
