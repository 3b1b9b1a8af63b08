//! Losses: what training makes small.
//!
//! Each is one file with its value and its derivative, and one line in [`Loss`]. Values are summed in `f64`.

mod binary_cross_entropy;
mod cross_entropy;
mod huber;
mod mae;
mod mse;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use cross_entropy::{CrossEntropy, softmax};
pub use huber::Huber;
pub use mae::Mae;
pub use mse::Mse;

use crate::error::Error;
use crate::targets::Targets;
use downhill_core::spec::spelled;
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};

/// What training makes small: a mean over the rows (and, but for cross-entropy, over the outputs) of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// −ln of the probability that the softmax of the outputs gives to the right class.
    CrossEntropy(CrossEntropy),
    /// −ln of the probability that the sigmoid of the output gives to the right answer, yes or no.
    BinaryCrossEntropy(BinaryCrossEntropy),
    /// Squared error.
    Mse(Mse),
    /// Absolute error.
    Mae(Mae),
    /// Squared error near 0, absolute error away from it.
    Huber(Huber),
}
spelled!(Loss, "a loss");

/// A loss that is a sum over single outputs, each with a target of its own.
pub(crate) trait Elementwise: Copy {
    /// ℓ(output, target).
    fn value<F: Float>(self, output: F, target: F) -> F;

    /// ∂ℓ/∂output.
    fn derivative<F: Float>(self, output: F, target: F) -> F;

    /// ∂²ℓ/∂output².
    fn second(self, output: f64, target: f64) -> f64;
}

/// Does something with the struct inside a [`Loss`]: the first arm for cross-entropy, the second for those that are
/// [`Elementwise`].
macro_rules! with_loss {
    ($value:expr, $rows:ident => $by_row:expr, $f:ident => $elementwise:expr) => {
        match $value {
            Loss::CrossEntropy($rows) => $by_row,
            Loss::BinaryCrossEntropy($f) => $elementwise,
            Loss::Mse($f) => $elementwise,
            Loss::Mae($f) => $elementwise,
            Loss::Huber($f) => $elementwise,
        }
    };
}

impl Loss {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::CrossEntropy(loss) => loss.check(),
            Self::Huber(loss) => loss.check(),
            Self::BinaryCrossEntropy(_) | Self::Mse(_) | Self::Mae(_) => Ok(()),
        }
    }

    /// The mean loss of rows of outputs, as [`predict`](crate::Workspace::predict) gives them.
    ///
    /// # Errors
    ///
    /// If the targets are not of the loss's kind, or as many as the outputs need, or a class does not exist.
    pub fn mean<F: Float>(&self, outputs: &[F], targets: Targets<'_, F>) -> Result<f64, Error> {
        let (_, width) = targets.shape(outputs.len())?;
        self.accepts(width, targets)?;
        if let Targets::Classes(classes) = targets {
            self.accepts_classes(width, classes.iter().copied())?;
        }
        let weight = match targets {
            Targets::Classes(classes) => self.weight(width, classes.iter().copied()),
            Targets::Values(values) => values.len() as f64,
        };
        if weight == 0.0 {
            return Err(Error::Data("the loss of no rows is not defined".into()));
        }
        Ok(self.sum(outputs, width, targets) / weight)
    }

    /// Turns outputs into what they say of the targets, in place: probabilities for cross-entropy (softmax over the
    /// row) and for binary cross-entropy (sigmoid), nothing for the losses of regression.
    pub fn probabilities<F: Float>(&self, outputs: &mut [F], width: usize) {
        match self {
            Self::CrossEntropy(_) => outputs.chunks_mut(width.max(1)).for_each(softmax),
            Self::BinaryCrossEntropy(_) => outputs.iter_mut().for_each(|x| *x = sigmoid(*x)),
            Self::Mse(_) | Self::Mae(_) | Self::Huber(_) => {}
        }
    }

    /// Whether targets of this kind can be compared with rows of so many outputs.
    pub(crate) fn accepts<F: Float>(&self, width: usize, targets: Targets<'_, F>) -> Result<(), Error> {
        let reason = match (self, targets) {
            (Self::CrossEntropy(_), Targets::Values(_)) => "cross-entropy needs classes as targets".into(),
            (Self::CrossEntropy(_), _) if width < 2 => "cross-entropy needs at least 2 outputs".into(),
            (Self::CrossEntropy(loss), _) if ![0, width].contains(&loss.class_weights.len()) => {
                format!("{} class-weights do not fit {width} outputs", loss.class_weights.len())
            }
            (Self::CrossEntropy(_), _) => return Ok(()),
            (Self::BinaryCrossEntropy(_), Targets::Classes(_)) if width == 1 => return Ok(()),
            (Self::BinaryCrossEntropy(_), Targets::Classes(_)) => {
                format!("binary cross-entropy with classes as targets needs 1 output, not {width}")
            }
            (_, Targets::Values(_)) => return Ok(()),
            (_, Targets::Classes(_)) => "a loss of regression needs values as targets, not classes".into(),
        };
        Err(Error::Data(reason))
    }

    /// Whether every class exists.
    pub(crate) fn accepts_classes(
        &self,
        width: usize,
        mut classes: impl Iterator<Item = u32>,
    ) -> Result<(), Error> {
        let count = width.max(2);
        match classes.find(|&class| class as usize >= count) {
            None => Ok(()),
            Some(class) => Err(Error::Data(format!("class {class} does not exist: there are {count}"))),
        }
    }

    /// What the rows of a batch weigh together in its mean loss, whose gradient is divided by that: for means over
    /// several batches. Σ of the classes' weights, or the number of rows (times that of the outputs, for values).
    pub fn batch_weight<F: Float>(&self, width: usize, targets: Targets<'_, F>, rows: &[u32]) -> f64 {
        match targets {
            Targets::Classes(classes) => self.weight(width, rows.iter().map(|&row| classes[row as usize])),
            Targets::Values(_) => (rows.len() * width) as f64,
        }
    }

    /// What the sum over rows of these classes is divided by.
    pub(crate) fn weight(&self, width: usize, classes: impl ExactSizeIterator<Item = u32>) -> f64 {
        match self {
            Self::CrossEntropy(loss) => loss.weight(classes),
            _ => (classes.len() * width) as f64,
        }
    }

    /// The sum of the losses.
    pub(crate) fn sum<F: Float>(&self, outputs: &[F], width: usize, targets: Targets<'_, F>) -> f64 {
        with_loss!(
            self,
            loss => match targets {
                Targets::Classes(classes) => loss.sum(outputs, width, classes),
                Targets::Values(_) => f64::NAN,
            },
            loss => match targets {
                Targets::Classes(classes) => {
                    let targets = classes.iter().map(|&class| F::of(f64::from(class)));
                    outputs.iter().zip(targets).map(|(&o, t)| loss.value(o, t).f64()).sum()
                }
                Targets::Values(values) => {
                    outputs.iter().zip(values).map(|(&o, &t)| loss.value(o, t).f64()).sum()
                }
            }
        )
    }

    /// The sum of the losses, and the gradient of `scale` times the sum.
    pub(crate) fn gradient<F: Float>(
        &self,
        outputs: &[F],
        width: usize,
        targets: Targets<'_, F>,
        scale: F,
        gradient: &mut [F],
    ) -> f64 {
        with_loss!(
            self,
            loss => match targets {
                Targets::Classes(classes) => loss.gradient(outputs, width, classes, scale, gradient),
                Targets::Values(_) => f64::NAN,
            },
            loss => match targets {
                Targets::Classes(classes) => {
                    let targets = classes.iter().map(|&class| F::of(f64::from(class)));
                    elementwise(*loss, outputs, targets, scale, gradient)
                }
                Targets::Values(values) => {
                    elementwise(*loss, outputs, values.iter().copied(), scale, gradient)
                }
            }
        )
    }

    /// How the gradient of `scale` times the sum moves with the outputs: its derivative along `tangent`, in place.
    pub(crate) fn gradient_tangent(
        &self,
        outputs: &[f64],
        width: usize,
        targets: Targets<'_, f64>,
        scale: f64,
        tangent: &mut [f64],
    ) {
        with_loss!(
            self,
            loss => if let Targets::Classes(classes) = targets {
                loss.gradient_tangent(outputs, width, classes, scale, tangent);
            },
            loss => for (i, (tangent, &output)) in tangent.iter_mut().zip(outputs).enumerate() {
                let target = match targets {
                    Targets::Classes(classes) => f64::from(classes[i]),
                    Targets::Values(values) => values[i],
                };
                *tangent *= scale * loss.second(output, target);
            }
        );
    }
}

#[inline(always)]
fn elementwise<F: Float>(
    loss: impl Elementwise,
    outputs: &[F],
    targets: impl Iterator<Item = F>,
    scale: F,
    gradient: &mut [F],
) -> f64 {
    let mut sum = 0.0;
    for ((g, &output), target) in gradient.iter_mut().zip(outputs).zip(targets) {
        sum += loss.value(output, target).f64();
        *g = scale * loss.derivative(output, target);
    }
    sum
}

/// 1/(1 + e⁻ˣ): the probability that a logit says.
pub fn sigmoid<F: Float>(x: F) -> F {
    crate::activation::sigmoid(x)
}
