//! Sums of squares, on every vector unit.

use downhill_core::random;
use downhill_core::simd::sum_of_squares;
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
