//! Initial weights: their moments, their bounds, and where they come from.

use downhill_core::random;
use downhill_optim::Init;
use random::Purpose;
use serde::Deserialize;

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

const NORMAL: [(&str, f64); 7] = [
    ("glorot-normal", 2.0 / 500.0),
    ("glorot-normal(3)", 9.0 * 2.0 / 500.0),
    ("he-normal", 2.0 / 400.0),
    ("lecun-normal", 1.0 / 400.0),
    ("auto", 2.0 / 400.0),
    ("normal", 0.05 * 0.05),
    ("normal(2)", 4.0),
];

/// The variance of a uniform distribution is a third of its squared limit.
const UNIFORM: [(&str, f64); 6] = [
    ("glorot-uniform", 2.0 / 500.0),
    ("glorot-uniform(gain=0.5)", 0.25 * 2.0 / 500.0),
    ("he-uniform", 2.0 / 400.0),
    ("lecun-uniform", 1.0 / 400.0),
    ("uniform", 0.05 * 0.05 / 3.0),
    ("uniform(2)", 4.0 / 3.0),
];

/// All whose values are random everywhere.
fn random_ones() -> impl Iterator<Item = &'static str> {
    let spreads = NORMAL.into_iter().chain(UNIFORM).map(|(init, _)| init);
    spreads.chain(["truncated-normal", "orthogonal(0.5)", "sparse(0)"])
}

/// What `tools/golden/moments.py` found: moments of what is random, the whole of what is not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Golden {
    Random { init: String, mean: f64, std: f64, largest: f64, zeros: f64 },
    Whole { init: String, values: Vec<f64> },
}

/// Moments of 40 000 weights against those of a million by PyTorch and Keras.
#[test]
fn moments_are_those_of_the_frameworks() {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("golden/moments.json")).unwrap();
    let n = (FAN_IN * FAN_OUT) as f64;
    for case in golden {
        match case {
            Golden::Whole { init, values } => assert_eq!(matrix(&init, 3, 2, 0), values, "{init}"),
            Golden::Random { init, mean, std, largest, zeros } => {
                let weights = weights(&init, 3, 0);
                let (found_mean, found_std, found_largest) = moments(&weights);
                assert!((found_mean - mean).abs() < 4.5 * std / n.sqrt(), "{init}: mean {found_mean}");
                assert!((found_std / std - 1.0).abs() < 0.02, "{init}: {found_std}, not {std}");
                // A bound is reached by both; without one, the largest of more values is the larger.
                let (found, bounded) = (found_largest * found_std / largest, largest < 3.0 * std);
                assert!((if bounded { 0.999 } else { 0.6 }..1.001).contains(&found), "{init}: {found}");
                let found = weights.iter().filter(|&&w| w == 0.0).count() as f64 / n;
                assert_eq!(found, zeros, "{init}");
            }
        }
    }
}

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
fn constants_are_constant() {
    for (init, value) in
        [("zeros", 0.0), ("ones", 1.0), ("constant(0.5)", 0.5), ("constant(value=0)", 0.0), ("-1e-3", -1e-3)]
    {
        assert!(weights(init, 1, 0).iter().all(|&w| w == value), "{init}");
    }
}

/// A normal distribution cut at two standard deviations: with φ and Φ at 2, its variance is 1 − 4φ/(2Φ − 1).
#[test]
fn truncated_normal_ends_at_two_standard_deviations() {
    for (init, std) in [("truncated-normal", 0.05), ("truncated-normal(3)", 3.0)] {
        let weights = weights(init, 1, 0);
        let (mean, found, largest) = moments(&weights);
        let expected = 0.879_625_661 * std;
        assert!(mean.abs() < 4.0 * expected / 200.0, "{init}: mean {mean}");
        assert!((found / expected - 1.0).abs() < 0.015, "{init}: {found}, not {expected}");
        assert!((1.99..=2.0).contains(&(largest * found / std)), "{init}: {largest}");
        let within = weights.iter().filter(|w| w.abs() < std).count() as f64 / 40_000.0;
        assert!((within - 0.6827 / 0.9545).abs() < 0.01, "{init}: {within}");
    }
}

/// A matrix of any shape.
fn matrix(init: &str, rows: usize, columns: usize, seed: u64) -> Vec<f64> {
    let mut weights = vec![f64::NAN; rows * columns];
    let init: Init = init.parse().unwrap();
    init.fill(&mut weights, rows, columns, &mut random::stream(seed, Purpose::Init, 0));
    weights
}

#[test]
fn orthogonal_is_orthogonal() {
    for (rows, columns) in [(1, 1), (5, 5), (7, 3), (3, 7), (1, 9), (9, 1), (120, 120), (200, 33), (33, 200)]
    {
        for gain in [1.0, 2.5] {
            let w = matrix(&format!("orthogonal({gain})"), rows, columns, 1);
            let (count, len) = (rows.min(columns), rows.max(columns));
            let at =
                |i: usize, j: usize| if rows < columns { w[i * columns + j] } else { w[j * columns + i] };
            for i in 0..count {
                for k in 0..=i {
                    let product: f64 = (0..len).map(|j| at(i, j) * at(k, j)).sum();
                    let expected = if i == k { gain * gain } else { 0.0 };
                    assert!(
                        (product - expected).abs() < 1e-13 * gain * gain,
                        "{rows} by {columns}: {product}"
                    );
                }
            }
        }
    }
}

/// No matrix is favoured: entries have mean 0 and variance 1/n, and so has the diagonal, which a QR
/// factorisation with signs as they come would make lean to one side; the determinant is 1 as often as −1.
#[test]
fn orthogonal_favours_no_matrix() {
    let all: Vec<Vec<f64>> = (0..4000).map(|seed| matrix("orthogonal", 3, 3, seed)).collect();
    for i in 0..9 {
        let entries: Vec<f64> = all.iter().map(|w| w[i]).collect();
        let (mean, std, _) = moments(&entries);
        assert!(mean.abs() < 4.0 * std / 4000.0f64.sqrt(), "{i}: mean {mean}");
        assert!((std - 3.0f64.sqrt().recip()).abs() < 0.02, "{i}: {std}");
    }
    let det = |w: &[f64]| {
        let minor = |a: usize, b: usize| w[3 + a] * w[6 + b] - w[3 + b] * w[6 + a];
        w[0] * minor(1, 2) - w[1] * minor(0, 2) + w[2] * minor(0, 1)
    };
    let turns = all.iter().filter(|w| det(w) > 0.0).count();
    assert!((1870..2130).contains(&turns), "{turns}");
}

/// LSUV begins with an orthogonal matrix; data comes later.
#[test]
fn lsuv_begins_orthogonal() {
    assert_eq!(matrix("lsuv", 7, 5, 3), matrix("orthogonal", 7, 5, 3));
}

/// `gain=auto` is 1 where nothing is known of an activation, and else the gain of that.
#[test]
fn gains_are_filled_in() {
    for name in ["glorot-uniform", "glorot-normal", "orthogonal"] {
        let auto: Init = format!("{name}(gain=auto)").parse().unwrap();
        assert_eq!(auto.with_gain(2.5), format!("{name}(2.5)").parse().unwrap());
        assert_eq!(matrix(&auto.to_string(), 4, 4, 1), matrix(name, 4, 4, 1));
        let given: Init = format!("{name}(1.5)").parse().unwrap();
        assert_eq!(given.with_gain(2.5), given);
    }
}

#[test]
fn identity_is_one_on_its_diagonal() {
    assert_eq!(matrix("identity", 2, 3, 0), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(matrix("identity", 3, 2, 0), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn sparse_leaves_each_unit_as_many_inputs() {
    for (sparsity, rows, zeros) in
        [(0.9, 400, 360), (0.07, 100, 7), (0.31, 10, 4), (0.0, 10, 0), (0.99, 10, 10)]
    {
        let columns = 200;
        let w = matrix(&format!("sparse({sparsity}, std=0.5)"), rows, columns, 3);
        for column in 0..columns {
            let found = (0..rows).filter(|row| w[row * columns + column] == 0.0).count();
            assert_eq!(found, zeros, "{sparsity} of {rows}");
        }
        let others: Vec<f64> = w.iter().copied().filter(|&w| w != 0.0).collect();
        let n = others.len() as f64;
        if n > 0.0 {
            let (mean, std, _) = moments(&others);
            assert!(mean.abs() < 4.0 * 0.5 / n.sqrt() && (std / 0.5 - 1.0).abs() < 4.0 / (2.0 * n).sqrt());
        }
        // Every input is cut off as often as any other: binomially often.
        let share = zeros as f64 / rows as f64;
        for row in w.chunks(columns) {
            let found = row.iter().filter(|&&w| w == 0.0).count() as f64;
            let deviation = (columns as f64 * share * (1.0 - share)).sqrt();
            assert!(
                (found - columns as f64 * share).abs() <= 5.0 * deviation,
                "{sparsity} of {rows}: {found}"
            );
        }
    }
}

#[test]
#[should_panic(expected = "a matrix of 3 rows")]
fn what_is_no_matrix_is_not_made_orthogonal() {
    Init::Identity.fill(&mut [0.0f32; 10], 3, 4, &mut random::stream(0, Purpose::Init, 0));
}

#[test]
fn empty_matrices_are_no_trouble() {
    for init in ["orthogonal", "identity", "sparse(0.5)", "truncated-normal", "ones"] {
        for (rows, columns) in [(0, 0), (3, 0)] {
            assert!(matrix(init, rows, columns, 0).is_empty());
        }
    }
}

#[test]
fn values_follow_from_seed_and_tensor() {
    for init in random_ones() {
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
    for init in random_ones() {
        let mut single = vec![0.0f32; FAN_IN * FAN_OUT];
        let parsed: Init = init.parse().unwrap();
        parsed.fill(&mut single, FAN_IN, FAN_OUT, &mut random::stream(7, Purpose::Init, 3));
        assert!(single.iter().zip(weights(init, 7, 3)).all(|(&a, b)| a == b as f32), "{init}");
    }
}
