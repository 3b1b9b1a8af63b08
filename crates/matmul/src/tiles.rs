//! Products by register tiles.
//!
//! A tile is up to 8 rows by up to 4 vectors of the result, kept in registers while the inner dimension goes
//! by: for each step, a few vectors of a row of b, and for each row of the tile one element of a, spread over
//! a vector. The columns of b at hand are first copied together, so that they lie in the nearest cache.

use crate::operand::{Operand, Place};
use crate::{Scratch, Shape};
use downhill_core::Element;
use pulp::{Simd, WithSimd};

/// So many steps of the inner dimension are made in one go.
pub const DEPTH: usize = 256;

/// The most vectors in a row of a tile.
const VECTORS: usize = 4;

/// The most columns that are worked on at once: 16 lanes of `f32` in AVX-512.
pub const WIDTH: usize = VECTORS * 16;

/// With fewer rows than this, copying b costs more than it gains.
const COPIED_ROWS: usize = 16;

/// If a is copied, so many rows of it at once.
pub const HEIGHT: usize = 192;

/// A transposed a is copied if elements of a row lie farther apart than this, a page of memory or more, and
/// if the copy is used for more columns than `FEW_COLUMNS`.
pub const FAR_APART: usize = 1024;
const FEW_COLUMNS: usize = 2 * WIDTH;

/// c = a·b, or c += a·b if `adding`. The rows of c begin `stride` apart.
pub struct Product<'a, F> {
    pub shape: Shape,
    pub a: Operand<'a, F>,
    pub b: Operand<'a, F>,
    pub c: &'a mut [F],
    pub stride: usize,
    pub adding: bool,
    pub scratch: &'a mut Scratch<F>,
}

impl<F: Element> WithSimd for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { shape, a, b, c, stride, adding, scratch } = self;
        let Scratch { a: a_copy, b: b_copy, .. } = scratch;
        let lanes = lanes::<F, S>();
        let most = lanes * if S::REGISTER_COUNT >= 32 { VECTORS } else { VECTORS / 2 };
        let copies_a = a.transposed && a.stride >= FAR_APART && shape.columns > FEW_COLUMNS;
        let height = if copies_a { HEIGHT } else { shape.rows };
        for row in (0..shape.rows).step_by(height) {
            let rows = height.min(shape.rows - row);
            let c = &mut c[row * stride..];
            for step in (0..shape.inner).step_by(DEPTH) {
                let steps = DEPTH.min(shape.inner - step);
                let a = a.part(row, step);
                let a = if copies_a { a.copy_transposed(rows, steps, a_copy) } else { a };
                for column in (0..shape.columns).step_by(most) {
                    let at = Place { steps, width: most.min(shape.columns - column) };
                    let vectors = at.width.div_ceil(lanes);
                    let whole = at.width == vectors * lanes;
                    let from = b.part(step, column);
                    let b = if b.transposed {
                        from.copy_columns(simd, at, vectors * lanes, b_copy)
                    } else if whole && (at.width == shape.columns || rows < COPIED_ROWS) {
                        from
                    } else {
                        from.copy_rows(simd, at, vectors * lanes, b_copy)
                    };
                    let part = Part { rows, at, a, b, stride, adding: adding || step > 0 };
                    let c = &mut c[column..];
                    match vectors {
                        4 => part.rows::<S, 4>(simd, c),
                        3 => part.rows::<S, 3>(simd, c),
                        2 => part.rows::<S, 2>(simd, c),
                        _ => part.rows::<S, 1>(simd, c),
                    }
                }
            }
        }
    }
}

/// How many numbers a vector has.
#[inline(always)]
fn lanes<F: Element, S: Simd>() -> usize {
    size_of::<F::Vector<S>>() / size_of::<F>()
}

/// A product over the steps and columns at hand, with which the operands and c begin.
#[derive(Clone, Copy)]
struct Part<'a, F> {
    rows: usize,
    at: Place,
    a: Operand<'a, F>,
    b: Operand<'a, F>,
    stride: usize,
    adding: bool,
}

impl<F: Element> Part<'_, F> {
    /// All rows, in tiles that are as high as the registers allow.
    #[inline(always)]
    fn rows<S: Simd, const V: usize>(self, simd: S, c: &mut [F]) {
        let mut row = 0;
        if V <= 2 && S::REGISTER_COUNT >= 32 {
            row = self.tiles::<S, 8, V>(simd, row, c);
        }
        let row = self.tiles::<S, 6, V>(simd, row, c);
        let row = self.tiles::<S, 4, V>(simd, row, c);
        let row = self.tiles::<S, 2, V>(simd, row, c);
        self.tiles::<S, 1, V>(simd, row, c);
    }

    /// Tiles of R rows by V vectors from this row on, as many as fit; returns the row behind them.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(self, simd: S, mut row: usize, c: &mut [F]) -> usize {
        let Self { at, a, .. } = self;
        while row + R <= self.rows {
            let c = &mut c[row * self.stride..];
            if a.transposed {
                self.tile::<S, R, V>(simd, Columns { a: &a.values[row..], stride: a.stride }, c);
            } else {
                let rows = std::array::from_fn(|i| &a.values[(row + i) * a.stride..][..at.steps]);
                self.tile::<S, R, V>(simd, Rows(rows), c);
            }
            row += R;
        }
        row
    }

    /// One tile; `c` begins with its first element. (Indices, not iterators: only so does the compiler keep
    /// the tile in registers.)
    #[inline(always)]
    #[allow(clippy::needless_range_loop, clippy::manual_memcpy)]
    fn tile<S: Simd, const R: usize, const V: usize>(self, simd: S, a: impl LeftRows<F, R>, c: &mut [F]) {
        let Self { at, b, adding, .. } = self;
        let lanes = lanes::<F, S>();
        let whole_rows = at.width == V * lanes;
        let mut tile = [[F::splat(simd, F::default()); V]; R];
        if adding {
            for i in 0..R {
                let c = &c[i * self.stride..][..at.width];
                if whole_rows {
                    let (c, _) = F::vectors::<S>(c);
                    for v in 0..V {
                        tile[i][v] = c[v];
                    }
                } else {
                    for v in 0..V {
                        tile[i][v] = F::load(simd, &c[v * lanes..at.width.min((v + 1) * lanes)]);
                    }
                }
            }
        }
        if b.stride == V * lanes {
            // Cut beforehand, so that the loop has no bounds to check.
            let (b, _) = F::vectors::<S>(&b.values[..at.steps * V * lanes]);
            let (b, _) = b.as_chunks::<V>();
            for (p, b) in b.iter().enumerate() {
                let a = a.elements(p);
                for i in 0..R {
                    let a = F::splat(simd, a[i]);
                    for v in 0..V {
                        tile[i][v] = F::multiply_add(simd, a, b[v], tile[i][v]);
                    }
                }
            }
        } else {
            for p in 0..at.steps {
                let (b, _) = F::vectors::<S>(&b.values[p * b.stride..][..V * lanes]);
                let b: [F::Vector<S>; V] = std::array::from_fn(|v| b[v]);
                let a = a.elements(p);
                for i in 0..R {
                    let a = F::splat(simd, a[i]);
                    for v in 0..V {
                        tile[i][v] = F::multiply_add(simd, a, b[v], tile[i][v]);
                    }
                }
            }
        }
        for i in 0..R {
            let c = &mut c[i * self.stride..][..at.width];
            if whole_rows {
                let (c, _) = F::vectors_mut::<S>(c);
                for v in 0..V {
                    c[v] = tile[i][v];
                }
            } else {
                for v in 0..V {
                    F::store(simd, &mut c[v * lanes..at.width.min((v + 1) * lanes)], tile[i][v]);
                }
            }
        }
    }
}

/// R rows of the left operand.
trait LeftRows<F, const R: usize>: Copy {
    /// Their elements for one step of the inner dimension.
    fn elements(self, p: usize) -> [F; R];
}

/// Rows that lie in memory as rows, all of the same length.
#[derive(Clone, Copy)]
struct Rows<'a, F, const R: usize>([&'a [F]; R]);

impl<F: Element, const R: usize> LeftRows<F, R> for Rows<'_, F, R> {
    #[inline(always)]
    fn elements(self, p: usize) -> [F; R] {
        std::array::from_fn(|i| self.0[i][p])
    }
}

/// Rows that lie in memory as columns.
#[derive(Clone, Copy)]
struct Columns<'a, F> {
    a: &'a [F],
    stride: usize,
}

impl<F: Element, const R: usize> LeftRows<F, R> for Columns<'_, F> {
    #[inline(always)]
    fn elements(self, p: usize) -> [F; R] {
        let column = &self.a[p * self.stride..][..R];
        std::array::from_fn(|i| column[i])
    }
}
