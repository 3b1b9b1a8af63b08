//! An activation as an operation of its own.

use super::{Activation, Backward, Forward, Layer, Operation, Planned};
use crate::curvature::Tangent;
use crate::graph::Site;
use downhill_core::Float;
use downhill_matmul::Scratch;
use std::sync::Arc;

impl Layer for Activation {
    fn plan<F: Float>(&self, site: &mut Site<'_>) -> Result<Planned<F>, String> {
        let op = PointwiseOp { activation: *self, width: site.input().len() };
        Ok((Arc::new(op), site.input().clone()))
    }
}

/// y = f(x), for every value.
#[derive(Clone, Debug)]
struct PointwiseOp {
    activation: Activation,
    width: usize,
}

impl<F: Float> Operation<F> for PointwiseOp {
    fn kept(&self) -> usize {
        if self.activation.keeps_derivative() { self.width } else { 0 }
    }

    fn activation(&self) -> Option<Activation> {
        Some(self.activation)
    }

    fn forward(&self, Forward { inputs, y, kept, .. }: Forward<'_, F>) {
        y.copy_from_slice(inputs[0]);
        self.activation.forward(None, y, kept);
    }

    fn backward(&self, Backward { y, kept, dy, .. }: Backward<'_, F>) {
        self.activation.backward(if kept.is_empty() { y } else { kept }, dy);
    }

    fn tangent(&self) -> Box<dyn Tangent> {
        Box::new(Curve::new(self.activation))
    }
}

/// An activation with its derivatives, at some values.
#[derive(Debug)]
pub(super) struct Curve {
    activation: Activation,
    slopes: Vec<f64>,
    /// f″(x); from the backward pass on, f″(x)·dy.
    bends: Vec<f64>,
    /// ∂x of the product under way.
    moved: Vec<f64>,
}

impl Curve {
    pub fn new(activation: Activation) -> Self {
        Self { activation, slopes: Vec::new(), bends: Vec::new(), moved: Vec::new() }
    }

    /// x becomes y in place.
    pub fn forward(&mut self, values: &mut [f64]) {
        self.slopes.clear();
        self.bends.clear();
        for value in values {
            let [y, slope, bend] = self.activation.expansion(*value);
            *value = y;
            self.slopes.push(slope);
            self.bends.push(bend);
        }
    }

    /// dy becomes dx in place.
    pub fn backward(&mut self, dy: &mut [f64]) {
        self.bends.iter_mut().zip(&*dy).for_each(|(bend, dy)| *bend *= dy);
        dy.iter_mut().zip(&self.slopes).for_each(|(dy, slope)| *dy *= slope);
    }

    /// ∂x becomes ∂y in place.
    pub fn forward_along(&mut self, moved: &mut [f64]) {
        self.moved.clear();
        self.moved.extend_from_slice(moved);
        moved.iter_mut().zip(&self.slopes).for_each(|(t, slope)| *t *= slope);
    }

    /// ∂dy becomes ∂dx in place: dx = f′(x)·dy, so ∂dx = f″(x)·dy·∂x + f′(x)·∂dy.
    pub fn backward_along(&self, moved_dy: &mut [f64]) {
        let bent = self.bends.iter().zip(&self.moved).map(|(bend, moved)| bend * moved);
        for ((t, slope), bent) in moved_dy.iter_mut().zip(&self.slopes).zip(bent) {
            *t = slope * *t + bent;
        }
    }
}

impl Tangent for Curve {
    fn forward(&mut self, _: &[f64], inputs: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        let mut values = inputs[0].to_vec();
        self.forward(&mut values);
        values
    }

    fn backward(
        &mut self,
        _: &[f64],
        mut dy: Vec<f64>,
        _: &[bool],
        _: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.backward(&mut dy);
        vec![dy]
    }

    fn forward_along(&mut self, _: &[f64], _: &[f64], moved: &[&[f64]], _: &mut Scratch<f64>) -> Vec<f64> {
        let mut moved = moved[0].to_vec();
        self.forward_along(&mut moved);
        moved
    }

    fn backward_along(
        &self,
        _: &[f64],
        _: &[f64],
        mut moved_dy: Vec<f64>,
        _: &[bool],
        _: &mut [f64],
        _: &mut Scratch<f64>,
    ) -> Vec<Vec<f64>> {
        self.backward_along(&mut moved_dy);
        vec![moved_dy]
    }
}
