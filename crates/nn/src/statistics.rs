//! The statistics of batch normalisation, taken anew for weights that were not trained with them.

use crate::error::Error;
use crate::layer::BatchNormOp;
use crate::model::{Model, Op};
use downhill_core::Float;
use downhill_matmul::Scratch;

impl<F: Float> Model<F> {
    /// Replaces the running statistics of batch normalisation by the moments of these rows of inputs, from the first layer
    /// to the last, without dropout: for averaged weights, which the running statistics were not taken with. A model
    /// without batch normalisation stays as it is.
    ///
    /// A function of the weights and the rows, computed on one thread. Izmailov et al., "Averaging Weights Leads to Wider
    /// Optima and Better Generalization" (2018), section 3.2; as PyTorch's `update_bn`, with all rows as one batch.
    ///
    /// # Errors
    ///
    /// If `x` is empty or not whole rows.
    pub fn retake_statistics(&mut self, x: &[F]) -> Result<(), Error> {
        let rows = self.whole_rows(x)?;
        let is_norm = |node: &crate::model::Node| matches!(node.op, Op::BatchNorm(_));
        let Some(last) = self.nodes().iter().rposition(is_norm) else { return Ok(()) };
        let mut scratch = Scratch::new();
        let (mut x, mut y) = (x.to_vec(), Vec::new());
        for at in 0..=last {
            let node = self.nodes()[at].clone();
            if let Op::BatchNorm(op) = &node.op {
                take_moments(op, &x, self.statistics_mut());
            }
            y.resize(rows * node.outputs, F::zero());
            node.predict(self.params(), self.statistics(), &x, &mut y, &mut scratch);
            std::mem::swap(&mut x, &mut y);
        }
        Ok(())
    }

    /// How many rows these inputs are, if they are whole rows and at least one.
    pub(crate) fn whole_rows(&self, x: &[F]) -> Result<usize, Error> {
        let rows = x.len() / self.inputs();
        if rows == 0 || x.len() != rows * self.inputs() {
            return Err(Error::Data(format!("{} inputs are not rows of {}", x.len(), self.inputs())));
        }
        Ok(rows)
    }
}

/// The moments of these rows in the place of the running ones.
pub(crate) fn take_moments<F: Float>(op: &BatchNormOp, x: &[F], statistics: &mut [F]) {
    let (mut means, mut squares) = (vec![F::zero(); op.width], vec![F::zero(); op.width]);
    op.moments(x, &mut means, &mut squares);
    let rows = F::of((x.len() / op.width) as f64);
    statistics[op.mean.clone()].copy_from_slice(&means);
    for (variance, sum) in statistics[op.variance.clone()].iter_mut().zip(squares) {
        *variance = sum / rows;
    }
}
