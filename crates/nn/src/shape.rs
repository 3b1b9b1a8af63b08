//! What a row of values is laid out as.

use std::fmt;

/// The dimensions of one row: `[784]`, or `[1, 28, 28]` for an image. Row-major; how many rows there are is
/// not part of it.
///
/// ```
/// use downhill_nn::Shape;
///
/// assert_eq!(Shape::from([28, 28]).len(), 784);
/// assert_eq!(Shape::from(3).to_string(), "3");
/// assert_eq!(Shape::from([28, 28]).to_string(), "28 × 28");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The dimensions, from the outermost on.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// The number of values in a row; the largest number there is where it would be larger.
    pub fn len(&self) -> usize {
        self.0.iter().fold(1, |len: usize, &dim| len.saturating_mul(dim))
    }

    /// Whether a row has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<usize> for Shape {
    fn from(len: usize) -> Self {
        Self(vec![len])
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dim) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" × ")?;
            }
            dim.fmt(f)?;
        }
        Ok(())
    }
}
