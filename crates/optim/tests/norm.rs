//! The norm of gradients, and what clipping makes of it.

use downhill_optim::simd::sum_of_squares;
use downhill_optim::{clip_norm_scale, random};
use rand::RngExt;

fn noise(len: usize, scale: f64) -> Vec<f32> {
    let mut rng = random::stream(len as u64, random::Purpose::Shuffle, 0);
    (0..len).map(|_| (scale * (rng.random::<f64>() - 0.5)) as f32).collect()
}

fn exact(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

#[test]
fn sums_agree_with_sums_in_f64() {
    for len in [0, 1, 15, 16, 17, 31, 4095, 4096, 4097, 8192, 100_000, 1_000_003] {
        for scale in [1e-12, 1.0, 1e15, 1e25] {
            let values = noise(len, scale);
            let (sum, exact) = (sum_of_squares(&values), exact(&values));
            assert!((sum - exact).abs() <= 1e-6 * exact, "{len} values of {scale}: {sum}, not {exact}");
            let wide: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            assert!((sum_of_squares(&wide) - exact).abs() <= 1e-11 * exact);
        }
    }
}

#[test]
fn every_value_counts_once() {
    for len in [1, 16, 40, 4096, 5000, 9001] {
        for i in [0, len / 3, len / 2, len - 1] {
            let mut values = vec![0.0f32; len];
            values[i] = 3.0;
            assert_eq!(sum_of_squares(&values), 9.0, "{i} of {len}");
        }
    }
}

#[test]
fn what_is_not_finite_shows() {
    for len in [3, 16, 5000] {
        let mut values = vec![1.0f32; len];
        values[len - 1] = f32::INFINITY;
        assert_eq!(sum_of_squares(&values), f64::INFINITY);
        values[0] = f32::NAN;
        assert!(sum_of_squares(&values).is_nan());
    }
}

#[test]
fn clipping_brings_the_norm_down_to_its_limit() {
    for scale in [1e-12, 1.0, 1e15, 1e25] {
        let grads = noise(10_000, scale);
        let norm = exact(&grads).sqrt();
        for max in [0.5 * norm, 1e-3 * norm, 1e-9 * norm] {
            let clipped = norm * clip_norm_scale(&grads, max);
            assert!((clipped / max - 1.0).abs() < 1e-6, "{norm} to {max}: {clipped}");
        }
        assert_eq!(clip_norm_scale(&grads, 1.01 * norm), 1.0);
    }
    assert_eq!(clip_norm_scale(&[0.0f32; 100], 1.0), 1.0);
    assert_eq!(clip_norm_scale::<f32>(&[], 1.0), 1.0);
    assert_eq!(clip_norm_scale(&[3.0, 4.0], 5.0), 1.0);
    assert_eq!(clip_norm_scale(&[f32::NAN, 1.0], 5.0), 1.0); // to be seen, not hidden
    assert_eq!(clip_norm_scale(&[f32::INFINITY, 1.0], 5.0), 0.0); // and 0·∞ is not a number
}
