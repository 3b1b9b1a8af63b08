//! Numbers that come in vectors.

use crate::transpose;
use pulp::Simd;
use std::any::TypeId;

/// A number that comes in vectors: `f32` or `f64`. Its methods are the products' own.
#[allow(missing_docs)]
pub trait Element: Default + Send + Sync + bytemuck::Pod + private::Sealed {
    const ZERO: Self;
    type Vector<S: Simd>: Copy;

    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// a·b + c, rounded once where the processor can.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// The whole vectors of a slice, and what is left.
    fn vectors<S: Simd>(slice: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    fn vectors_mut<S: Simd>(slice: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// A vector from a slice that may be too short for it, zeros behind.
    fn load<S: Simd>(simd: S, slice: &[Self]) -> Self::Vector<S>;
    fn store<S: Simd>(simd: S, slice: &mut [Self], vector: Self::Vector<S>);
    /// Rows become columns.
    fn transpose<S: Simd>(simd: S, rows: [[Self; 8]; 8]) -> [[Self; 8]; 8];
}

mod private {
    pub trait Sealed {}
}

macro_rules! element {
    ($float:ty, $vector:ident, $splat:ident, $multiply:ident, $add:ident, $multiply_add:ident, $vectors:ident, $vectors_mut:ident,
     $load:ident, $store:ident, $transpose:path) => {
        impl private::Sealed for $float {}

        impl Element for $float {
            const ZERO: Self = 0.0;
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                // The portable vectors would be rounded once by a function for each number.
                if TypeId::of::<S>() == TypeId::of::<pulp::Scalar128b>() {
                    return simd.$add(simd.$multiply(a, b), c);
                }
                simd.$multiply_add(a, b, c)
            }

            #[inline(always)]
            fn vectors<S: Simd>(slice: &[Self]) -> (&[S::$vector], &[Self]) {
                S::$vectors(slice)
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(slice: &mut [Self]) -> (&mut [S::$vector], &mut [Self]) {
                S::$vectors_mut(slice)
            }

            #[inline(always)]
            fn load<S: Simd>(simd: S, slice: &[Self]) -> S::$vector {
                simd.$load(slice)
            }

            #[inline(always)]
            fn store<S: Simd>(simd: S, slice: &mut [Self], vector: S::$vector) {
                simd.$store(slice, vector)
            }

            #[inline(always)]
            fn transpose<S: Simd>(simd: S, rows: [[Self; 8]; 8]) -> [[Self; 8]; 8] {
                $transpose(simd, rows)
            }
        }
    };
}
element!(
    f32,
    f32s,
    splat_f32s,
    mul_f32s,
    add_f32s,
    mul_add_e_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s,
    transpose::single
);
element!(
    f64,
    f64s,
    splat_f64s,
    mul_f64s,
    add_f64s,
    mul_add_e_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s,
    transpose::any
);
