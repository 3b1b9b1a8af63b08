//! Several networks side by side: where they part.

use super::rows::add_product;
use super::{Backward, Flow, Forward, Layer, Operation, Planned};
use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use crate::shape::Shape;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::Scratch;
use downhill_optim::Role;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// So many members, each of which is given the row with learnt factors of its own: yᵢ = wᵢ∘x, with w
/// `[members, inputs]` (`scale`), which begin as 1 or −1 at random.
///
/// This is where the members of an ensemble part. Behind it, a row is `members × inputs`:
/// [`ensemble`](crate::Ensemble) layers share their weights among the members, [`heads`](crate::Heads) have
/// weights for each, what works number by number (activations, dropout, `scale`) does so for each member, and
/// an [`average`](crate::Average) at the end makes one prediction of theirs. `members(16)`, `ensemble(128)`,
/// `relu`, `heads(3)`, `average(softmax)` is the network called TabM.
///
/// Gorishniy, Kotelnikov & Babenko, [TabM: advancing tabular deep learning with parameter-efficient
/// ensembling][paper], 2025; the factors are those of Wen, Tran & Ba, [BatchEnsemble][factors], 2020.
///
/// [paper]: https://arxiv.org/abs/2410.24210
/// [factors]: https://arxiv.org/abs/2002.06715
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The number of members, from 1 to 1024.
    pub count: usize,
}

/// Checks a number of members.
pub(crate) fn check_members(count: usize) -> Result<(), Invalid> {
    let range = |count: f64| (1.0..=1024.0).contains(&count);
    invalid::ensure("members", "count", count as f64, range, "from 1 to 1024")
}

impl Members {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        check_members(self.count)
    }
}

impl Layer for Members {
    fn units(&self) -> usize {
        self.count
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let inputs = site.input().len();
        let factors = site.parameter("scale", &[self.count, inputs], Role::Scale, Initial::Signs)?;
        Ok((Arc::new(MembersOp { inputs, factors }), Shape::from([self.count, inputs])))
    }
}

/// The members and the number of inputs of each, of a layer that stands behind [`Members`].
pub(super) fn members(site: &Site<'_>) -> Result<[usize; 2], String> {
    match site.input().dims() {
        &[members, inputs] => Ok([members, inputs]),
        _ => Err("there are no members in front of it; `members(16)` makes them".into()),
    }
}

/// Learnt factors of each member, as they are run.
#[derive(Clone, Debug)]
struct MembersOp {
    inputs: usize,
    /// Members × inputs.
    factors: Range<usize>,
}

impl MembersOp {
    /// The row for every member, times its factors.
    fn spread<F: Float>(&self, x: &[F], factors: &[F], y: &mut [F]) {
        let rows = x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(factors.len()));
        vectorised(
            #[inline(always)]
            || {
                for (x, y) in rows {
                    let members = y.chunks_exact_mut(x.len()).zip(factors.chunks_exact(x.len()));
                    for (y, factors) in members {
                        y.iter_mut().zip(x).zip(factors).for_each(|((y, &x), &factor)| *y = x * factor);
                    }
                }
            },
        );
    }

    /// Adds the sums over the rows of x·dy to those of the factors.
    fn add_gradient<F: Float>(&self, x: &[F], dy: &[F], sums: &mut [F]) {
        let rows = x.chunks_exact(self.inputs).zip(dy.chunks_exact(sums.len()));
        vectorised(
            #[inline(always)]
            || {
                for (x, dy) in rows {
                    let members = dy.chunks_exact(x.len()).zip(sums.chunks_exact_mut(x.len()));
                    members.for_each(|(dy, sums)| add_product(sums, dy, x));
                }
            },
        );
    }

    /// Adds up what comes back from all members: dx += Σ dyᵢ∘wᵢ.
    fn add_up<F: Float>(&self, dy: &[F], factors: &[F], dx: &mut [F]) {
        let rows = dx.chunks_exact_mut(self.inputs).zip(dy.chunks_exact(factors.len()));
        vectorised(
            #[inline(always)]
            || {
                for (dx, dy) in rows {
                    let members = dy.chunks_exact(dx.len()).zip(factors.chunks_exact(dx.len()));
                    members.for_each(|(dy, factors)| add_product(dx, dy, factors));
                }
            },
        );
    }
}

impl<F: Float> Operation<F> for MembersOp {
    fn vectors(&self) -> Range<usize> {
        self.factors.clone()
    }

    fn flow(&self) -> Flow {
        Flow::Apart
    }

    fn forward(&self, Forward { params, inputs, y, .. }: Forward<'_, F>) {
        self.spread(inputs[0], &params[self.factors.clone()], y);
    }

    fn backward(&self, Backward { inputs, dy, vectors, .. }: Backward<'_, F>) {
        vectors.fill(F::zero());
        self.add_gradient(inputs[0], dy, vectors);
    }

    fn input_gradient(&self, _: usize, params: &[F], dy: &[F], dx: &mut [F], _: &mut Scratch<F>) {
        dx.fill(F::zero());
        self.add_up(dy, &params[self.factors.clone()], dx);
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(MembersTangent { op: self.clone(), x: Vec::new(), dy: Vec::new(), moved: Vec::new() })
    }
}

/// Learnt factors of each member with their derivatives.
#[derive(Debug)]
struct MembersTangent {
    op: MembersOp,
    x: Vec<f64>,
    /// The gradient of y.
    dy: Vec<f64>,
    /// ∂x of the product under way; empty if x does not move.
    moved: Vec<f64>,
}

impl MembersTangent {
    fn spread(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
        let factors = &params[self.op.factors.clone()];
        let mut y = vec![0.0; x.len() / self.op.inputs * factors.len()];
        self.op.spread(x, factors, &mut y);
        y
    }
}

impl Tangent for MembersTangent {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        self.spread(&self.x, params)
    }

    fn backward(
        &mut self,
        params: &[f64],
        dy: Vec<f64>,
        wanted: &[bool],
        gradient: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.op.add_gradient(&self.x, &dy, &mut gradient[self.op.factors.clone()]);
        let mut dx = vec![0.0; if wanted[0] { self.x.len() } else { 0 }];
        self.op.add_up(&dy, &params[self.op.factors.clone()], &mut dx);
        self.dy = dy;
        vec![dx]
    }

    /// ∂y = ∂w∘x + w∘∂x.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        _: &mut Scratch<f64>,
    ) -> Vec<f64> {
        self.moved = moved[0].to_vec();
        let mut along = self.spread(&self.x, v);
        along.iter_mut().zip(self.spread(&self.moved, params)).for_each(|(along, passed)| *along += passed);
        along
    }

    /// ∂dw = Σ (∂dy∘x + dy∘∂x), ∂dx = Σ (w∘∂dy + ∂w∘dy), the one over the rows, the other over the members.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        moved_dy: Vec<f64>,
        wanted: &[bool],
        out: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        let factors = self.op.factors.clone();
        self.op.add_gradient(&self.x, &moved_dy, &mut out[factors.clone()]);
        self.op.add_gradient(&self.moved, &self.dy, &mut out[factors.clone()]);
        let mut dx = vec![0.0; if wanted[0] { self.x.len() } else { 0 }];
        self.op.add_up(&moved_dy, &params[factors.clone()], &mut dx);
        self.op.add_up(&self.dy, &v[factors], &mut dx);
        vec![dx]
    }
}
