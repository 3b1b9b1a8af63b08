//! A network in plain words and numbers, as JSON.

use crate::{Error, Network, Predictor};
use downhill_data::{DateOrder, Encoder, Encoding, Input};
use downhill_nn::{LayerSpec, Loss, Outputs};
use serde_json::{Map, Value, json};

/// The whole predictor as JSON: how each column becomes features, what each layer computes, what the outputs
/// mean, in words beside the numbers, and all weights. Enough to predict with in any language.
///
/// `networks` has an object for each network whose predictions are averaged, mostly one:
///
/// | key | |
/// | --- | --- |
/// | `inputs` | the columns in the order of their features: `column`, `features` (their names), `encoding` as in the model file, `words` |
/// | `layers` | `layer` as a spec, `words`, `tensors` (their names) |
/// | `output` | `words`, and `target`, `classes` or `mean` and `std` |
/// | `tensors` | by name: `shape`, and `values` row by row |
///
/// # Errors
///
/// If there is a layer or a loss that is not known here, or no network.
pub fn json(predictor: &Predictor<'_>) -> Result<Value, Error> {
    predictor.first()?;
    let networks = predictor.networks.iter().map(|network| of_network(network, predictor.loss));
    let networks: Vec<Value> = networks.collect::<Result<_, Error>>()?;
    let mut words = "A row becomes the features of `inputs`, one behind the other; these go through `layers`, each of \
                     which is given the outputs of the one in front of it; the last outputs are what `output` says."
        .to_owned();
    if networks.len() > 1 {
        words +=
            " What the networks predict is averaged: of classes their probabilities, of numbers the numbers.";
    }
    Ok(json!({
        "producer": format!("downhill {}", env!("CARGO_PKG_VERSION")),
        "words": words,
        "networks": networks,
    }))
}

fn of_network(network: &Network<'_>, loss: &Loss) -> Result<Value, Error> {
    let model = network.model;
    let mut tensors = Map::new();
    for (layout, values) in
        [(model.layout(), model.params()), (model.statistics_layout(), model.statistics())]
    {
        for tensor in layout.tensors() {
            let values = values.get(tensor.range()).unwrap_or_default();
            tensors.insert(tensor.name.clone(), json!({ "shape": tensor.shape, "values": values }));
        }
    }
    let of_layer = |position: usize| -> Vec<&String> {
        let prefix = format!("{position}.");
        tensors.keys().filter(|name| name.starts_with(&prefix)).collect()
    };
    let layers = model.layers().iter().enumerate().map(|(position, layer)| {
        let words = layer_words(position, layer)?;
        Ok(json!({ "layer": layer.to_string(), "words": words, "tensors": of_layer(position) }))
    });
    let layers: Vec<Value> = layers.collect::<Result<_, Error>>()?;
    Ok(json!({
        "inputs": network.encoder.map(inputs),
        "layers": layers,
        "output": output(network, loss)?,
        "tensors": tensors,
    }))
}

fn inputs(encoder: &Encoder) -> Value {
    let names = encoder.feature_names();
    let mut at = 0;
    let missing = encoder.missing_texts();
    let one = |input: &Input| {
        let features = names.get(at..at + input.encoding.width()).unwrap_or_default();
        at += input.encoding.width();
        json!({
            "column": input.column,
            "number": input.number,
            "words": input_words(input, &missing),
            "features": features,
            "encoding": input.encoding,
        })
    };
    Value::Array(encoder.inputs().iter().map(one).collect())
}

fn input_words(input: &Input, missing_texts: &[String]) -> String {
    let scaled = |mean: &f64, std: &f64| format!("(value − {mean}) / {std}");
    let told = |indicator: &bool| {
        if *indicator { "; then 1 where it was missing, otherwise 0" } else { "" }
    };
    match &input.encoding {
        Encoding::Number { mean, std, fill, indicator, notation } => {
            let written = match notation.is_plain() {
                true => String::new(),
                false => format!("; its numbers are written with {}", notation.describe()),
            };
            let (scaled, told) = (scaled(mean, std), told(indicator));
            format!("{scaled}, with {fill} in place of a missing value{told}{written}")
        }
        Encoding::Date { order, mean, std, fill, indicator, cycles } => {
            let first = match order {
                DateOrder::DayFirst => "day",
                DateOrder::MonthFirst => "month",
            };
            let cycles: Vec<&str> = cycles.iter().map(|cycle| cycle.name()).collect();
            let (scaled, told) = (scaled(mean, std), told(indicator));
            let cycles = match cycles.is_empty() {
                true => String::new(),
                false => format!(
                    "; then the sine and the cosine of 2π times the share of {}: month (0 to 11)/12, weekday (Monday \
                     is 0)/7, hour the share of the day that has passed",
                    cycles.join(", ")
                ),
            };
            format!(
                "{scaled}, of seconds since 1970-01-01 00:00 UTC, or since midnight for times of day, with {fill} in \
                 place of a missing value{told}{cycles}; in 03/04/2024 the {first} comes first"
            )
        }
        Encoding::Indicator => "1 where it is missing, otherwise 0".to_owned(),
        Encoding::Categories { categories, missing, other, rare: _ } => {
            let texts: Vec<String> = missing_texts.iter().map(|text| format!("{text:?}")).collect();
            let missing = match (missing, other) {
                (true, _) => "then one that is 1 where it is missing",
                (false, true) => "missing values count as none of the categories",
                (false, false) => "all are 0 where it is missing",
            };
            let other = match other {
                true => "then one that is 1 for every other text",
                false => "all are 0 for every other text",
            };
            format!(
                "for each of {} categories a feature that is 1 where the value is that category, otherwise 0; {missing} \
                 (one of {}); {other}",
                categories.len(),
                texts.join(", ")
            )
        }
        Encoding::Pixels { count, mean, std } => {
            let scaled = scaled(mean, std);
            format!("{count} pixels from 0 to 255, each {scaled}; a missing one is 0")
        }
    }
}

fn layer_words(position: usize, layer: &LayerSpec) -> Result<String, Error> {
    let normalised =
        |mean: &str, eps: f64| format!("(x − mean) / √(variance + {eps}) · scale + shift, with {mean}");
    Ok(match layer {
        LayerSpec::Dense(dense) if dense.bias => "x · weight + bias; weight is inputs × outputs".to_owned(),
        LayerSpec::Dense(_) => "x · weight; weight is inputs × outputs".to_owned(),
        LayerSpec::Dropout(_) => "x: it does something in training alone".to_owned(),
        LayerSpec::BatchNorm(norm) => normalised("running-mean and running-variance", norm.eps),
        LayerSpec::LayerNorm(norm) => {
            normalised("the mean and the variance (over n) of the row itself", norm.eps)
        }
        LayerSpec::Add(add) => format!("x + the output of layer {} (counted from 0)", add.from),
        LayerSpec::Embedding(embedding) => format!(
            "for each of the first {} inputs, which are categories counted from 0, the {} numbers of its row of weight \
             (the rows of the first input's categories come first), then the other inputs",
            embedding.categories.len(),
            embedding.dim
        ),
        LayerSpec::Scale(_) => "x · scale, number by number".to_owned(),
        LayerSpec::PiecewiseLinear(layer) => format!(
            "each input, and behind each of the first that has edges (in the description of the layer), for each pair a, \
             b of neighbours among them, {} · (e − 0.5), where e = (x − a) / (b − a), at least 0 but for the first pair \
             and at most 1 but for the last",
            layer.scale
        ),
        LayerSpec::Members(members) => format!(
            "x · scale for each of {} members, whose numbers go on one behind the other; scale is members × inputs",
            members.count
        ),
        LayerSpec::Ensemble(_) => {
            "for each member, (x · weight) · scale + bias; weight is inputs × outputs, scale and \
                                   bias are members × outputs"
                .to_owned()
        }
        LayerSpec::Heads(_) => {
            "for each member, x · the transposed weight + bias, with those of the member; weight is \
                                members × outputs × inputs, bias members × outputs"
                .to_owned()
        }
        LayerSpec::Average(average) => match average.of {
            Outputs::Values => "the mean over the members".to_owned(),
            Outputs::Softmax => {
                "ln of the mean over the members of exp(x) / (the sum of exp over the member's outputs), \
                                 at least 1e-37"
                    .to_owned()
            }
            Outputs::Sigmoid => {
                "ln(p) − ln(q), where p is the mean over the members of 1 / (1 + exp(−x)), and q that of \
                                 1 / (1 + exp(x)), each at least 1e-37"
                    .to_owned()
            }
        },
        LayerSpec::Relu(_) => "max(0, x)".to_owned(),
        LayerSpec::LeakyRelu(leaky) => format!("x, or {} · x where it is negative", leaky.slope),
        LayerSpec::Elu(elu) => format!("x, or {} · (exp(x) − 1) where it is negative", elu.alpha),
        LayerSpec::Selu(_) => {
            "1.0507009873554805 · x, or 1.0507009873554805 · 1.6732632423543772 · (exp(x) − 1) \
                               where it is negative"
                .to_owned()
        }
        LayerSpec::Gelu(_) => "x · (1 + erf(x / √2)) / 2".to_owned(),
        LayerSpec::Silu(_) => "x / (1 + exp(−x))".to_owned(),
        LayerSpec::Mish(_) => "x · tanh(ln(1 + exp(x)))".to_owned(),
        LayerSpec::Tanh(_) => "tanh(x)".to_owned(),
        LayerSpec::Sigmoid(_) => "1 / (1 + exp(−x))".to_owned(),
        LayerSpec::Softplus(_) => "ln(1 + exp(x))".to_owned(),
        LayerSpec::Identity(_) => "x".to_owned(),
        // Layers may be added there; `tests/layers.rs` fails until each is here.
        other => return Err(Error::UnknownLayer { position, layer: other.name() }),
    })
}

fn output(network: &Network<'_>, loss: &Loss) -> Result<Value, Error> {
    let target = network.encoder.map(|encoder| encoder.target_name());
    let classes = network.encoder.map(|encoder| encoder.classes());
    let (mean, std) = network.encoder.map_or((0.0, 1.0), |encoder| encoder.target_scale());
    match loss {
        Loss::CrossEntropy(_) => Ok(json!({
            "words": "the logits of the classes: exp of each, divided by the sum of all, is its probability",
            "target": target,
            "classes": classes,
        })),
        Loss::BinaryCrossEntropy(_) => Ok(json!({
            "words": "the logit of the second class: 1 / (1 + exp(−output)) is its probability",
            "target": target,
            "classes": classes,
        })),
        Loss::Mse(_) | Loss::Mae(_) | Loss::Huber(_) => Ok(json!({
            "words": format!("the target is output · {std} + {mean}"),
            "target": target,
            "mean": mean,
            "std": std,
        })),
        // Losses may be added there; `tests/layers.rs` fails until each is here.
        other => Err(Error::UnknownLoss { loss: other.to_string() }),
    }
}
