#![doc = include_str!("../README.md")]
#![allow(unsafe_code)] // the call into `gemm`

mod tiles;

pub use tiles::Element;

use gemm::Parallelism;
use std::ops::Range;
use tiles::Left;

/// Products of more multiplications than this go to `gemm`: from here on its blocking for the outer caches pays.
const LARGE: usize = 1 << 25;

/// Room for a product to rearrange its right operand, 32 KiB of `f32`.
#[derive(Clone, Debug)]
pub struct Scratch<F>(Vec<F>);

impl<F: Element> Scratch<F> {
    /// Enough for any product.
    pub fn new() -> Self {
        Self(vec![F::ZERO; tiles::PACKED])
    }
}

impl<F: Element> Default for Scratch<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// The shape of a product: `[rows, inner]` times `[inner, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The rows of the left operand and of the product.
    pub rows: usize,
    /// The columns of the left operand, which are the rows of the right one.
    pub inner: usize,
    /// The columns of the right operand and of the product.
    pub columns: usize,
}

/// Which operand lies in memory transposed.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    Plain,
    LeftTransposed,
    RightTransposed,
}

/// c = a·b, where a is `[rows, inner]` and b is `[inner, columns]`.
///
/// # Panics
///
/// If an operand does not have the length of its shape; so do the other products.
pub fn multiply<F: Element>(shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    product(Order::Plain, shape, a, b, c, scratch);
}

/// c = aᵀ·b, where a is `[inner, rows]` and b is `[inner, columns]`.
pub fn multiply_at<F: Element>(shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    product(Order::LeftTransposed, shape, a, b, c, scratch);
}

/// c = a·bᵀ, where a is `[rows, inner]` and b is `[columns, inner]`.
pub fn multiply_bt<F: Element>(shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    product(Order::RightTransposed, shape, a, b, c, scratch);
}

/// Some rows of aᵀ·b, put into c or added to it; a is `[inner, rows]` and b is `[inner, columns]`, as in
/// [`multiply_at`], and c is `[part.len(), columns]`.
///
/// Never by `gemm`: however the rows are cut into parts, and the inner dimension into calls that add, the bits of the
/// result are those of one call for all.
pub fn multiply_at_part<F: Element>(
    shape: Shape,
    part: Range<usize>,
    a: &[F],
    b: &[F],
    c: &mut [F],
    adding: bool,
    scratch: &mut Scratch<F>,
) {
    assert!(part.start <= part.end && part.end <= shape.rows, "the part is one of the rows");
    check(shape, a, b, shape.rows.saturating_mul(shape.columns));
    assert_eq!(Some(c.len()), part.len().checked_mul(shape.columns), "the product has its shape");
    let a = Left { values: a.get(part.start..).unwrap_or_default(), stride: shape.rows };
    let shape = Shape { rows: part.len(), ..shape };
    tiles::product(Order::LeftTransposed, shape, a, b, c, adding, &mut scratch.0);
}

fn product<F: Element>(order: Order, shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    let Shape { rows, inner, columns } = shape;
    check(shape, a, b, c.len());
    if rows.saturating_mul(inner).saturating_mul(columns) > LARGE {
        large(order, shape, a, b, c);
    } else {
        let stride = if order == Order::LeftTransposed { rows } else { inner };
        tiles::product(order, shape, Left { values: a, stride }, b, c, false, &mut scratch.0);
    }
}

/// Whether the operands, and a product of so many elements, have the lengths of their shapes.
fn check<F>(shape: Shape, a: &[F], b: &[F], product: usize) {
    let Shape { rows, inner, columns } = shape;
    assert_eq!(Some(a.len()), rows.checked_mul(inner), "the left operand has its shape");
    assert_eq!(Some(b.len()), inner.checked_mul(columns), "the right operand has its shape");
    assert_eq!(Some(product), rows.checked_mul(columns), "the product has its shape");
}

/// The product by `gemm`, on the calling thread alone. The lengths have been checked.
fn large<F: Element>(order: Order, shape: Shape, a: &[F], b: &[F], c: &mut [F]) {
    let Shape { rows, inner, columns } = shape;
    // From one row to the next, and from one column to the next.
    let (a_rows, a_columns) = if order == Order::LeftTransposed { (1, rows) } else { (inner, 1) };
    let (b_rows, b_columns) = if order == Order::RightTransposed { (1, inner) } else { (columns, 1) };
    // SAFETY: `product` has checked that the slices have the lengths of their shapes, so that every element that the
    // strides reach lies in its slice; c is written row-major and exclusively borrowed. F is f32 or f64, because
    // `Element` is sealed, and `gemm` knows both.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            c.as_mut_ptr(),
            1,
            columns as isize,
            false,
            a.as_ptr(),
            a_columns as isize,
            a_rows as isize,
            b.as_ptr(),
            b_columns as isize,
            b_rows as isize,
            F::ZERO,
            F::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise<F: Element + From<f32> + Into<f64>>(len: usize, salt: usize) -> Vec<F> {
        (0..len).map(|i| F::from(((i * 7919 + salt * 31) % 2003) as f32 / 1000.0 - 1.0)).collect()
    }

    /// Every order of the shape, against the definition.
    fn check<F: Element + From<f32> + Into<f64>>(shape: Shape, tolerance: f64) {
        let Shape { rows, inner, columns } = shape;
        let (a, b) = (noise::<F>(rows * inner, 1), noise::<F>(inner * columns, 2));
        let mut scratch = Scratch::new();
        for order in [Order::Plain, Order::LeftTransposed, Order::RightTransposed] {
            for by_gemm in [false, true] {
                let mut c = vec![F::from(7.0); rows * columns];
                if by_gemm {
                    large(order, shape, &a, &b, &mut c);
                } else {
                    product(order, shape, &a, &b, &mut c, &mut scratch);
                }
                for (at, &value) in c.iter().enumerate() {
                    let (i, j) = (at / columns, at % columns);
                    let left =
                        |p| if order == Order::LeftTransposed { a[p * rows + i] } else { a[i * inner + p] };
                    let right = |p| {
                        if order == Order::RightTransposed { b[j * inner + p] } else { b[p * columns + j] }
                    };
                    let sum: f64 = (0..inner).map(|p| left(p).into() * right(p).into()).sum();
                    let error = (value.into() - sum).abs();
                    assert!(
                        error <= tolerance,
                        "{rows}×{inner}×{columns}, [{i}, {j}]: {}, not {sum}",
                        value.into()
                    );
                }
            }
        }
    }

    #[test]
    fn products_are_what_they_should_be() {
        for rows in [1, 2, 5, 6, 7, 13, 17, 40] {
            for inner in [0, 1, 3, 16, 127, 130, 300] {
                for columns in [1, 2, 7, 8, 10, 16, 17, 33, 48, 64, 65, 100, 130] {
                    check::<f32>(Shape { rows, inner, columns }, 1e-3);
                    check::<f64>(Shape { rows, inner, columns }, 1e-11);
                }
            }
        }
    }

    #[test]
    fn large_products_are_too() {
        let shape = Shape { rows: 160, inner: 512, columns: 420 };
        assert!(shape.rows * shape.inner * shape.columns > LARGE);
        check::<f64>(shape, 1e-11);
    }
}
