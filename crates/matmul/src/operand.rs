//! The operands of a product, and copies of the parts of them that are at hand.

use crate::Element;
use pulp::Simd;

/// A matrix in memory, where it may lie transposed; its rows there begin `stride` apart.
#[derive(Clone, Copy)]
pub struct Operand<'a, F> {
    pub values: &'a [F],
    pub stride: usize,
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
        Self { values: &self.values[row * self.stride + column..], ..self }
    }

    /// The transposed matrix.
    pub fn turned(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// So many rows and columns of a left operand that lies transposed, copied together.
    #[inline(always)]
    pub fn copy_transposed<'b>(self, rows: usize, columns: usize, copy: &'b mut [F]) -> Operand<'b, F> {
        for (p, to) in copy.chunks_exact_mut(rows).take(columns).enumerate() {
            to.copy_from_slice(&self.values[p * self.stride..][..rows]);
        }
        Operand { values: copy, stride: rows, transposed: true }
    }

    /// The rows and columns at hand of a right operand, copied together, each row filled up with zeros to `stride`.
    #[inline(always)]
    pub fn copy_rows<'b, S: Simd>(
        self,
        simd: S,
        at: Place,
        stride: usize,
        copy: &'b mut [F],
    ) -> Operand<'b, F> {
        let copy = &mut copy[..at.steps * stride];
        for (p, to) in copy.chunks_exact_mut(stride).enumerate() {
            let from = &self.values[p * self.stride..][..at.width];
            let (to, _) = F::vectors_mut::<S>(to);
            let (from, rest) = F::vectors::<S>(from);
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
            if !rest.is_empty() {
                to[from.len()] = F::load(simd, rest);
            }
        }
        Operand { values: copy, stride, transposed: false }
    }

    /// The same of one that lies transposed.
    #[inline(always)]
    pub fn copy_columns<'b, S: Simd>(
        self,
        simd: S,
        at: Place,
        stride: usize,
        copy: &'b mut [F],
    ) -> Operand<'b, F> {
        const BLOCK: usize = 8;
        let copy = &mut copy[..at.steps * stride];
        let row = |column: usize| &self.values[column * self.stride..][..at.steps];
        let (mut column, whole) = (0, at.steps - at.steps % BLOCK);
        while column + BLOCK <= at.width {
            // Written out, because functions on arrays are not always inlined, and bytes then go through memory.
            let blocks = |j| row(column + j).as_chunks::<BLOCK>().0;
            let (a, b, c, d) = (blocks(0), blocks(1), blocks(2), blocks(3));
            let (e, f, g, h) = (blocks(4), blocks(5), blocks(6), blocks(7));
            for (i, to) in copy.chunks_exact_mut(BLOCK * stride).enumerate() {
                let turned = F::transpose(simd, [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]]);
                for (to, values) in to[column..].chunks_mut(stride).zip(turned) {
                    *to.first_chunk_mut().expect("a block is not wider than a row") = values;
                }
            }
            for p in whole..at.steps {
                for (j, to) in copy[p * stride + column..][..BLOCK].iter_mut().enumerate() {
                    *to = row(column + j)[p];
                }
            }
            column += BLOCK;
        }
        for column in column..stride {
            let from = if column < at.width { row(column) } else { &[] };
            for (p, to) in copy.chunks_exact_mut(stride).enumerate() {
                to[column] = from.get(p).copied().unwrap_or_default();
            }
        }
        Operand { values: copy, stride, transposed: false }
    }
}
