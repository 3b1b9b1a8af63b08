//! Dense layers that the members of an ensemble share.

use super::dense::{bias_init, resolve};
use super::members::members;
use super::rows::{add, add_product};
use super::{Backward, Flow, Forward, Layer, Operation, Planned, Weight};
use crate::curvature::Tangent;
use crate::graph::{Initial, Site};
use crate::shape::Shape;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use downhill_matmul::{self as matmul, Scratch};
use downhill_optim::{Init, Lsuv, Role};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// yᵢ = sᵢ∘(xᵢ·W) + bᵢ for every member i: a dense layer whose weights all members share, with factors and
/// biases of each one's own.
///
/// W is `[inputs, units]` (`weight`), s and b are `[members, units]` (`scale`, which begins at 1, and `bias`,
/// uniform in ±1/√inputs). All members of all rows are one product. It stands behind
/// [`members`](crate::Members), which has the factors in front of the first product; in front of a later one,
/// a `scale` layer has them. Behind ReLU they are left out without loss: positive ones are those behind the
/// product in front.
///
/// Wen, Tran & Ba, [BatchEnsemble: an alternative approach to efficient ensemble and lifelong
/// learning][paper], 2020.
///
/// [paper]: https://arxiv.org/abs/2002.06715
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ensemble {
    /// The number of outputs of a member, at least 1.
    pub units: usize,
    /// How the weights begin; `auto`, the default, looks at the activation that follows, as that of
    /// [`Dense`](crate::Dense) does.
    #[serde(default)]
    pub init: Init,
}

impl Ensemble {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::ensure("ensemble", "units", self.units as f64, |units| units >= 1.0, "at least 1")?;
        self.init.check()
    }
}

impl Layer for Ensemble {
    fn units(&self) -> usize {
        self.units
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let ([members, inputs], outputs) = (members(site)?, self.units);
        let init = resolve(self.init, site.following());
        let weight = Initial::Random(init, inputs, outputs);
        let weight = site.parameter("weight", &[inputs, outputs], Role::Weight, weight)?;
        let own = [members, outputs];
        let scale = site.parameter("scale", &own, Role::Scale, Initial::Constant(1.0))?;
        let bias = site.parameter("bias", &own, Role::Bias, bias_init(init, inputs))?;
        let lsuv = if let Init::Lsuv(lsuv) = self.init { Some(lsuv) } else { None };
        let op = EnsembleOp { inputs, outputs, members, weight, scale, bias, lsuv };
        Ok((Arc::new(op), Shape::from(own)))
    }
}

/// A dense layer that members share, as it is run.
#[derive(Clone, Debug)]
struct EnsembleOp {
    /// Of a member.
    inputs: usize,
    /// Of a member.
    outputs: usize,
    members: usize,
    weight: Range<usize>,
    /// Members × outputs, as the bias, which lies behind it.
    scale: Range<usize>,
    bias: Range<usize>,
    /// How the weights are scaled on data before they are trained, if they are.
    lsuv: Option<Lsuv>,
}

impl EnsembleOp {
    /// The shape of x·W, where x has so many values.
    fn product(&self, values: usize) -> matmul::Shape {
        matmul::Shape { rows: values / self.inputs, inner: self.inputs, columns: self.outputs }
    }

    /// dx = du·Wᵀ.
    fn turned<F: Float>(&self, du: &[F], weight: &[F], dx: &mut [F], scratch: &mut Scratch<F>) {
        let shape =
            matmul::Shape { rows: du.len() / self.outputs, inner: self.outputs, columns: self.inputs };
        matmul::multiply_bt(shape, du, weight, dx, scratch);
    }

    /// Some rows of xᵀ·du.
    fn weights<F: Float>(
        &self,
        rows: Range<usize>,
        (x, du): (&[F], &[F]),
        gradient: &mut [F],
        adding: bool,
        scratch: &mut Scratch<F>,
    ) {
        let inner = du.len() / self.outputs;
        let shape = matmul::Shape { rows: self.inputs, inner, columns: self.outputs };
        matmul::multiply_at_part(shape, rows, x, du, gradient, adding, scratch);
    }
}

/// y = factors∘y + shifts, for every row.
fn scale_rows<F: Float>(factors: &[F], shifts: &[F], y: &mut [F]) {
    vectorised(
        #[inline(always)]
        || {
            for y in y.chunks_exact_mut(factors.len()) {
                let columns = factors.iter().zip(shifts);
                y.iter_mut().zip(columns).for_each(|(y, (&factor, &shift))| *y = *y * factor + shift);
            }
        },
    );
}

/// The row *= factors, for every row.
fn multiply_rows<F: Float>(factors: &[F], rows: &mut [F]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(factors.len()) {
                row.iter_mut().zip(factors).for_each(|(value, &factor)| *value *= factor);
            }
        },
    );
}

impl<F: Float> Operation<F> for EnsembleOp {
    /// x·W, of which the gradient of the factors is made.
    fn kept(&self) -> usize {
        self.members * self.outputs
    }

    fn vectors(&self) -> Range<usize> {
        self.scale.start..self.bias.end
    }

    fn weight(&self) -> Option<Weight> {
        Some(Weight { range: self.weight.clone(), columns: self.outputs })
    }

    fn flow(&self) -> Flow {
        Flow::Apart
    }

    fn calibration(&self) -> Option<(Lsuv, Arc<dyn Operation<F>>)> {
        Some((self.lsuv?, Arc::new(self.clone())))
    }

    fn forward(&self, Forward { params, inputs, y, kept, scratch, .. }: Forward<'_, F>) {
        let weight = &params[self.weight.clone()];
        matmul::multiply(self.product(inputs[0].len()), inputs[0], weight, y, scratch);
        if !kept.is_empty() {
            kept.copy_from_slice(y);
        }
        scale_rows(&params[self.scale.clone()], &params[self.bias.clone()], y);
    }

    /// dy becomes the gradient of x·W in place.
    fn backward(&self, Backward { params, kept, dy, vectors, .. }: Backward<'_, F>) {
        vectors.fill(F::zero());
        let (d_scale, d_bias) = vectors.split_at_mut(self.scale.len());
        vectorised(
            #[inline(always)]
            || {
                for (dy, product) in dy.chunks_exact(d_bias.len()).zip(kept.chunks_exact(d_bias.len())) {
                    add(d_bias, dy);
                    add_product(d_scale, dy, product);
                }
            },
        );
        multiply_rows(&params[self.scale.clone()], dy);
    }

    fn input_gradient(&self, _: usize, params: &[F], dy: &[F], dx: &mut [F], scratch: &mut Scratch<F>) {
        self.turned(dy, &params[self.weight.clone()], dx, scratch);
    }

    fn weight_gradient(
        &self,
        rows: Range<usize>,
        x: &[F],
        dy: &[F],
        gradient: &mut [F],
        adding: bool,
        scratch: &mut Scratch<F>,
    ) {
        self.weights(rows, (x, dy), gradient, adding, scratch);
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        let none = Vec::new;
        Box::new(EnsembleTangent {
            op: self.clone(),
            x: none(),
            product: none(),
            dy: none(),
            du: none(),
            moved: none(),
            moved_product: none(),
        })
    }
}

/// A shared dense layer with its derivatives; u = x·W.
#[derive(Debug)]
struct EnsembleTangent {
    op: EnsembleOp,
    x: Vec<f64>,
    /// u.
    product: Vec<f64>,
    /// The gradients of y and of u.
    dy: Vec<f64>,
    du: Vec<f64>,
    /// ∂x of the product under way, empty if x does not move, and ∂u.
    moved: Vec<f64>,
    moved_product: Vec<f64>,
}

impl EnsembleTangent {
    fn multiply(&self, x: &[f64], params: &[f64], scratch: &mut Scratch<f64>) -> Vec<f64> {
        let shape = self.op.product(x.len());
        let mut product = vec![0.0; shape.rows * shape.columns];
        matmul::multiply(shape, x, &params[self.op.weight.clone()], &mut product, scratch);
        product
    }

    fn turned(&self, du: &[f64], params: &[f64], scratch: &mut Scratch<f64>) -> Vec<f64> {
        let mut dx = vec![0.0; self.x.len()];
        self.op.turned(du, &params[self.op.weight.clone()], &mut dx, scratch);
        dx
    }

    /// Values times the factors of their member and column, from among these parameters.
    fn scaled(&self, values: &[f64], params: &[f64]) -> Vec<f64> {
        let mut values = values.to_vec();
        multiply_rows(&params[self.op.scale.clone()], &mut values);
        values
    }

    /// Adds the sums over the rows of a∘b to the gradient of the factors.
    fn add_scale_gradient(&self, a: &[f64], b: &[f64], gradient: &mut [f64]) {
        let sums = &mut gradient[self.op.scale.clone()];
        let width = sums.len();
        a.chunks_exact(width).zip(b.chunks_exact(width)).for_each(|(a, b)| add_product(sums, a, b));
    }

    fn add_bias_gradient(&self, dy: &[f64], gradient: &mut [f64]) {
        let sums = &mut gradient[self.op.bias.clone()];
        dy.chunks_exact(sums.len()).for_each(|row| add(sums, row));
    }
}

impl Tangent for EnsembleTangent {
    fn forward(&mut self, params: &[f64], inputs: &[&[f64]], scratch: &mut Scratch<f64>) -> Vec<f64> {
        self.x = inputs[0].to_vec();
        self.product = self.multiply(&self.x, params, scratch);
        let mut y = self.product.clone();
        scale_rows(&params[self.op.scale.clone()], &params[self.op.bias.clone()], &mut y);
        y
    }

    fn backward(
        &mut self,
        params: &[f64],
        dy: Vec<f64>,
        wanted: &[bool],
        gradient: &mut [f64],
        scratch: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_scale_gradient(&dy, &self.product, gradient);
        self.add_bias_gradient(&dy, gradient);
        self.du = self.scaled(&dy, params);
        self.dy = dy;
        let weight = &mut gradient[self.op.weight.clone()];
        self.op.weights(0..self.op.inputs, (&self.x, &self.du), weight, false, scratch);
        vec![if wanted[0] { self.turned(&self.du, params, scratch) } else { Vec::new() }]
    }

    /// ∂u = ∂x·W + x·∂W, ∂y = ∂s∘u + s∘∂u + ∂b.
    fn forward_along(
        &mut self,
        params: &[f64],
        v: &[f64],
        moved: &[&[f64]],
        scratch: &mut Scratch<f64>,
    ) -> Vec<f64> {
        self.moved = moved[0].to_vec();
        self.moved_product = self.multiply(&self.x, v, scratch);
        if !self.moved.is_empty() {
            let passed = self.multiply(&self.moved, params, scratch);
            add(&mut self.moved_product, &passed);
        }
        let mut along = self.moved_product.clone();
        scale_rows(&params[self.op.scale.clone()], &v[self.op.bias.clone()], &mut along);
        add(&mut along, &self.scaled(&self.product, v));
        along
    }

    /// ∂du = ∂s∘dy + s∘∂dy; ∂ds = Σ (∂dy∘u + dy∘∂u), ∂dW = xᵀ·∂du + ∂xᵀ·du, ∂dx = ∂du·Wᵀ + du·∂Wᵀ.
    fn backward_along(
        &self,
        params: &[f64],
        v: &[f64],
        moved_dy: Vec<f64>,
        wanted: &[bool],
        out: &mut [f64],
        scratch: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.add_scale_gradient(&moved_dy, &self.product, out);
        self.add_scale_gradient(&self.dy, &self.moved_product, out);
        self.add_bias_gradient(&moved_dy, out);
        let mut moved_du = self.scaled(&moved_dy, params);
        add(&mut moved_du, &self.scaled(&self.dy, v));
        let (rows, weight) = (0..self.op.inputs, &mut out[self.op.weight.clone()]);
        self.op.weights(rows.clone(), (&self.x, &moved_du), weight, false, scratch);
        if !self.moved.is_empty() {
            self.op.weights(rows, (&self.moved, &self.du), weight, true, scratch);
        }
        if !wanted[0] {
            return vec![Vec::new()];
        }
        let mut dx = self.turned(&moved_du, params, scratch);
        add(&mut dx, &self.turned(&self.du, v, scratch));
        vec![dx]
    }
}
