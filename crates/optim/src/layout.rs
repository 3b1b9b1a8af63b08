//! Named tensors in one flat buffer.

use serde::{Deserialize, Serialize};

/// What a tensor is to its layer. Penalties and decay apply to weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// What inputs are multiplied by.
    Weight,
    /// What is added to a weighted sum.
    Bias,
    /// What a normalised value is multiplied by.
    Scale,
    /// What is added to a normalised value.
    Shift,
    /// A statistic kept beside the parameters, not trained: the running mean of batch normalisation.
    Statistic,
}

/// One tensor's place in a flat buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// The layer's position and the tensor's own name: `0.weight`.
    pub name: String,
    /// Its dimensions, row-major; a weight matrix is `[inputs, outputs]`.
    pub shape: Vec<usize>,
    /// Where it begins.
    pub offset: usize,
    /// What it is to its layer.
    pub role: Role,
}

impl Tensor {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where it lies in the buffer.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The tensors of one flat buffer, in order and without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    tensors: Vec<Tensor>,
}

impl Layout {
    /// One tensor that is the whole buffer, for code that has a plain slice.
    pub fn flat(len: usize) -> Self {
        let mut layout = Self::default();
        layout.push("weight", &[len], Role::Weight);
        layout
    }

    /// Adds a tensor behind the others and returns where it lies.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], role: Role) -> std::ops::Range<usize> {
        let tensor = Tensor { name: name.into(), shape: shape.to_vec(), offset: self.len(), role };
        let range = tensor.range();
        self.tensors.push(tensor);
        range
    }

    /// The tensors, in order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The length of the whole buffer.
    pub fn len(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range().end)
    }

    /// Whether there is no element at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
