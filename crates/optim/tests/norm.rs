//! What clipping makes of the norm of gradients.

use downhill_core::random;
use downhill_optim::clip_norm_scale;
use rand::RngExt;

fn noise(len: usize, scale: f64) -> Vec<f32> {
    let mut rng = random::stream(len as u64, random::Purpose::Shuffle, 0);
    (0..len).map(|_| (scale * (rng.random::<f64>() - 0.5)) as f32).collect()
}

fn exact(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
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
