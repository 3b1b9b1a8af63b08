//! Layers: each one file, with its description, its forward and its backward pass.

mod batch_norm;
mod dense;
mod dropout;
mod layer_norm;

pub use batch_norm::BatchNorm;
pub use dense::Dense;
pub use dropout::Dropout;
pub use layer_norm::LayerNorm;

pub(crate) use batch_norm::{BatchMoments, BatchNormOp};
pub(crate) use dense::DenseOp;
pub(crate) use dropout::{Draw, DropoutOp};
pub(crate) use layer_norm::LayerNormOp;

use downhill_core::Float;
use downhill_core::simd::vectorised;
use std::ops::Range;

/// The places of γ and β, scale and shift, of a normalisation; β lies behind γ.
#[derive(Clone, Debug)]
pub(crate) struct Affine {
    pub scale: Range<usize>,
    pub shift: Range<usize>,
}

impl Affine {
    /// γ and β.
    fn of<'a, F>(&self, params: &'a [F]) -> (&'a [F], &'a [F]) {
        (&params[self.scale.clone()], &params[self.shift.clone()])
    }

    /// The places of both.
    pub fn both(&self) -> Range<usize> {
        self.scale.start..self.shift.end
    }
}

/// sums += the row, for every row: the sums of the columns, in the order of the rows.
pub(crate) fn add_columns<F: Float>(rows: &[F], sums: &mut [F]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(sums.len().max(1)) {
                add(sums, row);
            }
        },
    );
}

/// The row += values, for every row.
pub(crate) fn add_to_rows<F: Float>(values: &[F], rows: &mut [F]) {
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(values.len().max(1)) {
                add(row, values);
            }
        },
    );
}

/// to += from.
#[inline(always)]
pub(crate) fn add<F: Float>(to: &mut [F], from: &[F]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
