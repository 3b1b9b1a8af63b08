//! The gradients of the weights, which the threads share among them by cutting the weights.

use super::shard::Shard;
use crate::evaluate::Evaluation;
use crate::graph::{Graph, Node};
use crate::op::Weight;
use downhill_core::Float;
use downhill_core::threads::join;

/// Weights are cut where this many rows of them end: all tiles of a product but the last are whole.
const WHOLE_TILES: usize = 24;

/// The gradients of the weights among the parameters from `begin` on, shared among the lanes. Each element is
/// one sum over the rows of the batch in their order.
pub(super) fn weight_gradients<F: Float>(
    graph: &Graph<F>,
    shards: &[Shard<F>],
    gradient: &mut [F],
    begin: usize,
    lanes: &mut [Evaluation<F>],
) {
    if let [lane] = lanes {
        for (at, node, weight) in weighted(graph) {
            let from = weight.range.start.max(begin);
            let to = weight.range.end.min(begin + gradient.len());
            if from >= to {
                continue;
            }
            let row = |place: usize| (place - weight.range.start) / weight.columns;
            let (rows, edge) = (row(from)..row(to), &node.inputs[0]);
            let gradient = &mut gradient[from - begin..to - begin];
            for (i, shard) in shards.iter().enumerate() {
                let x = &shard.values[edge.value][..shard.rows * edge.width];
                let dy = &shard.deltas[at][..shard.rows * node.width];
                node.op.weight_gradient(rows.clone(), x, dy, gradient, i > 0, &mut lane.scratch);
            }
        }
        return;
    }
    let (left, right) = lanes.split_at_mut(lanes.len() / 2);
    let middle = begin + gradient.len() * left.len() / (left.len() + right.len());
    let middle = cut(graph, middle).clamp(begin, begin + gradient.len());
    let (before, behind) = gradient.split_at_mut(middle - begin);
    join(
        || weight_gradients(graph, shards, before, begin, left),
        || weight_gradients(graph, shards, behind, middle, right),
    );
}

/// The nodes with weights, with their places.
fn weighted<F>(graph: &Graph<F>) -> impl Iterator<Item = (usize, &Node<F>, &Weight)> {
    let nodes = graph.nodes.iter().enumerate();
    nodes.filter_map(|(at, node)| node.weight.as_ref().map(|weight| (at, node, weight)))
}

/// A place near this one at which no row of weights is cut.
fn cut<F>(graph: &Graph<F>, place: usize) -> usize {
    let mut weights = weighted(graph).map(|(_, _, weight)| weight);
    let Some(Weight { range, columns }) = weights.find(|weight| weight.range.contains(&place)) else {
        return place;
    };
    let row = (place - range.start) / columns;
    (range.start + row.next_multiple_of(WHOLE_TILES) * columns).min(range.end)
}
