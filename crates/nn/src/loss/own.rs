//! Losses of types that Downhill does not know.

use super::{Loss, NamedLoss, Rows, TargetKind};
use crate::op::Outputs;
use crate::targets::Targets;
use bytemuck::{cast_slice, cast_slice_mut};
use downhill_core::registry::Registry;
use downhill_core::{Float, Invalid};
use std::any::{Any, TypeId};
use std::fmt::Debug;

/// What can be asked of a loss without its type. What is generic over the float type is there for both.
pub(super) trait Erased: Any + Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn register(&self) -> Result<(), Invalid>;
    fn check(&self) -> Result<(), Invalid>;
    fn targets(&self) -> TargetKind;
    fn accepts(&self, outputs: usize, targets: TargetKind) -> Result<(), String>;
    fn outputs(&self, targets: usize) -> usize;
    fn class_weights(&self) -> &[f64];
    fn class_weights_mut(&mut self) -> Option<&mut Vec<f64>>;
    fn said_by_outputs(&self) -> Outputs;
    fn probabilities_single(&self, outputs: &mut [f32], width: usize);
    fn probabilities_double(&self, outputs: &mut [f64], width: usize);
    fn sum_single(&self, rows: Rows<'_, f32>) -> f64;
    fn sum_double(&self, rows: Rows<'_, f64>) -> f64;
    fn gradient_single(&self, rows: Rows<'_, f32>, scale: f32, gradient: &mut [f32]) -> f64;
    fn gradient_double(&self, rows: Rows<'_, f64>, scale: f64, gradient: &mut [f64]) -> f64;
    fn gradient_tangent(&self, rows: Rows<'_, f64>, scale: f64, tangent: &mut [f64]);
    fn settings(&self) -> &dyn erased_serde::Serialize;
    fn is(&self, other: &dyn Any) -> bool;
    fn boxed(&self) -> Box<dyn Erased>;
}

impl<L: NamedLoss> Erased for L {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn register(&self) -> Result<(), Invalid> {
        Loss::register::<L>()
    }

    fn check(&self) -> Result<(), Invalid> {
        NamedLoss::check(self)
    }

    fn targets(&self) -> TargetKind {
        NamedLoss::targets(self)
    }

    fn accepts(&self, outputs: usize, targets: TargetKind) -> Result<(), String> {
        NamedLoss::accepts(self, outputs, targets)
    }

    fn outputs(&self, targets: usize) -> usize {
        NamedLoss::outputs(self, targets)
    }

    fn class_weights(&self) -> &[f64] {
        NamedLoss::class_weights(self)
    }

    fn class_weights_mut(&mut self) -> Option<&mut Vec<f64>> {
        NamedLoss::class_weights_mut(self)
    }

    fn said_by_outputs(&self) -> Outputs {
        NamedLoss::said_by_outputs(self)
    }

    fn probabilities_single(&self, outputs: &mut [f32], width: usize) {
        self.probabilities(outputs, width);
    }

    fn probabilities_double(&self, outputs: &mut [f64], width: usize) {
        self.probabilities(outputs, width);
    }

    fn sum_single(&self, rows: Rows<'_, f32>) -> f64 {
        self.sum(rows)
    }

    fn sum_double(&self, rows: Rows<'_, f64>) -> f64 {
        self.sum(rows)
    }

    fn gradient_single(&self, rows: Rows<'_, f32>, scale: f32, gradient: &mut [f32]) -> f64 {
        self.gradient(rows, scale, gradient)
    }

    fn gradient_double(&self, rows: Rows<'_, f64>, scale: f64, gradient: &mut [f64]) -> f64 {
        self.gradient(rows, scale, gradient)
    }

    fn gradient_tangent(&self, rows: Rows<'_, f64>, scale: f64, tangent: &mut [f64]) {
        super::LossFunction::gradient_tangent(self, rows, scale, tangent);
    }

    fn settings(&self) -> &dyn erased_serde::Serialize {
        self
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }

    fn boxed(&self) -> Box<dyn Erased> {
        Box::new(self.clone())
    }
}

/// A loss of a type of your own; [`Loss::own`] makes one.
#[derive(Debug)]
pub struct OwnLoss(Box<dyn Erased>);

impl OwnLoss {
    pub(super) fn erased(&self) -> &dyn Erased {
        &*self.0
    }

    pub(super) fn erased_mut(&mut self) -> &mut dyn Erased {
        &mut *self.0
    }

    pub(super) fn sum<F: Float>(&self, rows: Rows<'_, F>) -> f64 {
        if is_single::<F>() { self.0.sum_single(rows.cast()) } else { self.0.sum_double(rows.cast()) }
    }

    pub(super) fn gradient<F: Float>(&self, rows: Rows<'_, F>, scale: F, gradient: &mut [F]) -> f64 {
        if is_single::<F>() {
            self.0.gradient_single(rows.cast(), f32::of(scale.f64()), cast_slice_mut(gradient))
        } else {
            self.0.gradient_double(rows.cast(), scale.f64(), cast_slice_mut(gradient))
        }
    }

    pub(super) fn gradient_tangent(&self, rows: Rows<'_, f64>, scale: f64, tangent: &mut [f64]) {
        self.0.gradient_tangent(rows, scale, tangent);
    }

    pub(super) fn probabilities<F: Float>(&self, outputs: &mut [F], width: usize) {
        if is_single::<F>() {
            self.0.probabilities_single(cast_slice_mut(outputs), width);
        } else {
            self.0.probabilities_double(cast_slice_mut(outputs), width);
        }
    }
}

/// Which of the two float types it is.
fn is_single<F: Float>() -> bool {
    TypeId::of::<F>() == TypeId::of::<f32>()
}

impl<'a, F: Float> Rows<'a, F> {
    /// The same, where `G` is what `F` is.
    fn cast<G: Float>(self) -> Rows<'a, G> {
        let targets = match self.targets {
            Targets::Classes(classes) => Targets::Classes(classes),
            Targets::Values(values) => Targets::Values(cast_slice(values)),
        };
        Rows { outputs: cast_slice(self.outputs), width: self.width, targets }
    }
}

impl Clone for OwnLoss {
    fn clone(&self) -> Self {
        Self(self.0.boxed())
    }
}

impl PartialEq for OwnLoss {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&*other.0)
    }
}

/// The names of all losses.
pub(super) static LOSSES: Registry<OwnLoss> = Registry::new("loss", &Loss::NAMES);

impl Loss {
    /// A loss of a type of your own. It can enter whatever takes a [`Loss`], and is spelt by its name and
    /// settings; its type is [registered](Loss::register).
    pub fn own<L: NamedLoss>(loss: L) -> Self {
        // What stands against the name is said when the loss is checked.
        let _ = Self::register::<L>();
        Self::Own(OwnLoss(Box::new(loss)))
    }

    /// Lets losses of a type of your own be read, in this process, wherever the name of a loss is: in specs,
    /// in the settings of a run that is resumed, in a model that was saved. [`Loss::own`] does it too.
    ///
    /// # Errors
    ///
    /// If the name is that of another loss, or cannot stand in a spec.
    pub fn register<L: NamedLoss>() -> Result<(), Invalid> {
        LOSSES.register::<L>(L::NAME, |deserializer| {
            erased_serde::deserialize::<L>(deserializer).map(|loss| OwnLoss(Box::new(loss)))
        })
    }
}
