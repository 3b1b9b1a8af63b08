//! Layer-sequential unit variance: weights that look at data before they are trained.

use crate::LayerSpec;
use crate::error::Error;
use crate::layer::DenseOp;
use crate::model::{Model, Op};
use crate::statistics::take_moments;
use downhill_core::Float;
use downhill_matmul::Scratch;
use downhill_optim::{Init, Lsuv};

/// What became of a layer with the initialiser [`lsuv`](Init::Lsuv).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Its place in the description, counted from 0.
    pub position: usize,
    /// The variance of its outputs at the end, in front of the activation, over all rows and units.
    pub variance: f64,
    /// How often its weights were scaled.
    pub iterations: u32,
    /// Whether the variance came within the tolerance of 1. It does not where every row gives the same outputs: the
    /// weights are left alone then.
    pub reached: bool,
}

impl<F: Float> Model<F> {
    /// Whether a layer has an initialiser that looks at data, so that [`calibrate`](Self::calibrate) is to be called.
    pub fn needs_calibration(&self) -> bool {
        (0..self.layers().len()).any(|position| self.lsuv(position).is_some())
    }

    /// Brings the layers with the initialiser [`lsuv`](Init::Lsuv) to outputs of variance 1 on these rows of inputs, from
    /// the first layer to the last; the others are left alone. Returns what became of each.
    ///
    /// A layer's weights are divided by the standard deviation of its outputs in front of the activation, until their
    /// variance is within the tolerance of 1. Biases stay as they are and count among the outputs; the paper has none at
    /// this point. Behind each layer the rows go on as in a first training step, batch normalisation taking their own
    /// moments, but without dropout. Running statistics are not changed.
    ///
    /// A function of the model and the rows, computed on one thread. Mishkin and Matas, "All you need is a good init"
    /// (2015).
    ///
    /// # Errors
    ///
    /// If `x` is empty or not whole rows.
    pub fn calibrate(&mut self, x: &[F]) -> Result<Vec<Calibration>, Error> {
        let rows = self.whole_rows(x)?;
        let mut statistics = self.statistics().to_vec();
        let mut scratch = Scratch::new();
        let mut x = x.to_vec();
        let mut calibrations = Vec::new();
        for node in self.nodes().to_vec() {
            let mut y = vec![F::zero(); rows * node.outputs];
            match (&node.op, self.lsuv(node.position)) {
                (Op::Dense(op), Some(lsuv)) => {
                    let (variance, iterations, reached) =
                        scale(op, lsuv, self.params_mut(), &x, &mut y, &mut scratch);
                    calibrations.push(Calibration { position: node.position, variance, iterations, reached });
                }
                (Op::BatchNorm(op), _) => take_moments(op, &x, &mut statistics),
                _ => {}
            }
            node.predict(self.params(), &statistics, &x, &mut y, &mut scratch);
            x = y;
        }
        Ok(calibrations)
    }

    fn lsuv(&self, position: usize) -> Option<Lsuv> {
        match &self.layers()[position] {
            LayerSpec::Dense(dense) => match dense.init {
                Init::Lsuv(lsuv) => Some(lsuv),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Scales the weights of a layer; returns the variance, how often it was scaled, and whether the variance is right.
fn scale<F: Float>(
    op: &DenseOp,
    lsuv: Lsuv,
    params: &mut [F],
    x: &[F],
    y: &mut [F],
    scratch: &mut Scratch<F>,
) -> (f64, u32, bool) {
    let linear = DenseOp { activation: None, ..op.clone() };
    let mut iterations = 0;
    loop {
        linear.forward(params, x, y, &mut [], scratch);
        let variance = variance(y);
        let varies = y.chunks_exact(op.outputs).any(|row| row != &y[..op.outputs]);
        let reached = varies && (variance - 1.0).abs() <= lsuv.tolerance;
        let factor = F::of(variance.sqrt().recip());
        if reached || !varies || !factor.is_normal() || iterations == lsuv.iterations {
            return (variance, iterations, reached);
        }
        params[op.weight.clone()].iter_mut().for_each(|weight| *weight *= factor);
        iterations += 1;
    }
}

/// The variance of all values together.
fn variance<F: Float>(values: &[F]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value.f64()).sum::<f64>() / count;
    values.iter().map(|value| (value.f64() - mean).powi(2)).sum::<f64>() / count
}
