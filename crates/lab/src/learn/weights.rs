//! How signals and gradients travel through layers, by the scale of their initial weights.

use downhill_nn::Activation;
use downhill_optim::{Init, Normal};
use downhill_run::Bins;
use downhill_train::{LayerSignals, Propagation, Setup};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;

pub(super) const ARGUMENTS: &[&str] = &["activation", "std", "layers", "units", "seed"];

const ROWS: usize = 300;

/// `layers` of `units`, with weights from N(0, `std`²); as many inputs as units.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let activation = arguments.choice("activation", &["sigmoid", "tanh", "relu"])?;
    let std = arguments.number("std", 1.0, 1e-4..=10.0)?;
    let layers = arguments.whole("layers", 5, 1..=30)? as usize;
    let units = arguments.whole("units", 100, 2..=200)? as usize;
    let setup = Setup {
        layers: vec![units; layers],
        activation: activation
            .parse::<Activation>()
            .map_err(|error| arguments.wrong("activation", error.to_string()))?,
        init: Init::Normal(Normal { std }),
        rows: ROWS,
        seed: arguments.whole("seed", 0, 0..=1_000_000)?,
    };
    let propagation = Propagation::of(&setup)?;
    let layer = |layer: &LayerSignals| {
        json!({
            "layer": layer.layer,
            "mean": layer.mean,
            "std": layer.std,
            "gradient_std": layer.gradient_std,
            "saturated": layer.saturated,
            "dead": layer.dead,
            "verdict": layer.verdict,
            "activations": bins(&layer.histogram),
            "gradients": bins(&layer.gradient_histogram),
        })
    };
    let inputs = units as f64;
    Ok(json!({
        "verdict": propagation.verdict,
        // With as many units behind a layer as in front of it: √(2/(n_in + n_out)) and √(2/n_in).
        "xavier": (2.0 / (inputs + inputs)).sqrt(),
        "he": (2.0 / inputs).sqrt(),
        "layers": propagation.layers.iter().map(layer).collect::<Vec<_>>(),
    }))
}

/// Without the zeros of ReLU, which are told by their number: their heap would hide the shape of the rest.
fn bins(bins: &Bins) -> Value {
    let values = bins.counts.iter().sum::<u64>().max(1);
    json!({
        "low": bins.edges[0],
        "high": bins.edges[bins.counts.len()],
        "counts": bins.without_zeros(),
        "zeros": bins.zeros as f64 / values as f64,
    })
}
