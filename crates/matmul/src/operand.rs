//! The operands of a product, and copies of the parts of them that are at hand.

use bytemuck::cast_slice;
use downhill_core::Element;
use pulp::Simd;

/// A matrix in memory, where it may lie transposed, or be some columns of a wider one.
#[derive(Clone, Copy)]
pub struct Operand<'a, F> {
    /// Whole rows in memory, each of `stride` values.
    pub values: &'a [F],
    pub stride: usize,
    /// Where the matrix begins in each of them.
    pub begin: usize,
    pub transposed: bool,
}

/// How many steps of the inner dimension and how many columns are at hand.
#[derive(Clone, Copy)]
pub struct Place {
    pub steps: usize,
    pub width: usize,
}

impl<'a, F: Element> Operand<'a, F> {
    /// The matrix from this element on.
    #[inline(always)]
    pub fn part(self, row: usize, column: usize) -> Self {
        let (row, column) = if self.transposed { (column, row) } else { (row, column) };
        Self { values: &self.values[row * self.stride..], begin: self.begin + column, ..self }
    }

    /// The same matrix; `G` is to be of the same size as `F`.
    pub fn cast<G: Element>(self) -> Operand<'a, G> {
        let Self { values, stride, begin, transposed } = self;
        Operand { values: cast_slice(values), stride, begin, transposed }
    }

    /// The transposed matrix.
    pub fn turned(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// So many rows and columns of a left operand that lies transposed, copied together.
    #[inline(always)]
    pub fn copy_transposed<'b>(self, rows: usize, columns: usize, copy: &'b mut [F]) -> Operand<'b, F> {
        for (p, to) in copy.chunks_exact_mut(rows).take(columns).enumerate() {
            to.copy_from_slice(&self.values[p * self.stride + self.begin..][..rows]);
        }
        Operand { values: copy, stride: rows, begin: 0, transposed: true }
    }

    /// The rows and columns at hand of a right operand, copied together, each row filled up with zeros to
    /// `stride`.
    #[inline(always)]
    pub fn copy_rows<S: Simd>(self, simd: S, at: Place, stride: usize, copy: &mut [F]) {
        let copy = &mut copy[..at.steps * stride];
        for (p, to) in copy.chunks_exact_mut(stride).enumerate() {
            let from = &self.values[p * self.stride + self.begin..][..at.width];
            let (to, _) = F::vectors_mut::<S>(to);
            let (from, rest) = F::vectors::<S>(from);
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
            if !rest.is_empty() {
                to[from.len()] = F::load(simd, rest);
            }
        }
    }

    /// The same of one that lies transposed.
    #[inline(always)]
    pub fn copy_columns<S: Simd>(self, simd: S, at: Place, stride: usize, copy: &mut [F]) {
        let copy = &mut copy[..at.steps * stride];
        let done = match stride {
            8 => self.copy_blocks::<S, 8>(simd, at, copy),
            16 => self.copy_blocks::<S, 16>(simd, at, copy),
            32 => self.copy_blocks::<S, 32>(simd, at, copy),
            48 => self.copy_blocks::<S, 48>(simd, at, copy),
            64 => self.copy_blocks::<S, 64>(simd, at, copy),
            128 => self.copy_blocks::<S, 128>(simd, at, copy),
            _ => 0,
        };
        for column in done..stride {
            let from = if column < at.width { self.row(column, at) } else { &[] };
            for (p, to) in copy.chunks_exact_mut(stride).enumerate() {
                to[column] = from.get(p).copied().unwrap_or_default();
            }
        }
    }

    /// A column at hand of an operand that lies transposed.
    #[inline(always)]
    fn row(self, column: usize, at: Place) -> &'a [F] {
        &self.values[column * self.stride + self.begin..][..at.steps]
    }

    /// As many columns as make blocks, for copies of this stride; returns how many they are. (As the stride
    /// is known, and everything is cut beforehand, the loop over blocks has no bounds to check.)
    #[inline(always)]
    fn copy_blocks<S: Simd, const STRIDE: usize>(self, simd: S, at: Place, copy: &mut [F]) -> usize {
        const BLOCK: usize = 8;
        let (blocks, rest) = copy.as_chunks_mut::<STRIDE>().0.as_chunks_mut::<BLOCK>();
        let done = at.width - at.width % BLOCK;
        for column in (0..done).step_by(BLOCK) {
            // Written out, because functions on arrays are not always inlined, and bytes then go through
            // memory.
            let from = |j| self.row(column + j, at).as_chunks::<BLOCK>().0.iter();
            let (abcd, efgh) = (
                from(0).zip(from(1)).zip(from(2).zip(from(3))),
                from(4).zip(from(5)).zip(from(6).zip(from(7))),
            );
            for (to, (((a, b), (c, d)), ((e, f), (g, h)))) in blocks.iter_mut().zip(abcd.zip(efgh)) {
                let turned = F::transpose(simd, [*a, *b, *c, *d, *e, *f, *g, *h]);
                for (to, values) in to.iter_mut().zip(turned) {
                    *to[column..].first_chunk_mut().expect("blocks are within the width") = values;
                }
            }
            for (to, p) in rest.iter_mut().zip(at.steps - at.steps % BLOCK..) {
                for (j, to) in to[column..][..BLOCK].iter_mut().enumerate() {
                    *to = self.row(column + j, at)[p];
                }
            }
        }
        done
    }
}
