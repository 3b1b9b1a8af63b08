//! Layer-sequential unit variance: weights that look at data before they are trained.

use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::model::Model;
use crate::op::{Forward, MOST_INPUTS, Mode, Operation};
use downhill_core::Float;
use downhill_matmul::Scratch;
use downhill_optim::Lsuv;
use std::ops::Range;
use std::sync::Arc;

/// What became of a layer with the initialiser [`lsuv`](downhill_optim::Init::Lsuv).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Its place in the description, counted from 0.
    pub position: usize,
    /// The variance of its outputs at the end, in front of the activation, over all rows and units.
    pub variance: f64,
    /// How often its weights were scaled.
    pub iterations: u32,
    /// Whether the variance came within the tolerance of 1. It does not where every row gives the same
    /// outputs: the weights are left alone then.
    pub reached: bool,
}

impl<F: Float> Model<F> {
    /// Whether a layer has an initialiser that looks at data, so that [`calibrate`](Self::calibrate) is to be
    /// called.
    pub fn needs_calibration(&self) -> bool {
        self.graph().nodes.iter().any(|node| node.op.calibration().is_some())
    }

    /// Brings the layers with the initialiser [`lsuv`](downhill_optim::Init::Lsuv) to outputs of variance 1
    /// on these rows of inputs, from the first layer to the last; the others are left alone. Returns what
    /// became of each.
    ///
    /// A layer's weights are divided by the standard deviation of its outputs in front of the activation,
    /// until their variance is within the tolerance of 1. Biases stay as they are and count among the
    /// outputs; the paper has none at this point. Behind each layer the rows go on as in a first training
    /// step, batch normalisation taking their own moments, but without dropout. Running statistics are not
    /// changed.
    ///
    /// A function of the model and the rows, computed on one thread. Mishkin and Matas, "All you need is a
    /// good init" (2015).
    ///
    /// # Errors
    ///
    /// If `x` is empty or not whole rows.
    pub fn calibrate(&mut self, x: &[F]) -> Result<Vec<Calibration>, Error> {
        let rows = self.whole_rows(x)?;
        let mut taken = self.statistics().to_vec();
        let graph = Arc::clone(self.graph());
        let mut evaluation = Evaluation::new(&graph, rows);
        let mut calibrations = Vec::new();
        let mut out = vec![F::zero(); rows * self.outputs()];
        for (at, node) in graph.nodes.iter().enumerate() {
            let (_, params, _) = self.parts_mut();
            let mut room = [&[][..]; MOST_INPUTS];
            let inputs = evaluation.inputs(&graph, node, x, &mut room);
            node.op.retake_statistics(inputs, &mut taken);
            if let (Some((lsuv, linear)), Some(weight)) = (node.op.calibration(), &node.weight) {
                let (variance, iterations, reached) =
                    scale(&*linear, (weight.range.clone(), node.width), lsuv, params, inputs, rows);
                calibrations.push(Calibration { position: node.position, variance, iterations, reached });
            }
            evaluation.run(&graph, at, (params, &taken), x, &mut out);
        }
        Ok(calibrations)
    }
}

/// Scales the weights of an operation of so many outputs; returns the variance, how often it was scaled, and
/// whether the variance is right.
fn scale<F: Float>(
    linear: &dyn Operation<F>,
    (weight, width): (Range<usize>, usize),
    lsuv: Lsuv,
    params: &mut [F],
    inputs: &[&[F]],
    rows: usize,
) -> (f64, u32, bool) {
    let (mut y, mut scratch) = (vec![F::zero(); rows * width], Scratch::new());
    let mut iterations = 0;
    loop {
        linear.forward(Forward {
            params,
            inputs,
            y: &mut y,
            kept: &mut [],
            mode: Mode::Evaluation { statistics: &[] },
            scratch: &mut scratch,
        });
        let variance = variance(&y);
        let varies = y.chunks_exact(width).any(|row| row != &y[..width]);
        let reached = varies && (variance - 1.0).abs() <= lsuv.tolerance;
        let factor = F::of(variance.sqrt().recip());
        if reached || !varies || !factor.is_normal() || iterations == lsuv.iterations {
            return (variance, iterations, reached);
        }
        params[weight.clone()].iter_mut().for_each(|weight| *weight *= factor);
        iterations += 1;
    }
}

/// The variance of all values together.
fn variance<F: Float>(values: &[F]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value.f64()).sum::<f64>() / count;
    values.iter().map(|value| (value.f64() - mean).powi(2)).sum::<f64>() / count
}
