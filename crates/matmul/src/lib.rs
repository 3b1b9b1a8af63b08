#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod operand;
mod tiles;

use bytemuck::cast_slice_mut;
use downhill_core::simd::arch;
use downhill_core::{Buffer, Element};
use operand::Operand;
use pulp::{Arch, Scalar128b, WithSimd};
use std::any::Any;
use std::ops::Range;
use tiles::{DEPTH, HEIGHT, PANEL, Product, WIDTH};

/// A product of at most so many columns is computed the other way round, cᵀ = bᵀ·aᵀ: vectors are filled
/// better so.
const NARROW: usize = 8;

/// Room for a product to copy what it needs of its operands together; 456 KiB of `f32`.
#[derive(Clone, Debug)]
pub struct Scratch<F> {
    a: Buffer<F>,
    b: Buffer<F>,
    narrow: Buffer<F>,
}

impl<F: Element> Scratch<F> {
    /// Enough for any product.
    pub fn new() -> Self {
        let zeros = Buffer::zeros;
        Self { a: zeros(HEIGHT * DEPTH), b: zeros(DEPTH * PANEL), narrow: zeros(NARROW * WIDTH) }
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

/// c = a·b, where a is `[rows, inner]` and b is `[inner, columns]`.
///
/// # Panics
///
/// If an operand does not have the length of its shape; so do the other products.
pub fn multiply<F: Element>(shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    check(shape, a, b, c.len());
    product(arch(), shape, plain(a, shape.inner), plain(b, shape.columns), c, false, scratch);
}

/// c = aᵀ·b, where a is `[inner, rows]` and b is `[inner, columns]`.
pub fn multiply_at<F: Element>(shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    multiply_at_part(shape, 0..shape.rows, a, b, c, false, scratch);
}

/// c = a·bᵀ, where a is `[rows, inner]` and b is `[columns, inner]`.
pub fn multiply_bt<F: Element>(shape: Shape, a: &[F], b: &[F], c: &mut [F], scratch: &mut Scratch<F>) {
    check(shape, a, b, c.len());
    product(arch(), shape, plain(a, shape.inner), plain(b, shape.inner).turned(), c, false, scratch);
}

/// Some rows of aᵀ·b, put into c or added to it; a is `[inner, rows]` and b is `[inner, columns]`, as in
/// [`multiply_at`], and c is `[part.len(), columns]`.
///
/// However the rows are cut into parts, and the inner dimension into calls that add, the bits of the result
/// are those of one call for all.
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
    let a = plain(a, shape.rows).turned().part(part.start, 0);
    product(arch(), Shape { rows: part.len(), ..shape }, a, plain(b, shape.columns), c, adding, scratch);
}

/// An operand that lies in memory as it is.
fn plain<F>(values: &[F], stride: usize) -> Operand<'_, F> {
    Operand { values, stride, begin: 0, transposed: false }
}

/// c = a·b, or c += a·b if `adding`, with the vectors of this architecture. The lengths have been checked.
///
/// Both types of numbers are compiled in this crate: the tiles for all vectors would be compiled anew in every
/// crate that multiplies.
fn product<F: Element>(
    arch: Arch,
    shape: Shape,
    a: Operand<'_, F>,
    b: Operand<'_, F>,
    c: &mut [F],
    adding: bool,
    scratch: &mut Scratch<F>,
) {
    let stride = shape.columns;
    let scratch: &mut dyn Any = scratch;
    if let Some(scratch) = scratch.downcast_mut() {
        let (a, b, c) = (a.cast(), b.cast(), cast_slice_mut(c));
        single_product(arch, Product { shape, a, b, c, stride, adding, scratch });
    } else if let Some(scratch) = scratch.downcast_mut() {
        let (a, b, c) = (a.cast(), b.cast(), cast_slice_mut(c));
        double_product(arch, Product { shape, a, b, c, stride, adding, scratch });
    }
}

#[inline(never)]
fn single_product(arch: Arch, product: Product<'_, f32>) {
    product_of(arch, product);
}

#[inline(never)]
fn double_product(arch: Arch, product: Product<'_, f64>) {
    product_of(arch, product);
}

#[inline(always)]
fn product_of<F: Element>(arch: Arch, product: Product<'_, F>) {
    let Product { shape, a, b, c, stride, adding, scratch } = product;
    let Shape { rows, inner, columns } = shape;
    if inner == 0 && !adding {
        c.fill(F::ZERO);
    }
    if c.is_empty() || inner == 0 {
        return;
    }
    if columns > NARROW || rows <= columns {
        return dispatch(arch, Product { shape, a, b, c, stride, adding, scratch });
    }
    let mut turned = std::mem::take(&mut scratch.narrow);
    for (i, c) in c.chunks_mut(WIDTH * columns).enumerate() {
        let width = c.len() / columns;
        let turned = &mut turned[..columns * width];
        if adding {
            for (j, turned) in turned.chunks_exact_mut(width).enumerate() {
                turned.iter_mut().zip(c[j..].iter().step_by(columns)).for_each(|(to, from)| *to = *from);
            }
        }
        let (a, b) = (b.turned(), a.part(i * WIDTH, 0).turned());
        let shape = Shape { rows: columns, inner, columns: width };
        dispatch(arch, Product { shape, a, b, c: turned, stride: width, adding, scratch });
        for (j, turned) in turned.chunks_exact(width).enumerate() {
            c[j..].iter_mut().step_by(columns).zip(turned).for_each(|(to, from)| *to = *from);
        }
    }
    scratch.narrow = turned;
}

#[inline(always)]
fn dispatch<F: Element>(arch: Arch, product: Product<'_, F>) {
    match arch {
        Arch::Scalar => portable(product),
        arch => arch.dispatch(product),
    }
}

/// With vectors of four numbers, for SSE2 and its like to be used; those of `Arch` are one. It is called in two
/// places and compiled once, as the others are.
#[inline(never)]
fn portable<F: Element>(product: Product<'_, F>) {
    product.with_simd(Scalar128b);
}

/// Whether the operands, and a product of so many elements, have the lengths of their shapes.
fn check<F>(shape: Shape, a: &[F], b: &[F], product: usize) {
    let Shape { rows, inner, columns } = shape;
    assert_eq!(Some(a.len()), rows.checked_mul(inner), "the left operand has its shape");
    assert_eq!(Some(b.len()), inner.checked_mul(columns), "the right operand has its shape");
    assert_eq!(Some(product), rows.checked_mul(columns), "the product has its shape");
}

#[cfg(test)]
mod tests {
    use super::*;
    use downhill_core::simd::Vectors;
    use tiles::FAR_APART;

    fn noise<F: Element + From<f32> + Into<f64>>(len: usize, salt: usize) -> Vec<F> {
        (0..len).map(|i| F::from(((i * 7919 + salt * 31) % 2003) as f32 / 1000.0 - 1.0)).collect()
    }

    /// Every kind of vectors that this processor has, the portable ones first.
    fn architectures() -> Vec<Arch> {
        Vectors::available().into_iter().filter_map(Vectors::arch).collect()
    }

    /// Every order of the shape with all vectors, against the definition.
    fn check<F: Element + From<f32> + Into<f64>>(shape: Shape, tolerance: f64) {
        let Shape { rows, inner, columns } = shape;
        let (a, b) = (noise::<F>(rows * inner, 1), noise::<F>(inner * columns, 2));
        let mut expected = vec![0.0; rows * columns];
        for (sums, a) in expected.chunks_exact_mut(columns).zip(a.chunks(inner.max(1))) {
            for (b, &a) in b.chunks_exact(columns).zip(a) {
                sums.iter_mut().zip(b).for_each(|(sum, &b)| *sum += a.into() * b.into());
            }
        }
        let (a_turned, b_turned) = (transposed(&a, inner), transposed(&b, columns));
        let a = [plain(&a, inner), plain(&a_turned, rows).turned()];
        let b = [plain(&b, columns), plain(&b_turned, inner).turned()];
        let mut scratch = Scratch::new();
        for arch in architectures() {
            let mut c = vec![F::from(7.0); rows * columns];
            for (a, b) in a.into_iter().flat_map(|a| b.map(|b| (a, b))) {
                for times in [1.0, 2.0] {
                    product(arch, shape, a, b, &mut c, times > 1.0, &mut scratch);
                    for (at, (&value, sum)) in c.iter().zip(&expected).enumerate() {
                        let error = (value.into() - times * sum).abs();
                        assert!(
                            error <= tolerance,
                            "{rows}×{inner}×{columns}, transposed: {}, {}; {arch:?}, {times} times: element {at} is \
                             {error} off",
                            a.transposed,
                            b.transposed
                        );
                    }
                }
            }
        }
    }

    fn transposed<F: Element>(matrix: &[F], columns: usize) -> Vec<F> {
        (0..columns).flat_map(|j| matrix.iter().skip(j).step_by(columns).copied()).collect()
    }

    #[test]
    fn products_are_what_they_should_be() {
        for rows in [1, 2, 6, 13, 40] {
            for inner in [0, 1, 16, DEPTH + 9] {
                for columns in [1, 7, 16, 33, 64, 130, PANEL + 21] {
                    check::<f32>(Shape { rows, inner, columns }, 1e-3);
                    check::<f64>(Shape { rows, inner, columns }, 1e-11);
                }
            }
        }
    }

    #[test]
    fn large_products_are_too() {
        check::<f32>(Shape { rows: FAR_APART + 5, inner: DEPTH + 3, columns: 3 * WIDTH + 5 }, 1e-3);
    }

    /// The three products with these vectors, each in one call and, if `twice`, once more added to it.
    fn products(arch: Arch, shape: Shape, a: &[f32], b: &[f32], twice: bool) -> [Vec<f32>; 3] {
        let Shape { rows, inner, columns } = shape;
        let (a_turned, b_turned) = (transposed(a, inner), transposed(b, columns));
        let operands = [
            (plain(a, inner), plain(b, columns)),
            (plain(&a_turned, rows).turned(), plain(b, columns)),
            (plain(a, inner), plain(&b_turned, inner).turned()),
        ];
        let mut scratch = Scratch::new();
        operands.map(|(a, b)| {
            let mut c = vec![7.0; rows * columns];
            product(arch, shape, a, b, &mut c, false, &mut scratch);
            if twice {
                product(arch, shape, a, b, &mut c, true, &mut scratch);
            }
            c
        })
    }

    #[test]
    fn every_element_is_one_sum_in_order_with_all_vectors() {
        // Every height of a tile, every number of vectors in one, parts of a vector, rows of b that are copied
        // and those that are not, several panels and several stretches of the inner dimension; and few columns,
        // which are computed the other way round.
        let mut shapes = Vec::new();
        for rows in (1..=9).chain([15, 16, 17, 32, 43]) {
            for columns in [3, 8, 16, 24, 32, 48, 64, 72, 128, 145] {
                shapes.push(Shape { rows, inner: 37, columns });
            }
        }
        for (rows, inner, columns) in [
            (1, DEPTH + 5, 2 * PANEL + 9),
            (3, DEPTH + 5, 2 * PANEL + 9),
            (19, 2 * DEPTH + 5, PANEL + 64),
            (32, 64, 64),
            (HEIGHT + 7, 65, PANEL + 1),
            (1030, 20, 150),
            (200, 70, 2),
        ] {
            shapes.push(Shape { rows, inner, columns });
        }
        for shape in shapes {
            let Shape { rows, inner, columns } = shape;
            let (a, b) = (noise::<f32>(rows * inner, 1), noise::<f32>(inner * columns, 2));
            for arch in architectures() {
                let fused = !matches!(arch, Arch::Scalar);
                let term = |a: f32, b: f32, sum: f32| if fused { a.mul_add(b, sum) } else { a * b + sum };
                for twice in [false, true] {
                    let mut expected = vec![0.0f32; rows * columns];
                    for _ in 0..=usize::from(twice) {
                        for (sums, a) in expected.chunks_exact_mut(columns).zip(a.chunks_exact(inner)) {
                            for (b, &a) in b.chunks_exact(columns).zip(a) {
                                sums.iter_mut().zip(b).for_each(|(sum, &b)| *sum = term(a, b, *sum));
                            }
                        }
                    }
                    let all = products(arch, shape, &a, &b, twice);
                    for (product, name) in all.iter().zip(["a·b", "aᵀ·b", "a·bᵀ"]) {
                        let wrong =
                            product.iter().zip(&expected).position(|(c, sum)| c.to_bits() != sum.to_bits());
                        assert_eq!(wrong, None, "{name}, {shape:?}, {arch:?}, twice: {twice}");
                    }
                }
            }
        }
    }
}
