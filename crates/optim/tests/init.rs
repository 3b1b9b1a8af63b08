//! Initial weights: their moments, their bounds, and where they come from.

use downhill_optim::{Init, random};
use random::Purpose;

const FAN_IN: usize = 400;
const FAN_OUT: usize = 100;

fn weights(init: &str, seed: u64, tensor: u64) -> Vec<f64> {
    let mut weights = vec![f64::NAN; FAN_IN * FAN_OUT];
    let init: Init = init.parse().unwrap();
    init.fill(&mut weights, FAN_IN, FAN_OUT, &mut random::stream(seed, Purpose::Init, tensor));
    weights
}

/// Mean and standard deviation, and the largest absolute value in standard deviations.
fn moments(weights: &[f64]) -> (f64, f64, f64) {
    let n = weights.len() as f64;
    let mean = weights.iter().sum::<f64>() / n;
    let std = (weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n).sqrt();
    (mean, std, weights.iter().fold(0.0, |most: f64, w| most.max(w.abs())) / std)
}

const NORMAL: [(&str, f64); 6] = [
    ("glorot-normal", 2.0 / 500.0),
    ("he-normal", 2.0 / 400.0),
    ("lecun-normal", 1.0 / 400.0),
    ("auto", 2.0 / 400.0),
    ("normal", 0.05 * 0.05),
    ("normal(2)", 4.0),
];

/// The variance of a uniform distribution is a third of its squared limit.
const UNIFORM: [(&str, f64); 5] = [
    ("glorot-uniform", 2.0 / 500.0),
    ("he-uniform", 2.0 / 400.0),
    ("lecun-uniform", 1.0 / 400.0),
    ("uniform", 0.05 * 0.05 / 3.0),
    ("uniform(2)", 4.0 / 3.0),
];

/// The moments of 40 000 weights lie within four of their own standard deviations.
#[test]
fn moments_are_those_of_the_papers() {
    for (init, variance) in NORMAL.into_iter().chain(UNIFORM) {
        let expected = f64::sqrt(variance);
        let (mean, std, _) = moments(&weights(init, 1, 0));
        assert!(mean.abs() < 4.0 * expected / 200.0, "{init}: mean {mean}");
        assert!(
            (std / expected - 1.0).abs() < 4.0 / f64::sqrt(2.0 * 40_000.0),
            "{init}: {std}, not {expected}"
        );
    }
}

#[test]
fn normal_has_tails_and_uniform_has_bounds() {
    for (init, variance) in NORMAL {
        let weights = weights(init, 2, 0);
        let (_, std, largest) = moments(&weights);
        assert!((3.5..6.0).contains(&largest), "{init}: {largest}");
        let within = weights.iter().filter(|w| w.abs() < std).count() as f64 / 40_000.0;
        assert!((within - 0.6827).abs() < 0.01, "{init}: {within} of all within one of {}", variance.sqrt());
    }
    for (init, variance) in UNIFORM {
        let limit = f64::sqrt(3.0 * variance);
        let weights = weights(init, 2, 0);
        let [low, high] = [f64::min, f64::max].map(|most| weights.iter().copied().fold(0.0, most));
        assert!(low >= -limit && low < -0.999 * limit, "{init}: {low} to {high}, not {limit}");
        assert!(high <= limit && high > 0.999 * limit, "{init}: {low} to {high}, not {limit}");
    }
}

#[test]
fn zeros_are_zero() {
    assert!(weights("zeros", 1, 0).iter().all(|&w| w == 0.0));
}

#[test]
fn values_follow_from_seed_and_tensor() {
    for (init, _) in NORMAL.into_iter().chain(UNIFORM) {
        let first = weights(init, 7, 0);
        assert_eq!(first, weights(init, 7, 0));
        for other in [weights(init, 8, 0), weights(init, 7, 1)] {
            assert!(first.iter().zip(&other).all(|(a, b)| a != b), "{init}");
            let n = first.len() as f64;
            let (_, a, _) = moments(&first);
            let (_, b, _) = moments(&other);
            let correlation = first.iter().zip(&other).map(|(x, y)| x * y).sum::<f64>() / n / (a * b);
            assert!(correlation.abs() < 4.0 / n.sqrt(), "{init}: {correlation}");
        }
    }
}

#[test]
fn f32_is_f64_rounded() {
    for (init, _) in NORMAL.into_iter().chain(UNIFORM) {
        let mut single = vec![0.0f32; FAN_IN * FAN_OUT];
        let parsed: Init = init.parse().unwrap();
        parsed.fill(&mut single, FAN_IN, FAN_OUT, &mut random::stream(7, Purpose::Init, 3));
        assert!(single.iter().zip(weights(init, 7, 3)).all(|(&a, b)| a == b as f32), "{init}");
    }
}

#[test]
fn purposes_and_moments_have_streams_of_their_own() {
    use rand::RngExt;
    let dropout = |layer| Purpose::Dropout { layer };
    let mut drawn: Vec<[u64; 2]> = Vec::new();
    let layers = [0, 1, 2, 3, 4, 5, u32::MAX].map(dropout);
    for purpose in [Purpose::Split, Purpose::Init, Purpose::Shuffle].into_iter().chain(layers) {
        for (seed, index) in [(0, 0), (0, 1), (1, 0), (u64::MAX, 0), (0, u64::MAX)] {
            let mut rng = random::stream(seed, purpose, index);
            drawn.push([rng.random(), rng.random()]);
        }
    }
    let all = drawn.len();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), all);
}
