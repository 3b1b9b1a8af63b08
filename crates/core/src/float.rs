//! The two float types everything is written over.

use crate::elementary;
use std::fmt::{Debug, Display};

/// A floating point number: `f32`, in which networks train, or `f64`, in which the same code is checked.
///
/// Sealed: the vector code, the matrix products and the file formats know these two.
pub trait Float:
    crate::Element + num_traits::Float + num_traits::NumAssign + std::iter::Sum + Debug + Display
{
    /// The name of the type in model files: `F32` or `F64`.
    const NAME: &'static str;

    /// The nearest value to an `f64`.
    fn of(x: f64) -> Self;

    /// This value as an `f64`, exactly.
    fn f64(self) -> f64;

    /// The error function, (2/√π) ∫₀ˣ exp(−t²) dt.
    ///
    /// Of this and of the functions below, loops over `f32` become vector code; it is within 8 units in the
    /// last place, the others within 2. For `f64` they are the mathematical library's.
    fn erf(self) -> Self;

    /// eˣ.
    fn fast_exp(self) -> Self;

    /// eˣ − 1.
    fn fast_exp_m1(self) -> Self;

    /// tanh x.
    fn fast_tanh(self) -> Self;

    /// ln(1 + x) for x from 0 to 1.
    fn fast_ln_1p(self) -> Self;
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

    #[inline(always)]
    fn erf(self) -> Self {
        elementary::erf(self)
    }

    #[inline(always)]
    fn fast_exp(self) -> Self {
        elementary::exp(self)
    }

    #[inline(always)]
    fn fast_exp_m1(self) -> Self {
        elementary::exp_m1(self)
    }

    #[inline(always)]
    fn fast_tanh(self) -> Self {
        elementary::tanh(self)
    }

    #[inline(always)]
    fn fast_ln_1p(self) -> Self {
        elementary::ln_1p(self)
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

    fn fast_exp(self) -> Self {
        self.exp()
    }

    fn fast_exp_m1(self) -> Self {
        self.exp_m1()
    }

    fn fast_tanh(self) -> Self {
        self.tanh()
    }

    fn fast_ln_1p(self) -> Self {
        self.ln_1p()
    }
}
