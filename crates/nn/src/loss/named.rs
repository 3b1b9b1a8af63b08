//! What a loss is.

use crate::op::Outputs;
use crate::targets::Targets;
use downhill_core::{Float, Invalid};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// What a row is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A class: [`Targets::Classes`].
    Classes,
    /// A value for each output: [`Targets::Values`].
    Values,
}

/// Rows of outputs, and what they are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, F> {
    /// The outputs, row by row.
    pub outputs: &'a [F],
    /// How many outputs a row has.
    pub width: usize,
    /// A class for each row, or a value for each output.
    pub targets: Targets<'a, F>,
}

impl<'a, F: Copy> Rows<'a, F> {
    /// One of them.
    pub(crate) fn row(&self, row: usize) -> Self {
        let Self { outputs, width, targets } = *self;
        let span = row * width..(row + 1) * width;
        let targets = match targets {
            Targets::Classes(classes) => Targets::Classes(&classes[row..row + 1]),
            Targets::Values(values) => Targets::Values(&values[span.clone()]),
        };
        Rows { outputs: &outputs[span], width, targets }
    }
}

/// The arithmetic of a loss that is a sum over single outputs, each with a target of its own; it is a
/// [`LossFunction`].
///
/// The target of an output is its value. Of classes, it is 0 or 1: the class, where a row has one output, and
/// whether the class is that of the output, where it has several.
///
/// The functions should be marked `#[inline(always)]`, so that the loop around them becomes vector code.
pub trait Elementwise: Copy {
    /// ℓ(output, target).
    fn value<F: Float>(self, output: F, target: F) -> F;

    /// ∂ℓ/∂output. Where there is a kink, that of one side, or a number between the two.
    fn derivative<F: Float>(self, output: F, target: F) -> F;

    /// ∂²ℓ/∂output². Where there is a kink, that of one side.
    fn second(self, output: f64, target: f64) -> f64;
}

/// The arithmetic of a loss: a sum over rows, with its derivatives in the outputs.
///
/// It is called with the rows of one thread or of a part of a batch, never with one element; what it returns
/// for a row must not depend on the other rows.
pub trait LossFunction {
    /// The sum over the rows.
    fn sum<F: Float>(&self, rows: Rows<'_, F>) -> f64;

    /// The sum over the rows; and the gradient of `scale` times it in the outputs, into `gradient`, which is
    /// as long as the outputs and holds anything. This is called in every step, and should allocate nothing.
    fn gradient<F: Float>(&self, rows: Rows<'_, F>, scale: F, gradient: &mut [F]) -> f64;

    /// How that gradient moves with the outputs: its derivative along `tangent`, in place; for curvature.
    ///
    /// Unless given, it is the central difference of the gradients, right to about nine digits where the
    /// second derivative is smooth.
    fn gradient_tangent(&self, rows: Rows<'_, f64>, scale: f64, tangent: &mut [f64]) {
        let largest = |values: &[f64]| values.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let length = largest(tangent);
        if length == 0.0 {
            return;
        }
        let h = f64::EPSILON.cbrt() * largest(rows.outputs).max(1.0) / length;
        let at = |h: f64| {
            let outputs: Vec<f64> = rows.outputs.iter().zip(&*tangent).map(|(o, t)| o + h * t).collect();
            let mut gradient = vec![0.0; outputs.len()];
            self.gradient(Rows { outputs: &outputs, ..rows }, scale, &mut gradient);
            gradient
        };
        let (above, below) = (at(h), at(-h));
        for ((tangent, above), below) in tangent.iter_mut().zip(above).zip(below) {
            *tangent = (above - below) / (2.0 * h);
        }
    }
}

/// A loss that can enter a [`Loss`](crate::Loss): its name, its arithmetic, and what is to be known about it.
///
/// The type is a struct with named fields; its serde derives are its spelling, `huber(delta=1)`. Those that
/// come with Downhill are listed in [`Loss`](crate::Loss). Any other type becomes one by
/// [`Loss::own`](crate::Loss::own):
///
/// ```
/// use downhill_core::{Float, Invalid, invalid};
/// use downhill_nn::loss::{Elementwise, NamedLoss, TargetKind};
/// use downhill_nn::{Loss, Targets};
/// use serde::{Deserialize, Serialize};
///
/// /// q·e above the output and (1 − q)·e below it, e away: the output becomes the q-quantile.
/// #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Quantile {
///     q: f64,
/// }
///
/// impl Elementwise for Quantile {
///     #[inline(always)]
///     fn value<F: Float>(self, output: F, target: F) -> F {
///         (output - target) * self.derivative(output, target)
///     }
///
///     #[inline(always)]
///     fn derivative<F: Float>(self, output: F, target: F) -> F {
///         if target > output { F::of(-self.q) } else { F::of(1.0 - self.q) }
///     }
///
///     fn second(self, _: f64, _: f64) -> f64 {
///         0.0
///     }
/// }
///
/// impl NamedLoss for Quantile {
///     const NAME: &'static str = "quantile";
///
///     fn check(&self) -> Result<(), Invalid> {
///         invalid::fraction("quantile", "q", self.q)
///     }
///
///     fn targets(&self) -> TargetKind {
///         TargetKind::Values
///     }
/// }
///
/// let loss = Loss::own(Quantile { q: 0.75 });
/// assert_eq!(loss.mean(&[1.0, 1.0], Targets::Values(&[3.0, 0.0]))?, (2.0 * 0.75 + 0.25) / 2.0);
/// assert_eq!("quantile(0.75)".parse(), Ok(loss));
/// # Ok::<(), downhill_nn::Error>(())
/// ```
pub trait NamedLoss:
    LossFunction + Clone + PartialEq + Debug + Send + Sync + Serialize + DeserializeOwned + 'static
{
    /// How specs spell it: `huber`.
    const NAME: &'static str;

    /// Checks every setting's range.
    fn check(&self) -> Result<(), Invalid>;

    /// What rows are compared with: whether it is for classification or for regression.
    fn targets(&self) -> TargetKind;

    /// Whether it can compare rows of so many outputs with targets of this kind; if not, why. Unless given,
    /// with those of [`targets`](Self::targets) alone.
    fn accepts(&self, outputs: usize, targets: TargetKind) -> Result<(), String> {
        let _ = outputs;
        match self.targets() {
            wanted if wanted == targets => Ok(()),
            TargetKind::Classes => Err(format!("{} needs classes as targets, not values", Self::NAME)),
            TargetKind::Values => Err(format!("{} needs values as targets, not classes", Self::NAME)),
        }
    }

    /// The number of outputs that a network needs, given the number of classes, or of values a row. Unless
    /// given, the same number. One output tells 2 classes apart.
    fn outputs(&self, targets: usize) -> usize {
        targets
    }

    /// How much a row of each class counts in the mean, which divides by the sum of that over the rows; the
    /// loss of a row must have it as a factor. Empty, as it is unless given, if all count 1.
    fn class_weights(&self) -> &[f64] {
        &[]
    }

    /// The weights of the classes, where they can be set.
    fn class_weights_mut(&mut self) -> Option<&mut Vec<f64>> {
        None
    }

    /// What outputs say, for the average of those of several networks. Unless given, values.
    fn said_by_outputs(&self) -> Outputs {
        Outputs::Values
    }

    /// Turns outputs, `width` a row, into what they say of the targets, in place: for classes, into
    /// probabilities; one output becomes that of class 1. Unless given, they say it themselves.
    fn probabilities<F: Float>(&self, outputs: &mut [F], width: usize) {
        let _ = (outputs, width);
    }
}

impl<L: Elementwise> LossFunction for L {
    #[inline(always)]
    fn sum<F: Float>(&self, Rows { outputs, width, targets }: Rows<'_, F>) -> f64 {
        match targets {
            Targets::Classes(classes) if width == 1 => sum(*self, outputs, numbers(classes)),
            Targets::Classes(classes) => sum(*self, outputs, one_hot(classes, width)),
            Targets::Values(values) => sum(*self, outputs, values.iter().copied()),
        }
    }

    #[inline(always)]
    fn gradient<F: Float>(
        &self,
        Rows { outputs, width, targets }: Rows<'_, F>,
        scale: F,
        gradient: &mut [F],
    ) -> f64 {
        match targets {
            Targets::Classes(classes) if width == 1 => {
                self::gradient(*self, outputs, numbers(classes), scale, gradient)
            }
            Targets::Classes(classes) => {
                self::gradient(*self, outputs, one_hot(classes, width), scale, gradient)
            }
            Targets::Values(values) => {
                self::gradient(*self, outputs, values.iter().copied(), scale, gradient)
            }
        }
    }

    fn gradient_tangent(
        &self,
        Rows { outputs, width, targets }: Rows<'_, f64>,
        scale: f64,
        tangent: &mut [f64],
    ) {
        for (i, (tangent, &output)) in tangent.iter_mut().zip(outputs).enumerate() {
            let target = match targets {
                Targets::Classes(classes) if width == 1 => f64::from(classes[i]),
                Targets::Classes(classes) => f64::from(u8::from(classes[i / width] as usize == i % width)),
                Targets::Values(values) => values[i],
            };
            *tangent *= scale * self.second(output, target);
        }
    }
}

#[inline(always)]
fn numbers<F: Float>(classes: &[u32]) -> impl Iterator<Item = F> {
    classes.iter().map(|&class| F::of(f64::from(class)))
}

/// For each output of each row, whether its class is the row's.
fn one_hot<F: Float>(classes: &[u32], width: usize) -> impl Iterator<Item = F> {
    classes.iter().flat_map(move |&class| {
        (0..width).map(move |output| if output == class as usize { F::one() } else { F::zero() })
    })
}

#[inline(always)]
fn sum<F: Float>(loss: impl Elementwise, outputs: &[F], targets: impl Iterator<Item = F>) -> f64 {
    outputs.iter().zip(targets).map(|(&output, target)| loss.value(output, target).f64()).sum()
}

#[inline(always)]
fn gradient<F: Float>(
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
