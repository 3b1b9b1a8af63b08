//! Cross-entropy of yes and no.

use super::{Elementwise, NamedLoss, TargetKind};
use crate::activation::{sigmoid, softplus};
use crate::op::Outputs;
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};

/// −t·ln σ(z) − (1 − t)·ln(1 − σ(z)), where z is the output, a logit, and t the target; averaged over rows
/// and outputs. The derivative is σ(z) − t.
///
/// Targets are classes, 0 or 1, for a model of one output, or values from 0 to 1, one for each output.
/// Computed as softplus(z) − t·z, which overflows nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryCrossEntropy {}

impl Elementwise for BinaryCrossEntropy {
    #[inline(always)]
    fn value<F: Float>(self, output: F, target: F) -> F {
        softplus(output) - target * output
    }

    #[inline(always)]
    fn derivative<F: Float>(self, output: F, target: F) -> F {
        sigmoid(output) - target
    }

    fn second(self, output: f64, _: f64) -> f64 {
        let s = sigmoid(output);
        s * (1.0 - s)
    }
}

impl NamedLoss for BinaryCrossEntropy {
    const NAME: &'static str = "binary-cross-entropy";

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn accepts(&self, outputs: usize, targets: TargetKind) -> Result<(), String> {
        if targets == TargetKind::Classes && outputs != 1 {
            return Err(format!("{} with classes as targets needs 1 output, not {outputs}", Self::NAME));
        }
        Ok(())
    }

    fn outputs(&self, _: usize) -> usize {
        1
    }

    fn said_by_outputs(&self) -> Outputs {
        Outputs::Sigmoid
    }

    fn probabilities<F: Float>(&self, outputs: &mut [F], _: usize) {
        outputs.iter_mut().for_each(|x| *x = sigmoid(*x));
    }
}
