//! The statistics of batch normalisation, taken anew for weights that were not trained with them.

use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::model::Model;
use crate::op::MOST_INPUTS;
use downhill_core::Float;
use std::sync::Arc;

impl<F: Float> Model<F> {
    /// Replaces the running statistics of batch normalisation by the moments of these rows of inputs, from
    /// the first layer to the last, without dropout: for averaged weights, which the running statistics were
    /// not taken with. A model without batch normalisation stays as it is.
    ///
    /// A function of the weights and the rows, computed on one thread. Izmailov et al., "Averaging Weights
    /// Leads to Wider Optima and Better Generalization" (2018), section 3.2; as PyTorch's `update_bn`, with
    /// all rows as one batch.
    ///
    /// # Errors
    ///
    /// If `x` is empty or not whole rows.
    pub fn retake_statistics(&mut self, x: &[F]) -> Result<(), Error> {
        let rows = self.whole_rows(x)?;
        let graph = Arc::clone(self.graph());
        let Some((last, _)) = graph.reducing().next_back() else { return Ok(()) };
        let mut evaluation = Evaluation::new(&graph, rows);
        for (at, node) in graph.nodes[..last + 1].iter().enumerate() {
            let (_, params, statistics) = self.parts_mut();
            let mut room = [&[][..]; MOST_INPUTS];
            node.op.retake_statistics(evaluation.inputs(&graph, node, x, &mut room), statistics);
            if at < last {
                evaluation.run(&graph, at, (params, statistics), x, &mut []);
            }
        }
        Ok(())
    }
}
