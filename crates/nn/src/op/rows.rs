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

/// to += a∘b.
#[inline(always)]
pub(crate) fn add_product<F: Float>(to: &mut [F], a: &[F], b: &[F]) {
    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
        *to += a * b;
    }
}

/// to += factor·from.
#[inline(always)]
pub(crate) fn add_scaled<F: Float>(to: &mut [F], factor: F, from: &[F]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// Σ a∘b, in several sums at once, as a vector has them.
#[inline(always)]
pub(crate) fn dot<F: Float>(a: &[F], b: &[F]) -> F {
    const LANES: usize = 16;
    let mut sums = [F::zero(); LANES];
    let (whole, whole_too) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = whole.remainder().iter().zip(whole_too.remainder()).map(|(&a, &b)| a * b).sum::<F>();
    for (a, b) in whole.zip(whole_too) {
        add_product(&mut sums, a, b);
    }
    sums.into_iter().sum::<F>() + rest
}

/// to += from.
#[inline(always)]
pub(crate) fn add<F: Float>(to: &mut [F], from: &[F]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
