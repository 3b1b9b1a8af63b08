//! What batch and layer normalisation share: γ and β, and the derivatives for products with the Hessian.

use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use downhill_matmul::Scratch;
use downhill_optim::Role;
use std::ops::Range;

/// The places of γ and β, scale and shift, of a normalisation; β lies behind γ.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    scale: Range<usize>,
    shift: Range<usize>,
}

impl Affine {
    /// Takes γ, which begins at 1, and β, which begins at 0, for every input.
    pub fn plan(site: &mut Site<'_>) -> Result<Self, String> {
        let width = site.input().len();
        Ok(Self {
            scale: site.parameter("scale", &[width], Role::Scale, Initial::Constant(1.0))?,
            shift: site.parameter("shift", &[width], Role::Shift, Initial::Constant(0.0))?,
        })
    }

    /// γ and β.
    pub fn of<'a, F>(&self, params: &'a [F]) -> (&'a [F], &'a [F]) {
        (&params[self.scale.clone()], &params[self.shift.clone()])
    }

    /// The places of both.
    pub fn both(&self) -> Range<usize> {
        self.scale.start..self.shift.end
    }
}

/// y = γ·x̂ + β, where x̂ = (x − μ)·s with s = 1/√(σ² + ε): the moments are those of a column, or of a row.
#[derive(Debug)]
pub(super) struct Norm {
    affine: Affine,
    width: usize,
    by_row: bool,
    eps: f64,
    /// x̂.
    normal: Vec<f64>,
    /// s of each column, or row.
    factors: Vec<f64>,
    /// The gradient of y.
    dy: Vec<f64>,
    /// Of the product under way, ∂x̂ and ∂s/s; empty if x does not move.
    moved: Vec<f64>,
    stretched: Vec<f64>,
}

impl Norm {
    /// With the moments of every row.
    pub fn by_row(affine: Affine, width: usize, eps: f64) -> Self {
        Self::new(affine, width, true, eps)
    }

    /// With the moments of every column.
    pub fn by_column(affine: Affine, width: usize, eps: f64) -> Self {
        Self::new(affine, width, false, eps)
    }

    fn new(affine: Affine, width: usize, by_row: bool, eps: f64) -> Self {
        let none = Vec::new;
        let (normal, factors, dy, moved, stretched) = (none(), none(), none(), none(), none());
        Self { affine, width, by_row, eps, normal, factors, dy, moved, stretched }
    }

    /// The column, or row, whose moments element `i` is normalised by.
    fn group(&self, i: usize) -> usize {
        if self.by_row { i / self.width } else { i % self.width }
    }

    /// The means of the columns, or rows, of what `value` gives for each element.
    fn means(&self, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let rows = self.normal.len() / self.width;
        let (groups, size) = if self.by_row { (rows, self.width) } else { (self.width, rows) };
        let mut means = vec![0.0; groups];
        (0..self.normal.len()).for_each(|i| means[self.group(i)] += value(i));
        means.iter_mut().for_each(|mean| *mean /= size as f64);
        means
    }

    /// For every element, from its number and its column.
    fn each(&self, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        (0..self.normal.len()).map(|i| value(i, i % self.width)).collect()
    }

    /// Adds the sums over the rows to the gradients of γ and β.
    fn add_affine_gradient(
        &self,
        scale: impl Fn(usize) -> f64,
        shift: impl Fn(usize) -> f64,
        gradient: &mut [f64],
    ) {
        for i in 0..self.normal.len() {
            let column = i % self.width;
            gradient[self.affine.scale.start + column] += scale(i);
            gradient[self.affine.shift.start + column] += shift(i);
        }
    }

    /// dx = s·(d − mean(d) − x̂·mean(d·x̂)), where d = γ·dy.
    fn input_gradient(&self, params: &[f64]) -> Vec<f64> {
        let (scale, _) = self.affine.of(params);
        let d = self.each(|i, column| scale[column] * self.dy[i]);
        let (mean, along) = (self.means(|i| d[i]), self.means(|i| d[i] * self.normal[i]));
        self.each(|i, _| {
            let group = self.group(i);
            self.factors[group] * (d[i] - mean[group] - self.normal[i] * along[group])
        })
    }
}

impl Tangent for Norm {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        self.normal = inputs[0].to_vec();
        let means = self.means(|i| self.normal[i]);
        self.normal = self.each(|i, _| self.normal[i] - means[self.group(i)]);
        let variances = self.means(|i| self.normal[i] * self.normal[i]);
        self.factors = variances.iter().map(|variance| 1.0 / (variance + self.eps).sqrt()).collect();
        self.normal = self.each(|i, _| self.normal[i] * self.factors[self.group(i)]);
        let (scale, shift) = self.affine.of(params);
        self.each(|i, column| scale[column] * self.normal[i] + shift[column])
    }

    fn backward(
        &mut self,
        params: &[f64],
        dy: Vec<f64>,
        wanted: &[bool],
        gradient: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_affine_gradient(|i| dy[i] * self.normal[i], |i| dy[i], gradient);
        self.dy = dy;
        vec![if wanted[0] { self.input_gradient(params) } else { Vec::new() }]
    }

    /// ∂y = γ·∂x̂ + ∂γ·x̂ + ∂β, with ∂s = −s²·mean(x̂·∂x) and ∂x̂ = s·(∂x − mean(∂x)) + x̂·∂s/s; no numbers
    /// for ∂x are zeros.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        _: &mut Scratch<f64>,
    ) -> Vec<f64> {
        let dx = moved[0];
        let (scale, _) = self.affine.of(params);
        let (scale_along, shift_along) = self.affine.of(v);
        self.moved.clear();
        if !dx.is_empty() {
            let (mean, along) = (self.means(|i| dx[i]), self.means(|i| dx[i] * self.normal[i]));
            self.stretched = along.iter().zip(&self.factors).map(|(along, factor)| -factor * along).collect();
            self.moved = self.each(|i, _| {
                let group = self.group(i);
                self.factors[group] * (dx[i] - mean[group]) + self.normal[i] * self.stretched[group]
            });
        }
        self.each(|i, column| {
            let moved = self.moved.get(i).map_or(0.0, |moved| scale[column] * moved);
            moved + scale_along[column] * self.normal[i] + shift_along[column]
        })
    }

    /// ∂dx = ∂s/s·dx + s·(∂d − mean(∂d) − ∂x̂·mean(d·x̂) − x̂·mean(∂d·x̂ + d·∂x̂)), where ∂d = ∂γ·dy + γ·∂dy.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        moved_dy: Vec<f64>,
        wanted: &[bool],
        out: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        let moved = |i: usize| self.moved.get(i).copied().unwrap_or(0.0);
        self.add_affine_gradient(
            |i| moved_dy[i] * self.normal[i] + self.dy[i] * moved(i),
            |i| moved_dy[i],
            out,
        );
        if !wanted[0] {
            return vec![Vec::new()];
        }
        let (scale, _) = self.affine.of(params);
        let (scale_along, _) = self.affine.of(v);
        let d = self.each(|i, column| scale[column] * self.dy[i]);
        let d_along = self.each(|i, column| scale_along[column] * self.dy[i] + scale[column] * moved_dy[i]);
        let mean = self.means(|i| d_along[i]);
        let along = self.means(|i| d[i] * self.normal[i]);
        let both = self.means(|i| d_along[i] * self.normal[i] + d[i] * self.moved[i]);
        let dx = self.input_gradient(params);
        vec![self.each(|i, _| {
            let group = self.group(i);
            let inner =
                d_along[i] - mean[group] - self.moved[i] * along[group] - self.normal[i] * both[group];
            self.stretched[group] * dx[i] + self.factors[group] * inner
        })]
    }
}
