//! What becomes of signals before training, against theory and a slow computation by hand.

use downhill_core::random::{Purpose, stream};
use downhill_nn::Activation;
use downhill_optim::{Init, Normal};
use downhill_train::{Propagation, Setup, Verdict};

fn setup(activation: &str, init: &str, layers: &[usize]) -> Setup {
    let (activation, init) = (activation.parse::<Activation>().unwrap(), init.parse::<Init>().unwrap());
    Setup { layers: layers.to_vec(), activation, init, rows: 300, seed: 0 }
}

fn of(activation: &str, init: &str, layers: &[usize]) -> Propagation {
    Propagation::of(&setup(activation, init, layers)).unwrap()
}

/// What the papers found, and what the issue of it is at other depths.
#[test]
fn verdicts_are_those_of_the_literature() {
    use Verdict::{Exploding, Healthy, Saturated, Vanishing};
    for (activation, init, depth, verdict) in [
        ("sigmoid", "normal(1)", 5, Saturated),
        ("sigmoid", "glorot-normal", 5, Healthy),
        ("sigmoid", "glorot-uniform", 5, Healthy),
        // Its slope is at most 1/4, so no scale of the weights helps.
        ("sigmoid", "glorot-normal", 20, Vanishing),
        ("sigmoid", "lsuv", 20, Vanishing),
        ("tanh", "normal(1)", 5, Saturated),
        ("tanh", "normal(0.01)", 5, Vanishing),
        ("tanh", "glorot-normal", 5, Healthy),
        ("tanh", "glorot-normal", 50, Healthy),
        ("tanh", "orthogonal(gain=auto)", 20, Healthy),
        ("relu", "glorot-normal", 5, Healthy),
        ("relu", "glorot-normal", 20, Vanishing),
        ("relu", "glorot-uniform", 20, Vanishing),
        ("relu", "glorot-normal(gain=auto)", 50, Healthy),
        ("relu", "he-normal", 5, Healthy),
        ("relu", "he-normal", 20, Healthy),
        ("relu", "he-normal", 50, Healthy),
        ("relu", "lsuv", 50, Healthy),
        ("relu", "normal(1)", 5, Exploding),
        ("relu", "normal(1)", 50, Exploding),
        ("relu", "zeros", 2, Vanishing),
        ("selu", "lecun-normal", 50, Healthy),
    ] {
        let found = of(activation, init, &vec![100; depth]).verdict;
        assert_eq!(found, verdict, "{activation}, {init}, {depth} layers");
    }
}

/// An orthogonal matrix keeps the length of every row, forward and backward.
#[test]
fn orthogonal_layers_keep_lengths() {
    let propagation = of("identity", "orthogonal", &[30; 40]);
    let size = |mean: f64, std: f64| mean * mean + std * std;
    let first = &propagation.layers[0];
    let last = &propagation.layers[39];
    assert!((size(first.mean, first.std) - size(last.mean, last.std)).abs() < 1e-12);
    assert!((first.signal - last.signal).abs() < 1e-12);
    assert!((first.gradient_std - last.gradient_std).abs() < 1e-3);
    assert_eq!((first.dead, first.saturated, propagation.verdict), (0.0, None, Verdict::Healthy));
}

/// With Glorot's weights ReLU halves the mean square of what passes, in both directions: He et al., section
/// 2.2.
#[test]
fn relu_halves_what_glorot_keeps() {
    let layers = of("relu", "glorot-normal", &[400; 9]).layers;
    let per_layer = (layers[0].gradient_std / layers[8].gradient_std).powf(2.0 / 8.0);
    assert!((per_layer - 0.5).abs() < 0.03, "{per_layer}");
    let square = |i: usize| layers[i].mean.powi(2) + layers[i].std.powi(2);
    let per_layer = (square(8) / square(0)).powf(1.0 / 8.0);
    assert!((per_layer - 0.5).abs() < 0.03, "{per_layer}");
}

fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
}

/// Weights, rows and gradients drawn again, and everything worked out row by row.
#[test]
fn numbers_are_those_of_a_slow_computation() {
    let widths = [6, 4, 7];
    let setup = setup("tanh", "normal(0.8)", &widths);
    let propagation = Propagation::of(&setup).unwrap();
    let draw = |std, count, purpose, index| {
        let mut values = vec![0.0f64; count];
        Init::Normal(Normal { std }).fill(&mut values, count, 1, &mut stream(0, purpose, index));
        values
    };
    let weights: Vec<Vec<f64>> = [6 * 6, 6 * 4, 4 * 7]
        .into_iter()
        .enumerate()
        .map(|(i, count)| draw(0.8, count, Purpose::Init, i as u64))
        .collect();
    let x = draw(1.0, 300 * 6, Purpose::Probe, 0);
    let dy = draw(1.0, 300 * 7, Purpose::Probe, 1);
    let mut activations: [Vec<f64>; 3] = Default::default();
    let mut gradients: [Vec<f64>; 3] = Default::default();
    for row in 0..300 {
        let mut h = x[row * 6..][..6].to_vec();
        let mut all = Vec::new();
        for (layer, &units) in widths.iter().enumerate() {
            let next =
                |j: usize| h.iter().enumerate().map(|(i, h)| h * weights[layer][i * units + j]).sum::<f64>();
            h = (0..units).map(|j| next(j).tanh()).collect();
            activations[layer].extend(&h);
            all.push(h.clone());
        }
        let mut back = dy[row * 7..][..7].to_vec();
        for layer in (0..3).rev() {
            gradients[layer].extend(&back);
            if layer > 0 {
                let units = widths[layer];
                let through: Vec<f64> =
                    back.iter().zip(&all[layer]).map(|(g, y)| g * (1.0 - y * y)).collect();
                let before =
                    |i: usize| (0..units).map(|j| through[j] * weights[layer][i * units + j]).sum::<f64>();
                back = (0..widths[layer - 1]).map(before).collect();
            }
        }
    }
    let close = |what: &str, a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{what}: {a} is not {b}");
    for (i, layer) in propagation.layers.iter().enumerate() {
        let (values, units) = (&activations[i], widths[i]);
        assert_eq!((layer.layer, layer.units), (i + 1, units));
        let (mean, std) = mean_and_std(values);
        close("mean", layer.mean, mean);
        close("std", layer.std, std);
        close("gradient", layer.gradient_std, mean_and_std(&gradients[i]).1);
        let columns = (0..units).map(|unit| {
            mean_and_std(&values.iter().skip(unit).step_by(units).copied().collect::<Vec<_>>()).1
        });
        close("signal", layer.signal, (columns.map(|std| std * std).sum::<f64>() / units as f64).sqrt());
        // 1 − tanh² below a tenth of 1.
        let flat = values.iter().filter(|y| 1.0 - **y * **y < 0.1).count();
        close("saturated", layer.saturated.unwrap(), flat as f64 / values.len() as f64);
        let edges = &layer.histogram.edges;
        assert_eq!((edges[0], edges[20], edges[40]), (-1.0, 0.0, 1.0));
        for (bin, count) in layer.histogram.counts.iter().enumerate() {
            let inside = |y: &&f64| edges[bin] <= **y && **y < edges[bin + 1];
            assert_eq!(values.iter().filter(inside).count() as u64, *count, "bin {bin}");
        }
    }
}

/// Sigmoid has a tenth of its steepest slope where it is counted as saturated from.
#[test]
fn saturation_begins_at_a_tenth_of_the_slope() {
    let edge = 0.025_658_350_974_743_1;
    assert!((edge * (1.0 - edge) - 0.025f64).abs() < 1e-12);
    let layers = of("sigmoid", "normal(0.4)", &[50; 3]).layers;
    assert!(layers.iter().all(|layer| layer.saturated.is_some_and(|share| share > 0.0 && share < 0.5)));
}

#[test]
fn histograms_count_everything() {
    for (activation, init) in
        [("relu", "he"), ("relu", "zeros"), ("elu", "ones"), ("gelu", "-1"), ("relu", "normal(1)")]
    {
        let setup = Setup { rows: 70, ..setup(activation, init, &[20, 10, 30]) };
        for layer in Propagation::of(&setup).unwrap().layers {
            let all = 70 * layer.units as u64;
            for bins in [&layer.histogram, &layer.gradient_histogram] {
                assert_eq!(bins.counts.iter().sum::<u64>(), all, "{activation}, {init}");
                assert_eq!(bins.without_zeros().iter().sum::<u64>(), all - bins.zeros);
                assert!(bins.edges.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}

#[test]
fn dead_units_are_those_that_let_nothing_through() {
    let layers = of("relu", "zeros", &[20; 2]).layers;
    assert_eq!((layers[0].dead, layers[0].histogram.zeros), (1.0, 300 * 20));
    // The second layer adds up what is never negative, with weights below 0.
    let layers = of("relu", "-1", &[20; 3]).layers;
    assert_eq!((layers[0].dead, layers[1].dead), (0.0, 1.0));
    assert_eq!(of("relu", "-1", &[20; 3]).verdict, Verdict::Vanishing);
    assert_eq!(of("leaky-relu", "-1", &[20; 3]).layers[1].dead, 0.0);
}

#[test]
fn what_overflows_explodes() {
    let propagation = of("relu", "1e200", &[10; 4]);
    assert_eq!(propagation.verdict, Verdict::Exploding);
    assert!(!propagation.layers[3].signal.is_finite());
}

#[test]
fn what_cannot_be_looked_at_is_told() {
    let fails = |setup: Setup, says: &str| {
        let error = Propagation::of(&setup).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    fails(setup("relu", "he", &[]), "at least one layer");
    fails(setup("relu", "he", &[3, 0]), "at least one layer");
    fails(Setup { rows: 0, ..setup("relu", "he", &[3]) }, "one row");
    fails(setup("relu", "he", &[100_000; 2]), "1 GB");
    fails(setup("relu", "he", &[usize::MAX; 2]), "1 GB");
    fails(Setup { rows: usize::MAX, ..setup("relu", "he", &[1]) }, "1 GB");
    fails(setup("relu", "identity", &[5, 5, 4]), "5 inputs and 4 outputs");
}
