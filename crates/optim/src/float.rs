//! The two float types everything is written over.

use std::fmt::{Debug, Display};

/// A floating point number: `f32`, in which networks train, or `f64`, in which the same code is checked.
///
/// Sealed: the vector code, the matrix products and the file formats know these two.
pub trait Float:
    downhill_matmul::Element
    + num_traits::Float
    + num_traits::NumAssign
    + std::iter::Sum
    + bytemuck::Pod
    + Debug
    + Display
{
    /// The name of the type in model files: `F32` or `F64`.
    const NAME: &'static str;

    /// The nearest value to an `f64`.
    fn of(x: f64) -> Self;

    /// This value as an `f64`, exactly.
    fn f64(self) -> f64;

    /// The error function, (2/√π) ∫₀ˣ exp(−t²) dt.
    fn erf(self) -> Self;
}

impl Float for f32 {
    const NAME: &'static str = "F32";

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }

    fn erf(self) -> Self {
        libm::erff(self)
    }
}

impl Float for f64 {
    const NAME: &'static str = "F64";

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }

    fn erf(self) -> Self {
        libm::erf(self)
    }
}
