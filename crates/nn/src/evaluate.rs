//! Going forward alone: in prediction, and where a network is fitted to data before or behind training.

use crate::graph::{Graph, Node};
use crate::op::{Forward, MOST_INPUTS, Mode};
use downhill_core::Buffer;
use downhill_core::Float;
use downhill_matmul::Scratch;

/// The buffers for going forward in evaluation mode, from node to node. Outputs that are used no more are
/// written over.
#[derive(Debug)]
pub(crate) struct Evaluation<F> {
    slots: Vec<Buffer<F>>,
    pub scratch: Scratch<F>,
}

impl<F: Float> Evaluation<F> {
    /// Buffers for batches of up to `rows` rows.
    pub fn new(graph: &Graph<F>, rows: usize) -> Self {
        let slots = graph.slots.iter().map(|width| Buffer::zeros(rows * width)).collect();
        Self { slots, scratch: Scratch::new() }
    }

    /// Makes room for batches of up to `rows` rows, if there is less.
    pub fn reserve(&mut self, graph: &Graph<F>, rows: usize) {
        for (slot, width) in self.slots.iter_mut().zip(&graph.slots) {
            if slot.len() < rows * width {
                *slot = Buffer::zeros(rows * width);
            }
        }
    }

    /// What a node reads of rows that have come as far as it, where `x` are the rows themselves.
    pub fn inputs<'a, 'r>(
        &'a self,
        graph: &Graph<F>,
        node: &Node<F>,
        x: &'a [F],
        room: &'r mut [&'a [F]; MOST_INPUTS],
    ) -> &'r [&'a [F]] {
        let rows = x.len() / graph.input.len();
        node.inputs(room, |edge| match edge.value {
            0 => x,
            value => &self.slots[graph.nodes[value - 1].slot][..rows * edge.width],
        })
    }

    /// Runs one node; the one in front has been run. The output of the last one goes to `out`.
    pub fn run(
        &mut self,
        graph: &Graph<F>,
        at: usize,
        (params, statistics): (&[F], &[F]),
        x: &[F],
        out: &mut [F],
    ) {
        let (node, rows) = (&graph.nodes[at], x.len() / graph.input.len());
        let (before, rest) = self.slots.split_at_mut(node.slot);
        let (slot, behind) = rest.split_first_mut().expect("every node has a slot");
        let y = if at + 1 == graph.nodes.len() { out } else { &mut slot[..rows * node.width] };
        let mut room = [&[][..]; MOST_INPUTS];
        let inputs = node.inputs(&mut room, |edge| match edge.value {
            0 => x,
            value => {
                let slot = graph.nodes[value - 1].slot;
                let buffer = if slot < node.slot { &before[slot] } else { &behind[slot - node.slot - 1] };
                &buffer[..rows * edge.width]
            }
        });
        let (kept, mode, scratch) = (&mut [][..], Mode::Evaluation { statistics }, &mut self.scratch);
        node.op.forward(Forward { params, inputs, y, kept, mode, scratch });
    }
}
