//! One prediction of those of the members of an ensemble.

use super::members::members;
use super::{Backward, Forward, Layer, Operation, Planned};
use crate::curvature::Tangent;
use crate::graph::Site;
use crate::loss::sigmoid;
use crate::shape::Shape;
use downhill_core::spec::spelled;
use downhill_core::{Float, Invalid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The mean of what the members of an ensemble predict: the last layer, behind [`members`](crate::Members).
///
/// Training does not go through it: the loss is the mean over the members of the loss of each, so that each
/// learns to predict alone. Of logits, it is the probabilities that are averaged, and the output is the
/// logits that say their mean.
///
/// Gorishniy, Kotelnikov & Babenko, [TabM: advancing tabular deep learning with parameter-efficient
/// ensembling][paper], 2025.
///
/// [paper]: https://arxiv.org/abs/2410.24210
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Average {
    /// What the members' outputs say, by the loss.
    pub of: Outputs,
}

/// What outputs are: what is averaged of those of several networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outputs {
    /// The values themselves: regression.
    Values,
    /// Logits of classes, whose softmax is their probabilities: cross-entropy.
    Softmax,
    /// Logits, each with a probability of its own by the sigmoid: binary cross-entropy.
    Sigmoid,
}
spelled!(Outputs, "what outputs say");

impl Outputs {
    /// Nothing to check: there are no settings.
    pub fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl Average {
    /// Nothing to check: whether there are members shows when the model is built.
    pub fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl Layer for Average {
    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let [members, outputs] = members(site)?;
        if !site.following().is_empty() {
            return Err("it can only be the last layer".into());
        }
        Ok((Arc::new(AverageOp { of: self.of, members, outputs }), Shape::from(outputs)))
    }
}

/// The mean of members, as it is run.
#[derive(Clone, Copy, Debug)]
struct AverageOp {
    of: Outputs,
    members: usize,
    outputs: usize,
}

/// A mean probability below this would have no logarithm in 32 bits.
const LEAST: f64 = 1e-37;

impl<F: Float> Operation<F> for AverageOp {
    fn averages(&self) -> Option<usize> {
        Some(self.members)
    }

    fn forward(&self, Forward { inputs, y, .. }: Forward<'_, F>) {
        let (count, least) = (F::of(self.members as f64), F::of(LEAST));
        let log = |sum: F| (if sum / count < least { least } else { sum / count }).ln();
        let rows = inputs[0].chunks_exact(self.members * self.outputs).zip(y.chunks_exact_mut(self.outputs));
        for (members, y) in rows {
            let at = |output: usize| members.iter().skip(output).step_by(self.outputs).copied();
            match self.of {
                Outputs::Values => {
                    y.iter_mut().enumerate().for_each(|(i, y)| *y = at(i).sum::<F>() / count);
                }
                Outputs::Sigmoid => y.iter_mut().enumerate().for_each(|(i, y)| {
                    *y = log(at(i).map(sigmoid).sum()) - log(at(i).map(|z| sigmoid(-z)).sum());
                }),
                Outputs::Softmax => {
                    y.fill(F::zero());
                    members.chunks_exact(self.outputs).for_each(|logits| add_softmax(logits, y));
                    y.iter_mut().for_each(|y| *y = log(*y));
                }
            }
        }
    }

    fn backward(&self, _: Backward<'_, F>) {
        unreachable!("training ends in front of an average");
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        unreachable!("training ends in front of an average");
    }
}

/// Adds the softmax of some logits to sums.
fn add_softmax<F: Float>(logits: &[F], sums: &mut [F]) {
    let largest = logits.iter().copied().fold(F::neg_infinity(), F::max);
    let exponential = |z: F| (z - largest).fast_exp();
    let all: F = logits.iter().copied().map(exponential).sum();
    sums.iter_mut().zip(logits).for_each(|(sum, &z)| *sum += exponential(z) / all);
}
