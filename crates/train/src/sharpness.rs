//! How curved the training loss is, and how high a rate that bears.

use downhill_core::random::{Purpose, stream};
use downhill_data::{Dataset, permutation};
use downhill_nn::{Batch, Hessian, Loss, Model};
use downhill_optim::{Init, Normal, Optimizer, Stability};

use crate::Error;
use crate::engine::targets;
use crate::lanczos::{Eigenvalue, largest_eigenvalue};

/// How curved the training loss is where a run stands, and the rate that its optimizer bears there.
///
/// The sharpness is the largest eigenvalue λ of the Hessian of the training loss, with its L2 penalty if
/// there is one; if the optimizer divides gradients by averages, of the Hessian preconditioned by them,
/// P^(−½)·H·P^(−½). The rate that is borne is c/λ, with the c of
/// [`Rule::stability`](downhill_optim::Rule::stability): 2/λ for gradient descent. At a rate above it steps
/// along the sharpest direction overshoot, each by more than the one before.
///
/// In training by large batches at a constant rate the sharpness rises until the limit is down at that rate,
/// and stays near it. Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of
/// Stability" (2021). With small batches it comes to rest below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharpness {
    /// λ, by Lanczos' method.
    pub value: f64,
    /// How far λ can be from an eigenvalue: at most 1e-5 of it, unless that took more than 200 products.
    pub error: f64,
    /// c; none where the optimizer has no known limit, or no averages yet, and λ is then that of the plain
    /// Hessian.
    pub bound: Option<f64>,
    /// How many rows it was measured on.
    pub rows: usize,
    /// How many products of the Hessian with a vector it took.
    pub products: usize,
}

impl Sharpness {
    /// The rate from which on training is not stable: c/λ. None if no limit is known, or nothing is curved
    /// upwards.
    pub fn limit(&self) -> Option<f64> {
        self.bound.map(|bound| bound / self.value).filter(|limit| limit.is_finite() && *limit > 0.0)
    }
}

/// The sharpness of the training loss at a model's weights, and what it means for an optimizer that has made
/// `steps` steps; both are left as they are.
///
/// Of more than `most` training rows, so many are looked at: the first in the order of the run's first epoch,
/// which is a function of `seed`, as the vector is that the search begins with. The model is in training
/// mode, batch normalisation taking the moments of these rows; nothing is dropped, and the second derivative
/// of a kink is 0.
///
/// # Errors
///
/// If the loss or the data does not fit the model.
pub fn stability_limit(
    model: &Model<f32>,
    optimizer: &Optimizer<f32>,
    steps: u64,
    data: &Dataset,
    loss: &Loss,
    most: usize,
    seed: u64,
) -> Result<Sharpness, Error> {
    let mut rows = vec![0; data.train.rows()];
    permutation(&mut rows, seed, 0);
    rows.truncate(most.max(1));
    let batch = Batch { x: &data.train.x, targets: targets(&data.train.y), rows: &rows };
    let mut hessian = Hessian::weighted(model, &batch, data.train.weights.as_deref(), loss)?;

    let Stability { bound, scaling, penalty } = optimizer.stability(steps);
    let roots: Vec<f64> = scaling.iter().map(|scale| scale.sqrt()).collect();
    let mut scaled = vec![0.0; roots.len()];
    let product = |v: &[f64], out: &mut [f64]| {
        scaled.iter_mut().zip(v).zip(&roots).for_each(|((scaled, v), root)| *scaled = v * root);
        hessian.product(&scaled, out);
        for (i, out) in out.iter_mut().enumerate() {
            *out = roots[i] * (*out + penalty[i] * scaled[i]);
        }
    };
    let mut start = vec![0.0; model.params().len()];
    let mut rng = stream(seed, Purpose::Probe, 0);
    Init::Normal(Normal { std: 1.0 }).fill(&mut start, 1, 1, &mut rng);
    let Eigenvalue { value, residual, products } = largest_eigenvalue(product, start);
    Ok(Sharpness { value, error: residual, bound, rows: rows.len(), products })
}
