//! What one thread does with its rows, from gathering them to the gradient of the first layer's outputs.

use super::parts::Cut;
use super::span;
use crate::graph::{Graph, Node, Route};
use crate::loss::{Loss, Rows};
use crate::op::{Backward, Draw, Flow, Forward, MOST_INPUTS, Mode, Whole, add};
use crate::targets::Targets;
use downhill_core::Buffer;
use downhill_core::Float;
use downhill_core::simd::vectorised;
use downhill_core::threads::join;
use downhill_matmul::Scratch;
use std::ops::Range;

/// What all shards share in a step.
pub(super) struct Pass<'a, F> {
    pub graph: &'a Graph<F>,
    pub params: &'a [F],
    /// The parameters, one copy for each shard; none where all read the same.
    pub copies: &'a [Buffer<F>],
    /// What the outputs are compared by; if none, the way ends with them.
    pub goal: Option<Goal<'a, F>>,
    pub seed: u64,
    pub step: u64,
}

/// How the gradient of the outputs comes about.
#[derive(Clone, Copy)]
pub(super) struct Goal<'a, F> {
    pub loss: &'a Loss,
    /// The targets of all rows of the data set.
    pub targets: Targets<'a, F>,
    /// The weights of all rows of the data set, where they count differently.
    pub weights: Option<&'a [F]>,
    /// What the sum of the losses is multiplied by to be their mean.
    pub scale: F,
}

/// What one shard of a batch needs.
#[derive(Debug)]
pub(super) struct Shard<F> {
    /// Its place among the shards.
    index: usize,
    /// The number of rows in this step, and the place of the first in the batch.
    pub rows: usize,
    first: usize,
    /// Its parts in this step, and behind them those that others may have.
    pub parts: Vec<Part<F>>,
    classes: Vec<u32>,
    targets: Buffer<F>,
    weights: Buffer<F>,
    /// The values of the graph: the rows, and the outputs of every node.
    pub values: Vec<Buffer<F>>,
    /// What every node keeps for the backward pass.
    pub kept: Vec<Buffer<F>>,
    /// The gradient of the output of the node at hand, and room for that of an input.
    dy: Buffer<F>,
    dx: Buffer<F>,
    /// Of every node whose inputs' gradient is computed apart, what the backward pass left for that of its
    /// weights.
    pub deltas: Vec<Buffer<F>>,
    /// The gradients of the outputs of those nodes that collect them.
    collected: Vec<Buffer<F>>,
    /// The gradients of the outputs of every node, where they are traced.
    pub traced: Vec<Buffer<F>>,
    scratch: Scratch<F>,
}

/// What is summed over one part of a batch.
#[derive(Debug)]
pub(super) struct Part<F> {
    /// Its rows in the shard; empty if it has none in this step.
    pub rows: Range<usize>,
    /// What it gives to the whole batch, on the way forward.
    pub measured: Buffer<F>,
    /// The gradients of every node's vectors.
    pub vectors: Vec<Buffer<F>>,
    pub loss: f64,
}

/// The parts of this step, in their order.
pub(super) fn parts<F>(shards: &[Shard<F>]) -> impl Iterator<Item = &Part<F>> {
    shards.iter().flat_map(|shard| &shard.parts).filter(|part| !part.rows.is_empty())
}

/// Does the work for every shard, with a thread of the rayon pool for each.
pub(super) fn each<F: Float>(shards: &mut [Shard<F>], work: &(impl Fn(&mut Shard<F>) + Sync)) {
    match shards {
        [] => {}
        [shard] => work(shard),
        _ => {
            let (left, right) = shards.split_at_mut(shards.len() / 2);
            join(|| each(left, work), || each(right, work));
        }
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

impl<F: Float> Pass<'_, F> {
    /// The parameters for a shard.
    fn params(&self, shard: usize) -> &[F] {
        self.copies.get(shard).map_or(self.params, |copy| copy)
    }
}

impl<F: Float> Shard<F> {
    /// Buffers for up to `rows` rows in `parts` parts.
    pub fn new(index: usize, graph: &Graph<F>, rows: usize, parts: usize) -> Self {
        let zeros = Buffer::zeros;
        let nodes = &graph.nodes;
        let measured = nodes.iter().map(|node| node.reduction.part).max().unwrap_or(0);
        let part = || Part {
            rows: 0..0,
            measured: zeros(measured),
            vectors: nodes.iter().map(|node| zeros(node.vectors.len())).collect(),
            loss: 0.0,
        };
        // All as wide as the widest: they change places with `dy`.
        let widest = rows * graph.widest();
        let exchanged = |needs: fn(&Node<F>) -> bool| {
            nodes.iter().map(|node| zeros(if needs(node) { widest } else { 0 })).collect()
        };
        Self {
            index,
            rows: 0,
            first: 0,
            parts: (0..parts).map(|_| part()).collect(),
            classes: vec![0; rows * graph.members()],
            targets: zeros(rows * graph.members() * graph.output().len()),
            weights: zeros(rows * graph.members()),
            values: graph.widths().map(|width| zeros(rows * width)).collect(),
            kept: nodes.iter().map(|node| zeros(rows * node.kept)).collect(),
            dy: zeros(widest),
            dx: zeros(widest),
            deltas: exchanged(|node| node.flow == Flow::Apart),
            collected: exchanged(|node| node.collects),
            traced: Vec::new(),
            scratch: Scratch::new(),
        }
    }

    /// Takes the rows that are this shard's in a batch.
    pub fn take(&mut self, cut: Cut) {
        let rows = cut.rows(self.index);
        (self.first, self.rows) = (rows.start, rows.len());
        for (i, part) in self.parts.iter_mut().enumerate() {
            part.rows = cut.part_rows(self.index, i);
        }
    }

    /// Brings the shard's rows of the batch together, which are these of those in `x`.
    pub fn gather(&mut self, pass: &Pass<'_, F>, x: &[F], rows: &[u32]) {
        let rows = &rows[self.first..self.first + self.rows];
        gather(x, pass.graph.input.len(), rows, &mut self.values[0]);
        let members = pass.graph.members();
        if let Some(weights) = pass.goal.and_then(|goal| goal.weights) {
            for (to, &row) in self.weights.chunks_exact_mut(members).zip(rows) {
                to.fill(weights[row as usize]);
            }
        }
        match pass.goal.map(|goal| goal.targets) {
            None => {}
            Some(Targets::Classes(classes)) => {
                for (to, &row) in self.classes.chunks_exact_mut(members).zip(rows) {
                    to.fill(classes[row as usize]);
                }
            }
            Some(Targets::Values(values)) => {
                let width = pass.graph.output().len();
                if members == 1 {
                    return gather(values, width, rows, &mut self.targets);
                }
                for (to, &row) in self.targets.chunks_exact_mut(members * width).zip(rows) {
                    let values = &values[row as usize * width..][..width];
                    to.chunks_exact_mut(width).for_each(|to| to.copy_from_slice(values));
                }
            }
        }
    }

    /// Goes forward from this node on. Stops where the whole batch must be seen, with what is measured of the
    /// shard; at the end, if there is a goal, turns round and goes backward.
    pub fn forward(&mut self, pass: &Pass<'_, F>, from: usize, wholes: &[Whole<F>]) {
        for (at, node) in pass.graph.trained().iter().enumerate().skip(from) {
            if node.reduces() {
                let Self { parts, values, .. } = self;
                for Part { rows, measured, .. } in parts {
                    let mut room = [&[][..]; MOST_INPUTS];
                    let read = |value: usize, width| &values[value][span(rows, width)];
                    let inputs = node.inputs(&mut room, |edge| read(edge.value, edge.width));
                    node.op.measure(inputs, &mut measured[..node.reduction.part]);
                }
                return;
            }
            self.run(pass, at, node, wholes);
        }
        if let Some(goal) = &pass.goal {
            self.compare(pass, goal);
            self.backward(pass, pass.graph.trained().len(), wholes);
        }
    }

    /// The outputs of the shard's rows, and the rows' part of those of the batch.
    pub fn outputs<'b>(&self, graph: &Graph<F>, batch: &'b mut [F]) -> (&[F], &'b mut [F]) {
        let width = graph.members() * graph.output().len();
        let range = span(&(self.first..self.first + self.rows), width);
        (&self.values[graph.trained().len()][..self.rows * width], &mut batch[range])
    }

    /// Goes backward from the gradient of the batch's outputs.
    pub fn backward_given(&mut self, pass: &Pass<'_, F>, dy: &[F], wholes: &[Whole<F>]) {
        let width = pass.graph.members() * pass.graph.output().len();
        let dy = &dy[span(&(self.first..self.first + self.rows), width)];
        self.dy[..dy.len()].copy_from_slice(dy);
        self.backward(pass, pass.graph.trained().len(), wholes);
    }

    /// Goes on forward at a node for which the whole batch has been seen.
    pub fn forward_from(&mut self, pass: &Pass<'_, F>, at: usize, wholes: &[Whole<F>]) {
        self.run(pass, at, &pass.graph.nodes[at], wholes);
        self.forward(pass, at + 1, wholes);
    }

    /// Runs one node.
    fn run(&mut self, pass: &Pass<'_, F>, at: usize, node: &Node<F>, wholes: &[Whole<F>]) {
        let (before, rest) = self.values.split_at_mut(at + 1);
        let mut room = [&[][..]; MOST_INPUTS];
        let draw = Draw { seed: pass.seed, step: pass.step, first_row: self.first };
        node.op.forward(Forward {
            params: pass.params(self.index),
            inputs: node.inputs(&mut room, |edge| &before[edge.value][..self.rows * edge.width]),
            y: &mut rest[0][..self.rows * node.width],
            kept: &mut self.kept[at][..self.rows * node.kept],
            mode: Mode::Training { draw, whole: &wholes[at] },
            scratch: &mut self.scratch,
        });
    }

    /// The losses of the rows, and the gradient of the outputs. Of an ensemble, every member of a row is a row
    /// to the loss, and the row's loss is their mean.
    fn compare(&mut self, pass: &Pass<'_, F>, goal: &Goal<'_, F>) {
        let (width, members) = (pass.graph.output().len(), pass.graph.members());
        let outputs = &self.values[pass.graph.trained().len()];
        let scale = goal.scale / F::of(members as f64);
        for Part { rows, loss, .. } in &mut self.parts {
            let all = span(rows, members * width);
            let (outputs, dy) = (&outputs[all.clone()], &mut self.dy[all.clone()]);
            let targets = match goal.targets {
                Targets::Classes(_) => Targets::Classes(&self.classes[span(rows, members)]),
                Targets::Values(_) => Targets::Values(&self.targets[all]),
            };
            let of = Rows { outputs, width, targets };
            let loss_of_all = match goal.weights {
                None => goal.loss.gradient(of, scale, dy),
                Some(_) => goal.loss.weighted_gradient(of, &self.weights[span(rows, members)], scale, dy),
            };
            *loss = loss_of_all / members as f64;
        }
    }

    /// Goes backward from the outputs of the node before `end`. Stops where the whole batch must be seen,
    /// with the sums of the shard. Nodes whose gradient is not needed are left out.
    fn backward(&mut self, pass: &Pass<'_, F>, end: usize, wholes: &[Whole<F>]) {
        for (at, node) in pass.graph.nodes[..end].iter().enumerate().rev() {
            if !node.needed {
                continue;
            }
            if node.collects {
                std::mem::swap(&mut self.dy, &mut self.collected[at]);
            }
            if let Some(traced) = self.traced.get_mut(at) {
                let len = self.rows * node.width;
                traced[..len].copy_from_slice(&self.dy[..len]);
            }
            let Self { index, values, kept, dy, parts, .. } = self;
            let mut backward = |rows: &Range<usize>, vectors: &mut [F]| {
                let mut room = [&[][..]; MOST_INPUTS];
                node.op.backward(Backward {
                    params: pass.params(*index),
                    inputs: node.inputs(&mut room, |edge| &values[edge.value][span(rows, edge.width)]),
                    y: &values[at + 1][span(rows, node.width)],
                    kept: &kept[at][span(rows, node.kept)],
                    whole: &wholes[at],
                    dy: &mut dy[span(rows, node.width)],
                    vectors,
                });
            };
            if node.vectors.is_empty() {
                backward(&(0..self.rows), &mut []);
            } else {
                parts.iter_mut().for_each(|part| backward(&part.rows, &mut part.vectors[at]));
            }
            if node.reduces() {
                return;
            }
            self.pass_on(pass, at, node);
        }
    }

    /// Goes on backward at a node for which the whole batch has been seen.
    pub fn backward_from(&mut self, pass: &Pass<'_, F>, at: usize, wholes: &[Whole<F>]) {
        let (node, mut room) = (&pass.graph.nodes[at], [&[][..]; MOST_INPUTS]);
        if node.inputs.iter().any(|edge| edge.route != Route::Nowhere) {
            let inputs = node.inputs(&mut room, |edge| &self.values[edge.value][..self.rows * edge.width]);
            let dy = &mut self.dy[..self.rows * node.width];
            node.op.backward_merged(pass.params(self.index), inputs, &wholes[at], dy);
            self.pass_on(pass, at, node);
        }
        self.backward(pass, at, wholes);
    }

    /// Brings the gradients of a node's inputs to where they go.
    fn pass_on(&mut self, pass: &Pass<'_, F>, at: usize, node: &Node<F>) {
        let mut passed_on = false;
        // Backwards, as the routes were settled; what is passed on is that of the first input, and stays
        // where it is.
        for (i, edge) in node.inputs.iter().enumerate().rev() {
            if edge.route == Route::Nowhere {
                continue;
            }
            let len = self.rows * edge.width;
            let gradient = match node.flow {
                Flow::InPlace => &self.dy[..len],
                Flow::Apart => {
                    let dy = &self.dy[..self.rows * node.width];
                    let (params, dx) = (pass.params(self.index), &mut self.dx[..len]);
                    node.op.input_gradient(i, params, dy, dx, &mut self.scratch);
                    &self.dx[..len]
                }
            };
            match edge.route {
                Route::Nowhere => {}
                Route::On => passed_on = true,
                Route::Put => self.collected[edge.value - 1][..len].copy_from_slice(gradient),
                Route::Add => {
                    let sum = &mut self.collected[edge.value - 1][..len];
                    vectorised(
                        #[inline(always)]
                        || add(sum, gradient),
                    );
                }
            }
        }
        if node.flow == Flow::Apart {
            std::mem::swap(&mut self.dy, &mut self.deltas[at]);
            if passed_on {
                std::mem::swap(&mut self.dy, &mut self.dx);
            }
        }
    }
}
