//! Prediction, on buffers that are allocated once.

use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::graph::Graph;
use crate::model::Model;
use downhill_core::Float;
use rayon::prelude::*;
use std::sync::Arc;

/// How many rows are predicted at once.
pub(crate) const BLOCK_ROWS: usize = 128;

/// What predictions need besides the model: the buffers that rows go through, a few hundred rows' worth.
///
/// [`Workspace::predict`](crate::Workspace::predict) gives the same outputs, bit for bit, and carries what a
/// training step needs besides.
///
/// ```
/// use downhill_nn::{Inference, LayerSpec, Model};
///
/// let layers = ["dense(16)", "relu", "dense(3)"].map(|spec| spec.parse::<LayerSpec>().unwrap());
/// let model = Model::<f32>::build(&layers, 2, 7)?;
/// let mut inference = Inference::new(&model, false);
/// let mut outputs = [0.0; 6];
/// inference.predict(&model, &[0.0, 1.0, 1.0, 0.0], &mut outputs)?;
/// # Ok::<(), downhill_nn::Error>(())
/// ```
#[derive(Debug)]
pub struct Inference<F> {
    /// What they are for.
    graph: Arc<Graph<F>>,
    lanes: Vec<Evaluation<F>>,
}

impl<F: Float> Inference<F> {
    /// Buffers for models of this model's description. They grow with the rows that come, up to those for a
    /// block of 128 on each thread; the second time for as many rows, nothing is allocated.
    ///
    /// If `parallel`, blocks are spread over the threads of the rayon pool that a call comes from; the
    /// results are the same bit for bit.
    pub fn new(model: &Model<F>, parallel: bool) -> Self {
        let threads = if parallel { rayon::current_num_threads() } else { 1 };
        let graph = model.graph();
        Self { graph: Arc::clone(graph), lanes: (0..threads).map(|_| Evaluation::new(graph, 0)).collect() }
    }

    /// The outputs for rows of inputs, into `out`, rows × outputs: logits for classes, values for regression.
    ///
    /// The model is in evaluation mode: batch normalisation takes the running statistics, dropout does
    /// nothing. There may be any number of rows; they are worked on in blocks, cut by their number alone.
    ///
    /// # Errors
    ///
    /// If this was made for another model, or the lengths of `x` and `out` do not fit it or each other.
    pub fn predict(&mut self, model: &Model<F>, x: &[F], out: &mut [F]) -> Result<(), Error> {
        if !Arc::ptr_eq(&self.graph, model.graph()) && !self.graph.is_like(model.graph()) {
            return Err(Error::Data("the buffers were made for another model".into()));
        }
        predict(&mut self.lanes, model, x, out)
    }
}

/// The same on these buffers, one for each thread.
pub(crate) fn predict<F: Float>(
    lanes: &mut [Evaluation<F>],
    model: &Model<F>,
    x: &[F],
    out: &mut [F],
) -> Result<(), Error> {
    let (inputs, outputs) = (model.inputs(), model.outputs());
    let rows = x.len() / inputs;
    if x.len() != rows * inputs || out.len() != rows * outputs {
        let (x, out) = (x.len(), out.len());
        let reason = format!("{x} inputs and {out} outputs do not fit rows of {inputs} and {outputs}");
        return Err(Error::Data(reason));
    }
    let (graph, values) = (model.graph(), (model.params(), model.statistics()));
    graph.accepts(x, 0..rows)?;
    // Every lane takes a run of whole blocks.
    let run = rows.div_ceil(BLOCK_ROWS).div_ceil(lanes.len()) * BLOCK_ROWS;
    if run == 0 {
        return Ok(());
    }
    let work = |((lane, x), out): ((&mut Evaluation<F>, &[F]), &mut [F])| {
        lane.reserve(graph, BLOCK_ROWS.min(x.len() / inputs));
        for (x, out) in x.chunks(BLOCK_ROWS * inputs).zip(out.chunks_mut(BLOCK_ROWS * outputs)) {
            (0..graph.nodes.len()).for_each(|at| lane.run(graph, at, values, x, out));
        }
    };
    if rows > run {
        let lanes = lanes.par_iter_mut();
        lanes.zip(x.par_chunks(run * inputs)).zip(out.par_chunks_mut(run * outputs)).for_each(work);
    } else {
        work(((&mut lanes[0], x), out));
    }
    Ok(())
}
