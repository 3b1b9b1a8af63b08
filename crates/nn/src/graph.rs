//! The graph of a network: a list of nodes whose inputs are the rows of the data or the outputs of earlier
//! nodes.
//!
//! Everything that can be known before there are rows is settled here: which operations are run as one, where
//! a gradient is needed, in which order the gradients of an output that is used more than once are summed,
//! and which buffers prediction can use again. It knows no operation by name.

mod fuse;
mod plan;

pub(crate) use plan::{Initial, Plan, Site};

use crate::error::Error;
use crate::op::{Flow, MOST_INPUTS, Operation, Reduction, Weight};
use crate::shape::Shape;
use downhill_core::Float;
use std::ops::Range;
use std::sync::Arc;

/// The nodes of a network, in the order in which they are run. The output of the last is that of the network.
///
/// Values are counted from 0: value 0 is the rows of the data, value i + 1 the output of node i.
#[derive(Clone, Debug)]
pub(crate) struct Graph<F> {
    pub input: Shape,
    pub nodes: Vec<Node<F>>,
    /// The widths of the buffers that prediction needs.
    pub slots: Vec<usize>,
}

/// An operation in its place, with all that the step must know of it.
#[derive(Clone, Debug)]
pub(crate) struct Node<F> {
    pub op: Arc<dyn Operation<F>>,
    /// Its place in the description; of operations that are run as one, that of the first.
    pub position: usize,
    pub inputs: Vec<Edge>,
    pub shape: Shape,
    /// The number of values of its output for each row.
    pub width: usize,
    /// The number of values that it keeps for each row.
    pub kept: usize,
    pub vectors: Range<usize>,
    pub weight: Option<Weight>,
    pub reduction: Reduction,
    pub flow: Flow,
    /// Whether the gradient of its output is needed: it or something in front of it has parameters.
    pub needed: bool,
    /// Whether the gradient of its output is collected from where the output is used, instead of being passed
    /// on by the node behind it.
    pub collects: bool,
    /// Where prediction puts its output.
    pub slot: usize,
}

/// One input of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Which value.
    pub value: usize,
    pub width: usize,
    pub route: Route,
}

/// Where the gradient of an input goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Nowhere: it is not needed.
    Nowhere,
    /// On to the node in front, which made this value for this input alone.
    On,
    /// To where the gradients of the value are collected, as the first of them.
    Put,
    /// To where the gradients of the value are collected, added to those of the nodes behind.
    Add,
}

/// An operation in its place, before the passes over the whole graph.
struct Draft<F> {
    op: Arc<dyn Operation<F>>,
    position: usize,
    /// The values that are its inputs.
    inputs: Vec<usize>,
    shape: Shape,
}

impl<F: Float> Graph<F> {
    fn new(input: Shape, drafts: Vec<Draft<F>>) -> Self {
        let mut widths = vec![input.len()];
        let mut nodes: Vec<Node<F>> = Vec::new();
        for Draft { op, position, inputs, shape } in drafts {
            let edge = |value| Edge { value, width: widths[value], route: Route::Nowhere };
            let inputs: Vec<Edge> = inputs.into_iter().map(edge).collect();
            let (width, vectors, weight) = (shape.len(), op.vectors(), op.weight());
            let in_front = |edge: &Edge| edge.value > 0 && nodes[edge.value - 1].needed;
            let needed = !vectors.is_empty() || weight.is_some() || inputs.iter().any(in_front);
            let (kept, reduction, flow) = (op.kept(), op.reduction(), op.flow());
            let (collects, slot) = (false, 0);
            widths.push(width);
            nodes.push(Node {
                op,
                position,
                inputs,
                shape,
                width,
                kept,
                vectors,
                weight,
                reduction,
                flow,
                needed,
                collects,
                slot,
            });
        }
        let mut graph = Self { input, nodes, slots: Vec::new() };
        graph.route();
        graph.assign_slots();
        graph
    }

    /// Settles where every gradient goes. Those of a value that is used more than once are summed from its
    /// last use to its first.
    fn route(&mut self) {
        let mut uses = vec![0; self.nodes.len() + 1];
        for edge in self.nodes.iter().flat_map(|node| &node.inputs) {
            uses[edge.value] += 1;
        }
        for at in (0..self.nodes.len()).rev() {
            let (before, rest) = self.nodes.split_at_mut(at);
            for edge in rest[0].inputs.iter_mut().rev() {
                let Some(source) = edge.value.checked_sub(1).map(|source| &mut before[source]) else {
                    continue;
                };
                edge.route = match (source.needed, source.collects) {
                    (false, _) => Route::Nowhere,
                    (true, true) => Route::Add,
                    (true, false) if edge.value == at && uses[edge.value] == 1 => Route::On,
                    (true, false) => {
                        source.collects = true;
                        Route::Put
                    }
                };
            }
        }
    }

    /// Settles where prediction puts the output of each node: where nothing lies that is still to be used.
    fn assign_slots(&mut self) {
        let last = self.nodes.len() - 1;
        // The last node that uses each value, and what lies in each slot.
        let mut last_uses = vec![last; self.nodes.len() + 1];
        for (at, node) in self.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|edge| last_uses[edge.value] = at);
        }
        let mut used_until: Vec<usize> = Vec::new();
        for at in 0..self.nodes.len() {
            // That of the last node goes to the caller.
            let width = if at == last { 0 } else { self.nodes[at].width };
            let slot = used_until.iter().position(|&last| last < at).unwrap_or_else(|| {
                used_until.push(0);
                self.slots.push(0);
                used_until.len() - 1
            });
            used_until[slot] = last_uses[at + 1];
            self.slots[slot] = width.max(self.slots[slot]);
            self.nodes[at].slot = slot;
        }
    }

    /// The widths of all values.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.input.len()).chain(self.nodes.iter().map(|node| node.width))
    }

    /// The widest of all values.
    pub fn widest(&self) -> usize {
        self.widths().max().unwrap_or(0)
    }

    /// The nodes that training goes through: all, or, where the last averages members, all but that.
    pub fn trained(&self) -> &[Node<F>] {
        match self.nodes.split_last() {
            Some((last, trained)) if last.op.averages().is_some() => trained,
            _ => &self.nodes,
        }
    }

    /// The number of members whose outputs are averaged; 1 if none are. Each has as many outputs as the graph.
    pub fn members(&self) -> usize {
        self.nodes.last().and_then(|last| last.op.averages()).unwrap_or(1)
    }

    /// The shape of the output of the last node.
    pub fn output(&self) -> &Shape {
        self.nodes.last().map_or(&self.input, |node| &node.shape)
    }

    /// Whether every operation that reads the data can take these rows of it.
    ///
    /// # Errors
    ///
    /// If one cannot.
    pub fn accepts(&self, x: &[F], rows: impl Iterator<Item = usize> + Clone) -> Result<(), Error> {
        for node in self.nodes.iter().filter(|node| node.inputs[0].value == 0) {
            node.op.accepts(x, &mut rows.clone()).map_err(Error::Data)?;
        }
        Ok(())
    }

    /// The nodes that reduce something over the whole batch, with their places.
    pub fn reducing(&self) -> impl DoubleEndedIterator<Item = (usize, &Node<F>)> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.reduces())
    }

    /// Whether buffers for one of the two are buffers for the other.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |(a, b): (&Node<F>, &Node<F>)| {
            (a.width, a.kept, &a.vectors, &a.weight) == (b.width, b.kept, &b.vectors, &b.weight)
                && (&a.inputs, a.reduction, a.flow) == (&b.inputs, b.reduction, b.flow)
        };
        self.input == other.input
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(same)
    }
}

impl<F> Node<F> {
    /// Whether it reduces something over the whole batch.
    pub fn reduces(&self) -> bool {
        self.reduction != Reduction::default()
    }

    /// What is read for each of the inputs, in `room`.
    pub fn inputs<'a, 'r>(
        &self,
        room: &'r mut [&'a [F]; MOST_INPUTS],
        read: impl Fn(&Edge) -> &'a [F],
    ) -> &'r [&'a [F]] {
        for (to, edge) in room.iter_mut().zip(&self.inputs) {
            *to = read(edge);
        }
        &room[..self.inputs.len()]
    }
}
