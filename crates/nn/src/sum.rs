//! Sums along a slice, in an order that is fixed and still leaves the compiler a vector of them at once.

use downhill_core::Float;

/// How many partial sums run side by side.
const LANES: usize = 16;

/// Σ x: sixteen sums of every sixteenth element, then their sum.
#[inline(always)]
pub(crate) fn sum<F: Float>(x: &[F]) -> F {
    let mut sums = [F::zero(); LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += x;
    }
    total(sums)
}

/// Σ a·b, in the order of [`sum`].
#[inline(always)]
pub(crate) fn dot<F: Float>(a: &[F], b: &[F]) -> F {
    let mut sums = [F::zero(); LANES];
    let (chunks_a, rest_a) = a.as_chunks::<LANES>();
    let (chunks_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in chunks_a.iter().zip(chunks_b) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    for ((sum, &a), &b) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum += a * b;
    }
    total(sums)
}

#[inline(always)]
fn total<F: Float>(sums: [F; LANES]) -> F {
    sums.into_iter().fold(F::zero(), |total, x| total + x)
}
