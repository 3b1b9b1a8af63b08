//! Numbers by the bins that they lie in.

use super::{Backward, Flow, Forward, Layer, Operation, Planned};
use crate::curvature::Tangent;
use crate::graph::Site;
use crate::shape::Shape;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::Scratch;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Numbers, and behind each a value for each of its bins: s·(e − ½), where e, the piecewise-linear encoding of
/// the number x, is 1 for the bins below x, 0 for those above, and (x − a)/(b − a) for the one from a to b
/// that x lies in. The first and the last bin go on to either side. A dense layer behind it bends, for each
/// number, at every edge.
///
/// With a small scale s the network begins as one without bins, and their weights, which an optimizer moves as
/// far as others, count for less: it bends where the data insists. The authors' encoding is that of s = 1, but
/// for the shift by ½ and the number itself, which their embeddings (version B) have beside it too.
///
/// It has no parameters: the edges are taken from the data beforehand, see [`Numbers`](crate::Numbers).
///
/// Gorishniy, Rubachev & Babenko, [On embeddings for numerical features in tabular deep learning][paper],
/// 2022.
///
/// [paper]: https://arxiv.org/abs/2203.05556
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseLinear {
    /// For each of the first inputs, the edges of its bins, from the lowest on: at least 2, or none for an
    /// input that has no bins. The inputs behind them have none either.
    pub edges: Vec<Vec<f64>>,
    /// s, from above 0 to 1000. Default 0.1.
    #[serde(default = "tenth")]
    pub scale: f64,
}

pub(crate) fn tenth() -> f64 {
    0.1
}

/// Checks a scale of bins.
pub(crate) fn check_scale(scale: f64) -> Result<(), Invalid> {
    let range = |scale: f64| scale > 0.0 && scale <= 1000.0;
    invalid::ensure("piecewise-linear", "scale", scale, range, "above 0 and at most 1000")
}

impl PiecewiseLinear {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        check_scale(self.scale)?;
        for edges in &self.edges {
            let count = edges.len() as f64;
            let enough = |count: f64| count != 1.0;
            invalid::ensure("piecewise-linear", "edges", count, enough, "at least 2 of an input, or none")?;
            for &edge in edges {
                invalid::ensure("piecewise-linear", "edges", edge, |_| true, "finite")?;
            }
            for pair in edges.windows(2) {
                let rises = |edge: f64| edge > pair[0];
                invalid::ensure("piecewise-linear", "edges", pair[1], rises, "each above the one before")?;
            }
        }
        Ok(())
    }
}

impl Layer for PiecewiseLinear {
    fn units(&self) -> usize {
        self.edges.iter().map(Vec::len).fold(0, usize::saturating_add)
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let inputs = site.input().len();
        if self.edges.len() > inputs {
            return Err(format!("there are edges for {} inputs, but only {inputs} inputs", self.edges.len()));
        }
        let op = PiecewiseLinearOp::<F>::new(&self.edges, self.scale, inputs);
        let outputs = Shape::from(op.width());
        Ok((Arc::new(op), outputs))
    }
}

/// A bin is no narrower than one over this, as a steeper slope would not be finite in 32 bits.
const STEEPEST: f64 = 1e30;

/// The piecewise-linear encoding, as it is run.
#[derive(Clone, Debug)]
struct PiecewiseLinearOp<F> {
    inputs: usize,
    /// Which outputs are those of each of the first inputs; the inputs behind them are passed on.
    outputs: Vec<Range<usize>>,
    /// The first outputs: numbers, each with its bins behind it.
    bins: Vec<Bin<F>>,
}

/// One output: (x − left)·slope, held between `least` and `most`, plus `shift`.
#[derive(Clone, Copy, Debug)]
struct Bin<F> {
    left: F,
    slope: F,
    least: F,
    most: F,
    shift: F,
}

impl<F: Float> Bin<F> {
    #[inline(always)]
    fn value(self, x: F) -> F {
        let value = (x - self.left) * self.slope;
        // What is not a number stays so.
        let value = if value < self.least { self.least } else { value };
        let value = if value > self.most { self.most } else { value };
        value + self.shift
    }

    /// At an edge, that of the bin above it.
    #[inline(always)]
    fn derivative(self, x: F) -> F {
        let value = (x - self.left) * self.slope;
        if value >= self.least && value < self.most { self.slope } else { F::zero() }
    }
}

impl<F: Float> PiecewiseLinearOp<F> {
    fn new(edges: &[Vec<f64>], scale: f64, inputs: usize) -> Self {
        let (no_least, no_most) = (F::of(f64::NEG_INFINITY), F::of(f64::INFINITY));
        let number =
            Bin { left: F::zero(), slope: F::one(), least: no_least, most: no_most, shift: F::zero() };
        let mut op = Self { inputs, outputs: Vec::with_capacity(edges.len()), bins: Vec::new() };
        for edges in edges {
            let first = op.bins.len();
            let last = edges.len().saturating_sub(2);
            op.bins.push(number);
            op.bins.extend(edges.windows(2).enumerate().map(|(i, pair)| Bin {
                left: F::of(pair[0]),
                slope: F::of((scale / (pair[1] - pair[0])).min(STEEPEST)),
                least: if i == 0 { no_least } else { F::zero() },
                most: if i == last { no_most } else { F::of(scale) },
                shift: F::of(-0.5 * scale),
            }));
            op.outputs.push(first..op.bins.len());
        }
        op
    }

    /// The number of outputs.
    fn width(&self) -> usize {
        self.bins.len() + self.inputs - self.outputs.len()
    }

    fn encode(&self, x: &[F], y: &mut [F]) {
        let rows = x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(self.width()));
        for (x, y) in rows {
            let (numbers, others) = x.split_at(self.outputs.len());
            let (values, passed_on) = y.split_at_mut(self.bins.len());
            for (&x, outputs) in numbers.iter().zip(&self.outputs) {
                for (y, bin) in values[outputs.clone()].iter_mut().zip(&self.bins[outputs.clone()]) {
                    *y = bin.value(x);
                }
            }
            passed_on.copy_from_slice(others);
        }
    }
}

impl<F: Float> Operation<F> for PiecewiseLinearOp<F> {
    fn flow(&self) -> Flow {
        Flow::Apart
    }

    fn forward(&self, Forward { inputs, y, .. }: Forward<'_, F>) {
        self.encode(inputs[0], y);
    }

    /// The gradients of the inputs of a row are left at the front of the row: an input has at least one
    /// output, so none is written over before it is read.
    fn backward(&self, Backward { inputs, dy, .. }: Backward<'_, F>) {
        let rows = inputs[0].chunks_exact(self.inputs).zip(dy.chunks_exact_mut(self.width()));
        for (x, dy) in rows {
            for (input, (&x, outputs)) in x.iter().zip(&self.outputs).enumerate() {
                let mut sum = F::zero();
                for (&dy, bin) in dy[outputs.clone()].iter().zip(&self.bins[outputs.clone()]) {
                    sum += dy * bin.derivative(x);
                }
                dy[input] = sum;
            }
            dy.copy_within(self.bins.len().., self.outputs.len());
        }
    }

    fn input_gradient(&self, _: usize, _: &[F], dy: &[F], dx: &mut [F], _: &mut Scratch<F>) {
        for (dx, dy) in dx.chunks_exact_mut(self.inputs).zip(dy.chunks_exact(self.width())) {
            dx.copy_from_slice(&dy[..self.inputs]);
        }
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        let wide = |bin: &Bin<F>| Bin {
            left: bin.left.f64(),
            slope: bin.slope.f64(),
            least: bin.least.f64(),
            most: bin.most.f64(),
            shift: bin.shift.f64(),
        };
        let bins = self.bins.iter().map(wide).collect();
        let op = PiecewiseLinearOp { inputs: self.inputs, outputs: self.outputs.clone(), bins };
        Box::new(PiecewiseLinearTangent { op, x: Vec::new() })
    }
}

/// The piecewise-linear encoding with its derivatives: it has none of the second order.
#[derive(Debug)]
struct PiecewiseLinearTangent {
    op: PiecewiseLinearOp<f64>,
    x: Vec<f64>,
}

impl PiecewiseLinearTangent {
    /// The derivatives of the outputs of a row, each with the place of its input.
    fn derivatives<'a>(&'a self, x: &'a [f64]) -> impl Iterator<Item = (usize, f64)> + 'a {
        let binned = x.iter().zip(&self.op.outputs).enumerate();
        let of_bins = binned.flat_map(|(input, (&x, outputs))| {
            self.op.bins[outputs.clone()].iter().map(move |bin| (input, bin.derivative(x)))
        });
        of_bins.chain((self.op.outputs.len()..x.len()).map(|input| (input, 1.0)))
    }

    fn pull_back(&self, dy: &[f64], wanted: &[bool]) -> Vec<Vec<f64>> {
        if !wanted[0] {
            return vec![Vec::new()];
        }
        let mut dx = vec![0.0; self.x.len()];
        let inputs = self.op.inputs;
        let rows = self.x.chunks_exact(inputs).zip(dy.chunks_exact(self.op.width()));
        for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(inputs)) {
            self.derivatives(x).zip(dy).for_each(|((input, derivative), dy)| dx[input] += dy * derivative);
        }
        vec![dx]
    }
}

impl Tangent for PiecewiseLinearTangent {
    fn forward(&mut self, _: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        let mut y = vec![0.0; self.x.len() / self.op.inputs * self.op.width()];
        self.op.encode(&self.x, &mut y);
        y
    }

    fn backward(
        &mut self,
        _: &[f64],
        dy: Vec<f64>,
        wanted: &[bool],
        _: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.pull_back(&dy, wanted)
    }

    fn forward_along(&mut self, _: &[f64], _: &[f64], moved: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        let inputs = self.op.inputs;
        let rows = self.x.chunks_exact(inputs).zip(moved[0].chunks_exact(inputs));
        rows.flat_map(|(x, moved)| self.derivatives(x).map(|(input, derivative)| moved[input] * derivative))
            .collect()
    }

    fn backward_along(
        &self,
        _: &[f64],
        _: &[f64],
        moved_dy: Vec<f64>,
        wanted: &[bool],
        _: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.pull_back(&moved_dy, wanted)
    }
}
