//! What one core computes at most with the vectors in use: multiply-adds that wait for nothing.

use downhill_core::simd::{Vectors, vectorised};
use std::time::Instant;

/// Operations a second of single precision.
pub fn peak() -> f64 {
    match Vectors::in_use() {
        Vectors::Portable => rate::<4>(|a, b, c| a * b + c),
        Vectors::Neon => rate::<4>(f32::mul_add),
        Vectors::Avx2 => rate::<8>(f32::mul_add),
        Vectors::Avx512 => rate::<16>(f32::mul_add),
    }
}

/// The best of many samples: other programs disturb only some.
fn rate<const LANES: usize>(multiply_add: impl Fn(f32, f32, f32) -> f32 + Copy) -> f64 {
    /// Enough to fill two units, each of which takes up to five cycles.
    const CHAINS: usize = 12;
    const LENGTH: usize = 20_000;
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let factors = std::hint::black_box([0.5f32; LANES]);
        let begin = Instant::now();
        let chains = vectorised(
            #[inline(always)]
            || {
                let mut chains = [[1.0f32; LANES]; CHAINS];
                for _ in 0..LENGTH {
                    for chain in &mut chains {
                        for (x, a) in chain.iter_mut().zip(factors) {
                            *x = multiply_add(*x, a, a);
                        }
                    }
                }
                chains
            },
        );
        best = best.min(begin.elapsed().as_secs_f64());
        std::hint::black_box(chains);
    }
    (2 * LANES * CHAINS * LENGTH) as f64 / best
}
