//! What the layers of a network do with a batch.

use crate::Activation;
use crate::model::{Node, Op};
use downhill_core::Float;

/// What one layer did in a step: its outputs, and the gradient that came back to them. All are rows × units, the rows in
/// the order of the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace<F> {
    /// The layer's place in the description, counted from 0; of a dense layer with an activation, the dense layer's.
    pub position: usize,
    /// The number of its outputs.
    pub units: usize,
    /// The activation that made the outputs, if one did.
    pub activation: Option<Activation>,
    /// The outputs, behind the activation.
    pub outputs: Vec<F>,
    /// The derivative of the activation where each output was made; empty if there is no activation.
    pub slopes: Vec<F>,
    /// The gradient of the outputs: of the mean loss, or of what the step was given.
    pub gradient: Vec<F>,
}

impl<F: Float> Trace<F> {
    pub(crate) fn new(node: &Node) -> Self {
        let activation = match &node.op {
            Op::Dense(op) => op.activation,
            Op::Activation(op) => Some(*op),
            _ => None,
        };
        let (position, units) = (node.position, node.outputs);
        Self { position, units, activation, outputs: vec![], slopes: vec![], gradient: vec![] }
    }

    /// Adds some rows.
    pub(crate) fn extend(&mut self, outputs: &[F], kept: &[F], gradient: &[F]) {
        if let Some(activation) = self.activation {
            self.slopes.extend(activation.slopes(if kept.is_empty() { outputs } else { kept }));
        }
        self.outputs.extend_from_slice(outputs);
        self.gradient.extend_from_slice(gradient);
    }
}
