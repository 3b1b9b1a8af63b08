//! Matrix products, through the `gemm` crate. All matrices are row-major, without gaps.
#![allow(unsafe_code)]

use downhill_optim::Float;
use gemm::Parallelism;

/// A matrix as a product reads it.
#[derive(Clone, Copy)]
struct Operand<'a, F> {
    data: &'a [F],
    rows: usize,
    columns: usize,
    /// From one row to the next.
    row_stride: usize,
    /// From one column to the next.
    column_stride: usize,
}

impl<'a, F> Operand<'a, F> {
    fn new(data: &'a [F], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "a matrix has its slice's length");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// c = a·b, where a is `[rows, inner]` and b is `[inner, columns]`.
pub(crate) fn multiply<F: Float>(a: &[F], b: &[F], c: &mut [F], rows: usize, inner: usize, columns: usize) {
    product(Operand::new(a, rows, inner), Operand::new(b, inner, columns), c);
}

/// c = aᵀ·b, where a is `[inner, rows]` and b is `[inner, columns]`.
pub(crate) fn multiply_at<F: Float>(
    a: &[F],
    b: &[F],
    c: &mut [F],
    rows: usize,
    inner: usize,
    columns: usize,
) {
    product(Operand::new(a, inner, rows).transposed(), Operand::new(b, inner, columns), c);
}

/// c = a·bᵀ, where a is `[rows, inner]` and b is `[columns, inner]`.
pub(crate) fn multiply_bt<F: Float>(
    a: &[F],
    b: &[F],
    c: &mut [F],
    rows: usize,
    inner: usize,
    columns: usize,
) {
    product(Operand::new(a, rows, inner), Operand::new(b, columns, inner).transposed(), c);
}

/// c = a·b, overwriting c, on the calling thread alone: the order of the sums does not depend on anything but the
/// shapes.
fn product<F: Float>(a: Operand<'_, F>, b: Operand<'_, F>, c: &mut [F]) {
    assert_eq!(a.columns, b.rows, "the inner dimensions of a product agree");
    assert_eq!(Some(c.len()), a.rows.checked_mul(b.columns), "a product has its slice's length");
    // SAFETY: `Operand`s are made and transposed above only, so every element that the strides reach lies in its
    // slice; c has the length asserted here, is written row-major, and is exclusively borrowed. F is f32 or f64,
    // because `Float` is sealed, and `gemm` knows both.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            b.columns as isize,
            false,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            F::zero(),
            F::one(),
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
