//! Loops over rows that several operations have.

use downhill_core::Float;
use downhill_core::simd::vectorised;

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
