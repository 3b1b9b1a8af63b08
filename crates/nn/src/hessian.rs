//! Products of the loss's Hessian with vectors, exact.
//!
//! The Hessian of a loss L in the parameters p is too large to be written down, but H·v, the derivative of the gradient
//! along v, costs about as much as two gradients: every step of the forward and of the backward pass is differentiated
//! along v with the step itself (forward over reverse). Pearlmutter, "Fast Exact Multiplication by the Hessian" (1994).
//! Nothing is approximated; in what follows, ∂ means the derivative along v.

use crate::Activation;
use crate::error::Error;
use crate::layer::{Affine, add};
use crate::loss::Loss;
use crate::model::{Model, Op};
use crate::targets::Targets;
use crate::workspace::{Batch, check_batch, check_loss};
use downhill_core::Float;
use downhill_matmul::{Scratch, Shape, multiply, multiply_at, multiply_at_part, multiply_bt};
use std::ops::Range;

/// The Hessian of the mean loss of some rows at a model's parameters, in `f64`.
///
/// The model is in training mode, but nothing is dropped: batch normalisation takes the moments of these rows, whose
/// dependence on the parameters counts, and dropout passes everything on. What has a kink (ReLU, leaky ReLU, the
/// absolute error, the ends of Huber's parabola) has no curvature there: its second derivative is taken on one side, as
/// automatic differentiation does.
///
/// It holds about four numbers for every output of every layer and row.
///
/// ```
/// use downhill_nn::{Batch, Hessian, LayerSpec, Loss, Model, Targets};
///
/// // (w·x − t)² over the rows x = 1 and x = 3 has the second derivative 2·(1 + 9)/2.
/// let layers: [LayerSpec; 1] = ["dense(1, bias=false)".parse().unwrap()];
/// let model = Model::<f32>::build(&layers, 1, 7)?;
/// let batch = Batch { x: &[1.0, 3.0], targets: Targets::Values(&[0.5, 0.5]), rows: &[0, 1] };
/// let mut product = [0.0];
/// Hessian::new(&model, &batch, &"mse".parse::<Loss>().unwrap())?.product(&[1.0], &mut product);
/// assert_eq!(product, [10.0]);
/// # Ok::<(), downhill_nn::Error>(())
/// ```
#[derive(Debug)]
pub struct Hessian {
    params: Vec<f64>,
    passes: Vec<Pass>,
    outputs: Vec<f64>,
    width: usize,
    classes: Vec<u32>,
    values: Vec<f64>,
    loss: Loss,
    scale: f64,
    gradient: Vec<f64>,
    scratch: Scratch<f64>,
}

/// What a layer's derivatives are made of: fixed, whatever the vector. All are rows × units.
#[derive(Debug)]
enum Pass {
    Dense(DensePass),
    Curve(Curve),
    Norm(Norm),
}

/// y = x·W + b.
#[derive(Debug)]
struct DensePass {
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    units: [usize; 2],
    x: Vec<f64>,
    /// The gradient of y.
    dy: Vec<f64>,
    /// ∂x of the product under way; empty if nothing in front has parameters.
    moved: Vec<f64>,
}

/// y = f(x).
#[derive(Debug)]
struct Curve {
    slopes: Vec<f64>,
    /// f″(x); from the backward pass on, f″(x)·dy.
    bends: Vec<f64>,
    /// ∂x of the product under way; empty if nothing in front has parameters.
    moved: Vec<f64>,
}

/// y = γ·x̂ + β, where x̂ = (x − μ)·s with s = 1/√(σ² + ε): the moments are those of a column, or of a row.
#[derive(Debug)]
struct Norm {
    affine: Affine,
    width: usize,
    by_row: bool,
    /// x̂.
    normal: Vec<f64>,
    /// s of each column, or row.
    factors: Vec<f64>,
    /// The gradient of y.
    dy: Vec<f64>,
    /// Of the product under way, ∂x̂ and ∂s/s; empty if nothing in front has parameters.
    moved: Vec<f64>,
    stretched: Vec<f64>,
}

impl Hessian {
    /// The Hessian of the mean loss of a batch of any size.
    ///
    /// # Errors
    ///
    /// If the batch is empty, or inputs, targets, rows and loss do not fit the model or each other.
    pub fn new<F: Float>(model: &Model<F>, batch: &Batch<'_, F>, loss: &Loss) -> Result<Self, Error> {
        check_batch(model, batch, usize::MAX)?;
        let weight = check_loss(model, batch, loss)?;
        let wide = |values: &[F]| values.iter().map(|x| x.f64()).collect::<Vec<f64>>();
        let gathered = |values: &[F], width: usize| -> Vec<f64> {
            batch.rows.iter().flat_map(|&row| wide(&values[row as usize * width..][..width])).collect()
        };
        let (classes, values) = match batch.targets {
            Targets::Classes(classes) => {
                (batch.rows.iter().map(|&row| classes[row as usize]).collect(), vec![])
            }
            Targets::Values(values) => (vec![], gathered(values, model.outputs())),
        };
        let mut hessian = Self {
            params: wide(model.params()),
            passes: Vec::new(),
            outputs: gathered(batch.x, model.inputs()),
            width: model.outputs(),
            classes,
            values,
            loss: loss.clone(),
            scale: if weight > 0.0 { 1.0 / weight } else { 0.0 },
            gradient: vec![0.0; model.params().len()],
            scratch: Scratch::new(),
        };
        hessian.forward(model);
        hessian.backward();
        Ok(hessian)
    }

    /// The gradient of the mean loss.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn targets(&self) -> Targets<'_, f64> {
        if self.values.is_empty() { Targets::Classes(&self.classes) } else { Targets::Values(&self.values) }
    }

    /// Goes forward through all rows, and keeps what products need.
    fn forward<F: Float>(&mut self, model: &Model<F>) {
        for node in model.nodes() {
            let x = std::mem::take(&mut self.outputs);
            match &node.op {
                Op::Dense(op) => {
                    let rows = x.len() / op.inputs;
                    let mut y = vec![0.0; rows * op.outputs];
                    let shape = Shape { rows, inner: op.inputs, columns: op.outputs };
                    multiply(shape, &x, &self.params[op.weight.clone()], &mut y, &mut self.scratch);
                    if let Some(bias) = &op.bias {
                        y.chunks_exact_mut(op.outputs).for_each(|y| add(y, &self.params[bias.clone()]));
                    }
                    self.passes.push(Pass::Dense(DensePass {
                        weight: op.weight.clone(),
                        bias: op.bias.clone(),
                        units: [op.inputs, op.outputs],
                        x,
                        dy: Vec::new(),
                        moved: Vec::new(),
                    }));
                    self.outputs = y;
                    if let Some(activation) = op.activation {
                        self.curve(activation);
                    }
                }
                Op::Activation(activation) => {
                    self.outputs = x;
                    self.curve(*activation);
                }
                Op::Dropout(_) => self.outputs = x,
                Op::BatchNorm(op) => self.norm(op.affine.clone(), op.width, false, op.eps, x),
                Op::LayerNorm(op) => self.norm(op.affine.clone(), op.width, true, op.eps, x),
            }
        }
    }

    fn curve(&mut self, activation: Activation) {
        let (mut slopes, mut bends) = (Vec::new(), Vec::new());
        for value in &mut self.outputs {
            let [y, slope, bend] = activation.expansion(*value);
            *value = y;
            slopes.push(slope);
            bends.push(bend);
        }
        self.passes.push(Pass::Curve(Curve { slopes, bends, moved: Vec::new() }));
    }

    fn norm(&mut self, affine: Affine, width: usize, by_row: bool, eps: f64, x: Vec<f64>) {
        let mut norm = Norm {
            affine,
            width,
            by_row,
            normal: x,
            factors: Vec::new(),
            dy: Vec::new(),
            moved: Vec::new(),
            stretched: Vec::new(),
        };
        let means = norm.means(|i| norm.normal[i]);
        norm.normal = norm.each(|i, _| norm.normal[i] - means[norm.group(i)]);
        let variances = norm.means(|i| norm.normal[i] * norm.normal[i]);
        norm.factors = variances.iter().map(|variance| 1.0 / (variance + eps).sqrt()).collect();
        norm.normal = norm.each(|i, _| norm.normal[i] * norm.factors[norm.group(i)]);
        let [scale, shift] = norm.affine_of(&self.params);
        self.outputs = norm.each(|i, column| scale[column] * norm.normal[i] + shift[column]);
        self.passes.push(Pass::Norm(norm));
    }

    /// Goes backward, and keeps the gradients of what products need them of.
    fn backward(&mut self) {
        let mut dy = vec![0.0; self.outputs.len()];
        self.loss.gradient(&self.outputs, self.width, self.targets(), self.scale, &mut dy);
        let Self { passes, params, gradient, scratch, .. } = self;
        for pass in passes.iter_mut().rev() {
            match pass {
                Pass::Curve(curve) => {
                    curve.bends.iter_mut().zip(&dy).for_each(|(bend, dy)| *bend *= dy);
                    dy.iter_mut().zip(&curve.slopes).for_each(|(dy, slope)| *dy *= slope);
                }
                Pass::Dense(dense) => {
                    let [inputs, outputs] = dense.units;
                    let rows = dy.len() / outputs;
                    let shape = Shape { rows: inputs, inner: rows, columns: outputs };
                    multiply_at(shape, &dense.x, &dy, &mut gradient[dense.weight.clone()], scratch);
                    dense.add_bias_gradient(&dy, gradient);
                    let mut dx = vec![0.0; rows * inputs];
                    let shape = Shape { rows, inner: outputs, columns: inputs };
                    multiply_bt(shape, &dy, &params[dense.weight.clone()], &mut dx, scratch);
                    dense.dy = std::mem::replace(&mut dy, dx);
                }
                Pass::Norm(norm) => {
                    norm.add_affine_gradient(|i| dy[i] * norm.normal[i], |i| dy[i], gradient);
                    norm.dy = std::mem::take(&mut dy);
                    dy = norm.input_gradient(params);
                }
            }
        }
    }

    /// `out` = H·`v`.
    ///
    /// # Panics
    ///
    /// If they are not as long as the parameters.
    pub fn product(&mut self, v: &[f64], out: &mut [f64]) {
        assert_eq!(v.len(), self.params.len(), "as many numbers as parameters");
        out.fill(0.0);
        let tangent = self.forward_along(v);
        self.backward_along(v, tangent, out);
    }

    /// ∂ of the outputs.
    fn forward_along(&mut self, v: &[f64]) -> Vec<f64> {
        let Self { passes, params, scratch, .. } = self;
        // In front of the first layer with parameters nothing moves, which is what no numbers stand for.
        let mut tangent = Vec::new();
        for pass in passes {
            match pass {
                Pass::Curve(curve) => {
                    curve.moved.clone_from(&tangent);
                    tangent.iter_mut().zip(&curve.slopes).for_each(|(t, slope)| *t *= slope);
                }
                Pass::Dense(dense) => {
                    // ∂y = ∂x·W + x·∂W + ∂b
                    let [inputs, outputs] = dense.units;
                    let rows = dense.x.len() / inputs;
                    let shape = Shape { rows, inner: inputs, columns: outputs };
                    let mut moved = vec![0.0; rows * outputs];
                    multiply(shape, &dense.x, &v[dense.weight.clone()], &mut moved, scratch);
                    if !tangent.is_empty() {
                        let mut passed = vec![0.0; rows * outputs];
                        multiply(shape, &tangent, &params[dense.weight.clone()], &mut passed, scratch);
                        add(&mut moved, &passed);
                    }
                    if let Some(bias) = &dense.bias {
                        moved.chunks_exact_mut(outputs).for_each(|row| add(row, &v[bias.clone()]));
                    }
                    dense.moved = std::mem::replace(&mut tangent, moved);
                }
                Pass::Norm(norm) => tangent = norm.forward_along(params, v, tangent),
            }
        }
        tangent
    }

    /// From ∂ of the outputs to ∂ of the gradient.
    fn backward_along(&mut self, v: &[f64], mut tangent: Vec<f64>, out: &mut [f64]) {
        if tangent.is_empty() {
            return; // nothing has parameters
        }
        self.loss.gradient_tangent(&self.outputs, self.width, self.targets(), self.scale, &mut tangent);
        let Self { passes, params, scratch, .. } = self;
        // `tangent` is ∂dy, and then ∂dx.
        for pass in passes.iter().rev() {
            match pass {
                Pass::Curve(curve) => {
                    // dx = f′(x)·dy, so ∂dx = f″(x)·dy·∂x + f′(x)·∂dy
                    let bent = curve.bends.iter().zip(&curve.moved).map(|(bend, moved)| bend * moved);
                    for ((t, slope), bent) in tangent.iter_mut().zip(&curve.slopes).zip(bent) {
                        *t = slope * *t + bent;
                    }
                }
                Pass::Dense(dense) => {
                    // dW = xᵀ·dy, so ∂dW = xᵀ·∂dy + ∂xᵀ·dy
                    let [inputs, outputs] = dense.units;
                    let rows = tangent.len() / outputs;
                    let shape = Shape { rows: inputs, inner: rows, columns: outputs };
                    let weight = &mut out[dense.weight.clone()];
                    multiply_at(shape, &dense.x, &tangent, weight, scratch);
                    if dense.moved.is_empty() {
                        dense.add_bias_gradient(&tangent, out);
                        return;
                    }
                    multiply_at_part(shape, 0..inputs, &dense.moved, &dense.dy, weight, true, scratch);
                    dense.add_bias_gradient(&tangent, out);
                    // dx = dy·Wᵀ, so ∂dx = ∂dy·Wᵀ + dy·∂Wᵀ
                    let (mut dx, mut turned) = (vec![0.0; rows * inputs], vec![0.0; rows * inputs]);
                    let shape = Shape { rows, inner: outputs, columns: inputs };
                    multiply_bt(shape, &tangent, &params[dense.weight.clone()], &mut dx, scratch);
                    multiply_bt(shape, &dense.dy, &v[dense.weight.clone()], &mut turned, scratch);
                    add(&mut dx, &turned);
                    tangent = dx;
                }
                Pass::Norm(norm) => {
                    let moved = |i: usize| norm.moved.get(i).copied().unwrap_or(0.0);
                    norm.add_affine_gradient(
                        |i| tangent[i] * norm.normal[i] + norm.dy[i] * moved(i),
                        |i| tangent[i],
                        out,
                    );
                    if norm.moved.is_empty() {
                        return;
                    }
                    tangent = norm.input_gradient_along(params, v, &tangent);
                }
            }
        }
    }
}

impl DensePass {
    /// Adds the sums of the columns of dy to the gradient of b.
    fn add_bias_gradient(&self, dy: &[f64], gradient: &mut [f64]) {
        if let Some(bias) = &self.bias {
            dy.chunks_exact(self.units[1]).for_each(|row| add(&mut gradient[bias.clone()], row));
        }
    }
}

impl Norm {
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

    /// γ and β.
    fn affine_of<'a>(&self, params: &'a [f64]) -> [&'a [f64]; 2] {
        [&params[self.affine.scale.clone()], &params[self.affine.shift.clone()]]
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
        let [scale, _] = self.affine_of(params);
        let d = self.each(|i, column| scale[column] * self.dy[i]);
        let (mean, along) = (self.means(|i| d[i]), self.means(|i| d[i] * self.normal[i]));
        self.each(|i, _| {
            let group = self.group(i);
            self.factors[group] * (d[i] - mean[group] - self.normal[i] * along[group])
        })
    }

    /// ∂y = γ·∂x̂ + ∂γ·x̂ + ∂β, with ∂s = −s²·mean(x̂·∂x) and ∂x̂ = s·(∂x − mean(∂x)) + x̂·∂s/s; no numbers for ∂x are
    /// zeros.
    fn forward_along(&mut self, params: &[f64], v: &[f64], dx: Vec<f64>) -> Vec<f64> {
        let [scale, _] = self.affine_of(params);
        let [scale_along, shift_along] = self.affine_of(v);
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
    fn input_gradient_along(&self, params: &[f64], v: &[f64], dy_along: &[f64]) -> Vec<f64> {
        let [scale, _] = self.affine_of(params);
        let [scale_along, _] = self.affine_of(v);
        let d = self.each(|i, column| scale[column] * self.dy[i]);
        let d_along = self.each(|i, column| scale_along[column] * self.dy[i] + scale[column] * dy_along[i]);
        let mean = self.means(|i| d_along[i]);
        let along = self.means(|i| d[i] * self.normal[i]);
        let both = self.means(|i| d_along[i] * self.normal[i] + d[i] * self.moved[i]);
        let dx = self.input_gradient(params);
        self.each(|i, _| {
            let group = self.group(i);
            let inner =
                d_along[i] - mean[group] - self.moved[i] * along[group] - self.normal[i] * both[group];
            self.stretched[group] * dx[i] + self.factors[group] * inner
        })
    }
}
