//! Products by register tiles.
//!
//! A tile is up to 8 rows by up to 8 vectors of the result, kept in registers while the inner dimension goes
//! by: for each step, a few vectors of a row of b, and for each row of the tile one element of a, spread over
//! a vector. Products are cut three times, by what the caches hold:
//!
//! - the inner dimension into [`DEPTH`] steps, and the columns into panels of [`PANEL`]: so much of b is copied
//!   together into the second cache, in strips as wide as a tile, one behind the other;
//! - the rows into as many as a tile has: so much of a stays in the nearest cache while it meets all strips,
//!   and the rows of c are gone along from one column to the next;
//! - a row of tiles into tiles, which stay in registers.
//!
//! Each element of c is one sum over the inner dimension in its order, however it is cut.

use crate::operand::{Operand, Place};
use crate::{Scratch, Shape};
use downhill_core::Element;
use pulp::{Simd, WithSimd};

/// So many steps of the inner dimension are made in one go.
pub const DEPTH: usize = 256;

/// The most columns of b that are copied together at once: `DEPTH` rows of them fit the second cache.
pub const PANEL: usize = 256;

/// The most rows of a product that is computed the other way round, at once: 4 vectors of AVX-512.
pub const WIDTH: usize = 64;

/// With fewer rows than this, copying b costs more than it gains.
const COPIED_ROWS: usize = 16;

/// Rows of b of so many bytes together stay in the nearest cache, and are not copied.
const NEAR: usize = 16 << 10;

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
        let copies_a = a.transposed && a.stride >= FAR_APART && shape.columns > FEW_COLUMNS;
        let height = if copies_a { HEIGHT } else { shape.rows };
        for row in (0..shape.rows).step_by(height) {
            let rows = height.min(shape.rows - row);
            let c = &mut c[row * stride..];
            for step in (0..shape.inner).step_by(DEPTH) {
                let steps = DEPTH.min(shape.inner - step);
                let a = a.part(row, step);
                let a = if copies_a { a.copy_transposed(rows, steps, a_copy) } else { a };
                for column in (0..shape.columns).step_by(PANEL) {
                    let width = PANEL.min(shape.columns - column);
                    let strips = Strips::<F, S>::new(simd, rows, Place { steps, width });
                    let panel = strips.panel(b, (step, column), b_copy);
                    let part = Part { rows, a, panel, stride, adding: adding || step > 0 };
                    part.multiply(simd, &mut c[column..]);
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

/// The most multiply-adds of a step that have a register each, beside those for the operands.
#[inline(always)]
fn most_registers<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 24 } else { 12 }
}

/// How the columns at hand are cut into strips, each as wide as a tile.
///
/// A multiply-add takes four cycles and two begin in each: a tile needs eight vectors to keep the processor
/// busy. So the fewer rows there are, the wider are the tiles.
#[derive(Clone, Copy)]
struct Strips<F: Element, S: Simd> {
    simd: S,
    rows: usize,
    at: Place,
    /// The vectors of all strips but the last ones.
    vectors: usize,
    float: std::marker::PhantomData<F>,
}

impl<F: Element, S: Simd> Strips<F, S> {
    #[inline(always)]
    fn new(simd: S, rows: usize, at: Place) -> Self {
        let most = match rows {
            1 => 8,
            2 | 3 => 4,
            _ => most_registers::<S>() / 6,
        };
        let vectors = vectors_of(at.width.div_ceil(lanes::<F, S>()), most);
        Self { simd, rows, at, vectors, float: std::marker::PhantomData }
    }

    /// The strips: the column that each begins with, and its vectors.
    #[inline(always)]
    fn each(self) -> impl Iterator<Item = (usize, usize)> {
        let (lanes, mut column) = (lanes::<F, S>(), 0);
        std::iter::from_fn(move || {
            let left = self.at.width.checked_sub(column).filter(|left| *left > 0)?;
            let strip = (column, vectors_of(left.div_ceil(lanes), self.vectors));
            column += strip.1 * lanes;
            Some(strip)
        })
    }

    /// The part of b that begins here, copied together if that pays.
    #[inline(always)]
    fn panel<'b>(
        self,
        b: Operand<'b, F>,
        (step, column): (usize, usize),
        copy: &'b mut [F],
    ) -> Panel<'b, F, S> {
        let (lanes, Place { steps, width }) = (lanes::<F, S>(), self.at);
        let near = steps * b.stride * size_of::<F>() <= NEAR;
        let direct = !b.transposed && (self.rows < COPIED_ROWS || near || self.vectors * lanes == b.stride);
        // A strip whose last vector is not whole is always copied, with zeros behind.
        let copied_from = match direct {
            true if width.is_multiple_of(lanes) => width,
            true => self.each().last().map_or(0, |(begin, _)| begin),
            false => 0,
        };
        /// The number of rows copied for all strips before the next ones: rows that are close in memory.
        const TOGETHER: usize = 16;
        let strips = || self.each().filter(|(begin, _)| *begin >= copied_from);
        if b.transposed {
            for (begin, vectors) in strips() {
                let at = Place { steps, width: (vectors * lanes).min(width - begin) };
                let to = &mut copy[begin * steps..];
                b.part(step, column + begin).copy_columns(self.simd, at, vectors * lanes, to);
            }
        } else {
            for first in (0..steps).step_by(TOGETHER) {
                for (begin, vectors) in strips() {
                    let stride = vectors * lanes;
                    let at = Place { steps: TOGETHER.min(steps - first), width: stride.min(width - begin) };
                    let to = &mut copy[begin * steps + first * stride..];
                    b.part(step + first, column + begin).copy_rows(self.simd, at, stride, to);
                }
            }
        }
        let rows = if b.transposed { &[] } else { &b.values[step * b.stride..] };
        Panel { strips: self, rows, stride: b.stride, column: b.begin + column, copy, copied_from }
    }
}

/// How many of the vectors left go into a strip of at most so many.
#[inline(always)]
fn vectors_of(left: usize, most: usize) -> usize {
    if left >= most { most } else { left.min(4) }
}

/// The steps and columns of b at hand.
#[derive(Clone, Copy)]
struct Panel<'a, F: Element, S: Simd> {
    strips: Strips<F, S>,
    /// The rows of b, from the first step on, and the column at hand of them.
    rows: &'a [F],
    stride: usize,
    column: usize,
    /// The strips from this column at hand on lie here, one behind the other.
    copy: &'a [F],
    copied_from: usize,
}

impl<'a, F: Element, S: Simd> Panel<'a, F, S> {
    /// The strip that begins with column `begin` and has `stride` columns.
    #[inline(always)]
    fn strip(&self, begin: usize, stride: usize) -> Right<'a, F> {
        let steps = self.strips.at.steps;
        if begin < self.copied_from {
            return Right { rows: self.rows, stride: self.stride, column: self.column + begin };
        }
        Right { rows: &self.copy[begin * steps..][..steps * stride], stride, column: 0 }
    }
}

/// Some columns of b: those from this one on, in rows of so many.
#[derive(Clone, Copy)]
struct Right<'a, F> {
    rows: &'a [F],
    stride: usize,
    column: usize,
}

/// A product over the steps and columns at hand, with which a and c begin.
#[derive(Clone, Copy)]
struct Part<'a, F: Element, S: Simd> {
    rows: usize,
    a: Operand<'a, F>,
    panel: Panel<'a, F, S>,
    stride: usize,
    adding: bool,
}

impl<F: Element, S: Simd> Part<'_, F, S> {
    /// All rows, in tiles as high as the registers allow and about equally high: a low one at the end would
    /// not keep the processor busy.
    #[inline(always)]
    fn multiply(self, simd: S, c: &mut [F]) {
        let most = match self.panel.strips.vectors {
            1 => 8,
            2 if S::REGISTER_COUNT >= 32 => 8,
            vectors => (most_registers::<S>() / vectors).min(6),
        };
        let tiles = self.rows.div_ceil(most);
        let (low, higher) = (self.rows / tiles, self.rows % tiles);
        let mut row = 0;
        for tile in 0..tiles {
            let height = low + usize::from(tile < higher);
            let c = &mut c[row * self.stride..];
            match height {
                1 => self.row_of_tiles::<1>(simd, row, c),
                2 => self.row_of_tiles::<2>(simd, row, c),
                3 => self.row_of_tiles::<3>(simd, row, c),
                4 => self.row_of_tiles::<4>(simd, row, c),
                5 => self.row_of_tiles::<5>(simd, row, c),
                6 => self.row_of_tiles::<6>(simd, row, c),
                7 => self.row_of_tiles::<7>(simd, row, c),
                _ => self.row_of_tiles::<8>(simd, row, c),
            }
            row += height;
        }
    }

    /// The tiles of R rows from this one on, whose first element `c` begins with.
    #[inline(always)]
    fn row_of_tiles<const R: usize>(self, simd: S, row: usize, c: &mut [F]) {
        for (begin, vectors) in self.panel.strips.each() {
            let c = &mut c[begin..];
            // Those that need more registers than there are do not come about, and are not compiled.
            if vectors == 8 && R == 1 {
                self.tile_at::<R, 8>(simd, row, begin, c);
            } else if vectors == 4 && R * 4 <= most_registers::<S>() {
                self.tile_at::<R, 4>(simd, row, begin, c);
            } else if vectors == 3 && R * 3 <= most_registers::<S>() && R <= 6 {
                self.tile_at::<R, 3>(simd, row, begin, c);
            } else if vectors == 2 && R * 2 <= most_registers::<S>() {
                self.tile_at::<R, 2>(simd, row, begin, c);
            } else {
                debug_assert_eq!(vectors, 1);
                self.tile_at::<R, 1>(simd, row, begin, c);
            }
        }
    }

    #[inline(always)]
    fn tile_at<const R: usize, const V: usize>(self, simd: S, row: usize, begin: usize, c: &mut [F]) {
        let Self { a, panel, stride, adding, .. } = self;
        let (steps, width) = (panel.strips.at.steps, panel.strips.at.width - begin);
        let b = panel.strip(begin, V * lanes::<F, S>());
        let tile = Tile::<F> { steps, width, b, stride, adding };
        if a.transposed {
            tile.multiply::<S, R, V>(simd, Columns { a: &a.values[a.begin + row..], stride: a.stride }, c);
        } else {
            let rows = std::array::from_fn(|i| &a.values[(row + i) * a.stride + a.begin..][..steps]);
            tile.multiply::<S, R, V>(simd, Rows(rows), c);
        }
    }
}

/// What one tile is multiplied from, beside the rows of a.
#[derive(Clone, Copy)]
struct Tile<'a, F> {
    steps: usize,
    /// The columns of c from the tile's first on; more than its own in all but the last tile of a row.
    width: usize,
    b: Right<'a, F>,
    stride: usize,
    adding: bool,
}

impl<F: Element> Tile<'_, F> {
    /// One tile of R rows by V vectors; `c` begins with its first element. (Indices, not iterators: only so
    /// does the compiler keep the tile in registers.)
    #[inline(always)]
    #[allow(clippy::needless_range_loop, clippy::manual_memcpy)]
    fn multiply<S: Simd, const R: usize, const V: usize>(self, simd: S, a: impl LeftRows<F, R>, c: &mut [F]) {
        let Self { steps, b, stride, adding, .. } = self;
        let lanes = lanes::<F, S>();
        let width = self.width.min(V * lanes);
        let whole_rows = width == V * lanes;
        let mut tile = [[F::splat(simd, F::default()); V]; R];
        if adding {
            for i in 0..R {
                let c = &c[i * stride..][..width];
                if whole_rows {
                    let (c, _) = F::vectors::<S>(c);
                    for v in 0..V {
                        tile[i][v] = c[v];
                    }
                } else {
                    for v in 0..V {
                        tile[i][v] = F::load(simd, &c[(v * lanes).min(width)..width.min((v + 1) * lanes)]);
                    }
                }
            }
        }
        // Whole rows, all of one length: what is cut from them needs no check in the loop.
        for (p, b_row) in b.rows[..steps * b.stride].chunks_exact(b.stride).enumerate() {
            let (b, _) = F::vectors::<S>(&b_row[b.column..b.column + V * lanes]);
            let b: [F::Vector<S>; V] = std::array::from_fn(|v| b[v]);
            let a = a.elements(p);
            for i in 0..R {
                let a = F::splat(simd, a[i]);
                for v in 0..V {
                    tile[i][v] = F::multiply_add(simd, a, b[v], tile[i][v]);
                }
            }
        }
        for i in 0..R {
            let c = &mut c[i * stride..][..width];
            if whole_rows {
                let (c, _) = F::vectors_mut::<S>(c);
                for v in 0..V {
                    c[v] = tile[i][v];
                }
            } else {
                for v in 0..V {
                    F::store(simd, &mut c[(v * lanes).min(width)..width.min((v + 1) * lanes)], tile[i][v]);
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
