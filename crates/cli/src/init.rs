//! `downhill init`

use clap::Args;
use downhill::nn::Activation;
use downhill::optim::Init;
use downhill::train::{Bins, LayerSignals, Propagation, Setup, Verdict};
use downhill_report::{Histogram, Histograms, Lang};
use serde_json::{Value, json};

use crate::args::{Format, Sizes, Spelt, repeated_sizes, some_rows, whole_number};
use crate::plot::PlotFile;
use crate::{Failure, output};

/// A scheme as it was spelt, and what becomes of signals with it.
type Study = (String, Propagation);

#[derive(Args)]
pub struct InitArgs {
    /// The initialisers: auto, he-normal, glorot-uniform(gain=auto), normal(0.01), lsuv, …; may be given more
    /// than once.
    #[arg(long, value_name = "SPEC", default_value = "auto")]
    pub scheme: Vec<Spelt<Init>>,

    /// The activation behind every layer.
    #[arg(long, value_name = "SPEC", default_value = "relu")]
    pub activation: Spelt<Activation>,

    /// The sizes of the layers: 100x5 for five layers of 100 units, or 784,256,128.
    #[arg(long, value_name = "SIZES", default_value = "100x5", allow_hyphen_values = true)]
    #[arg(value_parser = repeated_sizes)]
    pub layers: Sizes,

    /// The number of rows, of standard normal numbers and as wide as the first layer.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = some_rows, allow_hyphen_values = true)]
    pub rows: usize,

    /// The random seed of weights, rows and gradients.
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole_number::<u64>, allow_hyphen_values = true)]
    pub seed: u64,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

pub fn init(options: &InitArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let study = |scheme: &Spelt<_>| -> Result<Study, Failure> {
        let setup = Setup {
            layers: options.layers.0.clone(),
            activation: options.activation.value,
            init: scheme.value,
            rows: options.rows,
            seed: options.seed,
        };
        // The command line is all there is to be wrong.
        let propagation = Propagation::of(&setup).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok((scheme.text.clone(), propagation))
    };
    let studies = options.scheme.iter().map(study).collect::<Result<Vec<_>, _>>()?;
    let activation = &options.activation.text;

    if let Some(file) = &options.plot {
        file.write(&drawing(activation, &studies, lang).svg_file(), quiet)?;
    }
    match format {
        Format::Json => output::print_json(&objects(&studies, studies.len() > 1)?),
        Format::Csv => {
            let objects = objects(&studies, true)?.into_iter().map(flat);
            output::print_flat_csv_rows(&objects.collect::<Vec<_>>())
        }
        Format::Text => {
            let texts: Vec<String> = studies.iter().map(|study| text(activation, study)).collect();
            output::print(&texts.join("\n"))
        }
    }
}

/// One object a layer.
fn objects(studies: &[Study], named: bool) -> Result<Vec<Value>, Failure> {
    let mut objects = Vec::new();
    for (scheme, propagation) in studies {
        for layer in &propagation.layers {
            let mut object = if named { json!({ "scheme": scheme }) } else { json!({}) };
            if let (Value::Object(object), Value::Object(layer)) = (&mut object, serde_json::to_value(layer)?)
            {
                object.extend(layer);
                object.insert("network_verdict".into(), serde_json::to_value(propagation.verdict)?);
            }
            objects.push(object);
        }
    }
    Ok(objects)
}

/// The histograms' keys with their names in front: there are two of each.
fn flat(object: Value) -> Value {
    let Value::Object(object) = object else { return object };
    let rename = |(name, value)| match value {
        Value::Object(inner) => {
            inner.into_iter().map(|(key, value)| (format!("{name}_{key}"), value)).collect::<Vec<_>>()
        }
        value => vec![(name, value)],
    };
    Value::Object(object.into_iter().flat_map(rename).collect())
}

/// A line a layer, and the verdict.
fn text(activation: &str, (scheme, propagation): &Study) -> String {
    let layers = &propagation.layers;
    let ends = |bins: &Bins| {
        let [low, high] = [bins.edges[0], bins.edges[bins.counts.len()]].map(number);
        format!("{low} … {high}")
    };
    let (first, saturates) = (&layers[0], layers[0].saturated.is_some());
    let mut text = format!("{activation}, {scheme}\n");
    let [left, right] =
        [output::left, output::right].map(|padded| move |name, width| padded(&output::said(name), width));
    text += &format!(
        "{}  {} {} {} {} {}  {} {}\n",
        right("layer", 5),
        left("activations", 20),
        right("mean", 8),
        right("std", 8),
        right(if saturates { "sat." } else { "" }, 5),
        right("dead", 5),
        left("gradients", 10),
        right("std", 8)
    );
    for layer in layers {
        let [bars, back] = [(&layer.histogram, 2), (&layer.gradient_histogram, 4)]
            .map(|(bins, merged)| blocks(bins, merged));
        let saturated = layer.saturated.map_or(String::new(), percent);
        text += &format!(
            "{:>5}  {bars} {:>8} {:>8} {saturated:>5} {:>5}  {back} {:>8}\n",
            layer.layer,
            number(layer.mean),
            number(layer.std),
            percent(layer.dead),
            number(layer.gradient_std)
        );
    }
    text += &format!("       {:<20} {:>33}{}\n", ends(&first.histogram), "", ends(&first.gradient_histogram));
    if layers.iter().any(|layer| layer.histogram.zeros > 0) {
        text += "       (without the activations that are exactly 0)\n";
    }
    text + &format!("verdict: {}\n", verdict(propagation))
}

/// The verdict, and below it what it comes from.
fn verdict(propagation: &Propagation) -> String {
    let Propagation { layers, verdict } = propagation;
    let (first, last) = (&layers[0], &layers[layers.len() - 1]);
    let reason = match verdict {
        Verdict::Saturated => "more than half of the activations are where the function is flat".into(),
        Verdict::Healthy | Verdict::Vanishing | Verdict::Exploding => format!(
            "signal in the last layer: {} the first layer's\n  gradient in the first layer: {} the last layer's",
            ratio(last.signal, first.signal),
            ratio(first.gradient_std, last.gradient_std)
        ),
    };
    format!("{}\n  {reason}", headline(propagation))
}

/// The verdict in a few words.
fn headline(Propagation { layers, verdict }: &Propagation) -> String {
    let concerned: Vec<usize> =
        layers.iter().filter(|layer| layer.verdict == *verdict).map(|layer| layer.layer).collect();
    let word = match verdict {
        Verdict::Healthy => return "healthy".into(),
        Verdict::Vanishing => "vanishing",
        Verdict::Exploding => "exploding",
        Verdict::Saturated => "saturated",
    };
    match concerned[..] {
        _ if concerned.len() == layers.len() => format!("{word} in every layer"),
        [one] => format!("{word} in layer {one}"),
        [from, .., to] if to - from + 1 == concerned.len() => format!("{word} in layers {from} to {to}"),
        _ => format!("{word} in {} of {} layers", concerned.len(), layers.len()),
    }
}

/// A ratio in percent, or as a factor.
fn ratio(value: f64, of: f64) -> String {
    let ratio = value / of;
    // Two digits are enough for what changes with the seed.
    let rounded = |value: f64| number(format!("{value:.1e}").parse().unwrap_or(value));
    match ratio {
        _ if value == 0.0 => "0% of".into(),
        _ if !ratio.is_finite() => "infinitely many times".into(),
        10.0.. => format!("{} times", rounded(ratio)),
        _ => format!("{}% of", rounded(100.0 * ratio)),
    }
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    // A few are not none, and almost all are not all.
    match percent {
        _ if percent > 0.0 && percent < 1.0 => "<1%".into(),
        _ if percent > 99.0 && percent < 100.0 => ">99%".into(),
        _ => format!("{percent:.0}%"),
    }
}

/// A number in at most eight characters.
fn number(value: f64) -> String {
    let plain = match value.abs() {
        0.0 => return "0".into(),
        1e-3..1.0 => format!("{value:.4}"),
        1.0..100.0 => format!("{value:.2}"),
        100.0..1e5 => format!("{value:.0}"),
        _ => return format!("{value:.1e}"),
    };
    if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').into() } else { plain }
}

/// A histogram in a line of blocks, several bins in each; the fullest is the highest.
fn blocks(bins: &Bins, merged: usize) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let counts: Vec<u64> = bins.without_zeros().chunks(merged).map(|chunk| chunk.iter().sum()).collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    // One value is to be seen too.
    counts.iter().map(|count| BLOCKS[(8 * count).div_ceil(most) as usize]).collect()
}

/// As many layers have room side by side.
const SHOWN: usize = 4;

/// The first, the last, and some between, evenly spaced.
fn shown(layers: &[LayerSignals]) -> impl Iterator<Item = &LayerSignals> {
    let count = layers.len().min(SHOWN);
    (0..count).map(move |index| &layers[index * (layers.len() - 1) / (count - 1).max(1)])
}

fn drawing(activation: &str, studies: &[Study], lang: Lang) -> Histograms {
    let layers = studies[0].1.layers.len();
    let some = if layers > SHOWN { format!(", {SHOWN} of {layers} layers") } else { String::new() };
    let title = lang.said(&format!("Signals before training, {activation}{some}")).into_owned();
    studies.iter().fold(Histograms::new(title).lang(lang), |drawing, (scheme, propagation)| {
        let panel = |layer: &LayerSignals, bins: &Bins, std: f64| {
            Histogram::new(
                lang.said(&format!("layer {}", layer.layer)),
                bins.edges.clone(),
                bins.without_zeros(),
            )
            .note(lang.said(&format!("std {}", number(std))))
        };
        let forward = shown(&propagation.layers).map(|layer| panel(layer, &layer.histogram, layer.std));
        let back = shown(&propagation.layers)
            .map(|layer| panel(layer, &layer.gradient_histogram, layer.gradient_std));
        let zeros = propagation.layers.iter().any(|layer| layer.histogram.zeros > 0);
        let forward_name = match zeros {
            true => "activation but zeros, each to its fullest bin",
            false => "activation, each as high as its fullest bin",
        };
        drawing
            .heading(format!("{scheme}: {}", lang.said(&headline(propagation))))
            .row(lang.said(forward_name), 0, forward)
            .row(lang.said("gradient, each as high as its fullest bin"), 1, back)
    })
}
