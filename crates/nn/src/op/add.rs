//! Residual connections.

use super::{Backward, Forward, Layer, Operation, Planned};
use crate::curvature::Tangent;
use crate::graph::Site;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid};
use downhill_matmul::Scratch;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// y = x + x₂: the output of the layer in front, and that of an earlier one, of the same shape.
///
/// `identity`, `dense(64)`, `relu`, `dense(64)`, `add(0)` is a block whose inputs are added to what it makes
/// of them. Of a dense layer with an activation behind it, the output is what the activation is applied to;
/// to add what it makes of that, name the activation.
///
/// He, Zhang, Ren & Sun, [Deep residual learning for image recognition][paper], 2015.
///
/// [paper]: https://arxiv.org/abs/1512.03385
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The place of the earlier layer in the description, counted from 0.
    pub from: usize,
}

impl Add {
    /// Nothing to check: which layers there are, and of what shape, shows when the model is built.
    pub fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl Layer for Add {
    fn second_input(&self) -> Option<usize> {
        Some(self.from)
    }

    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        match site.inputs() {
            [x, from] if x != from => {
                Err(format!("it cannot add the {from} outputs of layer {} to {x} inputs", self.from))
            }
            _ => Ok((Arc::new(AddOp), site.input().clone())),
        }
    }
}

/// y = x + x₂. The gradient of either input is that of the output.
#[derive(Clone, Copy, Debug)]
struct AddOp;

impl<F: Float> Operation<F> for AddOp {
    fn forward(&self, Forward { inputs, y, .. }: Forward<'_, F>) {
        vectorised(
            #[inline(always)]
            || {
                for ((y, &a), &b) in y.iter_mut().zip(inputs[0]).zip(inputs[1]) {
                    *y = a + b;
                }
            },
        );
    }

    fn backward(&self, _: Backward<'_, F>) {}

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(*self)
    }
}

impl Tangent for AddOp {
    fn forward(&mut self, _: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        inputs[0].iter().zip(inputs[1]).map(|(a, b)| a + b).collect()
    }

    fn backward(
        &mut self,
        _: &[f64],
        dy: Vec<f64>,
        _: &[bool],
        _: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        vec![dy.clone(), dy]
    }

    fn forward_along(&mut self, _: &[f64], _: &[f64], moved: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        match (moved[0], moved[1]) {
            (moved, []) | ([], moved) => moved.to_vec(),
            (a, b) => a.iter().zip(b).map(|(a, b)| a + b).collect(),
        }
    }

    fn backward_along(
        &self,
        _: &[f64],
        _: &[f64],
        moved_dy: Vec<f64>,
        _: &[bool],
        _: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        vec![moved_dy.clone(), moved_dy]
    }
}
