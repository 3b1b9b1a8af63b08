//! Losses: what training makes small.
//!
//! Each is one file with its value, its derivatives and what else is to be known of it, and one line in the
//! list here. Values are summed in `f64`.

mod binary_cross_entropy;
mod cross_entropy;
mod huber;
mod mae;
mod mse;
mod named;
mod own;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use cross_entropy::{CrossEntropy, softmax};
pub use huber::Huber;
pub use mae::Mae;
pub use mse::Mse;
pub use named::{Elementwise, LossFunction, NamedLoss, Rows, TargetKind};
pub use own::OwnLoss;

use crate::error::Error;
use crate::op::Outputs;
use crate::targets::Targets;
use downhill_core::registry::Name;
use downhill_core::spec::spelled;
use downhill_core::{Float, Invalid};
use own::{Erased, LOSSES};
use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// From the one list of losses: the enum, the names, and all that goes by them.
macro_rules! losses {
    ($($(#[doc = $doc:literal])* $loss:ident,)*) => {
        /// What training makes small: a mean over the rows of a batch, and, where the targets are values,
        /// over the outputs.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Loss {
            $($(#[doc = $doc])* $loss($loss),)*
            /// A loss of a type of your own; see [`Loss::own`].
            Own(OwnLoss),
        }

        impl Loss {
            /// The names of all losses that come with Downhill, as specs begin with them.
            pub const NAMES: [&'static str; [$($loss::NAME),*].len()] = [$($loss::NAME),*];

            fn erased(&self) -> &dyn Erased {
                match self {
                    $(Self::$loss(loss) => loss,)*
                    Self::Own(own) => own.erased(),
                }
            }

            fn erased_mut(&mut self) -> &mut dyn Erased {
                match self {
                    $(Self::$loss(loss) => loss,)*
                    Self::Own(own) => own.erased_mut(),
                }
            }

            /// Turns outputs, `width` a row, into what they say of the targets, in place: probabilities for
            /// cross-entropy (softmax over the row) and for binary cross-entropy (sigmoid), nothing for the
            /// losses of regression.
            pub fn probabilities<F: Float>(&self, outputs: &mut [F], width: usize) {
                match self {
                    $(Self::$loss(loss) => NamedLoss::probabilities(loss, outputs, width),)*
                    Self::Own(own) => own.probabilities(outputs, width),
                }
            }

            /// The sum of the losses.
            pub(crate) fn sum<F: Float>(&self, rows: Rows<'_, F>) -> f64 {
                match self {
                    $(Self::$loss(loss) => loss.sum(rows),)*
                    Self::Own(own) => own.sum(rows),
                }
            }

            /// The sum of the losses, and the gradient of `scale` times the sum.
            pub(crate) fn gradient<F: Float>(&self, rows: Rows<'_, F>, scale: F, gradient: &mut [F]) -> f64 {
                match self {
                    $(Self::$loss(loss) => loss.gradient(rows, scale, gradient),)*
                    Self::Own(own) => own.gradient(rows, scale, gradient),
                }
            }

            /// How the gradient of `scale` times the sum moves with the outputs: its derivative along
            /// `tangent`, in place.
            pub(crate) fn gradient_tangent(&self, rows: Rows<'_, f64>, scale: f64, tangent: &mut [f64]) {
                match self {
                    $(Self::$loss(loss) => LossFunction::gradient_tangent(loss, rows, scale, tangent),)*
                    Self::Own(own) => own.gradient_tangent(rows, scale, tangent),
                }
            }
        }

        $(impl From<$loss> for Loss {
            fn from(loss: $loss) -> Self {
                Self::$loss(loss)
            }
        })*

        impl<'de> Visitor<'de> for Named {
            type Value = Loss;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a loss")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Loss, A::Error> {
                let (name, settings) = access.variant_seed(&LOSSES)?;
                match name {
                    $(Name::BuiltIn($loss::NAME) => settings.newtype_variant().map(Loss::$loss),)*
                    Name::BuiltIn(name) => Err(serde::de::Error::unknown_variant(name, &Loss::NAMES)),
                    Name::Registered(own) => settings.newtype_variant_seed(own).map(Loss::Own),
                }
            }
        }
    };
}

losses! {
    /// −ln of the probability that the softmax of the outputs gives to the right class.
    CrossEntropy,
    /// −ln of the probability that the sigmoid of the output gives to the right answer, yes or no.
    BinaryCrossEntropy,
    /// Squared error.
    Mse,
    /// Absolute error.
    Mae,
    /// Squared error near 0, absolute error away from it.
    Huber,
}
spelled!(Loss, "a loss");

impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let loss = self.erased();
        let index = Self::NAMES.iter().position(|name| *name == loss.name()).unwrap_or(Self::NAMES.len());
        serializer.serialize_newtype_variant("Loss", index as u32, loss.name(), loss.settings())
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Loss", &Self::NAMES, Named)
    }
}

/// Reads a loss.
struct Named;

impl Loss {
    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), Invalid> {
        if let Self::Own(own) = self {
            own.erased().register()?;
        }
        self.erased().check()
    }

    /// What rows are compared with: whether it is for classification or for regression.
    pub fn targets(&self) -> TargetKind {
        self.erased().targets()
    }

    /// The number of outputs that a network needs, given the number of classes, or of values a row.
    pub fn outputs(&self, targets: usize) -> usize {
        self.erased().outputs(targets)
    }

    /// What outputs say, and so what is averaged of those of several networks.
    pub fn said_by_outputs(&self) -> Outputs {
        self.erased().said_by_outputs()
    }

    /// How much a row of each class counts; empty if all count the same.
    pub fn class_weights(&self) -> &[f64] {
        self.erased().class_weights()
    }

    /// The weights of the classes, where they can be set.
    pub fn class_weights_mut(&mut self) -> Option<&mut Vec<f64>> {
        self.erased_mut().class_weights_mut()
    }

    /// The mean loss of rows of outputs, as [`predict`](crate::Workspace::predict) gives them.
    ///
    /// Values do not tell how many outputs a row has: it is taken to have one.
    ///
    /// # Errors
    ///
    /// If the targets are not of the loss's kind, or as many as the outputs need, or a class does not exist.
    pub fn mean<F: Float>(&self, outputs: &[F], targets: Targets<'_, F>) -> Result<f64, Error> {
        let width = self.width(outputs, targets)?;
        let weight = match targets {
            Targets::Classes(classes) => self.weight(classes.iter().copied()),
            Targets::Values(values) => values.len() as f64,
        };
        if weight == 0.0 {
            return Err(Error::Data("the loss of no rows is not defined".into()));
        }
        Ok(self.sum(Rows { outputs, width, targets }) / weight)
    }

    /// The mean loss where rows count differently: Σ wᵢ·ℓᵢ / Σ wᵢ, with a weight wᵢ for each row, at least 0;
    /// weights of classes are a factor of them. A row of weight 2 counts as two rows.
    ///
    /// # Errors
    ///
    /// As [`mean`](Self::mean), if there is not one weight for each row, one is negative or not finite, or all
    /// are 0.
    pub fn weighted_mean<F: Float>(
        &self,
        outputs: &[F],
        targets: Targets<'_, F>,
        weights: &[F],
    ) -> Result<f64, Error> {
        let width = match targets {
            Targets::Classes(_) => self.width(outputs, targets)?,
            // Values alone do not tell how many outputs a row has.
            Targets::Values(_) => self.width(outputs, targets)? * outputs.len() / weights.len().max(1),
        };
        let count = weights.len();
        if count * width != outputs.len() {
            let outputs = outputs.len();
            return Err(Error::Data(format!("{count} weights do not fit the rows of {outputs} outputs")));
        }
        let all: Vec<u32> = (0..count as u32).collect();
        check_weights(weights, &all)?;
        let weight = self.weighted_batch_weight(width, targets, &all, weights);
        if weight == 0.0 {
            return Err(Error::Data("the loss of rows whose weights are all 0 is not defined".into()));
        }
        let rows = Rows { outputs, width, targets };
        let sum = |(row, weight): (usize, &F)| match weight.f64() {
            0.0 => 0.0,
            weight => weight * self.sum(rows.row(row)),
        };
        Ok(weights.iter().enumerate().map(sum).sum::<f64>() / weight)
    }

    /// The number of outputs a row, if they can be compared with the targets.
    fn width<F: Float>(&self, outputs: &[F], targets: Targets<'_, F>) -> Result<usize, Error> {
        let (_, width) = targets.shape(outputs.len())?;
        self.accepts(width, targets)?;
        if let Targets::Classes(classes) = targets {
            self.accepts_classes(width, classes.iter().copied())?;
        }
        Ok(width)
    }

    /// The sum of the losses, each times its row's weight, and the gradient of `scale` times the sum.
    pub(crate) fn weighted_gradient<F: Float>(
        &self,
        rows: Rows<'_, F>,
        weights: &[F],
        scale: F,
        gradient: &mut [F],
    ) -> f64 {
        let each = weights.iter().zip(gradient.chunks_exact_mut(rows.width)).enumerate();
        each.map(|(row, (&weight, gradient))| {
            // A row that does not count may have any loss, even one that is not finite.
            if weight == F::zero() {
                gradient.fill(F::zero());
                return 0.0;
            }
            weight.f64() * self.gradient(rows.row(row), scale * weight, gradient)
        })
        .sum()
    }

    /// How that gradient moves with the outputs: its derivative along `tangent`, in place.
    pub(crate) fn weighted_gradient_tangent(
        &self,
        rows: Rows<'_, f64>,
        weights: &[f64],
        scale: f64,
        tangent: &mut [f64],
    ) {
        for (row, (weight, tangent)) in weights.iter().zip(tangent.chunks_exact_mut(rows.width)).enumerate() {
            self.gradient_tangent(rows.row(row), scale * weight, tangent);
        }
    }

    /// Whether targets of this kind can be compared with rows of so many outputs.
    pub(crate) fn accepts<F: Float>(&self, width: usize, targets: Targets<'_, F>) -> Result<(), Error> {
        self.erased().accepts(width, targets.kind()).map_err(Error::Data)?;
        let weights = self.class_weights().len();
        if targets.kind() == TargetKind::Classes && ![0, width.max(2)].contains(&weights) {
            return Err(Error::Data(format!("{weights} class-weights do not fit {width} outputs")));
        }
        Ok(())
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

    /// What the rows of a batch weigh together in its mean loss, whose gradient is divided by that: for means
    /// over several batches. Σ of the classes' weights, or the number of rows (times that of the outputs, for
    /// values).
    pub fn batch_weight<F: Float>(&self, width: usize, targets: Targets<'_, F>, rows: &[u32]) -> f64 {
        match targets {
            Targets::Classes(classes) => self.weight(rows.iter().map(|&row| classes[row as usize])),
            Targets::Values(_) => (rows.len() * width) as f64,
        }
    }

    /// The same where every row of the data set has a weight of its own, a factor of its class's.
    pub fn weighted_batch_weight<F: Float>(
        &self,
        width: usize,
        targets: Targets<'_, F>,
        rows: &[u32],
        weights: &[F],
    ) -> f64 {
        let weight = |row: &u32| weights[*row as usize].f64();
        match targets {
            Targets::Classes(classes) => {
                let class = |row: &u32| match self.class_weights() {
                    [] => 1.0,
                    weights => weights.get(classes[*row as usize] as usize).copied().unwrap_or(1.0),
                };
                rows.iter().map(|row| weight(row) * class(row)).sum()
            }
            Targets::Values(_) => rows.iter().map(weight).sum::<f64>() * width as f64,
        }
    }

    /// What the sum over rows of these classes is divided by.
    fn weight(&self, classes: impl ExactSizeIterator<Item = u32>) -> f64 {
        match self.class_weights() {
            [] => classes.len() as f64,
            weights => classes.map(|class| weights.get(class as usize).copied().unwrap_or(1.0)).sum(),
        }
    }
}

/// Whether the weights of these rows are numbers that a row can count with.
pub(crate) fn check_weights<F: Float>(weights: &[F], rows: &[u32]) -> Result<(), Error> {
    let is_weight = |weight: F| weight.is_finite() && weight >= F::zero();
    match rows.iter().find(|&&row| !is_weight(weights[row as usize])) {
        None => Ok(()),
        Some(&row) => {
            let weight = weights[row as usize].f64();
            Err(Error::Data(format!("row {row} has the weight {weight}: weights are finite, and at least 0")))
        }
    }
}

/// 1/(1 + e⁻ˣ): the probability that a logit says.
pub fn sigmoid<F: Float>(x: F) -> F {
    crate::activation::sigmoid(x)
}
