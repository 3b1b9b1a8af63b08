//! Cross-entropy of one class among several.

use super::{LossFunction, NamedLoss, Rows, TargetKind};
use crate::op::Outputs;
use crate::targets::Targets;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid, invalid};
use serde::{Deserialize, Serialize};

/// −ln p_y, where p is the softmax of the row and y its class.
///
/// With label smoothing ε and class weights w, a row costs (1 − ε)·w_y·(−ln p_y) + ε/K·Σ w_k·(−ln p_k) over
/// its K classes, and the mean divides by the sum of the rows' w_y, all as in PyTorch.
///
/// Label smoothing: Szegedy et al., [Rethinking the Inception architecture for computer vision][paper], 2016.
///
/// [paper]: https://arxiv.org/abs/1512.00567
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct CrossEntropy {
    /// ε: the share of the target that is spread evenly over all classes; at least 0, less than 1; 0 unless
    /// given.
    pub label_smoothing: f64,
    /// w: how much each class counts, each at least 0, one of them more; all 1 if left empty.
    pub class_weights: Vec<f64>,
}

impl CrossEntropy {
    fn class_weight(&self, class: usize) -> f64 {
        self.class_weights.get(class).copied().unwrap_or(1.0)
    }

    /// What one row costs, from its outputs and ln Σ eᶻ.
    fn value<F: Float>(&self, outputs: &[F], class: usize, log_sum: F) -> f64 {
        let right = self.class_weight(class) * (log_sum - outputs[class]).f64();
        if self.label_smoothing == 0.0 {
            return right;
        }
        let costs = outputs.iter().enumerate().map(|(k, &z)| self.class_weight(k) * (log_sum - z).f64());
        (1.0 - self.label_smoothing) * right
            + self.label_smoothing / outputs.len() as f64 * costs.sum::<f64>()
    }
}

impl LossFunction for CrossEntropy {
    fn sum<F: Float>(&self, Rows { outputs, width, targets }: Rows<'_, F>) -> f64 {
        let Targets::Classes(classes) = targets else { return f64::NAN };
        let rows = outputs.chunks_exact(width).zip(classes);
        rows.map(|(row, &class)| {
            let largest = largest(row);
            let sum: F = row.iter().map(|&z| (z - largest).fast_exp()).sum();
            self.value(row, class as usize, largest + sum.ln())
        })
        .sum()
    }

    /// The gradient is p_k·((1 − ε)·w_y + ε/K·Σ w) − ε/K·w_k − (1 − ε)·w_y·[k = y].
    fn gradient<F: Float>(
        &self,
        Rows { outputs, width, targets }: Rows<'_, F>,
        scale: F,
        gradient: &mut [F],
    ) -> f64 {
        let Targets::Classes(classes) = targets else { return f64::NAN };
        let smoothing = self.label_smoothing / width as f64;
        let all: f64 = (0..width).map(|k| self.class_weight(k)).sum();
        exponentials(outputs, width, gradient);
        let rows = outputs.chunks_exact(width).zip(gradient.chunks_exact_mut(width)).zip(classes);
        rows.map(|((row, gradient), &class)| {
            let class = class as usize;
            let largest = largest(row);
            let sum: F = gradient.iter().copied().sum();
            let right = (1.0 - self.label_smoothing) * self.class_weight(class);
            let factor = scale * F::of(right + smoothing * all) / sum;
            for g in gradient.iter_mut() {
                *g *= factor;
            }
            if smoothing > 0.0 {
                for (k, g) in gradient.iter_mut().enumerate() {
                    *g -= scale * F::of(smoothing * self.class_weight(k));
                }
            }
            gradient[class] -= scale * F::of(right);
            self.value(row, class, largest + sum.ln())
        })
        .sum()
    }

    /// Of the gradient only p moves, and ∂p_k = p_k·(∂z_k − Σ p_j·∂z_j).
    fn gradient_tangent(
        &self,
        Rows { outputs, width, targets }: Rows<'_, f64>,
        scale: f64,
        tangent: &mut [f64],
    ) {
        let Targets::Classes(classes) = targets else { return };
        let all: f64 = (0..width).map(|k| self.class_weight(k)).sum();
        let mut p = vec![0.0; width];
        for ((row, tangent), &class) in
            outputs.chunks_exact(width).zip(tangent.chunks_exact_mut(width)).zip(classes)
        {
            p.copy_from_slice(row);
            softmax(&mut p);
            let right = (1.0 - self.label_smoothing) * self.class_weight(class as usize);
            let factor = scale * (right + self.label_smoothing / width as f64 * all);
            let along: f64 = p.iter().zip(&*tangent).map(|(p, t)| p * t).sum();
            tangent.iter_mut().zip(&p).for_each(|(t, p)| *t = factor * p * (*t - along));
        }
    }
}

impl NamedLoss for CrossEntropy {
    const NAME: &'static str = "cross-entropy";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("cross-entropy", "label-smoothing", self.label_smoothing)?;
        for &weight in &self.class_weights {
            invalid::not_negative("cross-entropy", "class-weights", weight)?;
        }
        if !self.class_weights.is_empty() {
            let largest = self.class_weights.iter().copied().fold(0.0, f64::max);
            let wanted = "0 or above, and one of them above 0";
            invalid::ensure("cross-entropy", "class-weights", largest, |w| w > 0.0, wanted)?;
        }
        Ok(())
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn accepts(&self, outputs: usize, targets: TargetKind) -> Result<(), String> {
        match targets {
            TargetKind::Values => Err(format!("{} needs classes as targets, not values", Self::NAME)),
            TargetKind::Classes if outputs < 2 => Err(format!("{} needs at least 2 outputs", Self::NAME)),
            TargetKind::Classes => Ok(()),
        }
    }

    fn class_weights(&self) -> &[f64] {
        &self.class_weights
    }

    fn class_weights_mut(&mut self) -> Option<&mut Vec<f64>> {
        Some(&mut self.class_weights)
    }

    fn said_by_outputs(&self) -> Outputs {
        Outputs::Softmax
    }

    fn probabilities<F: Float>(&self, outputs: &mut [F], width: usize) {
        outputs.chunks_mut(width.max(1)).for_each(softmax);
    }
}

/// e^(z − largest of the row) of all rows at once: a row may be shorter than a vector.
fn exponentials<F: Float>(outputs: &[F], width: usize, to: &mut [F]) {
    for (row, to) in outputs.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let largest = largest(row);
        for (to, &z) in to.iter_mut().zip(row) {
            *to = z - largest;
        }
    }
    vectorised(
        #[inline(always)]
        move || to.iter_mut().for_each(|x| *x = x.fast_exp()),
    );
}

fn largest<F: Float>(row: &[F]) -> F {
    row.iter().fold(F::neg_infinity(), |largest, &x| if x > largest { x } else { largest })
}

/// eᶻ/Σeᶻ of one row, in place: the probabilities that logits say.
pub fn softmax<F: Float>(row: &mut [F]) {
    let largest = largest(row);
    let mut sum = F::zero();
    for x in row.iter_mut() {
        *x = (*x - largest).fast_exp();
        sum += *x;
    }
    for x in row.iter_mut() {
        *x /= sum;
    }
}
