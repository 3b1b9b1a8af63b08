//! Muon.

use downhill_matmul::{Scratch, Shape, multiply, multiply_bt};
use serde::{Deserialize, Serialize};

use super::{AdamW, Facts, NamedRule, Ran, Run, Step, UpdateRule};
use crate::drive::{both, norm};
use downhill_core::{Float, Invalid, invalid};

/// Muon: momentum, made orthogonal. Every weight matrix moves by a matrix whose singular values are all about
/// 1, so that rare directions learn as fast as common ones; everything else moves by AdamW.
///
/// - B ← μ·B + G, D = G + μ·B, or B without `nesterov`
/// - O = five Newton–Schulz steps X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X from D / ‖D‖, (a, b, c) = (3.4445, −4.7750,
///   2.0315)
/// - W ← (1 − η·λ)·W − η·s·O
///
/// Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024). With `scale=rms`, s =
/// 0.2·√max(n_in, n_out) gives steps of AdamW's size, so that both share a rate: Liu et al., "Muon is
/// Scalable for LLM Training" (2025). `scale=shape` is Jordan's s = √max(1, n_out/n_in), as in Keras and
/// Optax; PyTorch has both. PyTorch makes the Newton–Schulz steps in `bfloat16`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Muon {
    /// μ, the share of the momentum that is kept, in [0, 1). Default 0.95.
    pub momentum: f64,
    /// Whether the momentum looks ahead. Default true.
    pub nesterov: bool,
    /// How long the step of a matrix is. Default `rms`.
    pub scale: Scale,
    /// β₁ of everything that is no weight matrix, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// β₂ of everything that is no weight matrix, in [0, 1). Default 0.95.
    pub beta2: f64,
    /// ε of everything that is no weight matrix, above 0. Default 1e-8.
    pub eps: f64,
    /// λ, the share of a weight that is taken away at a rate of 1, 0 or above. Default 0.1.
    pub weight_decay: f64,
}

/// How long the step of a matrix is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// 0.2·√max(n_in, n_out): about as long as AdamW's.
    #[default]
    Rms,
    /// √max(1, n_out / n_in).
    Shape,
}

impl Default for Muon {
    fn default() -> Self {
        Self {
            momentum: 0.95,
            nesterov: true,
            scale: Scale::Rms,
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            weight_decay: 0.1,
        }
    }
}

impl Muon {
    /// What moves everything that is no weight matrix.
    pub(crate) fn elsewhere(self) -> AdamW {
        let Self { beta1, beta2, eps, weight_decay, .. } = self;
        AdamW { beta1, beta2, eps, weight_decay }
    }

    /// The first pass over a matrix: decay, and the momentum.
    pub(crate) fn gather(self) -> Gather {
        Gather(self)
    }

    /// The last pass over a matrix of this shape: the step along O.
    pub(crate) fn descend(self, [inputs, outputs]: [usize; 2]) -> Descend {
        let (inputs, outputs) = (inputs as f64, outputs as f64);
        Descend(match self.scale {
            Scale::Rms => 0.2 * inputs.max(outputs).sqrt(),
            Scale::Shape => (outputs / inputs).max(1.0).sqrt(),
        })
    }
}

impl NamedRule for Muon {
    const NAME: &'static str = "muon";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("muon", "momentum", self.momentum)?;
        let AdamW { beta1, beta2, eps, weight_decay } = self.elsewhere();
        invalid::fraction("muon", "beta1", beta1)?;
        invalid::fraction("muon", "beta2", beta2)?;
        invalid::positive("muon", "eps", eps)?;
        invalid::not_negative("muon", "weight-decay", weight_decay)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.muon(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts { usual_rate: 3e-3, needs_rate: true, average: None, stability: None, preconditioner: None }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.weight_decay)
    }
}

/// Decays p, moves B, and leaves D in its second number.
#[derive(Clone, Copy)]
pub(crate) struct Gather(Muon);

impl UpdateRule for Gather {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let (mu, keep, nesterov) =
            (F::of(self.0.momentum), F::of(step.keep(self.0.weight_decay)), self.0.nesterov);
        #[inline(always)]
        move |p, g, [b, _]| {
            let b = mu * b + g;
            (keep * p, [b, if nesterov { g + mu * b } else { b }])
        }
    }
}

/// Steps along the second number, O, which is scaled.
#[derive(Clone, Copy)]
pub(crate) struct Descend(f64);

impl UpdateRule for Descend {
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let rate = F::of(step.lr * self.0);
        #[inline(always)]
        move |p, _, [b, o]| (p - rate * o, [b, o])
    }
}

/// The buffers of [`Orthogonaliser::run`], large enough for the largest matrix.
#[derive(Clone, Debug)]
pub(crate) struct Orthogonaliser<F> {
    x: Vec<F>,
    next: Vec<F>,
    square: Vec<F>,
    polynomial: Vec<F>,
    scratch: Vec<Scratch<F>>,
}

/// A product is cut into at most so many parts, by its shape alone.
const PARTS: usize = 8;

/// No part of a product has fewer rows.
const ROWS: usize = 24;

impl<F: Float> Orthogonaliser<F> {
    /// For matrices of these shapes.
    pub fn new(shapes: impl Iterator<Item = [usize; 2]> + Clone) -> Self {
        let zeros = |len: Option<usize>| vec![F::zero(); len.unwrap_or(0)];
        let size = || zeros(shapes.clone().map(|[rows, columns]| rows * columns).max());
        let side = || zeros(shapes.clone().map(|[rows, columns]| rows.min(columns).pow(2)).max());
        Self {
            x: size(),
            next: size(),
            square: side(),
            polynomial: side(),
            scratch: (0..PARTS).map(|_| Scratch::new()).collect(),
        }
    }

    /// Replaces a matrix by one with the same singular vectors and singular values of about 1.
    pub fn run(&mut self, matrix: &mut [F], [rows, columns]: [usize; 2], parallel: bool) {
        let (short, long) = (rows.min(columns), rows.max(columns));
        let (mut x, mut next) = (&mut self.x[..matrix.len()], &mut self.next[..matrix.len()]);
        let (square, polynomial) = (&mut self.square[..short * short], &mut self.polynomial[..short * short]);
        let scale = F::of(1.0 / (norm(matrix, parallel) + 1e-7));
        // With fewer rows than columns, so that XXᵀ is the smaller of the two squares.
        let turned = rows > columns;
        copy(matrix, x, rows, columns, turned, scale);
        let [a, b, c] = [3.4445, -4.7750, 2.0315].map(F::of);
        for _ in 0..5 {
            let shape = Shape { rows: short, inner: long, columns: short };
            product(multiply_bt, shape, x, x, square, &mut self.scratch, parallel);
            let shape = Shape { rows: short, inner: short, columns: short };
            product(multiply, shape, square, square, polynomial, &mut self.scratch, parallel);
            for (p, &s) in polynomial.iter_mut().zip(&*square) {
                *p = b * s + c * *p;
            }
            let shape = Shape { rows: short, inner: short, columns: long };
            product(multiply, shape, polynomial, x, next, &mut self.scratch, parallel);
            for (n, &x) in next.iter_mut().zip(&*x) {
                *n += a * x;
            }
            std::mem::swap(&mut x, &mut next);
        }
        copy(x, matrix, short, long, turned, F::one());
    }
}

/// Copies a matrix, scaled, and turned about its diagonal if asked.
fn copy<F: Float>(from: &[F], to: &mut [F], rows: usize, columns: usize, turned: bool, scale: F) {
    if turned {
        for (column, to) in to.chunks_exact_mut(rows).enumerate() {
            for (row, to) in to.iter_mut().enumerate() {
                *to = scale * from[row * columns + column];
            }
        }
    } else {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = scale * from);
    }
}

/// c = a·b, or with b turned about its diagonal.
type Multiply<F> = fn(Shape, &[F], &[F], &mut [F], &mut Scratch<F>);

/// A product, cut into parts by rows; every element is the same sum, so that no cut changes a bit.
fn product<F: Float>(
    multiply: Multiply<F>,
    shape: Shape,
    a: &[F],
    b: &[F],
    c: &mut [F],
    scratch: &mut [Scratch<F>],
    parallel: bool,
) {
    if scratch.len() == 1 || shape.rows < 2 * ROWS {
        return multiply(shape, a, b, c, &mut scratch[0]);
    }
    let top = (shape.rows / 2).next_multiple_of(12);
    let (a0, a1) = a.split_at(top * shape.inner);
    let (c0, c1) = c.split_at_mut(top * shape.columns);
    let (s0, s1) = scratch.split_at_mut(scratch.len() / 2);
    both(
        parallel,
        || product(multiply, Shape { rows: top, ..shape }, a0, b, c0, s0, parallel),
        || product(multiply, Shape { rows: shape.rows - top, ..shape }, a1, b, c1, s1, parallel),
    );
}
