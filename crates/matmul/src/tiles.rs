//! Products by register tiles.
//!
//! A tile is up to 12 rows by up to 4 vectors of the result, kept in registers while the inner dimension goes by: for
//! each step, a few vectors of a row of b, and for each row of the tile one element of a, spread over a vector. The
//! columns of b at hand are first copied together, so that they lie in the nearest cache.

use super::{Order, Shape};
use pulp::{Arch, Simd, WithSimd};

/// So many steps of the inner dimension are made in one go.
const DEPTH: usize = 128;

/// The most vectors in a row of a tile.
const VECTORS: usize = 4;

/// The most lanes of a vector: 16 of `f32` in AVX-512.
const LANES: usize = 16;

/// The cache line to which the copy of b is aligned, in bytes.
const LINE: usize = 64;

/// The length of the copy of b, and of the gap that may be in front of it.
pub(super) const PACKED: usize = DEPTH * VECTORS * LANES + LINE / size_of::<f32>();

/// With fewer rows than this, copying b costs more than it gains.
const COPIED_ROWS: usize = 16;

/// A number that comes in vectors: `f32` or `f64`. Its methods are the products' own.
#[allow(missing_docs)]
pub trait Element: Copy + Default + Send + Sync + private::Sealed + 'static {
    const ZERO: Self;
    const ONE: Self;
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
}

mod private {
    pub trait Sealed {}
}

macro_rules! element {
    ($float:ty, $vector:ident, $splat:ident, $multiply_add:ident, $vectors:ident, $vectors_mut:ident,
     $load:ident, $store:ident) => {
        impl private::Sealed for $float {}

        impl Element for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
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
        }
    };
}
element!(
    f32,
    f32s,
    splat_f32s,
    mul_add_e_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s
);
element!(
    f64,
    f64s,
    splat_f64s,
    mul_add_e_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s
);

/// The left operand; its rows in memory, which are columns of one that lies transposed, begin `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Left<'a, F> {
    pub values: &'a [F],
    pub stride: usize,
}

/// c = a·b, or c += a·b if `adding`, with the best vectors there are; the lengths have been checked.
pub(super) fn product<F: Element>(
    order: Order,
    shape: Shape,
    a: Left<'_, F>,
    b: &[F],
    c: &mut [F],
    adding: bool,
    pack: &mut [F],
) {
    if shape.inner == 0 && !adding {
        c.fill(F::default());
    }
    if c.is_empty() || shape.inner == 0 {
        return;
    }
    let gap = pack.as_ptr().align_offset(LINE).min(LINE / size_of::<F>());
    Arch::new().dispatch(Product { order, shape, a, b, c, adding, pack: &mut pack[gap..] });
}

struct Product<'a, F> {
    order: Order,
    shape: Shape,
    a: Left<'a, F>,
    b: &'a [F],
    c: &'a mut [F],
    adding: bool,
    pack: &'a mut [F],
}

impl<F: Element> WithSimd for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { order, shape, a, b, c, adding, pack } = self;
        let lanes = lanes::<F, S>();
        let most_vectors = if S::REGISTER_COUNT >= 32 { VECTORS } else { VECTORS / 2 };
        let mut column = 0;
        while column < shape.columns {
            let width = (shape.columns - column).min(most_vectors * lanes);
            let vectors = width.div_ceil(lanes);
            let mut step = 0;
            while step < shape.inner {
                let at = Place { step, steps: (shape.inner - step).min(DEPTH), column, width };
                let whole_rows = width == vectors * lanes;
                let (b, stride) = match order {
                    Order::RightTransposed => {
                        (copy_transposed(shape, at, b, vectors * lanes, pack), vectors * lanes)
                    }
                    _ if whole_rows && (width == shape.columns || shape.rows < COPIED_ROWS) => {
                        (&b[step * shape.columns + column..], shape.columns)
                    }
                    _ => (copy(simd, shape, at, b, vectors * lanes, pack), vectors * lanes),
                };
                let part = Part { order, shape, at, a, b, stride, adding: adding || step > 0 };
                match vectors {
                    4 => part.few_rows::<S, 4>(simd, c),
                    3 => part.few_rows::<S, 3>(simd, c),
                    2 => part.rows::<S, 2>(simd, c),
                    _ => part.rows::<S, 1>(simd, c),
                }
                step += at.steps;
            }
            column += width;
        }
    }
}

#[inline(always)]
fn lanes<F: Element, S: Simd>() -> usize {
    size_of::<F::Vector<S>>() / size_of::<F>()
}

/// The steps of the inner dimension and the columns at hand.
#[derive(Clone, Copy)]
struct Place {
    step: usize,
    steps: usize,
    column: usize,
    width: usize,
}

/// The columns of b at hand, copied together, each row filled up with zeros to `stride`.
#[inline(always)]
fn copy<'a, F: Element, S: Simd>(
    simd: S,
    shape: Shape,
    at: Place,
    b: &[F],
    stride: usize,
    pack: &'a mut [F],
) -> &'a [F] {
    let pack = &mut pack[..at.steps * stride];
    for (p, to) in pack.chunks_exact_mut(stride).enumerate() {
        let from = &b[(at.step + p) * shape.columns + at.column..][..at.width];
        let (to, _) = F::vectors_mut::<S>(to);
        let (from, rest) = F::vectors::<S>(from);
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
        if !rest.is_empty() {
            to[from.len()] = F::load(simd, rest);
        }
    }
    pack
}

/// The same from a transposed b: eight columns of it, which are rows in memory, at once.
#[inline(always)]
fn copy_transposed<'a, F: Element>(
    shape: Shape,
    at: Place,
    b: &[F],
    stride: usize,
    pack: &'a mut [F],
) -> &'a [F] {
    const COLUMNS: usize = 8;
    let pack = &mut pack[..at.steps * stride];
    let row = |column: usize| &b[(at.column + column) * shape.inner + at.step..][..at.steps];
    let mut column = 0;
    while column + COLUMNS <= at.width {
        let rows: [&[F]; COLUMNS] = std::array::from_fn(|j| row(column + j));
        for (p, to) in pack.chunks_exact_mut(stride).enumerate() {
            for (to, row) in to[column..column + COLUMNS].iter_mut().zip(rows) {
                *to = row[p];
            }
        }
        column += COLUMNS;
    }
    for column in column..stride {
        let from = if column < at.width { row(column) } else { &[] };
        for (p, to) in pack.chunks_exact_mut(stride).enumerate() {
            to[column] = from.get(p).copied().unwrap_or_default();
        }
    }
    pack
}

/// A product over the steps and columns at hand. Row p of `b` begins at p·stride.
#[derive(Clone, Copy)]
struct Part<'a, F> {
    order: Order,
    shape: Shape,
    at: Place,
    a: Left<'a, F>,
    b: &'a [F],
    stride: usize,
    adding: bool,
}

impl<F: Element> Part<'_, F> {
    /// All rows, in tiles that are as high as the registers allow with one or two vectors a row.
    #[inline(always)]
    fn rows<S: Simd, const V: usize>(self, simd: S, c: &mut [F]) {
        let mut row = 0;
        if S::REGISTER_COUNT >= 32 {
            row = self.tiles::<S, 12, V>(simd, row, c);
            row = self.tiles::<S, 8, V>(simd, row, c);
        }
        self.last_rows::<S, V>(simd, row, c);
    }

    /// The same with three or four vectors a row.
    #[inline(always)]
    fn few_rows<S: Simd, const V: usize>(self, simd: S, c: &mut [F]) {
        self.last_rows::<S, V>(simd, 0, c);
    }

    #[inline(always)]
    fn last_rows<S: Simd, const V: usize>(self, simd: S, row: usize, c: &mut [F]) {
        let row = self.tiles::<S, 6, V>(simd, row, c);
        let row = self.tiles::<S, 4, V>(simd, row, c);
        let row = self.tiles::<S, 2, V>(simd, row, c);
        self.tiles::<S, 1, V>(simd, row, c);
    }

    /// Tiles of R rows by V vectors from this row on, as many as fit; returns the row behind them.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(self, simd: S, mut row: usize, c: &mut [F]) -> usize {
        let Self { shape, at, a, .. } = self;
        while row + R <= shape.rows {
            let c = &mut c[row * shape.columns + at.column..];
            if self.order == Order::LeftTransposed {
                let columns = Columns { a: &a.values[at.step * a.stride + row..], stride: a.stride };
                self.tile::<S, R, V>(simd, columns, c);
            } else {
                let rows = std::array::from_fn(|i| &a.values[(row + i) * a.stride + at.step..][..at.steps]);
                self.tile::<S, R, V>(simd, Rows(rows), c);
            }
            row += R;
        }
        row
    }

    /// One tile; `c` begins with its first element. (Indices, not iterators: only so does the compiler keep the tile
    /// in registers.)
    #[inline(always)]
    #[allow(clippy::needless_range_loop, clippy::manual_memcpy)]
    fn tile<S: Simd, const R: usize, const V: usize>(self, simd: S, a: impl LeftRows<F, R>, c: &mut [F]) {
        let Self { shape, at, b, stride, adding, .. } = self;
        let lanes = lanes::<F, S>();
        let whole_rows = at.width == V * lanes;
        let mut tile = [[F::splat(simd, F::default()); V]; R];
        if adding {
            for i in 0..R {
                let c = &c[i * shape.columns..][..at.width];
                for v in 0..V {
                    tile[i][v] = F::load(simd, &c[v * lanes..at.width.min((v + 1) * lanes)]);
                }
            }
        }
        if stride == V * lanes {
            // Cut beforehand, so that the loop has no bounds to check.
            let (b, _) = F::vectors::<S>(&b[..at.steps * V * lanes]);
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
                let (b, _) = F::vectors::<S>(&b[p * stride..][..V * lanes]);
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
            let c = &mut c[i * shape.columns..][..at.width];
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
