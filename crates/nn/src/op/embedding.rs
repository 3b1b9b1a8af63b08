//! Vectors for categories.

use super::rows::add;
use super::{Backward, Flow, Forward, Layer, Operation, Planned, Weight};
use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use crate::shape::Shape;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::Scratch;
use downhill_optim::{Init, Normal, Role};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// A learnt vector in the place of each category: the first inputs of a row are categories, whole numbers
/// counted from 0, and the others are passed on behind the vectors.
///
/// The vectors of all inputs are the rows of one tensor (`weight`, `[categories, dim]`, those of the first
/// input first), and begin normally distributed. It reads the data, so it can only be the first layer. A
/// number that is no category of its input is an error wherever rows are taken.
///
/// Guo & Berkhahn, [Entity embeddings of categorical variables][paper], 2016.
///
/// [paper]: https://arxiv.org/abs/1604.06737
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// The numbers of categories of the first inputs, from 1 to 16777216 (the whole numbers that `f32` has)
    /// each.
    pub categories: Vec<usize>,
    /// The number of values of a category's vector, at least 1.
    pub dim: usize,
    /// The standard deviation of the vectors at the beginning, above 0; 1 unless given, as wide as
    /// standardised numbers.
    #[serde(default = "one")]
    pub std: f64,
}

fn one() -> f64 {
    1.0
}

impl Embedding {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        let inputs = self.categories.len() as f64;
        invalid::ensure("embedding", "categories", inputs, |inputs| inputs >= 1.0, "for at least 1 input")?;
        for &count in &self.categories {
            let in_range = |count: f64| (1.0..=16_777_216.0).contains(&count);
            invalid::ensure("embedding", "categories", count as f64, in_range, "from 1 to 16777216 each")?;
        }
        invalid::ensure("embedding", "dim", self.dim as f64, |dim| dim >= 1.0, "at least 1")?;
        invalid::positive("embedding", "std", self.std)
    }
}

impl Layer for Embedding {
    fn units(&self) -> usize {
        self.categories.len().saturating_mul(self.dim)
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let (inputs, embedded) = (site.input().len(), self.categories.len());
        if site.position() > 0 {
            return Err("it reads the data, so it can only be the first layer".into());
        }
        if embedded > inputs {
            return Err(format!("there are categories for {embedded} inputs, but only {inputs} inputs"));
        }
        let mut all: usize = 0;
        let mut tables = Vec::with_capacity(embedded);
        for &count in &self.categories {
            let first = all;
            all = all.saturating_add(count);
            tables.push(first..all);
        }
        let init = Initial::Random(Init::Normal(Normal { std: self.std }), all, self.dim);
        let weight = site.parameter("weight", &[all, self.dim], Role::Weight, init)?;
        let op = EmbeddingOp { inputs, dim: self.dim, tables, weight };
        let outputs = op.outputs();
        Ok((Arc::new(op), Shape::from(outputs)))
    }
}

/// Vectors for categories, as they are run.
#[derive(Clone, Debug)]
struct EmbeddingOp {
    inputs: usize,
    dim: usize,
    /// Which rows of the weights are those of each embedded input.
    tables: Vec<Range<usize>>,
    weight: Range<usize>,
}

impl EmbeddingOp {
    fn outputs(&self) -> usize {
        self.vectors() + self.inputs - self.tables.len()
    }

    /// How many outputs are those of the vectors.
    fn vectors(&self) -> usize {
        self.tables.len() * self.dim
    }

    /// The rows of the weights that a row of the data asks for. Its categories have been checked where it
    /// came from.
    fn places<F: Float>(&self, x: &[F]) -> impl Iterator<Item = usize> {
        self.tables.iter().zip(x).map(|(table, category)| table.start + category.f64() as usize)
    }

    fn embed<F: Float>(&self, params: &[F], x: &[F], y: &mut [F]) {
        let weight = &params[self.weight.clone()];
        for (x, y) in x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(self.outputs())) {
            let (vectors, others) = y.split_at_mut(self.vectors());
            for (vector, place) in vectors.chunks_exact_mut(self.dim).zip(self.places(x)) {
                vector.copy_from_slice(&weight[place * self.dim..][..self.dim]);
            }
            others.copy_from_slice(&x[self.tables.len()..]);
        }
    }

    /// Adds the gradients of the vectors to those of their rows of the weights, as far as they are among
    /// these.
    fn add_gradient<F: Float>(&self, rows: Range<usize>, x: &[F], dy: &[F], gradient: &mut [F]) {
        for (x, dy) in x.chunks_exact(self.inputs).zip(dy.chunks_exact(self.outputs())) {
            for (dy, place) in dy.chunks_exact(self.dim).zip(self.places(x)) {
                if rows.contains(&place) {
                    add(&mut gradient[(place - rows.start) * self.dim..][..self.dim], dy);
                }
            }
        }
    }
}

impl<F: Float> Operation<F> for EmbeddingOp {
    fn weight(&self) -> Option<Weight> {
        Some(Weight { range: self.weight.clone(), columns: self.dim })
    }

    fn flow(&self) -> Flow {
        Flow::Apart
    }

    fn accepts(&self, x: &[F], rows: &mut dyn Iterator<Item = usize>) -> Result<(), String> {
        for row in rows {
            let categories = x[row * self.inputs..].iter().zip(&self.tables);
            for (input, (category, count)) in categories.map(|(x, table)| (x.f64(), table.len())).enumerate()
            {
                if !(category >= 0.0 && category < count as f64 && category.fract() == 0.0) {
                    return Err(format!(
                        "row {row}, input {input}: {category} is not a category, which are whole numbers from \
                         0 to {}",
                        count - 1
                    ));
                }
            }
        }
        Ok(())
    }

    fn forward(&self, Forward { params, inputs, y, .. }: Forward<'_, F>) {
        self.embed(params, inputs[0], y);
    }

    fn backward(&self, _: Backward<'_, F>) {}

    fn weight_gradient(
        &self,
        rows: Range<usize>,
        x: &[F],
        dy: &[F],
        gradient: &mut [F],
        adding: bool,
        _: &mut Scratch<F>,
    ) {
        if !adding {
            gradient.fill(F::zero());
        }
        self.add_gradient(rows, x, dy, gradient);
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(EmbeddingTangent { op: self.clone(), x: Vec::new() })
    }
}

/// Vectors for categories with their derivatives. The categories do not move, so there are none of the second
/// order.
#[derive(Debug)]
struct EmbeddingTangent {
    op: EmbeddingOp,
    x: Vec<f64>,
}

impl EmbeddingTangent {
    fn add_gradient(&self, dy: &[f64], gradient: &mut [f64]) -> Vec<Vec<f64>> {
        let rows = 0..self.op.weight.len() / self.op.dim;
        self.op.add_gradient(rows, &self.x, dy, &mut gradient[self.op.weight.clone()]);
        vec![Vec::new()]
    }
}

impl Tangent for EmbeddingTangent {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        let mut y = vec![0.0; self.x.len() / self.op.inputs * self.op.outputs()];
        self.op.embed(params, &self.x, &mut y);
        y
    }

    fn backward(
        &mut self,
        _: &[f64],
        dy: Vec<f64>,
        _: &[bool],
        gradient: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_gradient(&dy, gradient)
    }

    /// The vectors move with their weights; the inputs that are passed on do not.
    fn forward_along(&mut self, _: &[f64], v: &[f64], _: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        let (outputs, vectors) = (self.op.outputs(), self.op.vectors());
        let mut along = vec![0.0; self.x.len() / self.op.inputs * outputs];
        self.op.embed(v, &self.x, &mut along);
        along.chunks_exact_mut(outputs).for_each(|row| row[vectors..].fill(0.0));
        along
    }

    fn backward_along(
        &self,
        _: &[f64],
        _: &[f64],
        moved_dy: Vec<f64>,
        _: &[bool],
        out: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_gradient(&moved_dy, out)
    }
}
