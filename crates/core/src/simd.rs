//! Loops compiled for several processors, the best one picked where the program runs.
#![allow(unsafe_code)] // `multiversion` calls the version it has checked the processor for

/// Runs `work`, compiled once for each kind of vector unit: AVX-512, AVX2, NEON and the portable baseline.
///
/// The closure must be marked `#[inline(always)]`, and so must what it calls: only inlined code is compiled
/// again. All versions do the same operations in the same order (nothing is contracted to fused
/// multiply-adds), so they give the same bits.
///
/// ```
/// use downhill_core::simd::vectorised;
///
/// let mut values = vec![1.0f32, 2.0, 3.0];
/// vectorised(
///     #[inline(always)]
///     || values.iter_mut().for_each(|x| *x *= 2.0),
/// );
/// assert_eq!(values, [2.0, 4.0, 6.0]);
/// ```
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "aarch64+neon",
))]
pub fn vectorised<R, W: FnOnce() -> R>(work: W) -> R {
    work()
}

/// The sum of the squares of `values`, the same bits whatever the processor and however many threads.
///
/// Squares too large for the type are summed in `f64` instead.
pub fn sum_of_squares<F: crate::Float>(values: &[F]) -> f64 {
    const LANES: usize = 16;
    const BLOCK: usize = 4096; // short enough for f32 lanes to lose nothing that matters
    let block = |block: &[F]| {
        let mut lanes = [F::zero(); LANES];
        let chunks = block.chunks_exact(LANES);
        let rest: f64 = chunks.remainder().iter().map(|x| x.f64() * x.f64()).sum();
        vectorised(
            #[inline(always)]
            || {
                for chunk in chunks {
                    for (lane, &x) in lanes.iter_mut().zip(chunk) {
                        *lane += x * x;
                    }
                }
            },
        );
        lanes.iter().map(|lane| lane.f64()).sum::<f64>() + rest
    };
    let sum: f64 = values.chunks(BLOCK).map(block).sum();
    if sum.is_finite() { sum } else { values.iter().map(|x| x.f64() * x.f64()).sum() }
}
