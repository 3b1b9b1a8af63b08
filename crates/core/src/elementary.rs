//! Elementary functions of `f32` that the compiler makes vector code of: no branches, no tables, no calls.
//!
//! How far they are from the exact values at most is measured by the tests, over millions of numbers from all
//! that a function does something for, and written at each; a unit is that in the last place of the exact
//! value. Only additions, multiplications, divisions and operations on bits, so all processors give the same
//! bits.
#![allow(clippy::excessive_precision, clippy::approx_constant)] // coefficients as they are published

/// 1.5·2²³: what is added to it is rounded to a whole number, which stands in the last bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2, in two parts: a multiple of the first by a small whole number is exact.
const LN_2: [f32; 2] = [0.693_359_375, -2.121_944_4e-4];

/// 2ⁿ, for n from −126 to 127.
#[inline(always)]
fn power(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// eˣ = 2ⁿ·(1 + q), with q from −0.3 to 0.42: q and n, for x from −104 to 89.
#[inline(always)]
fn reduce(x: f32) -> (f32, i32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    // Moshier, Cephes: expf.
    let p = 1.987_569_1e-4 * r + 1.398_199_9e-3;
    let p = ((p * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 1.666_666_5e-1;
    let q = (p * r + 0.5) * r * r + r;
    (q, (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// x, but at most 89 and at least −104, behind which eˣ is ∞ and 0; not a number stays what it is.
#[inline(always)]
fn within(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    if x < -104.0 { -104.0 } else { x }
}

/// eˣ, to 1.5 units.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let (q, n) = reduce(within(x));
    // In two steps, because 2ⁿ itself may be out of range.
    let half = n >> 1;
    (1.0 + q) * power(half) * power(n - half)
}

/// eˣ − 1, to 2 units.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    let (q, n) = reduce(within(x));
    let half = n >> 1;
    (power(half) * q + (power(half) - power(half - n))) * power(n - half)
}

/// tanh x, to 2 units.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let (size, z) = (x.abs(), x * x);
    // Moshier, Cephes: tanhf.
    let p = (-5.704_988_6e-3 * z + 2.063_909e-2) * z - 5.373_971_5e-2;
    let near = ((p * z + 1.333_144_3e-1) * z - 3.333_328_2e-1) * z * x + x;
    let far = (1.0 - 2.0 / (exp(2.0 * size) + 1.0)).copysign(x);
    if size < 0.625 { near } else { far }
}

/// ln(1 + x) for x from 0 to 1, to 2 units: 2·artanh(x/(2 + x)), by its series.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let z = s * s;
    let p = ((1.0 / 15.0 * z + 1.0 / 13.0) * z + 1.0 / 11.0) * z + 1.0 / 9.0;
    2.0 * s + 2.0 * s * (((p * z + 1.0 / 7.0) * z + 1.0 / 5.0) * z + 1.0 / 3.0) * z
}

/// The error function, to 8 units.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    const BOUND: f32 = 3.832_506_9; // from here on it is ±1
    let x = if x > BOUND { BOUND } else { x };
    let x = if x < -BOUND { -BOUND } else { x };
    let z = x * x;
    // The rational approximation of Eigen and XLA.
    let p = (2.290_506_6e-4 * z + 3.408_291e-3) * z + 5.095_569_5e-2;
    let p = (p * z + 1.852_083_2e-1) * z + 1.128_379_1;
    let q = ((-1.179_160_3e-7 * z + 2.354_796_6e-5) * z + 1.017_962_5e-3) * z + 1.407_047e-2;
    let q = ((q * z + 1.109_850_5e-1) * z + 4.974_692_5e-1) * z + 1.0;
    let y = x * p / q;
    let y = if y > 1.0 { 1.0 } else { y };
    if y < -1.0 { -1.0 } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::vectorised;

    /// The largest error over every 509th number between the bounds, in units in the last place of the exact
    /// value, and where it is; the vector code must give the bits of the scalar one.
    fn worst(
        from: f32,
        to: f32,
        f: impl Fn(f32) -> f32 + Copy,
        exact: impl Fn(f64) -> f64,
        smallest: f64,
    ) -> (f64, f32) {
        let (mut worst, mut at) = (0.0, 0.0);
        let mut chunk = Vec::new();
        let mut look = |chunk: &mut Vec<f32>| {
            let mut vector = chunk.clone();
            let values = &mut vector[..];
            vectorised(
                #[inline(always)]
                move || values.iter_mut().for_each(|x| *x = f(*x)),
            );
            for (&x, &y) in chunk.iter().zip(&vector) {
                assert_eq!(y.to_bits(), f(x).to_bits(), "at {x}");
                let exact = exact(f64::from(x));
                let unit = (exact.abs().max(smallest).log2().floor() - 23.0).exp2();
                let error = (f64::from(y) - exact).abs() / unit;
                assert!(!error.is_nan(), "at {x}");
                if error > worst {
                    (worst, at) = (error, x);
                }
            }
            chunk.clear();
        };
        for sign in [0, 1 << 31] {
            for bits in (0..f32::INFINITY.to_bits()).step_by(509) {
                let x = f32::from_bits(bits | sign);
                if x >= from && x <= to {
                    chunk.push(x);
                }
                if chunk.len() == 4096 {
                    look(&mut chunk);
                }
            }
        }
        look(&mut chunk);
        (worst, at)
    }

    fn check(what: &str, (worst, at): (f64, f32), bound: f64) {
        assert!(worst <= bound, "{what}: {worst} units at {at}");
        assert!(worst > bound / 2.0, "{what}: {worst} units is far better than the documented {bound}");
    }

    const NORMAL: f64 = f32::MIN_POSITIVE as f64;

    #[test]
    fn errors_are_within_what_is_documented() {
        check("exp", worst(-103.9, 88.72, exp, f64::exp, NORMAL), 1.5);
        check("exp_m1", worst(-30.0, 88.72, exp_m1, f64::exp_m1, NORMAL), 2.0);
        check("tanh", worst(-12.0, 12.0, tanh, f64::tanh, NORMAL), 2.0);
        check("ln_1p", worst(0.0, 1.0, ln_1p, f64::ln_1p, NORMAL), 2.0);
        check("erf", worst(-6.0, 6.0, erf, libm::erf, NORMAL), 8.0);
    }

    #[test]
    fn far_out_and_not_a_number() {
        assert_eq!(
            [exp(100.0), exp(f32::INFINITY), exp(-110.0), exp(f32::NEG_INFINITY)],
            [f32::INFINITY, f32::INFINITY, 0.0, 0.0]
        );
        assert_eq!(
            [exp_m1(-110.0), exp_m1(f32::NEG_INFINITY), exp_m1(f32::INFINITY)],
            [-1.0, -1.0, f32::INFINITY]
        );
        assert_eq!([tanh(f32::INFINITY), tanh(f32::NEG_INFINITY), tanh(50.0)], [1.0, -1.0, 1.0]);
        assert_eq!([erf(f32::INFINITY), erf(f32::NEG_INFINITY), erf(9.0)], [1.0, -1.0, 1.0]);
        assert_eq!([exp(0.0), exp_m1(0.0), tanh(0.0), ln_1p(0.0), erf(0.0)], [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert!([exp, exp_m1, tanh, ln_1p, erf].iter().all(|f| f(f32::NAN).is_nan()));
    }

    #[test]
    fn vector_and_portable_code_give_the_same_bits() {
        // Bits of all kinds: numbers of every size, infinities, NaN.
        let inputs: Vec<f32> = (0..u32::MAX).step_by(9973).map(f32::from_bits).collect();
        let bits = |values: Vec<f32>| -> Vec<u32> {
            values.iter().map(|y| if y.is_nan() { f32::NAN.to_bits() } else { y.to_bits() }).collect()
        };
        macro_rules! check {
            ($($function:ident)*) => {$(
                let mut vectors = inputs.clone();
                crate::simd::vectorised(
                    #[inline(always)]
                    || vectors.iter_mut().for_each(|x| *x = $function(*x)),
                );
                // Through a pointer, so that it is compiled for any processor and one number at a time.
                let portable = std::hint::black_box::<fn(f32) -> f32>($function);
                let portable = inputs.iter().map(|&x| portable(x)).collect();
                assert!(bits(vectors) == bits(portable), stringify!($function));
            )*};
        }
        check!(exp exp_m1 tanh ln_1p erf);
    }
}
