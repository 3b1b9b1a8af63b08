//! Eight rows of eight numbers become columns.

use pulp::Simd;

/// Element by element.
#[inline(always)]
pub fn any<S: Simd, F: Copy>(_: S, rows: [[F; 8]; 8]) -> [[F; 8]; 8] {
    std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
}

/// By shuffles of whole vectors, where the processor has AVX.
#[inline(always)]
pub fn single<S: Simd>(simd: S, rows: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V3, V4};
        let simd: &dyn std::any::Any = &simd;
        if let Some(&v3) = simd.downcast_ref::<V3>() {
            return shuffled(v3, rows);
        }
        if let Some(v4) = simd.downcast_ref::<V4>() {
            return shuffled(**v4, rows);
        }
    }
    any(simd, rows)
}

/// In three rounds, each of which exchanges blocks twice as large: of one number, of two, of four.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn shuffled(simd: pulp::x86::V3, rows: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
    use std::arch::x86_64::__m256;
    const EVEN: i32 = 0b01_00_01_00;
    const ODD: i32 = 0b11_10_11_10;
    const LOW: i32 = 0x20;
    const HIGH: i32 = 0x31;
    let avx = simd.avx;
    let [a, b, c, d, e, f, g, h]: [__m256; 8] = pulp::cast(rows);
    let pairs = |a, b| (avx._mm256_unpacklo_ps(a, b), avx._mm256_unpackhi_ps(a, b));
    let fours = |(a, b), (c, d)| {
        [
            avx._mm256_shuffle_ps::<EVEN>(a, c),
            avx._mm256_shuffle_ps::<ODD>(a, c),
            avx._mm256_shuffle_ps::<EVEN>(b, d),
            avx._mm256_shuffle_ps::<ODD>(b, d),
        ]
    };
    let low = |upper, lower| avx._mm256_permute2f128_ps::<LOW>(upper, lower);
    let high = |upper, lower| avx._mm256_permute2f128_ps::<HIGH>(upper, lower);
    let [a, b, c, d] = fours(pairs(a, b), pairs(c, d));
    let [e, f, g, h] = fours(pairs(e, f), pairs(g, h));
    pulp::cast([low(a, e), low(b, f), low(c, g), low(d, h), high(a, e), high(b, f), high(c, g), high(d, h)])
}
